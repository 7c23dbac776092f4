//! When and how much of a SKU is ordered, and what that means now.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::foresee;
use super::super::form::{Form, Input};
use super::super::mirror::Now;
use super::super::orders::actions::minor;
use super::super::show;
use super::super::visit::Visit;
use domain::command::purchasing::Command;
use domain::id::{LocationCode, Sku};
use domain::money::{Amount, Currency};
use domain::purchasing::{OrderAmount, Policy, Source};
use domain::quantity::Quantity;
use std::sync::Arc;

/// The policy with its next trigger, in a sentence; empty when there is none.
pub fn explain(now: &Now, sku: &Sku, location: &LocationCode) -> String {
    let Some(policy) = now.policies.get(&(sku.clone(), location.clone())).filter(|policy| policy.active) else { return String::new() };
    let level = now.levels.get(sku).and_then(|levels| levels.get(location)).copied().unwrap_or_default();
    let position = level.position + level.drafted.signed();
    let how = match policy.amount {
        OrderAmount::OrderUpTo(target) => format!("up to {target}"),
        OrderAmount::ReorderQuantity(quantity) => format!("{quantity} at a time"),
    };
    let mut bounds = Vec::new();
    if policy.moq.get() > 1 {
        bounds.push(format!("at least {}", policy.moq));
    }
    if policy.multiple.get() > 1 {
        bounds.push(format!("in multiples of {}", policy.multiple));
    }
    let bounds = if bounds.is_empty() { String::new() } else { format!(", {}", bounds.join(", ")) };
    let away = position - policy.reorder_point.signed();
    let when = if away > 0 {
        format!("Position {position}; when it falls by {away} to {}, {} is asked for {how}{bounds}.", policy.reorder_point, policy.source)
    } else {
        format!("Position {position}, at or below {}: {} is asked for {how}{bounds}.", policy.reorder_point, policy.source)
    };
    if level.drafted.is_zero() { when } else { format!("{when} {} of it stand on a draft.", level.drafted) }
}

fn target(visit: &Visit, fields: &Fields) -> Result<(Sku, LocationCode), Fault> {
    Ok((visit.segment("sku", "SKU")?, fields.need("location", "Location")?))
}

fn form(visit: &Visit, sku: &Sku, location: &LocationCode, fields: &Fields) -> Form {
    let now = visit.now();
    let old = now.policies.get(&(sku.clone(), location.clone()));
    let currency = old.and_then(|old| now.suppliers.get(old.source.supplier()?)).map_or(Currency::USD, |supplier| supplier.currency);
    let (up_to, quantity) = match old.map(|old| old.amount) {
        Some(OrderAmount::OrderUpTo(target)) => (target.to_string(), String::new()),
        Some(OrderAmount::ReorderQuantity(quantity)) => (String::new(), quantity.to_string()),
        None => (String::new(), String::new()),
    };
    let text = |of: Option<String>| of.unwrap_or_default();
    let level = now.levels.get(sku).and_then(|levels| levels.get(location)).copied().unwrap_or_default();
    let mut form = Form {
        title: format!("Replenish {sku} at {location}"),
        section: "stock",
        button: "Save policy".to_owned(),
        back: show::stock_path(sku.as_str()),
        live: true,
        ..Form::default()
    }
    .input(Input::hidden("location", location.to_string()))
    .input(Input::select("source", "From", sources(visit, location)).value(text(old.map(|old| source_value(&old.source)))))
    .input(
        Input::number("reorder_point", "Reorder point", 0, None)
            .required()
            .value(text(old.map(|old| old.reorder_point.to_string())))
            .hint("Asked for when the inventory position is at or below it."),
    )
    .input(
        Input::number("order_up_to", "Order up to", 1, None)
            .value(up_to)
            .hint("The position to come to; or leave it empty and give a quantity."),
    )
    .input(Input::number("reorder_quantity", "Reorder quantity", 1, None).value(quantity))
    .input(Input::number("moq", "Minimum order", 1, None).value(old.map_or(1, |old| old.moq.get())))
    .input(Input::number("multiple", "In multiples of", 1, None).value(old.map_or(1, |old| old.multiple.get())))
    .input(
        Input::number("lead_time_days", "Lead time in days", 0, None)
            .value(text(old.and_then(|old| old.lead_time_days).map(|days| days.to_string())))
            .hint("Empty: the supplier’s."),
    )
    .input(Input::text("unit_cost", "Unit cost").value(text(old.map(|old| show::plain(old.unit_cost, currency)))));
    if let Ok(Some(point)) = fields.maybe::<i64>("reorder_point", "Reorder point") {
        let away = level.position + level.drafted.signed() - point;
        form = form.say(if away > 0 {
            format!("The position is {}; it has to fall by {away} before something is ordered.", level.position)
        } else {
            format!("The position is {}, at or below {point}: an order is made at once.", level.position)
        });
    }
    form
}

