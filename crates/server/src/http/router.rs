//! From the table of routes to a service: keys, limits, request ids and logs around every handler.

use super::call::{Answer, Call};
use super::meters::{Meter, Upkeep};
use super::rate::{Buckets, Rate};
use super::routes::{ROUTES, Route};
use super::{Problem, expand, openapi, problem};
use crate::shop::Shop;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any, get, on};
use http_body_util::{BodyExt, Limited};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Bounds around every request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub body_bytes_max: usize,
    /// Of NDJSON, many bodies at once.
    pub bulk_bytes_max: usize,
    pub time: Duration,
    /// Of each key; `None` leaves them free.
    pub rate: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 << 20,
            bulk_bytes_max: super::bulk::BULK_BYTES_MAX,
            time: Duration::from_secs(30),
            rate: Some(Rate::default()),
        }
    }
}

struct Edge {
    shop: Arc<Shop>,
    limits: Limits,
    buckets: Option<Buckets>,
    requests: AtomicU64,
    metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
    upkeep: Upkeep,
}

/// The whole API, with `/healthz`, `/readyz`, `/metrics` and `/docs`.
pub fn router(shop: Arc<Shop>, limits: Limits, metrics: Option<metrics_exporter_prometheus::PrometheusHandle>) -> Router {
    router_of(ROUTES, shop, limits, metrics)
}

/// As [`router`], of another table: what a request costs by itself is measured with one.
pub fn router_of(
    routes: &'static [Route],
    shop: Arc<Shop>,
    limits: Limits,
    metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
) -> Router {
    let status_page = crate::status_page::router(shop.clone());
    let buckets = limits.rate.map(Buckets::new);
    let edge = Arc::new(Edge { shop, limits, buckets, requests: AtomicU64::new(1), metrics, upkeep: Upkeep::default() });
    let mut paths: Vec<(&str, MethodRouter<Arc<Edge>>)> = Vec::new();
    for route in routes {
        let method = method_of(route);
        let meter = Arc::new(Meter::new(route));
        let handle = move |State(edge): State<Arc<Edge>>, request| handle(edge, route, meter.clone(), request);
        let filter = MethodFilter::try_from(method).expect("the table names known methods");
        match paths.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, methods)) => *methods = std::mem::take(methods).on(filter, handle),
            None => paths.push((route.path, on(filter, handle))),
        }
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(path, methods.fallback(wrong_method));
    }
    let docs = utoipa_swagger_ui::SwaggerUi::new("/docs").external_url_unchecked("/docs/openapi.json", openapi());
    router
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_text))
        .route("/docs/asyncapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], super::ASYNCAPI)))
        .route("/problems/{code}", get(problem_page))
        .merge(docs)
        .fallback(any(no_route))
        .with_state(edge)
        .merge(status_page)
}

fn method_of(route: &Route) -> Method {
    Method::from_bytes(route.method.as_bytes()).expect("the table names known methods")
}

async fn handle(edge: Arc<Edge>, route: &'static Route, meter: Arc<Meter>, request: Request) -> Response {
    let started = Instant::now();
    let request_id = request_id(&edge, request.headers());
    let mut response = match tokio::time::timeout(edge.limits.time, answer(&edge, route, request)).await {
        Ok(Ok(answer)) => answer.respond(),
        Ok(Err(problem)) => problem.respond(&request_id),
        Err(_) => Problem::outcome_unknown().respond(&request_id),
    };
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    meter.record(status, elapsed);
    edge.upkeep.request_done(edge.metrics.as_ref());
    tracing::debug!(request_id, method = route.method, route = route.path, status, elapsed_us = elapsed.as_micros() as u64, "request");
    if let Ok(value) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("request-id", value);
    }
    response
}

