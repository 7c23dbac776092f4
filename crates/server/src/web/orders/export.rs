//! The list as CSV, as it is filtered.

use super::super::Answer;
use super::super::desk::secured;
use super::super::fault::Fault;
use super::super::show::plain;
use super::super::visit::Visit;
use super::list::Wanted;
use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse;
use domain::order::Case;
use domain::payment::{captured, refunded};
use serde::Serialize;
use std::convert::Infallible;
use tokio::sync::mpsc;

/// Orders read at a time, and most in one file.
const CHUNK: usize = 500;
const ROWS_MAX: usize = 200_000;
const HEAD: &str = "number,id,external_id,channel,status,payment_status,allocation_status,fulfillment_status,currency,total,captured,refunded,units,placed_at\r\n";

pub async fn csv(visit: Visit) -> Answer {
    let wanted = Wanted::of(&visit, &visit.query)?;
    if visit.query.some("stage").is_some() {
        return Err(Fault::invalid("A list by stage can't be exported; filter by status instead."));
    }
    let shop = visit.shop().clone();
    let (send, receive) = mpsc::channel::<Result<String, Infallible>>(2);
    tokio::spawn(async move {
        let (mut before, mut rows) = (None, 0);
        if send.send(Ok(HEAD.to_owned())).await.is_err() {
            return;
        }
        while rows < ROWS_MAX {
            let asked = wanted.clone();
            let Ok((cases, next)) = shop.read(move |reader| asked.read(reader, before, CHUNK)).await else { return };
            rows += cases.len();
            let text: String = cases.iter().map(|case| line(case)).collect();
            if send.send(Ok(text)).await.is_err() || next.is_none() {
                return;
            }
            before = next;
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\"")];
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    Ok(secured((headers, Body::from_stream(stream)).into_response()))
}

fn line(case: &Case) -> String {
    let order = &case.order;
    let units: u32 = order.lines.iter().map(|line| line.ordered.get()).sum();
    let cells = [
        order.number.to_string(),
        order.id.to_string(),
        order.external_id.as_deref().unwrap_or_default().to_owned(),
        order.channel.to_string(),
        name(&order.status),
        name(&order.payment_status),
        name(&order.allocation_status),
        name(&order.fulfillment_status),
        order.currency.to_string(),
        plain(order.total, order.currency),
        plain(captured(case), order.currency),
        plain(refunded(case), order.currency),
        units.to_string(),
        order.created_at.to_string(),
    ];
    let mut line = cells.map(|text| cell(&text)).join(",");
    line.push_str("\r\n");
    line
}

fn name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Quoted where it has to be; what a spreadsheet would take for a formula begins with a quote.
fn cell(text: &str) -> String {
    let number = text.parse::<f64>().is_ok();
    let safe = if !number && text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, cell) in
            [("a", "a"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("=1+1", "'=1+1"), ("-5", "-5"), ("-x", "'-x")]
        {
            assert_eq!(super::cell(text), cell);
        }
    }
}
