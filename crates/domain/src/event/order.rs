//! Facts about orders.

use crate::event::stock::StockLine;
use crate::id::{LineId, LocationCode, OrderId};
use crate::money::Amount;
use crate::order::{AllocationStatus, Charge, FulfillmentStatus, Line, Order, OrderStatus, PaymentStatus, Promise};
use crate::quantity::Quantity;
use crate::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The order as it came in, with the reasoning behind where it is sourced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    pub order: Order,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sourcing: Option<Sourcing>,
}

/// An order of the past: it was placed, shipped and completed before it came here. Nothing acts on it; its units left on hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderImported {
    pub order: Order,
    pub location: LocationCode,
    pub lines: Vec<StockLine>,
}

/// Every location that was asked, best first, and what decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sourcing {
    pub candidates: Vec<Candidate>,
    /// In words that a person reads: `AUS ships everything; it ranks first by same_country, priority`.
    pub decision: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub location: LocationCode,
    /// Units of the order that it could ship alone.
    pub units: Quantity,
    /// One number per rule of the channel, lower is better; priority comes last.
    pub ranks: Vec<i64>,
}

/// Every unit that still has to ship is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAllocated {
    pub order: OrderId,
}

/// Part of the order waits for stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBackordered {
    pub order: OrderId,
    pub lines: Vec<BackorderedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackorderedLine {
    pub line: LineId,
    pub quantity: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRejected {
    pub order: OrderId,
    pub reason: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderHeld {
    pub order: OrderId,
    pub reason: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReleased {
    pub order: OrderId,
}

/// Lines after the edit (existing lines keep their ids; removed units are canceled) with the new total.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderEdited {
    pub order: OrderId,
    pub lines: Vec<Line>,
    pub charges: Vec<Charge>,
    pub total: Amount,
}

/// Units of lines were canceled; the whole order when `closes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCanceled {
    pub order: OrderId,
    pub reason: SmolStr,
    pub lines: Vec<CanceledLine>,
    pub closes: bool,
    /// What the order is worth less by the canceled units.
    pub amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanceledLine {
    pub line: LineId,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseChanged {
    pub order: OrderId,
    pub lines: Vec<LinePromise>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePromise {
    pub line: LineId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Promise>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Promise>,
}

/// The day of preordered lines has come, or was put off meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAvailable {
    pub order: OrderId,
    pub lines: Vec<AvailableLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableLine {
    pub line: LineId,
    /// Where the item's day was put off: when it may leave now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ships_from: Option<Timestamp>,
}

/// A promised day ended with units that have not left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLate {
    pub order: OrderId,
    /// When the earliest of the broken promises ended.
    pub late_at: Timestamp,
    pub lines: Vec<LateLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateLine {
    pub line: LineId,
    pub promised_ship_by: Date,
}

/// How an order stands at the end of a transaction that changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderUpdated {
    pub order: OrderId,
    /// The version that clients send as `If-Match`.
    pub version: u64,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub allocation_status: AllocationStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub total: Amount,
    pub balance_due: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCompleted {
    pub order: OrderId,
}
