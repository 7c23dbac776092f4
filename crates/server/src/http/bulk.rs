//! NDJSON in, a result per line out: many small requests as one.
//!
//! Each line is the body of the single endpoint and goes its way: the same checks, the same rules, the same keys. One bad line does
//! not stop the others. Results leave in the order of the lines, as they become durable.

use super::call::{Answer, Call};
use super::problem::Problem;
use super::routes::Handled;
use super::{catalog, orders, stock};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Largest body of a bulk request, in bytes.
pub const BULK_BYTES_MAX: usize = 16 << 20;
/// Most lines of one request.
const LINES_MAX: usize = 10_000;
/// Lines that are settled together and answered together.
const TOGETHER: usize = 200;
/// Groups of results that wait for a slow reader.
const GROUPS_WAITING_MAX: usize = 4;
/// Longest key of a line, in bytes.
pub const KEY_BYTES_MAX: usize = 200;

/// What a line waits for before it is submitted; what comes of it submits at its first poll.
type Prepared = Pin<Box<dyn Future<Output = Result<Handled, Problem>> + Send>>;
type Prepare = fn(Call) -> Prepared;

/// Nothing has to be awaited before it is submitted.
fn at_once(line: impl Future<Output = Result<Answer, Problem>> + Send + 'static) -> Prepared {
    let handled: Handled = Box::pin(line);
    Box::pin(std::future::ready(Ok(handled)))
}

pub async fn item_bulk(call: Call) -> Result<Answer, Problem> {
    let update = match call.query::<String>("existing")?.as_deref() {
        None | Some("refuse") => false,
        Some("update") => true,
        Some(_) => return Err(Problem::bad_field("existing", "must be \"refuse\" or \"update\"")),
    };
    answer_lines(call, "/v1/items", if update { |line| at_once(item_save(line)) } else { |line| at_once(catalog::item_create(line)) })
}

pub async fn adjustment_bulk(call: Call) -> Result<Answer, Problem> {
    answer_lines(call, "/v1/adjustments", |line| at_once(stock::adjustment_create(line)))
}

pub async fn receipt_bulk(call: Call) -> Result<Answer, Problem> {
    answer_lines(call, "/v1/receipts", |line| at_once(stock::receipt_create(line)))
}

pub async fn order_bulk(call: Call) -> Result<Answer, Problem> {
    answer_lines(call, "/v1/orders", |line| Box::pin(orders::order_prepared(line)))
}

/// Creates the item, or replaces it when it is there.
fn item_save(line: Call) -> Handled {
    Box::pin(async move {
        let mut again = line.again();
        match catalog::item_create(line).await {
            Err(problem) if problem.code() == "already_exists" => {
                let mut members: Map<String, Value> = again.json()?;
                let sku = members.remove("sku").and_then(|sku| sku.as_str().map(str::to_owned)).unwrap_or_default();
                again.path = format!("/v1/items/{sku}");
                again.method = "PUT";
                again.segments = HashMap::from([("sku".to_owned(), sku)]);
                again.body = Bytes::from(Value::Object(members).to_string());
                catalog::item_update(again).await
            }
            other => other,
        }
    })
}

fn answer_lines(call: Call, path: &'static str, prepare: Prepare) -> Result<Answer, Problem> {
    let lines: Vec<(usize, Bytes)> = lines(&call.body).collect();
    if lines.len() > LINES_MAX {
        let problem = format!("has {} lines; send at most {LINES_MAX} at once", lines.len());
        return Err(Problem::bad_field("body", problem));
    }
    if lines.is_empty() {
        return Err(Problem::bad_field("body", "is empty; send one JSON object a line (application/x-ndjson)"));
    }
    let batch_key = call.headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default().to_owned());
    if batch_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > KEY_BYTES_MAX) {
        return Err(Problem::bad_field("Idempotency-Key", format!("must have 1 to {KEY_BYTES_MAX} characters")));
    }
    let (results, receive) = mpsc::channel::<Result<Bytes, Infallible>>(GROUPS_WAITING_MAX);
    tokio::spawn(async move {
        for group in lines.chunks(TOGETHER) {
            let mut text = String::new();
            for (line, outcome) in together(&call, path, batch_key.as_deref(), prepare, group).await {
                text.push_str(&result(line, outcome).to_string());
                text.push('\n');
            }
            // Who hung up did not read that the rest was not done; a repeat with the same keys tells.
            if results.send(Ok(Bytes::from(text))).await.is_err() {
                return;
            }
        }
    });
    let mut response: Response = Body::from_stream(ReceiverStream::new(receive)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(Answer::raw(response))
}

