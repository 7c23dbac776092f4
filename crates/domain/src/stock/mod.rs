//! Stock levels, holds and receipts.
mod state;
pub use state::*;

use crate::command::stock::Command;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::{State, TimerOwner};
use crate::time::Timestamp;

impl Stock {
    pub(crate) fn index_level(&mut self, key: &LevelKey) {
        self.locations_of.entry(key.0.clone()).or_default().insert(key.1.clone());
    }
}

impl State {
    pub(crate) fn index_hold(&mut self, hold: &Hold) {
        if hold.status != HoldStatus::Active {
            return;
        }
        self.stock.holds_by_owner.entry(hold.owner.clone()).or_default().insert(hold.id);
        for line in &hold.lines {
            self.stock.holds_by_level.entry((line.sku.clone(), line.location.clone())).or_default().insert(hold.id);
        }
        self.timers.insert((hold.expires_at, TimerOwner::Hold(hold.id)));
    }
}

pub fn decide(_state: &State, _cx: &Context, _command: Command) -> Result<Vec<Event>, Rejection> {
    Err(Rejection::invalid("command", "not yet"))
}

pub(crate) fn apply(_state: &mut State, _now: Timestamp, _event: &mut Event) {}

pub(crate) fn react(_state: &State, _cx: &Context, _level: &LevelKey) -> Vec<Event> {
    Vec::new()
}

pub(crate) fn due(_state: &State, _now: Timestamp) -> Vec<crate::command::Command> {
    Vec::new()
}
