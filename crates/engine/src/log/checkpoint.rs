//! Copies the write-ahead log home on a thread of its own, so that no order waits while megabytes are written and synced.

use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// What is copied at once. Larger is cheaper: a page that changes often is copied once.
const BYTES: usize = 16 << 20;
/// The writer copies by itself when the thread has not kept up: the file has to end somewhere.
const BYTES_MAX: usize = 16 * BYTES;
/// What SQLite writes for a page beside the bytes that were asked for, in hundredths.
const PAGES_OVER_BYTES: usize = 120;

/// The thread, and what the writer has appended since the write-ahead log began anew.
pub struct Checkpoint {
    ask: Option<SyncSender<()>>,
    copied: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    asked: bool,
    bytes: usize,
}

impl Checkpoint {
    /// From now on the writer's connection copies nothing unless told.
    ///
    /// # Errors
    /// When the file cannot be opened once more, or no thread can be had.
    pub fn beside(writer: &Connection, path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "wal_autocheckpoint", 0)?;
        let (ask, asked) = sync_channel::<()>(1);
        let copied = Arc::new(AtomicBool::new(false));
        let done = copied.clone();
        let run = move || {
            while asked.recv().is_ok() {
                // What came meanwhile is less, and quicker: what is left to the writer is least.
                if !copy(&connection) {
                    copy(&connection);
                }
                done.store(true, Ordering::Release);
            }
        };
        // Without the thread nobody takes what is asked, and the writer copies when it must.
        let thread = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(run).ok();
        Ok(Self { ask: Some(ask), copied, thread, asked: false, bytes: 0 })
    }

    /// After each append. The thread copies nearly all while the writer goes on; the writer copies the few pages since, and the file begins anew.
    pub fn appended(&mut self, writer: &Connection, bytes: usize) {
        self.bytes += bytes * PAGES_OVER_BYTES / 100;
        if self.asked && self.copied.swap(false, Ordering::Acquire) || self.bytes >= BYTES_MAX {
            self.asked = false;
            // Somebody may be reading what is older: then the next round copies more.
            self.bytes = if copy(writer) { 0 } else { BYTES };
        }
        if self.bytes >= BYTES && !self.asked {
            self.asked = self.ask.as_ref().is_some_and(|ask| ask.try_send(()).is_ok());
        }
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // It holds nothing that a panic could lose.
            let _ = thread.join();
        }
    }
}

/// Whether all was copied. What was not stays in the write-ahead log, which is as durable.
fn copy(connection: &Connection) -> bool {
    let pages = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)));
    match pages {
        Ok((written, copied)) => written == copied,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log could not be copied home; it is kept, and copied later");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_write_ahead_log_begins_anew_while_orders_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(body TEXT NOT NULL)").unwrap();
        let mut checkpoint = Checkpoint::beside(&writer, &path).unwrap();
        let body = "x".repeat(1 << 20);
        let rows = 8 * (BYTES >> 20);
        for _ in 0..rows {
            writer.execute("INSERT INTO t VALUES (?1)", [&body]).unwrap();
            checkpoint.appended(&writer, body.len());
        }
        let most = u64::try_from(BYTES_MAX).unwrap();
        let size = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(size("log.db-wal") < most, "{} bytes", size("log.db-wal"));
        assert!(size("log.db") > u64::try_from(BYTES).unwrap(), "something was copied home: {} bytes", size("log.db"));
        drop(checkpoint);
        assert_eq!(writer.query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(rows));
    }
}
