//! Transfers: units on their way from one location to another.
mod apply;
mod decide;
mod react;
mod state;

pub(crate) use apply::{apply, index, timer};
pub use decide::decide;
pub(crate) use react::{due, react, react_source};
pub use state::*;
