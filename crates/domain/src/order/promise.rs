//! By when a line leaves: from cutoff, working calendar and handling days of the location, or from what is on its way.

use super::{Line, Promise, PromiseSource};
use crate::catalog::Location;
use crate::id::{LocationCode, Sku};
use crate::state::State;
use crate::stock::ExpectedSource;
use crate::time::{Date, Timestamp};
use jiff::tz::TimeZone;

/// Longest stretch without a working day that is searched; calendars have at least one a week.
const DAYS_SEARCHED: u16 = 14;

/// The promise of a line as its claims now stand; `None` for services, and while nothing is known about what is missing.
pub(crate) fn promise(state: &State, now: Timestamp, line: &Line) -> Option<Promise> {
    let mut latest: Option<Promise> = None;
    for part in &line.parts {
        for allocation in &part.allocations {
            later(&mut latest, from_stock(state, now, &allocation.location)?);
        }
        for backorder in &part.backorders {
            later(&mut latest, from_incoming(state, &part.sku, &backorder.location)?);
        }
    }
    let available_from = state.catalog.items.get(&line.sku).and_then(|item| item.available_from);
    match (latest, available_from) {
        (Some(promise), Some(day)) if promise.ship_by < day => Some(Promise { ship_by: day, source: PromiseSource::AvailableFrom }),
        (promise, _) => promise,
    }
}

fn later(latest: &mut Option<Promise>, promise: Promise) {
    if latest.as_ref().is_none_or(|other| other.ship_by < promise.ship_by) {
        *latest = Some(promise);
    }
}

fn from_stock(state: &State, now: Timestamp, code: &LocationCode) -> Option<Promise> {
    let location = state.catalog.locations.get(code)?;
    let zone = TimeZone::get(&location.time_zone).unwrap_or(TimeZone::UTC);
    let mut day = now.date_in(&zone);
    if now.minute_in(&zone) > location.cutoff_minute {
        day = day.plus_days(1);
    }
    let ship_by = after_handling(location, working_day(location, day));
    Some(Promise { ship_by, source: PromiseSource::Stock(code.clone()) })
}

fn from_incoming(state: &State, sku: &Sku, code: &LocationCode) -> Option<Promise> {
    let location = state.catalog.locations.get(code)?;
    let expected = state.stock.level(sku, code)?.next_incoming()?.clone();
    let arrives = expected.expected_on?.plus_days(state.catalog.settings().promise_margin_days);
    let source = match expected.source {
        ExpectedSource::PurchaseOrder(id) => PromiseSource::PurchaseOrder(id),
        ExpectedSource::Transfer(id) => PromiseSource::Transfer(id),
    };
    Some(Promise { ship_by: after_handling(location, working_day(location, arrives)), source })
}

fn working_day(location: &Location, mut day: Date) -> Date {
    for _ in 0..DAYS_SEARCHED {
        if location.working_days.is_empty() || location.working_days.contains(&day.weekday()) {
            break;
        }
        day = day.plus_days(1);
    }
    day
}

fn after_handling(location: &Location, mut day: Date) -> Date {
    for _ in 0..location.handling_days {
        day = working_day(location, day.plus_days(1));
    }
    day
}
