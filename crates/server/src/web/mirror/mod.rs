//! The shop in memory as its durable after-images have it: what pages count and list without reading a file.
//!
//! The log's thread hands over each durable frame (a few reference counts); a thread of the mirror takes them in. When it cannot
//! follow, frames are left out and State is asked once for all it holds. Cases are not kept: an order leaves a line in the
//! [`Pipeline`], and pages read the case itself from the store.

mod pipeline;
mod topics;

pub use pipeline::{Pipeline, Stage, Work};
pub use topics::{Topics, Watch};

use domain::alert::{Alert, AlertStatus};
use domain::catalog::{Channel, Item, Location, Settings};
use domain::count::Count;
use domain::id::{AlertId, ChannelCode, CountId, LocationCode, PurchaseOrderId, Sku, SupplierCode, TransferId};
use domain::purchasing::{Policy, PolicyKey, PurchaseOrder, Supplier};
use domain::quantity::Quantity;
use domain::stock::Level;
use domain::time::Date;
use domain::transfer::Transfer;
use domain::{Image, Subject};
use engine::Pending;
use smol_str::SmolStr;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::watch;

/// Transactions that wait for the mirror before it asks State instead, which costs those who place orders more than to wait a little.
const BEHIND_MAX: usize = 16_384;
/// Frames that it takes at once, in one hold of the lock that pages wait for.
const AT_ONCE: usize = 256;
/// Events that the ticker remembers.
const TICKS_MAX: usize = 60;
/// How long a page waits for the mirror to have what was durable when it was asked for.
const FOLLOW: Duration = Duration::from_millis(500);

/// What pages look at.
#[derive(Default)]
pub struct Now {
    pub items: BTreeMap<Sku, Arc<Item>>,
    pub locations: BTreeMap<LocationCode, Arc<Location>>,
    pub channels: BTreeMap<ChannelCode, Arc<Channel>>,
    pub settings: Arc<Settings>,
    pub levels: BTreeMap<Sku, BTreeMap<LocationCode, Standing>>,
    pub policies: BTreeMap<PolicyKey, Arc<Policy>>,
    pub suppliers: BTreeMap<SupplierCode, Arc<Supplier>>,
    pub purchase_orders: BTreeMap<PurchaseOrderId, Arc<PurchaseOrder>>,
    pub transfers: BTreeMap<TransferId, Arc<Transfer>>,
    pub counts: BTreeMap<CountId, Arc<Count>>,
    /// Those that are not cleared.
    pub alerts: BTreeMap<AlertId, Arc<Alert>>,
    pub pipeline: Pipeline,
    /// The last events, newest first.
    pub ticker: VecDeque<Tick>,
}

/// A level without what pages do not show: small, so that tens of thousands cost little.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub on_hand: Quantity,
    pub allocated: Quantity,
    pub picked: Quantity,
    pub held: Quantity,
    pub unavailable: Quantity,
    pub safety_stock: Quantity,
    pub available: Quantity,
    pub backordered: Quantity,
    pub incoming: Quantity,
    pub drafted: Quantity,
    pub next_expected: Option<Date>,
    pub position: i64,
}

impl From<&Level> for Standing {
    fn from(level: &Level) -> Self {
        Self {
            on_hand: level.on_hand,
            allocated: level.allocated,
            picked: level.picked,
            held: level.held,
            unavailable: level.unavailable.total(),
            safety_stock: level.safety_stock,
            available: level.available(),
            backordered: level.backordered,
            incoming: level.incoming(),
            drafted: level.drafted(),
            next_expected: level.next_incoming().and_then(|next| next.expected_on),
            position: level.inventory_position(),
        }
    }
}

/// One event as the ticker shows it.
#[derive(Debug, Clone)]
pub struct Tick {
    pub seq: u64,
    pub time: i64,
    pub actor: SmolStr,
    pub kind: &'static str,
    pub subject: Subject,
}

pub struct Mirror {
    now: RwLock<Now>,
    pub topics: Topics,
    applied: watch::Sender<u64>,
    lost: AtomicBool,
    /// Transactions that wait for it.
    behind: AtomicUsize,
}

/// Where the engine puts what became durable.
pub struct Inlet {
    frames: SyncSender<Vec<Pending>>,
    mirror: Arc<Mirror>,
}

impl Inlet {
    /// Never waits: what does not fit is left out, and the mirror asks State.
    pub fn take(&self, transactions: &[Pending]) {
        let behind = self.mirror.behind.fetch_add(transactions.len(), Ordering::SeqCst) + transactions.len();
        if behind > BEHIND_MAX || self.frames.try_send(transactions.to_vec()).is_err() {
            self.mirror.behind.fetch_sub(transactions.len(), Ordering::SeqCst);
            self.mirror.lost.store(true, Ordering::SeqCst);
        }
    }
}

impl Mirror {
    pub fn new() -> (Arc<Self>, Inlet, Receiver<Vec<Pending>>) {
        let (frames, frames_in) = sync_channel(BEHIND_MAX);
        let mirror = Arc::new(Self {
            now: RwLock::default(),
            topics: Topics::default(),
            applied: watch::Sender::new(0),
            lost: AtomicBool::new(true),
            behind: AtomicUsize::new(0),
        });
        (mirror.clone(), Inlet { frames, mirror }, frames_in)
    }

