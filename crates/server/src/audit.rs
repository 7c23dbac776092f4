//! The server proves its own numbers, once a day at a set local time: what `verify` does, beside the shop at work. What does not hold is an alert.

use crate::alerting::edge;
use crate::shop::Shop;
use domain::alert::Condition;
use domain::time::Timestamp;
use engine::{LogError, OpenError, VerifyError};
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ACTOR: &str = "audit";
/// What may differ, as alerts name it.
const SUBJECTS: [&str; 3] = ["log", "invariants", "store"];
const DAMAGED: [rusqlite::ErrorCode; 2] = [rusqlite::ErrorCode::DatabaseCorrupt, rusqlite::ErrorCode::NotADatabase];
/// Bytes that stay free beside a second store.
const ROOM_LEFT: u64 = 256 << 20;
const TELL_TRIES: u32 = 60;
const TELL_PAUSE: Duration = Duration::from_secs(1);
/// Longest time between two looks at the clock.
const LOOK: Duration = Duration::from_secs(30);

/// When it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daily {
    /// After local midnight.
    pub minute: u16,
    pub zone: TimeZone,
}

impl Daily {
    /// The first time after `now`.
    fn next(&self, now: Timestamp) -> Timestamp {
        let today = now.date_in(&self.zone);
        let at = today.at_minute(self.minute, &self.zone);
        if at > now { at } else { today.plus_days(1).at_minute(self.minute, &self.zone) }
    }
}

/// What an audit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Holds {
        events: u64,
    },
    Differs {
        subject: &'static str,
        what: String,
    },
    /// Nothing was learned: no room, no file.
    Failed(String),
}

/// Every day, until the task is dropped. Without a time there is nothing to do.
pub async fn run(shop: Arc<Shop>) {
    let Some(daily) = shop.config.verify.clone() else { return };
    clean(shop.folder());
    loop {
        let next = daily.next(shop.now());
        while shop.now() < next {
            let left = Duration::from_millis(u64::try_from(next.0 - shop.now().0).unwrap_or(0));
            tokio::time::sleep(left.clamp(Duration::from_millis(1), LOOK)).await;
        }
        once(&shop).await;
    }
}

/// Verifies on a thread that stands back behind orders, and raises or clears `drift_found`.
pub async fn once(shop: &Arc<Shop>) -> Outcome {
    let started = Instant::now();
    let outcome = verified(shop.folder().to_owned()).await;
    let seconds = started.elapsed().as_secs_f64();
    let word = match &outcome {
        Outcome::Holds { events } => {
            tracing::info!(events, seconds, "the numbers hold");
            for subject in SUBJECTS {
                tell(shop, subject, None).await;
            }
            "holds"
        }
        Outcome::Differs { subject, what } => {
            tracing::error!(subject, seconds, "{what}");
            tell(shop, subject, Some(what)).await;
            "differs"
        }
        Outcome::Failed(why) => {
            tracing::error!(seconds, "the numbers could not be verified: {why}");
            "failed"
        }
    };
    metrics::counter!("quartermaster_verifications", "outcome" => word).increment(1);
    metrics::gauge!("quartermaster_verification_seconds").set(seconds);
    outcome
}

/// Raises what differs, or clears what holds. A shop that has too much to do, or no room, hears of it a little later.
async fn tell(shop: &Shop, subject: &'static str, what: Option<&str>) {
    for _ in 0..TELL_TRIES {
        let condition = Condition::DriftFound { subject: subject.into() };
        let told = match what {
            Some(what) => edge::raise(shop, ACTOR, condition, &[], Some(what)).await,
            None => edge::clear(shop, ACTOR, condition).await,
        };
        if told {
            return;
        }
        tokio::time::sleep(TELL_PAUSE).await;
    }
}

async fn verified(folder: PathBuf) -> Outcome {
    if let Err(why) = room(&folder) {
        return Outcome::Failed(why);
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    let work = move || {
        crate::bus::webhook::stand_back();
        // Nobody waits any more when the server stops; the folder is cleaned at the next start.
        let _ = tell.send(outcome(engine::verify_within(&folder, &folder)));
    };
    match std::thread::Builder::new().name(ACTOR.to_owned()).spawn(work) {
        Ok(_) => told.await.unwrap_or_else(|_| Outcome::Failed("the verification ended early".to_owned())),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn outcome(verified: Result<engine::Report, VerifyError>) -> Outcome {
    let error = match verified {
        Ok(report) => return Outcome::Holds { events: report.events },
        Err(error) => error,
    };
    let damaged = |error: &rusqlite::Error| error.sqlite_error_code().is_some_and(|code| DAMAGED.contains(&code));
    let subject = match &error {
        VerifyError::Log(LogError::Broken { .. }) | VerifyError::Open(OpenError::Log(LogError::Broken { .. })) => "log",
        VerifyError::Log(LogError::Sqlite(error)) | VerifyError::Open(OpenError::Log(LogError::Sqlite(error))) if damaged(error) => "log",
        VerifyError::Store(error) if damaged(error) => "store",
        VerifyError::Invariant(_) => "invariants",
        VerifyError::Differs(_) => "store",
        // Busy, full, not to be read now: nothing is known of the numbers.
        VerifyError::Log(_) | VerifyError::Open(_) | VerifyError::Store(_) | VerifyError::Io(_) | VerifyError::Refused(_) => {
            return Outcome::Failed(error.to_string());
        }
    };
    Outcome::Differs { subject, what: error.to_string() }
}

/// A second store must leave the log the room that it needs.
fn room(folder: &Path) -> Result<(), String> {
    let store = std::fs::metadata(folder.join("store.db")).map_or(0, |file| file.len());
    let free = rustix::fs::statvfs(folder).map_err(|error| error.to_string())?;
    let (free, wanted) = (free.f_bavail.saturating_mul(free.f_frsize), store.saturating_mul(2).saturating_add(ROOM_LEFT));
    let mib = |bytes: u64| bytes >> 20;
    if free >= wanted { Ok(()) } else { Err(format!("{} MiB are free beside the log, {} MiB are needed", mib(free), mib(wanted))) }
}

/// Folds of a process that died.
fn clean(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(engine::SCRATCH)) {
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, "{} stays behind", entry.path().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_today_or_tomorrow_on_the_wall() {
        let at = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let daily = Daily { minute: 210, zone: TimeZone::get("Europe/Berlin").unwrap() };
        assert_eq!(daily.next(at("2026-11-26T02:29:59Z")), at("2026-11-26T02:30:00Z"));
        assert_eq!(daily.next(at("2026-11-26T02:30:00Z")), at("2026-11-27T02:30:00Z"));
        // The night in which clocks go forward.
        assert_eq!(daily.next(at("2026-03-28T12:00:00Z")), at("2026-03-29T01:30:00Z"));
    }
}
