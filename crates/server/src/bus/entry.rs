//! One subscription with where it stands.

use crate::shop::Shop;
use domain::id::SubscriptionId;
use domain::subscription::{Kind, Status, Subscription};
use engine::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::{Notify, watch};

pub struct Entry {
    pub id: SubscriptionId,
    inner: Mutex<Inner>,
    dirty: Arc<Notify>,
    asked: Arc<Notify>,
    /// Version of what it is; 0 once it is deleted.
    version: watch::Sender<u64>,
}

struct Inner {
    subscription: Arc<Subscription>,
    cursor: Cursor,
    /// The engine does not have it yet.
    unrecorded: bool,
    progress: Progress,
    asks: Vec<Ask>,
}

/// What people ask of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// These sequences, both inclusive, beside the live cursor.
    Backfill { from: u64, to: u64 },
    /// What is parked, now: one event, or all.
    Retry(Option<u64>),
    /// This parked event is not delivered; its subject goes on.
    Discard(u64),
}

/// What is known of a subscription beyond its cursor; it is not kept over restarts.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Up to which sequence the log was read for it.
    pub looked: u64,
    /// Events that were read and wait.
    pub waiting: u64,
    /// Time of the oldest event that waits, milliseconds since the Unix epoch.
    pub oldest: Option<i64>,
    pub circuit: Circuit,
    /// When it last got on.
    pub moved: Instant,
    pub last_error: Option<String>,
    /// Readers of its stream; the newest goes on.
    pub reader: u64,
}

/// Whether an endpoint is called.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    #[default]
    Closed,
    /// It fails altogether: one call now and then probes it.
    Open,
}

/// How far behind a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Lag {
    /// Sequences after the cursor; not all of them need be events that it hears.
    pub events: u64,
    /// Age of the oldest event that waits for it.
    pub seconds: i64,
}

/// A subscription as lists and screens show it.
#[derive(Debug, Clone)]
pub struct Standing {
    pub subscription: Arc<Subscription>,
    pub cursor: Cursor,
    pub lag: Lag,
    pub circuit: Circuit,
    pub last_error: Option<String>,
}

impl Entry {
    pub fn new(subscription: Arc<Subscription>, cursor: Cursor, dirty: Arc<Notify>) -> Self {
        let progress = Progress {
            looked: cursor.sequence,
            waiting: 0,
            oldest: None,
            circuit: Circuit::Closed,
            moved: Instant::now(),
            last_error: None,
            reader: 0,
        };
        let version = watch::channel(subscription.version).0;
        Self {
            id: subscription.id,
            inner: Mutex::new(Inner { subscription, cursor, unrecorded: false, progress, asks: Vec::new() }),
            dirty,
            asked: Arc::default(),
            version,
        }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no thread panics with a subscription")
    }

    pub fn subscription(&self) -> Arc<Subscription> {
        self.inner().subscription.clone()
    }

    pub fn cursor(&self) -> Cursor {
        self.inner().cursor.clone()
    }

    pub fn progress(&self) -> Progress {
        self.inner().progress.clone()
    }

    /// Told when it changes or ends.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Whether what was begun with `subscription` goes on with it.
    pub fn is_still(&self, subscription: &Subscription) -> bool {
        *self.version.borrow() == subscription.version
    }

    pub fn is_gone(&self) -> bool {
        *self.version.borrow() == 0
    }

    /// Told when somebody asks for something.
    pub fn asked(&self) -> Arc<Notify> {
        self.asked.clone()
    }

    pub fn ask(&self, ask: Ask) {
        self.inner().asks.push(ask);
        self.asked.notify_one();
    }

    pub fn take_asks(&self) -> Vec<Ask> {
        std::mem::take(&mut self.inner().asks)
    }

    /// A later state of what it is; a rewind moves the cursor.
    pub fn take_up(&self, subscription: &Arc<Subscription>) {
        {
            let mut inner = self.inner();
            if subscription.version <= inner.subscription.version {
                return;
            }
            if subscription.generation != inner.cursor.generation {
                inner.cursor = super::begin(subscription);
                inner.unrecorded = false;
                inner.progress.looked = inner.cursor.sequence;
            }
            if inner.subscription.status != Status::Active {
                // Resumed, it gets its days to recover.
                inner.cursor.failing_since = None;
            }
            inner.progress.moved = Instant::now();
            inner.subscription = subscription.clone();
        }
        self.version.send_replace(subscription.version);
    }

    pub fn end(&self) {
        self.version.send_replace(0);
    }

    /// Moves the cursor, unless it was rewound since `generation`. Returns whether it did.
    pub fn record(&self, generation: u64, change: impl FnOnce(&mut Cursor)) -> bool {
        {
            let mut inner = self.inner();
            if inner.cursor.generation != generation {
                return false;
            }
            let before = inner.cursor.sequence;
            change(&mut inner.cursor);
            if inner.cursor.sequence != before {
                inner.progress.moved = Instant::now();
            }
            inner.unrecorded = true;
        }
        self.dirty.notify_one();
        true
    }

    /// Moves the cursor over what it does not hear: nothing that would have to be recorded.
    pub fn pass_over(&self, generation: u64, from: u64, to: u64) {
        let mut inner = self.inner();
        if inner.cursor.generation == generation && inner.cursor.sequence == from {
            inner.cursor.sequence = to.max(from);
            inner.progress.moved = Instant::now();
        }
    }

    /// As [`Entry::pass_over`], on behalf of a reader that does not come: it has not moved.
    pub(super) fn skip(&self, generation: u64, from: u64, to: u64) {
        let mut inner = self.inner();
        if inner.cursor.generation == generation && inner.cursor.sequence == from {
            inner.cursor.sequence = to.max(from);
        }
    }

    pub fn note(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.inner().progress);
    }

    /// The cursor, if the engine does not have it.
    pub(super) fn take_unrecorded(&self) -> Option<Cursor> {
        let mut inner = self.inner();
        std::mem::take(&mut inner.unrecorded).then(|| inner.cursor.clone())
    }

    /// It could not be recorded: again later.
    pub(super) fn keep_unrecorded(&self) {
        self.inner().unrecorded = true;
    }

    pub fn standing(&self, shop: &Shop) -> Standing {
        let inner = self.inner();
        let (progress, cursor) = (&inner.progress, inner.cursor.clone());
        let durable = shop.engine.durable();
        let active = inner.subscription.status == Status::Active;
        let events = match inner.subscription.kind {
            Kind::Webhook if active => progress.waiting + durable.saturating_sub(progress.looked),
            Kind::Webhook | Kind::Pull | Kind::Sse => durable.saturating_sub(cursor.sequence),
        };
        let seconds = progress.oldest.filter(|_| events > 0).map_or(0, |oldest| (shop.now().0 - oldest).max(0) / 1000);
        Standing {
            subscription: inner.subscription.clone(),
            cursor,
            lag: Lag { events, seconds },
            circuit: progress.circuit,
            last_error: progress.last_error.clone(),
        }
    }
}
