//! The dashboard: pages for people, live, from durable state alone.
//!
//! # How a page is added
//!
//! 1. A file here with `pub async fn page(visit: Visit) -> Answer`, and a template beside it in `templates/` that extends
//!    `layout.html`. The template's struct has a field `frame`, made by [`visit::Visit::frame`] with the page's title, its place in the
//!    navigation, and the words that it waits for (`order/ord_1 stock alert`, see [`mirror`]): when one of them changes, the page's
//!    script fetches the same address again and morphs what differs. Nothing else is needed to be live.
//! 2. A line in `pages.rs`: method, path, who may. Navigation, refusals and the tests of both follow from it.
//! 3. An action is a pair: `GET …/cancel` shows a [`form::Form`] that says what it will do (its fields come back in the query, so the
//!    preview follows the input), `POST …/cancel` submits the same command as the API and goes back with a note
//!    ([`visit::Visit::done`]). A refusal shows the form again. Links with `data-dialog` open such a page in a dialog.
//!
//! Data comes from `visit.now()` (the [`mirror`]: catalog, levels, pipeline; no file is read) or `visit.read` (orders, ledger, events).
//! Texts that appear everywhere (money, ages, badges) are in [`show`]; components in `templates/parts.html` and `assets/app.css`.
//! No inline script or style: the policy forbids both. Bars and charts are SVG, sized by attributes.

mod alerts;
mod assets;
mod desk;
mod events;
mod fault;
mod fields;
mod foresee;
mod form;
mod fulfillment;
mod live;
mod mirror;
mod more;
mod nowhere;
mod orders;
mod overview;
mod pages;
mod purchasing;
mod returns;
mod session;
mod settings;
mod show;
mod sign_in;
mod stock;
mod subscriptions;
mod tell;
mod visit;

pub use desk::{Desk, router};
pub use mirror::Mirror;
pub use nowhere::nowhere;
pub use pages::{PAGES, Page};
pub use session::COOKIE;

use axum::response::Response;
use fault::Fault;

/// What a page gives.
type Answer = Result<Response, Fault>;
