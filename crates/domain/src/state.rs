//! Everything the rules know, and the indexes that make it quick to ask.
//!
//! Entities live in [`Table`]s; what a transaction touched is taken out as after-images ([`Image`]). Indexes are derived:
//! they are never stored and never hashed.

use crate::access::Key;
use crate::alert::{self, Alert, Condition};
use crate::backlog::Backlog;
use crate::catalog::{Catalog, Channel, Item, ItemStatus, Location, Settings};
use crate::count::Count;
use crate::customer::Customer;
use crate::event::Subject;
use crate::id::{
    AlertId, ChannelCode, CountId, CustomerId, DeliveryId, EffectId, HoldId, KeyId, LocationCode, OrderId, PurchaseOrderId, ReceiptId,
    ReturnId, Sku, SubscriptionId, SupplierCode, TransferId,
};
use crate::memory::Fetch;
use crate::notification::Topic;
use crate::order::{Case, Claims};
use crate::purchasing::{Policy, PolicyKey, PurchaseOrder, Purchasing, Supplier};
use crate::returns::Return;
use crate::stock::{Hold, Level, LevelKey, Receipt, Stock};
use crate::subscription::Subscription;
use crate::table::{Lookup, Table};
use crate::time::Timestamp;
use crate::transfer::{Transfer, Transfers};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::{SmolStr, ToSmolStr};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Default, Clone)]
pub struct State {
    pub catalog: Catalog,
    pub stock: Stock,
    pub cases: Table<OrderId, Case>,
    pub purchasing: Purchasing,
    pub transfers: Transfers,
    pub counts: Table<CountId, Count>,
    pub customers: Table<CustomerId, Customer>,
    pub returns: Table<ReturnId, Return>,
    pub alerts: Table<AlertId, Alert>,
    pub keys: Table<KeyId, Key>,
    pub subscriptions: Table<SubscriptionId, Subscription>,
    pub counters: Table<(), Counters>,
    /// How many events each subject that is no order has had.
    pub(crate) subjects: Table<Subject, SubjectCount>,
    pub(crate) timers: BTreeSet<(Timestamp, TimerOwner)>,
    pub(crate) effects: BTreeMap<EffectId, OrderId>,
    /// Mails and purchase orders that have to go out.
    pub(crate) outbox: BTreeSet<DeliveryId>,
    pub(crate) claims: Claims,
    pub(crate) externals: Lookup<(ChannelCode, SmolStr), OrderId>,
    /// Levels that may have something to give to those who wait; a superset, tried by `due`.
    pub(crate) fillable: BTreeSet<LevelKey>,
    /// What a change left to be looked at again, a part of it each turn.
    pub(crate) backlog: Backlog,
    /// Levels that open counts look at.
    pub(crate) counting: BTreeMap<LevelKey, BTreeSet<CountId>>,
    /// Locations that are not active, and items that are retired.
    pub(crate) closed: Closed,
    /// Conditions that hold, with their alerts.
    pub(crate) open_alerts: Lookup<Condition, AlertId>,
    /// Alerts that may have something to tell; a superset.
    pub(crate) untold_alerts: BTreeSet<AlertId>,
    /// What the events since the last look touched, for the reactions.
    pub(crate) touched: Touched,
    /// What the store was asked for in vain, for the command at hand.
    pub(crate) absent: BTreeSet<Fetch>,
}

/// What reactions look at again.
#[derive(Debug, Default, Clone)]
pub(crate) struct Touched {
    pub cases: BTreeSet<OrderId>,
    pub levels: BTreeSet<LevelKey>,
    /// What customers are to hear of this transaction.
    pub news: BTreeMap<OrderId, BTreeSet<Topic>>,
    /// Levels that expect something else than before.
    pub expected: BTreeSet<LevelKey>,
    pub purchase_orders: BTreeSet<PurchaseOrderId>,
    /// Drafts of a supplier that is served otherwise than before.
    pub drafts: BTreeSet<PurchaseOrderId>,
    pub transfers: BTreeSet<TransferId>,
}

/// Where and what is no longer sold, while somebody may still wait for it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub locations: BTreeSet<LocationCode>,
    pub items: BTreeSet<Sku>,
}

