//! What the shop did, counted by the minute: a few numbers a batch, however many orders it holds.

use crate::frame::Pending;
use domain::event::order::OrderPlaced;
use domain::order::{Case, OrderStatus};
use domain::quantity::Quantity;
use domain::time::{MINUTE_MS, Timestamp};
use domain::{Event, Image};
use rusqlite::{Connection, params};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Names of the numbers; sales and captures have one for each currency, `sales.EUR`.
pub const ORDERS: &str = "orders";
pub const REJECTED: &str = "rejected";
pub const CANCELED: &str = "canceled";
/// Units of goods in the orders placed, and how many of them were there at once.
pub const UNITS: &str = "units";
pub const UNITS_FILLED: &str = "units_filled";
/// Fulfillments shipped, and how many of them by the day that was promised.
pub const SHIPPED: &str = "shipped";
pub const SHIPPED_ON_TIME: &str = "shipped_on_time";
pub const DELIVERED: &str = "delivered";

type Sums = BTreeMap<(i64, Cow<'static, str>), i64>;

/// Adds what a batch of transactions did, a row for each number of each minute in it.
///
/// # Errors
/// When the file cannot be written.
pub fn add(connection: &Connection, batch: &[Pending]) -> rusqlite::Result<()> {
    let mut sums = Sums::new();
    for pending in batch {
        count(pending, &mut sums);
    }
    let sql = "INSERT INTO minutes(minute, name, amount) VALUES (?1, ?2, ?3)
               ON CONFLICT(minute, name) DO UPDATE SET amount = amount + excluded.amount";
    let mut upsert = connection.prepare_cached(sql)?;
    for ((minute, name), amount) in sums.iter().filter(|(_, amount)| **amount != 0) {
        upsert.execute(params![minute, name.as_ref(), amount])?;
    }
    Ok(())
}

fn count(pending: &Pending, sums: &mut Sums) {
    let minute = pending.committed.time.0.div_euclid(MINUTE_MS);
    let mut add = |name: Cow<'static, str>, amount: i64| *sums.entry((minute, name)).or_default() += amount;
    let mut placed = false;
    for recorded in &pending.committed.events {
        match &recorded.event {
            Event::OrderPlaced(event) => {
                placed = true;
                add(ORDERS.into(), 1);
                add(UNITS.into(), units(event));
                if case_of(pending, event).is_none_or(|case| case.order.status != OrderStatus::Rejected) {
                    add(format!("sales.{}", event.order.currency).into(), event.order.total.get());
                }
            }
            Event::StockAllocated(event) if placed && !event.from_backorder => {
                add(UNITS_FILLED.into(), event.lines.iter().map(|line| line.quantity.signed()).sum());
            }
            Event::OrderRejected(_) => add(REJECTED.into(), 1),
            Event::OrderCanceled(_) => add(CANCELED.into(), 1),
            Event::PaymentCaptured(event) => {
                let case = pending.images.iter().find_map(|image| match image {
                    Image::Case(id, Some(case)) if *id == event.payment.order => Some(case),
                    _ => None,
                });
                if let Some(case) = case {
                    add(format!("captured.{}", case.order.currency).into(), event.amount.get());
                }
            }
            Event::Shipped(event) => {
                let case = pending.images.iter().find_map(|image| match image {
                    Image::Case(id, Some(case)) if *id == event.fulfillment.order => Some(case),
                    _ => None,
                });
                let on_time = case.is_none_or(|case| is_on_time(case, event.lines.iter().map(|line| line.line), pending.committed.time));
                add(SHIPPED.into(), 1);
                add(SHIPPED_ON_TIME.into(), i64::from(on_time));
            }
            Event::Delivered(_) => add(DELIVERED.into(), 1),
            _ => {}
        }
    }
}

fn case_of<'a>(pending: &'a Pending, placed: &OrderPlaced) -> Option<&'a Case> {
    pending.images.iter().find_map(|image| match image {
        Image::Case(id, Some(case)) if *id == placed.order.id => Some(case.as_ref()),
        _ => None,
    })
}

fn units(placed: &OrderPlaced) -> i64 {
    placed.order.parts().map(|part| part.ordered).sum::<Quantity>().signed()
}

/// Every line that left was promised for that day or a later one.
fn is_on_time(case: &Case, mut lines: impl Iterator<Item = domain::id::LineId>, at: Timestamp) -> bool {
    let today = at.utc_date();
    lines.all(|id| case.order.line(id).and_then(|line| line.promise.as_ref()).is_none_or(|promise| promise.ship_by >= today))
}
