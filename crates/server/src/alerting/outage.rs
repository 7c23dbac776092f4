//! An outside service that stays away: told once it has been for a while, and that it is back.

use super::edge;
use crate::shop::Shop;
use domain::alert::Condition;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Whether a service answers, as those who call it find out.
pub struct Outage {
    shop: Arc<Shop>,
    connector: &'static str,
    /// Shorter ones are told nobody: what waits is sent a little later.
    told_after: Duration,
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy)]
enum Seen {
    /// Not called yet: an alert of an earlier process may be open.
    Unknown,
    Answers,
    Away {
        since: Instant,
        told: bool,
    },
}

impl Outage {
    pub fn new(shop: Arc<Shop>, connector: &'static str, told_after: Duration) -> Self {
        Self { shop, connector, told_after, seen: Mutex::new(Seen::Unknown) }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("no thread panics with the lock")
    }

    fn condition(&self) -> Condition {
        Condition::ConnectorFailing { connector: self.connector.into() }
    }

    pub fn is_away(&self) -> bool {
        matches!(*self.seen(), Seen::Away { .. })
    }

    /// When it would be told; `None` when it answers or was told.
    pub fn told_in(&self) -> Option<Duration> {
        match *self.seen() {
            Seen::Away { since, told: false } => Some(self.told_after.saturating_sub(since.elapsed())),
            Seen::Unknown | Seen::Answers | Seen::Away { .. } => None,
        }
    }

    /// It did not answer, or did not let us in.
    pub async fn failed(&self, why: &str) {
        let since = match *self.seen() {
            Seen::Away { since, .. } => since,
            Seen::Unknown | Seen::Answers => Instant::now(),
        };
        let due = match &mut *self.seen() {
            Seen::Away { told: true, .. } => false,
            seen => {
                *seen = Seen::Away { since, told: false };
                since.elapsed() >= self.told_after
            }
        };
        if due {
            let numbers = [("seconds", i64::try_from(since.elapsed().as_secs()).unwrap_or(i64::MAX))];
            let told = edge::raise(&self.shop, self.connector, self.condition(), &numbers, Some(why)).await;
            *self.seen() = Seen::Away { since, told };
        }
    }

    pub async fn answered(&self) {
        let clear = match *self.seen() {
            Seen::Answers => false,
            // Whether or not it was told: an alert of an earlier process ends, too.
            Seen::Unknown | Seen::Away { .. } => true,
        };
        if clear && edge::clear(&self.shop, self.connector, self.condition()).await {
            *self.seen() = Seen::Answers;
        }
    }
}
