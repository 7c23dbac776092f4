//! Reading beside the writer: what is durable, never what is only settled.

mod lists;
pub mod minutes;
mod outbox;
mod past;

pub use lists::{LedgerRow, OrderFilter, OrderRow};
pub use outbox::Letter;
pub use past::{EventRow, raw_events};

use crate::frame::Pending;
use crate::log::sqlite::{SqliteLog, plan_once};
use crate::store;
use crate::store::key::ImageKey;
use domain::Image;
use domain::id::{EffectId, OrderId};
use domain::order::Case;
use domain::payment::{Effect, Payment};
use domain::purchasing::DispatchVia;
use domain::time::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a list waits for the store to follow.
const STORE_WAIT: Duration = Duration::from_secs(1);

/// An outside action with what a connector needs to do it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outstanding {
    pub order: OrderId,
    pub effect: Effect,
    pub payment: Payment,
    /// As people see the order.
    pub number: String,
    pub currency: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the store could not be read: {0}")]
    Store(#[from] rusqlite::Error),
    #[error("{0}")]
    Log(#[from] crate::log::Error),
    /// Ask again, or ask for any consistency.
    #[error("the store is behind by more than a second")]
    Behind,
}

/// What the threads of an engine share with its readers.
pub struct Shared {
    pub folder: PathBuf,
    /// The last sequence of each life of the log before the present one.
    pub forks: Vec<u64>,
    pub wall_clock: bool,
    state: Mutex<Progress>,
    moved: Condvar,
    /// Grows when the disk was full and State has to be read again.
    generation: AtomicU64,
    /// What the commands in the queue weigh, in bytes.
    queued: AtomicUsize,
    stopping: AtomicBool,
    timers_suspended: AtomicBool,
    on_failure: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Durable after-images that the store does not have yet, with the sequence that made them.
type Unstored = FxHashMap<ImageKey, (u64, Image)>;

#[derive(Default)]
struct Progress {
    durable: u64,
    stored: u64,
    /// Transactions that are durable and not stored.
    behind: usize,
    /// How many wait for the store.
    hurried: usize,
    failure: Option<String>,
    images: Unstored,
    effects: BTreeMap<EffectId, Outstanding>,
    effects_of: BTreeMap<OrderId, Vec<EffectId>>,
    outbox: outbox::Outbox,
}

impl Shared {
    pub fn new(folder: PathBuf, wall_clock: bool, forks: Vec<u64>, durable: u64, stored: u64) -> Self {
        let state = Mutex::new(Progress { durable, stored, ..Progress::default() });
        Self {
            folder,
            forks,
            wall_clock,
            state,
            moved: Condvar::new(),
            generation: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            timers_suspended: AtomicBool::new(false),
            on_failure: OnceLock::new(),
        }
    }

    /// Called when the engine stops by itself; the first call of this counts.
    pub fn tell_of_failure(&self, tell: Box<dyn Fn() + Send + Sync>) {
        // Set once, at the start.
        let _ = self.on_failure.set(tell);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.state.lock().expect("no thread panics with the lock")
    }

    pub fn durable(&self) -> u64 {
        self.lock().durable
    }

    pub fn stored(&self) -> u64 {
        self.lock().stored
    }

    pub fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    pub fn fail(&self, why: &str) {
        tracing::error!("the engine stops: {why}");
        self.lock().failure.get_or_insert_with(|| why.to_owned());
        self.moved.notify_all();
        if let Some(tell) = self.on_failure.get() {
            tell();
        }
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// What was settled in this generation and is not durable is gone.
    pub fn drop_unsynced(&self, generation: u64) {
        // A later generation has begun already when this one is not the present.
        let _ = self.generation.compare_exchange(generation, generation + 1, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Adds to what waits; `false`, and nothing added, when that would be more than `max`.
    pub fn weigh(&self, weight: usize, max: usize) -> bool {
        let fits = |queued: usize| queued.checked_add(weight).filter(|sum| *sum <= max);
        self.queued.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits).is_ok()
    }

    pub fn unweigh(&self, weight: usize) {
        self.queued.fetch_sub(weight, Ordering::SeqCst);
    }

    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub fn stop_soon(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.moved.notify_all();
    }

    pub fn timers_suspended(&self) -> bool {
        self.timers_suspended.load(Ordering::SeqCst)
    }

    /// Returns how it was before.
    pub fn suspend_timers(&self, suspended: bool) -> bool {
        self.timers_suspended.swap(suspended, Ordering::SeqCst)
    }

    /// Where the log ends, and what of it the store does not have yet.
    pub fn unstored(&self) -> (u64, Unstored) {
        let progress = self.lock();
        (progress.durable, progress.images.clone())
    }

    /// Waits until all up to `seq` is durable, or never will be.
    pub fn wait_durable(&self, seq: u64, generation: u64) {
        while !self.wait(Duration::from_millis(50), |progress| progress.durable >= seq)
            && self.failure().is_none()
            && self.generation() == generation
        {}
    }

    pub fn outstanding(&self) -> Vec<Outstanding> {
        self.lock().effects.values().cloned().collect()
    }

    /// Takes up the effects of a case as it is loaded or has become durable.
    pub fn watch(&self, case: &Case) {
        self.lock().watch(case);
    }

    pub fn letters(&self, via: DispatchVia, now: Timestamp, limit: usize) -> Vec<Letter> {
        self.lock().outbox.due(via, now, limit)
    }

    pub fn next_letter(&self, via: DispatchVia) -> Option<Timestamp> {
        self.lock().outbox.next(via)
    }

    /// Takes up what has to go out as it is loaded.
    pub fn watch_outgoing(&self, image: &Image) {
        self.lock().outbox.watch(image);
    }

    pub fn publish(&self, transactions: &[Pending], durable: u64) {
        let mut progress = self.lock();
        for pending in transactions {
            for image in pending.images.iter() {
                if let Image::Case(_, Some(case)) = image {
                    progress.watch(case);
                }
                progress.outbox.watch(image);
                progress.images.insert(ImageKey::of(image), (pending.committed.last_seq, image.clone()));
            }
        }
        progress.durable = durable;
        progress.behind += transactions.len();
        self.moved.notify_all();
    }

    /// Waits until the store is at most so many transactions behind, or the engine stops.
    pub fn wait_for_store(&self, behind_max: usize) {
        while !self.wait(Duration::from_millis(50), |progress| progress.behind <= behind_max)
            && self.failure().is_none()
            && !self.stopping()
        {}
    }

    /// Lets more come before the store writes, unless somebody waits for it.
    pub fn rest(&self, limit: Duration) {
        self.wait(limit, |progress| progress.hurried > 0 || self.stopping());
    }

    /// Waits until the store has all up to `seq`, and no longer than it must; `false` when time is up.
    fn wait_stored(&self, seq: u64, limit: Duration) -> bool {
        if self.stored() >= seq {
            return true;
        }
        self.lock().hurried += 1;
        self.moved.notify_all();
        let reached = self.wait(limit, |progress| progress.stored >= seq);
        self.lock().hurried -= 1;
        reached
    }

    pub fn stored_up_to(&self, stored: u64, batch: &[Pending]) {
        let mut progress = self.lock();
        for image in batch.iter().flat_map(|pending| pending.images.iter()) {
            let key = ImageKey::of(image);
            if progress.images.get(&key).is_some_and(|(seq, _)| *seq <= stored) {
                progress.images.remove(&key);
            }
        }
        progress.stored = stored;
        progress.behind = progress.behind.saturating_sub(batch.len());
        self.moved.notify_all();
    }

    /// Waits until `reached` says so; `false` when time is up or the engine failed.
    fn wait(&self, limit: Duration, reached: impl Fn(&Progress) -> bool) -> bool {
        let until = Instant::now() + limit;
        let mut progress = self.lock();
        loop {
            if reached(&progress) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || progress.failure.is_some() {
                return false;
            }
            progress = self.moved.wait_timeout(progress, left).expect("no thread panics with the lock").0;
        }
    }
}

impl Progress {
    fn watch(&mut self, case: &Case) {
        let order = case.order.id;
        if case.effects.is_empty() && !self.effects_of.contains_key(&order) {
            return;
        }
        for id in self.effects_of.remove(&order).unwrap_or_default() {
            self.effects.remove(&id);
        }
        if case.effects.is_empty() {
            return;
        }
        for effect in &case.effects {
            let payment = case.payments.iter().find(|payment| payment.id == effect.action.payment());
            let payment = payment.expect("an effect names a payment of its case").clone();
            let (number, currency) = (case.order.number.to_string(), case.order.currency.to_string());
            self.effects.insert(effect.id, Outstanding { order, effect: effect.clone(), payment, number, currency });
        }
        self.effects_of.insert(order, case.effects.iter().map(|effect| effect.id).collect());
    }
}

/// Connections of one thread to log and store.
pub struct Reader {
    shared: Arc<Shared>,
    log: SqliteLog,
    store: Connection,
    consistency: Consistency,
}

/// What a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// All that was durable when it was asked for; waits at most a second for it.
    Latest,
    /// What the store has, however far that is behind.
    Any,
}

impl Reader {
    pub(crate) fn open(shared: Arc<Shared>) -> rusqlite::Result<Self> {
        let (log, store) = (shared.folder.join("log.db"), shared.folder.join("store.db"));
        Self::over(shared, &log, &store)
    }

    /// Over files that need not lie side by side.
    pub(crate) fn over(shared: Arc<Shared>, log: &Path, store: &Path) -> rusqlite::Result<Self> {
        let log = SqliteLog::open_read_only(log).map_err(|error| match error {
            crate::log::Error::Sqlite(error) => error,
            crate::log::Error::Broken { .. } => rusqlite::Error::InvalidQuery,
        })?;
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Connection::open_with_flags(store, flags)?;
        store.busy_timeout(Duration::from_secs(5))?;
        plan_once(&store)?;
        Ok(Self { shared, log, store, consistency: Consistency::Latest })
    }

    /// What lists show from now on.
    pub fn set_consistency(&mut self, consistency: Consistency) {
        self.consistency = consistency;
    }

    /// Asks without insisting: lists wait `limit` for the store to follow, and then show what it has; also whether that was all.
    pub fn soon<T>(&mut self, limit: Duration, ask: impl FnOnce(&Self) -> T) -> (T, bool) {
        let (wanted, before) = (self.shared.durable(), self.consistency);
        let whole = self.shared.wait_stored(wanted, limit);
        self.consistency = Consistency::Any;
        let answer = ask(self);
        self.consistency = before;
        (answer, whole)
    }

    /// An entity as its last durable transaction left it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn entity(&self, kind: &'static str, key: &str) -> Result<Option<Image>, ReadError> {
        let Some(wanted) = ImageKey::named(kind, key) else { return Ok(None) };
        if let Some((_, image)) = self.shared.lock().images.get(&wanted) {
            return Ok(Some(image.clone()).filter(|image| !image.is_gone()));
        }
        let body: Option<String> = match wanted {
            ImageKey::Case(id) => store::order_body(&self.store, id)?,
            ImageKey::Level(sku, location) => {
                let sql = "SELECT body FROM levels WHERE sku = ?1 AND location = ?2";
                let row = [sku.as_str(), location.as_str()];
                self.store.prepare_cached(sql)?.query_row(row, |row| row.get(0)).optional()?.flatten()
            }
            ImageKey::Other(kind, key) => {
                let sql = "SELECT body FROM entities WHERE kind = ?1 AND key = ?2";
                self.store.prepare_cached(sql)?.query_row([kind, key.as_str()], |row| row.get(0)).optional()?
            }
        };
        Ok(body.map(|body| store::image(kind, &body)).transpose()?)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn case(&self, id: OrderId) -> Result<Option<Arc<Case>>, ReadError> {
        if let Some((_, Image::Case(_, case))) = self.shared.lock().images.get(&ImageKey::Case(id)) {
            return Ok(case.clone());
        }
        let Some(body) = store::order_body(&self.store, id)? else { return Ok(None) };
        match store::image("case", &body)? {
            Image::Case(_, case) => Ok(case),
            _ => Ok(None),
        }
    }

    /// Waits until the store has what is durable now: so that everyone reads their writes.
    fn catch_up(&self) -> Result<(), ReadError> {
        if self.consistency == Consistency::Any {
            return Ok(());
        }
        let wanted = self.shared.durable();
        if self.shared.wait_stored(wanted, STORE_WAIT) { Ok(()) } else { Err(ReadError::Behind) }
    }

    /// Waits until something after `seq` is durable; `false` when time was up.
    pub fn wait_for(&self, seq: u64, limit: Duration) -> bool {
        self.shared.wait(limit, |progress| progress.durable > seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_for_the_store_ends_its_rest() {
        let shared = Arc::new(Shared::new("nowhere".into(), true, Vec::new(), 5, 4));
        let reader = shared.clone();
        let reader = std::thread::spawn(move || reader.wait_stored(5, Duration::from_secs(60)));
        let rested = Instant::now();
        shared.rest(Duration::from_secs(60));
        assert!(rested.elapsed() < Duration::from_secs(30), "the store rested although somebody waited");
        shared.stored_up_to(5, &[]);
        assert!(reader.join().unwrap());
    }
}
