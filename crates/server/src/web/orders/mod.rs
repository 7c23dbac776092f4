//! Orders: the list with its filters, one order with its story, and what may be done to them.

pub mod actions;
pub mod bulk;
pub mod export;
mod list;
pub mod one;

pub use list::page;

use super::visit::Visit;
use domain::order::Case;
use serde_json::Value;

/// Name of the customer, for those who may see it.
pub fn customer(visit: &Visit, case: &Case) -> String {
    let details = case.order.customer.as_ref().and_then(|buyer| buyer.details.as_ref());
    let opened = details.and_then(|sealed| visit.shop().vault.open_sealed::<Value>(sealed));
    let text = |name: &str| opened.as_ref().and_then(|details| details[name].as_str()).map(str::to_owned);
    text("name").or_else(|| text("email")).unwrap_or_default()
}
