//! Backorders fill as soon as there is something to give.

use super::LevelKey;
use crate::command::Command;
use crate::event::Event;
use crate::event::stock::{StockAllocated, StockLine};
use crate::id::ChannelCode;
use crate::limits::{BACKORDERS_PER_TURN, EXPIRIES_PER_TURN};
use crate::order::Case;
use crate::quantity::Quantity;
use crate::state::{State, TimerOwner};
use crate::stock::LevelAfter;
use crate::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// By priority, then oldest, never from what a channel keeps back, at most [`BACKORDERS_PER_TURN`] orders; the rest comes with the next turn.
pub(crate) fn react(state: &State, key: &LevelKey) -> Vec<Event> {
    let Some(level) = state.stock.levels.get(key) else { return Vec::new() };
    let left = Cell::new(level.available().get());
    if level.backordered.is_zero() || left.get() == 0 {
        return Vec::new();
    }
    let shares: RefCell<BTreeMap<ChannelCode, u32>> = RefCell::default();
    let share_of = |channel: &ChannelCode| *shares.borrow_mut().entry(channel.clone()).or_insert_with(|| share(state, channel, key));
    let mut events = Vec::new();
    for id in state.claims.waiting(key, |channel| left.get() > 0 && share_of(channel) > 0).take(BACKORDERS_PER_TURN) {
        let case = state.cases.get(&id).expect("claims name open cases");
        let channel = &case.order.channel;
        let mut most = left.get().min(share_of(channel));
        let before = most;
        let lines = fill(case, key, &mut most);
        left.set(left.get() - (before - most));
        shares.borrow_mut().entry(channel.clone()).and_modify(|share| *share -= before - most);
        if !lines.is_empty() {
            events.push(StockAllocated { order: id, from_backorder: true, lines }.into());
        }
    }
    events
}

/// What a channel may sell of a SKU. Who waits where the channel sells no more was sold from there: nothing is kept back from them.
fn share(state: &State, code: &ChannelCode, key: &LevelKey) -> u32 {
    let channel = state.catalog.channels.get(code).expect("channels are never removed");
    if crate::order::locations(state, channel).iter().any(|location| location.code == key.1) {
        super::query::units(state, channel, &key.0).get()
    } else {
        u32::MAX
    }
}

fn fill(case: &Case, key: &LevelKey, most: &mut u32) -> Vec<StockLine> {
    let mut lines = Vec::new();
    for line in &case.order.lines {
        for (index, part) in line.parts.iter().enumerate().filter(|(_, part)| part.sku == key.0) {
            let waiting: Quantity = part.backorders.iter().filter(|claim| claim.location == key.1).map(|claim| claim.quantity).sum();
            let quantity = waiting.min(Quantity::new(*most));
            if quantity.is_zero() {
                continue;
            }
            *most -= quantity.get();
            let part = u16::try_from(index).expect("kits have few parts");
            let (sku, location) = key.clone();
            lines.push(StockLine { line: line.id, part, sku, location, quantity, level: LevelAfter::default() });
        }
    }
    lines
}

pub(crate) fn due(state: &State, now: Timestamp) -> Vec<Command> {
    let holds = state.timers_due(now).filter_map(|owner| match owner {
        TimerOwner::Hold(hold) => Some(*hold),
        TimerOwner::Case(_) | TimerOwner::PurchaseOrder(_) | TimerOwner::Transfer(_) => None,
    });
    let expire = holds.take(EXPIRIES_PER_TURN).map(|hold| crate::command::stock::Command::ExpireHold { hold }.into());
    let fillable = state.fillable.iter().filter(|key| !react(state, key).is_empty()).take(EXPIRIES_PER_TURN);
    let fill = fillable
        .map(|(sku, location)| crate::command::stock::Command::FillBackorders { sku: sku.clone(), location: location.clone() }.into());
    expire.chain(fill).collect()
}