impl Closed {
    pub fn see_location(&mut self, location: &Location) {
        if location.active {
            self.locations.remove(&location.code);
        } else {
            self.locations.insert(location.code.clone());
        }
    }

    pub fn see_item(&mut self, item: &Item) {
        match item.status {
            ItemStatus::Active => self.items.remove(&item.sku),
            ItemStatus::Retired => self.items.insert(item.sku.clone()),
        };
    }
}

/// Who a timer belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerOwner {
    Hold(HoldId),
    Case(OrderId),
    PurchaseOrder(PurchaseOrderId),
    Transfer(TransferId),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectCount {
    pub subject: Subject,
    pub events: u64,
}

/// Last number given to each kind of thing.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub order: u64,
    pub hold: u64,
    pub receipt: u64,
    pub adjustment: u64,
    pub mov: u64,
    pub purchase_order: u64,
    pub transfer: u64,
    pub count: u64,
    pub customer: u64,
    pub blind_return: u64,
    pub alert: u64,
    pub key: u64,
    pub effect: u64,
    pub subscription: u64,
}

/// First order number that people see; ids count from 1.
pub const FIRST_ORDER_NUMBER: u64 = 1000;

macro_rules! images {
    (shown: { $($shown:tt)* } tallies: { $($tally:tt)* }) => {
        entities! { $($shown)* $($tally)* }
        takes! { push_shown, $($shown)* }
        takes! { push_tallies, $($tally)* }
    };
}

macro_rules! takes {
    ($take:ident, $($variant:ident($key:ty, $value:ty) = $kind:literal, $($table:ident).+, |$v:ident| $key_of:expr;)*) => {
        impl State {
            fn $take(&mut self, images: &mut Vec<Image>) {
                $(self.$($table).+.take_touched(|key, value| images.push(Image::$variant(key, value)));)*
            }
        }
    };
}

macro_rules! entities {
    ($($variant:ident($key:ty, $value:ty) = $kind:literal, $($table:ident).+, |$v:ident| $key_of:expr;)*) => {
        /// An entity as it is after a transaction; `None` when it is gone. The unit of store, recovery and hash.
        #[derive(Debug, Clone)]
        pub enum Image {
            $($variant($key, Option<Arc<$value>>),)*
        }

        impl Image {
            /// Which table the image belongs to.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(..) => $kind,)* }
            }

            /// The key within its kind, as text.
            pub fn key(&self) -> SmolStr {
                match self { $(Self::$variant(key, _) => KeyText::key_text(key),)* }
            }

            pub fn is_gone(&self) -> bool {
                match self { $(Self::$variant(_, value) => value.is_none(),)* }
            }

            /// Reads the body of an image of `kind` back.
            ///
            /// # Errors
            /// When the kind is unknown or the body is not of that kind.
            pub fn decode<'de, D: Deserializer<'de>>(kind: &str, body: D) -> Result<Self, D::Error> {
                match kind {
                    $($kind => {
                        let value = <$value>::deserialize(body)?;
                        let key: $key = { let $v = &value; $key_of };
                        Ok(Self::$variant(key, Some(Arc::new(value))))
                    })*
                    unknown => Err(serde::de::Error::custom(format!("unknown kind of entity \"{unknown}\""))),
                }
            }
        }

        /// The body alone: the key stands in it.
        impl Serialize for Image {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(_, value) => value.serialize(serializer),)* }
            }
        }

        impl State {
            /// Every entity in memory, in a fixed order.
            pub fn images(&self) -> Vec<Image> {
                let mut images = Vec::new();
                $(images.extend(self.$($table).+.sorted().into_iter().map(|(key, value)| Image::$variant(key.clone(), Some(value.clone()))));)*
                images
            }

            /// The entity in memory is the very one that the image shows, and nothing of it is yet to be told.
            pub(crate) fn stands_as(&self, image: &Image) -> bool {
                match image {
                    $(Image::$variant(key, Some(value)) => self.$($table).+.stands_as(key, value),
                      Image::$variant(_, None) => false,)*
                }
            }

            pub(crate) fn evict_row(&mut self, image: &Image) {
                match image { $(Image::$variant(key, _) => { self.$($table).+.evict(key); })* }
            }

            fn load_row(&mut self, image: Image) {
                match image {
                    $(Image::$variant(key, Some(value)) => self.$($table).+.load(key, value),
                      Image::$variant(key, None) => { self.$($table).+.evict(&key); })*
                }
            }
        }
    };
}

