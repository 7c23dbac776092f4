//! The durable log: append with a fence, read from any sequence.

mod checkpoint;
pub mod sqlite;

/// A transaction as the log keeps it. `body` is a JSON array of events; its bytes are hashed as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub first_seq: u64,
    pub last_seq: u64,
    /// Milliseconds since the Unix epoch.
    pub time: i64,
    pub actor: String,
    pub body: String,
}

/// What an append came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Appended {
    Durable,
    /// Somebody else appended: the log stands at `last`.
    Fenced {
        last: u64,
    },
    /// The disk is full and nothing was written.
    NoSpace,
    /// It may or may not be on disk. Stop, and recover from the log.
    InDoubt(String),
}

/// The log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the log could not be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the log is broken at sequence {at}: {what}. Restore a backup, or ask for help before writing anything")]
    Broken { at: u64, what: String },
}

/// An append-only sequence of frames, each with the hash of all before it.
pub trait Log: Send {
    /// Appends the rows as one frame when the log stands at `expected_last`.
    fn append(&mut self, expected_last: u64, epoch: u64, rows: &[Row]) -> Appended;

    /// Rows from the one that holds `from_seq` on, at most `limit`.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Row>, Error>;

    /// The last sequence, 0 when empty.
    fn last(&self) -> u64;
}

/// BLAKE3 over the previous hash and the frame's length-prefixed columns. They are laid side by side first: BLAKE3 is several times quicker
/// over one long text than over many short ones.
pub fn frame_hash(previous: &[u8; 32], frame: u64, epoch: u64, rows: &[Row]) -> [u8; 32] {
    const ROW: usize = 96;
    let mut bytes = Vec::with_capacity(2 * ROW + rows.iter().map(|row| ROW + row.body.len()).sum::<usize>());
    let mut column = |text: &[u8]| {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text);
    };
    column(previous);
    column(&frame.to_le_bytes());
    column(&epoch.to_le_bytes());
    for row in rows {
        column(&row.first_seq.to_le_bytes());
        column(&row.last_seq.to_le_bytes());
        column(&row.time.to_le_bytes());
        column(row.actor.as_bytes());
        column(row.body.as_bytes());
    }
    *blake3::hash(&bytes).as_bytes()
}
