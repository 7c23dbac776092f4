//! Returns, with an order or blind.

use super::call::{Answer, Call, Done, object};
use super::problem::Problem;
use super::text::Text;
use domain::Image;
use domain::command::returns::{Arrived, BlindReturn, Command};
use domain::id::{LineId, LocationCode, OrderId, ReturnId, Sku};
use domain::quantity::Quantity;
use domain::returns::{Disposition, Return};
use serde::Deserialize;
use serde_json::Value;

fn view(known: &Return) -> Value {
    object("return", known)
}

fn answer(done: &Done, id: Option<ReturnId>) -> Result<Answer, Problem> {
    let of_case = done.case().and_then(|case| case.returns.iter().rfind(|known| id.is_none_or(|id| known.id == id)).map(view));
    let blind = done.images.iter().find_map(|image| match image {
        Image::Return(_, Some(known)) => Some(view(known)),
        _ => None,
    });
    let body = blind.or(of_case).ok_or_else(|| Problem::internal("a return left no image"))?;
    Ok(Answer::ok(body).replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestBody {
    order: Option<OrderId>,
    location: Option<LocationCode>,
    external_id: Option<Text>,
    reason: Option<Text>,
    lines: Vec<LineBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineBody {
    /// Line of the order; a blind return names the SKU.
    id: Option<LineId>,
    sku: Option<Sku>,
    quantity: Quantity,
    disposition: Option<Disposition>,
}

pub async fn return_create(call: Call) -> Result<Answer, Problem> {
    let body: RequestBody = call.json()?;
    let reason = body.reason.map(Into::into);
    let command = match (body.order, body.location) {
        (Some(order), None) => {
            let lines = body.lines.into_iter().map(|line| {
                let id = line.id.ok_or_else(|| Problem::bad_field("lines", "name the order's line by its id"))?;
                Ok((id, line.quantity))
            });
            Command::Request { order, lines: lines.collect::<Result<_, Problem>>()?, reason }
        }
        (None, Some(location)) => {
            let lines = body.lines.into_iter().map(|line| {
                let sku = line.sku.ok_or_else(|| Problem::bad_field("lines", "name the SKU that came back"))?;
                Ok((sku, line.quantity, line.disposition.unwrap_or(Disposition::Restock)))
            });
            let (external_id, lines) = (body.external_id.map(Into::into), lines.collect::<Result<_, Problem>>()?);
            Command::ReceiveBlind(BlindReturn { location, external_id, reason, occurred_at: None, lines })
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::bad_field("order", "send either \"order\" for a return of an order, or \"location\" for a blind one"));
        }
    };
    let done = call.submit(command).await?;
    Ok(Answer { status: axum::http::StatusCode::CREATED, ..answer(&done, None)? })
}

pub async fn return_get(call: Call) -> Result<Answer, Problem> {
    let id: ReturnId = call.segment("id")?;
    let found = match id.order {
        Some(order) => call.case(order).await?.returns.iter().find(|known| known.id == id).map(view),
        None => match call.read(move |reader| reader.entity("return", &id.text())).await? {
            Some(Image::Return(_, Some(known))) => Some(view(&known)),
            _ => None,
        },
    };
    found.map(Answer::ok).ok_or_else(|| Problem::not_found("return", &id.text()))
}

pub async fn return_approve(call: Call) -> Result<Answer, Problem> {
    let id = call.segment("id")?;
    answer(&call.submit(Command::Approve { id }).await?, Some(id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: Text,
}

pub async fn return_reject(call: Call) -> Result<Answer, Problem> {
    let (id, reason) = (call.segment("id")?, call.json::<ReasonBody>()?.reason.into());
    answer(&call.submit(Command::Reject { id, reason }).await?, Some(id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiveBody {
    location: LocationCode,
    lines: Vec<ArrivedBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArrivedBody {
    index: u16,
    quantity: Quantity,
    disposition: Disposition,
}

pub async fn return_receive(call: Call) -> Result<Answer, Problem> {
    let (id, body): (ReturnId, ReceiveBody) = (call.segment("id")?, call.json()?);
    let lines = body.lines.into_iter();
    let lines = lines.map(|line| Arrived { index: line.index, disposition: line.disposition, quantity: line.quantity }).collect();
    answer(&call.submit(Command::Receive { id, location: body.location, lines }).await?, Some(id))
}

pub async fn return_close(call: Call) -> Result<Answer, Problem> {
    let id = call.segment("id")?;
    answer(&call.submit(Command::Close { id }).await?, Some(id))
}
