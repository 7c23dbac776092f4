//! How events change purchase orders, and what levels expect of them.

use super::{PurchaseLine, PurchaseOrder, PurchaseOrderStatus, PurchaseStep, dispatch};
use crate::event::Event;
use crate::event::purchasing::PurchaseOrderReceived;
use crate::id::PurchaseOrderId;
use crate::state::{State, TimerOwner};
use crate::stock::{self, Expected, ExpectedSource};
use crate::time::Timestamp;

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::SupplierCreated(event) => state.purchasing.suppliers.insert(event.supplier.code.clone(), event.supplier.clone()),
        Event::SupplierUpdated(event) => {
            state.purchasing.suppliers.insert(event.supplier.code.clone(), event.supplier.clone());
            state.review_supplier(&event.supplier.code);
        }
        Event::PolicySet(event) => {
            let key = (event.policy.sku.clone(), event.policy.location.clone());
            state.level_mut(&key.0, &key.1);
            state.review_policy(&event.policy);
            state.purchasing.policies.insert(key, event.policy.clone());
        }
        Event::PolicyDeleted(event) => {
            let key = (event.sku.clone(), event.location.clone());
            state.purchasing.policies.remove(&key);
            state.touched.levels.insert(key);
        }
        Event::PurchaseOrderCreated(event) => created(state, event.purchase_order.clone()),
        Event::PurchaseOrderAmended(event) => change(state, event.purchase_order, |order| {
            let mut lines = event.lines.clone();
            std::mem::swap(&mut order.lines, &mut lines);
            // What is gone is expected no more.
            lines.retain(|line| order.lines.iter().all(|kept| kept.sku != line.sku));
            lines.into_iter().map(|line| PurchaseLine { canceled: line.ordered, ..line }).collect()
        }),
        Event::PurchaseOrderPostponed(event) => change(state, event.purchase_order, |order| {
            order.send_at = Some(event.send_at);
            Vec::new()
        }),
        Event::PurchaseOrderSent(event) => change(state, event.purchase_order, |order| {
            step(order, PurchaseStep::Send);
            (order.sent_at, order.send_at) = (Some(now), None);
            for (line, day) in order.lines.iter_mut().zip(&event.expected_on) {
                line.expected_on = Some(*day);
            }
            for (line, at) in order.lines.iter_mut().zip(&event.late_at) {
                line.late_at = Some(*at);
            }
            Vec::new()
        }),
        Event::PurchaseOrderAcknowledged(event) => change(state, event.purchase_order, |order| {
            step(order, PurchaseStep::Acknowledge);
            order.lines.clone_from(&event.lines);
            if event.reference.is_some() {
                order.reference.clone_from(&event.reference);
            }
            Vec::new()
        }),
        Event::PurchaseOrderLate(event) => change(state, event.purchase_order, |order| {
            order.late_since = Some(event.late_at);
            Vec::new()
        }),
        Event::PurchaseOrderReceived(event) => received(state, event),
        Event::PurchaseOrderClosedShort(event) => end(state, event.purchase_order, PurchaseStep::CloseShort),
        Event::PurchaseOrderCanceled(event) => end(state, event.purchase_order, PurchaseStep::Cancel),
        event => {
            if let Some(id) = dispatch::about(event) {
                change(state, id, |order| {
                    dispatch::fold(order, now, event);
                    Vec::new()
                });
            }
        }
    }
}

fn created(state: &mut State, order: PurchaseOrder) {
    let counters = state.counters_mut();
    counters.purchase_order = counters.purchase_order.max(order.id.0);
    index(state, &order);
    let (id, lines) = (order.id, order.lines.clone());
    state.purchasing.orders.insert(id, order);
    expect(state, id, &lines);
}

fn received(state: &mut State, event: &PurchaseOrderReceived) {
    change(state, event.purchase_order, |order| {
        for units in &event.lines {
            let line = order.lines.iter_mut().find(|line| line.sku == units.sku).expect("decide found the line");
            line.received += units.accepted + units.damaged;
        }
        let all = order.lines.iter().all(|line| line.open().is_zero());
        step(order, if all { PurchaseStep::ReceiveAll } else { PurchaseStep::ReceivePart });
        Vec::new()
    });
}

fn end(state: &mut State, id: PurchaseOrderId, how: PurchaseStep) {
    change(state, id, |order| {
        for line in &mut order.lines {
            line.canceled += line.open();
        }
        step(order, how);
        order.send_at = None;
        Vec::new()
    });
}

fn step(order: &mut PurchaseOrder, step: PurchaseStep) {
    order.status = order.status.after(step).expect("decide asked the table");
}

/// Changes an order, its indexes and what levels expect of it; `change` gives lines that are gone.
fn change(state: &mut State, id: PurchaseOrderId, change: impl FnOnce(&mut PurchaseOrder) -> Vec<PurchaseLine>) {
    let before = state.purchasing.orders.shared(&id).expect("decide looked the order up");
    unindex(state, &before);
    let order = state.purchasing.orders.get_mut(&id).expect("present above");
    let mut lines = change(order);
    order.version += 1;
    if order.late_since.is_some_and(|told| order.late_at().is_none_or(|at| at > told)) {
        order.late_since = None;
    }
    lines.extend(order.lines.iter().cloned());
    let after = state.purchasing.orders.shared(&id).expect("present above");
    index(state, &after);
    state.touched.purchase_orders.insert(id);
    expect(state, id, &lines);
}

fn expect(state: &mut State, id: PurchaseOrderId, lines: &[PurchaseLine]) {
    let order = state.purchasing.orders.shared(&id).expect("just changed");
    let draft = order.status == PurchaseOrderStatus::Draft;
    for line in lines {
        let source = ExpectedSource::PurchaseOrder(id);
        let expected = Expected { source, quantity: line.open(), expected_on: line.expected_on, draft };
        stock::expect(state, &line.sku, &order.location, expected);
    }
}

/// Puts a purchase order into the indexes.
pub(crate) fn index(state: &mut State, order: &PurchaseOrder) {
    dispatch::index(state, order);
    if order.automatic && order.status == PurchaseOrderStatus::Draft {
        state.purchasing.drafts.insert((order.supplier.clone(), order.location.clone()), order.id);
    }
    if let Some(at) = timer(order) {
        state.timers.insert((at, TimerOwner::PurchaseOrder(order.id)));
    }
}

fn unindex(state: &mut State, order: &PurchaseOrder) {
    let key = (order.supplier.clone(), order.location.clone());
    if state.purchasing.drafts.get(&key) == Some(&order.id) {
        state.purchasing.drafts.remove(&key);
    }
    if let Some(at) = timer(order) {
        state.timers.remove(&(at, TimerOwner::PurchaseOrder(order.id)));
    }
}

/// A draft waits for its cutoff; a sent order is late at some time, which is told once.
pub(crate) fn timer(order: &PurchaseOrder) -> Option<Timestamp> {
    match order.status {
        PurchaseOrderStatus::Draft => order.send_at,
        PurchaseOrderStatus::Sent | PurchaseOrderStatus::Acknowledged | PurchaseOrderStatus::PartiallyReceived => {
            order.late_at().filter(|_| order.late_since.is_none())
        }
        PurchaseOrderStatus::Received | PurchaseOrderStatus::ClosedShort | PurchaseOrderStatus::Canceled => None,
    }
}
