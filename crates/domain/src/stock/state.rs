//! Stock levels and holds.

use crate::id::{ChannelCode, HoldId, LocationCode, PurchaseOrderId, ReceiptId, Sku, TransferId};
use crate::quantity::Quantity;
use crate::table::{Lookup, Table};
use crate::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeSet;

pub type LevelKey = (Sku, LocationCode);

#[derive(Debug, Default, Clone)]
pub struct Stock {
    pub levels: Table<LevelKey, Level>,
    /// Active holds; ended ones live in the store.
    pub holds: Table<HoldId, Hold>,
    pub receipts: Table<ReceiptId, Receipt>,
    pub(crate) holds_by_owner: Lookup<SmolStr, BTreeSet<HoldId>>,
    pub(crate) holds_by_level: Lookup<LevelKey, BTreeSet<HoldId>>,
    /// Locations that ever kept a SKU, in order.
    pub(crate) locations_of: Lookup<Sku, BTreeSet<LocationCode>>,
}

/// What stands at one location of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub sku: Sku,
    pub location: LocationCode,
    pub version: u64,
    pub on_hand: Quantity,
    pub allocated: Quantity,
    /// Part of `allocated`.
    pub picked: Quantity,
    pub held: Quantity,
    pub unavailable: Unavailable,
    pub safety_stock: Quantity,
    pub backordered: Quantity,
    /// Open purchase orders and transfers that bring units here, soonest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Expected>,
    pub flows: Flows,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    pub damaged: Quantity,
    pub quality_control: Quantity,
    pub quarantine: Quantity,
}

impl Unavailable {
    pub fn total(&self) -> Quantity {
        self.damaged + self.quality_control + self.quarantine
    }

    pub fn of(&self, bucket: UnavailableBucket) -> Quantity {
        match bucket {
            UnavailableBucket::Damaged => self.damaged,
            UnavailableBucket::QualityControl => self.quality_control,
            UnavailableBucket::Quarantine => self.quarantine,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnavailableBucket {
    Damaged,
    QualityControl,
    Quarantine,
}

/// Units on their way to a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub source: ExpectedSource,
    pub quantity: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on: Option<Date>,
    /// A draft is not sent yet: it counts in the inventory position, not in `incoming`.
    pub draft: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedSource {
    PurchaseOrder(PurchaseOrderId),
    Transfer(TransferId),
}

/// Lifetime sums of what came and went, for the conservation invariant:
/// on hand = opening + received + returned + transferred in − shipped − transferred out ± adjusted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flows {
    pub opening: i64,
    pub received: i64,
    pub returned: i64,
    pub transferred_in: i64,
    pub shipped: i64,
    pub transferred_out: i64,
    pub adjusted: i64,
}

impl Flows {
    pub fn on_hand(&self) -> i64 {
        self.opening + self.received + self.returned + self.transferred_in - self.shipped - self.transferred_out + self.adjusted
    }
}

impl Level {
    pub fn new(sku: Sku, location: LocationCode) -> Self {
        Self {
            sku,
            location,
            version: 0,
            on_hand: Quantity::ZERO,
            allocated: Quantity::ZERO,
            picked: Quantity::ZERO,
            held: Quantity::ZERO,
            unavailable: Unavailable::default(),
            safety_stock: Quantity::ZERO,
            backordered: Quantity::ZERO,
            expected: Vec::new(),
            flows: Flows::default(),
        }
    }

    /// On hand − allocated − held − unavailable: what no one has a claim on. Never negative (invariant 1).
    pub fn unclaimed(&self) -> Quantity {
        self.on_hand - self.allocated - self.held - self.unavailable.total()
    }

    /// What may be promised to a new order: unclaimed less the selling buffer, shown as 0 when below.
    pub fn available(&self) -> Quantity {
        self.unclaimed().saturating_sub(self.safety_stock)
    }

    /// Units of sent purchase orders and of transfers in transit.
    pub fn incoming(&self) -> Quantity {
        self.expected.iter().filter(|expected| !expected.draft).map(|expected| expected.quantity).sum()
    }

    pub fn drafted(&self) -> Quantity {
        self.expected.iter().filter(|expected| expected.draft).map(|expected| expected.quantity).sum()
    }

    /// The soonest dated delivery that is not a draft.
    pub fn next_incoming(&self) -> Option<&Expected> {
        self.expected
            .iter()
            .filter(|expected| !expected.draft && expected.expected_on.is_some())
            .min_by_key(|expected| expected.expected_on)
    }

    /// On hand − unavailable + incoming − allocated − backordered, as shown to people.
    pub fn inventory_position(&self) -> i64 {
        self.on_hand.signed() - self.unavailable.total().signed() + self.incoming().signed()
            - self.allocated.signed()
            - self.backordered.signed()
    }

    pub fn snapshot(&self) -> LevelAfter {
        LevelAfter {
            version: self.version,
            on_hand: self.on_hand,
            allocated: self.allocated,
            picked: self.picked,
            held: self.held,
            unavailable: self.unavailable.total(),
            available: self.available(),
            backordered: self.backordered,
        }
    }
}

/// A level as it is after the line of the event that carries it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelAfter {
    pub version: u64,
    pub on_hand: Quantity,
    pub allocated: Quantity,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub picked: Quantity,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held: Quantity,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unavailable: Quantity,
    pub available: Quantity,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub backordered: Quantity,
}

fn is_zero(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

/// Stock reserved for an owner (a cart), always with an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub id: HoldId,
    pub owner: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelCode>,
    pub status: HoldStatus,
    pub lines: Vec<HoldLine>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLine {
    pub sku: Sku,
    pub location: LocationCode,
    /// What is still held; bad news may have taken some away.
    pub quantity: Quantity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    Active,
    Consumed,
    Released,
    Expired,
    /// Bad news took every unit.
    Broken,
}

/// Stock that arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub id: ReceiptId,
    pub location: LocationCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order: Option<PurchaseOrderId>,
    pub lines: Vec<ReceiptLine>,
    pub reversed: bool,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptLine {
    pub sku: Sku,
    pub quantity: Quantity,
}

impl Stock {
    pub fn level(&self, sku: &Sku, location: &LocationCode) -> Option<&Level> {
        self.levels.get(&(sku.clone(), location.clone()))
    }

    /// Locations that ever kept the SKU, in the order of their codes.
    pub fn locations_of(&self, sku: &Sku) -> impl Iterator<Item = &LocationCode> {
        self.locations_of.get(sku).into_iter().flatten()
    }

    /// Active holds of an owner, oldest first.
    pub fn holds_of(&self, owner: &str) -> impl Iterator<Item = &Hold> {
        self.holds_by_owner.get(owner).into_iter().flatten().filter_map(|id| self.holds.get(id))
    }

    /// Active holds on a level, oldest first.
    pub fn holds_on(&self, key: &LevelKey) -> impl DoubleEndedIterator<Item = &Hold> {
        self.holds_by_level.get(key).into_iter().flatten().filter_map(|id| self.holds.get(id))
    }
}