async fn answer(edge: &Edge, route: &'static Route, request: Request) -> Result<Answer, Problem> {
    let (mut parts, body) = request.into_parts();
    let span = edge.shop.traces.as_ref().and_then(|_| parts.extensions.remove());
    let secret = bearer(&parts.headers).ok_or_else(Problem::unauthorized)?;
    let key = edge.shop.keys.check(secret).ok_or_else(Problem::unknown_key)?;
    if let Some(Err(wait)) = edge.buckets.as_ref().map(|buckets| buckets.take(key.id)) {
        return Err(Problem::rate_limited(wait));
    }
    if !route.access.roles().contains(&key.role) {
        let needed: Vec<&str> = route.access.roles().iter().map(|role| role.as_str()).collect();
        return Err(Problem::forbidden(key.role, &needed.join(", ")));
    }
    let segments = if route.path.contains('{') { segments(&mut parts).await? } else { HashMap::new() };
    let query: HashMap<String, String> = match parts.uri.query() {
        None => HashMap::new(),
        Some(_) => Query::try_from_uri(&parts.uri).map_err(|error| Problem::bad_field("query", error))?.0,
    };
    // A mistyped filter must not show everything.
    if let Some(name) = query.keys().find(|name| !super::openapi::takes(route, name)) {
        return Err(Problem::bad_field(name, format!("is no parameter of this; it takes {}", super::openapi::taken(route))));
    }
    let bulk = route.path.ends_with("/bulk");
    let body = read(body, if bulk { edge.limits.bulk_bytes_max } else { edge.limits.body_bytes_max }).await?;
    let if_none_match = parts.headers.get(header::IF_NONE_MATCH).cloned().filter(|_| route.method == "GET");
    let call = Call {
        shop: edge.shop.clone(),
        key,
        span,
        method: route.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        segments,
        query,
        body,
    };
    let wanted = if route.method == "GET" { expand::wanted(parts.uri.query()) } else { Vec::new() };
    let answer = if wanted.is_empty() {
        (route.handler)(call).await?
    } else {
        let asked = call.again();
        expand::expand(&asked, (route.handler)(call).await?, &wanted).await?
    };
    Ok(match if_none_match {
        Some(known) => answer.unless_known(&known),
        None => answer,
    })
}

async fn segments(parts: &mut Parts) -> Result<HashMap<String, String>, Problem> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|error| Problem::bad_field("path", error))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

async fn read(body: Body, limit: usize) -> Result<axum::body::Bytes, Problem> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Problem::too_large(limit)),
        Err(error) => Err(Problem::bad_field("body", error)),
    }
}

/// The client's own, when it is short and plain; else one of ours.
fn request_id(edge: &Edge, headers: &HeaderMap) -> String {
    let sent = headers.get("request-id").and_then(|value| value.to_str().ok());
    let plain =
        |text: &&str| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match sent.filter(plain) {
        Some(text) => text.to_owned(),
        None => format!("req_{:x}", edge.requests.fetch_add(1, Ordering::Relaxed)),
    }
}

async fn no_route(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    told(&edge, &request, Problem::no_route(request.uri().path()))
}

async fn wrong_method(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    told(&edge, &request, Problem::wrong_method(request.uri().path()))
}

fn told(edge: &Edge, request: &Request, problem: Problem) -> Response {
    let request_id = request_id(edge, request.headers());
    let mut response = problem.respond(&request_id);
    if let Ok(value) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("request-id", value);
    }
    response
}

/// Where the `type` of a problem leads. Whoever was refused may have no key, so it takes none.
async fn problem_page(State(edge): State<Arc<Edge>>, Path(code): Path<String>, request: Request) -> Response {
    match problem::Kind::named(&code) {
        Some(kind) => problem::page(kind, request.headers()),
        None => told(&edge, &request, Problem::no_route(request.uri().path())),
    }
}

async fn ready(State(edge): State<Arc<Edge>>) -> Response {
    match edge.shop.engine.failure() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], format!("{why}\n")).into_response(),
    }
}

async fn metrics_text(State(edge): State<Arc<Edge>>) -> Response {
    metrics::gauge!("quartermaster_log_sequence").set(edge.shop.engine.durable() as f64);
    metrics::gauge!("quartermaster_store_lag_events").set(edge.shop.engine.durable().saturating_sub(edge.shop.engine.stored()) as f64);
    metrics::gauge!("quartermaster_effects_outstanding").set(edge.shop.engine.outstanding().len() as f64);
    match &edge.metrics {
        Some(handle) => handle.render().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
