//! Orders: placed, read, held, edited, canceled.

mod place;

use super::call::{Answer, Call, Done, PAGE_MAX, list};
use super::customers::called;
use super::order_view::{OrderView, order_view};
use super::problem::Problem;
use super::stock::sequence;
use super::text::Text;
use axum::http::StatusCode;
use domain::command::order::{CancelLine, Command, EditLine, EditOrder};
use domain::id::{CustomerId, LineId, OrderId};
use domain::money::Amount;
use domain::order::{AllocationStatus, Case, FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::quantity::Quantity;
use domain::time::Timestamp;
use domain::{Event, Rejection};
use engine::{OrderFilter, ReadError, Reader};
pub use place::{CustomerBody, OrderBody, order_place, order_prepared, order_preview};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

fn answer(call: &Call, done: &Done) -> Result<Answer, Problem> {
    let case = done.case().ok_or_else(|| Problem::internal("a command left no order"))?;
    let view = OrderView::new(case, &call.shop.vault);
    Ok(Answer::rendered(StatusCode::OK, &view).at(case.order.version).replayed(done.repeated))
}

/// An order that was recorded and refused answers as a refusal.
fn refusal(done: &Done) -> Option<Problem> {
    let case = done.case()?;
    if case.order.status != OrderStatus::Rejected {
        return None;
    }
    let lines = done.committed.events.iter().find_map(|recorded| match &recorded.event {
        Event::StockShorted(event) => Some(event.lines.clone()),
        _ => None,
    });
    Some(Rejection::InsufficientStock { order: Some(case.order.id), lines: lines.unwrap_or_default() }.into())
}

pub async fn order_get(call: Call) -> Result<Answer, Problem> {
    let id: OrderId = call.segment("id")?;
    if let Some(text) = call.query::<String>("as_of")? {
        let seq = sequence(&call, &text).await?;
        let case = call.read(move |reader| reader.case_as_of(id, seq)).await?;
        let case = case.ok_or_else(|| Problem::not_found("order", &format!("{id} as of {seq}")))?;
        return Ok(Answer::ok(order_view(&case, &call.shop.vault)).at(case.order.version));
    }
    let case = call.case(id).await?;
    Ok(Answer::rendered(StatusCode::OK, &OrderView::new(&case, &call.shop.vault)).at(case.order.version))
}

pub async fn order_list(call: Call) -> Result<Answer, Problem> {
    let limit = call.limit()?;
    let before = call.query::<OrderId>("cursor")?.map(|id| id.0);
    let filter = OrderFilter {
        status: named::<OrderStatus>(&call, "status")?,
        payment_status: named::<PaymentStatus>(&call, "payment_status")?,
        allocation_status: named::<AllocationStatus>(&call, "allocation_status")?,
        fulfillment_status: named::<FulfillmentStatus>(&call, "fulfillment_status")?,
        channel: call.query("channel")?,
        external_id: call.query("external_id")?,
        number: call.query("number")?,
        customer: call.query::<CustomerId>("customer")?.map(|id| id.0),
        created_from: time(&call, "created_from")?,
        created_before: time(&call, "created_before")?,
        promised_before: call.query("promised_before")?,
    };
    let term = match (call.query::<String>("email")?, call.query::<String>("tracking_number")?) {
        (Some(mail), _) => Some((call.shop.vault.fingerprint("email", &mail).0.to_string(), "email")),
        (None, Some(number)) => Some((number, "tracking")),
        (None, None) => None,
    };
    let people = match call.query::<String>("name")? {
        Some(name) => Some(called(&call, &name, PAGE_MAX)?),
        None => None,
    };
    let cases = call.read(move |reader| match (term, people) {
        (Some((term, kind)), _) => {
            let ids = reader.find(&term, kind, before, limit + 1)?;
            ids.into_iter().filter_map(|id| reader.case(id).transpose()).collect()
        }
        (None, Some(people)) => of_people(reader, &people, &filter, before, limit + 1),
        (None, None) => Ok(reader.orders(&filter, before, limit + 1)?.into_iter().map(|row| row.case).collect::<Vec<_>>()),
    });
    let mut cases = cases.await?;
    let has_more = cases.len() > limit;
    cases.truncate(limit);
    let last = cases.last().map(|case| case.order.id.to_string());
    let data = cases.iter().map(|case| order_view(case, &call.shop.vault)).collect();
    Ok(Answer::ok(list(data, has_more, last)))
}

/// Orders of any of these customers, newest first.
fn of_people(
    reader: &Reader,
    people: &[CustomerId],
    filter: &OrderFilter,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Arc<Case>>, ReadError> {
    let mut cases = Vec::new();
    for id in people {
        let of_one = OrderFilter { customer: Some(id.0), ..filter.clone() };
        cases.extend(reader.orders(&of_one, before, limit)?.into_iter().map(|row| row.case));
    }
    cases.sort_unstable_by_key(|case| std::cmp::Reverse(case.order.id));
    cases.truncate(limit);
    Ok(cases)
}

/// One of the names that a status has.
fn named<T: DeserializeOwned>(call: &Call, field: &str) -> Result<Option<String>, Problem> {
    let Some(text) = call.query::<String>(field)? else { return Ok(None) };
    match serde_json::from_value::<T>(json!(text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(Problem::bad_field(field, error)),
    }
}

fn time(call: &Call, name: &str) -> Result<Option<i64>, Problem> {
    let text = call.query::<String>(name)?;
    text.map(|text| Timestamp::parse(&text).map(|time| time.0).map_err(|error| Problem::bad_field(name, error))).transpose()
}

pub async fn timeline(call: Call) -> Result<Answer, Problem> {
    let id: OrderId = call.segment("id")?;
    let events = call.read(move |reader| reader.timeline(id)).await?;
    if events.is_empty() {
        return Err(Problem::not_found("order", &id.text()));
    }
    let text = |event: &engine::EventRow| crate::bus::cloud_event(event, call.shop.engine.incarnation_of(event.seq));
    let data = events.iter().map(|event| serde_json::from_str(&text(event)).unwrap_or(Value::Null)).collect();
    Ok(Answer::ok(list(data, false, None)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    reason: Text,
}

pub async fn order_hold(call: Call) -> Result<Answer, Problem> {
    let reason = call.json::<HoldBody>()?.reason.into();
    let command = Command::HoldOrder { order: call.segment("id")?, reason, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?)
}

pub async fn order_release(call: Call) -> Result<Answer, Problem> {
    let command = Command::ReleaseOrder { order: call.segment("id")?, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?)
}

pub async fn order_source_again(call: Call) -> Result<Answer, Problem> {
    let command = Command::ResourceOrder { order: call.segment("id")?, from: None, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CancelBody {
    reason: Option<Text>,
    #[serde(default)]
    lines: Vec<LineUnits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineUnits {
    id: LineId,
    quantity: Quantity,
}

pub async fn order_cancel(call: Call) -> Result<Answer, Problem> {
    let body: CancelBody = call.json()?;
    let lines = body.lines.into_iter().map(|line| CancelLine { line: line.id, quantity: line.quantity }).collect();
    let reason = body.reason.unwrap_or_else(|| "requested".into()).into();
    let command = Command::CancelOrder { order: call.segment("id")?, reason, lines, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    #[serde(default)]
    lines: Vec<EditLineBody>,
    #[serde(default)]
    add: Vec<place::LineBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditLineBody {
    id: LineId,
    quantity: Quantity,
    discount: Option<Amount>,
    tax: Option<Amount>,
}

pub async fn order_edit(call: Call) -> Result<Answer, Problem> {
    let body: EditBody = call.json()?;
    let set =
        body.lines.into_iter().map(|line| EditLine { line: line.id, quantity: line.quantity, discount: line.discount, tax: line.tax });
    let add = body.add.into_iter().map(place::LineBody::into_line).collect();
    let command = EditOrder { order: call.segment("id")?, expected_version: call.if_match()?, set: set.collect(), add };
    answer(&call, &call.submit(Command::EditOrder(command)).await?)
}

/// A sketch of an order that was not placed.
fn preview_view(events: &[Event], now: Timestamp, call: &Call) -> Option<Value> {
    let mut case = events.first().and_then(domain::order::Case::begun_by)?;
    for event in events {
        domain::order::fold(&mut case, now, event);
    }
    let mut view = order_view(&case, &call.shop.vault);
    view["object"] = json!("order_preview");
    view["id"] = Value::Null;
    view["number"] = Value::Null;
    let sourcing = events.iter().find_map(|event| match event {
        Event::OrderPlaced(placed) => placed.sourcing.as_ref(),
        _ => None,
    });
    view["sourcing"] = json!(sourcing);
    Some(view)
}
