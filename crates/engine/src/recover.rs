//! Starting: the store catches up with the log, live cases load, and then the engine serves.

use crate::engine::Options;
use crate::frame::{Committed, EngineRecord, Pending};
use crate::log::sqlite::SqliteLog;
use crate::log::{Appended, Error as LogError, Log, Row};
use crate::queue::Receiver;
use crate::reader::{Reader, Shared};
use crate::record::{self, Decoded};
use crate::sequencer::{Message, Sequencer, Turn};
use crate::store::Store;
use crate::writer::{LogThread, follow, row};
use domain::id::DeliveryId;
use domain::time::Timestamp;
use domain::{Image, Recorded, State};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Instant;

/// Frames that wait for the store before the log waits: small ones, while it syncs. Large ones are bounded by their transactions.
const STORE_QUEUE_MAX: usize = 1024;
/// Numbers of every kind that a restore leaves out.
const NUMBERS_SKIPPED: u64 = 10_000;
/// Transactions folded between two writes of a store that catches up.
const CATCH_UP_CHUNK: usize = 2000;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another quartermaster has the folder {0}; stop it first, or choose another --data-dir")]
    Locked(String),
    #[error("the folder {0} can't be used: {1}")]
    Folder(String, std::io::Error),
    #[error("{0}")]
    Log(#[from] LogError),
    #[error("the store can't be used: {0}. Delete store.db and start again; it is made anew from the log")]
    Store(#[from] rusqlite::Error),
    #[error("the start could not be recorded: {0}")]
    Start(String),
}

pub struct Started {
    pub shared: Arc<Shared>,
    pub threads: Vec<JoinHandle<()>>,
    pub lock: std::fs::File,
}

pub fn lock(folder: &Path) -> Result<std::fs::File, OpenError> {
    let named = |error| OpenError::Folder(folder.display().to_string(), error);
    std::fs::create_dir_all(folder).map_err(named)?;
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(named)?;
    file.try_lock().map_err(|_| OpenError::Locked(folder.display().to_string()))?;
    Ok(file)
}

pub fn start<L: Log + 'static>(
    options: Options,
    messages: Receiver<Message>,
    disk: impl FnOnce(SqliteLog) -> Result<L, LogError>,
) -> Result<Started, OpenError> {
    let lock = lock(&options.folder)?;
    let mut log = SqliteLog::open_live(&options.folder.join("log.db"))?;
    let mut store = open_store(&options.folder, &log)?;
    if store.applied() > log.last() {
        let what = format!("the store stands at {}, the log ends at {}", store.applied(), log.last());
        return Err(LogError::Broken { at: log.last(), what }.into());
    }
    let mut state = State::default();
    store.load(&mut state)?;
    let last_time = catch_up(&log, &mut store, &mut state)?;
    let epoch = log.epoch()? + 1;
    let now = last_time.max((options.clock)());
    let incarnation = log.incarnation()?;
    let skipped = if log.meta("begun")?.unwrap_or(1) == incarnation { 0 } else { NUMBERS_SKIPPED };
    state.skip_numbers(skipped);
    let begun = started(log.last() + 1, now, EngineRecord::Started { epoch, incarnation, skipped }, &mut state);
    match log.append(log.last(), epoch, &[row(&begun)]) {
        Appended::Durable => store.write(std::slice::from_ref(&begun))?,
        Appended::Fenced { .. } | Appended::NoSpace => {
            return Err(OpenError::Start("the disk is full, or another writer is at work".into()));
        }
        Appended::InDoubt(why) => return Err(OpenError::Start(why)),
    }
    log.set_meta("begun", incarnation)?;
    let forks = log.forks()?;
    let shared = Arc::new(Shared::new(options.folder.clone(), options.wall_clock, forks, log.last(), store.applied()));
    for (_, id) in state.effects() {
        if let Ok(case) = state.case(id) {
            shared.watch(case);
        }
    }
    for id in state.outbox() {
        match id {
            DeliveryId::Notification(id) => {
                state.cases.shared(&id.order).into_iter().for_each(|case| shared.watch_outgoing(&Image::Case(id.order, Some(case))));
            }
            DeliveryId::PurchaseOrder(id) => {
                let order = state.purchasing.orders.shared(&id);
                order.into_iter().for_each(|order| shared.watch_outgoing(&Image::PurchaseOrder(id, Some(order))));
            }
        }
    }
    let threads = spawn(options, messages, disk(log)?, store, state, shared.clone(), (epoch, now))?;
    Ok(Started { shared, threads, lock })
}

fn started(seq: u64, time: Timestamp, record: EngineRecord, state: &mut State) -> Pending {
    let committed = Committed { first_seq: seq, last_seq: seq, time, actor: "system".into(), events: Vec::new() };
    Pending { committed: Arc::new(committed), records: vec![record], images: state.take_images().into() }
}

/// Opens the store, and lays aside one that followed another log than this: it is made anew.
fn open_store(folder: &Path, log: &SqliteLog) -> Result<Store, OpenError> {
    let path = folder.join("store.db");
    let named = |error| OpenError::Folder(folder.display().to_string(), error);
    if !Store::is_known(&path)? {
        tracing::warn!("the store is of another version; it is made anew from the log");
        remove_store(folder).map_err(named)?;
    }
    let store = Store::open(&path)?;
    let Some(mark) = store.mark()?.filter(|_| store.applied() <= log.last()) else { return Ok(store) };
    let row = log.read(store.applied(), 1)?.into_iter().next();
    if row.is_some_and(|row| row.last_seq == store.applied() && row_mark(&row) == mark) {
        return Ok(store);
    }
    tracing::warn!("the store followed another log; it is made anew from this one");
    drop(store);
    remove_store(folder).map_err(named)?;
    Ok(Store::open(&path)?)
}

