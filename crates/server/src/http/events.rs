//! The log as a stream: pull and server-sent events.

use super::call::{Answer, Call};
use super::problem::Problem;
use super::subscriptions::{cursor_text, place_of};
use crate::bus::page::{self, Page, collect};
use crate::bus::{Filter, Outgoing};
use crate::shop::Shop;
use crate::vault::Vault;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Events that wait for a slow reader of a stream; the log waits for it without memory.
const STREAM_QUEUE_MAX: usize = 256;
/// Who accepts this gets events as CloudEvents batches them.
const BATCH: &str = "application/cloudevents-batch+json";

fn filter(call: &Call) -> Result<Filter, Problem> {
    Ok(Filter::new(call.query::<String>("type")?.as_deref(), call.query("subject")?))
}

pub async fn pull(call: Call) -> Result<Answer, Problem> {
    let (filter, limit) = (filter(&call)?, call.limit()?);
    let after = call.query::<String>("after")?.map_or(Ok(0), |text| place_of(&call, "after", &text))?;
    let wait = Duration::from_secs(call.query::<u64>("wait")?.unwrap_or(0));
    let found = collect(&call.shop, &filter, after, limit, wait).await?;
    Ok(page_answer(&call, &found, None))
}

/// A list, or a batch for those who accept one: then `next-cursor` is a header.
pub fn page_answer(call: &Call, page: &Page, vault: Option<&Vault>) -> Answer {
    let cursor = cursor_text(call, page.looked);
    let mut data = String::from("[");
    for event in &page.events {
        if data.len() > 1 {
            data.push(',');
        }
        data.push_str(std::str::from_utf8(&event.body(vault)).expect("JSON is UTF-8"));
    }
    data.push(']');
    let accepts = call.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(BATCH));
    if accepts {
        return Answer::raw(([(header::CONTENT_TYPE.as_str(), BATCH), ("next-cursor", cursor.as_str())], data).into_response());
    }
    let data: Value = serde_json::from_str(&data).expect("events are JSON");
    let more = call.shop.engine.durable() > page.looked;
    Answer::ok(json!({"object": "list", "data": data, "has_more": more, "next_cursor": cursor}))
}

pub fn sse_event(event: &Outgoing, vault: Option<&Vault>) -> Event {
    let body = event.body(vault);
    let id = if event.nth == 0 { event.id.clone() } else { format!("{}-{}", event.id.split('-').next().unwrap_or("1"), event.seq) };
    Event::default().id(id).event(&event.kind).data(std::str::from_utf8(&body).expect("JSON is UTF-8"))
}

pub async fn stream(call: Call) -> Result<Answer, Problem> {
    let filter = filter(&call)?;
    let last_id = call.headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let after = match (last_id, call.query::<String>("after")?) {
        (Some(id), _) => place_of(&call, "Last-Event-ID", &id)?,
        (None, Some(after)) => place_of(&call, "after", &after)?,
        (None, None) => call.shop.engine.durable(),
    };
    let (events, receive) = mpsc::channel::<Result<Event, Infallible>>(STREAM_QUEUE_MAX);
    tokio::spawn(feed(call.shop.clone(), filter, after, events));
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    Ok(Answer::raw(Sse::new(stream).keep_alive(KeepAlive::default()).into_response()))
}

/// Follows the log for one reader; ends when that hangs up.
async fn feed(shop: Arc<Shop>, filter: Filter, after: u64, events: mpsc::Sender<Result<Event, Infallible>>) {
    let mut looked = after;
    loop {
        let page = tokio::select! {
            page = page::follow(&shop, &filter, looked) => page,
            () = events.closed() => return,
        };
        let Ok(page) = page else { return };
        looked = page.looked;
        for event in page.events {
            if events.send(Ok(sse_event(&event, None))).await.is_err() {
                return;
            }
        }
    }
}
