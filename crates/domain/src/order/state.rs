//! Cases: an order with its payments, fulfillments, returns, timers and outstanding effects, which live and leave as one.

use crate::catalog::{Coordinates, Shortage};
use crate::fulfillment::Fulfillment;
use crate::id::{ChannelCode, ChargeId, CustomerId, LineId, LocationCode, OrderId, PurchaseOrderId, Sku, TransferId};
use crate::money::{Amount, Currency};
use crate::notification::Notification;
use crate::payment::{Effect, Payment, Refund};
use crate::quantity::Quantity;
use crate::returns::Return;
use crate::text::{Fingerprint, Metadata, Sealed};
use crate::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub order: Order,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fulfillments: Vec<Fulfillment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<Return>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// Mails to the customer, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<Notification>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<Timer>,
    /// Events of this case so far: its subject sequence.
    pub events: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    pub number: SmolStr,
    pub version: u64,
    pub channel: ChannelCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    /// Hash of the request's content, to tell a repeat from another order of the same external id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<SmolStr>,
    pub origin: Origin,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub allocation_status: AllocationStatus,
    pub fulfillment_status: FulfillmentStatus,
    /// Why the order is on hold, canceled or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<SmolStr>,
    pub currency: Currency,
    pub prices_include_tax: bool,
    /// The strictest of order, items and channel.
    pub on_shortage: Shortage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_owner: Option<SmolStr>,
    /// Higher is served first.
    pub priority: i16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Buyer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<ShipTo>,
    pub lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// As placed or edited last; cancellations stand in `canceled_amount`.
    pub total: Amount,
    /// What canceled units and charges were worth.
    #[serde(default)]
    pub canceled_amount: Amount,
    /// Shipped orders complete after this many days without tracking, as the shop had it at placement.
    pub complete_after_days: u16,
    /// The broken promise that was told, while units of it have still to leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_since: Option<Timestamp>,
    /// What was last said about the order's stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Announced>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    pub notify: bool,
    /// Token that the channel's gateway charges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_token: Option<SmolStr>,
    /// Payments made elsewhere that came with the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claimed_payments: Vec<ClaimedPayment>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// The last fact told about the stock of an order, so that each is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announced {
    Allocated,
    Backordered,
}

/// A payment made elsewhere, as the order told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedPayment {
    pub gateway: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    pub captured: bool,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Imported history is seen and counted, but nothing acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Live,
    Import,
}

/// Who bought. `details` opens to name, mail, phone and locale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub id: CustomerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Sealed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_fingerprint: Option<Fingerprint>,
}

/// Where it goes. What sourcing reads stands clear; the rest is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipTo {
    /// ISO 3166 alpha-2.
    pub country: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Sealed>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub id: LineId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    pub sku: Sku,
    pub name: SmolStr,
    pub kind: LineKind,
    pub ordered: Quantity,
    /// Whole line units taken out again by edit, cancel, rejection or `partial`.
    pub canceled: Quantity,
    pub unit_price: Amount,
    pub discount: Amount,
    pub tax: Amount,
    /// As sent; never derived again.
    pub total: Amount,
    /// What has to be taken from stock: the SKU itself, or a kit's components as they were at placement. None for services.
    pub parts: Vec<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Promise>,
    /// Preorder: nothing of the line leaves before. `None` once the day has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ships_from: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Stocked,
    Kit { split_kit: bool },
    Service,
}

/// Units of one SKU that a line needs. ordered = allocated + backordered + shipped + canceled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub sku: Sku,
    /// Units in one unit of the line.
    pub per_unit: Quantity,
    pub ordered: Quantity,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<Allocation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backorders: Vec<Backorder>,
    pub shipped: Quantity,
    pub canceled: Quantity,
    pub returned: Quantity,
}

/// Units committed to a part at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    pub location: LocationCode,
    pub quantity: Quantity,
    /// Of `quantity`, on fulfillments that were released.
    pub released: Quantity,
    /// Of `released`, already picked.
    pub picked: Quantity,
}

