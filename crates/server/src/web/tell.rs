//! Events in words: what the timeline says happened, and what a form says will happen.

use super::show::{count, day, event_name, money, plural, signed};
use domain::Event;
use domain::event::fulfillment::WorkLine;
use domain::event::stock::{HeldLine, StockLine};
use domain::money::{Amount, Currency};
use domain::order::PromiseSource;
use domain::quantity::Quantity;
use smol_str::SmolStr;

/// Things that a sentence names before it says "and more".
const NAMED_MAX: usize = 4;

/// What an event was about, after its name; empty when the name says it all.
pub fn detail(event: &Event, currency: Currency) -> String {
    match event {
        Event::OrderPlaced(event) => {
            let lines = event.order.lines.iter().map(|line| format!("{} × {}", line.ordered, line.sku));
            format!("{}, {} over {}", list(lines), money(event.order.total, event.order.currency), event.order.channel)
        }
        Event::OrderImported(event) => format!("{} of the past", money(event.order.total, event.order.currency)),
        Event::OrderBackordered(event) => list(event.lines.iter().map(|line| match line.expected_on {
            Some(on) => format!("{} units wait, expected on {}", line.quantity, day(on)),
            None => format!("{} units wait", line.quantity),
        })),
        Event::OrderRejected(event) => words(&event.reason),
        Event::OrderHeld(event) => words(&event.reason),
        Event::OrderEdited(event) => format!("new total {}", money(event.total, currency)),
        Event::OrderCanceled(event) => {
            let units: u32 = event.lines.iter().map(|line| line.quantity.get()).sum();
            let what = if event.closes { "the whole order".to_owned() } else { plural(units as usize, "unit", "units") };
            format!("{what}, worth {}: {}", money(event.amount, currency), words(&event.reason))
        }
        Event::PromiseChanged(event) => list(event.lines.iter().map(|line| match (&line.before, &line.after) {
            (Some(before), Some(after)) if before.ship_by == after.ship_by => {
                format!("still ships by {}, now from {}", day(after.ship_by), source(&after.source))
            }
            (Some(before), Some(after)) => format!("ships by {} instead of {}", day(after.ship_by), day(before.ship_by)),
            (None, Some(after)) => format!("ships by {}", day(after.ship_by)),
            (_, None) => "no promise any more".to_owned(),
        })),
        Event::StockAllocated(event) => units(&event.lines),
        Event::StockBackordered(event) => units(&event.lines),
        Event::StockShorted(event) => {
            list(event.lines.iter().map(|line| format!("{} of {} {} were available", line.available, line.wanted, line.sku)))
        }
        Event::StockReleased(event) => {
            list(event.lines.iter().map(|line| format!("{} × {} at {}", line.allocated + line.backordered, line.sku, line.location)))
        }
        Event::StockReceived(event) => received(event.lines.iter().map(|line| (&line.sku, line.quantity)), &event.location),
        Event::ReceiptReversed(event) => received(event.lines.iter().map(|line| (&line.sku, line.quantity)), &event.location),
        Event::StockMoved(event) => received(event.lines.iter().map(|line| (&line.sku, line.quantity)), &event.location),
        Event::StockAdjusted(event) => {
            let lines = event.lines.iter().map(|line| format!("{} {}", signed(line.delta), line.sku));
            format!("{} at {}: {}", list(lines), event.location, words(&event.reason))
        }
        Event::SafetyStockSet(event) => format!("{} of {} at {}", event.safety_stock, event.sku, event.location),
        Event::HoldCreated(event) => held(&event.lines),
        Event::HoldEnded(event) => held(&event.lines),
        Event::HoldExpired(event) => held(&event.lines),
        Event::HoldConsumed(event) => held(&event.lines),
        Event::HoldBroken(event) => held(&event.lines),
        _ => money_detail(event, currency).or_else(|| work_detail(event)).unwrap_or_else(|| other_detail(event)),
    }
}

fn money_detail(event: &Event, currency: Currency) -> Option<String> {
    let of = |amount: Amount| money(amount, currency);
    Some(match event {
        Event::PaymentRequested(event) => format!("{} from {}", of(event.amount), event.gateway),
        Event::PaymentClaimed(event) => format!("{} paid over {}", of(event.amount), event.gateway),
        Event::PaymentAuthorized(event) => of(event.amount),
        Event::CaptureRequested(event) => of(event.amount),
        Event::PaymentCaptured(event) => of(event.amount),
        Event::CaptureFailed(event) => format!("{}: {}", of(event.amount), words(&event.code)),
        Event::PaymentFailed(event) => words(&event.code),
        Event::RefundRequested(event) => match &event.reason {
            Some(reason) => format!("{}: {}", of(event.amount), words(reason)),
            None => of(event.amount),
        },
        Event::RefundCompleted(event) => of(event.amount),
        Event::RefundFailed(event) => words(&event.code),
        _ => return None,
    })
}

