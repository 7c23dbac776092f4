//! Facts about alerts.

use crate::alert::{AlertStatus, Condition, Destination};
use crate::id::AlertId;
use crate::time::Date;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRaised {
    pub alert: AlertId,
    #[serde(flatten)]
    pub condition: Condition,
    pub numbers: BTreeMap<SmolStr, i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<SmolStr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertAcknowledged {
    pub alert: AlertId,
    pub by: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCleared {
    pub alert: AlertId,
}

/// People heard of the alert as it then stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertTold {
    pub alert: AlertId,
    pub destination: Destination,
    pub status: AlertStatus,
}

/// The digest of a day has gone out, or need not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestSent {
    pub day: Date,
}
