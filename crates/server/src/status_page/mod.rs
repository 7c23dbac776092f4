//! The page on which a customer sees an order, opened by a signed link and without a login: current to the second, with a way to cancel.
//!
//! The link is the only key. It leads to one order, runs out, and tells nothing about any other; reading never changes anything, so that
//! a mail scanner that follows links does no harm.

mod gate;
mod view;

use crate::shop::Shop;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::Image;
use domain::command::order::Command;
use domain::id::OrderId;
use domain::order::{Case, OrderStatus};
use engine::Reply;
use gate::Gate;
use serde::Deserialize;
use std::sync::Arc;

/// Largest form that is read, in bytes.
const FORM_BYTES_MAX: usize = 1024;
const STYLE: &str = include_str!("style.css");
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-robots-tag", "noindex, nofollow"),
    ("cache-control", "no-store"),
];

struct Desk {
    shop: Arc<Shop>,
    gate: Gate,
}

/// `/status/{token}` and what belongs to it.
pub fn router(shop: Arc<Shop>) -> Router {
    let desk = Arc::new(Desk { shop, gate: Gate::default() });
    Router::new()
        .route("/status/style.css", get(style))
        .route("/status/{token}", get(order))
        .route("/status/{token}/cancel", get(ask).post(cancel))
        .layer(axum::extract::DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(desk)
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")], STYLE).into_response()
}

fn page(status: StatusCode, html: String) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[derive(Deserialize)]
struct Notice {
    done: Option<String>,
}

impl Desk {
    /// The order of a link, while its customer is known.
    async fn open(&self, token: &str) -> Result<Arc<Case>, Box<Response>> {
        let order = self.shop.status_links.order(token, self.shop.now());
        if !self.gate.lets(order) {
            let html = view::problem(&self.shop, "too_many", "too_many");
            let mut response = page(StatusCode::TOO_MANY_REQUESTS, html);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            return Err(Box::new(response));
        }
        let dead = || Box::new(page(StatusCode::NOT_FOUND, view::problem(&self.shop, "link_dead", "link_dead_explain")));
        let id: OrderId = order.ok_or_else(dead)?;
        let case = self.shop.read(move |reader| reader.case(id)).await.ok().flatten().ok_or_else(dead)?;
        if view::is_erased(&self.shop, &case) { Err(dead()) } else { Ok(case) }
    }
}

async fn order(State(desk): State<Arc<Desk>>, Path(token): Path<String>, Query(notice): Query<Notice>) -> Response {
    match desk.open(&token).await {
        Ok(case) => page(StatusCode::OK, view::order(&desk.shop, &case, &token, notice.done.as_deref()).await),
        Err(response) => *response,
    }
}

/// Asks before anything is canceled.
async fn ask(State(desk): State<Arc<Desk>>, Path(token): Path<String>) -> Response {
    match desk.open(&token).await {
        Ok(case) => page(StatusCode::OK, view::question(&desk.shop, &case, &token).await),
        Err(response) => *response,
    }
}

async fn cancel(State(desk): State<Arc<Desk>>, Path(token): Path<String>, form: axum::body::Bytes) -> Response {
    let case = match desk.open(&token).await {
        Ok(case) => case,
        Err(response) => return *response,
    };
    // As the customer saw the order: what has changed since is looked at again.
    let Some(version) = version(&form) else {
        return page(StatusCode::BAD_REQUEST, view::problem(&desk.shop, "link_dead", "cancel_late"));
    };
    let (order, reason, lines) = (case.order.id, "customer".into(), Vec::new());
    let command = Command::CancelOrder { order, reason, lines, expected_version: Some(version) };
    let done = match desk.shop.submit(command.into(), "customer".to_owned(), None).await {
        Ok(Reply::Done { images, .. }) => {
            let off = images.iter().any(|image| match image {
                Image::Case(_, Some(case)) => case.order.status == OrderStatus::Canceled,
                _ => false,
            });
            if off { "canceled" } else { "asked" }
        }
        // Changed meanwhile, closed meanwhile, or not taken: the page shows how the order stands.
        Ok(Reply::Refused { .. } | Reply::KeyReused | Reply::OutcomeUnknown | Reply::NoSpace) | Err(_) => "late",
    };
    Redirect::to(&format!("/status/{token}?done={done}")).into_response()
}

/// `version=3`, the form's one field.
fn version(form: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(form).ok()?;
    text.split('&').find_map(|field| field.strip_prefix("version="))?.parse().ok()
}
