//! Every page and action with who may use it; the router, the navigation's refusals and the tests of both are made from this table.

use super::orders::{self, actions, bulk};
use super::visit::Visit;
use super::{Answer, alerts, events, more, overview};
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
    GET "/returns/{id}/{step}" Work actions::return_step_form;
    POST "/returns/{id}/{step}" Work actions::return_step_do;
    GET "/alerts" Read alerts::page;
    GET "/alerts/{id}/acknowledge" Work alerts::acknowledge_form;
    POST "/alerts/{id}/acknowledge" Work alerts::acknowledge_do;
    GET "/events" Read events::page;
    GET "/events/{seq}" Read events::one;
}
