//! Our API: one file a resource. A table of routes is the only place that says who may do what.

mod alerts;
mod bulk;
pub mod call;
mod catalog;
mod counts;
mod customers;
mod events;
mod events_in;
mod expand;
mod fulfillments;
mod holds;
mod keys;
mod meters;
mod notifications;
mod openapi;
mod order_parts;
mod order_view;
mod orders;
mod payments;
mod problem;
mod purchasing;
mod rate;
mod reports;
mod returns;
mod router;
mod routes;
mod stock;
mod subscriptions;
mod transfers;

pub use openapi::{ASYNCAPI, document as openapi};
pub use order_view::{order_view, order_view_sealed};
pub use orders::OrderBody;
pub use problem::Problem;
pub use rate::Rate;
pub use router::{Limits, router, router_of};
pub use routes::{Access, ROUTES, Route};