images! {
    shown: {
        Item(Sku, Item) = "item", catalog.items, |v| v.sku.clone();
        Location(LocationCode, Location) = "location", catalog.locations, |v| v.code.clone();
        Channel(ChannelCode, Channel) = "channel", catalog.channels, |v| v.code.clone();
        Settings((), Settings) = "settings", catalog.settings, |_v| ();
        Hold(HoldId, Hold) = "hold", stock.holds, |v| v.id;
        Receipt(ReceiptId, Receipt) = "receipt", stock.receipts, |v| v.id;
        Case(OrderId, Case) = "case", cases, |v| v.order.id;
        Supplier(SupplierCode, Supplier) = "supplier", purchasing.suppliers, |v| v.code.clone();
        Policy(PolicyKey, Policy) = "policy", purchasing.policies, |v| (v.sku.clone(), v.location.clone());
        PurchaseOrder(PurchaseOrderId, PurchaseOrder) = "purchase_order", purchasing.orders, |v| v.id;
        Transfer(TransferId, Transfer) = "transfer", transfers.all, |v| v.id;
        Count(CountId, Count) = "count", counts, |v| v.id;
        Customer(CustomerId, Customer) = "customer", customers, |v| v.id;
        Return(ReturnId, Return) = "return", returns, |v| v.id;
        Alert(AlertId, Alert) = "alert", alerts, |v| v.id;
        Key(KeyId, Key) = "key", keys, |v| v.id;
        Subscription(SubscriptionId, Subscription) = "subscription", subscriptions, |v| v.id;
    }
    tallies: {
        Level(LevelKey, Level) = "level", stock.levels, |v| (v.sku.clone(), v.location.clone());
        Counters((), Counters) = "counters", counters, |_v| ();
        Subject(Subject, SubjectCount) = "subject", subjects, |v| v.subject.clone();
    }
}

/// Text of a key, unique within its kind.
trait KeyText {
    fn key_text(&self) -> SmolStr;
}

macro_rules! key_is_display {
    ($($key:ty),*) => { $(impl KeyText for $key { fn key_text(&self) -> SmolStr { self.to_smolstr() } })* };
}
key_is_display!(
    Sku,
    LocationCode,
    ChannelCode,
    SupplierCode,
    HoldId,
    ReceiptId,
    OrderId,
    PurchaseOrderId,
    TransferId,
    CountId,
    CustomerId,
    ReturnId,
    AlertId,
    KeyId,
    SubscriptionId
);

impl KeyText for () {
    fn key_text(&self) -> SmolStr {
        SmolStr::new_static("-")
    }
}

impl KeyText for LevelKey {
    fn key_text(&self) -> SmolStr {
        smol_str::format_smolstr!("{}\u{1f}{}", self.0, self.1)
    }
}

impl KeyText for Subject {
    fn key_text(&self) -> SmolStr {
        self.text()
    }
}

impl State {
    /// After-images of what was touched since the last call, in a fixed order.
    pub fn take_images(&mut self) -> Vec<Image> {
        let mut images = self.take_shown();
        self.push_tallies(&mut images);
        images
    }

    /// As [`State::take_images`], without what [`State::take_tallies`] takes: what the answer to a command may show.
    pub fn take_shown(&mut self) -> Vec<Image> {
        let mut images = Vec::new();
        self.push_shown(&mut images);
        images
    }

    /// After-images of what nearly every transaction moves on: levels, counters and counts of events. They may be taken once for many
    /// transactions.
    pub fn take_tallies(&mut self) -> Vec<Image> {
        let mut images = Vec::new();
        self.push_tallies(&mut images);
        images
    }

