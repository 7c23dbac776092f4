//! Lists, from the store alone.

use super::past::{EventRow, raw_events};
use super::{ReadError, Reader};
use crate::frame::Cursor;
use crate::log::{Error as LogError, Log, Row};
use crate::record;
use crate::store::ADJUSTMENT;
use crate::store::key::LEVEL_SEPARATOR;
use crate::store::{self, ledger};
use domain::Image;
use domain::id::OrderId;
use domain::order::Case;
use domain::state::FIRST_ORDER_NUMBER;
use domain::stock::movements;
use rusqlite::params;
use rusqlite::types::Value;
use std::sync::Arc;

/// What a list of orders is narrowed by; each set field must match.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    pub status: Option<String>,
    pub payment_status: Option<String>,
    pub allocation_status: Option<String>,
    pub fulfillment_status: Option<String>,
    pub channel: Option<String>,
    pub external_id: Option<String>,
    pub number: Option<String>,
    pub customer: Option<u64>,
    /// Placed at or after, milliseconds since the Unix epoch.
    pub created_from: Option<i64>,
    pub created_before: Option<i64>,
    /// Only orders promised before this day and not shipped.
    pub promised_before: Option<String>,
}

/// One order of a list.
pub struct OrderRow {
    pub id: OrderId,
    pub case: Arc<Case>,
}

/// One line of the stock ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRow {
    pub seq: u64,
    pub line: u64,
    pub sku: String,
    pub location: String,
    pub kind: String,
    pub quantity: i64,
    pub subject: String,
    pub time: i64,
    pub actor: String,
    /// The level after it, as JSON.
    pub level: String,
}