/// Units sold and not yet covered; always at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backorder {
    pub location: LocationCode,
    pub quantity: Quantity,
}

/// The day by which a line leaves, and what that leans on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    pub ship_by: Date,
    pub source: PromiseSource,
    /// The end of `ship_by` where the line leaves: from then on it is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseSource {
    Stock(LocationCode),
    PurchaseOrder(PurchaseOrderId),
    Transfer(TransferId),
    AvailableFrom,
    LeadTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    pub id: ChargeId,
    pub kind: SmolStr,
    pub amount: Amount,
    pub tax: Amount,
    pub total: Amount,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    Open,
    OnHold,
    Completed,
    Canceled,
    Rejected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    None,
    Pending,
    Authorized,
    PartiallyCaptured,
    Captured,
    PartiallyRefunded,
    Refunded,
    Failed,
    Voided,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationStatus {
    None,
    Partial,
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentStatus {
    Unfulfilled,
    Partial,
    Shipped,
    Delivered,
}

/// Something that a case waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub at: Timestamp,
    pub kind: TimerKind,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// No payment within the channel's window: cancel and release.
    PaymentWindow,
    /// An authorization runs out soon.
    AuthorizationWarning(crate::id::PaymentId),
    /// An authorization runs out.
    AuthorizationExpiry(crate::id::PaymentId),
    /// The day of a preordered line comes.
    Available,
    /// A promise is broken unless the units leave before.
    Late,
    /// An outside action has been outstanding for too long.
    EffectStuck,
    /// Shipped without tracking: complete.
    Completion,
}

impl Part {
    pub fn allocated(&self) -> Quantity {
        self.allocations.iter().map(|allocation| allocation.quantity).sum()
    }

    pub fn backordered(&self) -> Quantity {
        self.backorders.iter().map(|backorder| backorder.quantity).sum()
    }

    /// Units that still have to ship.
    pub fn open(&self) -> Quantity {
        self.ordered - self.shipped - self.canceled
    }
}

impl Line {
    /// Whole line units allocated: for a kit, those of which every component is.
    pub fn allocated(&self) -> Quantity {
        self.whole(Part::allocated)
    }

    pub fn shipped(&self) -> Quantity {
        self.whole(|part| part.shipped)
    }

    pub fn returned(&self) -> Quantity {
        self.parts.iter().map(|part| part.returned.groups_of(part.per_unit)).min().unwrap_or_default()
    }

    /// What is neither allocated, shipped nor canceled.
    pub fn backordered(&self) -> Quantity {
        if self.parts.is_empty() {
            return Quantity::ZERO;
        }
        self.ordered.saturating_sub(self.canceled).saturating_sub(self.whole(|part| part.allocated() + part.shipped))
    }

    fn whole(&self, of: impl Fn(&Part) -> Quantity) -> Quantity {
        self.parts.iter().map(|part| of(part).groups_of(part.per_unit)).min().unwrap_or_default()
    }
}

impl Order {
    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines.get(usize::from(id.n).checked_sub(1)?)
    }

    /// What the customer has to pay for what was not canceled.
    pub fn owed(&self) -> Amount {
        self.total - self.canceled_amount
    }

    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.lines.iter().flat_map(|line| &line.parts)
    }

    /// A rejected order leaves its external id for the next try.
    pub fn frees_external_id(&self) -> bool {
        self.status == OrderStatus::Rejected
    }

    pub fn is_closed(&self) -> bool {
        match self.status {
            OrderStatus::Open | OrderStatus::OnHold => false,
            OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Rejected => true,
        }
    }
}

impl Case {
    /// Closed, without timers or outstanding effects and mails, and no return under way: it may leave memory once stored.
    pub fn may_leave(&self) -> bool {
        let quiet = self.timers.is_empty() && self.effects.is_empty() && self.outgoing().next().is_none();
        self.order.is_closed() && quiet && self.returns.iter().all(Return::is_closed)
    }

    /// Mails that have to go out.
    pub fn outgoing(&self) -> impl Iterator<Item = &Notification> {
        self.notifications.iter().filter(|notification| !notification.delivery.status.is_over())
    }
}
