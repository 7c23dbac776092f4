//! What came of every call of an endpoint: telemetry in a file of its own (`attempts.db`). It may be lost, and may be deleted.

use domain::id::SubscriptionId;
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How long an attempt can be read.
const KEPT_MS: i64 = 14 * 24 * 60 * 60 * 1000;
/// Attempts that wait to be written; beyond, they are lost and counted.
const QUEUE_MAX: usize = 8192;
/// Attempts written at once.
const BATCH_MAX: usize = 4096;
/// How long they are gathered: a commit for each would cost more than the calls.
const GATHER: std::time::Duration = std::time::Duration::from_millis(50);
/// The old are looked for once an hour, and at the start.
const CLEAN_EVERY_MS: i64 = 60 * 60 * 1000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS attempts(
    id INTEGER PRIMARY KEY, subscription INTEGER NOT NULL, sequence INTEGER NOT NULL, event TEXT NOT NULL, type TEXT NOT NULL,
    subject TEXT NOT NULL, attempt INTEGER NOT NULL, time INTEGER NOT NULL, delivered INTEGER NOT NULL, status INTEGER, error TEXT,
    duration_ms INTEGER NOT NULL, answer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_of ON attempts(subscription, id);
CREATE INDEX IF NOT EXISTS attempts_failed ON attempts(subscription, id) WHERE delivered = 0;
";

/// One call of an endpoint.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Attempt {
    #[serde(skip)]
    pub subscription: u64,
    pub sequence: u64,
    pub event: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: String,
    /// The how manieth call for this event, from 1.
    pub attempt: u32,
    /// Milliseconds since the Unix epoch, by the wall.
    pub time: i64,
    pub delivered: bool,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub duration_ms: u64,
    /// The first kilobyte.
    pub answer: String,
}

/// Which attempts are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub failed_only: bool,
    pub sequence: Option<u64>,
    /// Older than the attempt with this number.
    pub before: Option<i64>,
}

/// The attempts of a data folder.
pub struct Attempts {
    queue: SyncSender<Attempt>,
    reader: Mutex<Connection>,
    lost: AtomicU64,
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Losing the last of it is allowed; waiting for the disk is not.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

impl Attempts {
    /// # Errors
    /// When the file cannot be opened: delete it, and nothing but telemetry is gone.
    pub fn open(folder: &Path) -> rusqlite::Result<Self> {
        let path = folder.join("attempts.db");
        let (writer, reader) = (open(&path)?, open(&path)?);
        let (queue, attempts) = sync_channel(QUEUE_MAX);
        std::thread::Builder::new()
            .name("attempts".into())
            .spawn(move || write(writer, &attempts))
            .map_err(|_| rusqlite::Error::InvalidPath(path))?;
        Ok(Self { queue, reader: Mutex::new(reader), lost: AtomicU64::new(0) })
    }

