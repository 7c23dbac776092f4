//! Tables of the store. Keys are integers in the order of the log wherever rows are many, so that they are appended, not sorted in.

use rusqlite::Connection;

/// Grows with each change of the tables; a store of another version is made anew from the log.
const VERSION: i64 = 4;

/// Rows of `movements` and their keys: the event's sequence, then the line within it.
pub const LINE_BITS: u32 = 20;

/// - `orders.history`: first sequences of the transactions that were about the order, oldest first, with blanks between them.
/// - `levels.last`: the level's latest movement, `movements.previous` the one before it. Every so many of them one is marked, and a look
///   into the past begins at a mark. So the ledger only ever grows at its end, however many SKUs move.
/// - `ledger`: the movements for people; what else there is to know stands in the log.
const SCHEMA: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE entities(
    kind TEXT NOT NULL, key TEXT NOT NULL, live INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;
CREATE INDEX entities_live ON entities(kind, key) WHERE live = 1;
CREATE TABLE levels(
    id INTEGER PRIMARY KEY, sku TEXT NOT NULL, location TEXT NOT NULL, last INTEGER, unmarked INTEGER NOT NULL DEFAULT 0, body TEXT,
    UNIQUE(sku, location));
CREATE TABLE orders(
    id INTEGER PRIMARY KEY, channel TEXT NOT NULL, external_id TEXT, status TEXT NOT NULL, payment_status TEXT NOT NULL,
    allocation_status TEXT NOT NULL, fulfillment_status TEXT NOT NULL, origin TEXT NOT NULL, customer INTEGER,
    created_at INTEGER NOT NULL, promised_by TEXT, history TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX orders_external ON orders(external_id, channel) WHERE external_id IS NOT NULL;
CREATE INDEX orders_customer ON orders(customer) WHERE customer IS NOT NULL;
CREATE TABLE live(id INTEGER PRIMARY KEY);
CREATE TABLE finds(term TEXT NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(term, kind, id)) WITHOUT ROWID;
CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE movements(
    id INTEGER PRIMARY KEY, level INTEGER NOT NULL, kind INTEGER NOT NULL, quantity INTEGER NOT NULL, actor INTEGER NOT NULL,
    previous INTEGER);
CREATE TABLE marks(level INTEGER NOT NULL, movement INTEGER NOT NULL, PRIMARY KEY(level, movement)) WITHOUT ROWID;
CREATE TABLE idempotency(
    first_seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body_hash TEXT NOT NULL, expires INTEGER NOT NULL, rejection TEXT, images TEXT);
CREATE TABLE minutes(minute INTEGER NOT NULL, name TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY(minute, name)) WITHOUT ROWID;
CREATE TABLE cursors(subscription INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE VIEW ledger AS
    SELECT m.id >> 20 AS seq, m.id & 1048575 AS line, l.sku, l.location, k.name AS kind, m.quantity, a.name AS actor
    FROM movements m JOIN levels l ON l.id = m.level JOIN names k ON k.id = m.kind JOIN names a ON a.id = m.actor;
";

/// Makes the tables of a new file.
///
/// # Errors
/// When the file cannot be written.
pub fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Whether this version can read the tables: they are its own, or there are none yet.
///
/// # Errors
/// When the file is no database.
pub fn is_known(connection: &Connection) -> rusqlite::Result<bool> {
    let known = version(connection)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(known == VERSION || tables == 0)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
