//! What becomes of deliveries: attempts, dead letters, and delivering again.

use super::{cursor_text, entry, place_of, start};
use crate::bus::attempts::Wanted;
use crate::bus::webhook::Outcome;
use crate::bus::{Ask, Entry, flush};
use crate::http::call::{Answer, Call, list};
use crate::http::problem::Problem;
use axum::http::StatusCode;
use domain::subscription::{Status, Subscription, Webhook};
use domain::time::Timestamp;
use engine::Backfill;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Most ranges that one subscription is delivered at once.
const BACKFILLS_MAX: usize = 4;

fn webhook(call: &Call) -> Result<(Arc<Entry>, Arc<Subscription>, Webhook), Problem> {
    let entry = entry(call)?;
    let subscription = entry.subscription();
    match subscription.webhook.clone() {
        Some(webhook) => Ok((entry, subscription, webhook)),
        None => Err(Problem::bad_field("subscription", "is no webhook; rewind it, or read /v1/events")),
    }
}

fn active(subscription: &Subscription) -> Result<(), Problem> {
    match subscription.status {
        Status::Active => Ok(()),
        Status::Paused | Status::Disabled => {
            Err(domain::Rejection::wrong_status("subscription", subscription.id, subscription.status, "active; resume it").into())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeBody {
    from: String,
    to: String,
}

/// First and last sequence of a range.
async fn range(call: &Call, body: &RangeBody) -> Result<(u64, u64), Problem> {
    let is_place = !body.from.contains('T') && body.from != "beginning" && body.from != "now";
    let from = start(call, "from", &body.from).await?;
    let from = if is_place { from.max(1) } else { from + 1 };
    let to = if body.to.contains('T') {
        let time = Timestamp::parse(&body.to).map_err(|error| Problem::bad_field("to", error))?;
        call.shop.read(move |reader| reader.seq_at(time.0)).await?
    } else {
        start(call, "to", &body.to).await?
    };
    if from > to {
        return Err(Problem::bad_field("to", "lies before from"));
    }
    Ok((from, to))
}

/// Durable before it is answered.
async fn deliver_range(call: &Call, entry: &Entry, (from, to): (u64, u64)) -> Result<Answer, Problem> {
    let cursor = entry.cursor();
    if cursor.backfills.len() >= BACKFILLS_MAX {
        return Err(Problem::bad_field("from", format!("{BACKFILLS_MAX} ranges are under way; wait until one is through")));
    }
    entry.ask(Ask::Backfill { from, to });
    entry.record(cursor.generation, |cursor| cursor.backfills.push(Backfill { next: from, to }));
    if !flush::flush(&call.shop).await {
        return Err(Problem::outcome_unknown());
    }
    let body = json!({"object": "backfill", "subscription": entry.id, "from": cursor_text(call, from), "to": cursor_text(call, to)});
    Ok(Answer { status: StatusCode::ACCEPTED, ..Answer::ok(body) })
}

/// A range again, beside the live cursor, in order per subject among itself.
pub async fn backfill(call: Call) -> Result<Answer, Problem> {
    let (entry, ..) = webhook(&call)?;
    let range = range(&call, &call.json()?).await?;
    deliver_range(&call, &entry, range).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedeliverBody {
    sequence: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    parked: bool,
}

/// One event, a range, or all that is parked.
pub async fn redeliver(call: Call) -> Result<Answer, Problem> {
    let (entry, subscription, _) = webhook(&call)?;
    let parked = entry.cursor().parked;
    match call.json()? {
        RedeliverBody { sequence: None, from: None, to: None, parked: true } => {
            active(&subscription)?;
            entry.ask(Ask::Retry(None));
            Ok(retried(&entry, parked.len()))
        }
        RedeliverBody { sequence: Some(text), from: None, to: None, parked: false } => {
            let sequence = place_of(&call, "sequence", &text)?;
            if parked.iter().any(|parked| parked.sequence == sequence) {
                active(&subscription)?;
                entry.ask(Ask::Retry(Some(sequence)));
                return Ok(retried(&entry, 1));
            }
            deliver_range(&call, &entry, (sequence.max(1), sequence.max(1))).await
        }
        RedeliverBody { sequence: None, from: Some(from), to: Some(to), parked: false } => {
            let range = range(&call, &RangeBody { from, to }).await?;
            deliver_range(&call, &entry, range).await
        }
        RedeliverBody { .. } => Err(Problem::bad_field("sequence", "send sequence, or from and to, or \"parked\": true")),
    }
}

fn retried(entry: &Entry, count: usize) -> Answer {
    let body = json!({"object": "redelivery", "subscription": entry.id, "parked": count});
    Answer { status: StatusCode::ACCEPTED, ..Answer::ok(body) }
}

/// Events whose subject waits for them.
pub async fn dead_letters(call: Call) -> Result<Answer, Problem> {
    let (entry, ..) = webhook(&call)?;
    let mut rows: Vec<Value> = Vec::new();
    for parked in entry.cursor().parked {
        let after = parked.sequence.saturating_sub(1);
        let found = crate::bus::page::next(&call.shop, after, false).await?;
        let event = found.events.iter().find(|event| event.seq == parked.sequence);
        let event: Option<Value> = event.and_then(|event| serde_json::from_slice(&event.body(None)).ok());
        rows.push(json!({
            "object": "dead_letter", "subject": parked.subject, "sequence": parked.sequence.to_string(), "attempts": parked.attempts,
            "since": Timestamp(parked.since), "given_up": parked.given_up, "event": event,
        }));
    }
    Ok(Answer::ok(list(rows, false, None)))
}

/// The event is not delivered; what waits behind it in its subject is.
pub async fn discard(call: Call) -> Result<Answer, Problem> {
    let (entry, subscription, _) = webhook(&call)?;
    let text: String = call.segment("sequence")?;
    let sequence = place_of(&call, "sequence", &text)?;
    if !entry.cursor().parked.iter().any(|parked| parked.sequence == sequence) {
        return Err(Problem::not_found("dead letter", &text));
    }
    active(&subscription)?;
    entry.ask(Ask::Discard(sequence));
    let body = json!({"object": "dead_letter", "sequence": sequence.to_string(), "discarded": true});
    Ok(Answer { status: StatusCode::ACCEPTED, ..Answer::ok(body) })
}

/// The latest first.
pub async fn attempts(call: Call) -> Result<Answer, Problem> {
    let (entry, limit) = (entry(&call)?, call.limit()?);
    let wanted = Wanted {
        failed_only: call.query::<String>("outcome")?.as_deref() == Some("failed"),
        sequence: call.query::<String>("sequence")?.map(|text| place_of(&call, "sequence", &text)).transpose()?,
        before: call.query("cursor")?,
    };
    let (shop, id) = (call.shop.clone(), entry.id);
    let found = tokio::task::spawn_blocking(move || shop.bus.attempts.latest(id, &wanted, limit + 1)).await;
    let mut found = found.map_err(Problem::internal)?.map_err(Problem::internal)?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|(number, _)| number.to_string());
    let rows = found.iter().map(|(_, attempt)| {
        let mut row = serde_json::to_value(attempt).expect("attempts serialize");
        row["object"] = json!("attempt");
        row["time"] = json!(Timestamp(attempt.time));
        row["sequence"] = json!(attempt.sequence.to_string());
        row
    });
    Ok(Answer::ok(list(rows.collect(), has_more, last)))
}

/// Calls the endpoint once, now, with an event that is in no log.
pub async fn test_send(call: Call) -> Result<Answer, Problem> {
    let (_, subscription, _) = webhook(&call)?;
    let tried = crate::bus::webhook::try_out(&call.shop, &subscription).await;
    let (event, called) = tried.ok_or_else(|| Problem::bad_field("webhook.url", "can't be called"))?;
    Ok(Answer::ok(json!({
        "object": "test_delivery", "event": event, "delivered": called.outcome == Outcome::Delivered, "status": called.status,
        "error": called.error, "duration_ms": u64::try_from(called.took.as_millis()).unwrap_or(u64::MAX), "answer": called.answer,
    })))
}
