//! The warehouse: a board of work by location, oldest first, for a phone as well as a desk.

pub mod actions;
pub mod paper;
pub mod work;

use super::Answer;
use super::fault::Fault;
use super::mirror::Work;
use super::overview::STUCK_MS;
use super::show;
use super::visit::{Frame, Visit};
use askama::Template;
use axum::response::{IntoResponse, Redirect};
use domain::fulfillment::{Fulfillment, FulfillmentState};
use domain::id::{FulfillmentId, LocationCode, OrderId};
use domain::order::Case;
use domain::time::Timestamp;
use std::sync::Arc;

/// Cards of each column.
const CARDS: usize = 25;

struct Card {
    id: String,
    number: String,
    units: String,
    lines: String,
    skus: String,
    age: String,
    promise: String,
    late: bool,
    asked_back: bool,
}

struct Column {
    key: &'static str,
    label: &'static str,
    count: String,
    cards: Vec<Card>,
    more: usize,
}

#[derive(Template)]
#[template(path = "fulfillment.html")]
struct Board {
    frame: Frame,
    locations: Vec<(String, String, usize, bool)>,
    location: String,
    columns: Vec<Column>,
    stuck: bool,
    missing: String,
    any: bool,
}

const COLUMNS: [(FulfillmentState, &str, &str); 3] = [
    (FulfillmentState::Released, "released", "To pick"),
    (FulfillmentState::Picking, "picking", "Picking"),
    (FulfillmentState::Packed, "packed", "Packed"),
];

pub async fn page(visit: Visit) -> Answer {
    let find = visit.query.text("find").to_owned();
    if let Some(to) = scanned(&visit, &find).await? {
        return Ok(Redirect::to(&to).into_response());
    }
    let time = visit.time();
    let stuck = visit.query.some("stuck").is_some();
    let (locations, chosen) = locations(&visit)?;
    let before = Timestamp(if stuck { time.0 - STUCK_MS } else { i64::MAX });
    let works: Vec<(usize, Vec<Work>)> = {
        let now = visit.now();
        let of = |state| {
            let works = chosen.as_ref().and_then(|at| now.pipeline.work_at(at, state));
            let works: Vec<Work> = works.into_iter().flatten().filter(|(since, _)| *since < before).take(CARDS + 1).copied().collect();
            let count = if works.len() > CARDS {
                chosen.as_ref().and_then(|at| now.pipeline.work_at(at, state)).map_or(0, |works| works.len())
            } else {
                works.len()
            };
            (count, works)
        };
        COLUMNS.map(|(state, ..)| of(state)).to_vec()
    };
    let cases = cases(&visit, works.iter().flat_map(|(_, works)| works.iter().take(CARDS)).map(|(_, id)| id.order).collect()).await?;
    let columns = works.into_iter().zip(COLUMNS).map(|((count, works), (_, key, label))| {
        let cards = works.iter().take(CARDS).filter_map(|(_, id)| card(&cases, *id, time));
        Column { key, label, count: show::count(count as u64), cards: cards.collect(), more: count.saturating_sub(CARDS) }
    });
    let any = !locations.is_empty();
    let page = Board {
        columns: columns.collect(),
        frame: visit.frame("Fulfillment", "fulfillment", "order"),
        location: chosen.map_or_else(String::new, |at| at.to_string()),
        locations,
        stuck,
        missing: find,
        any,
    };
    visit.show(&page)
}

/// Locations with their open work, and the one that is shown: asked for, or the one with most to do.
fn locations(visit: &Visit) -> Result<(Vec<(String, String, usize, bool)>, Option<LocationCode>), Fault> {
    let asked: Option<LocationCode> = visit.query.maybe("location", "Location")?;
    let now = visit.now();
    let open = |code: &LocationCode| {
        COLUMNS.iter().filter_map(|(state, ..)| now.pipeline.work_at(code, *state)).map(|works| works.len()).sum::<usize>()
    };
    let mut found: Vec<(&LocationCode, String, usize)> =
        now.locations.values().filter(|at| at.active).map(|at| (&at.code, at.name.to_string(), open(&at.code))).collect();
    found.sort_by_key(|(code, _, open)| (std::cmp::Reverse(*open), (*code).clone()));
    let chosen = asked.or_else(|| found.first().map(|(code, ..)| (*code).clone()));
    let rows = found.into_iter().map(|(code, name, open)| (code.to_string(), name, open, Some(code) == chosen.as_ref()));
    Ok((rows.collect(), chosen))
}

async fn cases(visit: &Visit, ids: Vec<OrderId>) -> Result<Vec<Arc<Case>>, Fault> {
    let cases = visit.read(move |reader| ids.into_iter().map(|id| reader.case(id)).collect::<Result<Vec<_>, _>>()).await?;
    Ok(cases.into_iter().flatten().collect())
}

fn card(cases: &[Arc<Case>], id: FulfillmentId, now: Timestamp) -> Option<Card> {
    let case = cases.iter().find(|case| case.order.id == id.order)?;
    let work = case.fulfillments.iter().find(|work| work.id == id)?;
    let units: u32 = work.lines.iter().map(|line| line.quantity.get()).sum();
    let promise = promise(case, work);
    let skus: Vec<String> = work.lines.iter().take(3).map(|line| format!("{} × {}", line.quantity, line.sku)).collect();
    Some(Card {
        id: id.to_string(),
        number: case.order.number.to_string(),
        units: show::plural(units as usize, "unit", "units"),
        lines: show::plural(work.lines.len(), "line", "lines"),
        skus: format!("{}{}", skus.join(", "), if work.lines.len() > 3 { " …" } else { "" }),
        age: show::age(work.created_at, now),
        promise: promise.map_or_else(String::new, show::day),
        late: promise.is_some_and(|day| day < now.utc_date()),
        asked_back: work.cancel_requested,
    })
}

/// The first day that was promised for what is in it.
pub fn promise(case: &Case, work: &Fulfillment) -> Option<domain::time::Date> {
    let lines = work.lines.iter().filter_map(|line| case.order.line(line.line));
    lines.filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).min()
}

/// What was scanned or typed: a fulfillment, or an order with open work.
async fn scanned(visit: &Visit, text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim_start_matches('#');
    if let Ok(id) = text.parse::<FulfillmentId>() {
        return Ok(Some(format!("/fulfillment/{id}")));
    }
    let by_number = text.parse::<u64>().ok().and_then(|number| number.checked_sub(domain::state::FIRST_ORDER_NUMBER)).map(OrderId);
    let Some(order) = text.parse::<OrderId>().ok().or(by_number) else { return Ok(None) };
    let Some(case) = visit.read(move |reader| reader.case(order)).await? else { return Ok(None) };
    let open = case.fulfillments.iter().find(|work| !work.status.is_over()).or(case.fulfillments.last());
    Ok(open.map(|work| format!("/fulfillment/{}", work.id)))
}
