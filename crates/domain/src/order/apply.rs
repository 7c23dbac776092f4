//! How events change a case.

use super::{Allocation, AllocationStatus, Announced, Backorder, Case, Line, Order, OrderStatus, Origin, Part, Timer, TimerKind};
use crate::event::Event;
use crate::event::order::{OrderCanceled, OrderEdited};
use crate::event::stock::{ReleasedLine, StockLine};
use crate::fulfillment::{Fulfillment, FulfillmentState};
use crate::id::{FulfillmentId, LocationCode, OrderId};
use crate::limits::EFFECT_STUCK_AFTER_MS;
use crate::quantity::Quantity;
use crate::state::State;
use crate::time::{DAY_MS, Timestamp};
use crate::{fulfillment, payment};

/// An event whose subject is the order `id`.
pub(crate) fn apply(state: &mut State, now: Timestamp, id: OrderId, event: &Event) {
    if let Some(effect) = payment::effect_of(event) {
        let counters = state.counters_mut();
        counters.effect = counters.effect.max(effect.0);
    }
    if let Some(case) = Case::begun_by(event) {
        let counters = state.counters_mut();
        counters.order = counters.order.max(id.0);
        state.index_case(&case);
        state.cases.insert(id, case);
    }
    state.fold_case(id, now, event);
}

impl Case {
    /// The case that an event begins, before that event is counted.
    pub fn begun_by(event: &Event) -> Option<Self> {
        match event {
            Event::OrderPlaced(placed) => Some(Self::new(placed.order.clone())),
            Event::OrderImported(imported) => Some(Self::new(imported.order.clone())),
            _ => None,
        }
    }

    /// A case as its `order.placed` makes it, before that event is counted.
    pub fn new(order: Order) -> Self {
        Self {
            order,
            payments: Vec::new(),
            refunds: Vec::new(),
            fulfillments: Vec::new(),
            returns: Vec::new(),
            effects: Vec::new(),
            notifications: Vec::new(),
            timers: Vec::new(),
            events: 0,
        }
    }
}

/// Folds one event of the case's own. A case alone can be folded up to any sequence from its events.
pub fn fold(case: &mut Case, now: Timestamp, event: &Event) {
    fold_order(case, now, event);
    payment::apply(case, now, event);
    fulfillment::apply(case, now, event);
    crate::returns::fold(case, now, event);
    crate::notification::fold(case, now, event);
    case.events += 1;
    case.order.version = case.events;
    case.order.updated_at = now;
    refresh(case, now);
}

fn fold_order(case: &mut Case, now: Timestamp, event: &Event) {
    let order = &mut case.order;
    match event {
        Event::StockAllocated(allocated) => {
            for line in &allocated.lines {
                let part = part_mut(order, line);
                if allocated.from_backorder {
                    lower_backorder(part, &line.location, line.quantity);
                }
                raise_allocation(part, &line.location, line.quantity);
            }
        }
        Event::StockBackordered(backordered) => {
            for line in &backordered.lines {
                raise_backorder(part_mut(order, line), &line.location, line.quantity);
            }
        }
        Event::StockReleased(released) => released.lines.iter().for_each(|line| release(order, line)),
        Event::OrderAllocated(_) => order.announced = Some(Announced::Allocated),
        Event::OrderBackordered(_) => order.announced = Some(Announced::Backordered),
        Event::OrderRejected(rejected) => {
            order.lines.iter_mut().for_each(cancel_rest);
            order.canceled_amount = order.total;
            close(case, now, OrderStatus::Rejected, Some(rejected.reason.clone()));
        }
        Event::OrderHeld(held) => {
            order.status = OrderStatus::OnHold;
            order.status_reason = Some(held.reason.clone());
        }
        Event::OrderReleased(_) => {
            order.status = OrderStatus::Open;
            order.status_reason = None;
        }
        Event::OrderEdited(OrderEdited { lines, charges, total, .. }) => {
            order.lines.clone_from(lines);
            order.charges.clone_from(charges);
            order.total = *total;
        }
        Event::OrderCanceled(canceled) => cancel(case, now, canceled),
        Event::PromiseChanged(changed) => {
            for promise in &changed.lines {
                line_mut(order, promise.line.n).promise.clone_from(&promise.after);
            }
        }
        Event::OrderImported(imported) => import(case, &imported.location),
        Event::OrderAvailable(available) => {
            for come in &available.lines {
                line_mut(order, come.line.n).ships_from = come.ships_from;
            }
        }
        Event::OrderLate(late) => order.late_since = Some(late.late_at),
        Event::OrderCompleted(_) => close(case, now, OrderStatus::Completed, None),
        _ => {}
    }
}

/// It was shipped, delivered and completed when it was placed.
fn import(case: &mut Case, location: &LocationCode) {
    let order = &mut case.order;
    for part in order.lines.iter_mut().flat_map(|line| &mut line.parts) {
        part.shipped = part.ordered;
    }
    let at = order.created_at;
    case.fulfillments.push(Fulfillment {
        id: FulfillmentId { order: order.id, n: 1 },
        location: location.clone(),
        status: FulfillmentState::Delivered,
        cancel_requested: false,
        lines: Vec::new(),
        shipment: None,
        created_at: at,
        shipped_at: Some(at),
        delivered_at: Some(at),
    });
    close(case, at, OrderStatus::Completed, None);
}

fn close(case: &mut Case, now: Timestamp, status: OrderStatus, reason: Option<smol_str::SmolStr>) {
    case.order.status = status;
    case.order.status_reason = reason;
    case.order.closed_at = Some(now);
    case.timers.retain(|timer| match timer.kind {
        TimerKind::PaymentWindow | TimerKind::Completion | TimerKind::Available | TimerKind::Late => false,
        TimerKind::AuthorizationWarning(_) | TimerKind::AuthorizationExpiry(_) | TimerKind::EffectStuck => true,
    });
}

