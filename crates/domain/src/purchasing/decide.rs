//! What may be done about suppliers, policies and purchase orders.

use super::react::{end_of, next_cutoff, sent, zone_of};
use super::{DispatchVia, OrderAmount, Policy, PurchaseLine, PurchaseOrder, PurchaseOrderStatus, PurchaseStep, Source, Supplier};
use crate::catalog::{ItemKind, LocationKind, check_address, check_amount, check_metadata, is_web_address};
use crate::command::purchasing::{Command, ExpectedLine, WantedLine};
use crate::event::Event;
use crate::event::purchasing::{
    LateUnits, PolicyDeleted, PolicySet, PurchaseOrderAcknowledged, PurchaseOrderAmended, PurchaseOrderCanceled, PurchaseOrderClosedShort,
    PurchaseOrderCreated, PurchaseOrderLate, PurchaseOrderPostponed, PurchaseOrderReceived, ReceivedUnits, SupplierCreated,
    SupplierUpdated,
};
use crate::event::stock::{Bucket, ReceivedLine, StockMoved, StockReceived};
use crate::id::{LocationCode, MoveId, PurchaseOrderId, ReceiptId, Sku, SupplierCode};
use crate::limits;
use crate::memory::Fetch;
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::{LevelAfter, check_expected, check_room};
use jiff::tz::TimeZone;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::CreateSupplier(mut supplier) => {
            if state.purchasing.suppliers.contains(&supplier.code) {
                return Err(Rejection::exists("supplier", &supplier.code));
            }
            check_supplier(&supplier)?;
            (supplier.version, supplier.created_at) = (1, cx.now);
            Ok(vec![SupplierCreated { supplier }.into()])
        }
        Command::UpdateSupplier { mut supplier, expected_version } => {
            let known = state.purchasing.suppliers.get(&supplier.code).ok_or_else(|| Rejection::not_found("supplier", &supplier.code))?;
            check_version(expected_version, known.version)?;
            check_supplier(&supplier)?;
            (supplier.version, supplier.created_at) = (known.version + 1, known.created_at);
            Ok(vec![SupplierUpdated { supplier }.into()])
        }
        Command::SetPolicy { mut policy, expected_version } => {
            let known = state.purchasing.policies.get(&(policy.sku.clone(), policy.location.clone())).map_or(0, |known| known.version);
            check_version(expected_version, known)?;
            check_policy(state, &policy)?;
            policy.version = known + 1;
            Ok(vec![PolicySet { policy }.into()])
        }
        Command::DeletePolicy { sku, location } => {
            if !state.purchasing.policies.contains(&(sku.clone(), location.clone())) {
                return Err(Rejection::not_found("replenishment policy", format!("{sku}@{location}")));
            }
            Ok(vec![PolicyDeleted { sku, location }.into()])
        }
        Command::ImportPurchaseOrder { supplier, location, reference, ordered_at, lines } => {
            super::import::import(state, cx, (supplier, location), (reference, ordered_at), lines)
        }
        Command::CreatePurchaseOrder { supplier, location, reference, lines } => create(state, cx, (supplier, location), reference, lines),
        Command::AmendPurchaseOrder { order, lines } => {
            let known = find(state, order)?;
            if known.status != PurchaseOrderStatus::Draft {
                return Err(Rejection::wrong_status("purchase order", order, known.status, "draft"));
            }
            let lines = wanted(state, (&known.supplier, &known.location), known.lines.clone(), lines)?;
            Ok(vec![PurchaseOrderAmended { purchase_order: order, lines }.into()])
        }
        Command::SendPurchaseOrder { order } => {
            let known = may(state, order, PurchaseStep::Send, "draft")?;
            Ok(sent(state, cx, known))
        }
        Command::Acknowledge { order, reference, lines } => {
            acknowledge(state, may(state, order, PurchaseStep::Acknowledge, "sent")?, reference, lines)
        }
        Command::Receive { order, lines, confirm_over_receipt } => receive(state, order, lines, confirm_over_receipt),
        Command::CloseShort { order } => {
            may(state, order, PurchaseStep::CloseShort, "sent, acknowledged or partially_received")?;
            Ok(vec![PurchaseOrderClosedShort { purchase_order: order }.into()])
        }
        Command::Cancel { order, reason } => {
            may(state, order, PurchaseStep::Cancel, "draft, sent or acknowledged, with nothing received")?;
            Ok(vec![PurchaseOrderCanceled { purchase_order: order, reason }.into()])
        }
        Command::ReviewPolicies { .. } => Ok(Vec::new()),
        Command::NoticeLate { order } => Ok(late(cx, find(state, order)?)),
        Command::SendAtCutoff { order } => Ok(at_cutoff(state, cx, find(state, order)?)),
    }
}

