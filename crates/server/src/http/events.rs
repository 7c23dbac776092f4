//! The log as a stream: pull and server-sent events.

use super::call::{Answer, Call, PAGE_MAX};
use super::problem::Problem;
use crate::bus::{Filter, cloud_event};
use crate::shop::Shop;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use engine::EventRow;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Longest wait of a pull, below the time limit of a request.
const WAIT_S_MAX: u64 = 25;
/// Transactions looked at per step.
const STEP: usize = 200;
/// Events that wait for a slow reader of a stream; the log waits for it without memory.
const STREAM_QUEUE_MAX: usize = 256;

fn filter(call: &Call) -> Result<Filter, Problem> {
    Ok(Filter::new(call.query::<String>("type")?.as_deref(), call.query("subject")?))
}

pub async fn pull(call: Call) -> Result<Answer, Problem> {
    let filter = filter(&call)?;
    let after = call.query::<u64>("after")?.unwrap_or(0);
    let limit = call.limit()?.min(PAGE_MAX);
    let wait = call.query::<u64>("wait")?.unwrap_or(0).min(WAIT_S_MAX);
    let until = tokio::time::Instant::now() + Duration::from_secs(wait);
    let mut cursor = after;
    loop {
        let (rows, looked) = call.shop.read(move |reader| reader.events(cursor, limit)).await?;
        let data: Vec<Value> = rows.iter().filter(|row| filter.matches(row)).map(parsed).collect();
        let moved = looked > cursor;
        cursor = looked;
        let more = call.shop.engine.durable() > cursor;
        if !data.is_empty() || (!moved && !more && tokio::time::Instant::now() >= until) || (moved && !more && wait == 0) {
            let cursor = cursor.to_string();
            return Ok(Answer::ok(json!({"object": "list", "data": data, "has_more": more, "next_cursor": cursor})));
        }
        if !more {
            let mut durable = call.shop.durable.clone();
            // Time up or something new: either way it looks again.
            let _ = tokio::time::timeout_at(until, durable.wait_for(|seq| *seq > cursor)).await;
        }
    }
}

fn parsed(row: &EventRow) -> Value {
    serde_json::from_str(&cloud_event(row)).unwrap_or(Value::Null)
}

pub async fn stream(call: Call) -> Result<Answer, Problem> {
    let filter = filter(&call)?;
    let last_id = call.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last_id = last_id.and_then(|id| id.rsplit('-').next()?.parse::<u64>().ok());
    let after = match last_id {
        Some(seq) => seq,
        None => call.query::<u64>("after")?.unwrap_or_else(|| call.shop.engine.durable()),
    };
    let (events, receive) = mpsc::channel::<Result<Event, Infallible>>(STREAM_QUEUE_MAX);
    tokio::spawn(feed(call.shop.clone(), filter, after, events));
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    Ok(Answer::raw(Sse::new(stream).keep_alive(KeepAlive::default()).into_response()))
}

/// Follows the log for one reader; ends when that hangs up.
async fn feed(shop: Arc<Shop>, filter: Filter, after: u64, events: mpsc::Sender<Result<Event, Infallible>>) {
    let mut cursor = after;
    let mut durable = shop.durable.clone();
    loop {
        let Ok((rows, looked)) = shop.read(move |reader| reader.events(cursor, STEP)).await else { return };
        for row in rows.iter().filter(|row| filter.matches(row)) {
            let event = Event::default().id(format!("1-{}", row.seq)).event(row.kind.clone()).data(cloud_event(row));
            if events.send(Ok(event)).await.is_err() {
                return;
            }
        }
        let moved = looked > cursor;
        cursor = looked;
        if moved {
            continue;
        }
        tokio::select! {
            changed = durable.wait_for(|seq| *seq > cursor) => if changed.is_err() { return },
            () = events.closed() => return,
        }
    }
}