fn cancel(case: &mut Case, now: Timestamp, canceled: &OrderCanceled) {
    case.order.canceled_amount += canceled.amount;
    for units in &canceled.lines {
        let line = line_mut(&mut case.order, units.line.n);
        line.canceled += units.quantity;
        for part in &mut line.parts {
            part.canceled += part.per_unit.checked_mul(units.quantity.get()).expect("part of what was ordered");
        }
    }
    if canceled.closes {
        close(case, now, OrderStatus::Canceled, Some(canceled.reason.clone()));
    }
}

fn cancel_rest(line: &mut Line) {
    line.canceled = line.ordered;
    line.parts.iter_mut().for_each(|part| part.canceled = part.ordered);
}

fn line_mut(order: &mut Order, n: u16) -> &mut Line {
    order.lines.get_mut(usize::from(n) - 1).expect("lines count from 1 and are never taken out")
}

fn part_mut<'a>(order: &'a mut Order, line: &StockLine) -> &'a mut Part {
    line_mut(order, line.line.n).parts.get_mut(usize::from(line.part)).expect("parts are fixed at placement")
}

fn raise_allocation(part: &mut Part, location: &LocationCode, quantity: Quantity) {
    match part.allocations.iter_mut().find(|allocation| allocation.location == *location) {
        Some(allocation) => allocation.quantity += quantity,
        None => {
            part.allocations.push(Allocation { location: location.clone(), quantity, released: Quantity::ZERO, picked: Quantity::ZERO })
        }
    }
}

fn raise_backorder(part: &mut Part, location: &LocationCode, quantity: Quantity) {
    match part.backorders.iter_mut().find(|backorder| backorder.location == *location) {
        Some(backorder) => backorder.quantity += quantity,
        None => part.backorders.push(Backorder { location: location.clone(), quantity }),
    }
}

fn lower_backorder(part: &mut Part, location: &LocationCode, quantity: Quantity) {
    for backorder in part.backorders.iter_mut().filter(|backorder| backorder.location == *location) {
        backorder.quantity -= quantity;
    }
    part.backorders.retain(|backorder| !backorder.quantity.is_zero());
}

fn release(order: &mut Order, released: &ReleasedLine) {
    let part = line_mut(order, released.line.n).parts.get_mut(usize::from(released.part)).expect("parts are fixed at placement");
    lower_backorder(part, &released.location, released.backordered);
    for allocation in part.allocations.iter_mut().filter(|allocation| allocation.location == released.location) {
        allocation.quantity -= released.allocated;
        allocation.released = allocation.released.min(allocation.quantity);
    }
    part.allocations.retain(|allocation| !allocation.quantity.is_zero());
}

/// Brings the four axes of status up to date, and the completion timer with them.
fn refresh(case: &mut Case, now: Timestamp) {
    case.order.allocation_status = allocation_status(&case.order);
    case.order.payment_status = payment::status(case);
    case.order.fulfillment_status = fulfillment::status(case);
    if case.order.origin == Origin::Live {
        watch(case);
    }
    let waits = case.timers.iter().any(|timer| timer.kind == TimerKind::Completion);
    if !waits && !case.order.is_closed() && is_shipped(case) {
        let at = now.plus_ms(i64::from(case.order.complete_after_days) * DAY_MS);
        case.timers.push(Timer { at, kind: TimerKind::Completion });
    }
}

/// Timers that follow from promises and from outstanding effects.
fn watch(case: &mut Case) {
    let open = !case.order.is_closed();
    let lines = || case.order.lines.iter().filter(|line| open && line.parts.iter().any(|part| !part.open().is_zero()));
    let ships_from = lines().filter_map(|line| line.ships_from).min();
    let late_at = lines().filter_map(|line| line.promise.as_ref()?.late_at).min();
    if case.order.late_since.is_some_and(|told| late_at.is_none_or(|at| at > told)) {
        case.order.late_since = None;
    }
    set_timer(case, TimerKind::Available, ships_from);
    set_timer(case, TimerKind::Late, late_at.filter(|_| case.order.late_since.is_none()));
    let asked_at = case.effects.iter().filter(|effect| !effect.stuck).map(|effect| effect.asked_at).min();
    set_timer(case, TimerKind::EffectStuck, asked_at.map(|at| at.plus_ms(EFFECT_STUCK_AFTER_MS)));
}

fn set_timer(case: &mut Case, kind: TimerKind, at: Option<Timestamp>) {
    let known = case.timers.iter().position(|timer| timer.kind == kind);
    match (known, at) {
        (Some(known), Some(at)) => case.timers[known].at = at,
        (Some(known), None) => drop(case.timers.remove(known)),
        (None, Some(at)) => case.timers.push(Timer { at, kind }),
        (None, None) => {}
    }
}

fn allocation_status(order: &Order) -> AllocationStatus {
    let needed: u64 = order.parts().map(|part| u64::from((part.ordered - part.canceled).get())).sum();
    let covered: u64 = order.parts().map(|part| u64::from((part.allocated() + part.shipped).get())).sum();
    if needed > 0 && covered == 0 {
        AllocationStatus::None
    } else if covered < needed {
        AllocationStatus::Partial
    } else if needed == 0 && order.parts().next().is_some() {
        AllocationStatus::None
    } else {
        AllocationStatus::Full
    }
}

/// Nothing is left to ship, and something was shipped.
pub(crate) fn is_shipped(case: &Case) -> bool {
    case.order.parts().all(|part| part.open().is_zero()) && case.fulfillments.iter().any(|fulfillment| fulfillment.shipped_at.is_some())
}
