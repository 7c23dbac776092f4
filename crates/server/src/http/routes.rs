//! Every route with who may use it; the router, the API description and the authorization test are made from this table.

use super::call::{Answer, Call};
use super::{
    Problem, alerts, bulk, catalog, counts, customers, events, events_in, fulfillments, holds, keys, notifications, order_parts, orders,
    payments, purchasing, reports, returns, stock, subscriptions, transfers,
};
use crate::keys::Role;
use std::future::Future;
use std::pin::Pin;

/// Who may use a route. An admin may use all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone with a key.
    Read,
    /// Store fronts and operators.
    Sell,
    /// The warehouse and operators.
    Work,
    /// Who may change anything: the systems that follow the shop.
    Follow,
    /// Operators.
    Operate,
    Administer,
}

impl Access {
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Read => &[Role::Admin, Role::Operator, Role::Warehouse, Role::Storefront, Role::ReadOnly],
            Self::Sell => &[Role::Admin, Role::Operator, Role::Storefront],
            Self::Work => &[Role::Admin, Role::Operator, Role::Warehouse],
            Self::Follow => &[Role::Admin, Role::Operator, Role::Warehouse, Role::Storefront],
            Self::Operate => &[Role::Admin, Role::Operator],
            Self::Administer => &[Role::Admin],
        }
    }
}

pub type Handled = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    pub summary: &'static str,
    /// An example of the body, as JSON; empty when the route takes none.
    pub body: &'static str,
    pub handler: fn(Call) -> Handled,
}

macro_rules! routes {
    ($($method:ident $path:literal $access:ident $handler:path, $summary:literal $(, $body:expr)?;)*) => {
        /// In the order in which the description shows them.
        pub const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            access: Access::$access,
            summary: $summary,
            body: concat!("", $($body)?),
            handler: |call| Box::pin($handler(call)),
        },)*];
    };
}

