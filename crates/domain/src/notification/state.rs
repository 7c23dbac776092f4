//! What goes out of the house on paper: mail to customers, purchase orders to suppliers, and the life of each.

use crate::id::{FulfillmentId, NotificationId, RefundId, ReturnId};
use crate::limits::{DELIVERY_PAUSE_MS_FIRST, DELIVERY_PAUSE_MS_LAST};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One mail to a customer about what one transaction brought about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub id: NotificationId,
    /// What it tells, the most important first: that one chooses the template.
    pub topics: Vec<Topic>,
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// What a customer hears of. The order of the variants is their importance within one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub enum Topic {
    OrderConfirmed,
    OrderCanceled,
    PaymentFailed,
    Shipped { fulfillment: FulfillmentId },
    OrderBackordered,
    PromiseChanged,
    Delivered { fulfillment: FulfillmentId },
    Refunded { refund: RefundId },
    ReturnApproved { r#return: ReturnId },
}

/// A topic without what it is about: for opt-outs and templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicKind {
    OrderConfirmed,
    OrderCanceled,
    PaymentFailed,
    Shipped,
    OrderBackordered,
    PromiseChanged,
    Delivered,
    Refunded,
    ReturnApproved,
}

impl TopicKind {
    pub const ALL: [Self; 9] = [
        Self::OrderConfirmed,
        Self::OrderCanceled,
        Self::PaymentFailed,
        Self::Shipped,
        Self::OrderBackordered,
        Self::PromiseChanged,
        Self::Delivered,
        Self::Refunded,
        Self::ReturnApproved,
    ];

    /// As it stands in settings, and as its template is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderCanceled => "order_canceled",
            Self::PaymentFailed => "payment_failed",
            Self::Shipped => "shipped",
            Self::OrderBackordered => "order_backordered",
            Self::PromiseChanged => "promise_changed",
            Self::Delivered => "delivered",
            Self::Refunded => "refunded",
            Self::ReturnApproved => "return_approved",
        }
    }
}

impl std::str::FromStr for TopicKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("\"{text}\" is no topic; use one of {}", known()))
    }
}

impl Topic {
    pub fn kind(self) -> TopicKind {
        match self {
            Self::OrderConfirmed => TopicKind::OrderConfirmed,
            Self::OrderCanceled => TopicKind::OrderCanceled,
            Self::PaymentFailed => TopicKind::PaymentFailed,
            Self::Shipped { .. } => TopicKind::Shipped,
            Self::OrderBackordered => TopicKind::OrderBackordered,
            Self::PromiseChanged => TopicKind::PromiseChanged,
            Self::Delivered { .. } => TopicKind::Delivered,
            Self::Refunded { .. } => TopicKind::Refunded,
            Self::ReturnApproved { .. } => TopicKind::ReturnApproved,
        }
    }
}

/// The life of something that goes out where nobody knows it by a key: once started it is never started again in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub status: DeliveryStatus,
    /// How often it was started.
    pub attempts: u16,
    pub requested_at: Timestamp,
    /// After a temporary failure: not to be tried before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// By what the other side knows it: a Message-ID or a webhook id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What the other side, or we, had against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// An SMTP or HTTP status, or a word of ours.
    pub code: SmolStr,
    pub message: SmolStr,
}

/// Lifecycle of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    Requested,
    /// Under way, durably: the other side may have it.
    Started,
    /// Refused for the moment.
    Deferred,
    Sent,
    /// Refused for good, or not taken for too long.
    Failed,
    /// It may have arrived or not; it is not tried again by itself.
    InDoubt,
    /// Nobody to send it to: no address, or the customer was erased.
    Suppressed,
}

/// What can happen to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStep {
    Start,
    Send,
    Defer,
    Fail,
    Doubt,
    Suppress,
}

impl DeliveryStatus {
    /// The lifecycle, whole. A delivery that never started may fail, too: nobody could be reached for too long.
    #[rustfmt::skip]
    pub fn after(self, step: DeliveryStep) -> Option<Self> {
        use DeliveryStep as Step;
        match (self, step) {
            (Self::Requested | Self::Deferred, Step::Start)                 => Some(Self::Started),
            (Self::Requested | Self::Deferred, Step::Suppress)              => Some(Self::Suppressed),
            (Self::Requested | Self::Started | Self::Deferred, Step::Fail)  => Some(Self::Failed),
            (Self::Started, Step::Send)                                     => Some(Self::Sent),
            (Self::Started, Step::Defer)                                    => Some(Self::Deferred),
            (Self::Started, Step::Doubt)                                    => Some(Self::InDoubt),
            (Self::Started, Step::Start | Step::Suppress)
            | (Self::Requested | Self::Deferred, Step::Send | Step::Defer | Step::Doubt)
            | (Self::Sent | Self::Failed | Self::InDoubt | Self::Suppressed, _) => None,
        }
    }

    /// Nothing more comes of it.
    pub fn is_over(self) -> bool {
        match self {
            Self::Requested | Self::Started | Self::Deferred => false,
            Self::Sent | Self::Failed | Self::InDoubt | Self::Suppressed => true,
        }
    }
}

impl Delivery {
    pub fn new(requested_at: Timestamp) -> Self {
        let (status, retry_at, ended_at) = (DeliveryStatus::Requested, None, None);
        Self { status, attempts: 0, requested_at, retry_at, ended_at, reference: None, failure: None }
    }

    /// When it may be tried.
    pub fn due_at(&self) -> Timestamp {
        self.retry_at.unwrap_or(self.requested_at)
    }

    /// How long a temporary failure now waits: doubled each time.
    pub(crate) fn pause_ms(&self) -> i64 {
        let doublings = u32::from(self.attempts.saturating_sub(1)).min(30);
        DELIVERY_PAUSE_MS_FIRST.saturating_mul(1 << doublings).min(DELIVERY_PAUSE_MS_LAST)
    }

    pub(crate) fn step(&mut self, step: DeliveryStep, now: Timestamp) {
        self.status = self.status.after(step).expect("decide asked the table");
        self.retry_at = None;
        if self.status.is_over() {
            self.ended_at = Some(now);
        }
    }

    pub(crate) fn fail(&mut self, step: DeliveryStep, now: Timestamp, failure: Failure) {
        self.step(step, now);
        self.failure = Some(failure);
    }
}
