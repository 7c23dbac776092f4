//! Cycle counts: what is really on the shelf.

use crate::id::{CountId, LocationCode, Sku};
use crate::quantity::Quantity;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub id: CountId,
    pub location: LocationCode,
    pub status: CountStatus,
    pub lines: Vec<CountLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountLine {
    pub sku: Sku,
    /// `None` until somebody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// What the books said since the count was opened, oldest first, at most [`crate::limits::COUNT_BOOK_MAX`] entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub book: Vec<BookEntry>,
}

/// On hand without what is picked, from `at` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookEntry {
    pub at: Timestamp,
    pub expected: Quantity,
}

impl CountLine {
    /// What should have been on the shelf at a time; `None` before the book begins.
    pub fn expected_at(&self, at: Timestamp) -> Option<Quantity> {
        self.book.iter().rev().find(|entry| entry.at <= at).map(|entry| entry.expected)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub quantity: Quantity,
    pub at: Timestamp,
    /// On hand without what was picked, as the books had it at `at`.
    pub expected: Quantity,
}

impl Counted {
    pub fn variance(&self) -> i64 {
        self.quantity.signed() - self.expected.signed()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountStatus {
    Open,
    Posted,
    Canceled,
}
