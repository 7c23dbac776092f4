//! What the shop sells, where it keeps it, and through which channels it sells.
mod apply;
mod decide;
mod state;

pub(crate) use apply::apply;
pub(crate) use decide::check_version;
pub use decide::decide;
pub use state::*;