    pub fn counters(&self) -> Counters {
        self.counters.get(&()).cloned().unwrap_or_default()
    }

    pub(crate) fn counters_mut(&mut self) -> &mut Counters {
        if self.counters.is_empty() {
            self.counters.insert((), Counters::default());
        }
        self.counters.get_mut(&()).expect("inserted above")
    }

    /// Leaves out numbers of every kind, after a restore: those who saw the lost ones must never meet them again.
    pub fn skip_numbers(&mut self, by: u64) {
        if by == 0 {
            return;
        }
        let counters = self.counters_mut();
        for counter in [
            &mut counters.order,
            &mut counters.hold,
            &mut counters.receipt,
            &mut counters.adjustment,
            &mut counters.mov,
            &mut counters.purchase_order,
            &mut counters.transfer,
            &mut counters.count,
            &mut counters.customer,
            &mut counters.blind_return,
            &mut counters.alert,
            &mut counters.key,
            &mut counters.effect,
            &mut counters.subscription,
        ] {
            *counter += by;
        }
    }

    /// Puts a stored entity into memory and into the indexes.
    pub fn load(&mut self, image: Image) {
        match &image {
            Image::Case(_, Some(case)) => self.index_case(case),
            Image::Hold(_, Some(hold)) => self.index_hold(hold),
            Image::Level(key, Some(level)) => {
                self.stock.index_level(key);
                if !level.backordered.is_zero() {
                    self.fillable.insert(key.clone());
                    self.backlog.promise(key.clone());
                }
            }
            Image::Alert(_, Some(alert)) => alert::index(self, alert),
            Image::PurchaseOrder(_, Some(order)) => crate::purchasing::index(self, order),
            Image::Transfer(_, Some(transfer)) => crate::transfer::index(self, transfer),
            Image::Count(_, Some(count)) => crate::count::index(self, count),
            Image::Policy(key, Some(_)) => self.backlog.review(key.clone()),
            Image::Location(_, Some(location)) => self.closed.see_location(location),
            Image::Item(_, Some(item)) => self.closed.see_item(item),
            Image::Item(_, None)
            | Image::Location(_, None)
            | Image::Channel(..)
            | Image::Settings(..)
            | Image::Receipt(..)
            | Image::Supplier(..)
            | Image::Policy(_, None)
            | Image::Transfer(_, None)
            | Image::Count(_, None)
            | Image::Customer(..)
            | Image::Return(..)
            | Image::Key(..)
            | Image::Subscription(..)
            | Image::Counters(..)
            | Image::Subject(..)
            | Image::Case(_, None)
            | Image::Alert(_, None)
            | Image::Hold(_, None)
            | Image::Level(_, None)
            | Image::PurchaseOrder(_, None) => {}
        }
        self.load_row(image);
    }

    /// Cases with work outside, by effect: what connectors have to do.
    pub fn effects(&self) -> impl Iterator<Item = (EffectId, OrderId)> {
        self.effects.iter().map(|(effect, order)| (*effect, *order))
    }

    /// What has to go out by mail or to suppliers: what their carriers have to do.
    pub fn outbox(&self) -> impl Iterator<Item = DeliveryId> {
        self.outbox.iter().copied()
    }

    /// The open order that a channel calls by this name.
    pub fn order_by_external_id(&self, channel: &ChannelCode, external_id: &SmolStr) -> Option<OrderId> {
        self.externals.get(&(channel.clone(), external_id.clone())).copied()
    }

    /// When the next timer comes due, if any.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub fn level_mut(&mut self, sku: &Sku, location: &LocationCode) -> &mut Level {
        self.level_at(&(sku.clone(), location.clone()))
    }

    /// As [`State::level_mut`], by its key.
    pub(crate) fn level_at(&mut self, key: &LevelKey) -> &mut Level {
        if !self.stock.levels.contains(key) {
            self.stock.index_level(key);
            self.stock.levels.insert(key.clone(), Level::new(key.0.clone(), key.1.clone()));
        }
        if !self.touched.levels.contains(key) {
            self.touched.levels.insert(key.clone());
        }
        self.stock.levels.get_mut(key).expect("inserted above")
    }
}
