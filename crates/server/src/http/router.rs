//! From the table of routes to a service: keys, limits, request ids and logs around every handler.

use super::call::Call;
use super::routes::{ROUTES, Route};
use super::{Problem, openapi};
use crate::shop::Shop;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
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
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes_max: 2 << 20, time: Duration::from_secs(30) }
    }
}

struct Edge {
    shop: Arc<Shop>,
    limits: Limits,
    requests: AtomicU64,
    metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
}

/// The whole API, with `/healthz`, `/readyz`, `/metrics` and `/docs`.
pub fn router(shop: Arc<Shop>, limits: Limits, metrics: Option<metrics_exporter_prometheus::PrometheusHandle>) -> Router {
    let edge = Arc::new(Edge { shop, limits, requests: AtomicU64::new(1), metrics });
    let mut paths: Vec<(&str, MethodRouter<Arc<Edge>>)> = Vec::new();
    for route in ROUTES {
        let method = method_of(route);
        let handle = move |State(edge): State<Arc<Edge>>, segments, query, request| handle(edge, route, segments, query, request);
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
        .merge(docs)
        .fallback(any(no_route))
        .with_state(edge)
}

fn method_of(route: &Route) -> Method {
    Method::from_bytes(route.method.as_bytes()).expect("the table names known methods")
}

async fn handle(
    edge: Arc<Edge>,
    route: &'static Route,
    segments: Path<HashMap<String, String>>,
    query: Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let request_id = request_id(&edge, request.headers());
    let mut response = match tokio::time::timeout(edge.limits.time, answer(&edge, route, segments.0, query.0, request)).await {
        Ok(Ok(answer)) => answer.respond(),
        Ok(Err(problem)) => problem.respond(&request_id),
        Err(_) => Problem::outcome_unknown().respond(&request_id),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("request-id", value);
    }
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    metrics::histogram!("quartermaster_http_seconds", "route" => route.path, "method" => route.method, "status" => status.to_string())
        .record(elapsed.as_secs_f64());
    tracing::debug!(request_id, method = route.method, route = route.path, status, elapsed_us = elapsed.as_micros() as u64, "request");
    response
}

async fn answer(
    edge: &Edge,
    route: &'static Route,
    segments: HashMap<String, String>,
    query: HashMap<String, String>,
    request: Request,
) -> Result<super::call::Answer, Problem> {
    let (parts, body) = request.into_parts();
    let secret = bearer(&parts.headers).ok_or_else(Problem::unauthorized)?;
    let key = edge.shop.keys.check(secret).ok_or_else(Problem::unauthorized)?;
    if !route.access.roles().contains(&key.role) {
        let needed: Vec<&str> = route.access.roles().iter().map(|role| role.as_str()).collect();
        return Err(Problem::forbidden(key.role.as_str(), &needed.join(", ")));
    }
    let body = read(body, edge.limits.body_bytes_max).await?;
    let call = Call {
        shop: edge.shop.clone(),
        key,
        method: route.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        segments,
        query,
        body,
    };
    (route.handler)(call).await
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

async fn no_route(request: Request) -> Response {
    Problem::no_route(request.uri().path()).respond("-")
}

async fn wrong_method(request: Request) -> Response {
    Problem::wrong_method(request.uri().path()).respond("-")
}

async fn ready(State(edge): State<Arc<Edge>>) -> Response {
    match edge.shop.engine.failure() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
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
