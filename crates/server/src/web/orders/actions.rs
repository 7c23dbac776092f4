//! What may be done to one order. Each form first says what the rules would make of it.

use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::foresee::foresee;
use super::super::form::{Form, Input, Table};
use super::super::show;
use super::super::visit::Visit;
use super::super::{Answer, fields};
use domain::Command;
use domain::command::order::{CancelLine, Command as OrderCommand, EditLine, EditOrder, PlaceLine};
use domain::command::payment::{Command as PaymentCommand, RefundOrder, RefundWanted};
use domain::command::returns::{Arrived, Command as ReturnCommand};
use domain::id::{LineId, OrderId, ReturnId, Sku};
use domain::money::Amount;
use domain::order::Case;
use domain::payment::{balance_due, captured, refunded};
use domain::quantity::Quantity;
use domain::returns::Disposition;
use std::sync::Arc;

/// What the pair of handlers of an action share: the form as it stands with these fields, and the command that they make.
struct Action {
    form: Form,
    command: Result<Command, Fault>,
}

type Make = fn(&Visit, &Case, &Fields) -> Action;

async fn order_of(visit: &Visit) -> Result<Arc<Case>, Fault> {
    let id: OrderId = visit.segment("id", "order")?;
    visit.case(id).await
}

async fn ask(visit: Visit, make: Make) -> Answer {
    let case = order_of(&visit).await?;
    let Action { mut form, command } = make(&visit, &case, &visit.query);
    match command {
        Ok(command) => form.says.extend(foresee(&visit, command, Some(case.order.id), Vec::new()).await?),
        // While somebody is still typing, that is no fault.
        Err(fault) if form.live => form.says.push(fault.detail),
        Err(fault) => return Err(fault),
    }
    form.show(&visit)
}

async fn act(visit: Visit, make: Make, note: &str) -> Answer {
    let case = order_of(&visit).await?;
    let Action { form, command } = make(&visit, &case, &visit.form);
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done(&format!("/orders/{}", case.order.id), format!("Order {} {note}.", case.order.number)),
        Err(fault) => form.refuse(&visit, &fault),
    }
}

fn form(case: &Case, title: &str, button: &str) -> Form {
    Form {
        title: format!("{title} order {}", case.order.number),
        section: "orders",
        button: button.to_owned(),
        back: format!("/orders/{}", case.order.id),
        ..Form::default()
    }
}

fn reason(value: &str) -> Input {
    Input::text("reason", "Reason").required().value(value).hint("Stands in the timeline with your name.")
}

fn hold(_: &Visit, case: &Case, fields: &Fields) -> Action {
    let why = fields.some("reason").unwrap_or("to be checked");
    let command = OrderCommand::HoldOrder { order: case.order.id, reason: why.into(), expected_version: None };
    Action { form: form(case, "Hold", "Hold order").input(reason("to be checked")), command: Ok(command.into()) }
}

pub async fn hold_form(visit: Visit) -> Answer {
    ask(visit, hold).await
}

pub async fn hold_do(visit: Visit) -> Answer {
    act(visit, hold, "is on hold").await
}

fn release(_: &Visit, case: &Case, _: &Fields) -> Action {
    let command = OrderCommand::ReleaseOrder { order: case.order.id, expected_version: None };
    Action { form: form(case, "Release", "Release order"), command: Ok(command.into()) }
}

pub async fn release_form(visit: Visit) -> Answer {
    ask(visit, release).await
}

pub async fn release_do(visit: Visit) -> Answer {
    act(visit, release, "goes on").await
}

/// Fields `units.ol_1-1`, with the line that each is for.
fn line_units(fields: &Fields) -> Result<Vec<(LineId, Quantity)>, Fault> {
    let mut lines = Vec::new();
    for (id, units) in fields.starting("units.") {
        let id: LineId = id.parse().map_err(|_| Fault::not_found("line", id))?;
        let units: u32 = units.parse().map_err(|_| Fault::invalid(format!("“{units}” is no number of units.")))?;
        lines.push((id, Quantity::new(units)));
    }
    Ok(lines)
}

fn some_units(fields: &Fields) -> Result<Vec<(LineId, Quantity)>, Fault> {
    Ok(line_units(fields)?.into_iter().filter(|(_, units)| !units.is_zero()).collect())
}

/// A number field for each line, with what it may be at most.
fn table(
    case: &Case,
    column: &'static str,
    of: &'static str,
    most: impl Fn(&domain::order::Line) -> u32,
    start: impl Fn(u32) -> u32,
) -> Table {
    let rows = case.order.lines.iter().map(|line| {
        let most_units = most(line);
        let input = Input::number(&format!("units.{}", line.id), &format!("{column} of {}", line.sku), 0, Some(i64::from(most_units)));
        (vec![line.sku.to_string(), most_units.to_string()], vec![input.value(start(most_units))])
    });
    Table { columns: vec!["Item", of, column], rows: rows.collect() }
}

