//! How returns change cases, levels, and blind returns.

use super::{Disposed, Disposition, Return, ReturnLine, ReturnStatus, ReturnStep};
use crate::event::Event;
use crate::event::returns::ReturnReceived;
use crate::id::ReturnId;
use crate::order::Case;
use crate::state::State;
use crate::stock;
use crate::time::Timestamp;

/// Levels, and returns without an order; those of an order are folded with their case.
pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    let Event::ReturnReceived(event) = event else { return };
    for units in &mut event.lines {
        let quantity = units.quantity;
        match units.disposition {
            Disposition::Restock => units.level = stock::take_back(state, &units.sku, &event.location, quantity, None),
            Disposition::Damaged => {
                units.level = stock::take_back(state, &units.sku, &event.location, quantity, Some(stock::UnavailableBucket::Damaged));
            }
            Disposition::Scrap => {}
        }
    }
    if event.id.order.is_none() {
        let counters = state.counters_mut();
        counters.blind_return = counters.blind_return.max(event.id.n);
        state.returns.insert(event.id, blind(now, event));
    }
}

fn blind(now: Timestamp, event: &ReturnReceived) -> Return {
    let lines = event.lines.iter().map(|units| ReturnLine {
        line: None,
        sku: units.sku.clone(),
        quantity: units.quantity,
        received: vec![Disposed { disposition: units.disposition, quantity: units.quantity }],
    });
    Return {
        id: event.id,
        order: None,
        status: ReturnStatus::Closed,
        lines: lines.collect(),
        reason: event.reason.clone(),
        location: Some(event.location.clone()),
        external_id: event.external_id.clone(),
        created_at: event.occurred_at.unwrap_or(now),
        received_at: Some(now),
        version: 1,
    }
}

/// Folds the returns of a case.
pub(crate) fn fold(case: &mut Case, now: Timestamp, event: &Event) {
    match event {
        Event::ReturnRequested(event) => case.returns.push(Return {
            id: event.id,
            order: event.id.order,
            status: ReturnStatus::Requested,
            lines: event.lines.clone(),
            reason: event.reason.clone(),
            location: None,
            external_id: None,
            created_at: now,
            received_at: None,
            version: 1,
        }),
        Event::ReturnApproved(event) => step(case, event.id, ReturnStep::Approve),
        Event::ReturnRejected(event) => step(case, event.id, ReturnStep::Reject),
        Event::ReturnClosed(event) => step(case, event.id, ReturnStep::Close),
        Event::ReturnReceived(event) => received(case, now, event),
        _ => {}
    }
}

fn received(case: &mut Case, now: Timestamp, event: &ReturnReceived) {
    step(case, event.id, ReturnStep::Receive);
    for units in &event.lines {
        if let (Some(line), Some(part)) = (units.line, units.part) {
            case.order.lines[usize::from(line.n) - 1].parts[usize::from(part)].returned += units.quantity;
        }
    }
    let known = find(case, event.id);
    known.location = Some(event.location.clone());
    known.received_at = Some(now);
    for units in event.lines.iter().filter(|units| units.part.is_none_or(|part| part == 0)) {
        let quantity = units.quantity;
        known.lines[usize::from(units.index)].received.push(Disposed { disposition: units.disposition, quantity });
    }
}

fn step(case: &mut Case, id: ReturnId, step: ReturnStep) {
    let known = find(case, id);
    known.status = known.status.after(step).expect("decide asked the table");
    known.version += 1;
}

fn find(case: &mut Case, id: ReturnId) -> &mut Return {
    case.returns.iter_mut().find(|known| known.id == id).expect("its request came first")
}
