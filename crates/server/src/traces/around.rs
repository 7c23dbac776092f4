//! The span around every request.

use super::Traces;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// Asked every few seconds by machines; nobody looks for them in traces.
const UNTRACED: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// A layer of the whole router, when there are traces. Handlers find the span among the request's extensions.
pub async fn around(State(traces): State<Arc<Traces>>, mut request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map(MatchedPath::as_str);
    if route.is_some_and(|route| UNTRACED.contains(&route)) {
        return next.run(request).await;
    }
    let span = traces.request(request.method(), route, request.headers());
    request.extensions_mut().insert(span.clone());
    let response = next.run(request).await;
    let status = response.status();
    span.note("http.response.status_code", i64::from(status.as_u16()));
    if let Some(id) = response.headers().get("request-id").and_then(|id| id.to_str().ok()) {
        span.note("quartermaster.request_id", id.to_owned());
    }
    if status.is_server_error() {
        span.fail(status.as_str().to_owned());
    }
    response
}
