//! Editing before release: quantities go up or down, lines are added.

use super::index::claim_of;
use super::promise::Promises;
use super::sourcing::{self, Take, of_line};
use super::{Case, Line, Order, cancel, check, decide, fold, place};
use crate::catalog::Shortage;
use crate::command::order::{EditLine, EditOrder};
use crate::event::Event;
use crate::event::order::OrderEdited;
use crate::event::stock::{ReleaseReason, StockAllocated, StockBackordered};
use crate::fulfillment::FulfillmentState;
use crate::id::LineId;
use crate::limits;
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use std::collections::BTreeMap;

pub(crate) fn edit(state: &State, cx: &Context, command: EditOrder) -> Result<Vec<Event>, Rejection> {
    let case = state.case_at(command.order, command.expected_version)?;
    decide::open(case)?;
    if command.set.is_empty() && command.add.is_empty() {
        return Err(Rejection::invalid("lines", "name at least one line to change or to add"));
    }
    check::edit(&command)?;
    check_unreleased(case)?;
    let order = &case.order;
    if order.lines.len() + command.add.len() > limits::ORDER_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("an order has at most {} lines", limits::ORDER_LINES_MAX)));
    }
    let (mut events, mut after) = lowered(case, cx, &command.set)?;
    let before: Vec<Quantity> = after.order.lines.iter().map(|line| line.ordered).collect();
    for set in &command.set {
        raise(&mut after, set)?;
    }
    for line in command.add {
        let n = u16::try_from(after.order.lines.len() + 1).expect("bounded by ORDER_LINES_MAX");
        let built = place::line(state, LineId { order: order.id, n }, line, order.prices_include_tax)?;
        after.order.lines.push(built);
    }
    check::edited(&after.order.lines)?;
    let (takes, short) = source(state, &after, &before)?;
    let claims = |units: &[Take]| place::lines_of(&after.order, units.iter().map(|u| (u.line, u.part, u.location.clone(), u.quantity)));
    let (allocated, backordered) = (claims(&takes), claims(&short));
    promise_again(state, cx, &mut after.order, &takes, &short, before.len());
    let total = after.order.lines.iter().map(|line| line.total).chain(order.charges.iter().map(|charge| charge.total)).sum();
    events.push(OrderEdited { order: order.id, lines: after.order.lines, charges: order.charges.clone(), total }.into());
    if !allocated.is_empty() {
        events.push(StockAllocated { order: order.id, from_backorder: false, lines: allocated }.into());
    }
    if !backordered.is_empty() {
        events.push(StockBackordered { order: order.id, lines: backordered }.into());
    }
    Ok(events)
}

fn check_unreleased(case: &Case) -> Result<(), Rejection> {
    let busy = case.fulfillments.iter().find(|work| match work.status {
        FulfillmentState::Released | FulfillmentState::ShortPicked | FulfillmentState::Canceled => false,
        FulfillmentState::Picking | FulfillmentState::Packed | FulfillmentState::Shipped | FulfillmentState::Delivered => true,
    });
    match busy {
        Some(work) => Err(Rejection::wrong_status("fulfillment", work.id, work.status, "not started; cancel lines or place another order")),
        None => Ok(()),
    }
}

/// Work that was released ends first, then lines that shrink let go of units: by events, and folded into a case to go on from.
fn lowered(case: &Case, cx: &Context, set: &[EditLine]) -> Result<(Vec<Event>, Case), Rejection> {
    let reason = "edited".into();
    let released = case.fulfillments.iter().filter(|work| work.status == FulfillmentState::Released);
    let mut events: Vec<Event> = released.map(|work| cancel::canceled(work, &reason)).collect();
    let mut after = case.clone();
    events.iter().for_each(|event| fold(&mut after, cx.now, event));
    let mut wanted = BTreeMap::new();
    for set in set {
        let line = case.order.line(set.line).filter(|line| line.id == set.line).ok_or_else(|| Rejection::not_found("line", set.line))?;
        let current = line.ordered - line.canceled;
        if set.quantity < current {
            wanted.insert(set.line, current - set.quantity);
        }
    }
    for event in cancel::cancel_units(&after.clone(), &wanted, &reason, ReleaseReason::Edited) {
        if let Event::OrderCanceled(canceled) = &event
            && canceled.closes
        {
            return Err(Rejection::invalid("lines", "nothing would be left of the order; cancel it instead"));
        }
        fold(&mut after, cx.now, &event);
        events.push(event);
    }
    Ok((events, after))
}

