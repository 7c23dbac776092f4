//! What may be done to an order, and what it brings about.

use super::index::claim_of;
use super::promise::Promises;
use super::{Case, OrderStatus, TimerKind, cancel, edit, place, react, resource};
use crate::command::order::Command;
use crate::event::Event;
use crate::event::order::{AvailableLine, LateLine, OrderAvailable, OrderCompleted, OrderHeld, OrderLate, OrderReleased};
use crate::event::payment::PaymentWindowEnded;
use crate::id::OrderId;
use crate::limits::TEXT_BYTES_MAX;
use crate::memory::Fetch;
use crate::payment;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::time::Timestamp;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::PlaceOrder(command) => place::place(state, cx, *command),
        Command::ImportOrder { order, location } => place::import(state, cx, *order, location),
        Command::HoldOrder { order, reason, expected_version } => hold(state.case_at(order, expected_version)?, reason),
        Command::ReleaseOrder { order, expected_version } => release(state.case_at(order, expected_version)?),
        Command::EditOrder(command) => edit::edit(state, cx, command),
        Command::CancelOrder { order, reason, lines, expected_version } => {
            let case = state.case_at(order, expected_version)?;
            check_reason(&reason)?;
            open(case)?;
            if lines.is_empty() {
                let events = cancel::cancel_all(case, &reason);
                return if events.is_empty() { Err(nothing_to_cancel(case)) } else { Ok(events) };
            }
            let wanted = lines.into_iter().map(|line| (line.line, line.quantity)).collect();
            cancel::cancel_lines(case, &wanted, &reason)
        }
        Command::ResourceOrder { order, from, expected_version } => {
            let case = state.case_at(order, expected_version)?;
            open(case)?;
            let events = resource::resource(state, case, from.as_ref());
            let needed = "waiting for units that another location of its channel has or would get";
            let asked = from.is_none() && events.is_empty();
            if asked { Err(Rejection::wrong_status("order", order, SourcedBest, needed)) } else { Ok(events) }
        }
        Command::EndWaiting { sku, location } => Ok(resource::end_waiting(state, &(sku, location))),
        Command::PromiseAgain { sku, location, after } => {
            Ok(react::promise_waiting(state, cx, &(sku, location), react::Stretch::Behind(after)))
        }
        Command::RingTimers { order } => ring(state, cx, state.case(order)?),
    }
}

impl State {
    /// The case in memory.
    ///
    /// # Errors
    /// `NotLoaded` when it left memory, `NotFound` when there never was such an order.
    pub fn case(&self, id: OrderId) -> Result<&Case, Rejection> {
        match self.cases.get(&id) {
            Some(case) => Ok(case),
            None => Err(self.missing(Fetch::Case(id), "order")),
        }
    }

    /// As [`State::case`], refusing when it is not at the version that the client read.
    pub(crate) fn case_at(&self, id: OrderId, expected: Option<u64>) -> Result<&Case, Rejection> {
        let case = self.case(id)?;
        match expected {
            Some(expected) if expected != case.order.version => Err(Rejection::VersionMismatch { expected, current: case.order.version }),
            Some(_) | None => Ok(case),
        }
    }
}

/// How an order stands that re-sourcing would not change.
#[derive(Debug)]
struct SourcedBest;

fn check_reason(reason: &SmolStr) -> Result<(), Rejection> {
    if reason.is_empty() || reason.len() > TEXT_BYTES_MAX {
        return Err(Rejection::invalid("reason", format!("must have 1 to {TEXT_BYTES_MAX} bytes")));
    }
    Ok(())
}

pub(crate) fn open(case: &Case) -> Result<(), Rejection> {
    if case.order.is_closed() {
        return Err(Rejection::wrong_status("order", case.order.id, case.order.status, "open or on_hold"));
    }
    Ok(())
}

fn nothing_to_cancel(case: &Case) -> Rejection {
    Rejection::WrongStatus {
        kind: SmolStr::new_static("order"),
        id: case.order.id.text(),
        status: SmolStr::new_static("shipped or being canceled already"),
        needed: SmolStr::new_static("not shipped; request a return instead"),
    }
}

