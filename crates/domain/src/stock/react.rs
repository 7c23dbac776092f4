//! Backorders fill as soon as there is something to give.

use super::LevelKey;
use crate::command::Command;
use crate::event::Event;
use crate::event::stock::{StockAllocated, StockLine};
use crate::id::ChannelCode;
use crate::limits::{BACKORDERS_PER_TURN, EXPIRIES_PER_TURN};
use crate::quantity::Quantity;
use crate::state::{State, TimerOwner};
use crate::stock::LevelAfter;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// By priority, then oldest, never from what a channel keeps back, at most [`BACKORDERS_PER_TURN`] orders; the rest comes with the next turn.
pub(crate) fn react(state: &State, key: &LevelKey) -> Vec<Event> {
    let Some(level) = state.stock.levels.get(key) else { return Vec::new() };
    let mut left = level.available();
    let mut budgets: BTreeMap<&ChannelCode, Quantity> = BTreeMap::new();
    let mut events = Vec::new();
    if level.backordered.is_zero() {
        return events;
    }
    for id in state.claims.waiting(key).take(BACKORDERS_PER_TURN) {
        if left.is_zero() {
            break;
        }
        let case = state.cases.get(&id).expect("claims name open cases");
        let channel = &case.order.channel;
        let budget = budgets.entry(channel).or_insert_with(|| {
            let channel = state.catalog.channels.get(channel).expect("channels are never removed");
            super::query::units(state, channel, &key.0)
        });
        let mut lines = Vec::new();
        for line in &case.order.lines {
            for (index, part) in line.parts.iter().enumerate().filter(|(_, part)| part.sku == key.0) {
                let waiting: Quantity = part.backorders.iter().filter(|claim| claim.location == key.1).map(|claim| claim.quantity).sum();
                let quantity = waiting.min(left).min(*budget);
                if quantity.is_zero() {
                    continue;
                }
                left -= quantity;
                *budget -= quantity;
                let part = u16::try_from(index).expect("kits have few parts");
                let (sku, location) = key.clone();
                lines.push(StockLine { line: line.id, part, sku, location, quantity, level: LevelAfter::default() });
            }
        }
        if !lines.is_empty() {
            events.push(StockAllocated { order: id, from_backorder: true, lines }.into());
        }
    }
    events
}

pub(crate) fn due(state: &State, now: Timestamp) -> Vec<Command> {
    let holds = state.timers_due(now).filter_map(|owner| match owner {
        TimerOwner::Hold(hold) => Some(*hold),
        TimerOwner::Case(_) | TimerOwner::PurchaseOrder(_) => None,
    });
    let expire = holds.take(EXPIRIES_PER_TURN).map(|hold| crate::command::stock::Command::ExpireHold { hold }.into());
    let fillable = state.fillable.iter().filter(|key| !react(state, key).is_empty()).take(EXPIRIES_PER_TURN);
    let fill = fillable
        .map(|(sku, location)| crate::command::stock::Command::FillBackorders { sku: sku.clone(), location: location.clone() }.into());
    expire.chain(fill).collect()
}
