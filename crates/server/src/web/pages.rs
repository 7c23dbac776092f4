//! Every page and action with who may use it; the router, the navigation's refusals and the tests of both are made from this table.

use super::orders::{self, actions, bulk};
use super::settings::{keys, places};
use super::stock::{self, actions as on_stock, policy};
use super::visit::Visit;
use super::{Answer, alerts, events, fulfillment, more, overview, purchasing, returns, settings, subscriptions};
use crate::http::Access;
use std::future::Future;
use std::pin::Pin;

pub type Handled = Pin<Box<dyn Future<Output = Answer> + Send>>;

pub struct Page {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    pub handler: fn(Visit) -> Handled,
}

macro_rules! pages {
    ($($method:ident $path:literal $access:ident $handler:path;)*) => {
        pub const PAGES: &[Page] = &[$(Page {
            method: stringify!($method),
            path: $path,
            access: Access::$access,
            handler: |visit| Box::pin($handler(visit)),
        },)*];
    };
}

pages! {
    GET "/" Read overview::page;
    GET "/more" Read more::page;
    GET "/orders" Read orders::page;
    GET "/orders.csv" Operate orders::export::csv;
    GET "/orders/bulk" Operate bulk::ask;
    POST "/orders/bulk" Operate bulk::act;
    GET "/orders/{id}" Read orders::one::page;
    GET "/orders/{id}/hold" Operate actions::hold_form;
    POST "/orders/{id}/hold" Operate actions::hold_do;
    GET "/orders/{id}/release" Operate actions::release_form;
    POST "/orders/{id}/release" Operate actions::release_do;
    GET "/orders/{id}/edit" Operate actions::edit_form;
    POST "/orders/{id}/edit" Operate actions::edit_do;
    GET "/orders/{id}/cancel" Sell actions::cancel_form;
    POST "/orders/{id}/cancel" Sell actions::cancel_do;
    GET "/orders/{id}/refund" Operate actions::refund_form;
    POST "/orders/{id}/refund" Operate actions::refund_do;
    GET "/orders/{id}/pay" Sell actions::pay_form;
    POST "/orders/{id}/pay" Sell actions::pay_do;
    GET "/orders/{id}/mark-paid" Operate actions::mark_paid_form;
    POST "/orders/{id}/mark-paid" Operate actions::mark_paid_do;
    GET "/orders/{id}/return" Sell actions::return_form;
    POST "/orders/{id}/return" Sell actions::return_do;
    GET "/returns" Read returns::page;
    GET "/returns/{id}/{step}" Work actions::return_step_form;
    POST "/returns/{id}/{step}" Work actions::return_step_do;
    GET "/stock" Read stock::page;
    GET "/stock-receive" Work on_stock::receive_any;
    GET "/stock/{sku}" Read stock::one::page;
    GET "/stock/{sku}/receive" Work on_stock::receive_form;
    POST "/stock/{sku}/receive" Work on_stock::receive_do;
    GET "/stock/{sku}/adjust" Work on_stock::adjust_form;
    POST "/stock/{sku}/adjust" Work on_stock::adjust_do;
    GET "/stock/{sku}/move" Work on_stock::move_form;
    POST "/stock/{sku}/move" Work on_stock::move_do;
    GET "/stock/{sku}/count" Work on_stock::count_form;
    POST "/stock/{sku}/count" Work on_stock::count_do;
    GET "/stock/{sku}/safety-stock" Operate on_stock::safety_form;
    POST "/stock/{sku}/safety-stock" Operate on_stock::safety_do;
    GET "/stock/{sku}/policy" Operate policy::edit_form;
    POST "/stock/{sku}/policy" Operate policy::edit_do;
    GET "/stock/{sku}/transfer" Work stock::transfers::new_form;
    POST "/stock/{sku}/transfer" Work stock::transfers::new_do;
    GET "/transfers/{id}" Read stock::transfers::page;
    GET "/transfers/{id}/{step}" Work stock::transfers::form;
    POST "/transfers/{id}/{step}" Work stock::transfers::act;
    GET "/counts/{id}" Read stock::counts::page;
    GET "/counts/{id}/{step}" Work stock::counts::form;
    POST "/counts/{id}/{step}" Work stock::counts::act;
    GET "/replenishment" Read purchasing::page;
    GET "/purchase-orders/new" Operate purchasing::actions::new_form;
    POST "/purchase-orders/new" Operate purchasing::actions::new_do;
    GET "/purchase-orders/{id}" Read purchasing::one::page;
    GET "/purchase-orders/{id}/{step}" Work purchasing::actions::form;
    POST "/purchase-orders/{id}/{step}" Work purchasing::actions::act;
    GET "/fulfillment" Read fulfillment::page;
    GET "/fulfillment/pick-list" Read fulfillment::paper::pick_list;
    GET "/fulfillment/{id}" Read fulfillment::work::page;
    GET "/fulfillment/{id}/packing-slip" Work fulfillment::paper::packing_slip;
    GET "/fulfillment/{id}/{step}" Work fulfillment::actions::form;
    POST "/fulfillment/{id}/{step}" Work fulfillment::actions::act;
    GET "/subscriptions" Read subscriptions::page;
    GET "/subscriptions/{id}" Read subscriptions::one::page;
    GET "/subscriptions/{id}/{step}" Operate subscriptions::steps::form;
    POST "/subscriptions/{id}/{step}" Operate subscriptions::steps::act;
    GET "/settings" Read settings::page;
    GET "/settings/rules" Administer places::rules_form;
    POST "/settings/rules" Administer places::rules_do;
    GET "/settings/locations/{code}" Operate places::location_form;
    POST "/settings/locations/{code}" Operate places::location_do;
    GET "/settings/channels/{code}" Operate places::channel_form;
    POST "/settings/channels/{code}" Operate places::channel_do;
    GET "/settings/mails" Read settings::mail::page;
    GET "/settings/mails/html" Read settings::mail::html;
    GET "/settings/keys/new" Administer keys::new_form;
    POST "/settings/keys/new" Administer keys::new_do;
    GET "/settings/keys/{id}/end" Administer keys::end_ask;
    POST "/settings/keys/{id}/end" Administer keys::end_do;
    GET "/alerts" Read alerts::page;
    GET "/alerts/acknowledge" Work alerts::acknowledge_all_form;
    POST "/alerts/acknowledge" Work alerts::acknowledge_all_do;
    GET "/alerts/{id}/acknowledge" Work alerts::acknowledge_form;
    POST "/alerts/{id}/acknowledge" Work alerts::acknowledge_do;
    GET "/events" Read events::page;
    GET "/events/{seq}" Read events::one;
}
