//! The payment room.
mod state;
pub use state::*;

use crate::command::payment::Command;
use crate::event::Event;
use crate::order::Case;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;

pub fn decide(_state: &State, _cx: &Context, _command: Command) -> Result<Vec<Event>, Rejection> {
    Err(Rejection::invalid("command", "not yet"))
}

pub(crate) fn react(_state: &State, _cx: &Context, _case: &Case) -> Vec<Event> {
    Vec::new()
}

pub(crate) fn count(_counters: &mut crate::state::Counters, _event: &Event) {}

pub(crate) fn apply(_case: &mut Case, _now: crate::time::Timestamp, _event: &Event) {}

pub(crate) fn status(_case: &Case) -> crate::order::PaymentStatus {
    crate::order::PaymentStatus::None
}

pub(crate) fn authorization_expired(_state: &State, _cx: &Context, _case: &Case, _payment: crate::id::PaymentId) -> Vec<Event> {
    Vec::new()
}

pub fn balance_due(case: &Case) -> crate::money::Amount {
    case.order.owed()
}