fn create(
    state: &State,
    cx: &Context,
    (supplier, location): (SupplierCode, LocationCode),
    reference: Option<SmolStr>,
    lines: Vec<WantedLine>,
) -> Result<Vec<Event>, Rejection> {
    let known = state.purchasing.suppliers.get(&supplier).ok_or_else(|| Rejection::not_found("supplier", &supplier))?;
    state.catalog.locations.get(&location).ok_or_else(|| Rejection::not_found("location", &location))?;
    let lines = wanted(state, (&supplier, &location), Vec::new(), lines)?;
    for line in &lines {
        check_expected(state, &line.sku, &location)?;
    }
    let purchase_order = PurchaseOrder {
        id: PurchaseOrderId(state.counters().purchase_order + 1),
        currency: known.currency,
        lines,
        supplier,
        location,
        status: PurchaseOrderStatus::Draft,
        automatic: false,
        reference,
        send_at: None,
        sent_at: None,
        dispatch: None,
        late_since: None,
        created_at: cx.now,
        version: 1,
    };
    Ok(vec![PurchaseOrderCreated { purchase_order }.into()])
}

fn check_version(expected: Option<u64>, current: u64) -> Result<(), Rejection> {
    match expected {
        Some(expected) if expected != current => Err(Rejection::VersionMismatch { expected, current }),
        Some(_) | None => Ok(()),
    }
}

fn find(state: &State, id: PurchaseOrderId) -> Result<&PurchaseOrder, Rejection> {
    state.purchasing.orders.get(&id).ok_or_else(|| state.missing(Fetch::PurchaseOrder(id), "purchase order"))
}

fn may<'a>(state: &'a State, id: PurchaseOrderId, step: PurchaseStep, needed: &'static str) -> Result<&'a PurchaseOrder, Rejection> {
    let order = find(state, id)?;
    match order.status.after(step) {
        Some(_) => Ok(order),
        None => Err(Rejection::wrong_status("purchase order", id, order.status, needed)),
    }
}

fn check_supplier(supplier: &Supplier) -> Result<(), Rejection> {
    if supplier.name.trim().is_empty() || supplier.name.len() > limits::TEXT_BYTES_MAX {
        return Err(Rejection::invalid("name", format!("must have 1 to {} bytes", limits::TEXT_BYTES_MAX)));
    }
    if let Some(email) = &supplier.email {
        check_address("email", email)?;
    }
    if supplier.webhook.as_ref().is_some_and(|webhook| !is_web_address(&webhook.url)) {
        return Err(Rejection::invalid("webhook.url", "must be an address that begins with https:// or http://"));
    }
    match supplier.dispatch {
        DispatchVia::Mail if supplier.email.is_none() => {
            return Err(Rejection::invalid("email", "is needed to send purchase orders by mail"));
        }
        DispatchVia::Webhook if supplier.webhook.is_none() => {
            return Err(Rejection::invalid("webhook", "is needed to post purchase orders"));
        }
        DispatchVia::None | DispatchVia::Mail | DispatchVia::Webhook => {}
    }
    check_lead_time(supplier.lead_time_days)?;
    check_metadata(&supplier.metadata)?;
    if !supplier.currency.is_current() {
        return Err(Rejection::invalid("currency", format!("{} is no currency that ISO 4217 has in use, like \"USD\"", supplier.currency)));
    }
    check_amount("order_minimum", supplier.order_minimum)?;
    if let Some(cutoff) = &supplier.cutoff {
        let days = &cutoff.weekdays;
        let sound = !days.is_empty() && days.iter().all(|day| *day <= limits::WEEKDAY_MAX) && cutoff.minute <= limits::MINUTE_MAX;
        if !sound || TimeZone::get(&cutoff.time_zone).is_err() {
            return Err(Rejection::invalid("cutoff", "needs a minute (0 to 1439), weekdays (0 to 6) and an IANA time zone"));
        }
    }
    Ok(())
}

