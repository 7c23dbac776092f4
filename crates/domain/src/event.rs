//! Everything that can have happened. Events are facts in the past tense; the log holds nothing else.
//!
//! Payloads live one file a room. `level` fields are stamped by `apply`: what follows from the fold is never decided.

pub mod alert;
pub mod catalog;
pub mod count;
pub mod customer;
pub mod fulfillment;
pub mod notification;
pub mod order;
pub mod payment;
pub mod purchasing;
pub mod returns;
pub mod stock;
pub mod subscription;
pub mod transfer;

use crate::id::{
    AdjustmentId, AlertId, ChannelCode, CountId, CustomerId, DeliveryId, HoldId, KeyId, LocationCode, MoveId, OrderId, PurchaseOrderId,
    ReceiptId, ReturnId, Sku, SubscriptionId, SupplierCode, TransferId,
};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, SmolStrBuilder, format_smolstr};

/// What an event is about: the unit of order for subscribers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Order(OrderId),
    Item(Sku),
    Location(LocationCode),
    Channel(ChannelCode),
    Settings,
    Stock(Sku, LocationCode),
    Hold(HoldId),
    Receipt(ReceiptId),
    Adjustment(AdjustmentId),
    Move(MoveId),
    Supplier(SupplierCode),
    PurchaseOrder(PurchaseOrderId),
    Policy(Sku, LocationCode),
    Transfer(TransferId),
    Count(CountId),
    Customer(CustomerId),
    /// A return without an order.
    Return(ReturnId),
    Alert(AlertId),
    Key(KeyId),
    Subscription(SubscriptionId),
}

impl Subject {
    /// The text of the CloudEvents `subject`, for example `order/ord_1JD`.
    pub fn text(&self) -> SmolStr {
        match self {
            // Written out by hand: it is asked for with nearly every event.
            Self::Order(id) => {
                let mut text = SmolStrBuilder::new();
                text.push_str("order/");
                text.push_str(&id.text());
                text.finish()
            }
            Self::Item(sku) => format_smolstr!("item/{sku}"),
            Self::Location(code) => format_smolstr!("location/{code}"),
            Self::Channel(code) => format_smolstr!("channel/{code}"),
            Self::Settings => SmolStr::new_static("settings"),
            Self::Stock(sku, location) => format_smolstr!("stock/{sku}@{location}"),
            Self::Hold(id) => format_smolstr!("hold/{id}"),
            Self::Receipt(id) => format_smolstr!("receipt/{id}"),
            Self::Adjustment(id) => format_smolstr!("adjustment/{id}"),
            Self::Move(id) => format_smolstr!("move/{id}"),
            Self::Supplier(code) => format_smolstr!("supplier/{code}"),
            Self::PurchaseOrder(id) => format_smolstr!("purchase_order/{id}"),
            Self::Policy(sku, location) => format_smolstr!("replenishment_policy/{sku}@{location}"),
            Self::Transfer(id) => format_smolstr!("transfer/{id}"),
            Self::Count(id) => format_smolstr!("count/{id}"),
            Self::Customer(id) => format_smolstr!("customer/{id}"),
            Self::Return(id) => format_smolstr!("return/{id}"),
            Self::Alert(id) => format_smolstr!("alert/{id}"),
            Self::Key(id) => format_smolstr!("key/{id}"),
            Self::Subscription(id) => format_smolstr!("subscription/{id}"),
        }
    }

    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Order(id) => Some(*id),
            Self::Item(_)
            | Self::Location(_)
            | Self::Channel(_)
            | Self::Settings
            | Self::Stock(..)
            | Self::Hold(_)
            | Self::Receipt(_)
            | Self::Adjustment(_)
            | Self::Move(_)
            | Self::Supplier(_)
            | Self::PurchaseOrder(_)
            | Self::Policy(..)
            | Self::Transfer(_)
            | Self::Count(_)
            | Self::Customer(_)
            | Self::Return(_)
            | Self::Alert(_)
            | Self::Key(_)
            | Self::Subscription(_) => None,
        }
    }
}

