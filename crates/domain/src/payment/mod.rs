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
pub use react::AUTHORIZATION_EXPIRED;
pub(crate) use react::{authorization_expired, authorization_expiring, effects_stuck, is_asked, react, waits_for_a_person};
pub use refund::{RefundPreview, preview_refund};
pub use state::*;
