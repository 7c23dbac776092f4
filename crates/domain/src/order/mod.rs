//! Orders: placed, edited, held, canceled, completed. The room also folds the case as a whole.
mod apply;
mod cancel;
mod decide;
mod edit;
mod index;
mod place;
mod promise;
mod react;
mod sourcing;
mod state;

pub(crate) use apply::apply;
pub use apply::fold;
pub use cancel::cancelable;
pub(crate) use cancel::{cancel_units, canceled, free_units};
pub use decide::decide;
pub use index::Claims;
pub use place::preview;
pub(crate) use react::{due, react, react_level};
pub(crate) use sourcing::{kept_back, locations};
pub use state::*;
