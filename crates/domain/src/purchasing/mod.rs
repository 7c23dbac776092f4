//! The purchasing room.
mod state;
pub use state::*;

use crate::command::purchasing::Command;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::LevelKey;
use crate::time::Timestamp;

pub fn decide(_state: &State, _cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {}
}

pub(crate) fn apply(_state: &mut State, _now: Timestamp, _event: &mut Event) {}

pub(crate) fn react(_state: &State, _cx: &Context, _level: &LevelKey) -> Vec<Event> {
    Vec::new()
}

/// Puts the timers of a purchase order into the index.
pub(crate) fn index(_state: &mut State, _order: &PurchaseOrder) {}

pub(crate) fn due(_state: &State, _now: Timestamp) -> Vec<crate::command::Command> {
    Vec::new()
}
