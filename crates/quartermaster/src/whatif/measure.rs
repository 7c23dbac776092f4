//! What a course of events came to: units asked for and there, inventory over time, days without stock.

use domain::State;
use domain::event::Event;
use domain::id::{LocationCode, OrderId, Sku};
use domain::order::Origin;
use domain::stock::movements;
use domain::time::{DAY_MS, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default, Clone, Copy)]
pub struct Figures {
    /// Units that customers asked for.
    pub units: u64,
    /// Of those, units that were there when they asked.
    pub at_once: u64,
    /// Of those, units that were refused.
    pub lost: u64,
    pub bought: u64,
    /// Time without anything to sell, summed over locations.
    pub out_ms: i64,
    /// Units × milliseconds on hand.
    pub unit_ms: i128,
}

impl Figures {
    pub fn short(&self) -> u64 {
        self.units.saturating_sub(self.at_once)
    }

    pub fn json(&self, span_ms: i64) -> Value {
        json!({
            "units": self.units, "units_at_once": self.at_once, "units_short": self.short(), "units_lost": self.lost,
            "units_bought": self.bought, "days_out_of_stock": days(self.out_ms), "average_inventory": average(self.unit_ms, span_ms),
        })
    }
}

/// How a level stood since when.
struct Standing {
    since: Timestamp,
    on_hand: i128,
    available: bool,
}

pub struct Measure {
    begins: Timestamp,
    ends: Timestamp,
    skus: BTreeMap<Sku, Figures>,
    levels: BTreeMap<(Sku, LocationCode), Standing>,
    orders: u64,
    short: BTreeSet<OrderId>,
    orders_short: u64,
    purchase_orders: u64,
    /// Asked for by an order that is being decided.
    deciding: Option<(OrderId, BTreeMap<Sku, u64>)>,
}

/// In tenths of a day.
pub fn days(ms: i64) -> String {
    let tenths = (ms * 10 + DAY_MS / 2) / DAY_MS;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn average(unit_ms: i128, span_ms: i64) -> String {
    let tenths = unit_ms * 10 / i128::from(span_ms.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}

impl Measure {
    pub fn new(state: &State) -> Self {
        let levels = state.stock.levels.sorted().into_iter().map(|(key, level)| {
            let standing =
                Standing { since: Timestamp(0), on_hand: i128::from(level.on_hand.get()), available: !level.available().is_zero() };
            (key.clone(), standing)
        });
        Self {
            begins: Timestamp(0),
            ends: Timestamp(0),
            skus: BTreeMap::new(),
            levels: levels.collect(),
            orders: 0,
            short: BTreeSet::new(),
            orders_short: 0,
            purchase_orders: 0,
            deciding: None,
        }
    }

    pub fn begin(&mut self, now: Timestamp) {
        self.begins = now;
        self.levels.values_mut().for_each(|standing| standing.since = now);
    }

    pub fn end(&mut self, now: Timestamp) {
        self.ends = now;
        let keys: Vec<_> = self.levels.keys().cloned().collect();
        for key in keys {
            self.pass(&key, now);
        }
        self.decided();
    }

    /// Events of one course, in their order.
    pub fn hear(&mut self, now: Timestamp, event: &Event) {
        match event {
            Event::OrderPlaced(placed) if placed.order.origin == Origin::Live => {
                self.decided();
                self.orders += 1;
                let mut wanted = BTreeMap::new();
                for part in placed.order.parts() {
                    let units = u64::from(part.ordered.get());
                    *wanted.entry(part.sku.clone()).or_default() += units;
                    self.figures(&part.sku).units += units;
                }
                self.deciding = Some((placed.order.id, wanted));
            }
            Event::StockAllocated(allocated) if !allocated.from_backorder => {
                if let Some((order, mut wanted)) = self.deciding.take().filter(|(order, _)| *order == allocated.order) {
                    for line in &allocated.lines {
                        let units = u64::from(line.quantity.get());
                        self.figures(&line.sku).at_once += units;
                        if let Some(left) = wanted.get_mut(&line.sku) {
                            *left = left.saturating_sub(units);
                        }
                    }
                    self.deciding = Some((order, wanted));
                }
            }
            Event::OrderRejected(rejected) => {
                if let Some((_, wanted)) = self.deciding.as_ref().filter(|(order, _)| *order == rejected.order) {
                    for (sku, units) in wanted.clone() {
                        self.figures(&sku).lost += units;
                    }
                }
            }
            Event::PurchaseOrderSent(_) => self.purchase_orders += 1,
            Event::PurchaseOrderReceived(received) => {
                for units in &received.lines {
                    self.figures(&units.sku).bought += u64::from(units.accepted.get()) + u64::from(units.damaged.get());
                }
            }
            _ => {}
        }
        for movement in movements(event) {
            let key = (movement.sku, movement.location);
            self.pass(&key, now);
            let standing = self.levels.entry(key).or_insert(Standing { since: now, on_hand: 0, available: false });
            (standing.on_hand, standing.available) = (i128::from(movement.level.on_hand.get()), !movement.level.available.is_zero());
        }
    }

    /// Once an order is decided, what it did not get at once it is short of.
    fn decided(&mut self) {
        if let Some((order, wanted)) = self.deciding.take()
            && wanted.values().any(|units| *units > 0)
            && self.short.insert(order)
        {
            self.orders_short += 1;
        }
    }

    fn pass(&mut self, key: &(Sku, LocationCode), now: Timestamp) {
        let Some(standing) = self.levels.get_mut(key) else { return };
        let passed = (now.0 - standing.since.0).max(0);
        standing.since = now;
        let (on_hand, out) = (standing.on_hand, !standing.available);
        let figures = self.figures(&key.0);
        figures.unit_ms += on_hand * i128::from(passed);
        figures.out_ms += if out { passed } else { 0 };
    }

    fn figures(&mut self, sku: &Sku) -> &mut Figures {
        self.skus.entry(sku.clone()).or_default()
    }

    pub fn skus(&self) -> impl Iterator<Item = (&Sku, &Figures)> {
        self.skus.iter()
    }

    pub fn of(&self, sku: &Sku) -> Figures {
        self.skus.get(sku).copied().unwrap_or_default()
    }

    pub fn span_ms(&self) -> i64 {
        self.ends.0 - self.begins.0
    }

    pub fn totals(&self) -> Value {
        let mut all = Figures::default();
        for figures in self.skus.values() {
            all.units += figures.units;
            all.at_once += figures.at_once;
            all.lost += figures.lost;
            all.bought += figures.bought;
            all.out_ms += figures.out_ms;
            all.unit_ms += figures.unit_ms;
        }
        let tenths = (all.at_once * 1000 + all.units / 2).checked_div(all.units).unwrap_or(1000);
        json!({
            "from": self.begins, "to": self.ends, "orders": self.orders, "orders_short": self.orders_short, "units": all.units,
            "units_at_once": all.at_once, "units_short": all.short(), "units_lost": all.lost,
            "fill_rate_percent": format!("{}.{}", tenths / 10, tenths % 10), "average_inventory": average(all.unit_ms, self.span_ms()),
            "sku_days_out_of_stock": days(all.out_ms), "purchase_orders": self.purchase_orders, "units_bought": all.bought,
        })
    }
}
