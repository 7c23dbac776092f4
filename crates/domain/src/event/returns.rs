//! Facts about goods that come back.

use crate::id::{LineId, LocationCode, ReturnId, Sku};
use crate::quantity::Quantity;
use crate::returns::{Disposition, ReturnLine};
use crate::stock::LevelAfter;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnRequested {
    #[serde(rename = "return")]
    pub id: ReturnId,
    pub lines: Vec<ReturnLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnApproved {
    #[serde(rename = "return")]
    pub id: ReturnId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnRejected {
    #[serde(rename = "return")]
    pub id: ReturnId,
    pub reason: SmolStr,
}

/// Goods arrived. For a blind return this is its first event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnReceived {
    #[serde(rename = "return")]
    pub id: ReturnId,
    pub location: LocationCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    pub lines: Vec<ReturnedUnits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedUnits {
    /// Index of the line in the return, from 0.
    pub index: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// Index of the part within the order's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    pub sku: Sku,
    pub disposition: Disposition,
    pub quantity: Quantity,
    #[serde(default)]
    pub level: LevelAfter,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnClosed {
    #[serde(rename = "return")]
    pub id: ReturnId,
}