    pub fn now(&self) -> RwLockReadGuard<'_, Now> {
        self.now.read().expect("no thread panics with the mirror")
    }

    /// How far the mirror has followed, for those who wait.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.subscribe()
    }

    /// Waits, briefly, until the mirror has what is durable up to `seq`.
    pub async fn reached(&self, seq: u64) {
        let mut applied = self.applied();
        // What is older than half a second is shown as it is; the live connection brings the rest.
        let _ = tokio::time::timeout(FOLLOW, applied.wait_for(|at| *at >= seq)).await;
    }

    /// Follows until the engine is gone. `ask` gives all that State holds, and how far the log was durable then.
    pub fn follow(&self, ask: &dyn Fn() -> Option<(Vec<Image>, u64)>, frames: &Receiver<Vec<Pending>>) {
        self.reload(ask);
        while let Ok(first) = frames.recv() {
            let mut waiting = vec![first];
            waiting.extend(frames.try_iter().take(AT_ONCE - 1));
            self.take(&waiting);
            self.behind.fetch_sub(waiting.iter().map(Vec::len).sum(), Ordering::SeqCst);
            if self.lost.load(Ordering::SeqCst) {
                self.reload(ask);
            }
        }
    }

    /// Asks State for all it holds, once: between two batches, and only references are taken.
    fn reload(&self, ask: &dyn Fn() -> Option<(Vec<Image>, u64)>) {
        self.lost.store(false, Ordering::SeqCst);
        let Some((images, seq)) = ask() else { return };
        let mut now = Now::default();
        for image in &images {
            now.see(image);
        }
        {
            let mut kept = self.now.write().expect("no thread panics with the mirror");
            now.ticker = std::mem::take(&mut kept.ticker);
            *kept = now;
        }
        self.topics.all(seq);
        self.applied.send_replace(seq);
    }

    fn take(&self, frames: &[Vec<Pending>]) {
        let transactions = || frames.iter().flatten();
        let Some(last) = transactions().next_back().map(|pending| pending.committed.last_seq) else { return };
        {
            let mut now = self.now.write().expect("no thread panics with the mirror");
            transactions().flat_map(|pending| pending.images.iter()).for_each(|image| now.see(image));
            now.tick(transactions().rev());
        }
        self.topics.touch(transactions(), last);
        self.applied.send_if_modified(|applied| {
            let grew = last > *applied;
            *applied = last.max(*applied);
            grew
        });
    }
}

fn put<K: Ord + Clone, V>(map: &mut BTreeMap<K, Arc<V>>, key: &K, value: &Option<Arc<V>>) {
    match value {
        Some(value) => map.insert(key.clone(), value.clone()),
        None => map.remove(key),
    };
}

impl Now {
    fn see(&mut self, image: &Image) {
        match image {
            Image::Item(sku, item) => put(&mut self.items, sku, item),
            Image::Location(code, location) => put(&mut self.locations, code, location),
            Image::Channel(code, channel) => put(&mut self.channels, code, channel),
            Image::Settings((), settings) => self.settings = settings.clone().unwrap_or_default(),
            Image::Level((sku, location), Some(level)) => {
                self.levels.entry(sku.clone()).or_default().insert(location.clone(), Standing::from(level.as_ref()));
            }
            Image::Level((sku, location), None) => {
                self.levels.get_mut(sku).map(|levels| levels.remove(location));
            }
            Image::Supplier(code, supplier) => put(&mut self.suppliers, code, supplier),
            Image::Policy(key, policy) => put(&mut self.policies, key, policy),
            Image::PurchaseOrder(id, order) => put(&mut self.purchase_orders, id, order),
            Image::Transfer(id, transfer) => put(&mut self.transfers, id, transfer),
            Image::Count(id, count) => put(&mut self.counts, id, count),
            Image::Alert(id, alert) => {
                put(&mut self.alerts, id, &alert.clone().filter(|alert| alert.status != AlertStatus::Cleared));
            }
            Image::Case(id, case) => self.pipeline.see(*id, case.as_deref()),
            Image::Hold(..)
            | Image::Subscription(..)
            | Image::Receipt(..)
            | Image::Customer(..)
            | Image::Return(..)
            | Image::Key(..)
            | Image::Counters(..)
            | Image::Subject(..) => {}
        }
    }

    /// Only the last events are shown, however many came at once.
    fn tick<'a>(&mut self, newest_first: impl Iterator<Item = &'a Pending>) {
        let mut fresh = Vec::new();
        for pending in newest_first {
            let committed = &pending.committed;
            let actor = SmolStr::new(&committed.actor);
            let events = committed.events.iter().rev().zip((1..=committed.last_seq).rev());
            fresh.extend(events.take(TICKS_MAX - fresh.len()).map(|(recorded, seq)| Tick {
                seq,
                time: committed.time.0,
                actor: actor.clone(),
                kind: recorded.event.type_name(),
                subject: recorded.subject.clone(),
            }));
            if fresh.len() == TICKS_MAX {
                break;
            }
        }
        for tick in fresh.into_iter().rev() {
            self.ticker.push_front(tick);
        }
        self.ticker.truncate(TICKS_MAX);
    }
}