fn open_units(line: &domain::order::Line) -> u32 {
    let open = line.ordered.saturating_sub(line.canceled).saturating_sub(line.shipped());
    open.get()
}

fn cancel(_: &Visit, case: &Case, fields: &Fields) -> Action {
    let mut form = form(case, "Cancel", "Cancel order").input(reason("customer"));
    form.button = "Cancel these units".to_owned();
    form.table = Some(table(case, "Cancel", "Not shipped", open_units, |most| most));
    (form.danger, form.live) = (true, true);
    let why = fields.some("reason").unwrap_or("customer");
    let command = line_units(fields).map(|units| {
        let all = units.is_empty()
            || case
                .order
                .lines
                .iter()
                .all(|line| units.iter().any(|(id, units)| *id == line.id && units.get() >= open_units(line)) || open_units(line) == 0);
        let lines = if all { Vec::new() } else { units };
        let lines = lines.into_iter().filter(|(_, units)| !units.is_zero()).map(|(line, quantity)| CancelLine { line, quantity });
        OrderCommand::CancelOrder { order: case.order.id, reason: why.into(), lines: lines.collect(), expected_version: None }.into()
    });
    Action { form, command }
}

pub async fn cancel_form(visit: Visit) -> Answer {
    ask(visit, cancel).await
}

pub async fn cancel_do(visit: Visit) -> Answer {
    act(visit, cancel, "was canceled, but for what the warehouse has in its hands").await
}

fn edit(_: &Visit, case: &Case, fields: &Fields) -> Action {
    let mut form = form(case, "Edit", "Save");
    let rows = case.order.lines.iter().map(|line| {
        let now = line.ordered.saturating_sub(line.canceled);
        let input = Input::number(&format!("units.{}", line.id), &format!("Units of {}", line.sku), 0, None).value(now);
        (vec![line.sku.to_string(), show::money(line.unit_price, case.order.currency), now.to_string()], vec![input])
    });
    form.table = Some(Table { columns: vec!["Item", "Price", "Now", "Units"], rows: rows.collect() });
    form = form
        .input(Input::text("sku", "Add an item").code().hint("Its SKU; leave empty to add none."))
        .input(Input::number("quantity", "Units of it", 1, None).value(1))
        .input(Input::text("price", "Price of one").hint("In the order’s currency, like 12.50"));
    form.live = true;
    Action { form, command: edit_command(case, fields) }
}

fn edit_command(case: &Case, fields: &Fields) -> Result<Command, Fault> {
    let wanted = line_units(fields)?
        .into_iter()
        .filter(|(id, units)| case.order.lines.iter().any(|line| line.id == *id && line.ordered.saturating_sub(line.canceled) != *units));
    let set = wanted.map(|(line, quantity)| EditLine { line, quantity, discount: None, tax: None }).collect::<Vec<_>>();
    let mut add = Vec::new();
    if let Some(sku) = fields.maybe::<Sku>("sku", "Item")? {
        let quantity = Quantity::new(fields.maybe("quantity", "Units")?.unwrap_or(1));
        let unit_price = minor(fields.text("price"), case.order.currency)?;
        add.push(PlaceLine { external_id: None, sku, quantity, unit_price, discount: Amount::ZERO, tax: Amount::ZERO, total: None });
    }
    if set.is_empty() && add.is_empty() {
        return Err(Fault::invalid("Change a number of units, or add an item."));
    }
    Ok(OrderCommand::EditOrder(EditOrder { order: case.order.id, expected_version: None, set, add }).into())
}

/// `12.50` in minor units.
pub fn minor(text: &str, currency: domain::money::Currency) -> Result<Amount, Fault> {
    let bad = || Fault::invalid(format!("“{text}” is no amount; write it like 12.50."));
    let digits = show::digits(currency);
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if part.len() > digits || whole.is_empty() && part.is_empty() {
        return Err(bad());
    }
    let number: i64 = format!("{whole}{part:0<digits$}").parse().map_err(|_| bad())?;
    if number < 0 { Err(bad()) } else { Ok(Amount::new(number)) }
}

pub async fn edit_form(visit: Visit) -> Answer {
    ask(visit, edit).await
}

pub async fn edit_do(visit: Visit) -> Answer {
    act(visit, edit, "was edited").await
}

