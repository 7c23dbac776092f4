//! Alerts: raised when a condition begins, cleared when it ends.
mod react;
mod state;
mod told;

pub(crate) use react::{dispatch, react, react_case, react_purchase_order, react_transfer};
pub use state::*;
pub(crate) use told::check_routing;
pub use told::{AlertRouting, Destination, Digest, Outlook, Told, open, outlook, raised_by_edge};

use crate::command::alert::Command;
use crate::event::Event;
use crate::event::alert::{AlertAcknowledged, AlertCleared, AlertRaised};
use crate::id::AlertId;
use crate::limits::{ALERT_NUMBERS_MAX, TEXT_BYTES_MAX};
use crate::memory::Fetch;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::time::Timestamp;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Acknowledge { alert } => acknowledge(state, cx, alert),
        Command::RaiseAlert { condition, numbers, note } => {
            from_the_edge(&condition)?;
            let long = |text: &SmolStr| text.len() > TEXT_BYTES_MAX;
            if note.as_ref().is_some_and(long) || numbers.len() > ALERT_NUMBERS_MAX || numbers.keys().any(long) {
                return Err(Rejection::invalid("note", format!("has at most {TEXT_BYTES_MAX} bytes, with {ALERT_NUMBERS_MAX} numbers")));
            }
            if state.open_alerts.get(&condition).is_some() {
                return Ok(Vec::new());
            }
            let alert = AlertId(state.counters().alert + 1);
            Ok(vec![AlertRaised { alert, condition, numbers, note }.into()])
        }
        Command::ClearAlert { condition } => {
            from_the_edge(&condition)?;
            Ok(state.open_alerts.get(&condition).map(|alert| AlertCleared { alert: *alert }.into()).into_iter().collect())
        }
        Command::RecordTold { destination, alerts } => Ok(told::record(state, destination, alerts)),
        Command::RecordDigest { day } => Ok(told::record_digest(state, day)),
    }
}

fn from_the_edge(condition: &Condition) -> Result<(), Rejection> {
    match condition.raiser() {
        Raiser::Edge if condition.text().len() <= TEXT_BYTES_MAX => Ok(()),
        Raiser::Edge => Err(Rejection::invalid("condition", format!("has at most {TEXT_BYTES_MAX} bytes"))),
        Raiser::Rules => Err(Rejection::invalid("condition", "is raised and cleared by the rules alone")),
    }
}

fn acknowledge(state: &State, cx: &Context, alert: AlertId) -> Result<Vec<Event>, Rejection> {
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
                note: event.note.clone(),
                status: AlertStatus::Open,
                raised_at: now,
                acknowledged_by: None,
                cleared_at: None,
                told: Vec::new(),
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
            reindex(state, event.alert);
        }
        Event::AlertCleared(event) => {
            let follows_up = state.catalog.settings().alerts.is_some_and(|routing| routing.follow_up);
            let alert = state.alerts.get_mut(&event.alert).expect("only open alerts are cleared");
            alert.status = AlertStatus::Cleared;
            alert.cleared_at = Some(now);
            alert.version += 1;
            if !follows_up {
                // Nobody is told that it is over.
                alert.told.clear();
            }
            let condition = alert.condition.clone();
            state.open_alerts.remove(&condition);
            reindex(state, event.alert);
        }
        Event::AlertTold(event) => {
            let alert = state.alerts.get_mut(&event.alert).expect("decide looked the alert up");
            alert.told.retain(|told| told.destination != event.destination);
            alert.told.push(Told { destination: event.destination, status: event.status });
            reindex(state, event.alert);
        }
        _ => {}
    }
}

fn reindex(state: &mut State, id: AlertId) {
    if let Some(alert) = state.alerts.shared(&id) {
        told::index(state, &alert);
    }
}

/// Puts an alert into the index of open conditions.
pub(crate) fn index(state: &mut State, alert: &Alert) {
    if alert.status != AlertStatus::Cleared {
        state.open_alerts.insert(alert.condition.clone(), alert.id);
    }
    told::index(state, alert);
}
