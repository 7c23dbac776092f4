//! The past: events as they were, an order as it stood.

use super::{ReadError, Reader};
use crate::frame::Committed;
use crate::log::{Error, Log, Row};
use crate::record::{self, RawLine};
use crate::store;
use domain::Image;
use domain::id::OrderId;
use domain::order::{Case, fold};
use rusqlite::OptionalExtension;
use std::sync::Arc;

/// An event as subscribers get it: its payload's bytes are those of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub seq: u64,
    pub time: i64,
    pub actor: String,
    /// With its version: `order.placed.v1`.
    pub kind: String,
    pub subject: String,
    pub subject_seq: u64,
    pub cause: Option<u64>,
    pub data: String,
}

impl Reader {
    /// Events after a sequence, oldest first, from at most `limit` transactions, with the sequence up to which it looked.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn events(&self, after: u64, limit: usize) -> Result<(Vec<EventRow>, u64), ReadError> {
        self.events_within(after, limit, usize::MAX)
    }

    /// As [`Reader::events`], and from no further transaction once they have `bytes` in the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn events_within(&self, after: u64, limit: usize, bytes: usize) -> Result<(Vec<EventRow>, u64), ReadError> {
        let durable = self.shared.durable();
        let rows = self.log.read_within(after.saturating_add(1), limit, bytes)?;
        let mut looked = after;
        let mut events = Vec::new();
        for row in rows.into_iter().filter(|row| row.last_seq <= durable) {
            looked = row.last_seq;
            events.extend(raw_events(&row)?.into_iter().filter(|event| event.seq > after));
        }
        Ok((events, looked))
    }

    /// Every event of a case, oldest first.
    ///
    /// # Errors
    /// When log or store cannot be read.
    pub fn timeline(&self, order: OrderId) -> Result<Vec<EventRow>, ReadError> {
        self.catch_up()?;
        let subject = format!("order/{order}");
        let mut events = Vec::new();
        for first_seq in self.transactions_of(order, u64::MAX)? {
            for row in self.log.read(first_seq, 1)? {
                events.extend(raw_events(&row)?.into_iter().filter(|event| event.subject == subject));
            }
        }
        Ok(events)
    }

    /// First sequences of the transactions about an order, oldest first.
    fn transactions_of(&self, order: OrderId, up_to: u64) -> Result<Vec<u64>, ReadError> {
        let sql = "SELECT history FROM orders WHERE id = ?1";
        let history: Option<String> = self.store.prepare_cached(sql)?.query_row([order.0], |row| row.get(0)).optional()?;
        let history = history.unwrap_or_default();
        Ok(history.split(' ').filter_map(|seq| seq.parse().ok()).filter(|seq| *seq <= up_to).collect())
    }

    /// An order as it stood at a sequence, folded from its events. `None` when it was not placed yet.
    ///
    /// # Errors
    /// When log or store cannot be read.
    pub fn case_as_of(&self, order: OrderId, seq: u64) -> Result<Option<Case>, ReadError> {
        self.catch_up()?;
        self.fold_case(order, seq)
    }

    fn fold_case(&self, order: OrderId, seq: u64) -> Result<Option<Case>, ReadError> {
        let mut case: Option<Case> = None;
        for first_seq in self.transactions_of(order, seq)? {
            for row in self.log.read(first_seq, 1)? {
                for line in record::decode(&row.body).map_err(|error| broken(&row, &error))? {
                    let record::Decoded::Event(at, recorded) = line else { continue };
                    if at > seq || recorded.subject.order() != Some(order) {
                        continue;
                    }
                    if let Some(begun) = Case::begun_by(&recorded.event) {
                        case = Some(begun);
                    }
                    if let Some(case) = &mut case {
                        fold(case, domain::time::Timestamp(row.time), &recorded.event);
                    }
                }
            }
        }
        Ok(case)
    }

    /// What the first request with a key was answered from.
    pub(crate) fn first_answer(&self, first_seq: u64, images: &str) -> Result<Option<(Arc<Committed>, Arc<[Image]>)>, ReadError> {
        let Some(row) = self.log.read(first_seq, 1)?.into_iter().next() else { return Ok(None) };
        let committed = record::committed(row.first_seq, row.last_seq, row.time, row.actor.clone(), &row.body);
        let committed = committed.map_err(|error| broken(&row, &error))?;
        let shown: Vec<(String, String, Option<&serde_json::value::RawValue>)> =
            serde_json::from_str(images).map_err(|error| broken(&row, &error))?;
        let mut images = Vec::new();
        for (kind, key, body) in shown {
            match (key.parse::<OrderId>(), body) {
                (_, Some(body)) => images.push(store::image(&kind, body.get())?),
                (Ok(order), None) => {
                    images.extend(self.fold_case(order, row.last_seq)?.map(|case| Image::Case(order, Some(Arc::new(case)))))
                }
                (Err(_), None) => {}
            }
        }
        Ok(Some((Arc::new(committed), images.into())))
    }

    /// The last sequence at or before a time.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn seq_at(&self, time: i64) -> Result<u64, ReadError> {
        Ok(self.log.seq_at(time)?)
    }
}

fn broken(row: &Row, error: &serde_json::Error) -> Error {
    Error::Broken { at: row.first_seq, what: error.to_string() }
}

/// The events of a row, with their payloads as they stand in the log.
///
/// # Errors
/// When the row is no log of ours.
pub fn raw_events(row: &Row) -> Result<Vec<EventRow>, Error> {
    let lines: Vec<RawLine> = serde_json::from_str(&row.body).map_err(|error| broken(row, &error))?;
    let events = lines.into_iter().filter(|line| !line.kind.starts_with("engine."));
    let rows = events.map(|line| EventRow {
        seq: line.seq,
        time: row.time,
        actor: row.actor.clone(),
        kind: line.kind,
        subject: line.subject.unwrap_or_default(),
        subject_seq: line.subject_seq,
        cause: line.cause,
        data: line.data.get().to_owned(),
    });
    Ok(rows.collect())
}
