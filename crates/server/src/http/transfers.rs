//! Transfers: drafted, shipped, received.

use super::call::{Answer, Call, Done, object};
use super::catalog::{entities, entity};
use super::problem::Problem;
use super::text::Text;
use domain::Image;
use domain::command::transfer::{ArrivedUnits, Command, TransferUnits};
use domain::id::{LocationCode, Sku, TransferId};
use domain::quantity::Quantity;
use domain::time::Date;
use serde::Deserialize;

fn answer(done: &Done) -> Result<Answer, Problem> {
    let found = done.images.iter().find_map(|image| match image {
        Image::Transfer(_, Some(transfer)) => Some(Answer::ok(object("transfer", transfer.as_ref())).at(transfer.version)),
        _ => None,
    });
    Ok(found.ok_or_else(|| Problem::internal("a transfer left no image"))?.replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsBody {
    sku: Sku,
    quantity: Quantity,
}

fn units(lines: Vec<UnitsBody>) -> Vec<TransferUnits> {
    lines.into_iter().map(|line| TransferUnits { sku: line.sku, quantity: line.quantity }).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    from: LocationCode,
    to: LocationCode,
    reference: Option<Text>,
    expected_on: Option<Date>,
    lines: Vec<UnitsBody>,
}

pub async fn transfer_create(call: Call) -> Result<Answer, Problem> {
    let body: CreateBody = call.json()?;
    let (reference, expected_on, lines) = (body.reference.map(Into::into), body.expected_on, units(body.lines));
    let done = call.submit(Command::CreateTransfer { from: body.from, to: body.to, reference, expected_on, lines }).await?;
    Ok(Answer { status: axum::http::StatusCode::CREATED, ..answer(&done)? })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmendBody {
    #[serde(default)]
    lines: Vec<UnitsBody>,
    expected_on: Option<Date>,
}

pub async fn transfer_amend(call: Call) -> Result<Answer, Problem> {
    let body: AmendBody = call.json()?;
    let (transfer, expected_version) = (call.segment("id")?, call.if_match()?);
    let command = Command::AmendTransfer { transfer, lines: units(body.lines), expected_on: body.expected_on, expected_version };
    answer(&call.submit(command).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShipBody {
    #[serde(default)]
    lines: Vec<UnitsBody>,
    expected_on: Option<Date>,
    carrier: Option<Text>,
    tracking_number: Option<Text>,
}

pub async fn transfer_ship(call: Call) -> Result<Answer, Problem> {
    let body: ShipBody = call.json()?;
    let command = Command::ShipTransfer {
        transfer: call.segment("id")?,
        lines: units(body.lines),
        expected_on: body.expected_on,
        carrier: body.carrier.map(Into::into),
        tracking_number: body.tracking_number.map(Into::into),
        expected_version: call.if_match()?,
    };
    answer(&call.submit(command).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiveBody {
    lines: Vec<ArrivedBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArrivedBody {
    sku: Sku,
    accepted: Quantity,
    #[serde(default)]
    damaged: Quantity,
}

pub async fn transfer_receive(call: Call) -> Result<Answer, Problem> {
    let lines = call.json::<ReceiveBody>()?.lines.into_iter();
    let lines = lines.map(|line| ArrivedUnits { sku: line.sku, accepted: line.accepted, damaged: line.damaged }).collect();
    let (transfer, expected_version) = (call.segment("id")?, call.if_match()?);
    answer(&call.submit(Command::ReceiveTransfer { transfer, lines, expected_version }).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: Option<Text>,
}

pub async fn transfer_close_lost(call: Call) -> Result<Answer, Problem> {
    let reason = call.json::<ReasonBody>()?.reason.map(Into::into);
    let (transfer, expected_version) = (call.segment("id")?, call.if_match()?);
    answer(&call.submit(Command::CloseLost { transfer, reason, expected_version }).await?)
}

pub async fn transfer_cancel(call: Call) -> Result<Answer, Problem> {
    let reason = call.json::<ReasonBody>()?.reason.unwrap_or_else(|| "requested".into()).into();
    let (transfer, expected_version) = (call.segment("id")?, call.if_match()?);
    answer(&call.submit(Command::CancelTransfer { transfer, reason, expected_version }).await?)
}

pub async fn transfer_get(call: Call) -> Result<Answer, Problem> {
    entity!(call, Transfer, "transfer", call.segment::<TransferId>("id")?)
}

pub async fn transfer_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Transfer, "transfer")
}
