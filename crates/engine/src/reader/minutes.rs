//! The shop's numbers by the minute.

use super::{ReadError, Reader};
use crate::store::minutes;
use domain::time::MINUTE_MS;
use rusqlite::params;
use std::collections::BTreeMap;

pub use minutes::{CANCELED, DELIVERED, ORDERS, REJECTED, SHIPPED, SHIPPED_ON_TIME, UNITS, UNITS_FILLED};

/// Start of a number's name; the currency follows.
pub const SALES: &str = "sales.";

impl Reader {
    /// Sums of each number over steps of `step_minutes`, from `from` (milliseconds since the Unix epoch) on: by name, one sum a step, the
    /// oldest first. Names that did nothing are missing.
    ///
    /// # Errors
    /// As [`Reader::orders`].
    pub fn minutes(&self, from: i64, step_minutes: u32, steps: usize) -> Result<BTreeMap<String, Vec<i64>>, ReadError> {
        self.catch_up()?;
        let first = from.div_euclid(MINUTE_MS);
        let step = i64::from(step_minutes.max(1));
        let end = first.saturating_add(step.saturating_mul(i64::try_from(steps).unwrap_or(i64::MAX)));
        let sql = "SELECT (minute - ?1) / ?3, name, sum(amount) FROM minutes WHERE minute >= ?1 AND minute < ?2 GROUP BY 1, 2";
        let mut statement = self.store.prepare_cached(sql)?;
        let mut rows = statement.query(params![first, end, step])?;
        let mut sums: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (at, name, amount): (usize, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some(slot) = sums.entry(name).or_insert_with(|| vec![0; steps]).get_mut(at) {
                *slot += amount;
            }
        }
        Ok(sums)
    }
}
