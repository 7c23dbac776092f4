//! A folder as it stands or stood, read without an engine and beside one that runs.

use crate::log::Log;
use crate::log::sqlite::SqliteLog;
use crate::reader::{Reader, Shared};
use crate::recover;
use crate::store::Store;
use crate::verify::{Scratch, VerifyError};
use domain::stock::Movement;
use domain::{Event, State};
use std::path::Path;
use std::sync::Arc;

/// Transactions that one step of a reading takes.
const STEP: usize = 1000;

/// The store of a folder, or one that was folded from its log up to a sequence.
pub struct Snapshot {
    pub reader: Reader,
    /// What it holds: everything up to here.
    pub seq: u64,
    _scratch: Option<Scratch>,
}

impl Snapshot {
    /// As it stands now, or as it stood at `as_of`: then everything up to there is folded into a store of its own.
    ///
    /// # Errors
    /// When log or store can't be read, or the log disagrees with the rules.
    pub fn open(folder: &Path, as_of: Option<u64>) -> Result<Self, VerifyError> {
        let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
        if as_of.is_none() && folder.join("store.db").exists() {
            // Whoever has the folder keeps the store at the end of the log; if nobody has, it may have been left behind.
            let free = recover::lock(folder).is_ok();
            let applied = Store::applied_of(&folder.join("store.db")).unwrap_or(0);
            if applied == log.last() || (!free && applied > 0) {
                return Ok(Self { reader: reader(folder, folder, applied)?, seq: applied, _scratch: None });
            }
        }
        let seq = as_of.unwrap_or_else(|| log.last()).min(log.last());
        let scratch = Scratch::new()?;
        let mut store = Store::open(&scratch.0.join("store.db"))?;
        recover::catch_up_to(&log, &mut store, &mut State::default(), seq)?;
        let seq = store.applied();
        drop(store);
        Ok(Self { reader: reader(folder, &scratch.0, seq)?, seq, _scratch: Some(scratch) })
    }
}

fn reader(folder: &Path, store: &Path, seq: u64) -> Result<Reader, VerifyError> {
    let shared = Arc::new(Shared::new(folder.to_path_buf(), true, Vec::new(), seq, seq));
    Ok(Reader::over(shared, &folder.join("log.db"), &store.join("store.db"))?)
}

/// One line of the ledger with where it stands in the log.
pub struct Moved {
    pub seq: u64,
    /// Milliseconds since the Unix epoch.
    pub time: i64,
    pub actor: String,
    pub subject: String,
    pub event: &'static str,
    pub movement: Movement,
}

/// Tells every movement of stock up to `up_to`, oldest first, off the log. Memory stays bounded.
///
/// # Errors
/// When the log can't be read, or `each` fails.
pub fn ledger<E: From<VerifyError>>(folder: &Path, up_to: u64, mut each: impl FnMut(Moved) -> Result<(), E>) -> Result<(), E> {
    events(folder, up_to, |seq, time, actor, event| {
        for movement in domain::stock::movements(event) {
            let subject = event.subject().text().to_string();
            each(Moved { seq, time, actor: actor.to_owned(), subject, event: event.type_name(), movement })?;
        }
        Ok(())
    })
}

/// Tells every event up to `up_to`, oldest first, with its sequence, time and actor. Memory stays bounded.
///
/// # Errors
/// When the log can't be read, or `each` fails.
pub fn events<E: From<VerifyError>>(
    folder: &Path,
    up_to: u64,
    mut each: impl FnMut(u64, i64, &str, &Event) -> Result<(), E>,
) -> Result<(), E> {
    let log = SqliteLog::open_read_only(&folder.join("log.db")).map_err(VerifyError::from)?;
    let mut next = 1;
    loop {
        let rows = log.read(next, STEP).map_err(VerifyError::from)?;
        let Some(last) = rows.last() else { return Ok(()) };
        next = last.last_seq + 1;
        for row in rows {
            for line in crate::record::events_of(&row).map_err(VerifyError::from)? {
                if line.0 > up_to {
                    return Ok(());
                }
                each(line.0, row.time, &row.actor, &line.1.event)?;
            }
        }
    }
}

/// State as it stood after `seq`: what is shared, and the cases that were live. A copy, to be played with.
///
/// # Errors
/// When the log can't be read or disagrees with the rules.
pub fn state_at(folder: &Path, seq: u64) -> Result<State, VerifyError> {
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    let scratch = Scratch::new()?;
    let mut store = Store::open(&scratch.0.join("store.db"))?;
    let mut state = State::default();
    recover::catch_up_to(&log, &mut store, &mut state, seq)?;
    Ok(state)
}
