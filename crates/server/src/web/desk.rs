//! From the table of pages to a service: sessions, forms that must be ours, and headers around every page.

use super::fault::Fault;
use super::fields::Fields;
use super::pages::{PAGES, Page};
use super::session::{COOKIE, Session, Sessions};
use super::visit::{self, Visit};
use super::{assets, live, sign_in};
use crate::shop::Shop;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use domain::id::KeyId;
use http_body_util::{BodyExt, Limited};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Largest form, in bytes.
const FORM_BYTES_MAX: usize = 256 * 1024;
/// Most live connections at once.
const LIVE_MAX: usize = 1000;

/// Scripts, styles and connections from here only; nothing inline, no frame around us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What all pages share.
pub struct Desk {
    pub shop: Arc<Shop>,
    pub sessions: Sessions,
    pub live: Arc<Semaphore>,
    /// Told when the server stops, so that live connections end at once.
    pub closing: watch::Sender<bool>,
}

impl Desk {
    /// # Errors
    /// When the sessions cannot be read.
    pub fn open(shop: Arc<Shop>, folder: &std::path::Path) -> rusqlite::Result<Arc<Self>> {
        let (sessions, closing) = (Sessions::open(folder)?, watch::Sender::new(false));
        Ok(Arc::new(Self { shop, sessions, live: Arc::new(Semaphore::new(LIVE_MAX)), closing }))
    }

    /// The path of a link that signs in once, as the first admin key that is not revoked.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn sign_in_link(&self) -> rusqlite::Result<Option<String>> {
        let keys = self.shop.keys.list();
        let admin = keys.iter().find(|key| key.role == crate::keys::Role::Admin && key.revoked_at.is_none());
        admin.map(|key| self.link_for(key.id)).transpose()
    }

    fn link_for(&self, key: KeyId) -> rusqlite::Result<String> {
        Ok(format!("/sign-in/{}", self.sessions.link(key)?))
    }
}

/// The dashboard, to be merged with the API.
pub fn router(desk: Arc<Desk>) -> Router {
    let mut paths: Vec<(&str, MethodRouter<Arc<Desk>>)> = Vec::new();
    for page in PAGES {
        let handle = move |State(desk), segments, request| handle(desk, page, segments, request);
        let route = if page.method == "POST" { post(handle) } else { get(handle) };
        match paths.iter_mut().find(|(path, _)| *path == page.path) {
            Some((_, methods)) => *methods = std::mem::take(methods).merge(route),
            None => paths.push((page.path, route)),
        }
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(path, methods);
    }
    router
        .route("/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/sign-in/{link}", get(sign_in::follow))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/live", get(live::live))
        .route("/assets/{version}/{name}", get(assets::asset))
        .with_state(desk)
}

/// The session that a request belongs to.
pub fn session_of(desk: &Desk, headers: &HeaderMap) -> Option<Session> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == COOKIE)?;
    desk.sessions.find(&desk.shop.keys, secret)
}

async fn handle(desk: Arc<Desk>, page: &'static Page, segments: Path<HashMap<String, String>>, request: Request) -> Response {
    let started = std::time::Instant::now();
    let response = answer(desk, page, segments.0, request).await;
    metrics::histogram!("quartermaster_page_seconds", "page" => page.path, "method" => page.method).record(started.elapsed().as_secs_f64());
    response
}

async fn answer(desk: Arc<Desk>, page: &'static Page, segments: HashMap<String, String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(session) = session_of(&desk, &parts.headers) else { return ask_to_sign_in(&parts.uri, page.method, &parts.headers) };
    let form = match read_form(page, body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let visit = Visit::new(desk, session, &parts, segments, form);
    let failed = visit.frame_of_fault();
    match run(page, visit).await {
        Ok(response) => response,
        Err(fault) => visit::fault_page(failed, &fault),
    }
}

async fn run(page: &'static Page, visit: Visit) -> Result<Response, Fault> {
    let role = visit.session.key.role;
    if !page.access.roles().contains(&role) {
        let needed: Vec<String> = page.access.roles().iter().map(|role| role.as_str().replace('_', "-")).collect();
        return Err(Fault::forbidden(role, &format!("one of: {}", needed.join(", "))));
    }
    if page.method == "POST" && !visit.is_own_form() {
        return Err(Fault::foreign_form());
    }
    let durable = visit.desk.shop.engine.durable();
    visit.desk.shop.mirror.reached(durable).await;
    (page.handler)(visit).await
}

async fn read_form(page: &Page, body: Body) -> Result<Fields, Response> {
    if page.method != "POST" {
        return Ok(Fields::default());
    }
    match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(collected) => Ok(Fields::parse(&collected.to_bytes())),
        Err(_) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
    }
}

/// A page is asked for again after the sign-in; the script is told plainly.
fn ask_to_sign_in(uri: &axum::http::Uri, method: &str, headers: &HeaderMap) -> Response {
    if headers.contains_key("x-live") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let back = uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
    // A form that was sent: back to the page that it stood on, and nothing was done.
    let (back, ended) =
        if method == "GET" { (back.to_owned(), "") } else { (referrer(headers).unwrap_or_else(|| "/".to_owned()), "&ended=1") };
    let plain = back == "/" && ended.is_empty();
    let to = if plain { "/sign-in".to_owned() } else { format!("/sign-in?next={}{ended}", super::fields::encode(&back)) };
    Redirect::to(&to).into_response()
}

/// Path and query of the page that a form stood on.
fn referrer(headers: &HeaderMap) -> Option<String> {
    let uri: axum::http::Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    Some(uri.path_and_query()?.as_str().to_owned())
}

/// The headers of every page.
pub fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
