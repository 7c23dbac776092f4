//! Alerts: one per condition, not a storm.

use super::Told;
use crate::id::{AlertId, LocationCode, OrderId, PurchaseOrderId, Sku, TransferId};
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
    /// In words, where numbers do not tell it; never personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<SmolStr>,
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
    /// Units that were promised have not left by the end of the promised day.
    LateOrder {
        order: OrderId,
    },
    /// An authorization that is still needed runs out soon, or has run out.
    AuthorizationExpiring {
        order: OrderId,
    },
    /// An outside action of the order has been outstanding for longer than [`crate::limits::EFFECT_STUCK_AFTER_MS`].
    EffectStuck {
        order: OrderId,
    },
    /// A purchase order has open lines after the day on which they were expected.
    SupplierLate {
        purchase_order: PurchaseOrderId,
    },
    /// Units of a transfer are in transit after the day on which they were expected.
    TransferLate {
        transfer: TransferId,
    },
    /// The position is at the reorder point, and the policy only alerts.
    ReplenishmentDue {
        sku: Sku,
        location: LocationCode,
    },
    /// A subscription does not move on. Raised by the edge.
    SubscriptionStalled {
        subscription: SmolStr,
    },
    /// Numbers of two sources differ (a count by others, a read model). Raised by the edge.
    DriftFound {
        subject: SmolStr,
    },
    /// An outside service refuses or does not answer. Raised by the edge.
    ConnectorFailing {
        connector: SmolStr,
    },
}

/// Who raises and clears a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raiser {
    /// The rules, which read it off State.
    Rules,
    /// Something outside of the rules, by command.
    Edge,
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
            Self::LateOrder { order } => format_smolstr!("late_order {order}"),
            Self::AuthorizationExpiring { order } => format_smolstr!("authorization_expiring {order}"),
            Self::EffectStuck { order } => format_smolstr!("effect_stuck {order}"),
            Self::SupplierLate { purchase_order } => format_smolstr!("supplier_late {purchase_order}"),
            Self::TransferLate { transfer } => format_smolstr!("transfer_late {transfer}"),
            Self::ReplenishmentDue { sku, location } => format_smolstr!("replenishment_due {sku}@{location}"),
            Self::SubscriptionStalled { subscription } => format_smolstr!("subscription_stalled {subscription}"),
            Self::DriftFound { subject } => format_smolstr!("drift_found {subject}"),
            Self::ConnectorFailing { connector } => format_smolstr!("connector_failing {connector}"),
        }
    }

    pub fn raiser(&self) -> Raiser {
        match self {
            Self::LowStock { .. }
            | Self::OutOfStock { .. }
            | Self::PaymentFailed { .. }
            | Self::CaptureFailed { .. }
            | Self::MailInDoubt { .. }
            | Self::DispatchFailed { .. }
            | Self::Oversold { .. }
            | Self::LateOrder { .. }
            | Self::AuthorizationExpiring { .. }
            | Self::EffectStuck { .. }
            | Self::SupplierLate { .. }
            | Self::TransferLate { .. }
            | Self::ReplenishmentDue { .. } => Raiser::Rules,
            Self::SubscriptionStalled { .. } | Self::DriftFound { .. } | Self::ConnectorFailing { .. } => Raiser::Edge,
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
