//! What is printed: a pick list of all that waits at a location, and a packing slip that goes into the parcel.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::show;
use super::super::visit::{Frame, Visit};
use super::work::find;
use askama::Template;
use domain::fulfillment::FulfillmentState;
use domain::id::{LocationCode, Sku};
use std::collections::BTreeMap;

/// Most pieces of work on one list.
const WORKS: usize = 40;

struct Pick {
    sku: String,
    name: String,
    barcode: String,
    units: u32,
    orders: String,
}

#[derive(Template)]
#[template(path = "pick_list.html")]
struct PickList {
    frame: Frame,
    location: String,
    at: String,
    picks: Vec<Pick>,
    works: usize,
}

/// By SKU, so that each shelf is visited once.
pub async fn pick_list(visit: Visit) -> Answer {
    let location: LocationCode = visit.query.need("location", "Location")?;
    let works: Vec<_> = {
        let now = visit.now();
        let works = now.pipeline.work_at(&location, FulfillmentState::Released);
        works.into_iter().flatten().take(WORKS).map(|(_, id)| *id).collect()
    };
    let asked = works.clone();
    let cases = visit.read(move |reader| asked.iter().map(|id| reader.case(id.order)).collect::<Result<Vec<_>, _>>()).await?;
    let mut picks: BTreeMap<Sku, (u32, Vec<String>)> = BTreeMap::new();
    for (id, case) in works.iter().zip(&cases) {
        let Some(work) = case.as_ref().and_then(|case| case.fulfillments.iter().find(|work| work.id == *id)) else { continue };
        for line in work.lines.iter().filter(|line| line.part.is_some()) {
            let pick = picks.entry(line.sku.clone()).or_default();
            pick.0 += line.quantity.get();
            pick.1.push(format!("{} × #{}", line.quantity, show::number(id.order)));
        }
    }
    let frame = visit.frame(format!("Pick list {location}"), "fulfillment", "");
    let now = visit.now();
    let rows = picks.into_iter().map(|(sku, (units, orders))| {
        let item = now.items.get(&sku);
        Pick {
            name: item.map_or_else(String::new, |item| item.name.to_string()),
            barcode: item.and_then(|item| item.barcode.as_ref()).map_or_else(String::new, ToString::to_string),
            sku: sku.to_string(),
            units,
            orders: orders.join(", "),
        }
    });
    let page =
        PickList { frame, location: location.to_string(), at: show::moment(visit.time()), picks: rows.collect(), works: works.len() };
    drop(now);
    visit.show(&page)
}

#[derive(Template)]
#[template(path = "packing_slip.html")]
struct Slip {
    frame: Frame,
    id: String,
    number: String,
    placed: String,
    to: Vec<String>,
    lines: Vec<(String, String, String)>,
    rest: String,
}

pub async fn packing_slip(visit: Visit) -> Answer {
    let (case, work) = find(&visit).await?;
    let frame = visit.frame(format!("Packing slip {}", work.id), "fulfillment", "");
    let to = super::super::orders::one::ship_to(&visit, &case);
    let lines = work.lines.iter().map(|line| {
        let name = case.order.line(line.line).map_or_else(String::new, |line| line.name.to_string());
        (line.quantity.to_string(), line.sku.to_string(), name)
    });
    let rest = case.order.lines.iter().any(|line| line.shipped() + line.canceled < line.ordered) && case.fulfillments.len() > 1;
    let page = Slip {
        frame,
        id: work.id.to_string(),
        number: case.order.number.to_string(),
        placed: show::day(case.order.created_at.utc_date()),
        to,
        lines: lines.collect(),
        rest: if rest { "Other items of this order come separately.".to_owned() } else { String::new() },
    };
    if work.lines.is_empty() {
        return Err(Fault::not_found("line of", &work.id.text()));
    }
    visit.show(&page)
}
