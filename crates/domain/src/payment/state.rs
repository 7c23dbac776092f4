//! Payments as the rules see them: what was asked, what the gateway confirmed.

use crate::id::{EffectId, PaymentId, RefundId};
use crate::money::Amount;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub id: PaymentId,
    pub gateway: SmolStr,
    /// What the gateway charges: a card or wallet token. Never a card number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SmolStr>,
    /// The gateway's own name of this payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    pub status: PaymentState,
    /// Asked for.
    pub amount: Amount,
    pub authorized: Amount,
    pub captured: Amount,
    pub refunded: Amount,
    /// Capture as soon as it is authorized.
    pub capture_now: bool,
    /// The gateway's authorization can be captured in parts.
    pub multicapture: bool,
    /// How many percent more than authorized the gateway captures.
    #[serde(default)]
    pub overcapture_percent: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// It was told that the authorization runs out soon.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expiring: bool,
    pub created_at: Timestamp,
}

impl Payment {
    /// The gateway captures in parts, and something of what it authorized is left.
    pub fn may_capture_more(&self) -> bool {
        self.multicapture && self.captured < self.authorized
    }

    /// What the gateway captures at most.
    pub fn capturable(&self) -> Amount {
        self.authorized + Amount::new(self.authorized.get() * i64::from(self.overcapture_percent) / 100)
    }
}

/// Lifecycle of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    Requested,
    Authorized,
    Captured,
    Refunded,
    Failed,
    Voided,
    Expired,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    pub amount: Amount,
    /// Money beyond what is owed, after a cancellation; any other refund lowers what the order is worth.
    #[serde(default)]
    pub of_excess: bool,
    pub status: RefundStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<SmolStr>,
    /// What the money is for, as the request named it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RefundLine>,
    /// Of `amount`, for order charges such as shipping.
    #[serde(default)]
    pub charges: Amount,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    pub line: crate::id::LineId,
    pub quantity: crate::quantity::Quantity,
    /// With tax.
    pub amount: Amount,
    pub tax: Amount,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    Requested,
    Refunded,
    Failed,
}

/// An outside action that is asked for and not yet recorded. It stays outstanding over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    pub id: EffectId,
    pub action: Action,
    /// Not to be tried before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    #[serde(default)]
    pub asked_at: Timestamp,
    /// It was told that this takes too long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stuck: bool,
}

impl Effect {
    pub fn new(id: EffectId, action: Action, asked_at: Timestamp) -> Self {
        Self { id, action, not_before: None, asked_at, stuck: false }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    Authorize {
        payment: PaymentId,
        amount: Amount,
    },
    Capture {
        payment: PaymentId,
        amount: Amount,
    },
    Void {
        payment: PaymentId,
    },
    Refund {
        payment: PaymentId,
        refund: RefundId,
        amount: Amount,
    },
    /// A payment made elsewhere is asked about before anything is released.
    Verify {
        payment: PaymentId,
        amount: Amount,
    },
}

impl Action {
    pub fn payment(&self) -> PaymentId {
        match self {
            Self::Authorize { payment, .. }
            | Self::Capture { payment, .. }
            | Self::Void { payment }
            | Self::Refund { payment, .. }
            | Self::Verify { payment, .. } => *payment,
        }
    }
}

/// What an outside action came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The gateway reserved `amount` (which may differ from what was asked for).
    Authorized {
        amount: Amount,
        reference: SmolStr,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    Captured {
        amount: Amount,
        reference: SmolStr,
    },
    Voided,
    Refunded {
        amount: Amount,
        reference: SmolStr,
    },
    /// Final: the gateway said no.
    Declined {
        code: SmolStr,
        message: SmolStr,
    },
    /// The outside action could not be brought to an end; a person decides.
    Failed {
        code: SmolStr,
        message: SmolStr,
    },
}

/// Payments under this gateway are recorded by people; nobody is asked.
pub const MANUAL_GATEWAY: &str = "manual";
