//! Proving the numbers, and keeping them safe: verify, rebuild, backup, restore.

use crate::log::sqlite::SqliteLog;
use crate::log::{Error as LogError, Log, frame_hash};
use crate::recover::{self, OpenError};
use crate::store::Store;
use domain::{State, invariants};
use std::path::Path;

/// What a verification saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub events: u64,
    pub frames: u64,
    pub orders: u64,
    /// BLAKE3 over every entity of a fold from empty.
    pub state_hash: String,
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("{0}")]
    Log(#[from] LogError),
    #[error("the store can't be read: {0}. Run rebuild")]
    Store(#[from] rusqlite::Error),
    #[error("an invariant is broken: {0}")]
    Invariant(String),
    #[error("the store differs from the log at {0}. Run rebuild")]
    Differs(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Refused(String),
}

/// Checks the hash chain, folds everything from empty, asks the invariants, and compares the result with the store, if that has
/// followed to the end. May run beside a live server.
///
/// # Errors
/// With the first thing that is wrong.
pub fn verify(folder: &Path) -> Result<Report, VerifyError> {
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    let scratch = empty_store()?;
    let mut state = State::default();
    let (mut hash, mut next_seq, mut frame, mut orders) = ([0; 32], 1, 0, 0);
    loop {
        let frames = log.frames(frame, 200)?;
        if frames.is_empty() {
            break;
        }
        for (mark, rows) in frames {
            hash = frame_hash(&hash, mark.frame, mark.epoch, &rows);
            if hash != mark.hash || mark.frame != frame + 1 {
                return Err(LogError::Broken { at: mark.first_seq, what: "the hash chain does not hold".into() }.into());
            }
            frame = mark.frame;
            for row in rows {
                if row.first_seq != next_seq {
                    return Err(LogError::Broken { at: next_seq, what: format!("the next transaction begins at {}", row.first_seq) }.into());
                }
                next_seq = row.last_seq + 1;
                let pending = recover::fold(row, &scratch, &mut state)?;
                let placed = pending.committed.events.iter().filter(|event| domain::order::Case::begun_by(&event.event).is_some());
                orders += placed.count() as u64;
            }
        }
    }
    invariants::check(&state).map_err(VerifyError::Invariant)?;
    compare(folder, &state, next_seq - 1)?;
    Ok(Report { events: next_seq - 1, frames: frame, orders, state_hash: state_hash(&state) })
}

/// BLAKE3 over kind, key and body of every entity, in order.
pub fn state_hash(state: &State) -> String {
    let mut hasher = blake3::Hasher::new();
    for image in state.images() {
        hasher.update(image.kind().as_bytes());
        hasher.update(&[0]);
        hasher.update(image.key().as_bytes());
        hasher.update(&[0]);
        hasher.update(&serde_json::to_vec(&image).expect("entities serialize"));
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().to_string()
}

fn empty_store() -> Result<Store, VerifyError> {
    Ok(Store::open(Path::new(":memory:"))?)
}

/// Every entity of the fold stands in the store as it is.
fn compare(folder: &Path, state: &State, last: u64) -> Result<(), VerifyError> {
    let path = folder.join("store.db");
    if !path.exists() {
        return Ok(());
    }
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = rusqlite::Connection::open_with_flags(path, flags)?;
    store.busy_timeout(std::time::Duration::from_secs(5))?;
    if crate::store::meta(&store, "applied")?.unwrap_or(0) != last {
        return Ok(());
    }
    for image in state.images() {
        let (kind, key) = (image.kind(), image.key());
        let body: Option<String> = match &image {
            domain::Image::Case(id, _) => crate::store::order_body(&store, *id)?,
            _ => {
                use rusqlite::OptionalExtension;
                let sql = "SELECT body FROM entities WHERE kind = ?1 AND key = ?2";
                store.prepare_cached(sql)?.query_row([kind, key.as_str()], |row| row.get(0)).optional()?
            }
        };
        if body != Some(serde_json::to_string(&image).expect("entities serialize")) {
            return Err(VerifyError::Differs(format!("{kind} {key}")));
        }
    }
    Ok(())
}

/// Makes the store anew from the log. The engine must not run.
///
/// # Errors
/// When the folder is in use, or the log cannot be read.
pub fn rebuild(folder: &Path) -> Result<u64, VerifyError> {
    let _lock = recover::lock(folder)?;
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        match std::fs::remove_file(folder.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let log = SqliteLog::open(&folder.join("log.db"))?;
    let mut store = Store::open(&folder.join("store.db"))?;
    recover::catch_up(&log, &mut store, &mut State::default())?;
    Ok(store.applied())
}

/// Files of a data folder that a backup needs besides the log.
const BESIDE: &[&str] = &["vault.db", "keys.db"];

/// Copies log, vault and keys while the server runs. The store is made again at the first start.
///
/// # Errors
/// When the target is not empty or cannot be written.
pub fn backup(folder: &Path, target: &Path) -> Result<u64, VerifyError> {
    std::fs::create_dir_all(target)?;
    if std::fs::read_dir(target)?.next().is_some() {
        return Err(VerifyError::Refused(format!("{} is not empty; name a new folder", target.display())));
    }
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    log.copy_to(&target.join("log.db"))?;
    for name in BESIDE.iter().filter(|name| folder.join(name).exists()) {
        SqliteLog::copy_file(&folder.join(name), &target.join(name))?;
    }
    Ok(SqliteLog::open_read_only(&target.join("log.db"))?.last())
}

/// Puts a backup into an empty folder and makes its store.
///
/// # Errors
/// When the folder is not empty, or the backup does not verify.
pub fn restore(backup: &Path, folder: &Path) -> Result<Report, VerifyError> {
    std::fs::create_dir_all(folder)?;
    if std::fs::read_dir(folder)?.next().is_some() {
        return Err(VerifyError::Refused(format!("{} is not empty; restore into a new folder", folder.display())));
    }
    for name in ["log.db"].iter().chain(BESIDE).filter(|name| backup.join(name).exists()) {
        std::fs::copy(backup.join(name), folder.join(name))?;
    }
    rebuild(folder)?;
    verify(folder)
}
