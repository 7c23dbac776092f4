//! What the warehouse says it does.

use super::{Fulfillment, FulfillmentLine, FulfillmentState, Step};
use crate::catalog::check_amount;
use crate::command::fulfillment::Command;
use crate::event::Event;
use crate::event::fulfillment::{CancelDeclined, CancelRequested, Delivered, Packed, PickStarted, Shipped, ShortPicked, WorkLine};
use crate::event::stock::{AdjustedLine, Bucket, ReleaseReason, ReleasedLine, StockAdjusted, StockBackordered, StockLine, StockReleased};
use crate::fulfillment::Shipment;
use crate::id::{AdjustmentId, FulfillmentId, LineId};
use crate::order::{self, Case};
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::LevelAfter;
use smol_str::SmolStr;
use std::collections::BTreeMap;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::StartPick { fulfillment } => {
            let (_, work) = find(state, fulfillment)?;
            may(work, Step::StartPick, "released")?;
            Ok(vec![pick(work)])
        }
        Command::ShortPick { fulfillment, missing } => {
            let (case, work) = find(state, fulfillment)?;
            short_pick(state, case, work, &missing)
        }
        Command::Pack { fulfillment } => {
            let (_, work) = find(state, fulfillment)?;
            let mut events = until_picking(work)?;
            if work.status == FulfillmentState::Picking || !events.is_empty() {
                events.push(Packed { fulfillment }.into());
                return Ok(events);
            }
            Err(Rejection::wrong_status("fulfillment", work.id, work.status, "released or picking"))
        }
        Command::Ship { fulfillment, shipment } => ship(find(state, fulfillment)?.1, shipment),
        Command::Deliver { fulfillment, delivered_at } => {
            let (_, work) = find(state, fulfillment)?;
            may(work, Step::Deliver, "shipped")?;
            Ok(vec![Delivered { fulfillment, delivered_at: delivered_at.unwrap_or(cx.now) }.into()])
        }
        Command::RequestCancel { fulfillment, reason } => {
            let (_, work) = find(state, fulfillment)?;
            may(work, Step::Cancel, "released, picking or packed")?;
            Ok(vec![match work.status {
                FulfillmentState::Picking | FulfillmentState::Packed => CancelRequested { fulfillment, reason }.into(),
                FulfillmentState::Released
                | FulfillmentState::Shipped
                | FulfillmentState::Delivered
                | FulfillmentState::ShortPicked
                | FulfillmentState::Canceled => order::canceled(work, &reason),
            }])
        }
        Command::AcceptCancel { fulfillment } => {
            let (case, work) = find(state, fulfillment)?;
            asked_back(work)?;
            Ok(accept_cancel(case, work))
        }
        Command::DeclineCancel { fulfillment, reason } => {
            asked_back(find(state, fulfillment)?.1)?;
            Ok(vec![CancelDeclined { fulfillment, reason }.into()])
        }
    }
}

fn find(state: &State, id: FulfillmentId) -> Result<(&Case, &Fulfillment), Rejection> {
    let case = state.case(id.order)?;
    let work = case.fulfillments.get(usize::from(id.n).wrapping_sub(1)).ok_or_else(|| Rejection::not_found("fulfillment", id))?;
    Ok((case, work))
}

fn may(work: &Fulfillment, step: Step, needed: &'static str) -> Result<(), Rejection> {
    match work.status.after(step) {
        Some(_) => Ok(()),
        None => Err(Rejection::wrong_status("fulfillment", work.id, work.status, needed)),
    }
}

fn asked_back(work: &Fulfillment) -> Result<(), Rejection> {
    if work.cancel_requested {
        return Ok(());
    }
    Err(Rejection::wrong_status("fulfillment", work.id, work.status, "one whose cancellation was requested"))
}

fn work_line(at: usize, line: &super::FulfillmentLine, quantity: Quantity) -> WorkLine {
    let index = u16::try_from(at).expect("bounded by ORDER_LINES_MAX");
    WorkLine { index, line: line.line, part: line.part, sku: line.sku.clone(), quantity, level: LevelAfter::default() }
}

fn pick(work: &Fulfillment) -> Event {
    let lines = work.lines.iter().enumerate().map(|(at, line)| work_line(at, line, line.quantity - line.picked)).collect();
    PickStarted { fulfillment: work.id, location: work.location.clone(), lines }.into()
}

/// What is implied when nobody said that picking began.
fn until_picking(work: &Fulfillment) -> Result<Vec<Event>, Rejection> {
    match work.status {
        FulfillmentState::Released => Ok(vec![pick(work)]),
        FulfillmentState::Picking | FulfillmentState::Packed => Ok(Vec::new()),
        FulfillmentState::Shipped | FulfillmentState::Delivered | FulfillmentState::ShortPicked | FulfillmentState::Canceled => {
            Err(Rejection::wrong_status("fulfillment", work.id, work.status, "released, picking or packed"))
        }
    }
}

fn ship(work: &Fulfillment, shipment: Shipment) -> Result<Vec<Event>, Rejection> {
    let mut events = until_picking(work)?;
    shipment.cost.map_or(Ok(()), |cost| check_amount("cost", cost))?;
    if work.status != FulfillmentState::Packed {
        events.push(Packed { fulfillment: work.id }.into());
    }
    let lines = work.lines.iter().enumerate().filter(|(_, line)| !line.quantity.is_zero());
    let lines = lines.map(|(at, line)| work_line(at, line, line.quantity)).collect();
    events.push(Shipped { fulfillment: work.id, location: work.location.clone(), shipment, lines }.into());
    Ok(events)
}

