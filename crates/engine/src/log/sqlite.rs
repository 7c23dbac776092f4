//! The embedded log: one SQLite file, a row per transaction, made durable by `synchronous=FULL`.

use super::checkpoint::Checkpoint;
use super::{Appended, Error, Log, Row, frame_hash};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::path::Path;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transactions(
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, frame INTEGER NOT NULL, time INTEGER NOT NULL,
    actor TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS frames(
    frame INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    time INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE VIEW IF NOT EXISTS events AS
    SELECT json_extract(e.value, '$.seq') AS seq, t.time AS time, t.actor AS actor, json_extract(e.value, '$.type') AS type,
           json_extract(e.value, '$.subject') AS subject, json_extract(e.value, '$.data') AS data
    FROM transactions t, json_each(t.body) e;
";

/// Bytes of a page. A transaction is two to four KiB: on small pages half of each stays empty, and each page costs a header in the write-ahead
/// log. A file keeps the size that it was made with.
const PAGE_BYTES: u32 = 16_384;

/// Bytes of the write-ahead log before its pages are copied home by whoever writes without a thread for it.
const CHECKPOINT_BYTES: u32 = 16 << 20;

/// Rows from the one on that has a sequence.
const READ: &str = "
    SELECT first_seq, last_seq, time, actor, body FROM transactions
    WHERE first_seq >= coalesce((SELECT first_seq FROM transactions WHERE first_seq <= ?1 ORDER BY first_seq DESC LIMIT 1), 0)
      AND last_seq >= ?1 ORDER BY first_seq LIMIT ?2";

/// Frames that a backup copies between two looks at the log.
const COPY_FRAMES: usize = 200;

/// The log of one data folder. Only one may append; readers open their own.
pub struct SqliteLog {
    connection: Connection,
    checkpoint: Option<Checkpoint>,
    last: u64,
    frame: u64,
    hash: [u8; 32],
}

/// A frame's place and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameMark {
    pub frame: u64,
    pub epoch: u64,
    pub first_seq: u64,
    pub last_seq: u64,
    pub hash: [u8; 32],
}

impl SqliteLog {
    /// # Errors
    /// When the file cannot be opened or is no log.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_BYTES / page.max(1))?;
        connection.execute_batch(SCHEMA)?;
        plan_once(&connection)?;
        Self::at_end(connection)
    }

    /// For a writer whom nobody should have to wait for: pages are copied home on a thread of their own.
    ///
    /// # Errors
    /// As [`SqliteLog::open`].
    pub fn open_live(path: &Path) -> Result<Self, Error> {
        let mut log = Self::open(path)?;
        log.checkpoint = Some(Checkpoint::beside(&log.connection, path)?);
        Ok(log)
    }

    /// Beside a live writer.
    ///
    /// # Errors
    /// As [`SqliteLog::open`].
    pub fn open_read_only(path: &Path) -> Result<Self, Error> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        plan_once(&connection)?;
        Self::at_end(connection)
    }

    fn at_end(connection: Connection) -> Result<Self, Error> {
        let (frame, last, hash) = Self::at_end_of(&connection)?;
        Ok(Self { connection, checkpoint: None, last, frame, hash })
    }

    fn at_end_of(connection: &Connection) -> Result<(u64, u64, [u8; 32]), Error> {
        let sql = "SELECT frame, last_seq, hash FROM frames ORDER BY frame DESC LIMIT 1";
        let row = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        Ok(row.unwrap_or((0, 0, [0; 32])))
    }

    /// Highest epoch that ever wrote: that of the last frame, for epochs only grow.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn epoch(&self) -> Result<u64, Error> {
        let sql = "SELECT epoch FROM frames ORDER BY frame DESC LIMIT 1";
        Ok(self.connection.query_row(sql, [], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// Frames after the one given, at most `limit`, each with its rows.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn frames(&self, after: u64, limit: usize) -> Result<Vec<(FrameMark, Vec<Row>)>, Error> {
        let sql = "SELECT frame, epoch, first_seq, last_seq, hash FROM frames WHERE frame > ?1 ORDER BY frame LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let marks = statement.query_map(params![after, limit], |row| {
            let (frame, epoch, first_seq, last_seq, hash) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(FrameMark { frame, epoch, first_seq, last_seq, hash })
        })?;
        let mut frames = Vec::new();
        for mark in marks {
            let mark = mark?;
            let sql = "SELECT first_seq, last_seq, time, actor, body FROM transactions WHERE first_seq BETWEEN ?1 AND ?2 ORDER BY 1";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![mark.first_seq, mark.last_seq], read_row)?.collect::<Result<_, _>>()?;
            frames.push((mark, rows));
        }
        Ok(frames)
    }

    /// As [`Log::read`], and no further row once they have `bytes` together.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn read_within(&self, from_seq: u64, limit: usize, bytes: usize) -> Result<Vec<Row>, Error> {
        let mut statement = self.connection.prepare_cached(READ)?;
        let (mut rows, mut read) = (Vec::new(), 0);
        for row in statement.query_map(params![from_seq, limit], read_row)? {
            let row = row?;
            read += row.body.len();
            rows.push(row);
            if read >= bytes {
                break;
            }
        }
        Ok(rows)
    }

    /// The last sequence written at or before a time, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn seq_at(&self, time: i64) -> Result<u64, Error> {
        let mut statement = self.connection.prepare_cached("SELECT time, last_seq FROM frames WHERE frame = ?1")?;
        // Frames are numbered without gaps, and the time of the log never goes back: the last one by halving.
        let (mut before, mut after, mut seq) = (0, Self::at_end_of(&self.connection)?.0 + 1, 0);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            let (at, last): (i64, u64) = statement.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if at <= time {
                (before, seq) = (middle, last);
            } else {
                after = middle;
            }
        }
        Ok(seq)
    }

    /// Lets the file grow to so many pages and no further.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn limit_pages(&self, pages: u32) -> Result<(), Error> {
        Ok(self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
    }

    /// A last frame's hash, for the store to remember where it stands.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Which life of this log it is: a restore begins a new one, so that its sequences are never taken for those that were lost.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn incarnation(&self) -> Result<u64, Error> {
        Ok(self.meta("incarnation")?.unwrap_or(1))
    }

    /// The last sequence of each life before the present one, oldest first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn forks(&self) -> Result<Vec<u64>, Error> {
        let mut forks = Vec::new();
        for incarnation in 2..=self.incarnation()? {
            forks.push(self.meta(&format!("fork.{incarnation}"))?.unwrap_or(0));
        }
        Ok(forks)
    }

    /// Ends the present life where the log ends now, and begins another.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn begin_incarnation(&self) -> Result<(), Error> {
        let next = self.incarnation()? + 1;
        self.set_meta(&format!("fork.{next}"), self.last)?;
        self.set_meta("incarnation", next)
    }

    /// # Errors
    /// When the log cannot be read.
    pub fn meta(&self, name: &str) -> Result<Option<u64>, Error> {
        let known = "SELECT 1 FROM sqlite_schema WHERE name = 'meta'";
        if self.connection.query_row(known, [], |_| Ok(())).optional()?.is_none() {
            return Ok(None);
        }
        Ok(self.connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()?)
    }

    /// # Errors
    /// When the log cannot be written.
    pub fn set_meta(&self, name: &str, value: u64) -> Result<(), Error> {
        self.connection.execute("INSERT OR REPLACE INTO meta(name, value) VALUES (?1, ?2)", params![name, value])?;
        Ok(())
    }

    /// Copies what is durable now into a new log, in bounded chunks, while others read and write. Checks the hash chain on the way.
    ///
    /// # Errors
    /// When either file fails, or this log is damaged.
    pub fn copy_to(&self, path: &Path) -> Result<(), Error> {
        let end = Self::at_end_of(&self.connection)?.0;
        let mut target = Self::open(path)?;
        // Synced once, at the end: a torn copy is no backup anyway.
        target.connection.pragma_update(None, "synchronous", "OFF")?;
        while target.frame < end {
            let chunk = usize::try_from(end - target.frame).unwrap_or(COPY_FRAMES).min(COPY_FRAMES);
            for (mark, rows) in self.frames(target.frame, chunk)? {
                match target.append(mark.first_seq - 1, mark.epoch, &rows) {
                    Appended::Durable if target.hash == mark.hash => {}
                    Appended::Durable | Appended::Fenced { .. } => {
                        return Err(Error::Broken { at: mark.first_seq, what: "the hash chain does not hold".into() });
                    }
                    Appended::NoSpace => return Err(Error::Broken { at: mark.first_seq, what: "the target's disk is full".into() }),
                    Appended::InDoubt(what) => return Err(Error::Broken { at: mark.first_seq, what }),
                }
            }
        }
        target.set_meta("incarnation", self.incarnation()?)?;
        for (at, end) in self.forks()?.into_iter().enumerate() {
            target.set_meta(&format!("fork.{}", at + 2), end)?;
        }
        target.connection.pragma_update(None, "synchronous", "FULL")?;
        target.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Copies any SQLite file while others use it.
    ///
    /// # Errors
    /// When either file fails.
    pub fn copy_file(from: &Path, to: &Path) -> Result<(), Error> {
        let source = Connection::open_with_flags(from, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut target = Connection::open(to)?;
        let backup = rusqlite::backup::Backup::new(&source, &mut target)?;
        backup.run_to_completion(1000, std::time::Duration::from_millis(1), None)?;
        Ok(())
    }

    fn write(&mut self, epoch: u64, rows: &[Row], hash: &[u8; 32]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let frame = self.frame + 1;
            let sql = "INSERT INTO transactions(first_seq, last_seq, frame, time, actor, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let mut insert = transaction.prepare_cached(sql)?;
            for row in rows {
                insert.execute(params![row.first_seq, row.last_seq, frame, row.time, row.actor, row.body])?;
            }
            let (first, last) = (rows[0].first_seq, rows[rows.len() - 1].last_seq);
            let time = rows[rows.len() - 1].time;
            let sql = "INSERT INTO frames(frame, epoch, first_seq, last_seq, time, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            transaction.prepare_cached(sql)?.execute(params![frame, epoch, first, last, time, hash])?;
        }
        transaction.commit()
    }
}

