//! The returns room.
mod state;
pub use state::*;

use crate::command::returns::Command;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::time::Timestamp;

pub fn decide(_state: &State, _cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {}
}

pub(crate) fn apply(_state: &mut State, _now: Timestamp, _event: &mut Event) {}

/// Folds the returns of a case.
pub(crate) fn fold(_case: &mut crate::order::Case, _now: Timestamp, _event: &Event) {}