/// The units are neither there nor elsewhere: stock goes down, the order waits for others.
fn short_pick(state: &State, case: &Case, work: &Fulfillment, missing: &[(u16, Quantity)]) -> Result<Vec<Event>, Rejection> {
    let mut events = until_picking(work)?;
    if work.status == FulfillmentState::Packed || missing.is_empty() {
        return Err(Rejection::wrong_status("fulfillment", work.id, work.status, "released or picking, with at least one missing unit"));
    }
    let mut by_index = BTreeMap::new();
    for (index, quantity) in missing {
        let line = work.lines.get(usize::from(*index)).filter(|line| line.part.is_some());
        let line = line.ok_or_else(|| Rejection::invalid("missing", format!("line {index} is none of goods; lines count from 0")))?;
        if quantity.is_zero() || *quantity > line.quantity || by_index.insert(*index, *quantity).is_some() {
            return Err(Rejection::invalid("missing", format!("line {index}: must be 1 to {}, named once", line.quantity)));
        }
    }
    let units = || by_index.iter().map(|(index, quantity)| (usize::from(*index), *quantity));
    let lines = units().map(|(at, quantity)| work_line(at, &work.lines[at], quantity)).collect();
    let put_back = broken_kits(case, work, &by_index);
    events.push(ShortPicked { fulfillment: work.id, location: work.location.clone(), lines, put_back }.into());
    let (order, location) = (case.order.id, &work.location);
    let released = units().map(|(at, quantity)| ReleasedLine {
        line: work.lines[at].line,
        part: work.lines[at].part.expect("checked above"),
        sku: work.lines[at].sku.clone(),
        location: location.clone(),
        allocated: quantity,
        backordered: Quantity::ZERO,
        level: LevelAfter::default(),
    });
    events.push(StockReleased { order, reason: ReleaseReason::ShortPick, lines: released.collect() }.into());
    let adjusted = units().map(|(at, quantity)| AdjustedLine {
        sku: work.lines[at].sku.clone(),
        bucket: Bucket::OnHand,
        delta: -quantity.signed(),
        level: LevelAfter::default(),
    });
    let adjustment = StockAdjusted {
        adjustment: AdjustmentId(state.counters().adjustment + 1),
        location: location.clone(),
        reason: SmolStr::new_static("short_pick"),
        reference: Some(work.id.text()),
        count: None,
        occurred_at: None,
        lines: adjusted.collect(),
    };
    events.push(adjustment.into());
    let waiting = units().map(|(at, quantity)| StockLine {
        line: work.lines[at].line,
        part: work.lines[at].part.expect("checked above"),
        sku: work.lines[at].sku.clone(),
        location: location.clone(),
        quantity,
        level: LevelAfter::default(),
    });
    events.push(StockBackordered { order, lines: waiting.collect() }.into());
    if work.cancel_requested {
        let mut after = case.clone();
        events.iter().for_each(|event| order::fold(&mut after, case.order.updated_at, event));
        let missed = units().map(|(at, quantity)| FulfillmentLine { quantity, ..work.lines[at].clone() }).collect::<Vec<_>>();
        events.extend(let_go(&after, &missed));
    }
    Ok(events)
}

/// What was asked back and is in nobody's hands any more leaves the order.
fn let_go(after: &Case, lines: &[FulfillmentLine]) -> Vec<Event> {
    let mut wanted: BTreeMap<LineId, Quantity> = BTreeMap::new();
    for units in lines {
        let line = after.order.line(units.line).expect("fulfillments name lines of their order");
        let per_unit = units.part.map_or(Quantity::ONE, |part| line.parts[usize::from(part)].per_unit);
        let whole = units.quantity.groups_of(per_unit);
        let known = wanted.entry(units.line).or_insert(whole);
        *known = (*known).min(whole);
    }
    for (line, quantity) in &mut wanted {
        let line = after.order.line(*line).expect("as above");
        *quantity = (*quantity).min(order::free_units(after, line));
    }
    wanted.retain(|_, quantity| !quantity.is_zero());
    if wanted.is_empty() {
        return Vec::new();
    }
    order::cancel_units(after, &wanted, &SmolStr::new_static("canceled"), ReleaseReason::Canceled)
}

/// A kit ships whole: what is left of its components without the missing ones goes back.
fn broken_kits(case: &Case, work: &Fulfillment, missing: &BTreeMap<u16, Quantity>) -> Vec<WorkLine> {
    let left = |at: usize, line: &super::FulfillmentLine| {
        let gone = u16::try_from(at).ok().and_then(|at| missing.get(&at).copied()).unwrap_or_default();
        line.quantity - gone
    };
    let mut put_back = Vec::new();
    for line in case.order.lines.iter().filter(|line| line.kind == order::LineKind::Kit { split_kit: false }) {
        let parts = || work.lines.iter().enumerate().filter(|(_, units)| units.line == line.id);
        let per_unit = |units: &super::FulfillmentLine| units.part.map_or(Quantity::ONE, |part| line.parts[usize::from(part)].per_unit);
        let Some(kits) = parts().map(|(at, units)| left(at, units).groups_of(per_unit(units))).min() else { continue };
        for (at, units) in parts() {
            let whole = per_unit(units).checked_mul(kits.get()).expect("part of what was ordered");
            let over = left(at, units) - whole;
            if !over.is_zero() {
                put_back.push(work_line(at, units, over));
            }
        }
    }
    put_back
}

/// The work ends and its units leave the order: that is what the cancellation asked for.
fn accept_cancel(case: &Case, work: &Fulfillment) -> Vec<Event> {
    let mut after = case.clone();
    let ended = order::canceled(work, &SmolStr::new_static("canceled"));
    order::fold(&mut after, case.order.updated_at, &ended);
    let mut events = vec![ended];
    events.extend(let_go(&after, &work.lines));
    events
}
