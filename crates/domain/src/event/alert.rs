//! Facts about alerts.

use crate::alert::Condition;
use crate::id::AlertId;
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
