//! What can be sold, and why not more.

use crate::catalog::{Channel, Component, ItemKind, ItemStatus};
use crate::id::{LocationCode, Sku};
use crate::order;
use crate::quantity::Quantity;
use crate::state::State;
use crate::time::Date;
use serde::Serialize;

/// What a channel may promise of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sellable {
    Units(Quantity),
    /// Services never run out.
    Unlimited,
}

/// A number that stands between a SKU and its sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    Retired,
    ComponentShort {
        sku: Sku,
        per_kit: Quantity,
        available: Quantity,
    },
    /// Components stand at different locations, and the kit ships whole from one.
    ComponentsApart {
        kits: Quantity,
        kits_if_together: Quantity,
    },
    NoLocation,
    NothingOnHand {
        location: LocationCode,
        backordered: Quantity,
    },
    Allocated {
        location: LocationCode,
        quantity: Quantity,
    },
    Held {
        location: LocationCode,
        quantity: Quantity,
    },
    Unavailable {
        location: LocationCode,
        quantity: Quantity,
    },
    SafetyStock {
        location: LocationCode,
        quantity: Quantity,
    },
    ChannelBuffer {
        quantity: Quantity,
    },
    Incoming {
        location: LocationCode,
        quantity: Quantity,
        expected_on: Option<Date>,
    },
}

/// `None` when the SKU is unknown.
pub fn sellable(state: &State, channel: &Channel, sku: &Sku) -> Option<Sellable> {
    let item = state.catalog.items.get(sku)?;
    if item.status == ItemStatus::Retired {
        return Some(Sellable::Units(Quantity::ZERO));
    }
    Some(match &item.kind {
        ItemKind::Service => Sellable::Unlimited,
        ItemKind::Stocked => Sellable::Units(units(state, channel, sku)),
        ItemKind::Kit { components, split_kit: true } => Sellable::Units(kits_in_all(state, channel, components)),
        ItemKind::Kit { components, split_kit: false } => {
            Sellable::Units(kits_in_all(state, channel, components).min(kits_at_places(state, channel, components)))
        }
    })
}

/// Kits whose components the channel may sell, wherever they stand.
fn kits_in_all(state: &State, channel: &Channel, components: &[Component]) -> Quantity {
    components.iter().map(|part| units(state, channel, &part.sku).groups_of(part.quantity)).min().unwrap_or_default()
}

/// Kits whose components stand together: a kit ships whole from one location.
fn kits_at_places(state: &State, channel: &Channel, components: &[Component]) -> Quantity {
    let at = |location: &LocationCode| {
        let available = |sku: &Sku| state.stock.level(sku, location).map(|level| level.available()).unwrap_or_default();
        components.iter().map(|part| available(&part.sku).groups_of(part.quantity).get()).min().unwrap_or(0)
    };
    let kits = order::locations(state, channel).into_iter().map(|location| at(&location.code)).fold(0, u32::saturating_add);
    Quantity::new(kits)
}

pub(super) fn units(state: &State, channel: &Channel, sku: &Sku) -> Quantity {
    let total = total(state, channel, sku);
    Quantity::new(total - order::kept_back(channel.buffer, total))
}

fn total(state: &State, channel: &Channel, sku: &Sku) -> u32 {
    let levels = order::locations(state, channel).into_iter().filter_map(|location| state.stock.level(sku, &location.code));
    levels.map(|level| level.available().get()).fold(0, u32::saturating_add)
}

/// Every number that lowers what a channel can sell, and what is on its way. Empty when the SKU is unknown.
pub fn why_not(state: &State, channel: &Channel, sku: &Sku) -> Vec<Reason> {
    let Some(item) = state.catalog.items.get(sku) else { return Vec::new() };
    let mut reasons = Vec::new();
    if item.status == ItemStatus::Retired {
        reasons.push(Reason::Retired);
    }
    match &item.kind {
        ItemKind::Service => return reasons,
        ItemKind::Kit { components, split_kit } => {
            let (in_all, together) = (kits_in_all(state, channel, components), kits_at_places(state, channel, components));
            if !split_kit && together < in_all {
                reasons.push(Reason::ComponentsApart { kits: together, kits_if_together: in_all });
            }
            for part in components {
                let available = units(state, channel, &part.sku);
                if available < part.quantity {
                    reasons.push(Reason::ComponentShort { sku: part.sku.clone(), per_kit: part.quantity, available });
                    reasons.extend(of_levels(state, channel, &part.sku));
                }
            }
        }
        ItemKind::Stocked => reasons.extend(of_levels(state, channel, sku)),
    }
    reasons
}

fn of_levels(state: &State, channel: &Channel, sku: &Sku) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let locations = order::locations(state, channel);
    let levels: Vec<_> = locations.iter().filter_map(|location| state.stock.level(sku, &location.code)).collect();
    if levels.is_empty() {
        return vec![Reason::NoLocation];
    }
    for level in levels {
        let location = || level.location.clone();
        if level.on_hand.is_zero() {
            reasons.push(Reason::NothingOnHand { location: location(), backordered: level.backordered });
        }
        let mut add = |quantity: Quantity, reason: fn(LocationCode, Quantity) -> Reason| {
            if !quantity.is_zero() {
                reasons.push(reason(location(), quantity));
            }
        };
        add(level.allocated, |location, quantity| Reason::Allocated { location, quantity });
        add(level.held, |location, quantity| Reason::Held { location, quantity });
        add(level.unavailable.total(), |location, quantity| Reason::Unavailable { location, quantity });
        add(level.safety_stock, |location, quantity| Reason::SafetyStock { location, quantity });
        if let Some(next) = level.next_incoming() {
            reasons.push(Reason::Incoming { location: location(), quantity: next.quantity, expected_on: next.expected_on });
        }
    }
    let kept = order::kept_back(channel.buffer, total(state, channel, sku));
    if kept > 0 {
        reasons.push(Reason::ChannelBuffer { quantity: Quantity::new(kept) });
    }
    reasons
}
