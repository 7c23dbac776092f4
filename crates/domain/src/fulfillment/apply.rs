//! How the work of the warehouse changes a case.

use super::{Fulfillment, FulfillmentState, Step};
use crate::event::Event;
use crate::event::fulfillment::{FulfillmentReleased, Shipped, WorkLine};
use crate::id::{FulfillmentId, LineId, LocationCode};
use crate::order::{Allocation, Case, FulfillmentStatus, Part};
use crate::quantity::Quantity;
use crate::time::Timestamp;

pub(crate) fn apply(case: &mut Case, now: Timestamp, event: &Event) {
    match event {
        Event::FulfillmentReleased(event) => released(case, now, event),
        Event::PickStarted(event) => {
            step(case, event.fulfillment, Step::StartPick);
            each(case, event.fulfillment, &event.lines, |line, units| line.picked += units);
            claims(case, &event.location, &event.lines, |allocation, units| allocation.picked += units);
        }
        Event::ShortPicked(event) => {
            for lines in [&event.lines, &event.put_back] {
                each(case, event.fulfillment, lines, |line, units| {
                    line.quantity -= units;
                    line.picked -= units;
                });
                claims(case, &event.location, lines, |allocation, units| {
                    allocation.picked -= units;
                    allocation.released -= units;
                });
            }
            if work_mut(case, event.fulfillment).lines.iter().all(|line| line.quantity.is_zero()) {
                step(case, event.fulfillment, Step::FindNothing);
            }
        }
        Event::Packed(event) => step(case, event.fulfillment, Step::Pack),
        Event::Shipped(event) => shipped(case, now, event),
        Event::Delivered(event) => {
            step(case, event.fulfillment, Step::Deliver);
            work_mut(case, event.fulfillment).delivered_at = Some(event.delivered_at);
        }
        Event::CancelRequested(event) => work_mut(case, event.fulfillment).cancel_requested = true,
        Event::CancelDeclined(event) => work_mut(case, event.fulfillment).cancel_requested = false,
        Event::FulfillmentCanceled(event) => {
            claims(case, &event.location, &event.lines, |allocation, units| allocation.picked -= units);
            let lines = work_mut(case, event.fulfillment).lines.clone();
            for line in &lines {
                if let Some(allocation) = line.part.and_then(|part| allocation_mut(case, line.line, part, &event.location)) {
                    allocation.released -= line.quantity;
                }
            }
            step(case, event.fulfillment, Step::Cancel);
        }
        _ => {}
    }
}

fn released(case: &mut Case, now: Timestamp, event: &FulfillmentReleased) {
    for line in &event.lines {
        if let Some(allocation) = line.part.and_then(|part| allocation_mut(case, line.line, part, &event.location)) {
            allocation.released += line.quantity;
        }
    }
    case.fulfillments.push(Fulfillment {
        id: event.fulfillment,
        location: event.location.clone(),
        status: FulfillmentState::Released,
        cancel_requested: false,
        lines: event.lines.clone(),
        shipment: None,
        created_at: now,
        shipped_at: None,
        delivered_at: None,
    });
}

fn shipped(case: &mut Case, now: Timestamp, event: &Shipped) {
    for units in &event.lines {
        let Some(index) = units.part else { continue };
        let part = part_mut(case, units.line, index);
        part.shipped += units.quantity;
        for allocation in part.allocations.iter_mut().filter(|allocation| allocation.location == event.location) {
            allocation.quantity -= units.quantity;
            allocation.released -= units.quantity;
            allocation.picked -= units.quantity;
        }
        part.allocations.retain(|allocation| !allocation.quantity.is_zero());
    }
    step(case, event.fulfillment, Step::Ship);
    let work = work_mut(case, event.fulfillment);
    work.shipment = Some(event.shipment.clone());
    work.shipped_at = Some(now);
}

fn step(case: &mut Case, id: FulfillmentId, step: Step) {
    let work = work_mut(case, id);
    work.status = work.status.after(step).expect("decide asked the table");
    // Whoever asked for it back has an answer.
    work.cancel_requested &= !work.status.is_over();
}

fn each(case: &mut Case, id: FulfillmentId, lines: &[WorkLine], change: impl Fn(&mut super::FulfillmentLine, Quantity)) {
    let work = work_mut(case, id);
    for units in lines {
        change(&mut work.lines[usize::from(units.index)], units.quantity);
    }
}

fn claims(case: &mut Case, location: &LocationCode, lines: &[WorkLine], change: impl Fn(&mut Allocation, Quantity)) {
    for units in lines.iter().filter(|units| !units.quantity.is_zero()) {
        if let Some(allocation) = units.part.and_then(|part| allocation_mut(case, units.line, part, location)) {
            change(allocation, units.quantity);
        }
    }
}

fn allocation_mut<'a>(case: &'a mut Case, line: LineId, part: u16, location: &LocationCode) -> Option<&'a mut Allocation> {
    part_mut(case, line, part).allocations.iter_mut().find(|allocation| allocation.location == *location)
}

fn part_mut(case: &mut Case, line: LineId, part: u16) -> &mut Part {
    let line = case.order.lines.get_mut(usize::from(line.n) - 1).expect("lines count from 1 and are never taken out");
    line.parts.get_mut(usize::from(part)).expect("parts are fixed at placement")
}

fn work_mut(case: &mut Case, id: FulfillmentId) -> &mut Fulfillment {
    case.fulfillments.get_mut(usize::from(id.n) - 1).expect("fulfillments count from 1 and are never taken out")
}

pub(crate) fn status(case: &Case) -> FulfillmentStatus {
    let left = case.fulfillments.iter().filter(|work| work.shipped_at.is_some());
    if left.clone().next().is_none() {
        return FulfillmentStatus::Unfulfilled;
    }
    let everything = case.order.parts().all(|part| part.open().is_zero());
    let delivered = left.clone().all(|work| work.delivered_at.is_some());
    match (everything, delivered) {
        (true, true) => FulfillmentStatus::Delivered,
        (true, false) => FulfillmentStatus::Shipped,
        (false, _) => FulfillmentStatus::Partial,
    }
}
