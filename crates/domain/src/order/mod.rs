//! Orders: placed, edited, held, canceled, completed. The room also folds the case as a whole.
mod apply;
mod cancel;
mod check;
mod decide;
mod edit;
mod index;
mod place;
mod promise;
mod react;
mod resource;
mod sourcing;
mod state;

pub(crate) use apply::apply;
pub use apply::fold;
pub use cancel::cancelable;
pub(crate) use cancel::{cancel_units, canceled, free_units};
pub use decide::decide;
pub(crate) use decide::hold_open as hold;
pub(crate) use index::first_timer;
pub use index::{ClaimKey, Claims};
pub use place::preview;
pub(crate) use react::{Stretch, due, promise_waiting, promised_up_to, react, updated};
pub use resource::ITEM_RETIRED;
pub(crate) use sourcing::{kept_back, locations};
pub use state::*;