fn work_detail(event: &Event) -> Option<String> {
    Some(match event {
        Event::FulfillmentReleased(event) => {
            let lines = event.lines.iter().map(|line| format!("{} × {}", line.quantity, line.sku));
            format!("{} at {}", list(lines), event.location)
        }
        Event::PickStarted(event) => format!("{} at {}", work(&event.lines), event.location),
        Event::ShortPicked(event) => format!("{} not found at {}", work(&event.lines), event.location),
        Event::Packed(event) => event.fulfillment.to_string(),
        Event::Shipped(event) => {
            let by = event.shipment.carrier.as_ref().map_or(String::new(), |carrier| format!(" by {carrier}"));
            let number = event.shipment.tracking_number.as_ref().map_or(String::new(), |number| format!(", {number}"));
            format!("{} from {}{by}{number}", work(&event.lines), event.location)
        }
        Event::Delivered(event) => event.fulfillment.to_string(),
        Event::CancelRequested(event) => format!("the warehouse is asked to stop {}: {}", event.fulfillment, words(&event.reason)),
        Event::CancelDeclined(event) => format!("{} goes out all the same", event.fulfillment),
        Event::FulfillmentCanceled(event) => format!("{} at {}: {}", event.fulfillment, event.location, words(&event.reason)),
        Event::ReturnRequested(event) => list(event.lines.iter().map(|line| format!("{} × {}", line.quantity, line.sku))),
        Event::ReturnRejected(event) => words(&event.reason),
        Event::ReturnReceived(event) => {
            let lines = event.lines.iter().map(|line| format!("{} × {}", line.quantity, line.sku));
            format!("{} at {}", list(lines), event.location)
        }
        _ => return None,
    })
}

fn other_detail(event: &Event) -> String {
    match event {
        Event::ReplenishmentTriggered(event) => format!(
            "{} of {} for {}: the position is {}, the reorder point {}",
            event.quantity, event.sku, event.location, event.inventory_position, event.reorder_point
        ),
        Event::PurchaseOrderCreated(event) => {
            let order = &event.purchase_order;
            format!(
                "{} from {} for {}",
                list(order.lines.iter().map(|line| format!("{} × {}", line.ordered, line.sku))),
                order.supplier,
                order.location
            )
        }
        Event::PurchaseOrderAmended(event) => list(event.lines.iter().map(|line| format!("{} × {}", line.ordered, line.sku))),
        Event::PurchaseOrderReceived(event) => {
            list(event.lines.iter().map(|line| format!("{} × {}", line.accepted + line.damaged, line.sku)))
        }
        Event::PurchaseOrderCanceled(event) => words(&event.reason),
        Event::PolicySet(event) => {
            format!("{} at {}, reorder point {}", event.policy.sku, event.policy.location, event.policy.reorder_point)
        }
        Event::TransferShipped(event) => {
            let lines = event.lines.iter().map(|line| format!("{} × {}", line.quantity, line.sku));
            format!("{} from {} to {}", list(lines), event.from, event.to)
        }
        Event::TransferReceived(event) => {
            let lines = event.lines.iter().map(|line| format!("{} × {}", line.accepted + line.damaged, line.sku));
            format!("{} at {}", list(lines), event.to)
        }
        Event::TransferClosedLost(event) => list(event.lines.iter().map(|line| format!("{} × {} lost", line.quantity, line.sku))),
        Event::TransferCanceled(event) => words(&event.reason),
        Event::AlertRaised(event) => event.condition.text().replace('_', " "),
        Event::CountRecorded(_) | Event::CountPosted(_) => String::new(),
        _ => String::new(),
    }
}

/// `Stock released: 3 × MUG at AUS`.
pub fn sentence(event: &Event, currency: Currency) -> String {
    let (name, detail) = (event_name(event.type_name()), detail(event, currency));
    if detail.is_empty() { name } else { format!("{name}: {detail}") }
}

/// A codeword as people say it.
fn words(code: &SmolStr) -> String {
    code.replace('_', " ")
}

fn list(things: impl ExactSizeIterator<Item = String>) -> String {
    let more = things.len().saturating_sub(NAMED_MAX);
    let named: Vec<String> = things.take(NAMED_MAX).collect();
    if more == 0 { named.join(", ") } else { format!("{} and {} more", named.join(", "), count(more as u64)) }
}

fn units(lines: &[StockLine]) -> String {
    list(lines.iter().map(|line| format!("{} × {} at {}", line.quantity, line.sku, line.location)))
}

fn held(lines: &[HeldLine]) -> String {
    list(lines.iter().map(|held| format!("{} × {} at {}", held.line.quantity, held.line.sku, held.line.location)))
}

fn work(lines: &[WorkLine]) -> String {
    list(lines.iter().map(|line| format!("{} × {}", line.quantity, line.sku)))
}

fn received<'a>(lines: impl ExactSizeIterator<Item = (&'a domain::id::Sku, Quantity)>, location: &domain::id::LocationCode) -> String {
    format!("{} at {location}", list(lines.map(|(sku, quantity)| format!("{quantity} × {sku}"))))
}

/// What a promise leans on.
pub fn source(source: &PromiseSource) -> String {
    match source {
        PromiseSource::Stock(location) => format!("stock, {location}"),
        PromiseSource::PurchaseOrder(id) => id.to_string(),
        PromiseSource::Transfer(id) => id.to_string(),
        PromiseSource::AvailableFrom => "its release day".to_owned(),
        PromiseSource::LeadTime => "the lead time".to_owned(),
    }
}
