//! Suppliers, purchase orders and replenishment policies.

use crate::id::{LocationCode, PurchaseOrderId, Sku, SupplierCode};
use crate::money::{Amount, Currency};
use crate::notification::Delivery;
use crate::quantity::Quantity;
use crate::table::{Lookup, Table};
use crate::text::{Metadata, Sealed};
use crate::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub type PolicyKey = (Sku, LocationCode);

#[derive(Debug, Default, Clone)]
pub struct Purchasing {
    pub suppliers: Table<SupplierCode, Supplier>,
    pub policies: Table<PolicyKey, Policy>,
    pub orders: Table<PurchaseOrderId, PurchaseOrder>,
    /// The open draft that replenishment adds to, by supplier and location.
    pub(crate) drafts: Lookup<(SupplierCode, LocationCode), PurchaseOrderId>,
}

/// Contact data of suppliers is business data and stands clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplier {
    pub code: SupplierCode,
    pub name: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<SmolStr>,
    pub lead_time_days: u16,
    pub currency: Currency,
    /// Smallest worth of an order that is sent by itself.
    #[serde(default)]
    pub order_minimum: Amount,
    pub auto: Auto,
    /// How a sent purchase order reaches the supplier.
    #[serde(default, skip_serializing_if = "DispatchVia::is_none")]
    pub dispatch: DispatchVia,
    /// Where purchase orders are posted to, with [`DispatchVia::Webhook`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Box<SupplierWebhook>>,
    /// Drafts wait for it; without, they are sent at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<Cutoff>,
    pub active: bool,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    pub version: u64,
    pub created_at: Timestamp,
}

/// When drafts of a supplier go out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutoff {
    /// Minutes after local midnight.
    pub minute: u16,
    /// Monday is 0.
    pub weekdays: Vec<u8>,
    /// IANA name.
    pub time_zone: SmolStr,
}

/// What replenishment does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auto {
    Send,
    Draft,
    Alert,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierWebhook {
    pub url: SmolStr,
    /// Key of the signatures over what is posted; only the vault can open it.
    pub secret: Sealed,
}

/// How a purchase order goes out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchVia {
    /// A person tells the supplier.
    #[default]
    None,
    /// To the supplier's `email`, the lines attached as CSV.
    Mail,
    /// Posted to the supplier's `webhook_url`, signed.
    Webhook,
}

impl DispatchVia {
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl Supplier {
    /// Drafts go out by themselves.
    pub fn sends(&self) -> bool {
        self.active && self.auto == Auto::Send
    }
}

/// The way of a purchase order to its supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    pub via: DispatchVia,
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// When and how much of a SKU is ordered for a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub sku: Sku,
    pub location: LocationCode,
    #[serde(flatten)]
    pub source: Source,
    /// For a source location, which has no `auto` of its own; by default `draft`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto: Option<Auto>,
    pub reorder_point: Quantity,
    #[serde(flatten)]
    pub amount: OrderAmount,
    pub moq: Quantity,
    pub multiple: Quantity,
    /// Overrides the supplier's; for a source location, days in transit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_time_days: Option<u16>,
    #[serde(default)]
    pub unit_cost: Amount,
    pub active: bool,
    pub version: u64,
}

/// Where units come from: a supplier by purchase order, or another location by transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Supplier(SupplierCode),
    SourceLocation(LocationCode),
}

impl Source {
    /// `None` for a location.
    pub fn supplier(&self) -> Option<&SupplierCode> {
        match self {
            Self::Supplier(code) => Some(code),
            Self::SourceLocation(_) => None,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Supplier(code) => code.fmt(f),
            Self::SourceLocation(code) => code.fmt(f),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAmount {
    OrderUpTo(Quantity),
    ReorderQuantity(Quantity),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrder {
    pub id: PurchaseOrderId,
    pub supplier: SupplierCode,
    pub location: LocationCode,
    pub status: PurchaseOrderStatus,
    /// Made by replenishment, which may amend it until it is sent.
    pub automatic: bool,
    pub currency: Currency,
    pub lines: Vec<PurchaseLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    /// When the draft goes out by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// How it reaches the supplier, once sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<Box<Dispatch>>,
    /// The missed day that was told, while its lines are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseLine {
    pub sku: Sku,
    pub ordered: Quantity,
    pub received: Quantity,
    pub canceled: Quantity,
    #[serde(default)]
    pub unit_cost: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on: Option<Date>,
    /// The end of `expected_on` where the units arrive: from then on the supplier is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseOrderStatus {
    Draft,
    Sent,
    Acknowledged,
    PartiallyReceived,
    Received,
    ClosedShort,
    Canceled,
}

/// What can happen to a purchase order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseStep {
    Send,
    Acknowledge,
    ReceivePart,
    ReceiveAll,
    CloseShort,
    Cancel,
}

impl PurchaseOrderStatus {
    /// The lifecycle, whole.
    #[rustfmt::skip]
    pub fn after(self, step: PurchaseStep) -> Option<Self> {
        use PurchaseStep as Step;
        match (self, step) {
            (Self::Draft, Step::Send)                                                     => Some(Self::Sent),
            (Self::Sent | Self::Acknowledged, Step::Acknowledge)                          => Some(Self::Acknowledged),
            (Self::PartiallyReceived, Step::Acknowledge)                                  => Some(Self::PartiallyReceived),
            (Self::Sent | Self::Acknowledged | Self::PartiallyReceived, Step::ReceivePart) => Some(Self::PartiallyReceived),
            (Self::Sent | Self::Acknowledged | Self::PartiallyReceived, Step::ReceiveAll)  => Some(Self::Received),
            (Self::Sent | Self::Acknowledged | Self::PartiallyReceived, Step::CloseShort)  => Some(Self::ClosedShort),
            (Self::Draft | Self::Sent | Self::Acknowledged, Step::Cancel)                 => Some(Self::Canceled),
            (Self::Draft, Step::Acknowledge | Step::ReceivePart | Step::ReceiveAll | Step::CloseShort)
            | (Self::Sent | Self::Acknowledged | Self::PartiallyReceived, Step::Send)
            | (Self::PartiallyReceived, Step::Cancel)
            | (Self::Received | Self::ClosedShort | Self::Canceled, _)                    => None,
        }
    }

    /// Nothing more comes of it.
    pub fn is_over(self) -> bool {
        match self {
            Self::Received | Self::ClosedShort | Self::Canceled => true,
            Self::Draft | Self::Sent | Self::Acknowledged | Self::PartiallyReceived => false,
        }
    }
}

impl PurchaseLine {
    /// max(0, ordered − received − canceled).
    pub fn open(&self) -> Quantity {
        self.ordered.saturating_sub(self.received).saturating_sub(self.canceled)
    }
}

impl PurchaseOrder {
    /// Nothing more comes of it, and nothing of it has to go out: it may leave memory once stored.
    pub fn may_leave(&self) -> bool {
        self.status.is_over() && self.dispatch.as_ref().is_none_or(|dispatch| dispatch.delivery.status.is_over())
    }

    /// When the first of the open lines is late; `None` while nothing is dated, and for drafts.
    pub fn late_at(&self) -> Option<Timestamp> {
        let open = self.lines.iter().filter(|line| !line.open().is_zero());
        open.filter_map(|line| line.late_at).min().filter(|_| self.status != PurchaseOrderStatus::Draft)
    }

    /// What the lines cost.
    pub fn total(&self) -> Amount {
        self.lines.iter().filter_map(|line| line.unit_cost.checked_mul((line.ordered.saturating_sub(line.canceled)).get())).sum()
    }
}
