//! Facts about the work of the warehouse.

use crate::fulfillment::{FulfillmentLine, Shipment};
use crate::id::{FulfillmentId, LineId, LocationCode, Sku};
use crate::quantity::Quantity;
use crate::stock::LevelAfter;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentReleased {
    pub fulfillment: FulfillmentId,
    pub location: LocationCode,
    pub lines: Vec<FulfillmentLine>,
}

/// One line of a fulfillment by its index, with what happened to its units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkLine {
    /// Index of the line in the fulfillment, from 0.
    pub index: u16,
    pub line: LineId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    pub sku: Sku,
    pub quantity: Quantity,
    #[serde(default)]
    pub level: LevelAfter,
}

/// From here the units are in somebody's hands: bad news takes others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickStarted {
    pub fulfillment: FulfillmentId,
    pub location: LocationCode,
    pub lines: Vec<WorkLine>,
}

/// Units that were not found where they should be. They are no longer picked; stock is adjusted by an event of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortPicked {
    pub fulfillment: FulfillmentId,
    pub location: LocationCode,
    pub lines: Vec<WorkLine>,
    /// Components that are there, of kits that are no longer whole: back on the shelf, still the order's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put_back: Vec<WorkLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    pub fulfillment: FulfillmentId,
}

/// The units left the building.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    pub fulfillment: FulfillmentId,
    pub location: LocationCode,
    pub shipment: Shipment,
    pub lines: Vec<WorkLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    pub fulfillment: FulfillmentId,
    pub delivered_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequested {
    pub fulfillment: FulfillmentId,
    pub reason: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelDeclined {
    pub fulfillment: FulfillmentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
}

/// The work is off; the units stay allocated until the order lets go of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentCanceled {
    pub fulfillment: FulfillmentId,
    pub location: LocationCode,
    pub reason: SmolStr,
    pub lines: Vec<WorkLine>,
}
