//! Replenishment from another location, and what time makes due.

use super::decide::{draft, drafted, ship};
use super::{Transfer, TransferLine};
use crate::command::Command;
use crate::event::Event;
use crate::event::transfer::{TransferAmended, TransferCanceled, TransferCreated};
use crate::id::{LocationCode, TransferId};
use crate::limits::EXPIRIES_PER_TURN;
use crate::purchasing::{self, Auto, Policy, Source};
use crate::settle::Context;
use crate::state::{State, TimerOwner};
use crate::stock::{ExpectedSource, Level, LevelKey};
use crate::time::{Date, Timestamp};
use jiff::tz::TimeZone;

/// A level at its reorder point asks for units of the location that its policy names.
pub(crate) fn react(state: &State, cx: &Context, key: &LevelKey) -> Vec<Event> {
    let Some(level) = state.stock.levels.get(key) else { return Vec::new() };
    let source = purchasing::wanting(state, key).and_then(|policy| match &policy.source {
        Source::Supplier(_) => None,
        Source::SourceLocation(from) => Some((policy, from)),
    });
    let known = source.and_then(|(policy, from)| state.transfers.drafts.get(&(from.clone(), policy.location.clone())));
    let known = known.and_then(|id| state.transfers.all.get(id));
    if let Some(stray) = stray(state, level, known.map(|known| known.id)) {
        return take_out(stray, key);
    }
    let Some((policy, from)) = source else { return Vec::new() };
    let position = level.inventory_position() + level.drafted().signed();
    if position <= policy.reorder_point.signed() {
        return ask(state, cx, policy, from, known, position);
    }
    let needless = level.inventory_position() > policy.reorder_point.signed();
    known.filter(|_| needless).map(|known| take_out(known, key)).unwrap_or_default()
}

/// A draft that replenishment made for the level, other than the one that its policy adds to now.
fn stray<'a>(state: &'a State, level: &Level, kept: Option<TransferId>) -> Option<&'a Transfer> {
    let drafts = level.expected.iter().filter(|expected| expected.draft).filter_map(|expected| match expected.source {
        ExpectedSource::Transfer(id) => Some(id),
        ExpectedSource::PurchaseOrder(_) => None,
    });
    let strays = drafts.filter(|id| Some(*id) != kept).filter_map(|id| state.transfers.all.get(&id));
    strays.into_iter().find(|transfer| transfer.automatic)
}

fn ask(state: &State, cx: &Context, policy: &Policy, from: &LocationCode, known: Option<&Transfer>, position: i64) -> Vec<Event> {
    let level = state.stock.level(&policy.sku, &policy.location).expect("looked at by the caller");
    let quantity = purchasing::needed(policy, position);
    let id = known.map_or(TransferId(state.counters().transfer + 1), |known| known.id);
    let mut triggered = purchasing::triggered(policy, level, position, quantity);
    triggered.transfer = Some(id);
    let mut events: Vec<Event> = vec![triggered.into()];
    let line = TransferLine::wanted(policy.sku.clone(), quantity);
    let after = match known {
        Some(known) => {
            let mut after = known.clone();
            match after.lines.iter_mut().find(|other| other.sku == line.sku) {
                Some(other) => other.quantity += quantity,
                None => after.lines.push(line),
            }
            events.push(TransferAmended { transfer: id, lines: after.lines.clone(), expected_on: after.expected_on }.into());
            after
        }
        None => {
            let places = (from.clone(), policy.location.clone());
            let transfer = Transfer { automatic: true, ..draft(id, places, vec![line], cx.now) };
            events.push(TransferCreated { transfer: transfer.clone() }.into());
            transfer
        }
    };
    events.extend(sent(state, cx, &after));
    events
}

/// The need is gone before the draft was shipped.
fn take_out(known: &Transfer, (sku, _): &LevelKey) -> Vec<Event> {
    if known.line(sku).is_none() {
        return Vec::new();
    }
    let lines: Vec<TransferLine> = known.lines.iter().filter(|line| line.sku != *sku).cloned().collect();
    if lines.is_empty() {
        return vec![TransferCanceled { transfer: known.id, reason: "not needed any more".into() }.into()];
    }
    vec![TransferAmended { transfer: known.id, lines, expected_on: known.expected_on }.into()]
}

/// Units came free at a level that drafts wait for: the first that is whole now goes out.
pub(crate) fn react_source(state: &State, cx: &Context, key: &LevelKey) -> Option<Event> {
    let first = (key.1.clone(), LocationCode::first());
    let drafts = state.transfers.drafts.range(first..).take_while(|((from, _), _)| *from == key.1);
    let waiting = drafts.filter_map(|(_, id)| state.transfers.all.get(id)).filter(|transfer| transfer.line(&key.0).is_some());
    waiting.filter_map(|transfer| sent(state, cx, transfer)).next()
}

/// A draft whose policies all say `send` goes out as soon as all of it is available: in one move, or not at all.
fn sent(state: &State, cx: &Context, transfer: &Transfer) -> Option<Event> {
    let policy_of = |line: &TransferLine| state.purchasing.policies.get(&(line.sku.clone(), transfer.to.clone()));
    let sends = |line: &TransferLine| policy_of(line).is_some_and(|policy| purchasing::auto_of(state, policy) == Auto::Send);
    let there = |line: &TransferLine| {
        let available = state.stock.level(&line.sku, &transfer.from).map(|level| level.available()).unwrap_or_default();
        line.quantity <= available
    };
    if !transfer.lines.iter().all(|line| sends(line) && there(line)) {
        return None;
    }
    let lead = transfer.lines.iter().filter_map(policy_of).filter_map(|policy| policy.lead_time_days).max();
    let expected_on = lead.map(|days| today(state, cx, &transfer.to).plus_days(days));
    ship(state, transfer, drafted(transfer), expected_on).ok().map(Event::from)
}

fn today(state: &State, cx: &Context, code: &LocationCode) -> Date {
    let zone = state.catalog.locations.get(code).and_then(|location| TimeZone::get(&location.time_zone).ok());
    cx.now.date_in(&zone.unwrap_or(TimeZone::UTC))
}

pub(crate) fn due(state: &State, now: Timestamp) -> Vec<Command> {
    let transfers = state.timers_due(now).filter_map(|owner| match owner {
        TimerOwner::Transfer(transfer) => Some(*transfer),
        TimerOwner::Hold(_) | TimerOwner::Case(_) | TimerOwner::PurchaseOrder(_) => None,
    });
    transfers.take(EXPIRIES_PER_TURN).map(|transfer| crate::command::transfer::Command::NoticeLate { transfer }.into()).collect()
}
