//! What waits where it can no longer be served: it moves to another location, or leaves the order.

use super::sourcing::{self, Plan};
use super::{Backorder, Case, Line, LineKind, Part, cancel, place};
use crate::command::Command;
use crate::command::order::Command as OrderCommand;
use crate::event::Event;
use crate::event::stock::{ReleaseReason, ReleasedLine, StockAllocated, StockBackordered, StockReleased};
use crate::id::LocationCode;
use crate::limits::{BACKORDERS_PER_TURN, EXPIRIES_PER_TURN};
use crate::quantity::Quantity;
use crate::state::State;
use crate::stock::{LevelAfter, LevelKey};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Why waiting units are canceled of an item that is sold no more.
pub const ITEM_RETIRED: &str = "item_retired";

/// Waiting units of a part (by line and part) at a location.
type Waiting = BTreeMap<(usize, usize, LocationCode), Quantity>;

/// Moves what waits, at `from` or anywhere, to where the channel's sourcing would put it now. Empty when nothing would change.
///
/// A kit that ships whole moves whole: of one that is covered in part, nothing does.
pub(crate) fn resource(state: &State, case: &Case, from: Option<&LocationCode>) -> Vec<Event> {
    let Some(channel) = state.catalog.channels.get(&case.order.channel) else { return Vec::new() };
    let before = waiting(case, from);
    let wanted: Vec<Line> = case.order.lines.iter().enumerate().map(|(at, line)| only_waiting(line, at, &before)).collect();
    if before.is_empty() {
        return Vec::new();
    }
    let plan = sourcing::plan(state, channel, case.order.ship_to.as_ref(), None, &wanted);
    let Some(winner) = plan.winner.clone() else { return Vec::new() };
    let (released, still) = net(&before, &plan, &winner);
    if released.is_empty() {
        return Vec::new();
    }
    let order = case.order.id;
    let gone = released.into_iter().map(|((line, part, location), backordered)| ReleasedLine {
        line: case.order.lines[line].id,
        part: u16::try_from(part).expect("kits have few parts"),
        sku: case.order.lines[line].parts[part].sku.clone(),
        location,
        allocated: Quantity::ZERO,
        backordered,
        level: LevelAfter::default(),
    });
    let mut events: Vec<Event> = vec![StockReleased { order, reason: ReleaseReason::Resourced, lines: gone.collect() }.into()];
    let takes = plan.takes.iter().map(|take| (take.line, take.part, take.location.clone(), take.quantity));
    let allocated = place::lines_of(&case.order, takes);
    if !allocated.is_empty() {
        events.push(StockAllocated { order, from_backorder: false, lines: allocated }.into());
    }
    let backordered = place::lines_of(&case.order, still.into_iter().map(|((line, part, location), units)| (line, part, location, units)));
    if !backordered.is_empty() {
        events.push(StockBackordered { order, lines: backordered }.into());
    }
    events
}

fn waiting(case: &Case, from: Option<&LocationCode>) -> Waiting {
    let mut waiting = Waiting::new();
    for (at, line) in case.order.lines.iter().enumerate() {
        let here = |part: &Part| part.backorders.iter().filter(|claim| from.is_none_or(|from| claim.location == *from)).cloned().collect();
        let claims: Vec<Vec<Backorder>> = line.parts.iter().map(here).collect();
        if line.kind == (LineKind::Kit { split_kit: false }) && !is_whole(line, &claims) {
            continue;
        }
        for (index, claims) in claims.into_iter().enumerate() {
            waiting.extend(claims.into_iter().map(|claim| ((at, index, claim.location), claim.quantity)));
        }
    }
    waiting
}

/// Every component waits for the same number of kits, and none is covered.
fn is_whole(line: &Line, claims: &[Vec<Backorder>]) -> bool {
    let units = |claims: &Vec<Backorder>| claims.iter().map(|claim| claim.quantity).sum::<Quantity>();
    let kits = |part: &Part, claims| (units(claims).groups_of(part.per_unit), units(claims).get() % part.per_unit.get());
    let mut waiting = line.parts.iter().zip(claims).map(|(part, claims)| kits(part, claims));
    let first = waiting.next();
    let even = first.is_some_and(|(_, rest)| rest == 0) && waiting.all(|kits| Some(kits) == first);
    even && line.parts.iter().all(|part| part.allocations.is_empty())
}

/// The line as if nothing but what waits had been ordered.
fn only_waiting(line: &Line, at: usize, waiting: &Waiting) -> Line {
    let mut wanted = line.clone();
    for (index, part) in wanted.parts.iter_mut().enumerate() {
        let units = waiting.iter().filter(|((line, part, _), _)| (*line, *part) == (at, index)).map(|(_, units)| *units);
        (part.ordered, part.canceled) = (units.sum(), Quantity::ZERO);
    }
    wanted.ordered = wanted.parts.iter().map(|part| part.ordered.groups_of(part.per_unit)).min().unwrap_or_default();
    wanted.canceled = Quantity::ZERO;
    wanted
}

/// What leaves its place, and what waits at the winner without having waited there.
fn net(before: &Waiting, plan: &Plan, winner: &LocationCode) -> (Waiting, Waiting) {
    let (mut released, mut still) = (before.clone(), Waiting::new());
    for ((line, part), units) in &plan.short {
        let key = (*line, *part, winner.clone());
        let stays = released.get(&key).copied().unwrap_or_default().min(*units);
        if let Some(there) = released.get_mut(&key) {
            *there -= stays;
        }
        still.insert(key, *units - stays);
    }
    released.retain(|_, units| !units.is_zero());
    still.retain(|_, units| !units.is_zero());
    (released, still)
}

/// Units that wait for an item which is retired and not on its way any more, of the first orders that wait.
pub(super) fn end_waiting(state: &State, key: &LevelKey) -> Vec<Event> {
    let reason = SmolStr::new_static(ITEM_RETIRED);
    let coming = state.stock.levels.get(key).is_some_and(|level| !level.incoming().is_zero());
    if coming || !state.closed.items.contains(&key.0) {
        return Vec::new();
    }
    let cases = state.claims.waiting(key, |_| true).take(BACKORDERS_PER_TURN).filter_map(|id| state.cases.get(&id));
    cases.flat_map(|case| cancel::cancel_waiting(case, key, &reason)).collect()
}

/// Work that a closed location or a retired item has left, a bounded part of it.
pub(super) fn due(state: &State) -> Vec<Command> {
    let closed = &state.closed;
    if closed.locations.is_empty() && closed.items.is_empty() {
        return Vec::new();
    }
    let waiting = || state.fillable.iter();
    let ending = waiting().filter(|key| closed.items.contains(&key.0) && !end_waiting(state, key).is_empty());
    let end = |(sku, location): &LevelKey| Command::from(OrderCommand::EndWaiting { sku: sku.clone(), location: location.clone() });
    let mut commands: Vec<Command> = ending.take(EXPIRIES_PER_TURN).map(end).collect();
    let stranded = waiting().filter(|key| closed.locations.contains(&key.1));
    let orders = stranded.flat_map(|key| {
        let ids = state.claims.waiting(key, |_| true).take(BACKORDERS_PER_TURN);
        ids.map(|order| (order, key.1.clone())).collect::<Vec<_>>()
    });
    let moving = orders.filter(|(id, from)| state.cases.get(id).is_some_and(|case| !resource(state, case, Some(from)).is_empty()));
    let moved = |(order, from)| Command::from(OrderCommand::ResourceOrder { order, from: Some(from), expected_version: None });
    commands.extend(moving.take(EXPIRIES_PER_TURN).map(moved));
    commands
}
