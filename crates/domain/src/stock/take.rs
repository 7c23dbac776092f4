//! Bad news: units that others counted on are not there.

use super::LevelKey;
use crate::event::Event;
use crate::event::stock::{HeldLine, HoldBroken, ReleaseReason, ReleasedLine, StockBackordered, StockLine, StockReleased};
use crate::fulfillment::{FulfillmentLine, FulfillmentState};
use crate::id::OrderId;
use crate::order::{self, Case};
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::{HoldLine, LevelAfter};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Which claims of an order may be taken in a pass.
#[derive(Clone, Copy)]
enum Pass {
    Unreleased,
    Released,
}

/// Frees units of levels: unclaimed ones first, then holds (youngest first), then orders whose work has not begun, at last those
/// released but not picked; among orders the lowest priority and the youngest lose first. Orders wait for others.
///
/// # Errors
/// When the rest is picked.
pub(crate) fn take_all(state: &State, wanted: &[(LevelKey, Quantity)]) -> Result<Vec<Event>, Rejection> {
    let mut events = Vec::new();
    // One order may lose at several levels: what it lost before is seen by what it loses next.
    let mut shrunk = BTreeMap::new();
    for (key, units) in wanted {
        events.extend(take(state, key, *units, &mut shrunk)?);
    }
    Ok(events)
}

fn take(state: &State, key: &LevelKey, wanted: Quantity, shrunk: &mut BTreeMap<OrderId, Case>) -> Result<Vec<Event>, Rejection> {
    let Some(level) = state.stock.levels.get(key) else {
        return Err(picked(key, wanted, Quantity::ZERO));
    };
    let mut short = wanted.saturating_sub(level.unclaimed());
    let mut events = Vec::new();
    for hold in state.stock.holds_on(key).rev() {
        let lines = hold.lines.iter().filter(|line| (&line.sku, &line.location) == (&key.0, &key.1));
        let there: Quantity = lines.map(|line| line.quantity).sum();
        let taken = there.min(short);
        if !taken.is_zero() {
            let line = HoldLine { sku: key.0.clone(), location: key.1.clone(), quantity: taken };
            events.push(HoldBroken { hold: hold.id, lines: vec![HeldLine { line, level: LevelAfter::default() }] }.into());
            short -= taken;
        }
    }
    for pass in [Pass::Unreleased, Pass::Released] {
        for id in state.claims.losing(key) {
            if short.is_zero() {
                break;
            }
            let case = shrunk.entry(id).or_insert_with(|| state.cases.get(&id).expect("claims name open cases").clone());
            let taken = take_from(case, key, pass, &mut short);
            taken.iter().for_each(|event| order::fold(case, crate::time::Timestamp(0), event));
            events.extend(taken);
        }
    }
    if short.is_zero() { Ok(events) } else { Err(picked(key, wanted, wanted - short)) }
}

fn picked(key: &LevelKey, wanted: Quantity, free: Quantity) -> Rejection {
    Rejection::StockPicked { sku: SmolStr::new(key.0.as_str()), location: SmolStr::new(key.1.as_str()), wanted, free }
}

fn take_from(case: &Case, key: &LevelKey, pass: Pass, short: &mut Quantity) -> Vec<Event> {
    let (mut released, mut waiting) = (Vec::new(), Vec::new());
    for line in &case.order.lines {
        for (index, part) in line.parts.iter().enumerate().filter(|(_, part)| part.sku == key.0) {
            let free = |allocation: &order::Allocation| match pass {
                Pass::Unreleased => allocation.quantity - allocation.released,
                Pass::Released => allocation.quantity - allocation.picked,
            };
            let there: Quantity = part.allocations.iter().filter(|allocation| allocation.location == key.1).map(free).sum();
            let taken = there.min(*short);
            if taken.is_zero() {
                continue;
            }
            *short -= taken;
            let part = u16::try_from(index).expect("kits have few parts");
            let (sku, location, level) = (key.0.clone(), key.1.clone(), LevelAfter::default());
            released.push(ReleasedLine {
                line: line.id,
                part,
                sku: sku.clone(),
                location: location.clone(),
                allocated: taken,
                backordered: Quantity::ZERO,
                level,
            });
            waiting.push(StockLine { line: line.id, part, sku, location, quantity: taken, level });
        }
    }
    if released.is_empty() {
        return Vec::new();
    }
    let order = case.order.id;
    let mut events: Vec<Event> = Vec::new();
    if let Pass::Released = pass {
        let loses = |units: &FulfillmentLine| released.iter().any(|lost| lost.line == units.line && Some(lost.part) == units.part);
        let here = case.fulfillments.iter().filter(|work| work.status == FulfillmentState::Released && work.location == key.1);
        let works = here.filter(|work| work.lines.iter().any(loses));
        events.extend(works.map(|work| order::canceled(work, &SmolStr::new_static("stock_lost"))));
    }
    events.push(StockReleased { order, reason: ReleaseReason::BadNews, lines: released }.into());
    events.push(StockBackordered { order, lines: waiting }.into());
    events
}
