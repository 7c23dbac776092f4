//! What a subscription is.

use crate::id::{ChannelCode, SubscriptionId};
use crate::text::Sealed;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub name: SmolStr,
    pub kind: Kind,
    pub filter: Filter,
    /// Set for webhooks alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Names, addresses and notes are opened for it; else they are left out.
    pub personal_data: bool,
    /// It also hears of imported orders.
    pub history: bool,
    /// Without a step forward for so long, an alert is raised; each kind has its own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stalled_after_s: Option<u32>,
    pub status: Status,
    /// Why it is paused or disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<SmolStr>,
    /// Where it began, or was rewound to last: after this sequence.
    pub after: u64,
    /// Counts rewinds.
    pub generation: u64,
    /// Life of the log in which it was created or resumed last.
    pub incarnation: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

/// How it hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Server-sent events on a connection that the subscriber opens.
    Sse,
    /// The subscriber fetches and acknowledges.
    Pull,
    /// We call the subscriber.
    Webhook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    /// By a person, or after a restore.
    Paused,
    /// By the bus.
    Disabled,
}

/// What it hears of; an empty list narrows nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// `order.placed`, or with a `*` at the end: `stock.*`.
    pub types: Vec<SmolStr>,
    /// `order/ord_1`, or with a `*` at the end: `order/*`.
    pub subjects: Vec<SmolStr>,
    /// Events of these channels' orders, holds and availability.
    pub channels: Vec<ChannelCode>,
}

/// An endpoint and how it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub url: SmolStr,
    /// Calls under way at once; those of one subject follow each other whatever this says.
    pub concurrency: u16,
    /// Longest wait for an answer, in milliseconds.
    pub timeout_ms: u32,
    /// Newest first; each signs until its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    pub sealed: Sealed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Webhook {
    /// Those that sign at a time, newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| end > now))
    }
}
