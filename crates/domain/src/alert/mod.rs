//! Alerts: raised when a condition begins, cleared when it ends.
mod react;
mod state;

pub(crate) use react::{dispatch, react, react_case};
pub use state::*;

use crate::command::alert::Command;
use crate::event::Event;
use crate::event::alert::AlertAcknowledged;
use crate::memory::Fetch;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::time::Timestamp;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    let Command::Acknowledge { alert } = command;
    let known = state.alerts.get(&alert).ok_or_else(|| state.missing(Fetch::Alert(alert), "alert"))?;
    match known.status {
        AlertStatus::Open => Ok(vec![AlertAcknowledged { alert, by: cx.actor.clone() }.into()]),
        AlertStatus::Acknowledged | AlertStatus::Cleared => Err(Rejection::wrong_status("alert", alert, known.status, "open")),
    }
}

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::AlertRaised(event) => {
            let counters = state.counters_mut();
            counters.alert = counters.alert.max(event.alert.0);
            let alert = Alert {
                id: event.alert,
                condition: event.condition.clone(),
                numbers: event.numbers.clone(),
                status: AlertStatus::Open,
                raised_at: now,
                acknowledged_by: None,
                cleared_at: None,
                version: 1,
            };
            index(state, &alert);
            state.alerts.insert(event.alert, alert);
        }
        Event::AlertAcknowledged(event) => {
            let alert = state.alerts.get_mut(&event.alert).expect("decide looked the alert up");
            alert.status = AlertStatus::Acknowledged;
            alert.acknowledged_by = Some(event.by.clone());
            alert.version += 1;
        }
        Event::AlertCleared(event) => {
            let alert = state.alerts.get_mut(&event.alert).expect("only open alerts are cleared");
            alert.status = AlertStatus::Cleared;
            alert.cleared_at = Some(now);
            alert.version += 1;
            let condition = alert.condition.clone();
            state.open_alerts.remove(&condition);
        }
        _ => {}
    }
}

/// Puts an alert into the index of open conditions.
pub(crate) fn index(state: &mut State, alert: &Alert) {
    if alert.status != AlertStatus::Cleared {
        state.open_alerts.insert(alert.condition.clone(), alert.id);
    }
}
