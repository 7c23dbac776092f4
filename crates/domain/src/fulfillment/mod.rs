//! Fulfillment: pick, pack and ship for one location.
mod apply;
mod decide;
mod react;
mod state;

pub(crate) use apply::{apply, status};
pub use decide::decide;
pub(crate) use react::react;
pub use state::*;
