//! What the shop sells, where it keeps it, and through which channels it sells.
mod state;
pub use state::*;

use crate::command::catalog::Command;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;

pub fn decide(_state: &State, _cx: &Context, _command: Command) -> Result<Vec<Event>, Rejection> {
    Err(Rejection::invalid("command", "not yet"))
}

pub(crate) fn apply(_state: &mut State, _event: &mut Event) {}
