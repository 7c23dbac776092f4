//! Returns: asked for, approved, received, closed; with an order or blind.
mod apply;
mod decide;
mod state;

pub(crate) use apply::{apply, fold};
pub use decide::decide;
pub use state::*;
