//! Facts about subscriptions. Secrets stand sealed, and never leave the log.

use crate::id::SubscriptionId;
use crate::subscription::{Filter, Secret, Subscription, Webhook};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionCreated {
    pub subscription: Subscription,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionUpdated {
    pub subscription: SubscriptionId,
    pub name: SmolStr,
    pub filter: Filter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    pub personal_data: bool,
    pub history: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stalled_after_s: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionPaused {
    pub subscription: SubscriptionId,
    pub reason: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionResumed {
    pub subscription: SubscriptionId,
    pub incarnation: u64,
}

/// The bus gave up on the endpoint; a person may resume it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionDisabled {
    pub subscription: SubscriptionId,
    pub reason: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionDeleted {
    pub subscription: SubscriptionId,
}

/// The cursor stands after this sequence from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionRewound {
    pub subscription: SubscriptionId,
    pub after: u64,
    /// Counts rewinds: what was said of the cursor before no longer holds.
    pub generation: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionSecretRotated {
    pub subscription: SubscriptionId,
    /// All that sign now, newest first.
    pub secrets: Vec<Secret>,
}