    /// Queues it to be written; when too many wait it is lost, and counted.
    pub fn note(&self, attempt: Attempt) {
        if self.queue.try_send(attempt).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many could not be kept since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// The latest first, each with its number for going on from.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn latest(&self, subscription: SubscriptionId, wanted: &Wanted, limit: usize) -> rusqlite::Result<Vec<(i64, Attempt)>> {
        let mut sql = String::from(
            "SELECT id, subscription, sequence, event, type, subject, attempt, time, delivered, status, error, duration_ms, answer
             FROM attempts WHERE subscription = ?1 AND id < ?2",
        );
        if wanted.failed_only {
            sql.push_str(" AND delivered = 0");
        }
        if let Some(sequence) = wanted.sequence {
            sql.push_str(&format!(" AND sequence = {sequence}"));
        }
        sql.push_str(" ORDER BY id DESC LIMIT ?3");
        let reader = self.reader.lock().expect("no thread panics with the attempts");
        let mut statement = reader.prepare_cached(&sql)?;
        let before = wanted.before.unwrap_or(i64::MAX);
        let rows = statement.query_map(params![subscription.0, before, limit], |row| {
            let attempt = Attempt {
                subscription: row.get(1)?,
                sequence: row.get(2)?,
                event: row.get(3)?,
                kind: row.get(4)?,
                subject: row.get(5)?,
                attempt: row.get(6)?,
                time: row.get(7)?,
                delivered: row.get(8)?,
                status: row.get(9)?,
                error: row.get(10)?,
                duration_ms: row.get(11)?,
                answer: row.get(12)?,
            };
            Ok((row.get(0)?, attempt))
        })?;
        rows.collect()
    }
}

/// Writes what is queued, many at once, until nobody queues any more.
fn write(mut connection: Connection, attempts: &Receiver<Attempt>) {
    super::webhook::stand_back();
    let mut clean_at = i64::MIN;
    while let Ok(first) = attempts.recv() {
        std::thread::sleep(GATHER);
        let batch: Vec<Attempt> = std::iter::once(first).chain(attempts.try_iter().take(BATCH_MAX - 1)).collect();
        let now = batch.iter().map(|attempt| attempt.time).max().unwrap_or(0);
        let written = write_batch(&mut connection, &batch);
        if written.is_ok() && now >= clean_at {
            clean_at = now + CLEAN_EVERY_MS;
            let cleaned = connection.execute("DELETE FROM attempts WHERE time < ?1", params![now - KEPT_MS]);
            if let Err(error) = cleaned {
                tracing::warn!("old attempts could not be removed: {error}");
            }
        }
        if let Err(error) = written {
            tracing::warn!("{} attempts could not be kept: {error}", batch.len());
        }
    }
}

fn write_batch(connection: &mut Connection, batch: &[Attempt]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO attempts(subscription, sequence, event, type, subject, attempt, time, delivered, status, error, duration_ms, answer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        for attempt in batch {
            insert.execute(params![
                attempt.subscription,
                attempt.sequence,
                attempt.event,
                attempt.kind,
                attempt.subject,
                attempt.attempt,
                attempt.time,
                attempt.delivered,
                attempt.status,
                attempt.error,
                attempt.duration_ms,
                attempt.answer
            ])?;
        }
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(sequence: u64, delivered: bool, time: i64) -> Attempt {
        Attempt {
            subscription: 1,
            sequence,
            event: format!("1-{sequence}"),
            kind: "order.placed.v1".into(),
            subject: "order/ord_1".into(),
            attempt: 1,
            time,
            delivered,
            status: Some(500),
            error: None,
            duration_ms: 3,
            answer: "no".into(),
        }
    }

    #[test]
    fn attempts_are_kept_for_two_weeks() {
        let folder = tempfile::tempdir().unwrap();
        let attempts = Attempts::open(folder.path()).unwrap();
        attempts.note(attempt(1, true, 1_000));
        attempts.note(attempt(2, false, 1_000 + KEPT_MS));
        // Later than the next look for the old, whichever of them are written at once.
        attempts.note(attempt(3, true, 1_000 + KEPT_MS + CLEAN_EVERY_MS));
        let ask = |wanted: &Wanted| attempts.latest(SubscriptionId(1), wanted, 10).unwrap();
        let sequences = |known: &[(i64, Attempt)]| known.iter().map(|(_, attempt)| attempt.sequence).collect::<Vec<_>>();
        let mut known = ask(&Wanted::default());
        for _ in 0..3_000 {
            if sequences(&known) == [3, 2] {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
            known = ask(&Wanted::default());
        }
        assert_eq!(sequences(&known), [3, 2]);
        assert_eq!(ask(&Wanted { failed_only: true, ..Wanted::default() })[0].1, attempt(2, false, 1_000 + KEPT_MS));
        assert_eq!(ask(&Wanted { before: Some(known[0].0), ..Wanted::default() }).len(), 1);
        assert_eq!(attempts.latest(SubscriptionId(2), &Wanted::default(), 10).unwrap().len(), 0);
    }
}
