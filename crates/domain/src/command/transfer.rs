//! Asked of transfers. `expected_version` is the client's `If-Match`.

use crate::id::{LocationCode, Sku, TransferId};
use crate::quantity::Quantity;
use crate::time::Date;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    CreateTransfer {
        from: LocationCode,
        to: LocationCode,
        reference: Option<SmolStr>,
        /// When it is meant to arrive.
        expected_on: Option<Date>,
        lines: Vec<TransferUnits>,
    },
    /// Drafts only: quantities as they shall be; lines that are not named stay.
    AmendTransfer { transfer: TransferId, lines: Vec<TransferUnits>, expected_on: Option<Date>, expected_version: Option<u64> },
    /// The units leave. With lines, these are what is really sent; without, the whole draft.
    ShipTransfer {
        transfer: TransferId,
        lines: Vec<TransferUnits>,
        expected_on: Option<Date>,
        carrier: Option<SmolStr>,
        tracking_number: Option<SmolStr>,
        expected_version: Option<u64>,
    },
    /// A part or all of what is in transit arrived.
    ReceiveTransfer { transfer: TransferId, lines: Vec<ArrivedUnits>, expected_version: Option<u64> },
    /// What is still in transit will not arrive.
    CloseLost { transfer: TransferId, reason: Option<SmolStr>, expected_version: Option<u64> },
    /// Drafts only.
    CancelTransfer { transfer: TransferId, reason: SmolStr, expected_version: Option<u64> },
    /// From `due`: the day on which units were expected has ended.
    NoticeLate { transfer: TransferId },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferUnits {
    pub sku: Sku,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedUnits {
    pub sku: Sku,
    /// Fit for sale.
    pub accepted: Quantity,
    pub damaged: Quantity,
}