/// # Errors
/// When a file of the store cannot be removed.
pub fn remove_store(folder: &Path) -> std::io::Result<()> {
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// By this a store recognizes the log that it followed.
pub fn row_mark(row: &Row) -> i64 {
    mark(row.first_seq, row.last_seq, row.time, &row.actor)
}

pub fn mark(first_seq: u64, last_seq: u64, time: i64, actor: &str) -> i64 {
    let hash = blake3::hash(format!("{first_seq} {last_seq} {time} {actor}").as_bytes());
    i64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

fn spawn<L: Log + 'static>(
    options: Options,
    mut messages: Receiver<Message>,
    log: L,
    store: Store,
    state: State,
    shared: Arc<Shared>,
    (epoch, now): (u64, Timestamp),
) -> Result<Vec<JoinHandle<()>>, OpenError> {
    let Options { folder, clock, wall_clock: _, on_replies, on_committed, on_durable, on_failure } = options;
    shared.tell_of_failure(on_failure);
    let (frames, frames_in) = sync_channel(1);
    let (stores, stores_in) = sync_channel(STORE_QUEUE_MAX);
    let lookups = Store::open(&folder.join("store.db"))?;
    let sequencer = Sequencer {
        state,
        store: lookups,
        reader: Reader::open(shared.clone())?,
        next_seq: log.last() + 1,
        now,
        started: (Instant::now(), clock()),
        clock,
        shared: shared.clone(),
        recent: VecDeque::new(),
        answers: BTreeMap::new(),
        leaving: VecDeque::new(),
        turn: Turn::default(),
    };
    let log = LogThread { log, epoch, shared: shared.clone(), on_replies, on_committed, on_durable };
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let failed = |error| OpenError::Folder(folder.display().to_string(), error);
    Ok(vec![
        thread("sequencer").spawn(move || sequencer.run(&mut messages, &frames)).map_err(failed)?,
        thread("log").spawn(move || log.run(&frames_in, &stores)).map_err(failed)?,
        thread("store").spawn(move || follow(store, &shared, &stores_in)).map_err(failed)?,
    ])
}

/// Folds what the log has beyond the store into both, up to where the log stood when it was opened. Returns the time of the last
/// transaction. Memory stays proportional to what is open.
pub fn catch_up(log: &SqliteLog, store: &mut Store, state: &mut State) -> Result<Timestamp, OpenError> {
    catch_up_to(log, store, state, log.last())
}

/// As [`catch_up`], up to the last transaction that ends at `end` or before.
pub fn catch_up_to(log: &SqliteLog, store: &mut Store, state: &mut State, end: u64) -> Result<Timestamp, OpenError> {
    let mut last_time = Timestamp(0);
    if let Some(row) = log.read(log.last().max(1), 1)?.last() {
        last_time = Timestamp(row.time);
    }
    loop {
        let mut rows = log.read(store.applied() + 1, CATCH_UP_CHUNK)?;
        rows.retain(|row| row.last_seq <= end);
        if rows.is_empty() {
            return Ok(last_time);
        }
        let mut batch = Vec::with_capacity(rows.len());
        for row in rows {
            batch.push(fold(row, store, state)?);
        }
        store.write(&batch)?;
        for image in batch.iter().flat_map(|pending| pending.images.iter()) {
            state.evict(image);
        }
    }
}

/// Applies one transaction of the log to State; what it gives is what the store needs.
pub fn fold(row: Row, store: &Store, state: &mut State) -> Result<Pending, OpenError> {
    let broken = |what: String| LogError::Broken { at: row.first_seq, what };
    let time = Timestamp(row.time);
    let (mut records, mut events) = (Vec::new(), Vec::new());
    for line in record::decode(&row.body).map_err(|error| broken(error.to_string()))? {
        match line {
            Decoded::Engine(record) => {
                if let EngineRecord::Started { skipped, .. } = record {
                    state.skip_numbers(skipped);
                }
                records.push(record);
            }
            Decoded::Event(_, recorded) => {
                if !apply(store, state, time, &recorded)? {
                    return Err(broken(format!("{} does not follow from what came before", recorded.event.type_name())).into());
                }
                events.push(recorded);
            }
        }
    }
    state.end_replay();
    let images = state.take_images().into();
    let (first_seq, last_seq, actor) = (row.first_seq, row.last_seq, row.actor);
    Ok(Pending { committed: Arc::new(Committed { first_seq, last_seq, time, actor, events }), records, images })
}

/// Applies a recorded event, after what it changes was fetched when that has left memory. `false` when it does not follow from what came
/// before.
///
/// # Errors
/// When the store cannot be read.
pub fn apply(store: &Store, state: &mut State, time: Timestamp, recorded: &Recorded) -> rusqlite::Result<bool> {
    while let Some(needed) = state.needed_by(&recorded.event) {
        match store.fetch(needed)? {
            images if images.is_empty() => state.note_absent(needed),
            images => images.into_iter().for_each(|image| state.load(image)),
        }
    }
    let follows = state.apply(time, recorded);
    state.forget_absent();
    Ok(follows)
}
