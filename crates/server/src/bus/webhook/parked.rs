//! Subjects that wait for one of their events while others go on: tried again for about three days, then left for a person.

use crate::bus::circuit::parked_retry_after;
use crate::bus::page::{self, Found};
use crate::bus::{Filter, Outgoing};
use crate::shop::Shop;
use engine::Parked;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Failures after which an event parks are not counted again when its tries are.
const BEFORE: u32 = 3;
/// Wait while the endpoint fails altogether: that says nothing about this event.
const WHILE_OPEN: Duration = Duration::from_secs(300);

/// One subject that waits.
pub struct Lane {
    pub parked: Parked,
    /// The head of the subject, once it was read.
    event: Option<Arc<Outgoing>>,
    /// The head is looked for after this sequence.
    after: u64,
    due: Instant,
    flying: bool,
}

impl Lane {
    /// An event that failed too often.
    pub fn new(event: Arc<Outgoing>, attempts: u32, since: i64) -> Self {
        let parked = Parked { subject: event.subject.to_string(), sequence: event.seq, attempts, since, given_up: false };
        let due = Instant::now() + parked_retry_after(0).unwrap_or_default();
        Self { parked, after: event.seq, event: Some(event), due, flying: false }
    }

    /// As it was recorded.
    pub fn resumed(parked: Parked) -> Self {
        let due = Instant::now() + parked_retry_after(parked.attempts.saturating_sub(BEFORE)).unwrap_or_default();
        Self { after: parked.sequence.saturating_sub(1), parked, event: None, due, flying: false }
    }

    fn waits(&self) -> bool {
        !self.flying && !self.parked.given_up
    }

    /// When it wants to be called, if it does.
    pub fn due(&self) -> Option<Instant> {
        (self.waits() && self.event.is_some()).then_some(self.due)
    }

    pub fn launch(&mut self) -> Option<Arc<Outgoing>> {
        let event = self.event.clone().filter(|_| self.waits())?;
        self.flying = true;
        Some(event)
    }

    /// The head is delivered; what follows in its subject is looked for. Returns how often it was tried in vain.
    pub fn delivered(&mut self) -> u32 {
        let attempts = self.parked.attempts;
        self.skip();
        attempts
    }

    /// Leaves the head, and goes on with what follows.
    pub fn skip(&mut self) {
        self.after = self.parked.sequence;
        self.event = None;
        self.flying = false;
        self.parked.given_up = false;
    }

    /// Returns the number of failures.
    pub fn failed(&mut self, endpoint_fails: bool) -> u32 {
        self.flying = false;
        if endpoint_fails {
            self.due = Instant::now() + WHILE_OPEN;
            return self.parked.attempts + 1;
        }
        self.parked.attempts += 1;
        match parked_retry_after(self.parked.attempts.saturating_sub(BEFORE)) {
            Some(pause) => self.due = Instant::now() + pause,
            None => self.parked.given_up = true,
        }
        self.parked.attempts
    }

    /// Now, and again for three days if need be.
    pub fn retry(&mut self) {
        self.parked.given_up = false;
        self.parked.attempts = self.parked.attempts.min(BEFORE);
        self.due = Instant::now();
    }

    /// Looks for the head between what was looked at and `up_to`, a stretch at a time. `false` when there is none: the subject is free.
    pub async fn look(&mut self, shop: &Arc<Shop>, filter: &Filter, up_to: u64) -> bool {
        if self.event.is_some() || self.parked.given_up {
            return true;
        }
        match page::next_of(shop, filter, &self.parked.subject, self.after, up_to).await {
            Ok(Found::Event(event)) => {
                if event.seq != self.parked.sequence {
                    self.parked.sequence = event.seq;
                    self.parked.attempts = 0;
                    self.parked.since = event.time;
                    self.due = Instant::now();
                }
                self.event = Some(event);
                true
            }
            Ok(Found::NotYet { looked }) => {
                self.after = looked;
                true
            }
            Ok(Found::Nothing) => false,
            Err(error) => {
                tracing::warn!("{} could not be read: {error}", self.parked.subject);
                true
            }
        }
    }

    /// It has to be looked for further.
    pub fn looks(&self) -> bool {
        self.event.is_none() && !self.parked.given_up
    }
}
