//! Proving the numbers, and keeping them safe: verify, rebuild, backup, restore.

use crate::log::sqlite::SqliteLog;
use crate::log::{Error as LogError, Log, frame_hash};
use crate::recover::{self, OpenError};
use crate::store::Store;
use domain::state::FIRST_ORDER_NUMBER;
use domain::{State, invariants};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How folders of folds are called.
pub const SCRATCH: &str = "quartermaster-verify-";
/// How often, and with which pause, a store that is behind is looked at again.
const BEHIND_TRIES: u32 = 20;
const BEHIND_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// What a verification saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub events: u64,
    pub frames: u64,
    pub orders: u64,
    /// BLAKE3 over shared entities and live cases of a fold from empty.
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

/// Checks the hash chain, folds everything from empty, asks the invariants, and compares the result with the store. May run beside a live
/// server; memory stays proportional to what is open, and a store of the same size is made in the folder for temporary files.
///
/// # Errors
/// With the first thing that is wrong.
pub fn verify(folder: &Path) -> Result<Report, VerifyError> {
    verify_within(folder, &std::env::temp_dir())
}

/// As [`verify`]; the store of the fold is made below `room`, and removed.
///
/// # Errors
/// As [`verify`].
pub fn verify_within(folder: &Path, room: &Path) -> Result<Report, VerifyError> {
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    let frames = check_chain(&log)?;
    let scratch = Scratch::within(room)?;
    let mut fold = Fold { path: scratch.0.join("store.db"), store: Store::open(&scratch.0.join("store.db"))?, state: State::default() };
    recover::catch_up(&log, &mut fold.store, &mut fold.state)?;
    invariants::check(&fold.state).map_err(VerifyError::Invariant)?;
    let report = Report { events: log.last(), frames, orders: fold.store.orders()?, state_hash: state_hash(&fold.state) };
    compare(folder, &mut fold)?;
    Ok(report)
}

/// Everything folded from empty, as far as its store says.
struct Fold {
    path: PathBuf,
    store: Store,
    state: State,
}

/// Every frame follows from the one before, and no sequence is missing. Returns how many there are.
fn check_chain(log: &SqliteLog) -> Result<u64, VerifyError> {
    let (mut hash, mut next_seq, mut frame) = ([0; 32], 1, 0);
    while next_seq <= log.last() {
        let frames = log.frames(frame, 200)?;
        if frames.is_empty() {
            return Err(LogError::Broken { at: next_seq, what: "frames are missing".into() }.into());
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
            }
        }
    }
    Ok(frame)
}

/// BLAKE3 over kind, key and body of everything that is open, in order. The same on every node, whatever left memory.
pub fn state_hash(state: &State) -> String {
    let mut hasher = blake3::Hasher::new();
    for image in state.images().iter().filter(|image| image.is_live()) {
        hasher.update(image.kind().as_bytes());
        hasher.update(&[0]);
        hasher.update(image.key().as_bytes());
        hasher.update(&[0]);
        hasher.update(&serde_json::to_vec(image).expect("entities serialize"));
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().to_string()
}

/// A folder of its own for the fold's store, removed at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// # Errors
    /// When there is no room for temporary files.
    pub fn new() -> std::io::Result<Self> {
        Self::within(&std::env::temp_dir())
    }

    /// # Errors
    /// When there is no room below `room`.
    pub fn within(room: &Path) -> std::io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{SCRATCH}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = room.join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "{} stays behind", self.0.display());
        }
    }
}

/// Every entity of the fold stands in the store as it is, and nothing else, at one and the same sequence: a live store has gone on meanwhile,
/// and the fold follows it.
fn compare(folder: &Path, fold: &mut Fold) -> Result<(), VerifyError> {
    let store = folder.join("store.db");
    if !store.exists() || !Store::is_known(&store)? {
        return Ok(());
    }
    let both = Connection::open_with_flags(&store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    both.busy_timeout(std::time::Duration::from_secs(5))?;
    both.execute("ATTACH ?1 AS fold", [fold.path.to_string_lossy()])?;
    let mut applied = 0;
    for _ in 0..BEHIND_TRIES {
        // One reading transaction: a live store does not move for it.
        both.execute_batch("BEGIN")?;
        applied = crate::store::meta(&both, "applied")?.unwrap_or(0);
        if applied >= fold.store.applied() {
            break;
        }
        both.execute_batch("ROLLBACK")?;
        std::thread::sleep(BEHIND_PAUSE);
    }
    if applied < fold.store.applied() {
        // Nobody writes it: the next start makes it catch up.
        return Ok(());
    }
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    recover::catch_up_to(&log, &mut fold.store, &mut fold.state, applied)?;
    for (here, there) in [("fold", "main"), ("main", "fold")] {
        let entities = format!(
            "SELECT a.kind || ' ' || a.key FROM {here}.entities a LEFT JOIN {there}.entities b ON b.kind = a.kind AND b.key = a.key
             WHERE b.body IS NOT a.body LIMIT 1"
        );
        let orders = format!(
            "SELECT 'order number ' || (a.id + {FIRST_ORDER_NUMBER}) FROM {here}.orders a LEFT JOIN {there}.orders b ON b.id = a.id
             WHERE b.body IS NOT a.body OR b.history IS NOT a.history LIMIT 1"
        );
        let levels = format!(
            "SELECT 'level ' || a.sku || ' at ' || a.location FROM {here}.levels a
             LEFT JOIN {there}.levels b ON b.sku = a.sku AND b.location = a.location
             WHERE b.body IS NOT a.body OR b.last IS NOT a.last LIMIT 1"
        );
        let movements = format!(
            "SELECT 'the movement at ' || (a.id >> 20) FROM {here}.movements a LEFT JOIN {there}.movements b ON b.id = a.id
             WHERE b.quantity IS NOT a.quantity OR b.previous IS NOT a.previous LIMIT 1"
        );
        for sql in [entities, orders, levels, movements] {
            if let Some(name) = both.query_row(&sql, [], |row| row.get::<_, String>(0)).optional()? {
                return Err(VerifyError::Differs(name));
            }
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
    recover::remove_store(folder)?;
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

/// Puts a backup into an empty folder, makes its store and begins a new incarnation: the next start leaves numbers out, so that
/// nothing gets the id of something that was lost.
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
    let log = SqliteLog::open(&folder.join("log.db"))?;
    log.set_meta("begun", log.incarnation()?)?;
    log.begin_incarnation()?;
    drop(log);
    rebuild(folder)?;
    verify(folder)
}
