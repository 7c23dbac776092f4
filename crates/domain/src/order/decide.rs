//! What may be done to an order, and what it brings about.

use super::{Case, OrderStatus, TimerKind, cancel, edit, place};
use crate::command::order::Command;
use crate::event::Event;
use crate::event::order::{OrderCompleted, OrderHeld, OrderReleased};
use crate::id::OrderId;
use crate::limits::TEXT_BYTES_MAX;
use crate::memory::Fetch;
use crate::payment;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
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
        OrderStatus::Open => {
            let mut events: Vec<Event> = vec![OrderHeld { order: case.order.id, reason: reason.clone() }.into()];
            let released = case.fulfillments.iter().filter(|work| work.status == crate::fulfillment::FulfillmentState::Released);
            events.extend(released.map(|work| cancel::canceled(work, &reason)));
            Ok(events)
        }
        OrderStatus::OnHold | OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Rejected => {
            Err(Rejection::wrong_status("order", case.order.id, case.order.status, "open"))
        }
    }
}

fn release(case: &Case) -> Result<Vec<Event>, Rejection> {
    match case.order.status {
        OrderStatus::OnHold => Ok(vec![OrderReleased { order: case.order.id }.into()]),
        OrderStatus::Open | OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Rejected => {
            Err(Rejection::wrong_status("order", case.order.id, case.order.status, "on_hold"))
        }
    }
}

/// The first timer that has come due; the others ring again.
fn ring(state: &State, cx: &Context, case: &Case) -> Result<Vec<Event>, Rejection> {
    let Some(timer) = case.timers.iter().filter(|timer| timer.at <= cx.now).min_by_key(|timer| timer.at) else {
        return Ok(Vec::new());
    };
    Ok(match &timer.kind {
        TimerKind::PaymentWindow => cancel::cancel_all(case, &SmolStr::new_static("payment_window_ended")),
        TimerKind::AuthorizationExpiry(id) => payment::authorization_expired(state, cx, case, *id),
        TimerKind::Completion => vec![OrderCompleted { order: case.order.id }.into()],
    })
}
