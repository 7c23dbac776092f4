//! Units on their way from one location to another: shipped = received + lost + in transit.

use crate::id::{LocationCode, Sku, TransferId};
use crate::quantity::Quantity;
use crate::table::Table;
use crate::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

#[derive(Debug, Default, Clone)]
pub struct Transfers {
    pub all: Table<TransferId, Transfer>,
    /// The open draft that replenishment adds to, by where it comes from and goes to.
    pub(crate) drafts: BTreeMap<(LocationCode, LocationCode), TransferId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    pub id: TransferId,
    pub from: LocationCode,
    pub to: LocationCode,
    pub status: TransferStatus,
    /// Made by replenishment, which may amend it until it is shipped.
    pub automatic: bool,
    pub lines: Vec<TransferLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on: Option<Date>,
    /// The end of `expected_on` where the units arrive; from when it is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_at: Option<Timestamp>,
    /// The missed day that was told, while units are in transit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_since: Option<Timestamp>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferLine {
    pub sku: Sku,
    /// What is wanted while it is a draft; what was sent, once it is shipped.
    pub quantity: Quantity,
    pub shipped: Quantity,
    /// With what arrived damaged.
    pub received: Quantity,
    pub damaged: Quantity,
    pub lost: Quantity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStatus {
    Draft,
    /// Units are in transit; a part may have arrived.
    Shipped,
    /// Nothing is in transit any more.
    Received,
    Canceled,
}

/// What can happen to a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStep {
    Ship,
    ReceivePart,
    ReceiveAll,
    CloseLost,
    Cancel,
}

impl TransferStatus {
    /// The lifecycle, whole.
    #[rustfmt::skip]
    pub fn after(self, step: TransferStep) -> Option<Self> {
        use TransferStep as Step;
        match (self, step) {
            (Self::Draft,   Step::Ship)        => Some(Self::Shipped),
            (Self::Draft,   Step::Cancel)      => Some(Self::Canceled),
            (Self::Shipped, Step::ReceivePart) => Some(Self::Shipped),
            (Self::Shipped, Step::ReceiveAll)  => Some(Self::Received),
            (Self::Shipped, Step::CloseLost)   => Some(Self::Received),
            (Self::Draft, Step::ReceivePart | Step::ReceiveAll | Step::CloseLost)
            | (Self::Shipped, Step::Ship | Step::Cancel)
            | (Self::Received | Self::Canceled, _) => None,
        }
    }
}

impl TransferLine {
    pub fn wanted(sku: Sku, quantity: Quantity) -> Self {
        let (shipped, received) = (Quantity::ZERO, Quantity::ZERO);
        Self { sku, quantity, shipped, received, damaged: Quantity::ZERO, lost: Quantity::ZERO }
    }

    pub fn in_transit(&self) -> Quantity {
        self.shipped - self.received - self.lost
    }
}

impl Transfer {
    /// Nothing more comes of it: it may leave memory once stored.
    pub fn is_over(&self) -> bool {
        match self.status {
            TransferStatus::Draft | TransferStatus::Shipped => false,
            TransferStatus::Received | TransferStatus::Canceled => true,
        }
    }

    pub fn line(&self, sku: &Sku) -> Option<&TransferLine> {
        self.lines.iter().find(|line| line.sku == *sku)
    }

    /// When the units in transit are late; `None` while nothing is, or no day was named.
    pub fn is_late_at(&self) -> Option<Timestamp> {
        match self.status {
            TransferStatus::Shipped => self.late_at,
            TransferStatus::Draft | TransferStatus::Received | TransferStatus::Canceled => None,
        }
    }
}
