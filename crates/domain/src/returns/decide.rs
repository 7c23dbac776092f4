//! What may be done about goods that come back.

use super::{Return, ReturnLine, ReturnStatus, ReturnStep};
use crate::command::returns::{Arrived, BlindReturn, Command};
use crate::event::Event;
use crate::event::returns::{ReturnApproved, ReturnClosed, ReturnReceived, ReturnRejected, ReturnRequested, ReturnedUnits};
use crate::id::{LineId, LocationCode, OrderId, ReturnId, Sku};
use crate::limits;
use crate::order::Case;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::{LevelAfter, ReceiptLine, check_place, check_room};
use smol_str::SmolStr;
use std::collections::BTreeMap;

pub fn decide(state: &State, _cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Request { order, lines, reason } => request(state.case(order)?, order, &lines, reason),
        Command::Approve { id } => {
            may(state, id, ReturnStep::Approve, "requested")?;
            Ok(vec![ReturnApproved { id }.into()])
        }
        Command::Reject { id, reason } => {
            may(state, id, ReturnStep::Reject, "requested or approved")?;
            Ok(vec![ReturnRejected { id, reason }.into()])
        }
        Command::Receive { id, location, lines } => receive(state, id, location, &lines),
        Command::Close { id } => {
            may(state, id, ReturnStep::Close, "received")?;
            Ok(vec![ReturnClosed { id }.into()])
        }
        Command::ReceiveBlind(command) => blind(state, command),
    }
}

fn may<'a>(state: &'a State, id: ReturnId, step: ReturnStep, needed: &'static str) -> Result<(&'a Case, &'a Return), Rejection> {
    let order = id.order.ok_or_else(|| Rejection::wrong_status("return", id, ReturnStatus::Closed, needed))?;
    let case = state.case(order)?;
    let known = case.returns.iter().find(|known| known.id == id).ok_or_else(|| Rejection::not_found("return", id))?;
    match known.status.after(step) {
        Some(_) => Ok((case, known)),
        None => Err(Rejection::wrong_status("return", id, known.status, needed)),
    }
}

/// Shipped units of a line that are not on a return yet.
fn returnable(case: &Case, line: &crate::order::Line) -> Quantity {
    let live = case.returns.iter().filter(|known| known.status != ReturnStatus::Rejected);
    let asked: Quantity = live.flat_map(|known| &known.lines).filter(|known| known.line == Some(line.id)).map(|known| known.quantity).sum();
    line.shipped().saturating_sub(asked)
}

fn request(case: &Case, order: OrderId, lines: &[(LineId, Quantity)], reason: Option<SmolStr>) -> Result<Vec<Event>, Rejection> {
    if lines.is_empty() || lines.len() > limits::STOCK_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("name 1 to {} lines", limits::STOCK_LINES_MAX)));
    }
    let mut wanted = Vec::with_capacity(lines.len());
    for (at, (id, quantity)) in lines.iter().enumerate() {
        let line = case.order.line(*id).filter(|line| line.id == *id).ok_or_else(|| Rejection::not_found("line", id))?;
        let left = returnable(case, line);
        if quantity.is_zero() || *quantity > left || lines[..at].iter().any(|(other, _)| other == id) {
            return Err(Rejection::invalid(
                "lines",
                format!("{quantity} of {} can't be returned: {left} shipped and not returned yet", line.sku),
            ));
        }
        wanted.push(ReturnLine { line: Some(*id), sku: line.sku.clone(), quantity: *quantity, received: Vec::new() });
    }
    let n = u64::try_from(case.returns.len() + 1).expect("few returns");
    Ok(vec![ReturnRequested { id: ReturnId { order: Some(order), n }, lines: wanted, reason }.into()])
}

fn receive(state: &State, id: ReturnId, location: LocationCode, arrived: &[Arrived]) -> Result<Vec<Event>, Rejection> {
    let (case, known) = may(state, id, ReturnStep::Receive, "approved or received")?;
    state.catalog.locations.get(&location).ok_or_else(|| Rejection::not_found("location", &location))?;
    if arrived.is_empty() {
        return Err(Rejection::invalid("lines", "name what arrived"));
    }
    let mut lines = Vec::new();
    for (at, units) in arrived.iter().enumerate() {
        let line = known.lines.get(usize::from(units.index));
        let line =
            line.ok_or_else(|| Rejection::invalid("lines", format!("the return has no line {}; lines count from 0", units.index)))?;
        let before: Quantity = arrived[..at].iter().filter(|other| other.index == units.index).map(|other| other.quantity).sum();
        let left = line.quantity.saturating_sub(line.arrived()).saturating_sub(before);
        if units.quantity.is_zero() || units.quantity > left {
            return Err(Rejection::invalid("lines", format!("line {}: must be 1 to {left}", units.index)));
        }
        let order_line = line.line.and_then(|id| case.order.line(id)).expect("a return names lines of its order");
        for (part, of) in order_line.parts.iter().enumerate() {
            lines.push(ReturnedUnits {
                index: units.index,
                line: Some(order_line.id),
                part: u16::try_from(part).ok(),
                sku: of.sku.clone(),
                disposition: units.disposition,
                quantity: of.per_unit.checked_mul(units.quantity.get()).expect("part of what was ordered"),
                level: LevelAfter::default(),
            });
        }
    }
    let (external_id, reason, occurred_at) = (None, None, None);
    Ok(vec![ReturnReceived { id, location, external_id, reason, occurred_at, lines }.into()])
}

fn blind(state: &State, command: BlindReturn) -> Result<Vec<Event>, Rejection> {
    let BlindReturn { location, external_id, reason, occurred_at, lines } = command;
    let named: Vec<ReceiptLine> = lines.iter().map(|(sku, quantity, _)| ReceiptLine { sku: sku.clone(), quantity: *quantity }).collect();
    let mut sums: BTreeMap<&Sku, u64> = BTreeMap::new();
    for line in &named {
        check_place(state, &location, std::slice::from_ref(line))?;
        let all = sums.entry(&line.sku).or_default();
        *all += u64::from(line.quantity.get());
        check_room(state, &line.sku, &location, Quantity::new(u32::try_from(*all).unwrap_or(u32::MAX)))?;
    }
    if named.is_empty() || named.len() > limits::ORDER_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("send 1 to {}", limits::ORDER_LINES_MAX)));
    }
    let id = ReturnId { order: None, n: state.counters().blind_return + 1 };
    let lines = lines.into_iter().enumerate().map(|(at, (sku, quantity, disposition))| ReturnedUnits {
        index: u16::try_from(at).expect("bounded by ORDER_LINES_MAX"),
        line: None,
        part: None,
        sku,
        disposition,
        quantity,
        level: LevelAfter::default(),
    });
    Ok(vec![ReturnReceived { id, location, external_id, reason, occurred_at, lines: lines.collect() }.into()])
}
