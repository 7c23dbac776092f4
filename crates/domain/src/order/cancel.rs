//! Letting go of units: the whole order, or some of its lines.

use super::{Case, Line, LineKind, OrderStatus, Part};
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
use std::ops::Range;

/// Lets go of what waits at a level, in whole units of the lines.
pub(crate) fn cancel_waiting(case: &Case, key: &crate::stock::LevelKey, reason: &SmolStr) -> Vec<Event> {
    let mut wanted = BTreeMap::new();
    for line in &case.order.lines {
        let of_part = |part: &Part| {
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
    let free = |part: &Part| {
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

/// What a part claims at a location, and how much of it is let go.
struct Claim<'a> {
    location: &'a LocationCode,
    /// Backordered, allocated, and allocated to released work; what is picked stays.
    there: [Quantity; TIERS],
    gone: [Quantity; TIERS],
}

/// What is let go first, is first: backorders, then unreleased allocations, then released ones.
const TIERS: usize = 3;
const BACKORDERED: usize = 0;
const RELEASED: usize = 2;

impl<'a> Claim<'a> {
    fn of(part: &'a Part) -> Vec<Self> {
        let mut claims: Vec<Self> = Vec::new();
        let mut at = |location: &'a LocationCode, tier: usize, quantity: Quantity| {
            let known = claims.iter().position(|claim| claim.location == location).unwrap_or_else(|| {
                claims.push(Self { location, there: [Quantity::ZERO; TIERS], gone: [Quantity::ZERO; TIERS] });
                claims.len() - 1
            });
            claims[known].there[tier] += quantity;
        };
        part.backorders.iter().for_each(|backorder| at(&backorder.location, BACKORDERED, backorder.quantity));
        part.allocations.iter().for_each(|allocation| at(&allocation.location, 1, allocation.quantity - allocation.released));
        part.allocations.iter().for_each(|allocation| at(&allocation.location, RELEASED, allocation.released - allocation.picked));
        claims
    }

    fn left(&self, tiers: usize) -> Quantity {
        (0..tiers).map(|tier| self.there[tier] - self.gone[tier]).sum()
    }

    /// Returns what it could not let go of.
    fn let_go(&mut self, mut wanted: Quantity, tiers: Range<usize>) -> Quantity {
        for tier in tiers {
            let taken = wanted.min(self.there[tier] - self.gone[tier]);
            self.gone[tier] += taken;
            wanted -= taken;
        }
        wanted
    }
}

/// Lets go of units of a line. A kit that ships whole loses whole kits of one location, as far as it has them: what is left can ship.
fn release_line(line: &Line, quantity: Quantity, released: &mut Vec<ReleasedLine>, touched: &mut BTreeSet<Touched>) {
    let mut parts: Vec<Vec<Claim>> = line.parts.iter().map(Claim::of).collect();
    let mut loose = quantity;
    if line.kind == (LineKind::Kit { split_kit: false }) {
        (1..=TIERS).for_each(|tiers| loose = release_kits(line, &mut parts, loose, tiers));
    }
    for (index, (part, claims)) in line.parts.iter().zip(&mut parts).enumerate() {
        let mut left = part.per_unit.checked_mul(loose.get()).expect("part of what was ordered");
        for tier in 0..TIERS {
            claims.iter_mut().for_each(|claim| left = claim.let_go(left, tier..tier + 1));
        }
        let index = u16::try_from(index).expect("kits have few parts");
        claims.sort_unstable_by_key(|claim| claim.location);
        for claim in claims.iter() {
            let (backordered, allocated) = (claim.gone[BACKORDERED], claim.gone[1] + claim.gone[RELEASED]);
            if !claim.gone[RELEASED].is_zero() {
                touched.insert((claim.location.clone(), line.id, index));
            }
            if !allocated.is_zero() || !backordered.is_zero() {
                let (sku, location, level) = (part.sku.clone(), claim.location.clone(), LevelAfter::default());
                released.push(ReleasedLine { line: line.id, part: index, sku, location, allocated, backordered, level });
            }
        }
    }
}

/// Whole kits of one location after the other, out of so many tiers. Returns the kits that are still to be let go.
fn release_kits(line: &Line, parts: &mut [Vec<Claim>], mut kits: Quantity, tiers: usize) -> Quantity {
    let locations: Vec<&LocationCode> = parts.first().into_iter().flatten().map(|claim| claim.location).collect();
    for location in locations {
        let here =
            |claims: &Vec<Claim>| claims.iter().find(|claim| claim.location == location).map_or(Quantity::ZERO, |claim| claim.left(tiers));
        let whole = line.parts.iter().zip(parts.iter()).map(|(part, claims)| here(claims).groups_of(part.per_unit)).min();
        let taken = whole.unwrap_or_default().min(kits);
        kits -= taken;
        for (part, claims) in line.parts.iter().zip(parts.iter_mut()) {
            let units = part.per_unit.checked_mul(taken.get()).expect("part of what was ordered");
            claims.iter_mut().filter(|claim| claim.location == location).for_each(|claim| {
                claim.let_go(units, 0..tiers);
            });
        }
    }
    kits
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
