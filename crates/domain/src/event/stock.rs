//! Facts about stock levels and holds.

use crate::id::{AdjustmentId, ChannelCode, CountId, HoldId, LineId, LocationCode, MoveId, OrderId, PurchaseOrderId, ReceiptId, Sku};
use crate::quantity::Quantity;
use crate::stock::{HoldLine, LevelAfter, UnavailableBucket};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Units of one SKU at the event's location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedLine {
    pub sku: Sku,
    pub quantity: Quantity,
    #[serde(default)]
    pub level: LevelAfter,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReceived {
    pub receipt: ReceiptId,
    pub location: LocationCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order: Option<PurchaseOrderId>,
    pub lines: Vec<ReceivedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptReversed {
    pub receipt: ReceiptId,
    pub location: LocationCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    pub lines: Vec<ReceivedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockAdjusted {
    pub adjustment: AdjustmentId,
    pub location: LocationCode,
    pub reason: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    /// The cycle count that found the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<CountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    pub lines: Vec<AdjustedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustedLine {
    pub sku: Sku,
    pub bucket: Bucket,
    pub delta: i64,
    #[serde(default)]
    pub level: LevelAfter,
}

/// Which quantity a line changes. Units in an unavailable bucket are part of on hand: adjusting a bucket changes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    OnHand,
    Damaged,
    QualityControl,
    Quarantine,
}

impl Bucket {
    pub fn unavailable(self) -> Option<UnavailableBucket> {
        match self {
            Self::OnHand => None,
            Self::Damaged => Some(UnavailableBucket::Damaged),
            Self::QualityControl => Some(UnavailableBucket::QualityControl),
            Self::Quarantine => Some(UnavailableBucket::Quarantine),
        }
    }
}

/// Units changed their bucket; on hand stays. `on_hand` as a bucket means sellable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMoved {
    #[serde(rename = "move")]
    pub mov: MoveId,
    pub location: LocationCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    pub from: Bucket,
    pub to: Bucket,
    pub lines: Vec<ReceivedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyStockSet {
    pub sku: Sku,
    pub location: LocationCode,
    pub safety_stock: Quantity,
    #[serde(default)]
    pub level: LevelAfter,
}

/// Units of one part of an order line at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLine {
    pub line: LineId,
    pub part: u16,
    pub sku: Sku,
    pub location: LocationCode,
    pub quantity: Quantity,
    #[serde(default)]
    pub level: LevelAfter,
}

/// Units were committed to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockAllocated {
    pub order: OrderId,
    /// The units were backordered at the same location before.
    pub from_backorder: bool,
    pub lines: Vec<StockLine>,
}

/// Units were sold that are not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockBackordered {
    pub order: OrderId,
    pub lines: Vec<StockLine>,
}

/// Demand that could not be met, as it stood when the order was decided: lost demand is data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockShorted {
    pub order: OrderId,
    pub lines: Vec<Shorted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shorted {
    /// Index of the line in the order, from 0.
    pub index: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    pub sku: Sku,
    pub wanted: Quantity,
    pub available: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restock_expected_on: Option<crate::time::Date>,
}

/// An order's claims on a level ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReleased {
    pub order: OrderId,
    pub reason: ReleaseReason,
    pub lines: Vec<ReleasedLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    Canceled,
    Edited,
    /// Bad news took the units; they are backordered instead.
    BadNews,
    /// The units were not found at picking; they are backordered instead.
    ShortPick,
    /// The units are taken from another location instead.
    Resourced,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedLine {
    pub line: LineId,
    pub part: u16,
    pub sku: Sku,
    pub location: LocationCode,
    /// Units that were allocated and no longer are.
    pub allocated: Quantity,
    /// Units that were backordered and no longer are.
    pub backordered: Quantity,
    #[serde(default)]
    pub level: LevelAfter,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldCreated {
    pub hold: HoldId,
    pub owner: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelCode>,
    pub expires_at: Timestamp,
    pub lines: Vec<HeldLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLine {
    #[serde(flatten)]
    pub line: HoldLine,
    #[serde(default)]
    pub level: LevelAfter,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldExtended {
    pub hold: HoldId,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldReleased {
    pub hold: HoldId,
    pub lines: Vec<HeldLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldExpired {
    pub hold: HoldId,
    pub lines: Vec<HeldLine>,
}

/// The owner placed the order that the hold was for: its units are free for that order's allocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldConsumed {
    pub hold: HoldId,
    pub order: OrderId,
    pub lines: Vec<HeldLine>,
}

/// Bad news took units from a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldBroken {
    pub hold: HoldId,
    /// What was taken.
    pub lines: Vec<HeldLine>,
}
