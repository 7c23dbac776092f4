//! The live connection of a page: one server-sent event whenever something that the page waits for may have changed.
//!
//! The page fetches itself again, so what it shows is always whole: there is nothing to miss. `id` is a log sequence; who comes back
//! with `Last-Event-ID` hears at once when something happened meanwhile.

use super::assets;
use super::desk::{Desk, session_of};
use super::fields::Fields;
use super::mirror::Watch;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Changes are told at most this often.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_millis(500);

pub async fn live(State(desk): State<Arc<Desk>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    if session_of(&desk, &headers).is_none() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(permit) = desk.live.clone().try_acquire_owned() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).or(query.some("after"));
    let after = last.and_then(|text| text.parse().ok()).unwrap_or(0);
    let (events, receive) = mpsc::channel(4);
    tokio::spawn(tell(desk, Watch::new(query.text("watch")), after, events, permit));
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
}

async fn tell(desk: Arc<Desk>, watch: Watch, after: u64, events: mpsc::Sender<Result<Event, Infallible>>, _permit: OwnedSemaphorePermit) {
    let mirror = &desk.shop.mirror;
    let (mut applied, mut closing) = (mirror.applied(), desk.closing.subscribe());
    let mut seen = after;
    let hello = Event::default().event("hello").retry(RETRY).data(assets::VERSION.as_str());
    if events.send(Ok(hello)).await.is_err() {
        return;
    }
    loop {
        let at = *applied.borrow_and_update();
        // A sequence beyond ours is from before a restore.
        if seen > at || mirror.topics.changed(&watch, seen) {
            if events.send(Ok(Event::default().event("changed").id(at.to_string()).data(at.to_string()))).await.is_err() {
                return;
            }
            seen = at;
            tokio::time::sleep(PAUSE).await;
        }
        seen = seen.max(at);
        tokio::select! {
            changed = applied.changed() => if changed.is_err() { return },
            _ = closing.wait_for(|closing| *closing) => return,
            () = events.closed() => return,
        }
    }
}
