//! Asked of the subscription room. `expected_version` is the client's `If-Match`.

use crate::id::SubscriptionId;
use crate::subscription::{Filter, Kind, Webhook};
use crate::text::Sealed;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    CreateSubscription(Box<CreateSubscription>),
    /// Name, filter, scope and the webhook's settings; kind and secrets stay.
    UpdateSubscription {
        subscription: SubscriptionId,
        change: Box<Change>,
        expected_version: Option<u64>,
    },
    /// A person stops it; its cursor waits.
    PauseSubscription {
        subscription: SubscriptionId,
        reason: SmolStr,
        expected_version: Option<u64>,
    },
    /// `incarnation` is the life of the log that the caller sees: after a restore webhooks wait to be resumed in the new one.
    ResumeSubscription {
        subscription: SubscriptionId,
        incarnation: u64,
        expected_version: Option<u64>,
    },
    /// The bus stops it: the endpoint said that it is gone, or has failed for too long.
    DisableSubscription {
        subscription: SubscriptionId,
        reason: SmolStr,
    },
    DeleteSubscription {
        subscription: SubscriptionId,
        expected_version: Option<u64>,
    },
    /// The cursor stands after this sequence; parked subjects and backfills end.
    RewindSubscription {
        subscription: SubscriptionId,
        after: u64,
        expected_version: Option<u64>,
    },
    /// The new secret signs first; those before sign along for `overlap_ms`.
    RotateSecret {
        subscription: SubscriptionId,
        secret: Sealed,
        overlap_ms: i64,
        expected_version: Option<u64>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSubscription {
    pub name: SmolStr,
    pub kind: Kind,
    pub filter: Filter,
    pub webhook: Option<Webhook>,
    pub personal_data: bool,
    pub history: bool,
    pub stalled_after_s: Option<u32>,
    /// It begins with what comes after this sequence.
    pub after: u64,
    pub incarnation: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub name: SmolStr,
    pub filter: Filter,
    /// Secrets in it are ignored.
    pub webhook: Option<Webhook>,
    pub personal_data: bool,
    pub history: bool,
    pub stalled_after_s: Option<u32>,
}
