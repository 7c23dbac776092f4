//! Facts about transfers between locations.

use crate::id::{LocationCode, Sku, TransferId};
use crate::quantity::Quantity;
use crate::stock::LevelAfter;
use crate::time::{Date, Timestamp};
use crate::transfer::{Transfer, TransferLine};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferCreated {
    pub transfer: Transfer,
}

/// Lines after the amendment, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferAmended {
    pub transfer: TransferId,
    pub lines: Vec<TransferLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on: Option<Date>,
}

/// The units left `from`; from here on they are in transit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferShipped {
    pub transfer: TransferId,
    pub from: LocationCode,
    pub to: LocationCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on: Option<Date>,
    /// The end of the expected day where the units arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<SmolStr>,
    /// Every line that was sent; drafted lines that are not named were not.
    pub lines: Vec<ShippedUnits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippedUnits {
    pub sku: Sku,
    pub quantity: Quantity,
    /// Of the level that the units left.
    #[serde(default)]
    pub level: LevelAfter,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferReceived {
    pub transfer: TransferId,
    pub to: LocationCode,
    pub lines: Vec<ArrivedUnits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedUnits {
    pub sku: Sku,
    pub accepted: Quantity,
    pub damaged: Quantity,
    /// Of the level that the units came to.
    #[serde(default)]
    pub level: LevelAfter,
}

/// The rest will not arrive: it is lost between the two locations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferClosedLost {
    pub transfer: TransferId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    pub lines: Vec<LostUnits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostUnits {
    pub sku: Sku,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferCanceled {
    pub transfer: TransferId,
    pub reason: SmolStr,
}

/// The expected day has ended with units in transit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferLate {
    pub transfer: TransferId,
    pub late_at: Timestamp,
    pub lines: Vec<LostUnits>,
}
