//! Holds: stock reserved for a cart.

use super::call::{Answer, Call, Done, object};
use super::catalog::{entities, entity};
use super::problem::Problem;
use domain::Image;
use domain::command::stock::{Command, CreateHold, WantedLine};
use domain::id::{ChannelCode, HoldId, LocationCode, Sku};
use domain::quantity::Quantity;
use serde::Deserialize;
use serde_json::Value;

const TTL_S_DEFAULT: i64 = 900;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    owner: String,
    channel: Option<ChannelCode>,
    ttl_seconds: Option<i64>,
    lines: Vec<HoldLineBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldLineBody {
    sku: Sku,
    quantity: Quantity,
    location: Option<LocationCode>,
}

fn view(done: &Done) -> Result<(Value, u64), Problem> {
    let found = done.images.iter().find_map(|image| match image {
        Image::Hold(_, Some(hold)) => Some((object("hold", hold.as_ref()), hold.version)),
        _ => None,
    });
    found.ok_or_else(|| Problem::internal("a hold left no image"))
}

pub async fn hold_create(call: Call) -> Result<Answer, Problem> {
    let body: HoldBody = call.json()?;
    let lines = body.lines.into_iter().map(|line| WantedLine { sku: line.sku, quantity: line.quantity, location: line.location });
    let ttl_ms = body.ttl_seconds.unwrap_or(TTL_S_DEFAULT).saturating_mul(1000);
    let command = CreateHold { owner: body.owner.into(), channel: body.channel, ttl_ms, lines: lines.collect() };
    let done = call.submit(Command::CreateHold(command)).await?;
    let (body, version) = view(&done)?;
    Ok(Answer::created(body).at(version).replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtendBody {
    ttl_seconds: Option<i64>,
}

pub async fn hold_extend(call: Call) -> Result<Answer, Problem> {
    let ttl_ms = call.json::<ExtendBody>()?.ttl_seconds.unwrap_or(TTL_S_DEFAULT).saturating_mul(1000);
    let done = call.submit(Command::ExtendHold { hold: call.segment("id")?, ttl_ms }).await?;
    let (body, version) = view(&done)?;
    Ok(Answer::ok(body).at(version).replayed(done.repeated))
}

pub async fn hold_release(call: Call) -> Result<Answer, Problem> {
    let done = call.submit(Command::ReleaseHold { hold: call.segment("id")? }).await?;
    let (body, version) = view(&done)?;
    Ok(Answer::ok(body).at(version).replayed(done.repeated))
}

pub async fn hold_get(call: Call) -> Result<Answer, Problem> {
    entity!(call, Hold, "hold", call.segment::<HoldId>("id")?)
}

pub async fn hold_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Hold, "hold")
}
