//! Facts about suppliers, purchase orders and replenishment.

use crate::id::{LocationCode, PurchaseOrderId, ReceiptId, Sku, SupplierCode, TransferId};
use crate::notification::Failure;
use crate::purchasing::{DispatchVia, Policy, PurchaseLine, PurchaseOrder, Source, Supplier};
use crate::quantity::Quantity;
use crate::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierCreated {
    pub supplier: Supplier,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierUpdated {
    pub supplier: Supplier,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySet {
    pub policy: Policy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDeleted {
    pub sku: Sku,
    pub location: LocationCode,
}

/// The inventory position fell to the reorder point, with everything that decided how much is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplenishmentTriggered {
    pub sku: Sku,
    pub location: LocationCode,
    #[serde(flatten)]
    pub source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order: Option<PurchaseOrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferId>,
    pub on_hand: Quantity,
    pub unavailable: Quantity,
    pub incoming: Quantity,
    pub drafted: Quantity,
    pub allocated: Quantity,
    pub backordered: Quantity,
    /// On hand − unavailable + incoming + drafted − allocated − backordered.
    pub inventory_position: i64,
    pub reorder_point: Quantity,
    pub moq: Quantity,
    pub multiple: Quantity,
    /// What is ordered.
    pub quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderCreated {
    pub purchase_order: PurchaseOrder,
}

/// Lines after the amendment, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderAmended {
    pub purchase_order: PurchaseOrderId,
    pub lines: Vec<PurchaseLine>,
}

/// The order minimum was not reached at the cutoff; the draft waits for the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderPostponed {
    pub purchase_order: PurchaseOrderId,
    pub send_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderSent {
    pub purchase_order: PurchaseOrderId,
    /// By line, from the lead time.
    pub expected_on: Vec<Date>,
    /// By line, the end of the expected day where the units arrive.
    #[serde(default)]
    pub late_at: Vec<Timestamp>,
}

/// It has to reach the supplier by mail or webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchRequested {
    pub purchase_order: PurchaseOrderId,
    pub via: DispatchVia,
}

/// The supplier's side took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatched {
    pub purchase_order: PurchaseOrderId,
    pub reference: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchDeferred {
    pub purchase_order: PurchaseOrderId,
    #[serde(flatten)]
    pub failure: Failure,
    pub retry_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchFailed {
    pub purchase_order: PurchaseOrderId,
    #[serde(flatten)]
    pub failure: Failure,
}

/// The supplier may have it or not. It is not sent again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchInDoubt {
    pub purchase_order: PurchaseOrderId,
    #[serde(flatten)]
    pub failure: Failure,
}

/// The supplier confirmed, or told new dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderAcknowledged {
    pub purchase_order: PurchaseOrderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    pub lines: Vec<PurchaseLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderReceived {
    pub purchase_order: PurchaseOrderId,
    pub receipt: ReceiptId,
    pub lines: Vec<ReceivedUnits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedUnits {
    pub sku: Sku,
    /// Fit for sale.
    pub accepted: Quantity,
    pub damaged: Quantity,
}

/// The expected day of open lines has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderLate {
    pub purchase_order: PurchaseOrderId,
    pub supplier: SupplierCode,
    pub late_at: Timestamp,
    pub lines: Vec<LateUnits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateUnits {
    pub sku: Sku,
    pub open: Quantity,
    pub expected_on: Date,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderClosedShort {
    pub purchase_order: PurchaseOrderId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrderCanceled {
    pub purchase_order: PurchaseOrderId,
    pub reason: SmolStr,
}
