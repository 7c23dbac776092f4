//! Alerts: one per condition, not a storm.

use super::Told;
use crate::id::{AlertId, LocationCode, OrderId, PurchaseOrderId, Sku};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    #[serde(flatten)]
    pub condition: Condition,
    /// What the condition was read off when it was raised.
    pub numbers: BTreeMap<SmolStr, i64>,
    pub status: AlertStatus,
    pub raised_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Timestamp>,
    /// What each destination was told last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    pub version: u64,
}

/// What is wrong, and with what. At most one alert of a condition is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Condition {
    LowStock {
        sku: Sku,
        location: LocationCode,
    },
    OutOfStock {
        sku: Sku,
        location: LocationCode,
    },
    PaymentFailed {
        order: OrderId,
    },
    CaptureFailed {
        order: OrderId,
    },
    /// A mail to the customer may have gone out or not; send it again, or let it be.
    MailInDoubt {
        order: OrderId,
    },
    /// A purchase order did not reach its supplier, or nobody knows whether it did.
    DispatchFailed {
        purchase_order: PurchaseOrderId,
    },
    /// A marketplace sold what is not there.
    Oversold {
        order: OrderId,
    },
}

impl Condition {
    pub fn text(&self) -> SmolStr {
        match self {
            Self::LowStock { sku, location } => format_smolstr!("low_stock {sku}@{location}"),
            Self::OutOfStock { sku, location } => format_smolstr!("out_of_stock {sku}@{location}"),
            Self::PaymentFailed { order } => format_smolstr!("payment_failed {order}"),
            Self::CaptureFailed { order } => format_smolstr!("capture_failed {order}"),
            Self::MailInDoubt { order } => format_smolstr!("mail_in_doubt {order}"),
            Self::DispatchFailed { purchase_order } => format_smolstr!("dispatch_failed {purchase_order}"),
            Self::Oversold { order } => format_smolstr!("oversold {order}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    Open,
    Acknowledged,
    /// The condition ended by itself.
    Cleared,
}
