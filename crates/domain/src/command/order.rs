//! Asked of orders.

use crate::catalog::Shortage;
use crate::id::{ChannelCode, LineId, LocationCode, OrderId, Sku};
use crate::money::{Amount, Currency};
use crate::order::{Buyer, ClaimKey, ClaimedPayment, Origin, ShipTo};
use crate::quantity::Quantity;
use crate::text::{Metadata, Sealed};
use crate::time::Timestamp;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    PlaceOrder(Box<PlaceOrder>),
    /// History: placed, shipped from one location and completed long ago. `placed_at` is required.
    ImportOrder {
        order: Box<PlaceOrder>,
        location: LocationCode,
    },
    HoldOrder {
        order: OrderId,
        reason: SmolStr,
        expected_version: Option<u64>,
    },
    ReleaseOrder {
        order: OrderId,
        expected_version: Option<u64>,
    },
    EditOrder(EditOrder),
    /// Without lines: the whole order, as far as it has not shipped.
    CancelOrder {
        order: OrderId,
        reason: SmolStr,
        lines: Vec<CancelLine>,
        expected_version: Option<u64>,
    },
    /// Moves what waits (at `from`, or anywhere) to where sourcing would put it now.
    ResourceOrder {
        order: OrderId,
        from: Option<LocationCode>,
        expected_version: Option<u64>,
    },
    /// From `due`: cancels what waits for a retired item that does not come any more.
    EndWaiting {
        sku: Sku,
        location: LocationCode,
    },
    /// From `due`: promises those anew who wait at a level behind a claim, or behind the first who were promised at once.
    PromiseAgain {
        sku: Sku,
        location: LocationCode,
        after: Option<ClaimKey>,
    },
    /// From `due`: a timer of the case has come.
    RingTimers {
        order: OrderId,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct PlaceOrder {
    pub channel: ChannelCode,
    pub external_id: Option<SmolStr>,
    /// Hash of the request's content: the same external id with the same content is the same order.
    pub content: Option<SmolStr>,
    pub origin: Origin,
    /// When history says it was placed; only with [`Origin::Import`].
    pub placed_at: Option<Timestamp>,
    pub currency: Currency,
    pub prices_include_tax: bool,
    pub on_shortage: Option<Shortage>,
    pub hold_owner: Option<SmolStr>,
    pub priority: i16,
    pub customer: Option<Buyer>,
    pub ship_to: Option<ShipTo>,
    pub lines: Vec<PlaceLine>,
    pub charges: Vec<PlaceCharge>,
    /// Checked against the parts when sent.
    pub total: Option<Amount>,
    /// Token that the channel's gateway charges.
    pub payment_token: Option<SmolStr>,
    /// Payments made elsewhere.
    pub payments: Vec<ClaimedPayment>,
    pub note: Option<Sealed>,
    pub notify: bool,
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PlaceLine {
    pub external_id: Option<SmolStr>,
    pub sku: Sku,
    pub quantity: Quantity,
    pub unit_price: Amount,
    pub discount: Amount,
    pub tax: Amount,
    /// Checked against quantity × unit price − discount (+ tax unless prices include it) when sent.
    pub total: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PlaceCharge {
    pub kind: SmolStr,
    pub amount: Amount,
    pub tax: Amount,
    pub total: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CancelLine {
    pub line: LineId,
    pub quantity: Quantity,
}

/// Before release: new quantities for lines, and lines to add.
#[derive(Debug, Clone, PartialEq)]
pub struct EditOrder {
    pub order: OrderId,
    pub expected_version: Option<u64>,
    pub set: Vec<EditLine>,
    pub add: Vec<PlaceLine>,
}

/// A line's new quantity, with the amounts that go with it; amounts not sent are scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct EditLine {
    pub line: LineId,
    pub quantity: Quantity,
    pub discount: Option<Amount>,
    pub tax: Option<Amount>,
}
