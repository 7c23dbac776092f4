//! Letting go of units: the whole order, or some of its lines.

use super::{Case, Line, OrderStatus};
use crate::event::Event;
use crate::event::fulfillment::{CancelRequested, FulfillmentCanceled, WorkLine};
use crate::event::order::{CanceledLine, OrderCanceled};
use crate::event::stock::{ReleaseReason, ReleasedLine, StockReleased};
use crate::fulfillment::{Fulfillment, FulfillmentLine, FulfillmentState};
use crate::id::{LineId, LocationCode};
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::stock::LevelAfter;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Lets go of what waits at a level, in whole units of the lines.
pub(crate) fn cancel_waiting(case: &Case, key: &crate::stock::LevelKey, reason: &SmolStr) -> Vec<Event> {
    let mut wanted = BTreeMap::new();
    for line in &case.order.lines {
        let of_part = |part: &super::Part| {
            let claims = part.backorders.iter().filter(|claim| part.sku == key.0 && claim.location == key.1);
            claims.map(|claim| claim.quantity.get()).sum::<u32>().div_ceil(part.per_unit.get())
        };
        let units = Quantity::new(line.parts.iter().map(of_part).max().unwrap_or(0)).min(free_units(case, line));
        if !units.is_zero() {
            wanted.insert(line.id, units);
        }
    }
    if wanted.is_empty() { Vec::new() } else { cancel_units(case, &wanted, reason, ReleaseReason::Canceled) }
}

/// Where released units of a part of a line are let go.
type Touched = (LocationCode, LineId, u16);

/// Cancels everything that has not left. Released work ends at once; work under way is asked back, and its units stay until the
/// warehouse has answered.
pub(crate) fn cancel_all(case: &Case, reason: &SmolStr) -> Vec<Event> {
    let held_back = under_way(case, reason);
    let mut wanted = BTreeMap::new();
    for line in &case.order.lines {
        let units = free_units(case, line);
        if !units.is_zero() {
            wanted.insert(line.id, units);
        }
    }
    let mut events = held_back;
    events.extend(cancel_units(case, &wanted, reason, ReleaseReason::Canceled));
    events
}

/// Cancels units of some lines, those not covered by stock first.
///
/// # Errors
/// When a line is unknown or has fewer units that can still be canceled.
pub(crate) fn cancel_lines(case: &Case, wanted: &BTreeMap<LineId, Quantity>, reason: &SmolStr) -> Result<Vec<Event>, Rejection> {
    check_units(case, wanted)?;
    Ok(cancel_units(case, wanted, reason, ReleaseReason::Canceled))
}

fn check_units(case: &Case, wanted: &BTreeMap<LineId, Quantity>) -> Result<(), Rejection> {
    for (id, quantity) in wanted {
        let line = case.order.line(*id).filter(|line| line.id == *id).ok_or_else(|| Rejection::not_found("line", id))?;
        let free = free_units(case, line);
        if quantity.is_zero() || *quantity > free {
            let problem = format!("{quantity} of {} can't be canceled: {free} are neither shipped, canceled nor in picking", line.sku);
            return Err(Rejection::invalid("lines", problem));
        }
    }
    Ok(())
}

/// Line units that are neither shipped nor canceled nor in somebody's hands.
pub(crate) fn free_units(case: &Case, line: &Line) -> Quantity {
    if line.parts.is_empty() {
        let in_work = service_units(case, line.id, |_| true);
        return (line.ordered - line.canceled).saturating_sub(in_work);
    }
    let free = |part: &super::Part| {
        let picked: Quantity = part.allocations.iter().map(|allocation| allocation.picked).sum();
        part.open().saturating_sub(picked).groups_of(part.per_unit)
    };
    line.parts.iter().map(free).min().unwrap_or_default()
}

/// Whether canceling the order now would come to anything: something has not shipped and is not off.
pub fn cancelable(case: &Case) -> bool {
    let any_free = case.order.lines.iter().any(|line| !free_units(case, line).is_zero());
    let any_in_hands = case.fulfillments.iter().any(|work| is_in_hands(work) && !work.cancel_requested);
    !case.order.is_closed() && (any_free || any_in_hands)
}

fn service_units(case: &Case, line: LineId, counts: impl Fn(&Fulfillment) -> bool) -> Quantity {
    let works = case.fulfillments.iter().filter(|work| is_in_hands(work) || work.shipped_at.is_some()).filter(|work| counts(work));
    works.flat_map(|work| &work.lines).filter(|units| units.line == line).map(|units| units.quantity).sum()
}

fn is_in_hands(work: &Fulfillment) -> bool {
    match work.status {
        FulfillmentState::Picking | FulfillmentState::Packed => true,
        FulfillmentState::Released
        | FulfillmentState::Shipped
        | FulfillmentState::Delivered
        | FulfillmentState::ShortPicked
        | FulfillmentState::Canceled => false,
    }
}

