//! Facts about mail to customers.

use crate::id::{DeliveryId, NotificationId};
use crate::notification::{Failure, Topic};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A customer is to get a mail about these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRequested {
    pub notification: NotificationId,
    pub topics: Vec<Topic>,
}

/// An attempt begins whose outcome may never be known: durable before the other side hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectStarted {
    pub effect: DeliveryId,
    /// Counts from 1.
    pub attempt: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationSent {
    pub notification: NotificationId,
    /// Message-ID of the mail.
    pub reference: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationDeferred {
    pub notification: NotificationId,
    #[serde(flatten)]
    pub failure: Failure,
    pub retry_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationFailed {
    pub notification: NotificationId,
    #[serde(flatten)]
    pub failure: Failure,
}

/// The mail may have gone out or not. It is not sent again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationInDoubt {
    pub notification: NotificationId,
    #[serde(flatten)]
    pub failure: Failure,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationSuppressed {
    pub notification: NotificationId,
    #[serde(flatten)]
    pub failure: Failure,
}
