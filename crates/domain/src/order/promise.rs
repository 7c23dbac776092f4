//! By when a line leaves: from cutoff, working calendar and handling days of the location, or from what is on its way.

use super::sourcing::Take;
use super::{Line, Promise, PromiseSource};
use crate::catalog::Location;
use crate::id::{LocationCode, Sku};
use crate::state::State;
use crate::stock::ExpectedSource;
use crate::time::{Date, Timestamp};
use jiff::tz::TimeZone;

/// Longest stretch without a working day that is searched; calendars have at least one a week.
const DAYS_SEARCHED: u16 = 14;

/// Promises at one instant. What stock of a location promises is worked out once for all lines that lean on it.
pub(crate) struct Promises<'a> {
    state: &'a State,
    now: Timestamp,
    leaves_on: Vec<(&'a LocationCode, Date)>,
}

impl<'a> Promises<'a> {
    pub fn at(state: &'a State, now: Timestamp) -> Self {
        Self { state, now, leaves_on: Vec::new() }
    }

    /// The promise of a line as its claims now stand; `None` for services, and while nothing is known about what is missing.
    pub fn of(&mut self, line: &Line) -> Option<Promise> {
        self.planned(line, &[], &[])
    }

    /// As [`Promises::of`], as if what is planned for the line were allocated, and `short` backordered.
    pub fn planned(&mut self, line: &Line, takes: &[Take], short: &[Take]) -> Option<Promise> {
        let mut latest: Option<Promise> = None;
        for (index, part) in line.parts.iter().enumerate() {
            let planned = takes.iter().filter(|take| take.part == index).map(|take| &take.location);
            for location in part.allocations.iter().map(|claim| &claim.location).chain(planned) {
                later(&mut latest, self.stocked(location)?);
            }
            let planned = short.iter().filter(|take| take.part == index).map(|take| &take.location);
            for location in part.backorders.iter().map(|claim| &claim.location).chain(planned) {
                later(&mut latest, incoming(self.state, &part.sku, location)?);
            }
        }
        let available_from = self.state.catalog.items.get(&line.sku).and_then(|item| item.available_from);
        match (latest, available_from) {
            (Some(promise), Some(day)) if promise.ship_by < day => Some(Promise { ship_by: day, source: PromiseSource::AvailableFrom }),
            (promise, _) => promise,
        }
    }

    fn stocked(&mut self, code: &LocationCode) -> Option<Promise> {
        let known = self.leaves_on.iter().find(|(known, _)| *known == code).map(|(_, day)| *day);
        let ship_by = match known {
            Some(day) => day,
            None => {
                let location = self.state.catalog.locations.get(code)?;
                let day = leaves_on(location, self.now);
                self.leaves_on.push((&location.code, day));
                day
            }
        };
        Some(Promise { ship_by, source: PromiseSource::Stock(code.clone()) })
    }
}

fn later(latest: &mut Option<Promise>, promise: Promise) {
    if latest.as_ref().is_none_or(|other| other.ship_by < promise.ship_by) {
        *latest = Some(promise);
    }
}

fn leaves_on(location: &Location, now: Timestamp) -> Date {
    let zone = TimeZone::get(&location.time_zone).unwrap_or(TimeZone::UTC);
    let (mut day, minute) = now.local(&zone);
    if minute > location.cutoff_minute {
        day = day.plus_days(1);
    }
    after_handling(location, working_day(location, day))
}

fn incoming(state: &State, sku: &Sku, code: &LocationCode) -> Option<Promise> {
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
