//! Notifications: which mail a customer is to get, and what became of each.
//!
//! Mail tells what happened, so this room looks at events, unlike the others: during a transaction it notes what a customer should
//! hear of, and when everything is quiet it asks for one mail about all of it. Where a channel has no mail, nothing is noted.
mod apply;
mod decide;
mod react;
mod state;

pub(crate) use apply::{apply, fold};
pub use decide::decide;
pub(crate) use decide::short;
pub(crate) use react::{note, request};
pub use state::*;