fn check_lead_time(days: u16) -> Result<(), Rejection> {
    if days <= limits::LEAD_TIME_DAYS_MAX {
        return Ok(());
    }
    Err(Rejection::invalid("lead_time_days", format!("must be at most {}", limits::LEAD_TIME_DAYS_MAX)))
}

fn check_policy(state: &State, policy: &Policy) -> Result<(), Rejection> {
    check_stocked(state, &policy.sku)?;
    state.catalog.locations.get(&policy.location).ok_or_else(|| Rejection::not_found("location", &policy.location))?;
    check_source(state, policy)?;
    check_amount("unit_cost", policy.unit_cost)?;
    check_lead_time(policy.lead_time_days.unwrap_or(0))?;
    let amount = match policy.amount {
        OrderAmount::OrderUpTo(target) => ("order_up_to", target),
        OrderAmount::ReorderQuantity(quantity) => ("reorder_quantity", quantity),
    };
    let quantities = [("reorder_point", policy.reorder_point), amount, ("moq", policy.moq), ("multiple", policy.multiple)];
    if let Some((field, _)) = quantities.iter().find(|(_, quantity)| quantity.get() > limits::QUANTITY_MAX) {
        return Err(Rejection::invalid(field, format!("must be at most {}", limits::QUANTITY_MAX)));
    }
    match policy.amount {
        OrderAmount::OrderUpTo(target) if target <= policy.reorder_point => {
            Err(Rejection::invalid("order_up_to", "must be above the reorder point"))
        }
        OrderAmount::ReorderQuantity(quantity) if quantity.is_zero() => Err(Rejection::invalid("reorder_quantity", "must be at least 1")),
        OrderAmount::OrderUpTo(_) | OrderAmount::ReorderQuantity(_) => Ok(()),
    }
}

fn check_source(state: &State, policy: &Policy) -> Result<(), Rejection> {
    let mut from = match &policy.source {
        Source::Supplier(code) => {
            state.purchasing.suppliers.get(code).ok_or_else(|| Rejection::not_found("supplier", code))?;
            return match policy.auto {
                Some(_) => Err(Rejection::invalid("auto", "is the supplier's own; set it there")),
                None => Ok(()),
            };
        }
        Source::SourceLocation(from) => from,
    };
    let known = state.catalog.locations.get(from).ok_or_else(|| Rejection::not_found("location", from))?;
    if known.kind == LocationKind::Supplier {
        return Err(Rejection::invalid("source_location", format!("{from} is a supplier's; name the supplier instead")));
    }
    // Units that go round in circles replenish nobody.
    for _ in 0..limits::LOCATIONS_MAX {
        if *from == policy.location {
            return Err(Rejection::invalid("source_location", "would replenish the location from itself, by way of other policies"));
        }
        match state.purchasing.policies.get(&(policy.sku.clone(), from.clone())).map(|next| &next.source) {
            Some(Source::SourceLocation(next)) => from = next,
            Some(Source::Supplier(_)) | None => return Ok(()),
        }
    }
    Ok(())
}