/// An event with its place: what it is about, the how manieth of its subject it is, and what brought it about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub subject: Subject,
    pub subject_seq: u64,
    /// Index within the transaction of the event that this one answers; `None` when the command itself asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u32>,
    #[serde(flatten)]
    pub event: Event,
}

fn of_return(id: ReturnId) -> Subject {
    id.order.map_or(Subject::Return(id), Subject::Order)
}

fn of_delivery(id: DeliveryId) -> Subject {
    match id {
        DeliveryId::Notification(id) => Subject::Order(id.order),
        DeliveryId::PurchaseOrder(id) => Subject::PurchaseOrder(id),
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($payload:ty) = $name:literal, $about:expr;)*) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "data")]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $name)] $variant($payload),)*
        }

        impl Event {
            /// Every event type with its version, in the order of this file.
            pub const TYPES: &'static [&'static str] = &[$($name),*];

            /// The type with its version, for example `order.placed.v1`.
            pub fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            pub fn subject(&self) -> Subject {
                match self { $(Self::$variant(event) => { let about: fn(&$payload) -> Subject = $about; about(event) })* }
            }
        }

        $(impl From<$payload> for Event {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        })*
    };
}

events! {
    ItemCreated(catalog::ItemCreated) = "item.created.v1", |e| Subject::Item(e.item.sku.clone());
    ItemUpdated(catalog::ItemUpdated) = "item.updated.v1", |e| Subject::Item(e.item.sku.clone());
    ItemRetired(catalog::ItemRetired) = "item.retired.v1", |e| Subject::Item(e.sku.clone());
    LocationCreated(catalog::LocationCreated) = "location.created.v1", |e| Subject::Location(e.location.code.clone());
    LocationUpdated(catalog::LocationUpdated) = "location.updated.v1", |e| Subject::Location(e.location.code.clone());
    ChannelCreated(catalog::ChannelCreated) = "channel.created.v1", |e| Subject::Channel(e.channel.code.clone());
    ChannelUpdated(catalog::ChannelUpdated) = "channel.updated.v1", |e| Subject::Channel(e.channel.code.clone());
    SettingsUpdated(catalog::SettingsUpdated) = "settings.updated.v1", |_| Subject::Settings;

    StockReceived(stock::StockReceived) = "stock.received.v1", |e| Subject::Receipt(e.receipt);
    ReceiptReversed(stock::ReceiptReversed) = "stock.receipt_reversed.v1", |e| Subject::Receipt(e.receipt);
    StockAdjusted(stock::StockAdjusted) = "stock.adjusted.v1", |e| Subject::Adjustment(e.adjustment);
    StockMoved(stock::StockMoved) = "stock.moved.v1", |e| Subject::Move(e.mov);
    SafetyStockSet(stock::SafetyStockSet) = "stock.safety_stock_set.v1", |e| Subject::Stock(e.sku.clone(), e.location.clone());
    StockAllocated(stock::StockAllocated) = "stock.allocated.v1", |e| Subject::Order(e.order);
    StockBackordered(stock::StockBackordered) = "stock.backordered.v1", |e| Subject::Order(e.order);
    StockShorted(stock::StockShorted) = "stock.shorted.v1", |e| Subject::Order(e.order);
    StockReleased(stock::StockReleased) = "stock.released.v1", |e| Subject::Order(e.order);
    HoldCreated(stock::HoldCreated) = "hold.created.v1", |e| Subject::Hold(e.hold);
    HoldExtended(stock::HoldExtended) = "hold.extended.v1", |e| Subject::Hold(e.hold);
    HoldEnded(stock::HoldReleased) = "hold.released.v1", |e| Subject::Hold(e.hold);
    HoldExpired(stock::HoldExpired) = "hold.expired.v1", |e| Subject::Hold(e.hold);
    HoldConsumed(stock::HoldConsumed) = "hold.consumed.v1", |e| Subject::Hold(e.hold);
    HoldBroken(stock::HoldBroken) = "hold.broken.v1", |e| Subject::Hold(e.hold);

    OrderPlaced(Box<order::OrderPlaced>) = "order.placed.v1", |e| Subject::Order(e.order.id);
    OrderImported(Box<order::OrderImported>) = "order.imported.v1", |e| Subject::Order(e.order.id);
    OrderAllocated(order::OrderAllocated) = "order.allocated.v1", |e| Subject::Order(e.order);
    OrderBackordered(order::OrderBackordered) = "order.backordered.v1", |e| Subject::Order(e.order);
    OrderRejected(order::OrderRejected) = "order.rejected.v1", |e| Subject::Order(e.order);
    OrderHeld(order::OrderHeld) = "order.held.v1", |e| Subject::Order(e.order);
    OrderReleased(order::OrderReleased) = "order.released.v1", |e| Subject::Order(e.order);
    OrderEdited(order::OrderEdited) = "order.edited.v1", |e| Subject::Order(e.order);
    OrderCanceled(order::OrderCanceled) = "order.canceled.v1", |e| Subject::Order(e.order);
    PromiseChanged(order::PromiseChanged) = "order.promise_changed.v1", |e| Subject::Order(e.order);
    OrderAvailable(order::OrderAvailable) = "order.available.v1", |e| Subject::Order(e.order);
    OrderLate(order::OrderLate) = "order.late.v1", |e| Subject::Order(e.order);
    OrderUpdated(order::OrderUpdated) = "order.updated.v1", |e| Subject::Order(e.order);
    OrderCompleted(order::OrderCompleted) = "order.completed.v1", |e| Subject::Order(e.order);

    PaymentRequested(payment::PaymentRequested) = "payment.requested.v1", |e| Subject::Order(e.payment.order);
    PaymentClaimed(payment::PaymentClaimed) = "payment.claimed.v1", |e| Subject::Order(e.payment.order);
    PaymentAuthorized(payment::PaymentAuthorized) = "payment.authorized.v1", |e| Subject::Order(e.payment.order);
    CaptureRequested(payment::CaptureRequested) = "payment.capture_requested.v1", |e| Subject::Order(e.payment.order);
    PaymentCaptured(payment::PaymentCaptured) = "payment.captured.v1", |e| Subject::Order(e.payment.order);
    CaptureFailed(payment::CaptureFailed) = "payment.capture_failed.v1", |e| Subject::Order(e.payment.order);
    VoidRequested(payment::VoidRequested) = "payment.void_requested.v1", |e| Subject::Order(e.payment.order);
    PaymentVoided(payment::PaymentVoided) = "payment.voided.v1", |e| Subject::Order(e.payment.order);
    PaymentFailed(payment::PaymentFailed) = "payment.failed.v1", |e| Subject::Order(e.payment.order);
    PaymentWindowEnded(payment::PaymentWindowEnded) = "payment.window_ended.v1", |e| Subject::Order(e.order);
    AuthorizationExpiring(payment::AuthorizationExpiring) = "payment.authorization_expiring.v1", |e| Subject::Order(e.payment.order);
    EffectStuck(payment::EffectStuck) = "payment.effect_stuck.v1", |e| Subject::Order(e.order);
    PaymentExpired(payment::PaymentExpired) = "payment.expired.v1", |e| Subject::Order(e.payment.order);
    RefundRequested(payment::RefundRequested) = "refund.requested.v1", |e| Subject::Order(e.refund.order);
    RefundCompleted(payment::RefundCompleted) = "refund.completed.v1", |e| Subject::Order(e.refund.order);
    RefundFailed(payment::RefundFailed) = "refund.failed.v1", |e| Subject::Order(e.refund.order);

    FulfillmentReleased(fulfillment::FulfillmentReleased) = "fulfillment.released.v1", |e| Subject::Order(e.fulfillment.order);
    PickStarted(fulfillment::PickStarted) = "fulfillment.picking.v1", |e| Subject::Order(e.fulfillment.order);
    ShortPicked(fulfillment::ShortPicked) = "fulfillment.short_picked.v1", |e| Subject::Order(e.fulfillment.order);
    Packed(fulfillment::Packed) = "fulfillment.packed.v1", |e| Subject::Order(e.fulfillment.order);
    Shipped(fulfillment::Shipped) = "fulfillment.shipped.v1", |e| Subject::Order(e.fulfillment.order);
    Delivered(fulfillment::Delivered) = "fulfillment.delivered.v1", |e| Subject::Order(e.fulfillment.order);
    CancelRequested(fulfillment::CancelRequested) = "fulfillment.cancel_requested.v1", |e| Subject::Order(e.fulfillment.order);
    CancelDeclined(fulfillment::CancelDeclined) = "fulfillment.cancel_declined.v1", |e| Subject::Order(e.fulfillment.order);
    FulfillmentCanceled(fulfillment::FulfillmentCanceled) = "fulfillment.canceled.v1", |e| Subject::Order(e.fulfillment.order);

    ReturnRequested(returns::ReturnRequested) = "return.requested.v1", |e| of_return(e.id);
    ReturnApproved(returns::ReturnApproved) = "return.approved.v1", |e| of_return(e.id);
    ReturnRejected(returns::ReturnRejected) = "return.rejected.v1", |e| of_return(e.id);
    ReturnReceived(returns::ReturnReceived) = "return.received.v1", |e| of_return(e.id);
    ReturnClosed(returns::ReturnClosed) = "return.closed.v1", |e| of_return(e.id);

    SupplierCreated(purchasing::SupplierCreated) = "supplier.created.v1", |e| Subject::Supplier(e.supplier.code.clone());
    SupplierUpdated(purchasing::SupplierUpdated) = "supplier.updated.v1", |e| Subject::Supplier(e.supplier.code.clone());
    PolicySet(purchasing::PolicySet) = "replenishment_policy.set.v1", |e| Subject::Policy(e.policy.sku.clone(), e.policy.location.clone());
    PolicyDeleted(purchasing::PolicyDeleted) = "replenishment_policy.deleted.v1", |e| Subject::Policy(e.sku.clone(), e.location.clone());
    ReplenishmentTriggered(purchasing::ReplenishmentTriggered) = "replenishment.triggered.v1", |e| Subject::Policy(e.sku.clone(), e.location.clone());
    PurchaseOrderCreated(purchasing::PurchaseOrderCreated) = "purchase_order.created.v1", |e| Subject::PurchaseOrder(e.purchase_order.id);
    PurchaseOrderAmended(purchasing::PurchaseOrderAmended) = "purchase_order.amended.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    PurchaseOrderPostponed(purchasing::PurchaseOrderPostponed) = "purchase_order.postponed.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    PurchaseOrderSent(purchasing::PurchaseOrderSent) = "purchase_order.sent.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    DispatchRequested(purchasing::DispatchRequested) = "purchase_order.dispatch_requested.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    Dispatched(purchasing::Dispatched) = "purchase_order.dispatched.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    DispatchDeferred(purchasing::DispatchDeferred) = "purchase_order.dispatch_deferred.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    DispatchFailed(purchasing::DispatchFailed) = "purchase_order.dispatch_failed.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    DispatchInDoubt(purchasing::DispatchInDoubt) = "purchase_order.dispatch_in_doubt.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    PurchaseOrderAcknowledged(purchasing::PurchaseOrderAcknowledged) = "purchase_order.acknowledged.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    PurchaseOrderLate(purchasing::PurchaseOrderLate) = "purchase_order.late.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    PurchaseOrderReceived(purchasing::PurchaseOrderReceived) = "purchase_order.received.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    PurchaseOrderClosedShort(purchasing::PurchaseOrderClosedShort) = "purchase_order.closed_short.v1", |e| Subject::PurchaseOrder(e.purchase_order);
    PurchaseOrderCanceled(purchasing::PurchaseOrderCanceled) = "purchase_order.canceled.v1", |e| Subject::PurchaseOrder(e.purchase_order);

    TransferCreated(transfer::TransferCreated) = "transfer.created.v1", |e| Subject::Transfer(e.transfer.id);
    TransferAmended(transfer::TransferAmended) = "transfer.amended.v1", |e| Subject::Transfer(e.transfer);
    TransferShipped(transfer::TransferShipped) = "transfer.shipped.v1", |e| Subject::Transfer(e.transfer);
    TransferReceived(transfer::TransferReceived) = "transfer.received.v1", |e| Subject::Transfer(e.transfer);
    TransferClosedLost(transfer::TransferClosedLost) = "transfer.closed_lost.v1", |e| Subject::Transfer(e.transfer);
    TransferCanceled(transfer::TransferCanceled) = "transfer.canceled.v1", |e| Subject::Transfer(e.transfer);
    TransferLate(transfer::TransferLate) = "transfer.late.v1", |e| Subject::Transfer(e.transfer);

    CustomerSaved(customer::CustomerSaved) = "customer.saved.v1", |e| Subject::Customer(e.customer);
    CustomerMerged(customer::CustomerMerged) = "customer.merged.v1", |e| Subject::Customer(e.customer);
    MailPreferencesSet(customer::MailPreferencesSet) = "customer.mail_preferences_set.v1", |e| Subject::Customer(e.customer);
    CustomerErased(customer::CustomerErased) = "customer.erased.v1", |e| Subject::Customer(e.customer);

    CountOpened(count::CountOpened) = "count.opened.v1", |e| Subject::Count(e.count.id);
    CountRecorded(count::CountRecorded) = "count.recorded.v1", |e| Subject::Count(e.count);
    CountPosted(count::CountPosted) = "count.posted.v1", |e| Subject::Count(e.count);
    CountCanceled(count::CountCanceled) = "count.canceled.v1", |e| Subject::Count(e.count);

    NotificationRequested(notification::NotificationRequested) = "notification.requested.v1", |e| Subject::Order(e.notification.order);
    EffectStarted(notification::EffectStarted) = "effect.started.v1", |e| of_delivery(e.effect);
    NotificationSent(notification::NotificationSent) = "notification.sent.v1", |e| Subject::Order(e.notification.order);
    NotificationDeferred(notification::NotificationDeferred) = "notification.deferred.v1", |e| Subject::Order(e.notification.order);
    NotificationFailed(notification::NotificationFailed) = "notification.failed.v1", |e| Subject::Order(e.notification.order);
    NotificationInDoubt(notification::NotificationInDoubt) = "notification.in_doubt.v1", |e| Subject::Order(e.notification.order);
    NotificationSuppressed(notification::NotificationSuppressed) = "notification.suppressed.v1", |e| Subject::Order(e.notification.order);

    SubscriptionCreated(subscription::SubscriptionCreated) = "subscription.created.v1", |e| Subject::Subscription(e.subscription.id);
    SubscriptionUpdated(subscription::SubscriptionUpdated) = "subscription.updated.v1", |e| Subject::Subscription(e.subscription);
    SubscriptionPaused(subscription::SubscriptionPaused) = "subscription.paused.v1", |e| Subject::Subscription(e.subscription);
    SubscriptionResumed(subscription::SubscriptionResumed) = "subscription.resumed.v1", |e| Subject::Subscription(e.subscription);
    SubscriptionDisabled(subscription::SubscriptionDisabled) = "subscription.disabled.v1", |e| Subject::Subscription(e.subscription);
    SubscriptionDeleted(subscription::SubscriptionDeleted) = "subscription.deleted.v1", |e| Subject::Subscription(e.subscription);
    SubscriptionRewound(subscription::SubscriptionRewound) = "subscription.rewound.v1", |e| Subject::Subscription(e.subscription);
    SubscriptionSecretRotated(subscription::SubscriptionSecretRotated) = "subscription.secret_rotated.v1", |e| Subject::Subscription(e.subscription);

    AlertRaised(alert::AlertRaised) = "alert.raised.v1", |e| Subject::Alert(e.alert);
    AlertAcknowledged(alert::AlertAcknowledged) = "alert.acknowledged.v1", |e| Subject::Alert(e.alert);
    AlertTold(alert::AlertTold) = "alert.told.v1", |e| Subject::Alert(e.alert);
    DigestSent(alert::DigestSent) = "alert.digest_sent.v1", |_| Subject::Settings;
    AlertCleared(alert::AlertCleared) = "alert.cleared.v1", |e| Subject::Alert(e.alert);
}