routes! {
    POST "/v1/items" Operate catalog::item_create, "Create an item", r#"{"sku":"MUG-RED","name":"Red mug","kind":"stocked","barcode":"4006381333931","unit_cost":{"amount":350,"currency":"USD"},"weight_grams":320,"backorder_cap":"unlimited","metadata":{}}"#;
    POST "/v1/items/bulk" Operate bulk::item_bulk, "Create many items, one JSON object a line", r#"{"sku":"MUG-RED","name":"Red mug","idempotency_key":"import-7/MUG-RED"}"#;
    GET "/v1/items" Read catalog::item_list, "List items";
    GET "/v1/items/{sku}" Read catalog::item_get, "One item";
    PUT "/v1/items/{sku}" Operate catalog::item_update, "Change an item", r#"{"name":"Red mug","kind":"stocked"}"#;
    POST "/v1/items/{sku}/retire" Operate catalog::item_retire, "Sell an item no more";
    POST "/v1/locations" Operate catalog::location_create, "Create a location", r#"{"code":"AUS","name":"Austin","address":{"line1":"1 Dock Rd","city":"Austin","region":"TX","country":"US"},"time_zone":"America/Chicago","cutoff_minute":900,"working_days":[0,1,2,3,4],"handling_days":1,"priority":1}"#;
    GET "/v1/locations" Read catalog::location_list, "List locations";
    GET "/v1/locations/{code}" Read catalog::location_get, "One location";
    PUT "/v1/locations/{code}" Operate catalog::location_update, "Change a location", r#"{"name":"Austin","address":{"country":"US"},"time_zone":"America/Chicago"}"#;
    POST "/v1/channels" Operate catalog::channel_create, "Create a channel", r#"{"code":"web","name":"Web shop","kind":"web","on_shortage":"reject","payment":{"timing":"capture_at_shipment","gateway":"test"}}"#;
    GET "/v1/channels" Read catalog::channel_list, "List channels";
    GET "/v1/channels/{code}" Read catalog::channel_get, "One channel";
    PUT "/v1/channels/{code}" Operate catalog::channel_update, "Change a channel", r#"{"name":"Web shop"}"#;
    GET "/v1/settings" Read catalog::settings_get, "Rules of the whole shop";
    PUT "/v1/settings" Administer catalog::settings_update, "Change rules of the whole shop", r#"{"complete_after_days":14,"promise_margin_days":1,"over_receipt_percent":0}"#;
    GET "/v1/stock" Read stock::level_list, "List stock levels";
    GET "/v1/stock/{sku}" Read stock::stock_get, "Levels of a SKU, now or as_of a sequence or time";
    GET "/v1/stock/{sku}/ledger" Read stock::ledger, "Every movement of a SKU with the level after it";
    GET "/v1/stock/{sku}/why" Read stock::why, "Why can't I sell this?";
    PUT "/v1/stock/{sku}/{location}/safety-stock" Operate stock::safety_stock, "Set the selling buffer of a level", r#"{"quantity":5}"#;
    GET "/v1/availability" Read stock::availability, "What a channel can sell of up to 500 SKUs";
    POST "/v1/receipts" Work stock::receipt_create, "Receive stock", r#"{"location":"AUS","reference":"ASN-7","lines":[{"sku":"MUG-RED","quantity":24}]}"#;
    POST "/v1/receipts/bulk" Work bulk::receipt_bulk, "Receive many times, one JSON object a line", r#"{"location":"AUS","reference":"ASN-7","lines":[{"sku":"MUG-RED","quantity":24}],"idempotency_key":"asn-7"}"#;
    GET "/v1/receipts" Read stock::receipt_list, "List receipts";
    GET "/v1/receipts/{id}" Read stock::receipt_get, "One receipt";
    POST "/v1/receipts/{id}/reverse" Work stock::receipt_reverse, "Undo a receipt", r#"{"reason":"wrong pallet"}"#;
    POST "/v1/adjustments" Work stock::adjustment_create, "Adjust stock", r#"{"location":"AUS","reason":"shrinkage","reference":"CC-114","lines":[{"sku":"MUG-RED","bucket":"on_hand","delta":-1,"if_quantity":4}]}"#;
    GET "/v1/adjustments" Read stock::adjustment_list, "List adjustments, newest first";
    GET "/v1/adjustments/{id}" Read stock::adjustment_get, "One adjustment";
    POST "/v1/adjustments/bulk" Work bulk::adjustment_bulk, "Adjust stock many times, one JSON object a line", r#"{"location":"AUS","reason":"reconciliation","lines":[{"sku":"MUG-RED","delta":-1}],"idempotency_key":"count-114/MUG-RED"}"#;
    POST "/v1/moves" Work stock::move_create, "Move units between sellable and unavailable", r#"{"location":"AUS","from":"on_hand","to":"damaged","lines":[{"sku":"MUG-RED","quantity":1}]}"#;
    POST "/v1/holds" Sell holds::hold_create, "Hold stock for a cart", r#"{"owner":"cart_9","channel":"web","ttl_seconds":900,"lines":[{"sku":"MUG-RED","quantity":1}]}"#;
    GET "/v1/holds" Read holds::hold_list, "List holds";
    GET "/v1/holds/{id}" Read holds::hold_get, "One hold";
    POST "/v1/holds/{id}/extend" Sell holds::hold_extend, "Extend a hold from now", r#"{"ttl_seconds":900}"#;
    POST "/v1/holds/{id}/release" Sell holds::hold_release, "Release a hold";
    POST "/v1/orders" Sell orders::order_place, "Place an order", r#"{"channel":"web","external_id":"W-10045","currency":"USD","on_shortage":"split","customer":{"email":"ada@example.com","name":"Ada"},"ship_to":{"name":"Ada","line1":"1 Main St","city":"Austin","region":"TX","postal_code":"78701","country":"US"},"lines":[{"sku":"MUG-RED","quantity":3,"unit_price":1200,"tax":297,"total":3897}],"charges":[{"kind":"shipping","amount":500,"tax":41,"total":541}],"total":4438}"#;
    POST "/v1/orders/bulk" Sell bulk::order_bulk, "Place many orders, one JSON object a line", r#"{"channel":"web","external_id":"W-10045","currency":"USD","lines":[{"sku":"MUG-RED","quantity":3,"unit_price":1200}],"idempotency_key":"W-10045"}"#;
    GET "/v1/orders" Read orders::order_list, "List orders";
    POST "/v1/orders/preview" Sell orders::order_preview, "What placing would come to; nothing is written", r#"{"channel":"web","currency":"USD","lines":[{"sku":"MUG-RED","quantity":3,"unit_price":1200}]}"#;
    GET "/v1/orders/{id}" Read orders::order_get, "One order, now or as_of a sequence";
    GET "/v1/orders/{id}/timeline" Read orders::timeline, "Every event of an order with its cause";
    POST "/v1/orders/{id}/hold" Operate orders::order_hold, "Hold an order", r#"{"reason":"address check"}"#;
    POST "/v1/orders/{id}/release" Operate orders::order_release, "Release a held order";
    POST "/v1/orders/{id}/edit" Operate orders::order_edit, "Edit an order before picking", r#"{"lines":[{"id":"ol_1-1","quantity":2}],"add":[{"sku":"MUG-RED","quantity":1,"unit_price":1200}]}"#;
    POST "/v1/orders/{id}/source-again" Operate orders::order_source_again, "Move what waits to where sourcing would put it now";
    POST "/v1/orders/{id}/cancel" Sell orders::order_cancel, "Cancel an order or some units", r#"{"reason":"customer","lines":[{"id":"ol_1-1","quantity":1}]}"#;
    POST "/v1/orders/{id}/pay" Sell payments::pay, "Try to pay again", r#"{"token":"tok_visa"}"#;
    POST "/v1/orders/{id}/mark-paid" Operate payments::mark_paid, "Record a payment made elsewhere", r#"{"amount":4438,"reference":"bank 77"}"#;
    POST "/v1/orders/{id}/refunds" Operate payments::refund_create, "Refund lines, charges or an amount", r#"{"lines":[{"id":"ol_1-1","quantity":1}],"charges":0,"reason":"broken"}"#;
    POST "/v1/orders/{id}/refunds/preview" Operate payments::refund_preview, "What a refund would give back", r#"{"lines":[{"id":"ol_1-1","quantity":1}]}"#;
    GET "/v1/fulfillments" Read fulfillments::fulfillment_list, "List work of the warehouse";
    GET "/v1/fulfillments/{id}" Read fulfillments::fulfillment_get, "One fulfillment";
    POST "/v1/fulfillments/{id}/pick" Work fulfillments::pick, "Start to pick";
    POST "/v1/fulfillments/{id}/short-pick" Work fulfillments::short_pick, "Units were not found", r#"{"missing":[{"index":0,"quantity":1}]}"#;
    POST "/v1/fulfillments/{id}/pack" Work fulfillments::pack, "Pack";
    POST "/v1/fulfillments/{id}/ship" Work fulfillments::ship, "Ship", r#"{"carrier":"UPS","tracking_number":"1Z999","parcels":[{"weight_grams":900}]}"#;
    POST "/v1/fulfillments/{id}/deliver" Work fulfillments::deliver, "It arrived", r#"{"delivered_at":"2026-12-02T10:00:00.000Z"}"#;
    POST "/v1/fulfillments/{id}/cancel" Operate fulfillments::cancel, "Ask work back", r#"{"reason":"customer"}"#;
    POST "/v1/fulfillments/{id}/accept-cancel" Work fulfillments::accept_cancel, "The work is put back";
    POST "/v1/fulfillments/{id}/decline-cancel" Work fulfillments::decline_cancel, "Too late, it goes out", r#"{"reason":"on the truck"}"#;
    GET "/v1/payments" Read order_parts::payment_list, "List payments, newest order first";
    GET "/v1/payments/{id}" Read order_parts::payment_get, "One payment";
    GET "/v1/refunds" Read order_parts::refund_list, "List refunds, newest order first";
    GET "/v1/refunds/{id}" Read order_parts::refund_get, "One refund";
    GET "/v1/reports/sales" Read reports::sales, "What was placed, sold, shipped and delivered, by minute, hour or day";
    GET "/v1/reports/stock-value" Read reports::stock_value, "Units and value on hand, by location";
    POST "/v1/returns" Sell returns::return_create, "Request a return, or receive a blind one", r#"{"order":"ord_1","reason":"too small","lines":[{"id":"ol_1-1","quantity":1}]}"#;
    GET "/v1/returns" Read order_parts::return_list, "List returns, newest first, blind ones last";
    GET "/v1/returns/{id}" Read returns::return_get, "One return";
    POST "/v1/returns/{id}/approve" Operate returns::return_approve, "Approve a return";
    POST "/v1/returns/{id}/reject" Operate returns::return_reject, "Reject a return", r#"{"reason":"worn"}"#;
    POST "/v1/returns/{id}/receive" Work returns::return_receive, "Receive what came back", r#"{"location":"AUS","lines":[{"index":0,"quantity":1,"disposition":"restock"}]}"#;
    POST "/v1/returns/{id}/close" Work returns::return_close, "Close a return";
    POST "/v1/suppliers" Operate purchasing::supplier_create, "Create a supplier", r#"{"code":"ACME","name":"Acme Ltd","email":"orders@acme.example","lead_time_days":7,"currency":"USD","order_minimum":0,"auto":"send"}"#;
    GET "/v1/suppliers" Read purchasing::supplier_list, "List suppliers";
    GET "/v1/suppliers/{code}" Read purchasing::supplier_get, "One supplier";
    PUT "/v1/suppliers/{code}" Operate purchasing::supplier_update, "Change a supplier", r#"{"name":"Acme Ltd","currency":"USD"}"#;
    PUT "/v1/replenishment-policies" Operate purchasing::policy_set, "Set when and how much of a SKU is ordered", r#"{"sku":"MUG-RED","location":"AUS","supplier":"ACME","reorder_point":10,"order_up_to":60,"moq":12,"multiple":12,"unit_cost":350}"#;
    GET "/v1/replenishment-policies" Read purchasing::policy_list, "List replenishment policies";
    POST "/v1/replenishment-policies/{sku}/{location}/delete" Operate purchasing::policy_delete, "Order a SKU no more by itself";
    POST "/v1/purchase-orders" Operate purchasing::order_create, "Draft a purchase order", r#"{"supplier":"ACME","location":"AUS","lines":[{"sku":"MUG-RED","quantity":24,"unit_cost":350}]}"#;
    GET "/v1/purchase-orders" Read purchasing::order_list, "List purchase orders";
    GET "/v1/purchase-orders/{id}" Read purchasing::order_get, "One purchase order";
    POST "/v1/purchase-orders/{id}/amend" Operate purchasing::order_amend, "Change lines of a draft", r#"{"lines":[{"sku":"MUG-RED","quantity":36}]}"#;
    POST "/v1/purchase-orders/{id}/send" Operate purchasing::order_send, "Send a draft";
    POST "/v1/purchase-orders/{id}/acknowledge" Operate purchasing::order_acknowledge, "Confirmed, shipped (ASN) or late: dates and reference", r#"{"reference":"SO-88","lines":[{"sku":"MUG-RED","expected_on":"2026-12-03"}]}"#;
    POST "/v1/purchase-orders/{id}/receive" Work purchasing::order_receive, "Receive against a purchase order", r#"{"lines":[{"sku":"MUG-RED","accepted":22,"damaged":2}],"confirm_over_receipt":false}"#;
    POST "/v1/purchase-orders/{id}/close-short" Operate purchasing::order_close_short, "The rest is not coming";
    POST "/v1/purchase-orders/{id}/cancel" Operate purchasing::order_cancel, "Cancel before anything arrived", r#"{"reason":"wrong supplier"}"#;
    POST "/v1/transfers" Work transfers::transfer_create, "Draft a transfer between two locations", r#"{"from":"AUS","to":"BER","reference":"TR-7","expected_on":"2026-12-03","lines":[{"sku":"MUG-RED","quantity":24}]}"#;
    GET "/v1/transfers" Read transfers::transfer_list, "List transfers";
    GET "/v1/transfers/{id}" Read transfers::transfer_get, "One transfer";
    POST "/v1/transfers/{id}/amend" Work transfers::transfer_amend, "Change lines of a draft", r#"{"lines":[{"sku":"MUG-RED","quantity":36}],"expected_on":"2026-12-04"}"#;
    POST "/v1/transfers/{id}/ship" Work transfers::transfer_ship, "The units leave, all of the draft or what is named", r#"{"lines":[{"sku":"MUG-RED","quantity":24}],"expected_on":"2026-12-03","carrier":"DHL","tracking_number":"JD014"}"#;
    POST "/v1/transfers/{id}/receive" Work transfers::transfer_receive, "Receive a part or all of what is in transit", r#"{"lines":[{"sku":"MUG-RED","accepted":22,"damaged":1}]}"#;
    POST "/v1/transfers/{id}/close-lost" Operate transfers::transfer_close_lost, "The rest was lost on the way", r#"{"reason":"carrier lost a parcel"}"#;
    POST "/v1/transfers/{id}/cancel" Work transfers::transfer_cancel, "Cancel a draft", r#"{"reason":"not needed"}"#;
    POST "/v1/customers" Operate customers::customer_save, "Save a customer", r#"{"email":"ada@example.com","name":"Ada","channel":"web","external_id":"c_88"}"#;
    GET "/v1/customers" Operate customers::customer_list, "Find a customer by email, or by channel and external_id";
    GET "/v1/customers/{id}" Operate customers::customer_get, "One customer";
    POST "/v1/customers/{id}/merge" Operate customers::customer_merge, "Make two customers one", r#"{"into":"cus_2"}"#;
    PUT "/v1/customers/{id}/mail-preferences" Operate customers::mail_preferences_set, "What a customer does not want mail about", r#"{"opt_outs":["delivered"]}"#;
    POST "/v1/customers/{id}/erase" Administer customers::customer_erase, "Destroy the key to a customer's data, for good";
    POST "/v1/counts" Work counts::count_open, "Open a cycle count", r#"{"location":"AUS","skus":["MUG-RED"],"reference":"CC-114"}"#;
    GET "/v1/counts" Read counts::count_list, "List cycle counts";
    GET "/v1/counts/{id}" Read counts::count_get, "One cycle count";
    POST "/v1/counts/{id}/record" Work counts::count_record, "Record what is on the shelf", r#"{"lines":[{"sku":"MUG-RED","counted":7}]}"#;
    POST "/v1/counts/{id}/post" Work counts::count_post, "Post the variances as adjustments", r#"{"approve":false}"#;
    POST "/v1/counts/{id}/cancel" Work counts::count_cancel, "Count nothing after all";
    POST "/v1/notifications/{id}/resend" Operate notifications::resend, "Send a mail again that failed or is in doubt";
    POST "/v1/purchase-orders/{id}/dispatch" Operate notifications::dispatch, "Send a purchase order to its supplier again";
    GET "/v1/mail/preview" Operate notifications::preview, "What a mail about a topic looks like";
    GET "/v1/alerts" Read alerts::alert_list, "What a person should look at";
    POST "/v1/alerts/{id}/acknowledge" Work alerts::alert_acknowledge, "Somebody looks at it";
    GET "/v1/events" Read events::pull, "Events after a sequence; waits when asked to";
    POST "/v1/events" Follow events_in::take, "Take CloudEvents that ask for something: one or a batch, with a result each", r#"{"specversion":"1.0","id":"a-17","source":"/erp","type":"quartermaster.stock.receive.v1","data":{"location":"AUS","lines":[{"sku":"MUG-RED","quantity":24}]}}"#;
    GET "/v1/events/stream" Read events::stream, "Events as they happen (SSE, Last-Event-ID)";
    POST "/v1/subscriptions" Operate subscriptions::subscription_create, "Subscribe: pull, sse or webhook, from the beginning, now, a time or a sequence", r#"{"name":"ERP","kind":"webhook","filter":{"types":["order.*","stock.adjusted"],"subjects":[],"channels":["web"]},"webhook":{"url":"https://erp.example/events","concurrency":4,"timeout_ms":15000},"personal_data":false,"history":false,"start":"now"}"#;
    GET "/v1/subscriptions" Read subscriptions::subscription_list, "List subscriptions with cursor and lag";
    GET "/v1/subscriptions/{id}" Read subscriptions::subscription_get, "One subscription";
    PUT "/v1/subscriptions/{id}" Operate subscriptions::subscription_update, "Replace name, filter and settings", r#"{"name":"ERP","filter":{"types":["order.*"],"subjects":[],"channels":[]},"webhook":{"url":"https://erp.example/events"},"personal_data":false,"history":false}"#;
    POST "/v1/subscriptions/{id}/pause" Operate subscriptions::subscription_pause, "Stop; the cursor waits", r#"{"reason":"maintenance"}"#;
    POST "/v1/subscriptions/{id}/resume" Operate subscriptions::subscription_resume, "Go on from the cursor";
    POST "/v1/subscriptions/{id}/delete" Operate subscriptions::subscription_delete, "End a subscription";
    POST "/v1/subscriptions/{id}/rewind" Operate subscriptions::subscription_rewind, "Move the cursor: beginning, now, a time, a sequence", r#"{"to":"2026-11-24T09:30:00Z"}"#;
    POST "/v1/subscriptions/{id}/rotate-secret" Operate subscriptions::subscription_rotate, "A new secret; the old one signs along for a while", r#"{"overlap_seconds":86400}"#;
    GET "/v1/subscriptions/{id}/events" Read subscriptions::fetch, "What comes after the cursor; waits when asked to";
    POST "/v1/subscriptions/{id}/ack" Follow subscriptions::ack, "All up to this event is dealt with", r#"{"cursor":"1-4821"}"#;
    GET "/v1/subscriptions/{id}/stream" Read subscriptions::stream, "A stream of one's own (SSE); what has left moves the cursor";
    POST "/v1/subscriptions/{id}/test" Operate subscriptions::test_send, "Call the endpoint once with a test event, and tell what it answered";
    POST "/v1/subscriptions/{id}/backfill" Operate subscriptions::backfill, "Deliver a range beside the live cursor", r#"{"from":"2026-11-24T09:30:00Z","to":"now"}"#;
    POST "/v1/subscriptions/{id}/redeliver" Operate subscriptions::redeliver, "Deliver again: one event, a range, or all that is parked", r#"{"sequence":"1-4821"}"#;
    GET "/v1/subscriptions/{id}/attempts" Read subscriptions::attempts, "Calls of the last 14 days with the first kilobyte of each answer";
    GET "/v1/subscriptions/{id}/dead-letters" Read subscriptions::dead_letters, "Events that could not be delivered, with their subjects waiting";
    POST "/v1/subscriptions/{id}/dead-letters/{sequence}/discard" Operate subscriptions::discard, "Leave an event; its subject goes on";
    POST "/v1/keys" Administer keys::key_create, "Create a key; its secret is shown once", r#"{"name":"web shop","role":"storefront"}"#;
    GET "/v1/keys" Administer keys::key_list, "List keys";
    POST "/v1/keys/{id}/revoke" Administer keys::key_revoke, "End a key";
    POST "/v1/keys/{id}/rotate" Administer keys::key_rotate, "A new secret for a key";
}
