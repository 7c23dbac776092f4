//! Asked of purchasing.

use crate::event::purchasing::ReceivedUnits;
use crate::id::{LocationCode, PurchaseOrderId, Sku, SupplierCode};
use crate::money::Amount;
use crate::purchasing::{Policy, Supplier};
use crate::quantity::Quantity;
use crate::stock::LevelKey;
use crate::time::{Date, Timestamp};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    CreateSupplier(Supplier),
    UpdateSupplier {
        supplier: Supplier,
        expected_version: Option<u64>,
    },
    SetPolicy {
        policy: Policy,
        expected_version: Option<u64>,
    },
    DeletePolicy {
        sku: Sku,
        location: LocationCode,
    },
    CreatePurchaseOrder {
        supplier: SupplierCode,
        location: LocationCode,
        reference: Option<SmolStr>,
        lines: Vec<WantedLine>,
    },
    /// An order that the supplier has already: nothing is sent, what is open counts as incoming.
    ImportPurchaseOrder {
        supplier: SupplierCode,
        location: LocationCode,
        reference: Option<SmolStr>,
        /// Without: now.
        ordered_at: Option<Timestamp>,
        lines: Vec<OpenLine>,
    },
    /// Drafts only: quantities as they shall be; lines that are not named stay.
    AmendPurchaseOrder {
        order: PurchaseOrderId,
        lines: Vec<WantedLine>,
    },
    SendPurchaseOrder {
        order: PurchaseOrderId,
    },
    /// An acknowledgment, an advance ship notice or a new date.
    Acknowledge {
        order: PurchaseOrderId,
        reference: Option<SmolStr>,
        lines: Vec<ExpectedLine>,
    },
    Receive {
        order: PurchaseOrderId,
        lines: Vec<ReceivedUnits>,
        confirm_over_receipt: bool,
    },
    CloseShort {
        order: PurchaseOrderId,
    },
    Cancel {
        order: PurchaseOrderId,
        reason: SmolStr,
    },
    /// From `due`: what stands behind these policies has changed.
    ReviewPolicies {
        levels: Vec<LevelKey>,
    },
    /// From `due`: the day on which units were expected has ended.
    NoticeLate {
        order: PurchaseOrderId,
    },
    /// From `due`: the supplier's cutoff has come.
    SendAtCutoff {
        order: PurchaseOrderId,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct WantedLine {
    pub sku: Sku,
    pub quantity: Quantity,
    pub unit_cost: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedLine {
    pub sku: Sku,
    pub expected_on: Date,
}

/// A line of an order that is under way already.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenLine {
    pub sku: Sku,
    pub ordered: Quantity,
    /// Of `ordered`, what arrived before.
    pub received: Quantity,
    pub unit_cost: Option<Amount>,
    pub expected_on: Option<Date>,
}
