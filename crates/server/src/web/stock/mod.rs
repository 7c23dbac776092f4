//! Stock: what stands where, one SKU with its story, and what may be done to it.

pub mod actions;
mod chart;
pub mod counts;
mod list;
pub mod one;
pub mod policy;
mod sheet;
pub mod transfers;

pub use list::page;

use super::mirror::Standing;
use domain::quantity::Quantity;

/// One part of a bar: its class, where it begins and how wide it is, in tenths of a percent.
pub struct Segment {
    pub class: &'static str,
    pub x: String,
    pub width: String,
}

/// On hand, split into available, allocated, held, unavailable and the selling buffer; backordered units stand beyond it.
pub fn bar(standing: &Standing) -> Vec<Segment> {
    let buffer = standing.on_hand.get().saturating_sub(claimed(standing).get()).saturating_sub(standing.available.get());
    let parts = [
        ("available", standing.available.get()),
        ("allocated", standing.allocated.get()),
        ("held", standing.held.get()),
        ("unavailable", standing.unavailable.get()),
        ("buffer", buffer),
        ("backordered", standing.backordered.get()),
    ];
    let whole: u64 = parts.iter().map(|(_, units)| u64::from(*units)).sum::<u64>().max(1);
    let percent = |units: u64| format!("{}.{}%", units * 1000 / whole / 10, units * 1000 / whole % 10);
    let mut at = 0;
    let mut segments = Vec::new();
    for (class, units) in parts.into_iter().filter(|(_, units)| *units > 0) {
        segments.push(Segment { class, x: percent(at), width: percent(u64::from(units)) });
        at += u64::from(units);
    }
    segments
}

fn claimed(standing: &Standing) -> Quantity {
    standing.allocated + standing.held + standing.unavailable
}

/// The sum over locations.
pub fn sum<'a>(standings: impl Iterator<Item = &'a Standing>) -> Standing {
    let mut total = Standing::default();
    for each in standings {
        total.on_hand += each.on_hand;
        total.allocated += each.allocated;
        total.picked += each.picked;
        total.held += each.held;
        total.unavailable += each.unavailable;
        total.safety_stock += each.safety_stock;
        total.available += each.available;
        total.backordered += each.backordered;
        total.incoming += each.incoming;
        total.drafted += each.drafted;
        total.position += each.position;
        total.next_expected = match (total.next_expected, each.next_expected) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_whole() {
        let units = Quantity::new;
        let standing = Standing {
            on_hand: units(10),
            allocated: units(3),
            held: units(1),
            unavailable: units(1),
            available: units(4),
            ..Standing::default()
        };
        let bar = bar(&standing);
        let told: Vec<(&str, &str, &str)> = bar.iter().map(|part| (part.class, part.x.as_str(), part.width.as_str())).collect();
        assert_eq!(
            told,
            [
                ("available", "0.0%", "40.0%"),
                ("allocated", "40.0%", "30.0%"),
                ("held", "70.0%", "10.0%"),
                ("unavailable", "80.0%", "10.0%"),
                ("buffer", "90.0%", "10.0%"),
            ]
        );
    }
}
