//! What follows from how a case now stands, and what time makes due.

use super::index::{ClaimKey, claim_of};
use super::promise::Promises;
use super::{Announced, Case, FulfillmentStatus, Line, Origin, PromiseSource, TimerKind};
use crate::command::Command;
use crate::event::Event;
use crate::event::order::{BackorderedLine, LinePromise, OrderAllocated, OrderBackordered, OrderCompleted, OrderUpdated, PromiseChanged};
use crate::fulfillment::FulfillmentState;
use crate::id::OrderId;
use crate::limits::{BACKORDERS_PER_TURN, EXPIRIES_PER_TURN};
use crate::payment;
use crate::quantity::Quantity;
use crate::settle::Context;
use crate::state::{State, TimerOwner};
use crate::stock::LevelKey;
use crate::time::Timestamp;

pub(crate) fn react(state: &State, cx: &Context, case: &Case) -> Vec<Event> {
    if case.order.is_closed() || case.order.origin == Origin::Import {
        return Vec::new();
    }
    let mut events: Vec<Event> = announced(state, case).into_iter().collect();
    events.extend(promises(state, cx, case));
    events.extend(completed(case));
    events
}

/// Which part of a queue is promised anew in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stretch {
    First,
    /// Behind the claim; `None`: behind the first stretch.
    Behind(Option<ClaimKey>),
}

/// What a level expects changed: those who wait there may have to be told another day, [`BACKORDERS_PER_TURN`] of them at a time.
pub(crate) fn promise_waiting(state: &State, cx: &Context, key: &LevelKey, stretch: Stretch) -> Vec<Event> {
    let mut ahead: u32 = 0;
    let (mut passed, mut looked) = (0, 0);
    let mut events = Vec::new();
    for case in state.claims.waiting(key, |_| true).filter_map(|id| state.cases.get(&id)) {
        passed += 1;
        if is_within(stretch, passed, claim_of(&case.order)) {
            looked += 1;
            if looked > BACKORDERS_PER_TURN {
                break;
            }
            let promises = Promises::at(state, cx.now, claim_of(&case.order)).behind(key, ahead);
            events.extend(changed_promises(case, promises));
        }
        ahead = ahead.saturating_add(waiting_at(case, key).get());
    }
    events
}

/// The last claim of the stretch behind `after`, if more wait behind it.
pub(crate) fn promised_up_to(state: &State, key: &LevelKey, after: Option<ClaimKey>) -> Option<ClaimKey> {
    let claims = state.claims.waiting(key, |_| true).filter_map(|id| state.cases.get(&id)).map(|case| claim_of(&case.order));
    let counted = claims.enumerate().map(|(before, claim)| (before + 1, claim));
    let mut rest = counted.filter(|(passed, claim)| is_within(Stretch::Behind(after), *passed, *claim)).map(|(_, claim)| claim);
    let last = rest.nth(BACKORDERS_PER_TURN - 1)?;
    rest.next().map(|_| last)
}

fn is_within(stretch: Stretch, passed: usize, claim: ClaimKey) -> bool {
    match stretch {
        Stretch::First => true,
        Stretch::Behind(Some(after)) => claim > after,
        Stretch::Behind(None) => passed > BACKORDERS_PER_TURN,
    }
}

/// Units of the case that wait at a level.
fn waiting_at(case: &Case, key: &LevelKey) -> Quantity {
    let parts = case.order.parts().filter(|part| part.sku == key.0).flat_map(|part| &part.backorders);
    parts.filter(|claim| claim.location == key.1).map(|claim| claim.quantity).sum()
}

/// The summary that ends a transaction. History is told once, by its import.
pub(crate) fn updated(case: &Case) -> Option<Event> {
    let order = &case.order;
    let summary = OrderUpdated {
        order: order.id,
        version: case.events + 1,
        status: order.status,
        payment_status: order.payment_status,
        allocation_status: order.allocation_status,
        fulfillment_status: order.fulfillment_status,
        total: order.total,
        balance_due: payment::balance_due(case),
    };
    (order.origin == Origin::Live).then(|| summary.into())
}