fn refund(_: &Visit, case: &Case, fields: &Fields) -> Action {
    let currency = case.order.currency;
    let left = captured(case) - refunded(case);
    let mut form = form(case, "Refund", "Refund");
    form.table = Some(table(case, "Refund", "Ordered", |line| line.ordered.get(), |_| 0));
    form = form
        .input(Input::text("charges", "Of shipping and other charges").hint("Like 4.90"))
        .input(
            Input::text("amount", "A further amount")
                .hint(format!("Without lines; up to {} can be given back in all.", show::money(left, currency))),
        )
        .input(reason("goodwill"));
    (form.danger, form.live) = (true, true);
    let amount = |name: &str| fields.some(name).map(|text| minor(text, currency)).transpose();
    let command = some_units(fields).and_then(|units| {
        let lines = units.into_iter().map(|(line, quantity)| RefundWanted { line, quantity }).collect::<Vec<_>>();
        let (charges, free) = (amount("charges")?.unwrap_or(Amount::ZERO), amount("amount")?);
        if lines.is_empty() && charges.is_zero() && free.is_none() {
            return Err(Fault::invalid("Choose units, charges or an amount to give back."));
        }
        let reason = Some(fields.some("reason").unwrap_or("goodwill").into());
        Ok(PaymentCommand::RefundOrder(RefundOrder { order: case.order.id, lines, charges, amount: free, payment: None, reason }).into())
    });
    Action { form, command }
}

pub async fn refund_form(visit: Visit) -> Answer {
    ask(visit, refund).await
}

pub async fn refund_do(visit: Visit) -> Answer {
    act(visit, refund, "gets a refund").await
}

fn pay(_: &Visit, case: &Case, fields: &Fields) -> Action {
    let form = form(case, "Try to pay", "Try again").input(
        Input::text("token", "Another payment token").code().hint("Of the channel’s gateway; empty for the one that the order came with."),
    );
    let command = PaymentCommand::RetryPayment { order: case.order.id, token: fields.some("token").map(Into::into) };
    Action { form, command: Ok(command.into()) }
}

pub async fn pay_form(visit: Visit) -> Answer {
    ask(visit, pay).await
}

pub async fn pay_do(visit: Visit) -> Answer {
    act(visit, pay, "is being paid again").await
}

fn mark_paid(_: &Visit, case: &Case, fields: &Fields) -> Action {
    let currency = case.order.currency;
    let due = balance_due(case);
    let mut form = form(case, "Mark paid:", "Mark paid")
        .input(Input::text("amount", "Amount").hint(format!("Empty for the whole balance of {}.", show::money(due, currency))))
        .input(Input::text("reference", "Reference").hint("Of the transfer, receipt or invoice."));
    form.live = true;
    let amount = fields.some("amount").map(|text| minor(text, currency)).transpose();
    let reference = fields.some("reference").map(Into::into);
    let command = amount.map(|amount| PaymentCommand::MarkPaid { order: case.order.id, amount, reference }.into());
    Action { form, command }
}

pub async fn mark_paid_form(visit: Visit) -> Answer {
    ask(visit, mark_paid).await
}

pub async fn mark_paid_do(visit: Visit) -> Answer {
    act(visit, mark_paid, "is marked paid").await
}

fn returning(_: &Visit, case: &Case, fields: &Fields) -> Action {
    let mut form = form(case, "Return of", "Request return").input(Input::text("reason", "Reason").value("unwanted"));
    let left = |line: &domain::order::Line| line.shipped().saturating_sub(line.returned()).get();
    form.table = Some(table(case, "Return", "Shipped", left, |_| 0));
    form.live = true;
    let command = some_units(fields).and_then(|lines| {
        if lines.is_empty() {
            return Err(Fault::invalid("Choose the units that come back."));
        }
        Ok(ReturnCommand::Request { order: case.order.id, lines, reason: fields.some("reason").map(Into::into) }.into())
    });
    Action { form, command }
}

pub async fn return_form(visit: Visit) -> Answer {
    ask(visit, returning).await
}

pub async fn return_do(visit: Visit) -> Answer {
    act(visit, returning, "has a return").await
}

