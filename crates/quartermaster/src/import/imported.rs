//! What was imported before, read off the log: each thing's id stands there with what it brought about.

use anyhow::Result;
use engine::Keyed;
use rustc_hash::FxHashMap;
use std::path::Path;

/// What keys of an import begin with.
const PREFIX: &str = "import/";

/// Ids (hashed) with what they said (hashed).
#[derive(Default)]
pub struct Imported(FxHashMap<u128, u64>);

/// How a thing of the file stands to the log.
#[derive(Debug, PartialEq, Eq)]
pub enum Before {
    Never,
    Same,
    /// It was imported with other content.
    Other,
}

impl Imported {
    /// Reads the log of a folder; empty when there is none yet.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut imported = Self::default();
        if folder.join("log.db").exists() {
            engine::keyed(folder, super::run::ACTOR, |keyed| {
                if let Some(id) = Self::id(&keyed) {
                    imported.0.insert(hash(id), short(&keyed.body));
                }
                Ok(())
            })?;
        }
        Ok(imported)
    }

    /// The key of a thing in the log. A run's keys are its own, so that what it was refused is asked anew by the next.
    pub fn key(id: &str, run: &str) -> String {
        format!("{PREFIX}{id}@{run}")
    }

    /// The id in a key.
    pub fn id(keyed: &Keyed) -> Option<&str> {
        keyed.key.strip_prefix(PREFIX)?.rsplit_once('@').map(|(id, _)| id)
    }

    pub fn before(&self, id: &str, digest: &str) -> Before {
        match self.0.get(&hash(id)) {
            None => Before::Never,
            Some(known) if *known == short(digest) => Before::Same,
            Some(_) => Before::Other,
        }
    }

    /// Remembers what comes in now: a file may name it twice.
    pub fn add(&mut self, id: &str, digest: &str) {
        self.0.insert(hash(id), short(digest));
    }
}

pub fn hash(text: &str) -> u128 {
    let hash = blake3::hash(text.as_bytes());
    u128::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

fn short(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_known_by_its_id_and_told_apart_by_its_content() {
        let mut imported = Imported::default();
        assert_eq!(imported.before("order/web/1", "a"), Before::Never);
        imported.add("order/web/1", "a");
        assert_eq!(imported.before("order/web/1", "a"), Before::Same);
        assert_eq!(imported.before("order/web/1", "b"), Before::Other);
        assert_eq!(Imported::key("order/web/a@b", "7"), "import/order/web/a@b@7");
    }
}