fn announced(state: &State, case: &Case) -> Option<Event> {
    let order = case.order.id;
    let waits = case.order.parts().any(|part| !part.backorders.is_empty());
    match (waits, case.order.announced) {
        (true, Some(Announced::Backordered)) | (false, Some(Announced::Allocated)) => None,
        (true, None | Some(Announced::Allocated)) => {
            let lines = case.order.lines.iter().filter(|line| line.parts.iter().any(|part| !part.backorders.is_empty()));
            let lines =
                lines.map(|line| BackorderedLine { line: line.id, quantity: line.backordered(), expected_on: expected_on(state, line) });
            Some(OrderBackordered { order, lines: lines.collect() }.into())
        }
        (false, None | Some(Announced::Backordered)) => Some(OrderAllocated { order }.into()),
    }
}

fn expected_on(state: &State, line: &Line) -> Option<crate::time::Date> {
    let claims = line.parts.iter().flat_map(|part| part.backorders.iter().map(|backorder| (&part.sku, &backorder.location)));
    claims.filter_map(|(sku, location)| state.stock.level(sku, location)?.next_incoming()?.expected_on).max()
}

/// New promises for lines that lean, or have come to lean, on something that moved.
fn promises(state: &State, cx: &Context, case: &Case) -> Option<Event> {
    changed_promises(case, Promises::at(state, cx.now, claim_of(&case.order)))
}

fn changed_promises(case: &Case, mut promises: Promises) -> Option<Event> {
    if case.order.origin == Origin::Import || case.order.is_closed() {
        return None;
    }
    let changes = case.order.lines.iter().filter_map(|line| {
        let waits = line.parts.iter().any(|part| !part.backorders.is_empty());
        let open = line.parts.iter().any(|part| !part.open().is_zero());
        if !open {
            return None;
        }
        // What has just been covered gets a day of its own.
        let just_covered = !waits && case.order.announced == Some(Announced::Backordered);
        let after = match line.promise.as_ref().filter(|_| !waits && !just_covered).map(|promise| (promise, &promise.source)) {
            // Covered from stock: it does not move with the clock.
            Some((_, PromiseSource::Stock(_))) => return None,
            // A preorder moves when its day does.
            Some((before, PromiseSource::AvailableFrom)) => {
                promises.preorder(line, &[], &[]).filter(|after| after.ship_by > before.ship_by)?.into()
            }
            Some((_, PromiseSource::PurchaseOrder(_) | PromiseSource::Transfer(_) | PromiseSource::LeadTime)) | None => promises.of(line),
        };
        (after != line.promise).then(|| LinePromise { line: line.id, before: line.promise.clone(), after })
    });
    let lines: Vec<LinePromise> = changes.collect();
    (!lines.is_empty()).then(|| PromiseChanged { order: case.order.id, lines }.into())
}

fn completed(case: &Case) -> Option<Event> {
    let arrived = case.order.fulfillment_status == FulfillmentStatus::Delivered;
    let settled = payment::balance_due(case).get() <= 0 && case.effects.is_empty();
    (arrived && settled && !works_on_it(case)).then(|| OrderCompleted { order: case.order.id }.into())
}

/// Something is still to be done at a location: a service, when all units have left.
fn works_on_it(case: &Case) -> bool {
    case.fulfillments.iter().any(|work| match work.status {
        FulfillmentState::Released | FulfillmentState::Picking | FulfillmentState::Packed => true,
        FulfillmentState::Shipped | FulfillmentState::Delivered | FulfillmentState::ShortPicked | FulfillmentState::Canceled => false,
    })
}

pub(crate) fn due(state: &State, now: Timestamp) -> Vec<Command> {
    let cases = state.timers_due(now).filter_map(|owner| match owner {
        TimerOwner::Case(order) => Some(*order),
        TimerOwner::Hold(_) | TimerOwner::PurchaseOrder(_) | TimerOwner::Transfer(_) => None,
    });
    let ring = cases
        .filter(|order| rings(state, *order, now))
        .take(EXPIRIES_PER_TURN)
        .map(|order| crate::command::order::Command::RingTimers { order }.into());
    ring.chain(super::resource::due(state)).collect()
}

/// A timer that waits for somebody outside is not due: it would ring for nothing, and stand before others.
fn rings(state: &State, order: OrderId, now: Timestamp) -> bool {
    let due = |timer: &&super::Timer| timer.at <= now;
    state.cases.get(&order).is_none_or(|case| {
        case.timers.iter().filter(due).any(|timer| match timer.kind {
            TimerKind::AuthorizationExpiry(id) => !payment::is_asked(case, id),
            TimerKind::Completion => !works_on_it(case),
            TimerKind::PaymentWindow
            | TimerKind::AuthorizationWarning(_)
            | TimerKind::Available
            | TimerKind::Late
            | TimerKind::EffectStuck => true,
        })
    })
}