fn raise(after: &mut Case, set: &EditLine) -> Result<(), Rejection> {
    let line = &mut after.order.lines[usize::from(set.line.n) - 1];
    let current = line.ordered - line.canceled;
    if set.quantity.get() > limits::QUANTITY_MAX {
        return Err(Rejection::invalid("lines", format!("a quantity is at most {}", limits::QUANTITY_MAX)));
    }
    if set.quantity > current {
        let ordered = line.ordered + (set.quantity - current);
        line.discount = set.discount.unwrap_or_else(|| line.discount.portion(ordered.get(), line.ordered.get()));
        line.tax = set.tax.unwrap_or_else(|| line.tax.portion(ordered.get(), line.ordered.get()));
        let more = ordered - line.ordered;
        line.ordered = ordered;
        for part in &mut line.parts {
            part.ordered += part.per_unit.checked_mul(more.get()).ok_or_else(|| Rejection::invalid("lines", "too many units"))?;
        }
        let goods = line.unit_price.checked_mul(ordered.get()).filter(|goods| goods.get() <= limits::AMOUNT_MAX);
        let goods = goods.ok_or_else(|| Rejection::invalid("lines", "is too large an amount"))?;
        let tax = if after.order.prices_include_tax { Amount::ZERO } else { line.tax };
        line.total = goods - line.discount + tax;
    }
    Ok(())
}

/// Finds stock for what was added, by lines that hold the additional units only.
fn source(state: &State, after: &Case, before: &[Quantity]) -> Result<(Vec<Take>, Vec<Take>), Rejection> {
    let order = &after.order;
    let channel = state.catalog.channels.get(&order.channel).expect("channels are never removed");
    let wanted: Vec<Line> = order.lines.iter().enumerate().map(|(at, line)| additional(line, before.get(at).copied())).collect();
    let plan = sourcing::plan(state, channel, order.ship_to.as_ref(), None, &wanted);
    if plan.short.is_empty() {
        return Ok((plan.takes, Vec::new()));
    }
    let waiting = |sku| state.stock.locations_of(sku).filter_map(move |code| state.stock.level(sku, code)).map(|level| level.backordered);
    let too_many = plan.short.iter().any(|((line, part), short)| {
        let there: u64 = waiting(&order.lines[*line].parts[*part].sku).map(|units| u64::from(units.get())).sum();
        there + u64::from(short.get()) > u64::from(limits::BACKORDERED_MAX)
    });
    match (order.on_shortage, plan.winner.filter(|_| !too_many)) {
        (Shortage::Backorder | Shortage::Split, Some(winner)) => {
            let short = plan.short.into_iter().map(|((line, part), quantity)| Take { line, part, location: winner.clone(), quantity });
            Ok((plan.takes, short.collect()))
        }
        (Shortage::Reject | Shortage::Partial, _) | (_, None) => {
            Err(Rejection::InsufficientStock { order: Some(order.id), lines: place::short_lines(&wanted, &plan.short) })
        }
    }
}

fn additional(line: &Line, before: Option<Quantity>) -> Line {
    let before = before.unwrap_or_default();
    let mut wanted = line.clone();
    wanted.ordered = line.ordered - before;
    wanted.canceled = Quantity::ZERO;
    for part in &mut wanted.parts {
        part.ordered = part.per_unit.checked_mul(wanted.ordered.get()).expect("part of what is ordered");
        part.canceled = Quantity::ZERO;
    }
    wanted
}

fn promise_again(state: &State, cx: &Context, order: &mut Order, takes: &[Take], short: &[Take], known: usize) {
    let mut promises = Promises::at(state, cx.now, claim_of(order));
    for (at, line) in order.lines.iter_mut().enumerate() {
        let (takes, short) = (of_line(takes, at), of_line(short, at));
        if at >= known || !takes.is_empty() || !short.is_empty() {
            line.promise = promises.planned(line, takes, short);
            line.ships_from = promises.ships_from(line, takes, short);
        }
    }
}