/// Lines with their numbers from 1; empty ones are left out.
fn lines(body: &Bytes) -> impl Iterator<Item = (usize, Bytes)> {
    let lines = body.split(|byte| *byte == b'\n').enumerate();
    let filled = lines.map(|(at, line)| (at + 1, line.trim_ascii())).filter(|(_, line)| !line.is_empty());
    filled.map(|(at, line)| (at, body.slice_ref(line)))
}

/// Submits the lines of a group in their order, once all of them are ready to be, and waits for what comes of them.
async fn together(
    call: &Call,
    path: &'static str,
    batch_key: Option<&str>,
    prepare: Prepare,
    group: &[(usize, Bytes)],
) -> Vec<(usize, Result<Answer, Problem>)> {
    let prepared = group.iter().map(|(line, body)| match line_call(call, path, batch_key, *line, body) {
        Ok(call) => prepare(call),
        Err(problem) => Box::pin(std::future::ready(Err(problem))) as Prepared,
    });
    let ready = in_order(prepared.collect()).await.into_iter().map(|ready| match ready {
        Ok(handled) => handled,
        Err(problem) => Box::pin(std::future::ready(Err(problem))) as Handled,
    });
    group.iter().map(|(line, _)| *line).zip(in_order(ready.collect()).await).collect()
}

/// What each gives, all at the same time; whenever they are polled, it is in this order.
async fn in_order<T: Unpin>(running: Vec<Pin<Box<dyn Future<Output = T> + Send>>>) -> Vec<T> {
    let mut waiting: Vec<_> = running.into_iter().map(|future| (Some(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, outcome) in &mut waiting {
            let Some(running) = future else { continue };
            match running.as_mut().poll(context) {
                Poll::Ready(ended) => (*future, *outcome) = (None, Some(ended)),
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    waiting.into_iter().filter_map(|(_, outcome)| outcome).collect()
}

/// A line as the single endpoint would get it. Its own `idempotency_key` wins over one made from the batch's and the line's number.
fn line_call(call: &Call, path: &'static str, batch_key: Option<&str>, line: usize, body: &Bytes) -> Result<Call, Problem> {
    // Thousands of lines would be thousands of spans, before those of everybody else.
    let mut single = Call { path: path.to_owned(), body: body.clone(), span: None, ..call.again() };
    single.headers.remove("idempotency-key");
    single.query.clear();
    let mut key = batch_key.map(|key| format!("{key}/{line}"));
    if body.windows(15).any(|bytes| bytes == b"idempotency_key") {
        let mut members: Map<String, Value> = single.json()?;
        match members.remove("idempotency_key") {
            Some(Value::String(own)) if (1..=KEY_BYTES_MAX).contains(&own.len()) => key = Some(own),
            Some(_) => return Err(Problem::bad_field("idempotency_key", format!("expected a text of 1 to {KEY_BYTES_MAX} characters"))),
            None => {}
        }
        single.body = Bytes::from(Value::Object(members).to_string());
    }
    if let Some(key) = key {
        let value = HeaderValue::from_str(&key).map_err(|_| Problem::bad_field("idempotency_key", "must be printable ASCII"))?;
        single.headers.insert("idempotency-key", value);
    }
    Ok(single)
}

fn result(line: usize, outcome: Result<Answer, Problem>) -> Value {
    let mut view = match outcome {
        Ok(answer) => json!({"status": answer.status.as_u16(), "replayed": answer.replayed, "body": answer.value()}),
        Err(problem) => problem.line(),
    };
    view["line"] = json!(line);
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers() {
        let body = Bytes::from_static(b"{\"a\":1}\r\n\n  \n{\"b\":2}");
        let found: Vec<(usize, Bytes)> = lines(&body).collect();
        assert_eq!(found, [(1, Bytes::from_static(b"{\"a\":1}")), (4, Bytes::from_static(b"{\"b\":2}"))]);
    }
}
