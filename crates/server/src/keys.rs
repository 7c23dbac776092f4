//! API keys: 256 random bits, of which only a hash is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::KeyId;
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS keys(
    id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL,
    last_used_at INTEGER, revoked_at INTEGER);
";
const PREFIX: &str = "qm_";
/// Longest name of a key, in bytes.
pub const NAME_BYTES_MAX: usize = 100;
/// How exact the last use is, so that reads do not become writes.
const LAST_USE_MS: i64 = 60_000;
/// How soon a server sees what another process did to the keys.
const LOOK_MS: i64 = 1000;

/// What a key may do; each role may all that is listed for it in the API's route table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Operator,
    Warehouse,
    Storefront,
    ReadOnly,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Warehouse => "warehouse",
            Self::Storefront => "storefront",
            Self::ReadOnly => "read_only",
        }
    }

    /// As a sentence has it: “You are signed in with …”.
    pub fn a_key(self) -> &'static str {
        match self {
            Self::Admin => "an admin key",
            Self::Operator => "an operator key",
            Self::Warehouse => "a warehouse key",
            Self::Storefront => "a storefront key",
            Self::ReadOnly => "a read-only key",
        }
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let roles = [Self::Admin, Self::Operator, Self::Warehouse, Self::Storefront, Self::ReadOnly];
        // People write it with a hyphen, too.
        let found = roles.into_iter().find(|role| role.as_str() == text.replace('-', "_"));
        found.ok_or_else(|| format!("\"{text}\" is no role; use admin, operator, warehouse, storefront or read_only"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    /// A person or a system; it stands in the log as the actor.
    pub name: String,
    pub role: Role,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

/// The keys of a data folder. Checking a key costs one hash and one look into memory.
pub struct Keys {
    connection: Mutex<Connection>,
    by_hash: RwLock<FxHashMap<Hash, Arc<Key>>>,
    /// When the file was last looked at for changes of other processes, and which version of it is in memory.
    looked: AtomicI64,
    version: AtomicI64,
}

type Hash = [u8; 32];

fn hash(secret: &str) -> Hash {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// As the file has it.
fn text(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Keys {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(folder: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(folder.join("keys.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(SCHEMA)?;
        let keys =
            Self { connection: Mutex::new(connection), by_hash: RwLock::default(), looked: AtomicI64::new(0), version: AtomicI64::new(0) };
        keys.reload()?;
        Ok(keys)
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection.lock().expect("no thread panics with the keys")
    }

    /// Takes up keys that another process made or revoked.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reload(&self) -> rusqlite::Result<()> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT hash, id, name, role, created_at, last_used_at, revoked_at FROM keys")?;
        let rows = statement.query_map([], |row| {
            let role: String = row.get(3)?;
            let key = Key {
                id: KeyId(row.get(1)?),
                name: row.get(2)?,
                role: role.parse().unwrap_or(Role::ReadOnly),
                created_at: row.get(4)?,
                last_used_at: row.get(5)?,
                revoked_at: row.get(6)?,
            };
            Ok((row.get::<_, String>(0)?, Arc::new(key)))
        })?;
        let mut all = FxHashMap::default();
        for row in rows {
            let (hash, key) = row?;
            // What is no hash opens to nobody.
            let Ok(hash) = blake3::Hash::from_hex(hash) else { continue };
            all.insert(*hash.as_bytes(), key);
        }
        *self.by_hash.write().expect("no thread panics with the keys") = all;
        Ok(())
    }

    /// Makes a key; the secret is shown this once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(&self, name: &str, role: Role) -> rusqlite::Result<(Key, String)> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| rusqlite::Error::InvalidQuery)?;
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let created_at = now();
        let id = {
            let connection = self.connection();
            let sql = "INSERT INTO keys(hash, name, role, created_at) VALUES (?1, ?2, ?3, ?4)";
            connection.execute(sql, params![text(&hash(&secret)), name, role.as_str(), created_at])?;
            KeyId(u64::try_from(connection.last_insert_rowid()).unwrap_or(0))
        };
        self.reload()?;
        Ok((Key { id, name: name.to_owned(), role, created_at, last_used_at: None, revoked_at: None }, secret))
    }

    /// `false` when there is no such key, or it is revoked already.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn revoke(&self, id: KeyId) -> rusqlite::Result<bool> {
        let revoked = {
            let sql = "UPDATE keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
            self.connection().execute(sql, params![id.0, now()])?
        };
        self.reload()?;
        Ok(revoked > 0)
    }

    /// A new secret of the same name and role; the old one ends at once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn rotate(&self, id: KeyId) -> rusqlite::Result<Option<(Key, String)>> {
        let Some(old) = self.list().into_iter().find(|key| key.id == id && key.revoked_at.is_none()) else { return Ok(None) };
        let fresh = self.create(&old.name, old.role)?;
        self.revoke(id)?;
        Ok(Some(fresh))
    }

    /// In the order in which they were made.
    pub fn list(&self) -> Vec<Key> {
        let by_hash = self.by_hash.read().expect("no thread panics with the keys");
        let mut keys: Vec<Key> = by_hash.values().map(|key| key.as_ref().clone()).collect();
        keys.sort_by_key(|key| key.id);
        keys
    }

    /// The key of this id, unless it is revoked.
    pub fn find(&self, id: KeyId) -> Option<Arc<Key>> {
        let by_hash = self.by_hash.read().expect("no thread panics with the keys");
        by_hash.values().find(|key| key.id == id && key.revoked_at.is_none()).cloned()
    }

    /// Whose secret this is, if it is anybody's and not revoked.
    pub fn check(&self, secret: &str) -> Option<Arc<Key>> {
        let hash = hash(secret);
        self.look_for_changes();
        let find = || self.by_hash.read().expect("no thread panics with the keys").get(&hash).cloned();
        let key = find().or_else(|| self.made_elsewhere(&hash).then(find).flatten())?;
        let key = Some(key).filter(|key| key.revoked_at.is_none())?;
        let now = now();
        if is_due(&key, now) {
            self.used(&hash, now);
        }
        Some(key)
    }

    /// What the command line revokes must not open this server for longer than [`LOOK_MS`].
    fn look_for_changes(&self) {
        let now = now();
        if now - self.looked.load(Ordering::Relaxed) < LOOK_MS {
            return;
        }
        self.looked.store(now, Ordering::Relaxed);
        let version = self.connection().query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap_or(0);
        if version != self.version.swap(version, Ordering::Relaxed)
            && let Err(error) = self.reload()
        {
            tracing::warn!("the keys could not be read again: {error}");
        }
    }

    /// The command line makes keys while the server runs.
    fn made_elsewhere(&self, hash: &Hash) -> bool {
        let found = {
            let connection = self.connection();
            connection.query_row("SELECT 1 FROM keys WHERE hash = ?1", params![text(hash)], |_| Ok(())).optional()
        };
        matches!(found, Ok(Some(()))) && self.reload().is_ok()
    }

    /// Noted once by the first of all who use the key at this moment, and without waiting for the disk: losing it does no harm.
    fn used(&self, hash: &Hash, now: i64) {
        {
            let mut by_hash = self.by_hash.write().expect("no thread panics with the keys");
            let Some(key) = by_hash.get_mut(hash).filter(|key| is_due(key, now)) else { return };
            *key = Arc::new(Key { last_used_at: Some(now), ..key.as_ref().clone() });
        }
        let connection = self.connection();
        let relaxed = connection.pragma_update(None, "synchronous", "NORMAL");
        let noted = connection.execute("UPDATE keys SET last_used_at = ?2 WHERE hash = ?1", params![text(hash), now]);
        let strict = connection.pragma_update(None, "synchronous", "FULL");
        if let Err(error) = relaxed.and(noted).and(strict) {
            tracing::warn!("the last use of a key could not be written: {error}");
        }
    }
}

fn is_due(key: &Key, now: i64) -> bool {
    key.last_used_at.is_none_or(|last| now - last > LAST_USE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_with_a_hyphen_too() {
        assert_eq!(["read_only", "read-only"].map(str::parse::<Role>), [Ok(Role::ReadOnly), Ok(Role::ReadOnly)]);
        assert!("reader".parse::<Role>().is_err());
    }

    #[test]
    fn a_key_opens_until_it_is_revoked_or_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let (key, secret) = keys.create("web shop", Role::Storefront).unwrap();
        assert_eq!(keys.check(&secret).map(|found| found.id), Some(key.id));
        assert!(keys.check("qm_guess").is_none());
        let elsewhere = Keys::open(folder.path()).unwrap();
        let (_, other) = elsewhere.create("made by another process", Role::Admin).unwrap();
        assert!(keys.check(&other).is_some());
        let (made, other) = elsewhere.create("revoked by another process", Role::Admin).unwrap();
        assert!(keys.check(&other).is_some());
        assert!(elsewhere.revoke(made.id).unwrap());
        keys.looked.store(0, Ordering::Relaxed);
        assert!(keys.check(&other).is_none());
        let (_, fresh) = keys.rotate(key.id).unwrap().unwrap();
        assert!(keys.check(&secret).is_none() && keys.check(&fresh).is_some());
    }
}
