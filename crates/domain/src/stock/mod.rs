//! Stock levels, holds and receipts.
mod adjust;
mod apply;
mod decide;
mod hold;
mod index;
mod movements;
mod query;
mod react;
mod state;
mod take;

pub use adjust::OPENING_BALANCE;
pub(crate) use apply::{apply, expect, take_back};
pub use decide::decide;
pub(crate) use decide::{check_expected, check_place, check_room};
pub use movements::{Movement, MovementKind, movements};
pub use query::{Reason, Sellable, sellable, why_not};
pub(crate) use react::{due, react};
pub use state::*;
pub(crate) use take::take_all;