impl Reader {
    /// Newest first, from before `before` on, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError::Behind`] when the store does not follow within a second.
    pub fn orders(&self, filter: &OrderFilter, before: Option<u64>, limit: usize) -> Result<Vec<OrderRow>, ReadError> {
        self.catch_up()?;
        // What is open is few among all orders that ever were, and has a table of its own.
        let open = filter.promised_before.is_some() || matches!(filter.status.as_deref(), Some("open" | "on_hold"));
        let from = if open { "live CROSS JOIN orders USING (id)" } else { "orders" };
        let mut sql = format!("SELECT id, body FROM {from} WHERE 1");
        let mut values: Vec<Value> = Vec::new();
        let texts = [
            ("status", &filter.status),
            ("payment_status", &filter.payment_status),
            ("allocation_status", &filter.allocation_status),
            ("fulfillment_status", &filter.fulfillment_status),
            ("channel", &filter.channel),
            ("external_id", &filter.external_id),
        ];
        let mut narrow = |condition: &str, value: Value| {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ?{}", values.len()));
        };
        for (column, text) in texts {
            if let Some(text) = text {
                narrow(&format!("{column} ="), Value::Text(text.clone()));
            }
        }
        let numbers = [
            ("customer =", filter.customer.map(|id| i64::try_from(id).unwrap_or(i64::MAX))),
            ("created_at >=", filter.created_from),
            ("created_at <", filter.created_before),
            ("id <", before.map(|id| i64::try_from(id).unwrap_or(i64::MAX))),
        ];
        for (condition, number) in numbers {
            if let Some(number) = number {
                narrow(condition, Value::Integer(number));
            }
        }
        if let Some(number) = &filter.number {
            // A number is the id, moved; no order has id 0.
            let number = number.parse::<i64>().unwrap_or(0);
            narrow("id =", Value::Integer(number.saturating_sub(i64::try_from(FIRST_ORDER_NUMBER).unwrap_or(0)).max(0)));
        }
        if let Some(day) = &filter.promised_before {
            narrow("promised_by <", Value::Text(day.clone()));
        }
        narrow("1 ORDER BY id DESC LIMIT", Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        let sql = sql.replace(" AND 1 ORDER", " ORDER");
        let mut statement = self.store.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut orders = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, body): (u64, String) = (row.get(0)?, row.get(1)?);
            if let Image::Case(_, Some(case)) = store::image("case", &body)? {
                orders.push(OrderRow { id: OrderId(id), case });
            }
        }
        Ok(orders)
    }

    /// Entities of a kind in the order of their keys, after `after`, at most `limit`.
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn list(&self, kind: &'static str, after: &str, limit: usize) -> Result<Vec<Image>, ReadError> {
        self.catch_up()?;
        let text = |row: &rusqlite::Row| row.get::<_, String>(0);
        let bodies: Vec<String> = if kind == "level" {
            let (sku, location) = after.split_once(LEVEL_SEPARATOR).unwrap_or((after, ""));
            let sql = "SELECT body FROM levels WHERE (sku, location) > (?1, ?2) AND body IS NOT NULL ORDER BY sku, location LIMIT ?3";
            let mut statement = self.store.prepare_cached(sql)?;
            statement.query_map(params![sku, location, limit], text)?.collect::<Result<_, _>>()?
        } else {
            let sql = "SELECT body FROM entities WHERE kind = ?1 AND key > ?2 ORDER BY key LIMIT ?3";
            let mut statement = self.store.prepare_cached(sql)?;
            statement.query_map(params![kind, after, limit], text)?.collect::<Result<_, _>>()?
        };
        Ok(bodies.iter().map(|body| store::image(kind, body)).collect::<Result<_, _>>()?)
    }

    /// Where each subscription stands, as far as it was recorded.
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn cursors(&self) -> Result<Vec<Cursor>, ReadError> {
        self.catch_up()?;
        let mut statement = self.store.prepare_cached("SELECT body FROM cursors ORDER BY subscription")?;
        let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
        let read = |body: rusqlite::Result<String>| serde_json::from_str(&body?).map_err(|_| rusqlite::Error::InvalidQuery);
        Ok(bodies.map(read).collect::<Result<_, _>>()?)
    }

    /// Orders found by a keyed hash of a mail address (`email`) or a tracking number (`tracking`), and with an empty term those that have
    /// a `refund` or a `return`: newest first, from before `before` on.
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn find(&self, term: &str, kind: &str, before: Option<u64>, limit: usize) -> Result<Vec<OrderId>, ReadError> {
        Ok(self.found(term, kind, before, limit)?.into_iter().map(OrderId).collect())
    }

    /// Adjustments as the log tells them: all, or the one with this id; newest first, from before the sequence `before` on.
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn adjustments(&self, id: Option<&str>, before: Option<u64>, limit: usize) -> Result<Vec<EventRow>, ReadError> {
        let mut events = Vec::new();
        for seq in self.found(id.unwrap_or_default(), ADJUSTMENT, before, limit)? {
            for row in self.log.read(seq, 1)? {
                events.extend(raw_events(&row)?.into_iter().find(|event| event.seq == seq));
            }
        }
        Ok(events)
    }

    fn found(&self, term: &str, kind: &str, before: Option<u64>, limit: usize) -> Result<Vec<u64>, ReadError> {
        self.catch_up()?;
        let sql = "SELECT id FROM finds WHERE term = ?1 AND kind = ?2 AND id < ?4 ORDER BY id DESC LIMIT ?3";
        let mut statement = self.store.prepare_cached(sql)?;
        let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
        let found = statement.query_map(params![term, kind, limit, before], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Movements of a SKU, newest first, from before `before` on, at one location or at all.
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn ledger(&self, sku: &str, location: Option<&str>, before: u64, limit: usize) -> Result<Vec<LedgerRow>, ReadError> {
        self.catch_up()?;
        let locations = match location {
            Some(location) => vec![location.to_owned()],
            None => self.locations_of(sku)?,
        };
        let mut rows = Vec::new();
        for location in locations {
            rows.extend(self.last_movements(sku, &location, before, limit)?);
        }
        rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.seq, row.line)));
        rows.truncate(limit);
        Ok(rows)
    }

    /// The last movement of each location of a SKU up to a sequence: how it stood then.
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn levels_as_of(&self, sku: &str, seq: u64) -> Result<Vec<LedgerRow>, ReadError> {
        self.catch_up()?;
        let mut rows = Vec::new();
        for location in self.locations_of(sku)? {
            rows.extend(self.last_movements(sku, &location, seq.saturating_add(1), 1)?);
        }
        Ok(rows)
    }

    /// Locations that ever kept a SKU.
    fn locations_of(&self, sku: &str) -> Result<Vec<String>, ReadError> {
        let mut statement = self.store.prepare_cached("SELECT location FROM levels WHERE sku = ?1 ORDER BY location")?;
        Ok(statement.query_map([sku], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Where it moved stands in the store; what about, when and what was left, in the log.
    fn last_movements(&self, sku: &str, location: &str, before: u64, limit: usize) -> Result<Vec<LedgerRow>, ReadError> {
        let found = ledger::last_movements(&self.store, sku, location, ledger::movement_id(before, 0), limit)?;
        let (mut rows, mut transaction): (Vec<LedgerRow>, Option<Row>) = (Vec::with_capacity(found.len()), None);
        for movement in found {
            let (seq, line) = ledger::place_of(movement.id);
            if transaction.as_ref().is_none_or(|row| !(row.first_seq..=row.last_seq).contains(&seq)) {
                transaction = self.log.read(seq, 1)?.into_iter().next();
            }
            let missing = || LogError::Broken { at: seq, what: "a movement of the store is not in the log".into() };
            let row = transaction.as_ref().ok_or_else(missing)?;
            let event = record::event(&row.body, seq).map_err(|error| LogError::Broken { at: seq, what: error.to_string() })?;
            let event = event.ok_or_else(missing)?;
            let moved = usize::try_from(line).ok().and_then(|line| movements(&event).into_iter().nth(line)).ok_or_else(missing)?;
            rows.push(LedgerRow {
                seq,
                line,
                sku: sku.to_owned(),
                location: location.to_owned(),
                kind: movement.kind,
                quantity: movement.quantity,
                subject: event.subject().text().to_string(),
                time: row.time,
                actor: movement.actor,
                level: serde_json::to_string(&moved.level).expect("levels serialize"),
            });
        }
        Ok(rows)
    }
}
