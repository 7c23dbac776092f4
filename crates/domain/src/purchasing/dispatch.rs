//! The way of a purchase order to its supplier, by mail or webhook.

use super::{Dispatch, PurchaseOrder};
use crate::alert;
use crate::command::notification::Posted;
use crate::event::Event;
use crate::event::purchasing::{DispatchDeferred, DispatchFailed, DispatchInDoubt, DispatchRequested, Dispatched};
use crate::id::{DeliveryId, PurchaseOrderId};
use crate::memory::Fetch;
use crate::notification::{Delivery, DeliveryStep, short};
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::time::Timestamp;

/// Follows when an order is sent, unless a person tells the supplier.
pub(super) fn requested(state: &State, order: &PurchaseOrder) -> Option<Event> {
    let via = state.purchasing.suppliers.get(&order.supplier)?.dispatch;
    (!via.is_none()).then(|| DispatchRequested { purchase_order: order.id, via }.into())
}

/// # Errors
/// When there is no such order, or nothing of it goes out.
pub(crate) fn dispatch_of(state: &State, id: PurchaseOrderId) -> Result<&Delivery, Rejection> {
    let order = state.purchasing.orders.get(&id).ok_or_else(|| state.missing(Fetch::PurchaseOrder(id), "purchase order"))?;
    let dispatch = order.dispatch.as_ref().ok_or_else(|| Rejection::not_found("dispatch of purchase order", id))?;
    Ok(&dispatch.delivery)
}

/// What came of an attempt, with the alert that it raises or clears.
pub(crate) fn dispatch_recorded(
    state: &State,
    cx: &Context,
    purchase_order: PurchaseOrderId,
    posted: Posted,
) -> Result<Vec<Event>, Rejection> {
    let pause_ms = dispatch_of(state, purchase_order)?.pause_ms();
    let (event, failed): (Event, bool) = match posted {
        Posted::Sent { reference } => (Dispatched { purchase_order, reference }.into(), false),
        Posted::Later(failure) => {
            let (failure, retry_at) = (short(failure), cx.now.plus_ms(pause_ms));
            return Ok(vec![DispatchDeferred { purchase_order, failure, retry_at }.into()]);
        }
        Posted::Refused(failure) | Posted::Suppressed(failure) => (DispatchFailed { purchase_order, failure: short(failure) }.into(), true),
        Posted::InDoubt(failure) => (DispatchInDoubt { purchase_order, failure: short(failure) }.into(), true),
    };
    Ok(std::iter::once(event).chain(alert::dispatch(state, purchase_order, failed)).collect())
}

/// A person sends it again, the way that the supplier has now.
///
/// # Errors
/// When the order is over, or the supplier is told by a person.
pub(crate) fn dispatch_again(state: &State, id: PurchaseOrderId) -> Result<Vec<Event>, Rejection> {
    let order = state.purchasing.orders.get(&id).ok_or_else(|| state.missing(Fetch::PurchaseOrder(id), "purchase order"))?;
    if order.status.is_over() {
        return Err(Rejection::wrong_status("purchase order", id, order.status, "sent, acknowledged or partially_received"));
    }
    let Some(event) = requested(state, order) else {
        return Err(Rejection::invalid("dispatch", "the supplier is told by a person; set the supplier\'s dispatch to mail or webhook"));
    };
    Ok(std::iter::once(event).chain(alert::dispatch(state, id, false)).collect())
}

/// Folds what happens to the dispatch.
pub(super) fn fold(order: &mut PurchaseOrder, now: Timestamp, event: &Event) {
    if let Event::DispatchRequested(event) = event {
        order.dispatch = Some(Box::new(Dispatch { via: event.via, delivery: Delivery::new(now) }));
        return;
    }
    let Some(dispatch) = &mut order.dispatch else { return };
    let delivery = &mut dispatch.delivery;
    match event {
        Event::EffectStarted(event) => {
            delivery.step(DeliveryStep::Start, now);
            delivery.attempts = event.attempt;
        }
        Event::Dispatched(event) => {
            delivery.step(DeliveryStep::Send, now);
            delivery.failure = None;
            delivery.reference = Some(event.reference.clone());
        }
        Event::DispatchDeferred(event) => {
            delivery.fail(DeliveryStep::Defer, now, event.failure.clone());
            delivery.retry_at = Some(event.retry_at);
        }
        Event::DispatchFailed(event) => delivery.fail(DeliveryStep::Fail, now, event.failure.clone()),
        Event::DispatchInDoubt(event) => delivery.fail(DeliveryStep::Doubt, now, event.failure.clone()),
        _ => {}
    }
}

/// Which order an event sends on its way, or tells of its way.
pub(super) fn about(event: &Event) -> Option<PurchaseOrderId> {
    match event {
        Event::DispatchRequested(event) => Some(event.purchase_order),
        Event::Dispatched(event) => Some(event.purchase_order),
        Event::DispatchDeferred(event) => Some(event.purchase_order),
        Event::DispatchFailed(event) => Some(event.purchase_order),
        Event::DispatchInDoubt(event) => Some(event.purchase_order),
        Event::EffectStarted(event) => match event.effect {
            DeliveryId::PurchaseOrder(id) => Some(id),
            DeliveryId::Notification(_) => None,
        },
        _ => None,
    }
}

/// Puts an order that has to go out into the outbox.
pub(super) fn index(state: &mut State, order: &PurchaseOrder) {
    let outgoing = order.dispatch.as_ref().is_some_and(|dispatch| !dispatch.delivery.status.is_over());
    if outgoing {
        state.outbox.insert(DeliveryId::PurchaseOrder(order.id));
    } else {
        state.outbox.remove(&DeliveryId::PurchaseOrder(order.id));
    }
}
