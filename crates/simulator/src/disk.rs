//! A disk that fails as disks do: full, doubtful, or gone with the power in the middle of a write.

use engine::log::sqlite::SqliteLog;
use engine::log::{Appended, Error, Log, Row};
use std::fs::{File, copy, create_dir_all};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What happens at the next append.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing is written, and this often again.
    Full { times: u32 },
    /// The sync failed, and nothing was written.
    LostBefore,
    /// The sync failed, but everything is there.
    KeptAfter,
    /// The power goes after so many percent of the frame's bytes have reached the disk; the store is what it was at the last start.
    PowerLoss { percent: u64 },
}

/// The fault to come, and what a power loss left behind.
#[derive(Debug, Default)]
pub struct Plan {
    pub fault: Option<Fault>,
    /// The folder as it is after the power came back.
    pub image: Option<PathBuf>,
}

/// Shared between the world and the log's thread.
pub type Shared = Arc<Mutex<Plan>>;

pub fn plan(shared: &Shared) -> std::sync::MutexGuard<'_, Plan> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Disk {
    pub log: SqliteLog,
    pub folder: PathBuf,
    /// Where an image of the disk goes when the power is lost.
    pub next: PathBuf,
    pub plan: Shared,
}

impl Log for Disk {
    fn append(&mut self, expected_last: u64, epoch: u64, rows: &[Row]) -> Appended {
        let fault = if rows.is_empty() { None } else { plan(&self.plan).fault.take() };
        match fault {
            None => self.log.append(expected_last, epoch, rows),
            Some(Fault::Full { times }) => {
                plan(&self.plan).fault = (times > 1).then(|| Fault::Full { times: times - 1 });
                Appended::NoSpace
            }
            Some(Fault::LostBefore) => Appended::InDoubt("the sync failed".into()),
            Some(Fault::KeptAfter) => match self.log.append(expected_last, epoch, rows) {
                Appended::Durable => Appended::InDoubt("the sync failed".into()),
                other => other,
            },
            Some(Fault::PowerLoss { percent }) => self.lose_power(expected_last, epoch, rows, percent),
        }
    }

    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Row>, Error> {
        self.log.read(from_seq, limit)
    }

    fn last(&self) -> u64 {
        self.log.last()
    }
}

impl Disk {
    /// What was durable before stays; of the frame being written, some bytes do.
    fn lose_power(&mut self, expected_last: u64, epoch: u64, rows: &[Row], percent: u64) -> Appended {
        let before = size(&self.folder.join("log.db-wal"));
        let appended = self.log.append(expected_last, epoch, rows);
        let after = size(&self.folder.join("log.db-wal"));
        if appended != Appended::Durable {
            return appended;
        }
        // A log file that was begun anew while it was written can't be cut at a place between the two.
        let cut = if before < after { before + (after - before) * percent / 100 } else { after };
        match self.keep(cut) {
            Ok(()) => {
                plan(&self.plan).image = Some(self.next.clone());
                Appended::InDoubt("the power went".into())
            }
            Err(error) => Appended::InDoubt(format!("the image could not be made: {error}")),
        }
    }

    fn keep(&self, cut: u64) -> std::io::Result<()> {
        create_dir_all(&self.next)?;
        copy(self.folder.join("log.db"), self.next.join("log.db"))?;
        copy(self.folder.join("log.db-wal"), self.next.join("log.db-wal"))?;
        File::options().write(true).open(self.next.join("log.db-wal"))?.set_len(cut)?;
        let stale = self.folder.join(STALE_STORE);
        if stale.exists() {
            copy(&stale, self.next.join("store.db"))?;
        }
        Ok(())
    }
}

/// The store as it was at the last start.
pub const STALE_STORE: &str = "store.stale";

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
