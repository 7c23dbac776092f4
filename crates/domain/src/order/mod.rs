//! Orders: placed, edited, held, canceled, completed.
mod index;
mod state;
pub use index::Claims;
pub use state::*;

use crate::command::order::Command;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::time::Timestamp;

pub fn decide(_state: &State, _cx: &Context, _command: Command) -> Result<Vec<Event>, Rejection> {
    Err(Rejection::invalid("command", "not yet"))
}

pub(crate) fn apply(_state: &mut State, _now: Timestamp, _event: &mut Event) {}

pub(crate) fn react(_state: &State, _cx: &Context, _case: &Case) -> Vec<Event> {
    Vec::new()
}

pub(crate) fn due(_state: &State, _now: Timestamp) -> Vec<crate::command::Command> {
    Vec::new()
}
