//! Goods that come back.

use crate::id::{LineId, LocationCode, OrderId, ReturnId, Sku};
use crate::quantity::Quantity;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    pub id: ReturnId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    pub status: ReturnStatus,
    pub lines: Vec<ReturnLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// `None` for a blind return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    pub sku: Sku,
    pub quantity: Quantity,
    /// What became of the units that arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<Disposed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposed {
    pub disposition: Disposition,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    Restock,
    Damaged,
    Scrap,
}

/// Lifecycle of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStatus {
    Requested,
    Approved,
    Received,
    Closed,
    Rejected,
}

impl Return {
    pub fn is_closed(&self) -> bool {
        match self.status {
            ReturnStatus::Requested | ReturnStatus::Approved | ReturnStatus::Received => false,
            ReturnStatus::Closed | ReturnStatus::Rejected => true,
        }
    }
}

/// What can happen to a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnStep {
    Approve,
    Reject,
    Receive,
    Close,
}

impl ReturnStatus {
    /// The lifecycle, whole. Goods may arrive in several parcels.
    #[rustfmt::skip]
    pub fn after(self, step: ReturnStep) -> Option<Self> {
        match (self, step) {
            (Self::Requested, ReturnStep::Approve)                => Some(Self::Approved),
            (Self::Requested | Self::Approved, ReturnStep::Reject) => Some(Self::Rejected),
            (Self::Approved | Self::Received, ReturnStep::Receive) => Some(Self::Received),
            (Self::Received, ReturnStep::Close)                   => Some(Self::Closed),
            (Self::Requested, ReturnStep::Receive | ReturnStep::Close)
            | (Self::Approved, ReturnStep::Approve | ReturnStep::Close)
            | (Self::Received, ReturnStep::Approve | ReturnStep::Reject)
            | (Self::Closed | Self::Rejected, _)                  => None,
        }
    }
}

impl ReturnLine {
    pub fn arrived(&self) -> Quantity {
        self.received.iter().map(|units| units.quantity).sum()
    }
}
