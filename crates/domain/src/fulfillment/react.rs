//! Which work may begin, as the case now stands.

use super::{FulfillmentLine, FulfillmentState};
use crate::catalog::Shortage;
use crate::event::Event;
use crate::event::fulfillment::FulfillmentReleased;
use crate::id::{FulfillmentId, LocationCode};
use crate::limits::ORDER_FULFILLMENTS_MAX;
use crate::order::{Case, Line, LineKind, OrderStatus, Origin};
use crate::payment;
use crate::quantity::Quantity;
use crate::settle::Context;
use crate::state::State;
use std::collections::BTreeMap;

pub(crate) fn react(state: &State, cx: &Context, case: &Case) -> Vec<Event> {
    let order = &case.order;
    let full = case.fulfillments.len() >= ORDER_FULFILLMENTS_MAX;
    if order.status != OrderStatus::Open || order.origin == Origin::Import || full || !payment::is_secured(state, case) {
        return Vec::new();
    }
    let asked_back = case.fulfillments.iter().any(|work| work.cancel_requested);
    let waits = order.on_shortage == Shortage::Backorder && order.parts().any(|part| !part.backorders.is_empty());
    if asked_back || waits {
        return Vec::new();
    }
    let mut works: BTreeMap<&LocationCode, Vec<FulfillmentLine>> = BTreeMap::new();
    for line in order.lines.iter().filter(|line| has_come(cx, line)) {
        release_line(line, &mut works);
    }
    ride_along(state, case, &mut works);
    let events = works.into_iter().enumerate().map(|(at, (location, lines))| {
        let n = u16::try_from(case.fulfillments.len() + at + 1).expect("bounded by ORDER_FULFILLMENTS_MAX");
        FulfillmentReleased { fulfillment: FulfillmentId { order: order.id, n }, location: location.clone(), lines }.into()
    });
    events.collect()
}

/// A preordered line does not leave before its day.
fn has_come(cx: &Context, line: &Line) -> bool {
    line.ships_from.is_none_or(|at| at <= cx.now)
}

fn release_line<'a>(line: &'a Line, works: &mut BTreeMap<&'a LocationCode, Vec<FulfillmentLine>>) {
    let whole = line.kind == LineKind::Kit { split_kit: false };
    let locations: Vec<&LocationCode> = match (whole, line.parts.first()) {
        (_, None) => return,
        (true, Some(first)) => first.allocations.iter().map(|allocation| &allocation.location).collect(),
        (false, Some(_)) => line.parts.iter().flat_map(|part| part.allocations.iter().map(|allocation| &allocation.location)).collect(),
    };
    let mut seen = Vec::new();
    for location in locations {
        if seen.contains(&location) {
            continue;
        }
        seen.push(location);
        let free = |part: &crate::order::Part| -> Quantity {
            let here = part.allocations.iter().filter(|allocation| allocation.location == *location);
            here.map(|allocation| allocation.quantity - allocation.released).sum()
        };
        let kits = line.parts.iter().map(|part| free(part).groups_of(part.per_unit)).min().unwrap_or_default();
        for (index, part) in line.parts.iter().enumerate() {
            let quantity = if whole { part.per_unit.checked_mul(kits.get()).expect("part of what was ordered") } else { free(part) };
            if quantity.is_zero() {
                continue;
            }
            let part_index = u16::try_from(index).expect("kits have few parts");
            let units = FulfillmentLine { line: line.id, part: Some(part_index), sku: part.sku.clone(), quantity, picked: Quantity::ZERO };
            works.entry(location).or_default().push(units);
        }
    }
}

/// Services go with the first work; alone, or when nothing else is left to ship, they are work of the first location.
fn ride_along<'a>(state: &'a State, case: &'a Case, works: &mut BTreeMap<&'a LocationCode, Vec<FulfillmentLine>>) {
    let alone = case.order.parts().all(|part| part.open().is_zero());
    let home = match (works.keys().next(), alone) {
        (Some(location), _) => *location,
        (None, false) => return,
        (None, true) => {
            let Some(channel) = state.catalog.channels.get(&case.order.channel) else { return };
            let active = crate::order::locations(state, channel).into_iter().min_by_key(|location| location.priority);
            // A service needs no shelf: where nothing is active, any location will do.
            let any = || state.catalog.locations.sorted().into_iter().map(|(_, location)| location.as_ref()).min_by_key(|it| it.priority);
            let Some(first) = active.or_else(any) else { return };
            &first.code
        }
    };
    for line in case.order.lines.iter().filter(|line| line.parts.is_empty()) {
        let works_on_it = case.fulfillments.iter().filter(|work| work.status != FulfillmentState::Canceled);
        let units = works_on_it.flat_map(|work| &work.lines).filter(|units| units.line == line.id).map(|units| units.quantity).sum();
        let quantity = (line.ordered - line.canceled).saturating_sub(units);
        if !quantity.is_zero() {
            let units = FulfillmentLine { line: line.id, part: None, sku: line.sku.clone(), quantity, picked: Quantity::ZERO };
            works.entry(home).or_default().push(units);
        }
    }
}