/// A statement is planned for whatever it may be asked, not anew for each bound that it is given.
///
/// # Errors
/// When SQLite refuses.
pub fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn read_row(row: &rusqlite::Row) -> rusqlite::Result<Row> {
    Ok(Row { first_seq: row.get(0)?, last_seq: row.get(1)?, time: row.get(2)?, actor: row.get(3)?, body: row.get(4)? })
}

impl Log for SqliteLog {
    fn append(&mut self, expected_last: u64, epoch: u64, rows: &[Row]) -> Appended {
        if expected_last != self.last {
            return Appended::Fenced { last: self.last };
        }
        let Some(last_row) = rows.last() else { return Appended::Durable };
        let hash = frame_hash(&self.hash, self.frame + 1, epoch, rows);
        match self.write(epoch, rows, &hash) {
            Ok(()) => {
                self.last = last_row.last_seq;
                self.frame += 1;
                self.hash = hash;
                if let Some(checkpoint) = &mut self.checkpoint {
                    checkpoint.appended(&self.connection, rows.iter().map(|row| row.body.len()).sum());
                }
                Appended::Durable
            }
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::DiskFull => Appended::NoSpace,
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::ConstraintViolation => {
                Appended::Fenced { last: self.last }
            }
            Err(error) => Appended::InDoubt(error.to_string()),
        }
    }

    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Row>, Error> {
        self.read_within(from_seq, limit, usize::MAX)
    }

    fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(first_seq: u64, last_seq: u64) -> Row {
        Row { first_seq, last_seq, time: 7, actor: "a".into(), body: format!("[{{\"seq\":{first_seq}}}]") }
    }

    #[test]
    fn an_append_behind_the_end_is_fenced() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(&folder.path().join("log.db")).unwrap();
        assert_eq!(log.append(0, 1, &[row(1, 2), row(3, 3)]), Appended::Durable);
        assert_eq!(log.append(0, 1, &[row(1, 1)]), Appended::Fenced { last: 3 });
        let again = SqliteLog::open(&folder.path().join("log.db")).unwrap();
        assert_eq!((again.last(), again.hash), (3, log.hash));
        assert_eq!(again.read(2, 10).unwrap(), vec![row(1, 2), row(3, 3)]);
        assert_eq!(again.read(3, 10).unwrap(), vec![row(3, 3)]);
    }

    #[test]
    fn the_last_frame_at_or_before_a_time_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(&folder.path().join("log.db")).unwrap();
        assert_eq!((log.seq_at(100).unwrap(), log.epoch().unwrap()), (0, 0));
        for (seq, time, epoch) in [(1, 10, 1), (2, 20, 1), (3, 20, 1), (4, 30, 2), (5, 40, 3)] {
            assert_eq!(log.append(seq - 1, epoch, &[Row { time, ..row(seq, seq) }]), Appended::Durable);
        }
        let found = [9, 10, 19, 20, 29, 30, 39, 40, 41].map(|time| log.seq_at(time).unwrap());
        assert_eq!(found, [0, 1, 1, 3, 3, 4, 4, 5, 5]);
        assert_eq!(log.epoch().unwrap(), 3);
    }

    #[test]
    fn a_full_disk_leaves_the_log_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(&folder.path().join("log.db")).unwrap();
        log.connection.pragma_update(None, "max_page_count", 8).unwrap();
        let big = Row { body: "x".repeat(100_000), ..row(1, 1) };
        assert_eq!(log.append(0, 1, &[big]), Appended::NoSpace);
        assert_eq!(log.append(0, 1, &[row(1, 1)]), Appended::Durable);
    }
}
