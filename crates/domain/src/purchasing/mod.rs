//! Purchasing: suppliers, purchase orders, and policies that order by themselves.
mod apply;
mod decide;
mod dispatch;
mod import;
mod react;
mod state;

pub(crate) use apply::{apply, index, timer};
pub use decide::decide;
pub(crate) use dispatch::{dispatch_again, dispatch_of, dispatch_recorded};
pub(crate) use react::{auto_of, due, needed, react, react_draft, triggered, wanting};
pub use state::*;
