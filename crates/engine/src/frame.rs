//! What travels between the threads.

use domain::id::SubscriptionId;
use domain::time::Timestamp;
use domain::{Image, Recorded, Rejection};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A settled command: its events, all or nothing, with their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// Sequence of the first record. With an idempotency key that is the key's own record, and the events follow it.
    /// `last_seq` is `first_seq - 1` when nothing had to be written.
    pub first_seq: u64,
    pub last_seq: u64,
    pub time: Timestamp,
    pub actor: String,
    pub events: Vec<Recorded>,
}

/// A client's promise that two requests are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// Principal, method, path and key, hashed.
    pub key: String,
    /// Hash of the body.
    pub body: String,
}

/// What became of a submission. It leaves only when everything settled before it is durable.
#[derive(Debug, Clone)]
pub enum Reply {
    Done {
        committed: Arc<Committed>,
        /// After-images of what was touched.
        images: Arc<[Image]>,
        repeated: bool,
    },
    Refused {
        rejection: Rejection,
        repeated: bool,
    },
    /// The key was used before with another body.
    KeyReused,
    /// The process stops: whether the command took effect is known after the restart. Retry with the same key.
    OutcomeUnknown,
    /// The disk is full; nothing happened.
    NoSpace,
}

/// What the log also remembers, and no subscription sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum EngineRecord {
    #[serde(rename = "engine.started.v1")]
    Started {
        epoch: u64,
        incarnation: u64,
        /// Numbers of every kind that are left out after a restore: what was lost with the old incarnation had some of them.
        #[serde(default)]
        skipped: u64,
    },
    /// The transaction answers this key.
    #[serde(rename = "engine.keyed.v1")]
    Keyed(Idempotency),
    /// A keyed command was refused for good; a repeat gets the same refusal.
    #[serde(rename = "engine.refused.v1")]
    Refused { idempotency: Idempotency, rejection: Rejection },
    /// Where subscriptions stand; at most one a second, and none when nothing moves.
    #[serde(rename = "engine.cursors.v1")]
    Cursors { cursors: Vec<Cursor> },
}

/// Where a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub subscription: SubscriptionId,
    /// How often it had been rewound: a cursor from before a rewind is ignored.
    pub generation: u64,
    /// All up to here was delivered or acknowledged, except for what is parked.
    pub sequence: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parked: Vec<Parked>,
    /// Ranges that are delivered beside the live cursor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backfills: Vec<Backfill>,
    /// Since when nothing at all could be delivered, milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<i64>,
}

/// A subject that waits for one of its events, while the others go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    pub subject: String,
    /// The event that could not be delivered; what follows in its subject waits behind it.
    pub sequence: u64,
    pub attempts: u32,
    /// First failure, milliseconds since the Unix epoch.
    pub since: i64,
    /// It is no longer tried by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// What is left of a range: sequences from `next` to `to`, both inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    pub next: u64,
    pub to: u64,
}

impl Cursor {
    /// Everything after a sequence is to come.
    pub fn after(subscription: SubscriptionId, generation: u64, sequence: u64) -> Self {
        Self { subscription, generation, sequence, parked: Vec::new(), backfills: Vec::new(), failing_since: None }
    }
}

/// A transaction on its way to the log and the store.
#[derive(Debug, Clone)]
pub struct Pending {
    pub committed: Arc<Committed>,
    pub(crate) records: Vec<EngineRecord>,
    /// After-images of what it touched.
    pub images: Arc<[Image]>,
}

impl Pending {
    /// Its events with their numbers.
    pub(crate) fn events(&self) -> impl Iterator<Item = (u64, &Recorded)> {
        (self.committed.first_seq + self.records.len() as u64..).zip(&self.committed.events)
    }
}

/// What is appended at once, and who waits for it.
#[derive(Default)]
pub struct Batch {
    pub transactions: Vec<Pending>,
    pub replies: Vec<(u64, Reply)>,
    /// Answers to questions about State: they leave when what they saw is durable.
    pub answers: Vec<Answer>,
    /// Which State it was settled against; the log takes only the present one.
    pub generation: u64,
}

/// Hands an answer over.
pub type Answer = Box<dyn FnOnce() + Send>;
