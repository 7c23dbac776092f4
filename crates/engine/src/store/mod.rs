//! The read model and checkpoint: after-images of what each frame touched, and rows that only append.
//!
//! It may be deleted at any time; it is made again from the log.

pub mod key;
pub mod ledger;
pub mod minutes;
mod rows;
pub mod schema;

use crate::frame::{EngineRecord, Pending};
use crate::json;
use domain::id::OrderId;
use domain::{Fetch, Image, State};
use key::ImageKey;
use rows::Touched;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::Serialize;
use std::path::Path;

/// A repeated key is answered for this long, in log time.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1000;
/// Pages of the write-ahead log before they are copied home: 16 MiB. More would copy less often what every batch touches, but for so long that
/// orders wait behind it for the disk.
const CHECKPOINT_PAGES: u32 = 2048;
/// Bytes of a page: rows of orders fill it without much waste, and levels that are written again do not drag much along.
const PAGE_BYTES: u32 = 8192;
/// Most memory for pages, in KiB.
const CACHE_KIB: i64 = 65536;

/// Where adjustments stand in the log: each under its id, all under no term.
pub const ADJUSTMENT: &str = "adjustment";

pub struct Store {
    connection: Connection,
    applied: u64,
    known: ledger::Known,
}

impl Store {
    /// # Errors
    /// When the file cannot be opened or is no store.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.set_prepared_statement_cache_capacity(64);
        crate::log::sqlite::plan_once(&connection)?;
        schema::create(&mut connection)?;
        let applied = meta(&connection, "applied")?.unwrap_or(0);
        Ok(Self { connection, applied, known: ledger::Known::default() })
    }

    /// Whether the file is a store that this version can read; one that is not there is.
    ///
    /// # Errors
    /// When the file is no database.
    pub fn is_known(path: &Path) -> rusqlite::Result<bool> {
        if !path.exists() {
            return Ok(true);
        }
        schema::is_known(&Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }

    /// How far the store in a file has come, read beside its writer.
    ///
    /// # Errors
    /// When the file is no store.
    pub fn applied_of(path: &Path) -> rusqlite::Result<u64> {
        let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(meta(&connection, "applied")?.unwrap_or(0))
    }

    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// What the log's transaction at `applied` looked like.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn mark(&self) -> rusqlite::Result<Option<i64>> {
        self.connection.query_row("SELECT value FROM meta WHERE name = 'mark'", [], |row| row.get(0)).optional()
    }

    /// Writes what was touched, coalesced, with how far it now stands.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing was.
    pub fn write(&mut self, batch: &[Pending]) -> rusqlite::Result<()> {
        let Some(last) = batch.last() else { return Ok(()) };
        let written = self.write_all(batch, last);
        match written {
            Ok(()) => self.applied = last.committed.last_seq,
            // What was rolled back is not known any more.
            Err(_) => self.known = ledger::Known::default(),
        }
        written
    }

    fn write_all(&mut self, batch: &[Pending], last: &Pending) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for pending in batch {
            rows::put_records(&transaction, pending)?;
            for (seq, recorded) in pending.events() {
                rows::follow_cursor(&transaction, &recorded.event)?;
                rows::note_adjustment(&transaction, seq, &recorded.event)?;
            }
        }
        self.known.append(&transaction, batch)?;
        let touched = Touched::of(batch);
        let mut text = String::new();
        rows::put_orders(&transaction, &touched.orders, &mut text)?;
        let levels = touched.entities.values().filter_map(|image| match image {
            Image::Level(key, level) => Some((key, level.as_deref())),
            _ => None,
        });
        self.known.put_levels(&transaction, levels, &mut text)?;
        rows::put_entities(&transaction, touched.entities.values(), &mut text)?;
        minutes::add(&transaction, batch)?;
        let committed = &last.committed;
        set_meta(&transaction, "applied", committed.last_seq)?;
        let mark = crate::recover::mark(committed.first_seq, committed.last_seq, committed.time.0, &committed.actor);
        transaction.prepare_cached("INSERT OR REPLACE INTO meta(name, value) VALUES ('mark', ?1)")?.execute([mark])?;
        rows::forget_keys(&transaction, committed.time.0)?;
        transaction.commit()
    }

    /// Brings into memory what is open.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(&self, state: &mut State) -> rusqlite::Result<()> {
        self.load_except(state, |_| false)
    }

    /// As [`Store::load`], without the entities of which something newer is known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load_except(&self, state: &mut State, newer: impl Fn(&ImageKey) -> bool) -> rusqlite::Result<()> {
        let live = "SELECT kind, body FROM entities WHERE live = 1
                    UNION ALL SELECT 'level', body FROM levels WHERE body IS NOT NULL
                    UNION ALL SELECT 'case', body FROM live CROSS JOIN orders USING (id)";
        let mut statement = self.connection.prepare(live)?;
        let mut entities = statement.query([])?;
        while let Some(row) = entities.next()? {
            let image = image(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?)?;
            if let Some(subject) = image.subject().filter(|subject| !newer(&ImageKey::Other("subject", subject.text())))
                && let Some(count) = self.entity("subject", &subject.text())?
            {
                state.load(count);
            }
            if !newer(&ImageKey::of(&image)) {
                state.load(image);
            }
        }
        Ok(())
    }

    /// From here on everything is read as it stood at the first look, without a lock for each, until [`Store::end_reading`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begin_reading(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN")?.execute([]).map(drop)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn end_reading(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([]).map(drop)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn case(&self, id: OrderId) -> rusqlite::Result<Option<Image>> {
        order_body(&self.connection, id)?.map(|body| image("case", &body)).transpose()
    }

    /// What has left memory, with the count of its events; empty when there is no such thing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn fetch(&self, wanted: Fetch) -> rusqlite::Result<Vec<Image>> {
        if let Fetch::Case(id) = wanted {
            return Ok(self.case(id)?.into_iter().collect());
        }
        let mut images: Vec<Image> = self.entity(wanted.kind(), &wanted.key())?.into_iter().collect();
        if let Some(subject) = images.first().and_then(Image::subject) {
            images.extend(self.entity("subject", &subject.text())?);
        }
        Ok(images)
    }

    fn entity(&self, kind: &str, key: &str) -> rusqlite::Result<Option<Image>> {
        let sql = "SELECT body FROM entities WHERE kind = ?1 AND key = ?2";
        let body: Option<String> = self.connection.prepare_cached(sql)?.query_row(params![kind, key], |row| row.get(0)).optional()?;
        body.map(|body| image(kind, &body)).transpose()
    }

    /// The order that a channel calls by this name, unless it was rejected.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn order_by_external_id(&self, channel: &str, external_id: &str) -> rusqlite::Result<Option<OrderId>> {
        let sql = "SELECT id FROM orders WHERE channel = ?1 AND external_id = ?2 AND status <> 'rejected'";
        let found = self.connection.prepare_cached(sql)?.query_row(params![channel, external_id], |row| row.get(0)).optional()?;
        Ok(found.map(OrderId))
    }

    /// How many orders there ever were.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn orders(&self) -> rusqlite::Result<u64> {
        self.connection.query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
    }

    /// Which body and transaction a key stands for.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn key(&self, key: &str) -> rusqlite::Result<Option<KeyRow>> {
        key_row(&self.connection, key)
    }
}

