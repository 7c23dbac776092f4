//! Payments: asked of gateways, recorded from what they answered.
mod apply;
mod decide;
mod query;
mod react;
mod refund;
mod state;

pub(crate) use apply::{apply, effect_of};
pub use decide::decide;
pub use query::{authorized, balance_due, captured, refunded};
pub(crate) use query::{is_secured, status};
pub(crate) use react::{authorization_expired, react};
pub use refund::{RefundPreview, preview_refund};
pub use state::*;
