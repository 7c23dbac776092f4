//! The work of the warehouse.

use super::call::{Answer, Call, list};
use super::order_view::fulfillment_view;
use super::problem::Problem;
use super::text::Text;
use domain::command::fulfillment::Command;
use domain::fulfillment::{Fulfillment, Parcel, Shipment};
use domain::id::FulfillmentId;
use domain::money::Amount;
use domain::quantity::Quantity;
use domain::time::Timestamp;
use engine::OrderFilter;
use serde::Deserialize;

/// Most open orders that a list of work looks through.
const ORDERS_LOOKED_AT: usize = 2000;

async fn run(call: &Call, command: Command) -> Result<Answer, Problem> {
    let id: FulfillmentId = call.segment("id")?;
    let done = call.submit(command).await?;
    let case = done.case().ok_or_else(|| Problem::internal("a command left no order"))?;
    let work = find(&case.fulfillments, id)?;
    Ok(Answer::ok(fulfillment_view(work)).at(case.order.version).replayed(done.repeated))
}

fn find(works: &[Fulfillment], id: FulfillmentId) -> Result<&Fulfillment, Problem> {
    works.iter().find(|work| work.id == id).ok_or_else(|| Problem::not_found("fulfillment", &id.text()))
}

pub async fn fulfillment_get(call: Call) -> Result<Answer, Problem> {
    let id: FulfillmentId = call.segment("id")?;
    let case = call.case(id.order).await?;
    Ok(Answer::ok(fulfillment_view(find(&case.fulfillments, id)?)).at(case.order.version))
}

pub async fn fulfillment_list(call: Call) -> Result<Answer, Problem> {
    let limit = call.limit()?;
    let (status, location) = (call.query::<String>("status")?, call.query::<String>("location")?);
    let filter = OrderFilter { status: Some("open".to_owned()), ..OrderFilter::default() };
    let orders = call.read(move |reader| reader.orders(&filter, None, ORDERS_LOOKED_AT)).await?;
    let mut works: Vec<&Fulfillment> = orders.iter().flat_map(|row| &row.case.fulfillments).collect();
    works.retain(|work| {
        let named = serde_json::to_value(work.status).ok().and_then(|value| value.as_str().map(str::to_owned));
        status.is_none() && !work.status.is_over() && here(work, location.as_deref())
            || status.is_some() && named == status && here(work, location.as_deref())
    });
    works.sort_by_key(|work| (work.created_at, work.id));
    let has_more = works.len() > limit;
    works.truncate(limit);
    Ok(Answer::ok(list(works.into_iter().map(fulfillment_view).collect(), has_more, None)))
}

fn here(work: &Fulfillment, location: Option<&str>) -> bool {
    location.is_none_or(|code| work.location.as_str() == code)
}

pub async fn pick(call: Call) -> Result<Answer, Problem> {
    run(&call, Command::StartPick { fulfillment: call.segment("id")? }).await
}

pub async fn pack(call: Call) -> Result<Answer, Problem> {
    run(&call, Command::Pack { fulfillment: call.segment("id")? }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShortPickBody {
    missing: Vec<MissingBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MissingBody {
    index: u16,
    quantity: Quantity,
}

pub async fn short_pick(call: Call) -> Result<Answer, Problem> {
    let body: ShortPickBody = call.json()?;
    let missing = body.missing.into_iter().map(|line| (line.index, line.quantity)).collect();
    run(&call, Command::ShortPick { fulfillment: call.segment("id")?, missing }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShipBody {
    carrier: Option<Text>,
    tracking_number: Option<Text>,
    tracking_url: Option<Text>,
    #[serde(default)]
    parcels: Vec<ParcelBody>,
    cost: Option<Amount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParcelBody {
    weight_grams: Option<u32>,
    tracking_number: Option<Text>,
}

pub async fn ship(call: Call) -> Result<Answer, Problem> {
    let body: ShipBody = call.json()?;
    let parcels = body.parcels.into_iter();
    let shipment = Shipment {
        carrier: body.carrier.map(Into::into),
        tracking_number: body.tracking_number.map(Into::into),
        tracking_url: body.tracking_url.map(Into::into),
        parcels: parcels
            .map(|parcel| Parcel { weight_grams: parcel.weight_grams, tracking_number: parcel.tracking_number.map(Into::into) })
            .collect(),
        cost: body.cost,
    };
    run(&call, Command::Ship { fulfillment: call.segment("id")?, shipment }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliverBody {
    delivered_at: Option<Timestamp>,
}

pub async fn deliver(call: Call) -> Result<Answer, Problem> {
    let delivered_at = call.json::<DeliverBody>()?.delivered_at;
    run(&call, Command::Deliver { fulfillment: call.segment("id")?, delivered_at }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: Option<Text>,
}

pub async fn cancel(call: Call) -> Result<Answer, Problem> {
    let reason = call.json::<ReasonBody>()?.reason.unwrap_or_else(|| "requested".into()).into();
    run(&call, Command::RequestCancel { fulfillment: call.segment("id")?, reason }).await
}

pub async fn accept_cancel(call: Call) -> Result<Answer, Problem> {
    run(&call, Command::AcceptCancel { fulfillment: call.segment("id")? }).await
}

pub async fn decline_cancel(call: Call) -> Result<Answer, Problem> {
    let reason = call.json::<ReasonBody>()?.reason.map(Into::into);
    run(&call, Command::DeclineCancel { fulfillment: call.segment("id")?, reason }).await
}
