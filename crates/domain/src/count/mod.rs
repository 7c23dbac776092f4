//! Cycle counts: opened, recorded, posted as adjustments.
mod apply;
mod decide;
mod state;

pub(crate) use apply::{apply, index};
pub use decide::decide;
pub use state::*;
