//! Work for one location: pick, pack, ship.

use crate::id::{FulfillmentId, LineId, LocationCode, Sku};
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfillment {
    pub id: FulfillmentId,
    pub location: LocationCode,
    pub status: FulfillmentState,
    /// The shop wants it back after picking started; the warehouse accepts or declines.
    #[serde(default)]
    pub cancel_requested: bool,
    pub lines: Vec<FulfillmentLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// Units of one part of an order line (a service line has no part and no SKU to pick).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentLine {
    pub line: LineId,
    /// Index of the part within the line; `None` for a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    pub sku: Sku,
    /// What is to ship; short picks lower it.
    pub quantity: Quantity,
    pub picked: Quantity,
}

/// Lifecycle of a fulfillment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentState {
    Released,
    Picking,
    Packed,
    Shipped,
    Delivered,
    /// Nothing was found to pick.
    ShortPicked,
    Canceled,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<Parcel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<SmolStr>,
}

/// What can happen to a fulfillment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    StartPick,
    FindNothing,
    Pack,
    Ship,
    Deliver,
    Cancel,
}

impl FulfillmentState {
    /// The lifecycle, whole.
    #[rustfmt::skip]
    pub fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Released, Step::StartPick)   => Some(Self::Picking),
            (Self::Picking,  Step::FindNothing) => Some(Self::ShortPicked),
            (Self::Picking,  Step::Pack)        => Some(Self::Packed),
            (Self::Packed,   Step::Ship)        => Some(Self::Shipped),
            (Self::Shipped,  Step::Deliver)     => Some(Self::Delivered),
            (Self::Released | Self::Picking | Self::Packed, Step::Cancel) => Some(Self::Canceled),
            (Self::Released, Step::FindNothing | Step::Pack | Step::Ship | Step::Deliver)
            | (Self::Picking, Step::StartPick | Step::Ship | Step::Deliver)
            | (Self::Packed, Step::StartPick | Step::FindNothing | Step::Pack | Step::Deliver)
            | (Self::Shipped, Step::StartPick | Step::FindNothing | Step::Pack | Step::Ship | Step::Cancel)
            | (Self::Delivered | Self::ShortPicked | Self::Canceled, _) => None,
        }
    }

    /// Nothing can happen to it any more but its delivery.
    pub fn is_over(self) -> bool {
        match self {
            Self::Shipped | Self::Delivered | Self::ShortPicked | Self::Canceled => true,
            Self::Released | Self::Picking | Self::Packed => false,
        }
    }
}