fn under_way(case: &Case, reason: &SmolStr) -> Vec<Event> {
    let works = case.fulfillments.iter().filter(|work| is_in_hands(work) && !work.cancel_requested);
    works.map(|work| CancelRequested { fulfillment: work.id, reason: reason.clone() }.into()).collect()
}

/// The events that let go of `wanted` line units, which the caller has checked to be free.
pub(crate) fn cancel_units(case: &Case, wanted: &BTreeMap<LineId, Quantity>, reason: &SmolStr, why: ReleaseReason) -> Vec<Event> {
    let mut released = Vec::new();
    let mut touched = BTreeSet::new();
    let mut amount = Amount::ZERO;
    let mut lines = Vec::new();
    for (id, quantity) in wanted {
        let line = case.order.line(*id).expect("checked by the caller");
        release_line(line, *quantity, &mut released, &mut touched);
        let gone = (line.canceled + *quantity).get();
        amount += line.total.portion(gone, line.ordered.get()) - line.total.portion(line.canceled.get(), line.ordered.get());
        lines.push(CanceledLine { line: *id, quantity: *quantity });
    }
    let order = case.order.id;
    let mut events = work_canceled(case, &touched, wanted, reason);
    if !released.is_empty() {
        events.push(StockReleased { order, reason: why, lines: released }.into());
    }
    let nothing_shipped = case.fulfillments.iter().all(|work| work.shipped_at.is_none());
    let nothing_left = case.order.lines.iter().all(|line| {
        let gone = wanted.get(&line.id).copied().unwrap_or_default();
        line.canceled + gone == line.ordered
    });
    if nothing_shipped && nothing_left {
        amount = case.order.owed();
    }
    if !lines.is_empty() || nothing_left {
        let closes = nothing_left && case.order.status != OrderStatus::Canceled;
        events.push(OrderCanceled { order, reason: reason.clone(), lines, closes, amount }.into());
    }
    events
}

/// Of each part: backorders first, then unreleased allocations, then released ones.
fn release_line(line: &Line, quantity: Quantity, released: &mut Vec<ReleasedLine>, touched: &mut BTreeSet<Touched>) {
    for (index, part) in line.parts.iter().enumerate() {
        let mut left = part.per_unit.checked_mul(quantity.get()).expect("part of what was ordered");
        let mut by_location: BTreeMap<&LocationCode, (Quantity, Quantity)> = BTreeMap::new();
        for backorder in &part.backorders {
            let taken = left.min(backorder.quantity);
            left -= taken;
            by_location.entry(&backorder.location).or_default().1 += taken;
        }
        for allocation in &part.allocations {
            let taken = left.min(allocation.quantity - allocation.released);
            left -= taken;
            by_location.entry(&allocation.location).or_default().0 += taken;
        }
        for allocation in &part.allocations {
            let taken = left.min(allocation.released - allocation.picked);
            left -= taken;
            by_location.entry(&allocation.location).or_default().0 += taken;
            if !taken.is_zero() {
                touched.insert((allocation.location.clone(), line.id, u16::try_from(index).expect("kits have few parts")));
            }
        }
        for (location, (allocated, backordered)) in by_location {
            if allocated.is_zero() && backordered.is_zero() {
                continue;
            }
            released.push(ReleasedLine {
                line: line.id,
                part: u16::try_from(index).expect("kits have few parts"),
                sku: part.sku.clone(),
                location: location.clone(),
                allocated,
                backordered,
                level: LevelAfter::default(),
            });
        }
    }
}

/// Released work that loses units ends; what is left of it is released anew.
fn work_canceled(case: &Case, touched: &BTreeSet<Touched>, wanted: &BTreeMap<LineId, Quantity>, reason: &SmolStr) -> Vec<Event> {
    let loses = |work: &&Fulfillment| {
        let units = |line: &FulfillmentLine| match line.part {
            Some(part) => touched.contains(&(work.location.clone(), line.line, part)),
            None => wanted.contains_key(&line.line),
        };
        work.status == FulfillmentState::Released && work.lines.iter().any(units)
    };
    case.fulfillments.iter().filter(loses).map(|work| canceled(work, reason)).collect()
}

/// The end of work that has not been shipped; its picked units are put back.
pub(crate) fn canceled(work: &Fulfillment, reason: &SmolStr) -> Event {
    let lines = work.lines.iter().enumerate().map(|(index, line)| WorkLine {
        index: u16::try_from(index).expect("bounded by ORDER_LINES_MAX"),
        line: line.line,
        part: line.part,
        sku: line.sku.clone(),
        quantity: line.picked,
        level: LevelAfter::default(),
    });
    FulfillmentCanceled { fulfillment: work.id, location: work.location.clone(), reason: reason.clone(), lines: lines.collect() }.into()
}
