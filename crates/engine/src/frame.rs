//! What travels between the threads.

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
}

/// A transaction on its way to the log and the store.
#[derive(Debug, Clone)]
pub struct Pending {
    pub committed: Arc<Committed>,
    pub records: Vec<EngineRecord>,
    pub images: Arc<[Image]>,
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
