//! Cycle counts: opened, recorded, posted.

use super::call::{Answer, Call, Done, object};
use super::catalog::{entities, entity};
use super::problem::Problem;
use super::text::Text;
use domain::Image;
use domain::command::count::{Command, CountedLine};
use domain::id::{CountId, LocationCode, Sku};
use domain::quantity::Quantity;
use domain::time::Timestamp;
use serde::Deserialize;

fn answer(done: &Done) -> Result<Answer, Problem> {
    let found = done.images.iter().find_map(|image| match image {
        Image::Count(_, Some(count)) => Some(Answer::ok(object("count", count.as_ref())).at(count.version)),
        _ => None,
    });
    Ok(found.ok_or_else(|| Problem::internal("a count left no image"))?.replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenBody {
    location: LocationCode,
    skus: Vec<Sku>,
    reference: Option<Text>,
}

pub async fn count_open(call: Call) -> Result<Answer, Problem> {
    let body: OpenBody = call.json()?;
    let (location, skus, reference) = (body.location, body.skus, body.reference.map(Into::into));
    let done = call.submit(Command::OpenCount { location, skus, reference }).await?;
    Ok(Answer { status: axum::http::StatusCode::CREATED, ..answer(&done)? })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordBody {
    lines: Vec<CountedBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountedBody {
    sku: Sku,
    counted: Quantity,
    counted_at: Option<Timestamp>,
}

pub async fn count_record(call: Call) -> Result<Answer, Problem> {
    let lines = call.json::<RecordBody>()?.lines.into_iter();
    let lines = lines.map(|line| CountedLine { sku: line.sku, counted: line.counted, counted_at: line.counted_at }).collect();
    answer(&call.submit(Command::RecordCount { count: call.segment("id")?, lines, expected_version: call.if_match()? }).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostBody {
    #[serde(default)]
    approve: bool,
}

pub async fn count_post(call: Call) -> Result<Answer, Problem> {
    let approve = call.json::<PostBody>()?.approve;
    answer(&call.submit(Command::PostCount { count: call.segment("id")?, approve, expected_version: call.if_match()? }).await?)
}

pub async fn count_cancel(call: Call) -> Result<Answer, Problem> {
    answer(&call.submit(Command::CancelCount { count: call.segment("id")?, expected_version: call.if_match()? }).await?)
}

pub async fn count_get(call: Call) -> Result<Answer, Problem> {
    entity!(call, Count, "count", call.segment::<CountId>("id")?)
}

pub async fn count_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Count, "count")
}