/// A remembered idempotency key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    pub body: String,
    pub first_seq: u64,
    /// In log time, milliseconds since the Unix epoch: from then on it is a new request.
    pub expires: i64,
    /// Set when the command was refused.
    pub rejection: Option<String>,
    /// What the first answer showed, cases by their id alone.
    pub images: Option<String>,
}

fn key_row(connection: &Connection, key: &str) -> rusqlite::Result<Option<KeyRow>> {
    let sql = "SELECT body_hash, first_seq, expires, rejection, images FROM idempotency WHERE key = ?1";
    let row = |row: &rusqlite::Row| {
        Ok(KeyRow { body: row.get(0)?, first_seq: row.get(1)?, expires: row.get(2)?, rejection: row.get(3)?, images: row.get(4)? })
    };
    connection.prepare_cached(sql)?.query_row(params![key], row).optional()
}

pub fn meta(connection: &Connection, name: &str) -> rusqlite::Result<Option<u64>> {
    connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row(params![name], |row| row.get(0)).optional()
}

fn set_meta(connection: &Connection, name: &str, value: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO meta(name, value) VALUES (?1, ?2)")?.execute(params![name, value])?;
    Ok(())
}

pub fn order_body(connection: &Connection, id: OrderId) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT body FROM orders WHERE id = ?1")?.query_row(params![id.0], |row| row.get(0)).optional()
}

/// Reads a stored body back.
///
/// # Errors
/// When it is not what this version wrote; delete the store, it will be made again.
pub fn image(kind: &str, body: &str) -> rusqlite::Result<Image> {
    let mut reader = serde_json::Deserializer::from_str(body);
    Image::decode(kind, &mut reader)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into()))
}

/// JSON in a buffer that is used again.
fn json<'a>(text: &'a mut String, value: &impl Serialize) -> &'a str {
    text.clear();
    json::push(text, value).expect("entities serialize");
    text
}

fn idempotency(record: &EngineRecord) -> Option<(&crate::frame::Idempotency, Option<&domain::Rejection>)> {
    match record {
        EngineRecord::Keyed(key) => Some((key, None)),
        EngineRecord::Refused { idempotency, rejection } => Some((idempotency, Some(rejection))),
        EngineRecord::Started { .. } | EngineRecord::Cursors { .. } => None,
    }
}
