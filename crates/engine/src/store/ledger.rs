//! The stock ledger as the store keeps it: each movement with the one before it of the same level, appended in the order of the log.

use super::schema::LINE_BITS;
use crate::frame::Pending;
use domain::id::{LocationCode, Sku};
use domain::stock::{Level, LevelKey, movements};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;

/// A look into the past of a level follows at most so many movements before it is where it wants to be.
const MARK_EVERY: u32 = 64;

/// A place in the ledger.
pub fn movement_id(seq: u64, line: usize) -> i64 {
    let id = i64::try_from(seq).ok().and_then(|seq| seq.checked_mul(1 << LINE_BITS)).unwrap_or(i64::MAX);
    id.saturating_add(i64::try_from(line).unwrap_or(i64::MAX))
}

/// Sequence and line of a place in the ledger.
pub fn place_of(movement: i64) -> (u64, u64) {
    let lines = (1 << LINE_BITS) - 1;
    (u64::try_from(movement >> LINE_BITS).unwrap_or(0), u64::try_from(movement & lines).unwrap_or(0))
}

/// Where a level's row and the end of its ledger are.
#[derive(Debug, Clone, Copy)]
struct Place {
    id: i64,
    last: Option<i64>,
    unmarked: u32,
}

impl Place {
    /// A movement was appended.
    fn follow(&mut self, connection: &Connection, movement: i64) -> rusqlite::Result<()> {
        self.last = Some(movement);
        self.unmarked += 1;
        if self.unmarked >= MARK_EVERY {
            self.unmarked = 0;
            let sql = "INSERT OR REPLACE INTO marks(level, movement) VALUES (?1, ?2)";
            connection.prepare_cached(sql)?.execute(params![self.id, movement])?;
        }
        Ok(())
    }
}

/// What the writer of the store remembers instead of reading it again: rows of levels and names, taken up as they are met.
#[derive(Default)]
pub struct Known {
    levels: FxHashMap<LevelKey, Place>,
    names: FxHashMap<String, i64>,
}

impl Known {
    /// The ledger's lines of a batch of transactions.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, connection: &Connection, batch: &[Pending]) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO movements(id, level, kind, quantity, actor, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let mut insert = connection.prepare_cached(sql)?;
        for pending in batch {
            for (seq, recorded) in pending.events() {
                for (line, movement) in movements(&recorded.event).into_iter().enumerate() {
                    let kind = self.name(connection, movement.kind.as_str())?;
                    let actor = self.name(connection, &pending.committed.actor)?;
                    let place = self.place(connection, &(movement.sku, movement.location))?;
                    let id = movement_id(seq, line);
                    insert.execute(params![id, place.id, kind, movement.quantity, actor, place.last])?;
                    place.follow(connection, id)?;
                }
            }
        }
        Ok(())
    }

    /// Levels as they are after a batch.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_levels<'a>(
        &mut self,
        connection: &Connection,
        levels: impl Iterator<Item = (&'a LevelKey, Option<&'a Level>)>,
        text: &mut String,
    ) -> rusqlite::Result<()> {
        let mut update = connection.prepare_cached("UPDATE levels SET last = ?2, unmarked = ?3, body = ?4 WHERE id = ?1")?;
        for (key, level) in levels {
            let place = *self.place(connection, key)?;
            let body = level.map(|level| super::json(text, level));
            update.execute(params![place.id, place.last, place.unmarked, body])?;
        }
        Ok(())
    }

    fn place(&mut self, connection: &Connection, key: &LevelKey) -> rusqlite::Result<&mut Place> {
        if !self.levels.contains_key(key) {
            let place = place(connection, &key.0, &key.1)?;
            self.levels.insert(key.clone(), place);
        }
        Ok(self.levels.get_mut(key).expect("inserted above"))
    }

    fn name(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        connection.prepare_cached("INSERT OR IGNORE INTO names(name) VALUES (?1)")?.execute([name])?;
        let id = connection.prepare_cached("SELECT id FROM names WHERE name = ?1")?.query_row([name], |row| row.get(0))?;
        self.names.insert(name.to_owned(), id);
        Ok(id)
    }
}

/// A level's row, made when there is none yet.
fn place(connection: &Connection, sku: &Sku, location: &LocationCode) -> rusqlite::Result<Place> {
    let sql = "SELECT id, last, unmarked FROM levels WHERE sku = ?1 AND location = ?2";
    let row = |row: &rusqlite::Row| Ok(Place { id: row.get(0)?, last: row.get(1)?, unmarked: row.get(2)? });
    let found = connection.prepare_cached(sql)?.query_row([sku.as_str(), location.as_str()], row).optional()?;
    if let Some(place) = found {
        return Ok(place);
    }
    connection.prepare_cached("INSERT INTO levels(sku, location) VALUES (?1, ?2)")?.execute([sku.as_str(), location.as_str()])?;
    Ok(Place { id: connection.last_insert_rowid(), last: None, unmarked: 0 })
}

/// One movement of a level, without what stands in the log alone.
pub struct MovementRow {
    pub id: i64,
    pub kind: String,
    pub quantity: i64,
    pub actor: String,
}

/// The movements of a level before a place in the ledger, newest first, at most `limit`.
///
/// # Errors
/// When the store cannot be read.
pub fn last_movements(connection: &Connection, sku: &str, location: &str, before: i64, limit: usize) -> rusqlite::Result<Vec<MovementRow>> {
    let sql = "SELECT id, last FROM levels WHERE sku = ?1 AND location = ?2";
    let level: Option<(i64, Option<i64>)> =
        connection.prepare_cached(sql)?.query_row([sku, location], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((level, mut next)) = level else { return Ok(Vec::new()) };
    if next.is_some_and(|last| last >= before) {
        let sql = "SELECT movement FROM marks WHERE level = ?1 AND movement >= ?2 ORDER BY movement LIMIT 1";
        let mark = connection.prepare_cached(sql)?.query_row(params![level, before], |row| row.get(0)).optional()?;
        next = mark.or(next);
    }
    let sql = "SELECT k.name, m.quantity, a.name, m.previous
               FROM movements m JOIN names k ON k.id = m.kind JOIN names a ON a.id = m.actor WHERE m.id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = Vec::new();
    while let Some(id) = next
        && rows.len() < limit
    {
        let (row, previous) = statement
            .query_row([id], |row| Ok((MovementRow { id, kind: row.get(0)?, quantity: row.get(1)?, actor: row.get(2)? }, row.get(3)?)))?;
        if id < before {
            rows.push(row);
        }
        next = previous;
    }
    Ok(rows)
}
