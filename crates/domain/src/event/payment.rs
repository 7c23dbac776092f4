//! Facts about money.

use crate::id::{EffectId, OrderId, PaymentId, RefundId};
use crate::money::Amount;
use crate::payment::RefundLine;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A gateway is asked to authorize.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRequested {
    pub payment: PaymentId,
    pub effect: EffectId,
    pub gateway: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SmolStr>,
    pub amount: Amount,
    pub capture_now: bool,
    pub multicapture: bool,
    #[serde(default, skip_serializing_if = "is_none")]
    pub overcapture_percent: u8,
    /// Without success until then, the order is canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ends_at: Option<Timestamp>,
}

/// The order arrived with a payment made elsewhere; the gateway is asked to confirm it, unless nobody can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentClaimed {
    pub payment: PaymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
    pub gateway: SmolStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    pub amount: Amount,
    pub captured: bool,
    pub multicapture: bool,
    #[serde(default, skip_serializing_if = "is_none")]
    pub overcapture_percent: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAuthorized {
    pub payment: PaymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When somebody is to be told that it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRequested {
    pub payment: PaymentId,
    pub effect: EffectId,
    pub amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCaptured {
    pub payment: PaymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
}

/// The goods may be gone already: a balance is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureFailed {
    pub payment: PaymentId,
    pub effect: EffectId,
    pub amount: Amount,
    pub code: SmolStr,
    pub message: SmolStr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidRequested {
    pub payment: PaymentId,
    pub effect: EffectId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentVoided {
    pub payment: PaymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    pub payment: PaymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
    pub code: SmolStr,
    pub message: SmolStr,
}

/// No payment came within the channel's window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentWindowEnded {
    pub order: OrderId,
}

/// The authorization runs out soon, and something is still to be captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationExpiring {
    pub payment: PaymentId,
    pub expires_at: Timestamp,
}

/// An outside action has been outstanding for longer than it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectStuck {
    pub order: OrderId,
    pub effect: EffectId,
    pub asked_at: Timestamp,
}

/// The authorization ran out: what was not captured of it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentExpired {
    pub payment: PaymentId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequested {
    pub refund: RefundId,
    pub payment: PaymentId,
    pub effect: EffectId,
    pub amount: Amount,
    /// Money beyond what is owed, after a cancellation.
    #[serde(default)]
    pub of_excess: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RefundLine>,
    #[serde(default)]
    pub charges: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundCompleted {
    pub refund: RefundId,
    pub payment: PaymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFailed {
    pub refund: RefundId,
    pub payment: PaymentId,
    pub effect: EffectId,
    pub code: SmolStr,
    pub message: SmolStr,
}

fn is_none(percent: &u8) -> bool {
    *percent == 0
}
