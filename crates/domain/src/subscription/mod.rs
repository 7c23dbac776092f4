//! Subscriptions: who outside hears what. Where each stands (its cursor) is no rule: the engine keeps it beside State.
mod apply;
mod decide;
mod state;

pub(crate) use apply::apply;
pub use decide::decide;
pub use state::*;
