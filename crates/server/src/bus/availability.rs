//! `availability.changed`: what channels can sell of the SKUs that stock events touched. Made here, not in the log: only the latest counts.

use super::{Filter, Outgoing};
use crate::shop::Shop;
use domain::catalog::ItemKind;
use domain::id::{ChannelCode, Sku};
use domain::quantity::Quantity;
use domain::stock::{Sellable, sellable};
use engine::EventRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub const KIND: &str = "availability.changed.v1";

/// What a channel can sell of a SKU now. Many changes become one, and only the latest counts; it comes to those who name it.
#[derive(Serialize)]
struct AvailabilityChanged {
    sku: Sku,
    channel: ChannelCode,
    /// Units; 0 also where there is no bound.
    available: Quantity,
    /// It can be sold without a bound.
    unlimited: bool,
}

#[derive(Deserialize)]
struct Lines {
    #[serde(default)]
    lines: Vec<Line>,
    sku: Option<Sku>,
    level: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Line {
    sku: Option<Sku>,
    level: Option<serde::de::IgnoredAny>,
}

/// SKUs whose level an event changed; it carries the level that it left.
pub fn touched(data: &str) -> Vec<Sku> {
    if !data.contains("\"level\"") {
        return Vec::new();
    }
    let Ok(parsed) = serde_json::from_str::<Lines>(data) else { return Vec::new() };
    let lines = parsed.lines.into_iter().filter(|line| line.level.is_some()).filter_map(|line| line.sku);
    parsed.sku.filter(|_| parsed.level.is_some()).into_iter().chain(lines).collect()
}

/// One event per SKU and channel, as it stands now, in the place of the last event of the page that touched the SKU. Many changes
/// of one SKU become one; the id names when it was looked at, so a later look is another event.
pub async fn changed(shop: &Arc<Shop>, filter: &Filter, events: &[Arc<Outgoing>]) -> Vec<Arc<Outgoing>> {
    let last = last_touched(shop, events).await;
    if last.is_empty() {
        return Vec::new();
    }
    let (skus, wanted): (Vec<Sku>, Vec<_>) = (last.keys().cloned().collect(), filter.channels().to_vec());
    let asked = shop.query(move |state| {
        let mut rows = Vec::new();
        for (code, channel) in state.catalog.channels.sorted() {
            if channel.active && (wanted.is_empty() || wanted.contains(code)) {
                rows.extend(skus.iter().map(|sku| (sku.clone(), code.clone(), sellable(state, channel, sku))));
            }
        }
        rows
    });
    let Some(rows) = asked.await else { return Vec::new() };
    // What was seen is durable by now, and nothing older than this.
    let seen = shop.engine.durable();
    let incarnation = shop.engine.incarnation();
    let mut made: BTreeMap<u64, u32> = BTreeMap::new();
    let mut changed = Vec::with_capacity(rows.len());
    for (sku, channel, available) in rows {
        let (seq, time) = last[&sku];
        let nth = made.entry(seq).and_modify(|nth| *nth += 1).or_insert(1);
        let unlimited = available == Some(Sellable::Unlimited);
        let data = AvailabilityChanged { sku: sku.clone(), channel: channel.clone(), available: units(available), unlimited };
        let row = EventRow {
            seq,
            time,
            actor: "bus".into(),
            kind: KIND.into(),
            subject: format!("availability/{sku}@{channel}"),
            subject_seq: seen,
            cause: None,
            data: serde_json::to_string(&data).expect("numbers and texts serialize"),
        };
        let id = format!("{incarnation}-{seen}-{sku}@{channel}");
        let event = Outgoing::derived(row, *nth, id, channel);
        if filter.matches(&event) {
            changed.push(Arc::new(event));
        }
    }
    changed.sort_by_key(|event| (event.seq, event.nth));
    changed
}

/// Kits by what is in them.
type Kits = Arc<BTreeMap<Sku, Vec<Sku>>>;

/// Which kits an item is in; read off State when it is asked for and an item has changed.
#[derive(Default)]
pub struct KitsOf(Mutex<Option<Kits>>);

impl KitsOf {
    fn known(&self) -> std::sync::MutexGuard<'_, Option<Kits>> {
        self.0.lock().expect("no thread panics with the kits")
    }

    async fn get(&self, shop: &Arc<Shop>) -> Kits {
        if let Some(known) = self.known().clone() {
            return known;
        }
        let asked = shop.query(|state| {
            let mut kits: BTreeMap<Sku, Vec<Sku>> = BTreeMap::new();
            for (sku, item) in state.catalog.items.sorted() {
                if let ItemKind::Kit { components, .. } = &item.kind {
                    components.iter().for_each(|part| kits.entry(part.sku.clone()).or_default().push(sku.clone()));
                }
            }
            kits
        });
        let kits = Arc::new(asked.await.unwrap_or_default());
        *self.known() = Some(kits.clone());
        kits
    }
}

/// SKUs that the events touched, with kits of them, and the last event that did.
async fn last_touched(shop: &Arc<Shop>, events: &[Arc<Outgoing>]) -> BTreeMap<Sku, (u64, i64)> {
    if events.iter().any(|event| event.subject.starts_with("item/")) {
        *shop.bus.kits.known() = None;
    }
    let mut last: BTreeMap<Sku, (u64, i64)> = BTreeMap::new();
    let touched: Vec<_> = events.iter().map(|event| (event, event.touched())).collect();
    let kits = if touched.iter().any(|(_, skus)| !skus.is_empty()) { shop.bus.kits.get(shop).await } else { Kits::default() };
    for (event, skus) in touched {
        let item = event.subject.strip_prefix("item/").and_then(|sku| Sku::new(sku).ok());
        for sku in skus.iter().chain(&item) {
            for touched in std::iter::once(sku).chain(kits.get(sku).into_iter().flatten()) {
                last.insert(touched.clone(), (event.seq, event.time));
            }
        }
    }
    last
}

fn units(available: Option<Sellable>) -> Quantity {
    match available {
        Some(Sellable::Units(units)) => units,
        Some(Sellable::Unlimited) | None => Quantity::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_event_names_what_it_touched() {
        let names = |data: &str| touched(data).iter().map(|sku| sku.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(names(r#"{"lines":[{"sku":"MUG","level":{"version":1}},{"sku":"CUP"}]}"#), "MUG");
        assert_eq!(names(r#"{"sku":"MUG","level":{"version":1}}"#), "MUG");
        assert_eq!(names(r#"{"order":"ord_1"}"#), "");
    }
}