/// Suppliers, and the other locations that may send a transfer.
fn sources(visit: &Visit, location: &LocationCode) -> Vec<(String, String)> {
    let now = visit.now();
    let supplier = |known: &Arc<domain::purchasing::Supplier>| {
        (source_value(&Source::Supplier(known.code.clone())), format!("{} ({} days)", known.name, known.lead_time_days))
    };
    let other = |known: &Arc<domain::catalog::Location>| {
        (source_value(&Source::SourceLocation(known.code.clone())), format!("Transfer from {}", known.name))
    };
    let others = now.locations.values().filter(|known| known.active && known.code != *location).map(other);
    now.suppliers.values().map(supplier).chain(others).collect()
}

/// As it stands in the form: codes of suppliers and locations may be the same.
fn source_value(source: &Source) -> String {
    match source {
        Source::Supplier(code) => format!("supplier:{code}"),
        Source::SourceLocation(code) => format!("location:{code}"),
    }
}

fn source(text: &str) -> Result<Source, Fault> {
    let unknown = || Fault::invalid("Choose a supplier or a location to replenish from.");
    match text.split_once(':').ok_or_else(unknown)? {
        ("supplier", code) => Ok(Source::Supplier(code.parse().map_err(|_| unknown())?)),
        ("location", code) => Ok(Source::SourceLocation(code.parse().map_err(|_| unknown())?)),
        _ => Err(unknown()),
    }
}

fn policy(visit: &Visit, sku: Sku, location: LocationCode, fields: &Fields) -> Result<Policy, Fault> {
    let source = source(&fields.need::<String>("source", "From")?)?;
    let now = visit.now();
    let currency = source.supplier().and_then(|code| now.suppliers.get(code)).map_or(Currency::USD, |supplier| supplier.currency);
    let units = |name: &str, label: &str| fields.maybe::<u32>(name, label).map(|units| units.map(Quantity::new));
    let amount = match (units("order_up_to", "Order up to")?, units("reorder_quantity", "Reorder quantity")?) {
        (Some(target), None) => OrderAmount::OrderUpTo(target),
        (None, Some(quantity)) => OrderAmount::ReorderQuantity(quantity),
        (None, None) | (Some(_), Some(_)) => return Err(Fault::invalid("Give either a level to order up to, or a quantity.")),
    };
    Ok(Policy {
        sku,
        location,
        source,
        auto: None,
        reorder_point: Quantity::new(fields.need("reorder_point", "Reorder point")?),
        amount,
        moq: units("moq", "Minimum order")?.unwrap_or(Quantity::ONE),
        multiple: units("multiple", "Multiple")?.unwrap_or(Quantity::ONE),
        lead_time_days: fields.maybe("lead_time_days", "Lead time")?,
        unit_cost: fields.some("unit_cost").map(|text| minor(text, currency)).transpose()?.unwrap_or(Amount::ZERO),
        active: true,
        version: 0,
    })
}

pub async fn edit_form(visit: Visit) -> Answer {
    let (sku, location) = target(&visit, &visit.query)?;
    let mut form = form(&visit, &sku, &location, &visit.query);
    // Before anything is typed there is nothing to judge.
    if visit.query.some("reorder_point").is_some() {
        let refusal = match policy(&visit, sku.clone(), location.clone(), &visit.query) {
            Ok(policy) => foresee::refusal(&visit, Command::SetPolicy { policy, expected_version: None }, vec![sku]).await?,
            Err(fault) => Some(fault.detail),
        };
        if let Some(refusal) = refusal {
            form.says = vec![refusal];
        }
    }
    form.show(&visit)
}

pub async fn edit_do(visit: Visit) -> Answer {
    let (sku, location) = target(&visit, &visit.form)?;
    let done = match policy(&visit, sku.clone(), location.clone(), &visit.form) {
        Ok(policy) => visit.submit(Command::SetPolicy { policy, expected_version: None }).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done(&show::stock_path(sku.as_str()), format!("{sku} at {location} is replenished by this policy now.")),
        Err(fault) => form(&visit, &sku, &location, &visit.form).refuse(&visit, &fault),
    }
}
