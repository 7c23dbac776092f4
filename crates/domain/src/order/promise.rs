//! By when a line leaves: from cutoff, working calendar and handling days of the location, or from what is on its way.

use super::index::ClaimKey;
use super::sourcing::Take;
use super::{Line, Promise, PromiseSource};
use crate::catalog::Location;
use crate::id::{LocationCode, Sku};
use crate::quantity::Quantity;
use crate::state::State;
use crate::stock::{Expected, ExpectedSource, LevelKey};
use crate::time::{Date, Timestamp};
use jiff::tz::TimeZone;

/// Longest stretch without a working day that is searched; calendars have at least one a week.
const DAYS_SEARCHED: u16 = 14;

/// Promises to one order at one instant. What stock of a location promises is worked out once for all lines that lean on it.
///
/// What waits leans on the delivery that covers it after all who are served before `rank`.
pub(crate) struct Promises<'a> {
    state: &'a State,
    now: Timestamp,
    rank: ClaimKey,
    /// Units known to be served before at a level.
    ahead: Option<(&'a LevelKey, u32)>,
    leaves_on: Vec<(&'a LocationCode, Date, Timestamp)>,
}

impl<'a> Promises<'a> {
    pub fn at(state: &'a State, now: Timestamp, rank: ClaimKey) -> Self {
        Self { state, now, rank, ahead: None, leaves_on: Vec::new() }
    }

    /// As the queue of a level was counted, however long it is.
    pub fn behind(self, key: &'a LevelKey, units: u32) -> Self {
        Self { ahead: Some((key, units)), ..self }
    }

    /// The promise of a line as its claims now stand; `None` for services, and while nothing is known about what is missing.
    pub fn of(&mut self, line: &Line) -> Option<Promise> {
        self.planned(line, &[], &[])
    }

    /// As [`Promises::of`], as if what is planned for the line were allocated, and `short` backordered.
    pub fn planned(&mut self, line: &Line, takes: &[Take], short: &[Take]) -> Option<Promise> {
        match (self.of_claims(line, takes, short), self.preorder(line, takes, short)) {
            (Some(promise), Some(day)) if promise.ship_by < day.ship_by => Some(day),
            (Some(promise), _) => Some(promise),
            (None, Some(day)) if day.late_at.is_some_and(|at| at > self.now) => Some(day),
            // A day that has passed is no new promise, but an old one stays broken.
            (None, Some(_)) => line.promise.clone().filter(|promise| promise.source == PromiseSource::AvailableFrom),
            (None, None) => None,
        }
    }

    /// The first working day on which a preordered line may leave; `None` when neither the item nor a component has a day.
    pub fn preorder(&self, line: &Line, takes: &[Take], short: &[Take]) -> Option<Promise> {
        let (day, location) = (self.available_from(line)?, self.place_of(line, takes, short));
        let ship_by = location.map_or(day, |location| working_day(location, day));
        let zone = location.map_or(TimeZone::UTC, zone_of);
        Some(Promise { ship_by, source: PromiseSource::AvailableFrom, late_at: Some(end_of(ship_by, &zone)) })
    }

    /// When a preordered line may leave, unless that has come.
    pub fn ships_from(&self, line: &Line, takes: &[Take], short: &[Take]) -> Option<Timestamp> {
        let day = self.available_from(line)?;
        let zone = self.place_of(line, takes, short).map_or(TimeZone::UTC, zone_of);
        Some(day.at_minute(0, &zone)).filter(|at| *at > self.now)
    }

    fn of_claims(&mut self, line: &Line, takes: &[Take], short: &[Take]) -> Option<Promise> {
        let mut latest: Option<Promise> = None;
        for (index, part) in line.parts.iter().enumerate() {
            let planned = takes.iter().filter(|take| take.part == index).map(|take| &take.location);
            for location in part.allocations.iter().map(|claim| &claim.location).chain(planned) {
                later(&mut latest, self.stocked(location)?);
            }
            let planned = short.iter().filter(|take| take.part == index).map(|take| (&take.location, take.quantity));
            for (location, units) in part.backorders.iter().map(|claim| (&claim.location, claim.quantity)).chain(planned) {
                later(&mut latest, self.incoming(&part.sku, location, units, line.promise.as_ref())?);
            }
        }
        latest
    }

    fn stocked(&mut self, code: &LocationCode) -> Option<Promise> {
        let known = self.leaves_on.iter().find(|(known, ..)| *known == code).map(|(_, day, late_at)| (*day, *late_at));
        let (ship_by, late_at) = match known {
            Some(known) => known,
            None => {
                let location = self.state.catalog.locations.get(code)?;
                let zone = zone_of(location);
                let day = leaves_on(location, &zone, self.now);
                let late_at = end_of(day, &zone);
                self.leaves_on.push((&location.code, day, late_at));
                (day, late_at)
            }
        };
        Some(Promise { ship_by, source: PromiseSource::Stock(code.clone()), late_at: Some(late_at) })
    }

    fn incoming(&self, sku: &Sku, code: &LocationCode, units: Quantity, known: Option<&Promise>) -> Option<Promise> {
        let location = self.state.catalog.locations.get(code)?;
        let key = (sku.clone(), code.clone());
        let level = self.state.stock.levels.get(&key)?;
        let counted = self.ahead.filter(|(of, _)| **of == key).map(|(_, units)| units);
        let ahead = match (counted.or_else(|| self.state.claims.ahead(&self.state.cases, &key, self.rank)), known) {
            (Some(ahead), _) => ahead,
            // In a long queue a promise stands until the queue is counted, or the order comes near.
            (None, Some(known)) => return Some(known.clone()),
            (None, None) => level.backordered.get(),
        };
        let mut needed = u64::from(ahead) + u64::from(units.get());
        let mut dated = level.expected.iter().filter(|expected| !expected.draft && expected.expected_on.is_some());
        let covers = |expected: &&Expected| {
            let units = u64::from(expected.quantity.get());
            let covers = units >= needed;
            needed = needed.saturating_sub(units);
            covers
        };
        let expected = dated.find(covers)?;
        let arrives = expected.expected_on?.plus_days(self.state.catalog.settings().promise_margin_days);
        let source = match expected.source {
            ExpectedSource::PurchaseOrder(id) => PromiseSource::PurchaseOrder(id),
            ExpectedSource::Transfer(id) => PromiseSource::Transfer(id),
        };
        let ship_by = after_handling(location, working_day(location, arrives));
        Some(Promise { ship_by, source, late_at: Some(end_of(ship_by, &zone_of(location))) })
    }

    fn available_from(&self, line: &Line) -> Option<Date> {
        let skus = line.parts.iter().map(|part| &part.sku).chain([&line.sku]);
        skus.filter_map(|sku| self.state.catalog.items.get(sku)?.available_from).max()
    }

    /// Where the first of the line's claims stands.
    fn place_of(&self, line: &Line, takes: &[Take], short: &[Take]) -> Option<&'a Location> {
        let planned = takes.iter().chain(short).map(|take| &take.location);
        let claims = line.parts.iter().flat_map(|part| {
            let waiting = part.backorders.iter().map(|claim| &claim.location);
            part.allocations.iter().map(|claim| &claim.location).chain(waiting)
        });
        claims.chain(planned).filter_map(|code| self.state.catalog.locations.get(code)).next()
    }
}

fn zone_of(location: &Location) -> TimeZone {
    TimeZone::get(&location.time_zone).unwrap_or(TimeZone::UTC)
}

fn end_of(day: Date, zone: &TimeZone) -> Timestamp {
    day.plus_days(1).at_minute(0, zone)
}

fn later(latest: &mut Option<Promise>, promise: Promise) {
    if latest.as_ref().is_none_or(|other| other.ship_by < promise.ship_by) {
        *latest = Some(promise);
    }
}

fn leaves_on(location: &Location, zone: &TimeZone, now: Timestamp) -> Date {
    let (mut day, minute) = now.local(zone);
    if minute > location.cutoff_minute {
        day = day.plus_days(1);
    }
    after_handling(location, working_day(location, day))
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
