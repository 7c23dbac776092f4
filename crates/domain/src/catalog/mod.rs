//! What the shop sells, where it keeps it, and through which channels it sells.
mod apply;
mod decide;
mod state;

pub(crate) use apply::apply;
pub use decide::decide;
pub(crate) use decide::{check_address, check_amount, check_metadata, check_version, is_web_address};
pub use state::*;
