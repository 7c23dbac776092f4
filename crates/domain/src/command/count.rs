//! Asked of cycle counts. `expected_version` is the client's `If-Match`.

use crate::id::{CountId, LocationCode, Sku};
use crate::quantity::Quantity;
use crate::time::Timestamp;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    OpenCount {
        location: LocationCode,
        skus: Vec<Sku>,
        reference: Option<SmolStr>,
    },
    /// What was found on the shelf: on hand without what is picked. Counting again replaces the line.
    RecordCount {
        count: CountId,
        lines: Vec<CountedLine>,
        expected_version: Option<u64>,
    },
    /// The difference becomes an adjustment. `approve` confirms a large one.
    PostCount {
        count: CountId,
        approve: bool,
        expected_version: Option<u64>,
    },
    CancelCount {
        count: CountId,
        expected_version: Option<u64>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CountedLine {
    pub sku: Sku,
    pub counted: Quantity,
    /// Without: now. Never in the future, and not before the count was opened.
    pub counted_at: Option<Timestamp>,
}
