//! How subscribers read: fetch and acknowledge, or a stream of their own.

use super::{cursor_text, entry, place_of};
use crate::bus::page::{self, collect};
use crate::bus::{Entry, Filter, Outgoing};
use crate::http::call::{Answer, Call};
use crate::http::events::{page_answer, sse_event};
use crate::http::problem::Problem;
use crate::shop::Shop;
use crate::vault::Vault;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::subscription::{Kind, Status, Subscription};
use serde::Deserialize;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;

/// Events that wait for a slow reader of a stream; the log waits for it without memory.
const STREAM_QUEUE_MAX: usize = 256;

fn active(entry: &Entry, kind: Kind) -> Result<Arc<Subscription>, Problem> {
    let subscription = entry.subscription();
    if subscription.kind != kind {
        let how = match subscription.kind {
            Kind::Pull => "is fetched with GET …/events",
            Kind::Sse => "is read with GET …/stream",
            Kind::Webhook => "is delivered to its url",
        };
        return Err(Problem::bad_field("subscription", how));
    }
    match subscription.status {
        Status::Active => Ok(subscription),
        Status::Paused | Status::Disabled => {
            Err(domain::Rejection::wrong_status("subscription", subscription.id, subscription.status, "active; resume it").into())
        }
    }
}

fn opener<'a>(shop: &'a Shop, subscription: &Subscription) -> Option<&'a Vault> {
    subscription.personal_data.then_some(&*shop.vault)
}

/// What comes after the cursor, which waits for the acknowledgment: fetched again, it is the same.
pub async fn fetch(call: Call) -> Result<Answer, Problem> {
    let entry = entry(&call)?;
    let subscription = active(&entry, Kind::Pull)?;
    let (limit, wait) = (call.limit()?, call.query::<u64>("wait")?.unwrap_or(0));
    let cursor = entry.cursor();
    let filter = Filter::of(&subscription);
    let found = collect(&call.shop, &filter, cursor.sequence, limit, Duration::from_secs(wait)).await?;
    if found.events.is_empty() {
        entry.pass_over(cursor.generation, cursor.sequence, found.looked);
    }
    entry.note(|progress| {
        progress.looked = found.looked;
        progress.oldest = found.events.first().map(|event| event.time);
    });
    Ok(page_answer(&call, &found, opener(&call.shop, &subscription)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AckBody {
    cursor: String,
}

/// All up to this event is dealt with. Durable within a second: a crash before that gives the last of it again.
pub async fn ack(call: Call) -> Result<Answer, Problem> {
    let entry = entry(&call)?;
    let subscription = entry.subscription();
    if subscription.kind == Kind::Webhook {
        return Err(Problem::bad_field("subscription", "is a webhook: its answers acknowledge"));
    }
    let to = place_of(&call, "cursor", &call.json::<AckBody>()?.cursor)?;
    let cursor = entry.cursor();
    if to < cursor.sequence {
        let problem = format!("lies before {}, which is acknowledged; use rewind to go back", cursor_text(&call, cursor.sequence));
        return Err(Problem::bad_field("cursor", problem));
    }
    if to > cursor.sequence {
        entry.record(cursor.generation, |cursor| cursor.sequence = cursor.sequence.max(to));
        entry.note(|progress| progress.oldest = None);
    }
    Ok(Answer::ok(json!({"object": "acknowledgment", "subscription": subscription.id, "cursor": cursor_text(&call, to)})))
}

/// From the cursor on, or from `Last-Event-ID`, which acknowledges. What has left moves the cursor; a newer connection ends this one.
pub async fn stream(call: Call) -> Result<Answer, Problem> {
    let entry = entry(&call)?;
    let subscription = active(&entry, Kind::Sse)?;
    let cursor = entry.cursor();
    let last_id = call.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let after = match last_id {
        Some(id) => place_of(&call, "Last-Event-ID", id)?,
        None => cursor.sequence,
    };
    if after != cursor.sequence {
        entry.record(cursor.generation, |cursor| cursor.sequence = after);
    }
    let mut reader = 0;
    entry.note(|progress| {
        progress.reader += 1;
        reader = progress.reader;
    });
    let (events, receive) = mpsc::channel::<Arc<Outgoing>>(STREAM_QUEUE_MAX);
    tokio::spawn(feed(call.shop.clone(), entry.clone(), subscription.clone(), after, (reader, events)));
    let (shop, mut sent) = (call.shop.clone(), None::<u64>);
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive).map(move |event| {
        // The connection asks for the next one: those before it have left.
        if let Some(seq) = sent.replace(event.seq) {
            entry.record(cursor.generation, |cursor| cursor.sequence = cursor.sequence.max(seq));
        }
        Ok::<Event, Infallible>(sse_event(&event, opener(&shop, &subscription)))
    });
    Ok(Answer::raw(Sse::new(stream).keep_alive(KeepAlive::default()).into_response()))
}

/// Follows the log for one connection; ends when that hangs up, a newer one takes over, or the subscription changes.
async fn feed(
    shop: Arc<Shop>,
    entry: Arc<Entry>,
    subscription: Arc<Subscription>,
    after: u64,
    (reader, events): (u64, mpsc::Sender<Arc<Outgoing>>),
) {
    let (filter, mut versions, mut looked) = (Filter::of(&subscription), entry.versions(), after);
    while entry.is_still(&subscription) && entry.progress().reader == reader {
        let page = tokio::select! {
            page = page::follow(&shop, &filter, looked) => page,
            _ = versions.changed() => return,
            () = events.closed() => return,
        };
        let Ok(page) = page else { return };
        looked = page.looked;
        entry.note(|progress| progress.looked = looked);
        for event in page.events {
            if events.send(event).await.is_err() {
                return;
            }
        }
    }
}
