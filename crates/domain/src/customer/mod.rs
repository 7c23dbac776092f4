//! Customers: saved, merged, erased. What is personal about them is sealed before it comes here.
mod apply;
mod decide;
mod state;

pub(crate) use apply::apply;
pub use decide::decide;
pub use state::*;
