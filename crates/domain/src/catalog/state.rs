//! What the shop sells, where it keeps it, and through which channels it sells.

use crate::alert::AlertRouting;
use crate::id::{ChannelCode, LocationCode, Sku};
use crate::money::{Amount, Currency};
use crate::notification::TopicKind;
use crate::quantity::Quantity;
use crate::table::Table;
use crate::text::Metadata;
use crate::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Debug, Default, Clone)]
pub struct Catalog {
    pub items: Table<Sku, Item>,
    pub locations: Table<LocationCode, Location>,
    pub channels: Table<ChannelCode, Channel>,
    pub settings: Table<(), Settings>,
}

/// Something that orders name by its SKU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub sku: Sku,
    pub name: SmolStr,
    #[serde(flatten)]
    pub kind: ItemKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost: Option<UnitCost>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    pub backorder_cap: BackorderCap,
    /// The stricter of order, item and channel wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_shortage: Option<Shortage>,
    /// Preorder: nothing ships before this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_from: Option<Date>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    pub status: ItemStatus,
    pub version: u64,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitCost {
    pub amount: Amount,
    pub currency: Currency,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ItemKind {
    Stocked,
    /// Sold as one, kept as components. Ships whole per location unless `split_kit`.
    Kit {
        components: Vec<Component>,
        split_kit: bool,
    },
    /// Never stocked: postage, gift wrap.
    Service,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub sku: Sku,
    /// Units of the component in one kit; at least 1.
    pub quantity: Quantity,
}

/// How many units may be sold beyond what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackorderCap {
    None,
    Limit(Quantity),
    UpToIncoming,
    Unlimited,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    Active,
    Retired,
}

/// What happens when stock is short, the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// The order is recorded and refused.
    Reject,
    /// Wait until the whole order can ship.
    Backorder,
    /// Ship what is there now, the rest later.
    Split,
    /// Ship what is there, cancel the rest.
    Partial,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    pub code: LocationCode,
    pub name: SmolStr,
    pub address: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// IANA name, for example `America/Chicago`.
    pub time_zone: SmolStr,
    /// Minutes after local midnight; orders later than this count from the next working day.
    pub cutoff_minute: u16,
    /// Days on which the location ships; Monday is 0.
    pub working_days: Vec<u8>,
    pub handling_days: u16,
    /// Lower is asked first.
    pub priority: u16,
    pub kind: LocationKind,
    pub active: bool,
    pub version: u64,
    pub created_at: Timestamp,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<SmolStr>,
    /// ISO 3166 alpha-2.
    pub country: SmolStr,
}

/// Millionths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coordinates {
    pub latitude: i32,
    pub longitude: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocationKind {
    Warehouse,
    Store,
    Supplier,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub code: ChannelCode,
    pub name: SmolStr,
    pub kind: ChannelKind,
    /// Sells from these; empty means from every active location.
    pub locations: Vec<LocationCode>,
    pub buffer: Buffer,
    pub on_shortage: Shortage,
    pub payment: PaymentPolicy,
    /// First rule ranks first; a draw is decided by location priority, then code.
    pub sourcing: Vec<SourcingRule>,
    /// How customers hear of their orders by mail; without it they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Box<ChannelMail>>,
    pub active: bool,
    pub version: u64,
    pub created_at: Timestamp,
}

/// Mail to the customers of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelMail {
    /// As RFC 5322 writes it: `Acme Shop <shop@acme.example>`.
    pub sender: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<SmolStr>,
    /// Where a customer pays again. `{order}`, `{number}` and `{external_id}` are filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_url: Option<SmolStr>,
    /// The shop's own page about an order, instead of ours; filled in as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_url: Option<SmolStr>,
    /// Language of customers who name none: a BCP 47 tag such as `en` or `de-CH`.
    #[serde(default = "english")]
    pub locale: SmolStr,
    /// What this channel does not write about.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub opt_outs: BTreeSet<TopicKind>,
}

fn english() -> SmolStr {
    SmolStr::new_static("en")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Web,
    Store,
    /// Orders arrive already sold: they always backorder and raise an alert when short.
    Marketplace,
    Wholesale,
}

/// Kept back from the channel, of what is available over its locations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buffer {
    None,
    Units(Quantity),
    /// 0 to 100, rounded up to whole units.
    Percent(u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentPolicy {
    pub timing: PaymentTiming,
    pub backorder: BackorderPayment,
    /// From `payment.requested` until the order is canceled for want of payment, in milliseconds.
    pub window_ms: i64,
    /// Which connector is asked: `test`, `manual`, `stripe`, ….
    pub gateway: SmolStr,
    /// Where a gateway captures only once per authorization.
    pub single_capture: SingleCapture,
    /// The gateway captures an authorization in several parts.
    pub multicapture: bool,
    /// The gateway captures up to this many percent more than it authorized, 0 to 100: an edit within it needs no new authorization.
    #[serde(default)]
    pub overcapture_percent: u8,
    /// What happens when an authorization runs out that is still needed.
    #[serde(default)]
    pub on_expiry: OnExpiry,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// Asked for anew with the same token; what is released stops until it is there.
    #[default]
    Reauthorize,
    /// The order is held until a person decides.
    Hold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentTiming {
    CaptureAtShipment,
    CaptureAtPlacement,
    Invoice,
    /// The order arrives with payments made elsewhere.
    Outside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackorderPayment {
    Now,
    OnAllocation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SingleCapture {
    FirstShipment,
    LastShipment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum SourcingRule {
    /// Locations in the ship-to country first.
    SameCountry,
    /// Locations in the ship-to country and region first.
    SameRegion,
    /// For a ship-to in this country (and region), these locations first, in this order.
    Prefer {
        country: SmolStr,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<SmolStr>,
        locations: Vec<LocationCode>,
    },
    /// Lower location priority first.
    Priority,
    /// Locations that can ship more of the order first.
    FewestSplits,
    /// Smaller distance from the ship-to coordinates first.
    Nearest,
}

/// Rules of the whole shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Shipped orders without tracking complete after this many days.
    pub complete_after_days: u16,
    /// Added to a purchase order's date when a promise leans on it.
    pub promise_margin_days: u16,
    /// Units of variance above which a count needs approval; `None` means never.
    pub count_approval_units: Option<Quantity>,
    /// Percent above the ordered quantity that a receipt takes without confirmation.
    pub over_receipt_percent: u8,
    /// Hours before an authorization runs out at which somebody is told.
    #[serde(default = "authorization_warning_hours")]
    pub authorization_warning_hours: u16,
    /// Who is told of alerts; nobody without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Arc<AlertRouting>>,
    /// The day of the last digest; kept by the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_digest: Option<Date>,
    pub version: u64,
}

fn authorization_warning_hours() -> u16 {
    24
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            complete_after_days: 14,
            promise_margin_days: 1,
            count_approval_units: None,
            over_receipt_percent: 0,
            authorization_warning_hours: authorization_warning_hours(),
            alerts: None,
            last_digest: None,
            version: 0,
        }
    }
}

impl Catalog {
    pub fn settings(&self) -> Settings {
        self.settings.get(&()).cloned().unwrap_or_default()
    }
}
