//! Personal data is sealed here before it reaches the rules: a key per customer, kept outside the log.
//!
//! Erasing a customer destroys the key; log, store and backups of the log keep ciphertext that nobody can open.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use domain::id::CustomerId;
use domain::text::{Fingerprint, Sealed};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Most names and keys of customers that are kept in memory.
const KNOWN_MAX: usize = 65_536;
/// Most words of a name that a customer is found by.
const WORDS_MAX: usize = 8;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS secrets(name TEXT PRIMARY KEY, secret BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS customers(id INTEGER PRIMARY KEY, key BLOB);
CREATE TABLE IF NOT EXISTS names(fingerprint TEXT PRIMARY KEY, customer INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_customer ON names(customer);
CREATE TABLE IF NOT EXISTS words(word TEXT NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY(word, customer)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS words_customer ON words(customer);
";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the vault can't be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
    #[error("personal data could not be sealed")]
    Seal,
    #[error("the server stops")]
    Stopped,
}

pub struct Vault {
    connection: Mutex<Connection>,
    /// Keyed hashes find without reading; the key never leaves the vault.
    pepper: [u8; 32],
    /// Seals secrets that are nobody's personal data, unless the operator gave a key.
    secret_key: [u8; 32],
    /// Made from what the operator gave; it stands nowhere in the folder.
    operator_key: Option<[u8; 32]>,
    known: Mutex<Known>,
    waiting: Mutex<Waiting>,
}

/// What was read or written lately. Whoever holds the lock on it may take no other.
#[derive(Default)]
struct Known {
    names: FxHashMap<Fingerprint, CustomerId>,
    words: FxHashSet<(CustomerId, Fingerprint)>,
    keys: FxHashMap<CustomerId, [u8; 32]>,
}

/// By what a customer is found, as keyed hashes.
#[derive(Default, Clone)]
pub struct Buyer {
    /// Mail address and outside ids: each is one customer's alone.
    pub names: Vec<Fingerprint>,
    /// The words of what they are called, which others may be called too.
    pub words: Vec<Fingerprint>,
}

/// Buyers who are written together, with one sync for all of them.
#[derive(Default)]
struct Waiting {
    buyers: Vec<(Buyer, oneshot::Sender<Result<CustomerId, Error>>)>,
    under_way: bool,
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

/// How sealed secrets begin, by the key that opens them.
const VAULT_PREFIX: &str = "v1.key.";
const OPERATOR_PREFIX: &str = "v1.operator.";
/// Sets the key that is derived apart from any other use of the same text.
const OPERATOR_CONTEXT: &str = "quartermaster secrets under the operator's key v1";

/// Whether a text is a secret of the shop that was sealed here, which leaves it for nobody.
pub fn is_secret(text: &str) -> bool {
    text.starts_with(VAULT_PREFIX) || text.starts_with(OPERATOR_PREFIX)
}

/// What a sealed secret is bound to.
const SECRET_AAD: &[u8] = b"quartermaster secret";

/// A key of the vault itself, made at the first start.
fn own_key(connection: &Connection, name: &str) -> Result<[u8; 32], Error> {
    let fresh: [u8; 32] = random()?;
    connection.execute("INSERT OR IGNORE INTO secrets(name, secret) VALUES (?1, ?2)", params![name, fresh])?;
    Ok(connection.query_row("SELECT secret FROM secrets WHERE name = ?1", params![name], |row| row.get(0))?)
}

impl Vault {
    /// # Errors
    /// When the file cannot be opened, or there is no randomness.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let connection = Connection::open(folder.join("vault.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // A destroyed key is overwritten, not only unlinked.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.execute_batch(SCHEMA)?;
        let pepper = own_key(&connection, "pepper")?;
        let secret_key = own_key(&connection, "secrets")?;
        Ok(Self {
            connection: Mutex::new(connection),
            pepper,
            secret_key,
            operator_key: None,
            known: Mutex::default(),
            waiting: Mutex::default(),
        })
    }

    /// With a key from outside of the folder: whoever has the folder alone, or a backup of it, opens no secret that is sealed from now on.
    #[must_use]
    pub fn under(self, operator_key: Option<&str>) -> Self {
        Self { operator_key: operator_key.map(|text| blake3::derive_key(OPERATOR_CONTEXT, text.as_bytes())), ..self }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().expect("no thread panics with the lock")
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection.lock().expect("no thread panics with the vault")
    }

    /// Keyed hash of something personal, the same for the same text whatever its case.
    pub fn fingerprint(&self, kind: &str, text: &str) -> Fingerprint {
        let mut hasher = blake3::Hasher::new_keyed(&self.pepper);
        hasher.update(kind.as_bytes());
        hasher.update(&[0]);
        hasher.update(text.trim().to_lowercase().as_bytes());
        Fingerprint(hasher.finalize().to_hex()[..32].into())
    }

    /// The words of a person's name, each hashed on its own: whoever knows one finds all who are called so.
    pub fn words(&self, name: &str) -> Vec<Fingerprint> {
        let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        let mut words: Vec<Fingerprint> = words.take(WORDS_MAX).map(|word| self.fingerprint("word", word)).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// The customer of any of these names, or a new one; who has them all, and the words, from now on.
    ///
    /// # Errors
    /// When the vault cannot be read or written.
    pub fn customer(&self, buyer: &Buyer) -> Result<CustomerId, Error> {
        self.customers(&[buyer])?.pop().ok_or(Error::Stopped)
    }

    /// Those who are called by all of these words, the latest first, at most `limit`; nobody without a word.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub fn called(&self, words: &[Fingerprint], limit: usize) -> Result<Vec<CustomerId>, Error> {
        let Some((first, others)) = words.split_first() else { return Ok(Vec::new()) };
        let connection = self.connection();
        let mut sql = String::from("SELECT customer FROM words AS first WHERE word = ?1");
        for n in 0..others.len() {
            sql.push_str(&format!(" AND EXISTS (SELECT 1 FROM words WHERE word = ?{} AND customer = first.customer)", n + 2));
        }
        sql.push_str(&format!(" ORDER BY customer DESC LIMIT {limit}"));
        let mut statement = connection.prepare_cached(&sql)?;
        let words = std::iter::once(first).chain(others).map(|word| word.0.as_str());
        let found = statement.query_map(rusqlite::params_from_iter(words), |row| row.get(0).map(CustomerId))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// As [`Vault::customer`], without a sync of its own: all who ask at the same time are written as one.
    ///
    /// # Errors
    /// When the vault cannot be read or written.
    pub async fn customer_soon(self: &Arc<Self>, buyer: Buyer) -> Result<CustomerId, Error> {
        if let Some(id) = self.known().customer(&buyer) {
            return Ok(id);
        }
        let (tell, told) = oneshot::channel();
        let begin = {
            let mut waiting = self.waiting.lock().expect("no thread panics with the lock");
            waiting.buyers.push((buyer, tell));
            !std::mem::replace(&mut waiting.under_way, true)
        };
        if begin {
            let vault = self.clone();
            tokio::task::spawn_blocking(move || vault.write_all_who_wait());
        }
        told.await.unwrap_or(Err(Error::Stopped))
    }

    fn write_all_who_wait(&self) {
        loop {
            let buyers = {
                let mut waiting = self.waiting.lock().expect("no thread panics with the lock");
                waiting.under_way = !waiting.buyers.is_empty();
                std::mem::take(&mut waiting.buyers)
            };
            if buyers.is_empty() {
                return;
            }
            let all: Vec<&Buyer> = buyers.iter().map(|(buyer, _)| buyer).collect();
            match self.customers(&all) {
                // Whoever hung up does not need to know.
                Ok(ids) => ids.into_iter().zip(buyers).for_each(|(id, (_, tell))| drop(tell.send(Ok(id)))),
                // One of them may be to blame: each alone.
                Err(_) => buyers.into_iter().for_each(|(buyer, tell)| drop(tell.send(self.customer(&buyer)))),
            }
        }
    }

    fn customers(&self, buyers: &[&Buyer]) -> Result<Vec<CustomerId>, Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let (mut ids, mut fresh, mut owners) = (Vec::with_capacity(buyers.len()), Vec::new(), Vec::new());
        for Buyer { names, words } in buyers {
            let found = names.iter().map(|name| find(&transaction, name)).collect::<Result<Vec<_>, _>>()?;
            let id = match found.iter().find_map(|id| *id) {
                Some(id) => id,
                None => {
                    let key: [u8; 32] = random()?;
                    transaction.prepare_cached("INSERT INTO customers(key) VALUES (?1)")?.execute(params![key])?;
                    let id = CustomerId(u64::try_from(transaction.last_insert_rowid()).unwrap_or(0));
                    fresh.push((id, key));
                    id
                }
            };
            for (name, owner) in names.iter().zip(found) {
                if owner.is_none() {
                    let sql = "INSERT OR IGNORE INTO names(fingerprint, customer) VALUES (?1, ?2)";
                    transaction.prepare_cached(sql)?.execute(params![name.0.as_str(), id.0])?;
                }
                owners.push((name.clone(), owner.unwrap_or(id)));
            }
            for word in words {
                let sql = "INSERT OR IGNORE INTO words(word, customer) VALUES (?1, ?2)";
                transaction.prepare_cached(sql)?.execute(params![word.0.as_str(), id.0])?;
            }
            ids.push(id);
        }
        transaction.commit()?;
        let words = || ids.iter().zip(buyers).flat_map(|(id, buyer)| buyer.words.iter().map(|word| (*id, word.clone())));
        let mut known = self.known();
        known.make_room(owners.len().max(fresh.len()).max(words().count()));
        known.keys.extend(fresh);
        known.names.extend(owners);
        known.words.extend(words());
        Ok(ids)
    }

    /// The customer with this name, if anybody has it.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub fn find(&self, name: &Fingerprint) -> Result<Option<CustomerId>, Error> {
        find(&self.connection(), name)
    }

    /// Encrypts under the customer's key: `v1.cus_1.…`.
    ///
    /// # Errors
    /// When the customer was erased, or the vault cannot be read.
    pub fn seal(&self, customer: CustomerId, value: &impl Serialize) -> Result<Sealed, Error> {
        let key = self.key(customer)?.ok_or(Error::Seal)?;
        let nonce: [u8; 12] = random()?;
        let text = serde_json::to_vec(value).map_err(|_| Error::Seal)?;
        let aad = customer.text();
        let payload = Payload { msg: &text, aad: aad.as_bytes() };
        let cipher = ChaCha20Poly1305::new(&Key::from(key));
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| Error::Seal)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(Sealed(format!("v1.{customer}.{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What was sealed; `None` once the customer is erased.
    pub fn open_sealed<T: DeserializeOwned>(&self, sealed: &Sealed) -> Option<T> {
        let mut parts = sealed.0.splitn(3, '.');
        let ("v1", Some(customer), Some(text)) = (parts.next()?, parts.next(), parts.next()) else { return None };
        let id: CustomerId = customer.parse().ok()?;
        let key = self.key(id).ok()??;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, body) = bytes.split_first_chunk::<12>()?;
        let payload = Payload { msg: body, aad: customer.as_bytes() };
        let text = ChaCha20Poly1305::new(&Key::from(key)).decrypt(&Nonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Encrypts a secret of the shop (a webhook's, a vendor's): `v1.key.…`, or `v1.operator.…` under the operator's key.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal_secret(&self, secret: &str) -> Result<Sealed, Error> {
        let nonce: [u8; 12] = random()?;
        let payload = Payload { msg: secret.as_bytes(), aad: SECRET_AAD };
        let (prefix, key) = self.operator_key.map_or((VAULT_PREFIX, self.secret_key), |key| (OPERATOR_PREFIX, key));
        let cipher = ChaCha20Poly1305::new(&Key::from(key));
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| Error::Seal)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(Sealed(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What [`Vault::seal_secret`] sealed; `None` when this vault did not, or under another key of the operator's.
    pub fn open_secret(&self, sealed: &Sealed) -> Option<String> {
        let (text, key) = match sealed.0.strip_prefix(VAULT_PREFIX) {
            Some(text) => (text, self.secret_key),
            None => (sealed.0.strip_prefix(OPERATOR_PREFIX)?, self.operator_key?),
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, body) = bytes.split_first_chunk::<12>()?;
        let payload = Payload { msg: body, aad: SECRET_AAD };
        let text = ChaCha20Poly1305::new(&Key::from(key)).decrypt(&Nonce::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok()
    }

    /// Destroys the key and the names. `false` when there is no such customer, or no longer.
    ///
    /// # Errors
    /// When the vault cannot be written.
    pub fn erase(&self, customer: CustomerId) -> Result<bool, Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let erased = transaction.execute("UPDATE customers SET key = NULL WHERE id = ?1 AND key IS NOT NULL", params![customer.0])?;
        transaction.execute("DELETE FROM names WHERE customer = ?1", params![customer.0])?;
        transaction.execute("DELETE FROM words WHERE customer = ?1", params![customer.0])?;
        transaction.commit()?;
        *self.known() = Known::default();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(erased > 0)
    }

    /// A key of the shop by its name, made when it is first asked for.
    ///
    /// # Errors
    /// When the vault cannot be read or written, or there is no randomness.
    pub fn shop_key(&self, name: &str) -> Result<[u8; 32], Error> {
        own_key(&self.connection(), name)
    }

    fn key(&self, customer: CustomerId) -> Result<Option<[u8; 32]>, Error> {
        if let Some(key) = self.known().keys.get(&customer) {
            return Ok(Some(*key));
        }
        // Held until the key is known: an erasure comes before or after.
        let connection = self.connection();
        let sql = "SELECT key FROM customers WHERE id = ?1";
        let key: Option<Option<[u8; 32]>> = connection.prepare_cached(sql)?.query_row(params![customer.0], |row| row.get(0)).optional()?;
        let Some(key) = key.flatten() else { return Ok(None) };
        let mut known = self.known();
        known.make_room(1);
        known.keys.insert(customer, key);
        Ok(Some(key))
    }
}

impl Known {
    /// Whose names these are, when each of them is somebody's already: the first decides, as in the file.
    fn customer(&self, buyer: &Buyer) -> Option<CustomerId> {
        let owners = buyer.names.iter().map(|name| self.names.get(name).copied()).collect::<Option<Vec<_>>>()?;
        let id = owners.first().copied()?;
        buyer.words.iter().all(|word| self.words.contains(&(id, word.clone()))).then_some(id)
    }

    fn make_room(&mut self, more: usize) {
        if [self.names.len(), self.words.len(), self.keys.len()].iter().any(|known| known + more > KNOWN_MAX) {
            *self = Self::default();
        }
    }
}

fn find(connection: &Connection, name: &Fingerprint) -> Result<Option<CustomerId>, Error> {
    let sql = "SELECT customer FROM names WHERE fingerprint = ?1";
    let found = connection.prepare_cached(sql)?.query_row(params![name.0.as_str()], |row| row.get(0)).optional()?;
    Ok(found.map(CustomerId))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_until_the_customer_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let mail = vault.fingerprint("email", "Ada@Example.com");
        let by = |mail: &Fingerprint| Buyer { names: vec![mail.clone()], words: Vec::new() };
        let ada = vault.customer(&by(&mail)).unwrap();
        assert_eq!(vault.customer(&by(&vault.fingerprint("email", "ada@example.com "))).unwrap(), ada);
        let sealed = vault.seal(ada, &"Ada Lovelace").unwrap();
        assert!(!sealed.0.contains("Ada"));
        assert_eq!(vault.open_sealed::<String>(&sealed).as_deref(), Some("Ada Lovelace"));
        assert!(vault.erase(ada).unwrap());
        assert_eq!(vault.open_sealed::<String>(&sealed), None);
        assert_ne!(vault.customer(&by(&mail)).unwrap(), ada);
    }

    #[test]
    fn people_are_found_by_the_words_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let called = |name: &str| vault.called(&vault.words(name), 10).unwrap();
        let new = |mail: &str, name: &str| {
            vault.customer(&Buyer { names: vec![vault.fingerprint("email", mail)], words: vault.words(name) }).unwrap()
        };
        let (ada, king) = (new("ada@example.com", "Ada Lovelace"), new("ada.king@example.com", "Ada King-Noël"));
        assert_eq!(called("ADA"), [king, ada]);
        assert_eq!(called("lovelace, ada"), [ada]);
        assert_eq!(called("noël"), [king]);
        assert_eq!(called("Grace Ada"), []);
        assert_eq!(called(" - "), []);
        assert_eq!(new("ada@example.com", "Ada Byron"), ada);
        assert_eq!(called("byron"), [ada]);
        vault.erase(ada).unwrap();
        assert_eq!(called("ada"), [king]);
    }

    #[test]
    fn a_secret_opens_in_its_own_vault_alone() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = Vault::open(folder.path()).unwrap().seal_secret("whsec_x").unwrap();
        assert!(!sealed.0.contains("whsec"));
        assert_eq!(Vault::open(folder.path()).unwrap().open_secret(&sealed).as_deref(), Some("whsec_x"));
        assert_eq!(Vault::open(other.path()).unwrap().open_secret(&sealed), None);
    }

    #[test]
    fn a_secret_under_the_operators_key_does_not_open_with_the_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let vault = |key: Option<&str>| Vault::open(folder.path()).unwrap().under(key);
        let (before, key) = (vault(None).seal_secret("old").unwrap(), Some("0123456789abcdef0123456789abcdef"));
        let sealed = vault(key).seal_secret("whsec_x").unwrap();
        assert_eq!(vault(key).open_secret(&sealed).as_deref(), Some("whsec_x"));
        assert_eq!(vault(key).open_secret(&before).as_deref(), Some("old"), "what was sealed before still opens");
        assert_eq!(vault(None).open_secret(&sealed), None);
        assert_eq!(vault(Some("another key of thirty-two letters")).open_secret(&sealed), None);
    }
}