pub(super) fn check_stocked(state: &State, sku: &Sku) -> Result<(), Rejection> {
    let item = state.catalog.items.get(sku).ok_or_else(|| Rejection::not_found("item", sku))?;
    if item.kind == ItemKind::Stocked { Ok(()) } else { Err(Rejection::invalid("sku", format!("{sku} is not a stocked item"))) }
}

fn wanted(
    state: &State,
    (supplier, location): (&SupplierCode, &LocationCode),
    mut lines: Vec<PurchaseLine>,
    wanted: Vec<WantedLine>,
) -> Result<Vec<PurchaseLine>, Rejection> {
    if wanted.len() > limits::STOCK_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("send at most {}", limits::STOCK_LINES_MAX)));
    }
    for line in wanted {
        check_stocked(state, &line.sku)?;
        if line.quantity.get() > limits::QUANTITY_MAX {
            return Err(Rejection::invalid("lines", format!("a quantity is at most {}", limits::QUANTITY_MAX)));
        }
        line.unit_cost.map_or(Ok(()), |cost| check_amount("lines.unit_cost", cost))?;
        match lines.iter_mut().find(|known| known.sku == line.sku) {
            Some(known) => {
                known.ordered = line.quantity;
                known.unit_cost = line.unit_cost.unwrap_or(known.unit_cost);
            }
            None => lines.push(PurchaseLine {
                unit_cost: line.unit_cost.unwrap_or_else(|| usual_cost(state, &line.sku, supplier, location)),
                sku: line.sku,
                ordered: line.quantity,
                received: Quantity::ZERO,
                canceled: Quantity::ZERO,
                expected_on: None,
                late_at: None,
            }),
        }
    }
    lines.retain(|line| !line.ordered.is_zero());
    if lines.is_empty() || lines.len() > limits::STOCK_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("a purchase order has 1 to {} lines", limits::STOCK_LINES_MAX)));
    }
    Ok(lines)
}

/// What the policy has agreed with the supplier, or else what the item costs in the supplier's currency; zero when neither says.
fn usual_cost(state: &State, sku: &Sku, supplier: &SupplierCode, location: &LocationCode) -> Amount {
    let policy = state.purchasing.policies.get(&(sku.clone(), location.clone()));
    let agreed = policy.filter(|policy| policy.source.supplier() == Some(supplier)).map(|policy| policy.unit_cost);
    let currency = state.purchasing.suppliers.get(supplier).map(|supplier| supplier.currency);
    let cost = state.catalog.items.get(sku).and_then(|item| item.unit_cost).filter(|cost| Some(cost.currency) == currency);
    agreed.filter(|cost| !cost.is_zero()).or(cost.map(|cost| cost.amount)).unwrap_or(Amount::ZERO)
}

fn acknowledge(
    state: &State,
    order: &PurchaseOrder,
    reference: Option<SmolStr>,
    expected: Vec<ExpectedLine>,
) -> Result<Vec<Event>, Rejection> {
    let zone = zone_of(state, &order.location);
    let mut lines = order.lines.clone();
    for line in expected {
        let known = lines.iter_mut().find(|known| known.sku == line.sku);
        let known = known.ok_or_else(|| Rejection::not_found("line", &line.sku))?;
        (known.expected_on, known.late_at) = (Some(line.expected_on), Some(end_of(line.expected_on, &zone)));
    }
    Ok(vec![PurchaseOrderAcknowledged { purchase_order: order.id, reference, lines }.into()])
}