fn hold(case: &Case, reason: SmolStr) -> Result<Vec<Event>, Rejection> {
    check_reason(&reason)?;
    match case.order.status {
        OrderStatus::Open => Ok(hold_open(case, &reason)),
        OrderStatus::OnHold | OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Rejected => {
            Err(Rejection::wrong_status("order", case.order.id, case.order.status, "open"))
        }
    }
}

/// Work that has not begun stops with the order.
pub(crate) fn hold_open(case: &Case, reason: &SmolStr) -> Vec<Event> {
    let mut events: Vec<Event> = vec![OrderHeld { order: case.order.id, reason: reason.clone() }.into()];
    let released = case.fulfillments.iter().filter(|work| work.status == crate::fulfillment::FulfillmentState::Released);
    events.extend(released.map(|work| cancel::canceled(work, reason)));
    events
}

fn release(case: &Case) -> Result<Vec<Event>, Rejection> {
    match case.order.status {
        OrderStatus::OnHold => Ok(vec![OrderReleased { order: case.order.id }.into()]),
        OrderStatus::Open | OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Rejected => {
            Err(Rejection::wrong_status("order", case.order.id, case.order.status, "on_hold"))
        }
    }
}

/// The first timer that has come due and has something to say; the others ring again.
fn ring(state: &State, cx: &Context, case: &Case) -> Result<Vec<Event>, Rejection> {
    let mut due: Vec<_> = case.timers.iter().filter(|timer| timer.at <= cx.now).collect();
    due.sort_by_key(|timer| timer.at);
    let events = due.into_iter().map(|timer| rung(state, cx, case, &timer.kind));
    Ok(events.into_iter().find(|events| !events.is_empty()).unwrap_or_default())
}

fn rung(state: &State, cx: &Context, case: &Case, kind: &TimerKind) -> Vec<Event> {
    match kind {
        TimerKind::PaymentWindow => {
            let mut events: Vec<Event> = vec![PaymentWindowEnded { order: case.order.id }.into()];
            events.extend(cancel::cancel_all(case, &SmolStr::new_static("payment_window_ended")));
            events
        }
        TimerKind::AuthorizationWarning(id) => payment::authorization_expiring(case, *id),
        TimerKind::AuthorizationExpiry(id) => payment::authorization_expired(state, case, *id),
        TimerKind::Completion => vec![OrderCompleted { order: case.order.id }.into()],
        TimerKind::Available => available(state, case, cx.now),
        TimerKind::Late => late(case, cx.now),
        TimerKind::EffectStuck => payment::effects_stuck(case, cx.now),
    }
}

/// The item may have been put off since: its day is looked up again.
fn available(state: &State, case: &Case, now: Timestamp) -> Vec<Event> {
    let come = case.order.lines.iter().filter(|line| line.ships_from.is_some_and(|at| at <= now));
    let promises = Promises::at(state, now, claim_of(&case.order));
    let lines: Vec<_> = come.map(|line| AvailableLine { line: line.id, ships_from: promises.ships_from(line, &[], &[]) }).collect();
    if lines.is_empty() { Vec::new() } else { vec![OrderAvailable { order: case.order.id, lines }.into()] }
}

fn late(case: &Case, now: Timestamp) -> Vec<Event> {
    let broken = || {
        let open = case.order.lines.iter().filter(|line| line.parts.iter().any(|part| !part.open().is_zero()));
        open.filter_map(|line| Some((line.id, line.promise.as_ref()?)))
            .filter_map(|(line, promise)| Some((line, promise, promise.late_at?)))
    };
    let Some(late_at) = broken().map(|(_, _, at)| at).min().filter(|at| *at <= now) else { return Vec::new() };
    let lines = broken().filter(|(_, _, at)| *at <= now).map(|(line, promise, _)| LateLine { line, promised_ship_by: promise.ship_by });
    vec![OrderLate { order: case.order.id, late_at, lines: lines.collect() }.into()]
}
