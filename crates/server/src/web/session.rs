//! Who has signed in: a cookie with 256 random bits, of which only a hash is kept; and links that sign in once.
//!
//! Sessions live in `sessions.db`, so that a restart signs nobody out. The file may be deleted: everyone signs in again.

use crate::keys::{Key, Keys};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::KeyId;
use rusqlite::{Connection, params};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Name of the cookie.
pub const COOKIE: &str = "quartermaster_session";
/// A session ends after a week; then the key is asked for again.
pub const SESSION_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// A sign-in link works once, within this time.
pub const LINK_MS: i64 = 15 * 60 * 1000;
/// Most sessions that are kept; beyond them the oldest end.
const SESSIONS_MAX: usize = 10_000;
/// Forms that are remembered.
const SENT_MAX: usize = 1_000;
/// Most sign-in links that wait to be used.
const LINKS_MAX: usize = 100;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS sessions(hash TEXT PRIMARY KEY, key INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
";

/// Somebody who has signed in.
#[derive(Clone)]
pub struct Session {
    pub key: Arc<Key>,
    /// Stands in every form and must come back with it.
    pub csrf: String,
    hash: String,
}

#[derive(Clone, Copy)]
struct Row {
    key: KeyId,
    expires_at: i64,
}

pub struct Sessions {
    connection: Mutex<Connection>,
    known: Mutex<HashMap<String, Row>>,
    links: Mutex<HashMap<String, Row>>,
    /// What the next page tells: "Order 1001 is on hold."
    notes: Mutex<HashMap<String, Note>>,
    /// Forms that were sent lately, the latest last: what a reload sends once more is not done once more.
    sent: Mutex<VecDeque<String>>,
}

/// What became of an action, told once.
#[derive(Debug, Clone)]
pub struct Note {
    pub text: String,
    /// Something of it was not done.
    pub warns: bool,
}

fn hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

fn secret() -> rusqlite::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| rusqlite::Error::InvalidQuery)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Sessions follow the wall clock, also when the shop's own is compressed.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Sessions {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(folder: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(folder.join("sessions.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.execute_batch(SCHEMA)?;
        connection.execute("DELETE FROM sessions WHERE expires_at <= ?1", params![now()])?;
        let known = {
            let mut statement = connection.prepare("SELECT hash, key, expires_at FROM sessions")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, Row { key: KeyId(row.get(1)?), expires_at: row.get(2)? })))?;
            rows.collect::<rusqlite::Result<HashMap<String, Row>>>()?
        };
        Ok(Self {
            connection: Mutex::new(connection),
            known: Mutex::new(known),
            links: Mutex::default(),
            notes: Mutex::default(),
            sent: Mutex::default(),
        })
    }

    /// Begins a session; the secret goes into the cookie.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin(&self, key: KeyId) -> rusqlite::Result<String> {
        let secret = secret()?;
        let row = Row { key, expires_at: now() + SESSION_MS };
        let sql = "INSERT INTO sessions(hash, key, expires_at) VALUES (?1, ?2, ?3)";
        let connection = self.connection.lock().expect("no thread panics with the sessions");
        connection.execute(sql, params![hash(&secret), row.key.0, row.expires_at])?;
        let mut known = self.known.lock().expect("no thread panics with the sessions");
        known.insert(hash(&secret), row);
        while known.len() > SESSIONS_MAX {
            let Some(oldest) = known.iter().min_by_key(|(_, row)| row.expires_at).map(|(hash, _)| hash.clone()) else { break };
            known.remove(&oldest);
            connection.execute("DELETE FROM sessions WHERE hash = ?1", params![oldest])?;
        }
        Ok(secret)
    }

    /// Whose session it is, while it lasts and its key is not revoked.
    pub fn find(&self, keys: &Keys, secret: &str) -> Option<Session> {
        let hash = hash(secret);
        let row = *self.known.lock().expect("no thread panics with the sessions").get(&hash)?;
        if row.expires_at <= now() {
            return None;
        }
        let csrf = blake3::derive_key("quartermaster dashboard csrf v1", secret.as_bytes());
        Some(Session { key: keys.find(row.key)?, csrf: URL_SAFE_NO_PAD.encode(csrf), hash })
    }

    /// # Errors
    /// When the file cannot be written; the session has ended in this process all the same.
    pub fn end(&self, session: &Session) -> rusqlite::Result<()> {
        self.known.lock().expect("no thread panics with the sessions").remove(&session.hash);
        self.notes.lock().expect("no thread panics with the sessions").remove(&session.hash);
        let connection = self.connection.lock().expect("no thread panics with the sessions");
        connection.execute("DELETE FROM sessions WHERE hash = ?1", params![session.hash])?;
        Ok(())
    }

    /// A secret for one sign-in, within [`LINK_MS`].
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn link(&self, key: KeyId) -> rusqlite::Result<String> {
        let secret = secret()?;
        let mut links = self.links.lock().expect("no thread panics with the links");
        links.retain(|_, row| row.expires_at > now());
        if links.len() < LINKS_MAX {
            links.insert(hash(&secret), Row { key, expires_at: now() + LINK_MS });
        }
        Ok(secret)
    }

    /// Uses a link up.
    pub fn follow_link(&self, secret: &str) -> Option<KeyId> {
        let row = self.links.lock().expect("no thread panics with the links").remove(&hash(secret))?;
        (row.expires_at > now()).then_some(row.key)
    }

    /// Whether a form is sent for the first time; one without a mark always is.
    pub fn is_first(&self, once: &str) -> bool {
        let mut sent = self.sent.lock().expect("no thread panics with the forms");
        if once.is_empty() || !sent.iter().any(|known| known == once) {
            sent.push_back(once.to_owned());
            if sent.len() > SENT_MAX {
                sent.pop_front();
            }
            return true;
        }
        false
    }

    /// What the next page of this session tells.
    pub fn note(&self, session: &Session, note: Note) {
        let mut notes = self.notes.lock().expect("no thread panics with the sessions");
        if notes.len() < SESSIONS_MAX {
            notes.insert(session.hash.clone(), note);
        }
    }

    pub fn take_note(&self, session: &Session) -> Option<Note> {
        self.notes.lock().expect("no thread panics with the sessions").remove(&session.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Role;

    #[test]
    fn a_session_outlives_the_process_and_ends_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let (key, _) = keys.create("ada", Role::Operator).unwrap();
        let secret = Sessions::open(folder.path()).unwrap().begin(key.id).unwrap();
        let sessions = Sessions::open(folder.path()).unwrap();
        let session = sessions.find(&keys, &secret).unwrap();
        assert_eq!((session.key.name.as_str(), session.csrf.len()), ("ada", 43));
        keys.revoke(key.id).unwrap();
        assert!(sessions.find(&keys, &secret).is_none());
    }

    #[test]
    fn a_link_signs_in_once() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(folder.path()).unwrap();
        let secret = sessions.link(KeyId(1)).unwrap();
        assert_eq!(sessions.follow_link(&secret), Some(KeyId(1)));
        assert_eq!(sessions.follow_link(&secret), None);
        assert_eq!(sessions.follow_link("guess"), None);
    }
}
