//! What was done under which key, read off the log: keys stand there for good, while the store forgets them after a day.

use crate::frame::EngineRecord;
use crate::log::sqlite::SqliteLog;
use crate::log::{Error as LogError, Log, Row};
use crate::record;
use domain::Recorded;
use std::path::Path;

/// Transactions that one step of a scan reads.
const STEP: usize = 2000;
/// A key is the first record of its transaction: it stands within so many bytes.
const HEAD_BYTES: usize = 64;

/// A transaction that answered a key.
pub struct Keyed {
    pub key: String,
    /// Hash of the body that came with the key.
    pub body: String,
    row: Row,
}

impl Keyed {
    /// What it brought about.
    ///
    /// # Errors
    /// When the row is no log of ours.
    pub fn events(&self) -> Result<Vec<Recorded>, LogError> {
        Ok(record::events_of(&self.row)?.into_iter().map(|(_, recorded)| recorded).collect())
    }
}

/// Tells each transaction of an actor that took effect under a key, oldest first. Memory stays bounded; it reads the whole log.
///
/// # Errors
/// When the log can't be read.
pub fn keyed(folder: &Path, actor: &str, mut each: impl FnMut(Keyed) -> Result<(), LogError>) -> Result<(), LogError> {
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    let mut next = 1;
    loop {
        let rows = log.read(next, STEP)?;
        let Some(last) = rows.last() else { return Ok(()) };
        next = last.last_seq + 1;
        for row in rows.into_iter().filter(|row| row.actor == actor) {
            let head = row.body.as_bytes();
            let head = &head[..head.len().min(HEAD_BYTES)];
            if !head.windows(13).any(|bytes| bytes == b"\"engine.keyed") {
                continue;
            }
            if let Some((key, body)) = first_key(&row)? {
                each(Keyed { key, body, row })?;
            }
        }
    }
}

fn first_key(row: &Row) -> Result<Option<(String, String)>, LogError> {
    let broken = |error: serde_json::Error| LogError::Broken { at: row.first_seq, what: error.to_string() };
    let Some(rest) = row.body.strip_prefix('[') else { return Ok(None) };
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<EngineRecord>();
    match values.next().transpose().map_err(broken)? {
        Some(EngineRecord::Keyed(key)) => Ok(Some((key.key, key.body))),
        Some(EngineRecord::Started { .. } | EngineRecord::Refused { .. } | EngineRecord::Cursors { .. }) | None => Ok(None),
    }
}