fn receive(state: &State, id: PurchaseOrderId, lines: Vec<ReceivedUnits>, confirmed: bool) -> Result<Vec<Event>, Rejection> {
    let order = may(state, id, PurchaseStep::ReceivePart, "sent, acknowledged or partially_received")?;
    let tolerance = u64::from(state.catalog.settings().over_receipt_percent);
    if lines.is_empty() {
        return Err(Rejection::invalid("lines", "name what arrived"));
    }
    for (at, units) in lines.iter().enumerate() {
        let known = order.lines.iter().find(|line| line.sku == units.sku).ok_or_else(|| Rejection::not_found("line", &units.sku))?;
        let arrived = units.accepted.checked_add(units.damaged).filter(|arrived| (1..=limits::QUANTITY_MAX).contains(&arrived.get()));
        let arrived =
            arrived.ok_or_else(|| Rejection::invalid(format!("lines[{at}]"), format!("must be 1 to {}", limits::QUANTITY_MAX)))?;
        if lines[..at].iter().any(|other| other.sku == units.sku) {
            return Err(Rejection::invalid("lines", format!("{} stands twice; add the quantities up", units.sku)));
        }
        check_room(state, &units.sku, &order.location, arrived)?;
        let most = u64::from(known.ordered.get()) * (100 + tolerance) / 100;
        let total = u64::from(known.received.get()) + u64::from(arrived.get());
        if total > most && !confirmed {
            let problem = format!("{total} of {} would be received, {} were ordered", units.sku, known.ordered);
            return Err(Rejection::ConfirmationNeeded { field: "confirm_over_receipt".into(), problem: problem.into() });
        }
    }
    let receipt = ReceiptId(state.counters().receipt + 1);
    let stamped = |quantity: fn(&ReceivedUnits) -> Quantity| {
        let units = lines.iter().filter(|units| !quantity(units).is_zero());
        units
            .map(|units| ReceivedLine { sku: units.sku.clone(), quantity: quantity(units), level: LevelAfter::default() })
            .collect::<Vec<_>>()
    };
    let (arrived, damaged) = (stamped(|units| units.accepted + units.damaged), stamped(|units| units.damaged));
    let (location, reference) = (order.location.clone(), order.reference.clone());
    let mut events: Vec<Event> = vec![
        PurchaseOrderReceived { purchase_order: id, receipt, lines: lines.clone() }.into(),
        StockReceived { receipt, location: location.clone(), reference, purchase_order: Some(id), lines: arrived }.into(),
    ];
    if !damaged.is_empty() {
        let (mov, reason) = (MoveId(state.counters().mov + 1), Some("received_damaged".into()));
        events.push(StockMoved { mov, location, reason, from: Bucket::OnHand, to: Bucket::Damaged, lines: damaged }.into());
    }
    Ok(events)
}

/// Open lines whose day has ended.
fn late(cx: &Context, order: &PurchaseOrder) -> Vec<Event> {
    let Some(late_at) = order.late_at().filter(|at| *at <= cx.now && order.late_since.is_none()) else { return Vec::new() };
    let open = order.lines.iter().filter(|line| !line.open().is_zero() && line.late_at.is_some_and(|at| at <= cx.now));
    let lines = open.filter_map(|line| Some(LateUnits { sku: line.sku.clone(), open: line.open(), expected_on: line.expected_on? }));
    vec![PurchaseOrderLate { purchase_order: order.id, supplier: order.supplier.clone(), late_at, lines: lines.collect() }.into()]
}

/// The draft goes out if it is worth it, otherwise it waits for the next cutoff.
fn at_cutoff(state: &State, cx: &Context, order: &PurchaseOrder) -> Vec<Event> {
    let due = order.send_at.is_some_and(|at| at <= cx.now);
    let Some(supplier) = state.purchasing.suppliers.get(&order.supplier).filter(|_| due) else { return Vec::new() };
    if supplier.sends() && order.total() >= supplier.order_minimum {
        return sent(state, cx, order);
    }
    let next = supplier.cutoff.as_ref().and_then(|cutoff| next_cutoff(cutoff, cx.now));
    let send_at = next.unwrap_or_else(|| cx.now.plus_ms(crate::time::DAY_MS));
    vec![PurchaseOrderPostponed { purchase_order: order.id, send_at }.into()]
}
