//! A SKU at one location over time: on hand, available and incoming as steps, with the reorder point.

use super::super::mirror::Now;
use super::super::show;
use domain::id::{LocationCode, Sku};
use domain::time::Timestamp;
use engine::LedgerRow;
use serde_json::Value;

pub const WIDTH: i64 = 800;
pub const HEIGHT: i64 = 200;
/// Room for the labels.
const LEFT: i64 = 44;
const BOTTOM: i64 = 22;
const TOP: i64 = 8;

pub struct Chart {
    pub on_hand: String,
    pub available: String,
    pub incoming: String,
    /// Height of the reorder point.
    pub reorder: Option<(i64, String)>,
    /// Lines across, with their labels.
    pub grid: Vec<(i64, String)>,
    pub from: String,
    pub to: String,
    pub says: String,
}

#[derive(Clone, Copy)]
struct Point {
    time: i64,
    on_hand: i64,
    available: i64,
    incoming: i64,
}

/// From the ledger, newest first; `None` when there is nothing to draw.
pub fn chart(now: &Now, sku: &Sku, location: &LocationCode, ledger: &[LedgerRow], until: Timestamp) -> Option<Chart> {
    let points = points(now, sku, location, ledger, until);
    let (first, last) = (points.first()?, points.last()?);
    let reorder =
        now.policies.get(&(sku.clone(), location.clone())).filter(|policy| policy.active).map(|policy| policy.reorder_point.signed());
    let highest = points.iter().map(|point| point.on_hand.max(point.incoming)).max().unwrap_or(0).max(reorder.unwrap_or(0)).max(1);
    let top = nice(highest);
    let span = (last.time - first.time).max(1);
    let x = |time: i64| LEFT + (time - first.time) * (WIDTH - LEFT - 4) / span;
    let y = |units: i64| HEIGHT - BOTTOM - units * (HEIGHT - BOTTOM - TOP) / top;
    let steps = |of: fn(&Point) -> i64| {
        let mut path = format!("M{} {}", x(first.time), y(of(first)));
        for point in &points[1..] {
            path.push_str(&format!("H{}V{}", x(point.time), y(of(point))));
        }
        path
    };
    let says = format!(
        "At {location}, on hand went from {} to {}, available from {} to {}.",
        first.on_hand, last.on_hand, first.available, last.available
    );
    Some(Chart {
        on_hand: steps(|point| point.on_hand),
        available: steps(|point| point.available),
        incoming: steps(|point| point.incoming),
        reorder: reorder.map(|units| (y(units), show::count(units.unsigned_abs()))),
        grid: [0, top / 2, top].map(|units| (y(units), show::count(units.unsigned_abs()))).to_vec(),
        from: show::moment(Timestamp(first.time)),
        to: show::moment(Timestamp(last.time)),
        says,
    })
}

/// The next of 2, 4, 10, 20, 40, 100, … so that half of it is whole.
fn nice(highest: i64) -> i64 {
    let mut top = 2;
    while top < highest {
        top = match top.to_string().as_bytes()[0] {
            b'1' | b'2' => top * 2,
            _ => top / 4 * 10,
        };
    }
    top
}

/// The ledger does not tell what was incoming: it follows backwards from now, as receipts lowered it and purchase orders raised it.
fn points(now: &Now, sku: &Sku, location: &LocationCode, ledger: &[LedgerRow], until: Timestamp) -> Vec<Point> {
    let level = now.levels.get(sku).and_then(|levels| levels.get(location));
    let mut sent: Vec<(i64, i64)> = now
        .purchase_orders
        .values()
        .filter(|order| order.location == *location)
        .filter_map(|order| {
            let units: i64 = order.lines.iter().filter(|line| line.sku == *sku).map(|line| line.ordered.signed()).sum();
            order.sent_at.filter(|_| units > 0).map(|at| (at.0, units))
        })
        .collect();
    sent.sort_unstable();
    let mut incoming = level.map_or(0, |level| level.incoming.signed());
    let mut points = Vec::with_capacity(ledger.len() + sent.len() + 1);
    let number = |level: &Value, name: &str| level[name].as_i64().unwrap_or(0);
    if let Some(level) = level {
        points.push(Point { time: until.0, on_hand: level.on_hand.signed(), available: level.available.signed(), incoming });
    }
    for row in ledger {
        while let Some((at, units)) = sent.last().copied().filter(|(at, _)| *at > row.time) {
            sent.pop();
            incoming = (incoming - units).max(0);
            if let Some(later) = points.last().copied() {
                points.push(Point { time: at, incoming, ..later });
            }
        }
        let after: Value = serde_json::from_str(&row.level).unwrap_or(Value::Null);
        points.push(Point { time: row.time, on_hand: number(&after, "on_hand"), available: number(&after, "available"), incoming });
        if row.kind == "received" && row.subject.starts_with("receipt/") && !sent.is_empty() {
            incoming += row.quantity.max(0);
        }
    }
    points.reverse();
    points
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_top_of_a_chart_has_a_whole_half() {
        for (highest, top) in [(1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (41, 100), (101, 200), (250, 400)] {
            assert_eq!(super::nice(highest), top, "{highest}");
        }
    }
}
