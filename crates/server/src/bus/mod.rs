//! The bus: every outside consumer is a subscription on the log, with a cursor of its own.
//!
//! Nobody here is waited for. Each reads the log at its own pace, what is in memory for it is bounded, and where it stands is told to
//! the engine at most once a second ([`flush`]). What a subscription is, the log says; where it is, this room says.

pub mod attempts;
mod availability;
mod circuit;
mod entry;
mod feed;
mod filter;
pub mod flush;
mod outgoing;
pub mod page;
mod personal;
pub mod secret;
mod stalled;
pub mod webhook;
mod window;

pub use entry::{Ask, Circuit, Entry, Lag, Progress, Standing};
pub use filter::{Filter, is_named};
pub use outgoing::{Outgoing, SOURCE, cloud_event};

use crate::shop::Shop;
use attempts::Attempts;
use domain::Image;
use domain::id::SubscriptionId;
use domain::subscription::Subscription;
use engine::{Cursor, Engine, ReadError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use tokio::sync::{Notify, watch};

/// Every subscription with where it stands.
pub struct Bus {
    entries: RwLock<Entries>,
    /// What came of calls; it may be lost.
    pub attempts: Attempts,
    allows_private: AtomicBool,
    /// Orders' channels, for filters.
    channels: page::Channels,
    /// Kits by what is in them, for availability.
    kits: availability::KitsOf,
    /// Somebody has moved.
    dirty: Arc<Notify>,
    /// Grows when a subscription came, changed or went.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Entries {
    known: BTreeMap<SubscriptionId, Arc<Entry>>,
    /// An answer that was overtaken brings nothing back.
    deleted: BTreeSet<SubscriptionId>,
}

impl Bus {
    /// Takes up what the engine knows.
    ///
    /// # Errors
    /// When the cursors or the attempts cannot be read.
    pub fn open(folder: &Path, engine: &Engine) -> Result<Self, ReadError> {
        let bus = Self {
            entries: RwLock::default(),
            attempts: Attempts::open(folder)?,
            allows_private: AtomicBool::new(false),
            channels: page::Channels::default(),
            kits: availability::KitsOf::default(),
            dirty: Arc::new(Notify::new()),
            changed: watch::channel(0).0,
        };
        let known = engine.query(|state| state.subscriptions.sorted().into_iter().map(|(_, known)| known.clone()).collect::<Vec<_>>());
        let cursors = engine.reader()?.cursors()?;
        let mut entries = Entries::default();
        for subscription in known.unwrap_or_default() {
            let cursor =
                cursors.iter().find(|cursor| cursor.subscription == subscription.id && cursor.generation == subscription.generation);
            let cursor = cursor.cloned().unwrap_or_else(|| begin(&subscription));
            entries.known.insert(subscription.id, Arc::new(Entry::new(subscription, cursor, bus.dirty.clone())));
        }
        *bus.entries.write().expect("no thread panics with the subscriptions") = entries;
        Ok(bus)
    }

    fn entries(&self) -> std::sync::RwLockReadGuard<'_, Entries> {
        self.entries.read().expect("no thread panics with the subscriptions")
    }

    pub fn entry(&self, id: SubscriptionId) -> Option<Arc<Entry>> {
        self.entries().known.get(&id).cloned()
    }

    /// Endpoints may lie in private, loopback and link-local networks from now on; set before deliveries start.
    pub fn allow_private(&self) {
        self.allows_private.store(true, Ordering::Relaxed);
    }

    pub fn allows_private(&self) -> bool {
        self.allows_private.load(Ordering::Relaxed)
    }

    /// Told when a subscription comes, changes or goes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// In the order in which they were made.
    pub fn list(&self) -> Vec<Arc<Entry>> {
        self.entries().known.values().cloned().collect()
    }

    /// How every subscription stands: for lists, the dashboard and metrics.
    pub fn standings(&self, shop: &Shop) -> Vec<Standing> {
        self.list().iter().map(|entry| entry.standing(shop)).collect()
    }

    /// Takes up what commands did to subscriptions; `images` are those of a durable transaction, in any order of transactions.
    pub fn take_up(&self, images: &[Image]) {
        let mut changed = false;
        for image in images {
            let Image::Subscription(id, value) = image else { continue };
            changed = true;
            let mut entries = self.entries.write().expect("no thread panics with the subscriptions");
            match value {
                None => {
                    entries.deleted.insert(*id);
                    if let Some(entry) = entries.known.remove(id) {
                        entry.end();
                    }
                }
                Some(_) if entries.deleted.contains(id) => {}
                Some(subscription) => match entries.known.get(id) {
                    Some(entry) => entry.take_up(subscription),
                    None => {
                        let entry = Entry::new(subscription.clone(), begin(subscription), self.dirty.clone());
                        entries.known.insert(*id, Arc::new(entry));
                    }
                },
            }
        }
        if changed {
            self.changed.send_modify(|count| *count += 1);
        }
    }
}

fn begin(subscription: &Subscription) -> Cursor {
    Cursor::after(subscription.id, subscription.generation, subscription.after)
}

/// Keeps what is known of subscriptions true, until the shop closes: where they stand goes to the engine, and the stalled are told of.
pub async fn run(shop: Arc<Shop>) {
    tokio::join!(flush::run(shop.clone()), stalled::run(shop));
}

/// Records where all stand, now: before the server stops.
pub async fn settle(shop: &Arc<Shop>) {
    flush::flush(shop).await;
}
