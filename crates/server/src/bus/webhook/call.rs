//! One call of an endpoint: sent, answered or not, and what that means.

use crate::bus::Outgoing;
use crate::outbound::{Connection, Dialer, Signer, Target, beginning, describe};
use crate::traces::{Span, Traces};
use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode, header};
use domain::id::SubscriptionId;
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

const CONTENT_TYPE: &str = "application/cloudevents+json";
const AGENT: &str = concat!("Quartermaster/", env!("CARGO_PKG_VERSION"));

/// What the answer means for the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Failed,
    /// The endpoint names when it wants to be called again.
    Later(Duration),
    /// 410: it is not coming back.
    Gone,
}

/// A call and what came of it.
#[derive(Debug, Clone)]
pub struct Called {
    pub outcome: Outcome,
    pub status: Option<u16>,
    pub error: Option<String>,
    /// The first kilobyte of the answer.
    pub answer: String,
    pub took: Duration,
}

impl Called {
    /// What the span of the call has to say: what came of it, not what was answered, which may hold anything.
    pub fn tell(&self, span: &Span) {
        if let Some(status) = self.status {
            span.note("http.response.status_code", i64::from(status));
        }
        match (self.outcome, self.status) {
            (Outcome::Delivered, _) => {}
            (Outcome::Failed | Outcome::Later(_) | Outcome::Gone, Some(status)) => span.fail(status.to_string()),
            (Outcome::Failed | Outcome::Later(_) | Outcome::Gone, None) => span.fail("no_answer"),
        }
    }
}

/// The span of one call with an event.
pub fn span(traces: &Arc<Traces>, target: &Target, subscription: SubscriptionId, event: &Outgoing) -> Span {
    let attributes = [
        ("http.request.method", "POST".to_owned()),
        ("server.address", target.host().to_owned()),
        ("quartermaster.subscription", subscription.to_string()),
        ("quartermaster.event", event.id.clone()),
        ("quartermaster.event_type", event.kind.clone()),
    ];
    traces.outside("webhook delivery", attributes)
}

/// What is sent.
pub struct Message<'a> {
    /// The same at every try.
    pub id: &'a str,
    pub body: Bytes,
    pub signer: &'a Signer,
    /// Lets the receiver's trace be a part of ours (W3C Trace Context).
    pub traceparent: Option<String>,
}

/// Milliseconds since the Unix epoch by the wall: receivers compare with theirs.
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Calls, over `kept` if that is still open. Returns the connection when it can be used again.
pub async fn call(
    dialer: &Dialer,
    target: &Target,
    message: &Message<'_>,
    timeout: Duration,
    kept: Option<Connection>,
) -> (Called, Option<Connection>) {
    let started = Instant::now();
    let (mut called, connection) = match tokio::time::timeout(timeout, exchange(dialer, target, message, kept)).await {
        Ok(done) => done,
        Err(_) => (failed(format!("no answer within {} ms", timeout.as_millis())), None),
    };
    called.took = started.elapsed();
    (called, connection)
}

fn failed(error: String) -> Called {
    Called { outcome: Outcome::Failed, status: None, error: Some(error), answer: String::new(), took: Duration::ZERO }
}

async fn exchange(dialer: &Dialer, target: &Target, message: &Message<'_>, kept: Option<Connection>) -> (Called, Option<Connection>) {
    if let Some(mut connection) = kept.filter(Connection::is_fresh)
        && connection.sender.ready().await.is_ok()
    {
        match connection.sender.send_request(request(target, message)).await {
            Ok(response) => return understand(response, connection).await,
            // The endpoint hung up while nobody looked: that says nothing about this event.
            Err(error) if error.is_closed() || error.is_canceled() || error.is_incomplete_message() => {}
            Err(error) => return (failed(describe(&error)), None),
        }
    }
    let mut connection = match dialer.connect(target).await {
        Ok(connection) => connection,
        Err(error) => return (failed(error.to_string()), None),
    };
    match connection.sender.send_request(request(target, message)).await {
        Ok(response) => understand(response, connection).await,
        Err(error) => (failed(describe(&error)), None),
    }
}

fn request(target: &Target, message: &Message<'_>) -> Request<Full<Bytes>> {
    let seconds = wall_ms() / 1000;
    let mut request = Request::post(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::USER_AGENT, AGENT)
        .header(header::CONTENT_TYPE, CONTENT_TYPE)
        .header("webhook-id", message.id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", message.signer.sign(message.id, seconds, &message.body));
    if let Some(traceparent) = &message.traceparent {
        request = request.header("traceparent", traceparent);
    }
    request.body(Full::new(message.body.clone())).expect("a target that was parsed makes a request")
}

async fn understand(response: hyper::Response<Incoming>, mut connection: Connection) -> (Called, Option<Connection>) {
    let (status, wish) = (response.status(), retry_after(response.headers()));
    let (answer, whole) = beginning(response.into_body()).await;
    let (outcome, error) = match (status, wish) {
        (status, _) if status.is_success() => (Outcome::Delivered, None),
        (StatusCode::GONE, _) => (Outcome::Gone, Some("the endpoint says that it is gone".to_owned())),
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(wish)) => {
            (Outcome::Later(wish), Some(format!("asks to be called again in {} s", wish.as_secs())))
        }
        (status, _) if status.is_redirection() => (Outcome::Failed, Some("redirects are not followed; change the url".to_owned())),
        (_, _) => (Outcome::Failed, None),
    };
    let called = Called { outcome, status: Some(status.as_u16()), error, answer, took: Duration::ZERO };
    connection.touch();
    (called, whole.then_some(connection))
}

/// In seconds, or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis(u64::try_from(at - wall_ms()).unwrap_or(0)))
}