/// The return of the path, its order, and the form for one step of it.
async fn return_step(visit: &Visit) -> Result<(ReturnId, Arc<Case>, String, Form), Fault> {
    let id: ReturnId = visit.segment("id", "return")?;
    let order = id.order.ok_or_else(|| Fault::not_found("return of an order", &id.text()))?;
    let case = visit.case(order).await?;
    let step = visit.segment::<String>("step", "step")?;
    let decides = step == "approve" || step == "reject";
    if decides && !visit.may(crate::http::Access::Operate) {
        return Err(Fault::forbidden(visit.session.key.role, "an operator or admin key"));
    }
    let (title, button) = match step.as_str() {
        "approve" => ("Approve", "Approve return"),
        "reject" => ("Reject", "Reject return"),
        "receive" => ("Receive", "Receive"),
        "close" => ("Close", "Close return"),
        _ => return Err(Fault::not_found("step of a return", &step)),
    };
    let mut form = Form {
        title: format!("{title} {id}"),
        section: "orders",
        button: button.to_owned(),
        back: format!("/orders/{order}"),
        ..Form::default()
    };
    form.danger = step == "reject";
    if step == "reject" {
        form = form.input(reason(""));
    }
    if step == "receive" {
        let options: Vec<(String, String)> = visit.now().locations.values().map(|at| (at.code.to_string(), at.name.to_string())).collect();
        let first = options.first().map_or_else(String::new, |(code, _)| code.clone());
        let back = case.returns.iter().find(|back| back.id == id).ok_or_else(|| Fault::not_found("return", &id.text()))?;
        let kinds = [("restock", "Back on the shelf"), ("damaged", "Damaged"), ("scrap", "Scrap")];
        let kinds: Vec<_> = kinds.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
        let rows = back.lines.iter().enumerate().map(|(at, line)| {
            let left = line.quantity.saturating_sub(line.arrived()).get();
            let units = Input::number(&format!("arrived.{at}"), &format!("Arrived of {}", line.sku), 0, Some(i64::from(left))).value(left);
            let what = Input::select(&format!("what.{at}"), &format!("What becomes of {}", line.sku), kinds.clone());
            (vec![line.sku.to_string(), left.to_string()], vec![units, what])
        });
        form.table = Some(Table { columns: vec!["Item", "Expected", "Arrived", "Goes to"], rows: rows.collect() });
        form = form.input(Input::select("location", "At", options).value(first));
        form.live = true;
    }
    Ok((id, case, step, form))
}

fn return_command(id: ReturnId, step: &str, fields: &Fields) -> Result<Command, Fault> {
    Ok(match step {
        "approve" => ReturnCommand::Approve { id },
        "reject" => ReturnCommand::Reject { id, reason: fields.text("reason").into() },
        "receive" => {
            let mut lines = Vec::new();
            for (at, units) in fields.starting("arrived.") {
                let index: u16 = at.parse().map_err(|_| Fault::not_found("line", at))?;
                let units: u32 = units.parse().map_err(|_| Fault::invalid(format!("“{units}” is no number of units.")))?;
                let disposition = match fields.text(&format!("what.{at}")) {
                    "damaged" => Disposition::Damaged,
                    "scrap" => Disposition::Scrap,
                    _ => Disposition::Restock,
                };
                if units > 0 {
                    lines.push(Arrived { index, disposition, quantity: Quantity::new(units) });
                }
            }
            if lines.is_empty() {
                return Err(Fault::invalid("Say how many units arrived."));
            }
            ReturnCommand::Receive { id, location: fields.need("location", "Location")?, lines }
        }
        _ => ReturnCommand::Close { id },
    }
    .into())
}

pub async fn return_step_form(visit: Visit) -> Answer {
    let (id, case, step, mut form) = return_step(&visit).await?;
    match return_command(id, &step, &visit.query) {
        Ok(command) if step != "reject" => form.says.extend(foresee(&visit, command, Some(case.order.id), Vec::new()).await?),
        Ok(_) => form.says.push("The return ends; nothing is taken back.".to_owned()),
        Err(_) if visit.query.is_empty() => {
            form.says.push("Each unit goes where its line says. Money is given back on the order.".to_owned())
        }
        Err(fault) => form.says.push(fault.detail),
    }
    form.show(&visit)
}

pub async fn return_step_do(visit: Visit) -> Answer {
    let (id, case, step, form) = return_step(&visit).await?;
    let done = match return_command(id, &step, &visit.form) {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => {
            visit.done(&format!("/orders/{}", fields::encode(&case.order.id.text())), format!("Return {id} is {}.", show::past(&step)))
        }
        Err(fault) => form.refuse(&visit, &fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Currency;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, currency, wanted) in [
            ("12.50", "EUR", Some(1250)),
            ("12.5", "EUR", Some(1250)),
            ("12", "EUR", Some(1200)),
            (".5", "EUR", Some(50)),
            ("1.234", "EUR", None),
            ("-1", "EUR", None),
            ("", "EUR", None),
            ("100", "JPY", Some(100)),
            ("1e3", "EUR", None),
        ] {
            let read = minor(text, Currency::parse(currency).unwrap()).ok().map(Amount::get);
            assert_eq!(read, wanted, "{text} {currency}");
        }
    }
}
