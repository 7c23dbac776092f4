//! What a file says, one thing at a time, each with an id that is the same whenever and from whichever file it is read.

use super::table::Row;
use domain::catalog::{Item, Location};
use domain::event::stock::Bucket;
use domain::id::{LocationCode, Sku, SupplierCode};
use domain::money::Currency;
use domain::purchasing::{Policy, Supplier};
use domain::quantity::Quantity;
use domain::time::{Date, Timestamp};
use std::collections::BTreeSet;

/// Something that is imported as a whole or not at all.
pub struct Unit {
    /// Kept in the log with what it brought about: it is never imported twice.
    pub id: String,
    /// What it said, hashed: the same id with another digest is told, not imported.
    pub digest: String,
    pub rows: Vec<Row>,
    /// Line of the row whose first step was another unit: this one goes the way of that.
    pub follows: Option<u64>,
    pub what: What,
}

/// Fields that a row says something about.
pub type Given = BTreeSet<String>;

pub enum What {
    Order(Box<Sale>),
    /// Goods that came back without an order, restocked.
    Return {
        name: String,
        at: Timestamp,
        lines: Vec<(Sku, u32)>,
    },
    Adjustment {
        at: Timestamp,
        sku: Sku,
        delta: i64,
        reason: String,
        reference: String,
    },
    Item(Box<Item>, Given),
    /// An item that is sold no more.
    Retired(Sku),
    Location(Box<Location>, Given),
    Stock(Level),
    Safety(Safety),
    Supplier(Box<Supplier>, Given),
    Policy(Box<Policy>),
    PurchaseOrder(Bought),
}

/// An order of the file.
pub struct Sale {
    pub name: String,
    pub channel: String,
    pub location: String,
    pub at: Timestamp,
    pub currency: Currency,
    pub prices_include_tax: bool,
    pub person: Person,
    pub lines: Vec<SaleLine>,
    /// Kind, amount and tax in minor units.
    pub charges: Vec<(&'static str, i64, i64)>,
    pub total: Option<i64>,
    pub paid: Option<(i64, String)>,
    pub note: String,
    pub metadata: Vec<(&'static str, String)>,
}

pub struct SaleLine {
    pub line_id: String,
    pub sku: Sku,
    pub quantity: u32,
    /// Minor units.
    pub unit_price: i64,
    pub discount: i64,
    pub tax: i64,
}

/// Who bought and where it goes; empty where the file says nothing.
#[derive(Default)]
pub struct Person {
    pub customer: String,
    pub email: String,
    pub name: String,
    pub phone: String,
    pub ship_name: String,
    pub company: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    /// ISO 3166, or empty.
    pub country: String,
}

pub struct Level {
    pub sku: Sku,
    pub location: LocationCode,
    pub bucket: Bucket,
    pub quantity: u32,
    /// Of what is on hand, the buckets that the same row counts: their units are no part of the quantity.
    pub parts: Vec<Bucket>,
    pub set: bool,
    pub at: Option<Timestamp>,
}

/// Units of a level that are kept back from orders.
pub struct Safety {
    pub sku: Sku,
    pub location: LocationCode,
    pub quantity: Quantity,
}

pub struct Bought {
    pub name: String,
    pub supplier: SupplierCode,
    pub location: LocationCode,
    pub ordered_at: Option<Timestamp>,
    /// The supplier knows nothing of it yet.
    pub draft: bool,
    pub lines: Vec<BoughtLine>,
}

pub struct BoughtLine {
    pub sku: Sku,
    pub ordered: u32,
    pub received: u32,
    pub unit_cost: Option<i64>,
    pub expected_on: Option<Date>,
}

/// A row that is not imported, and why.
pub struct Rejected {
    pub row: Row,
    pub reason: String,
}

pub enum Found {
    Unit(Unit),
    Rejected(Rejected),
    /// So many rows of an order that is imported the other way, as history or live, or of a purchase order that is over.
    Left(u64),
}

/// A short hash that tells one content from another.
pub fn digest(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
