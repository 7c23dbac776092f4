//! Facts about cycle counts.

use crate::count::Count;
use crate::id::{CountId, Sku};
use crate::quantity::Quantity;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountOpened {
    pub count: Count,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRecorded {
    pub count: CountId,
    pub lines: Vec<RecordedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedLine {
    pub sku: Sku,
    pub counted: Quantity,
    pub counted_at: Timestamp,
    /// On hand without what was picked, as the books had it at `counted_at`.
    pub expected: Quantity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountPosted {
    pub count: CountId,
    /// counted − expected of each line that was counted.
    pub variances: Vec<Variance>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variance {
    pub sku: Sku,
    pub units: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountCanceled {
    pub count: CountId,
}
