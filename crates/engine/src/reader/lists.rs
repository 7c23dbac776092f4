//! Lists, from the store alone.

use super::{ReadError, Reader};
use crate::frame::Cursor;
use crate::store;
use domain::Image;
use domain::id::OrderId;
use domain::order::Case;
use domain::state::FIRST_ORDER_NUMBER;
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
        let mut sql = String::from("SELECT id, body FROM orders WHERE 1");
        let mut values: Vec<Value> = Vec::new();
        let texts = [
            ("status", &filter.status),
            ("payment_status", &filter.payment_status),
            ("allocation_status", &filter.allocation_status),
            ("fulfillment_status", &filter.fulfillment_status),
            ("channel", &filter.channel),
            ("external_id", &filter.external_id),
            ("number", &filter.number),
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
        if let Some(number) = filter.number.as_ref().and_then(|number| number.parse::<i64>().ok()) {
            // A number is the id, moved: no index of its own.
            narrow("id =", Value::Integer(number.saturating_sub(i64::try_from(FIRST_ORDER_NUMBER).unwrap_or(0))));
        }
        if let Some(day) = &filter.promised_before {
            narrow("promised_by <", Value::Text(day.clone()));
        }
        narrow("1 ORDER BY id DESC LIMIT", Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        // What is open is few among all orders that ever were, and has an index.
        let open = filter.promised_before.is_some() || matches!(filter.status.as_deref(), Some("open" | "on_hold"));
        let sql = sql.replace(" AND 1 ORDER", if open { " AND live = 1 ORDER" } else { " ORDER" });
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
        let sql = "SELECT body FROM entities WHERE kind = ?1 AND key > ?2 ORDER BY key LIMIT ?3";
        let mut statement = self.store.prepare_cached(sql)?;
        let bodies = statement.query_map(params![kind, after, limit], |row| row.get::<_, String>(0))?;
        let mut images = Vec::new();
        for body in bodies {
            images.push(store::image(kind, &body?)?);
        }
        Ok(images)
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

    /// Orders found by a keyed hash of a mail address (`email`) or a tracking number (`tracking`).
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn find(&self, term: &str, kind: &str, limit: usize) -> Result<Vec<OrderId>, ReadError> {
        self.catch_up()?;
        let sql = "SELECT id FROM finds WHERE term = ?1 AND kind = ?2 ORDER BY id DESC LIMIT ?3";
        let mut statement = self.store.prepare_cached(sql)?;
        let found = statement.query_map(params![term, kind, limit], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().filter_map(|id| id.parse().ok()).collect())
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
            rows.extend(self.last_movements(sku, &location, i64::try_from(before).unwrap_or(i64::MAX), limit)?);
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
        let before = i64::try_from(seq).unwrap_or(i64::MAX).saturating_add(1);
        let mut rows = Vec::new();
        for location in self.locations_of(sku)? {
            rows.extend(self.last_movements(sku, &location, before, 1)?);
        }
        Ok(rows)
    }

    /// Locations that ever kept a SKU, read off the keys of its levels.
    fn locations_of(&self, sku: &str) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT key FROM entities WHERE kind = 'level' AND key >= ?1 AND key < ?2 ORDER BY key";
        let mut statement = self.store.prepare_cached(sql)?;
        let prefix = format!("{sku}\u{1f}");
        let keys = statement.query_map(params![prefix, format!("{sku}\u{20}")], |row| row.get::<_, String>(0))?;
        let keys: Vec<String> = keys.collect::<Result<_, _>>()?;
        Ok(keys.iter().filter_map(|key| key.strip_prefix(&prefix).map(str::to_owned)).collect())
    }

    fn last_movements(&self, sku: &str, location: &str, before: i64, limit: usize) -> Result<Vec<LedgerRow>, ReadError> {
        let sql = "SELECT seq, line, sku, location, kind, quantity, subject, time, actor, level FROM ledger
                   WHERE sku = ?1 AND location = ?2 AND seq < ?3 ORDER BY seq DESC, line DESC LIMIT ?4";
        self.ledger_rows(sql, params![sku, location, before, limit])
    }

    fn ledger_rows(&self, sql: &str, values: impl rusqlite::Params) -> Result<Vec<LedgerRow>, ReadError> {
        let mut statement = self.store.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| {
            Ok(LedgerRow {
                seq: row.get(0)?,
                line: row.get(1)?,
                sku: row.get(2)?,
                location: row.get(3)?,
                kind: row.get(4)?,
                quantity: row.get(5)?,
                subject: row.get(6)?,
                time: row.get(7)?,
                actor: row.get(8)?,
                level: row.get(9)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
