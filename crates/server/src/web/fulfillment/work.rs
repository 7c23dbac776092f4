//! One piece of work: what to take, in big letters; scanned units are checked off.
//!
//! What was scanned stands in the address (`got=0x2.1x1`), so that a reload or a dead battery loses nothing, and no script is needed.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::show::{self, Badge};
use super::super::visit::{Frame, Visit};
use super::promise;
use askama::Template;
use domain::fulfillment::{Fulfillment, FulfillmentState};
use domain::id::FulfillmentId;
use domain::order::Case;
use std::collections::BTreeMap;
use std::sync::Arc;

struct Line {
    index: usize,
    sku: String,
    name: String,
    barcode: String,
    quantity: u32,
    got: u32,
    service: bool,
}

#[derive(Template)]
#[template(path = "work.html")]
struct WorkPage {
    frame: Frame,
    id: String,
    order: String,
    number: String,
    location: String,
    badge: Badge,
    state: &'static str,
    lines: Vec<Line>,
    left: u32,
    got: String,
    scanned: Option<(bool, String)>,
    promise: String,
    late: bool,
    asked_back: bool,
    note: String,
    shipment: String,
    age: String,
}

/// The work of the path, with its order.
///
/// # Errors
/// When there is none.
pub async fn find(visit: &Visit) -> Result<(Arc<Case>, Fulfillment), Fault> {
    let id: FulfillmentId = visit.segment("id", "fulfillment")?;
    let case = visit.case(id.order).await?;
    let work = case.fulfillments.iter().find(|work| work.id == id).cloned();
    work.map(|work| (case, work)).ok_or_else(|| Fault::not_found("fulfillment", &id.text()))
}

pub async fn page(visit: Visit) -> Answer {
    let (case, work) = find(&visit).await?;
    let frame = visit.frame(format!("{} · order {}", work.id, case.order.number), "fulfillment", format!("order/{}", case.order.id));
    let mut got = parse(visit.query.text("got"));
    let scanned = visit.query.some("scan").map(|code| scan(&visit, &work, &mut got, code));
    let time = visit.time();
    let promised = promise(&case, &work);
    let now = visit.now();
    let lines: Vec<Line> = work
        .lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let item = now.items.get(&line.sku);
            Line {
                index,
                sku: line.sku.to_string(),
                name: item.map_or_else(String::new, |item| item.name.to_string()),
                barcode: item.and_then(|item| item.barcode.as_ref()).map_or_else(String::new, ToString::to_string),
                quantity: line.quantity.get(),
                got: got.get(&index).copied().unwrap_or(0).min(line.quantity.get()),
                service: line.part.is_none(),
            }
        })
        .collect();
    drop(now);
    let shipment = work.shipment.as_ref().map_or_else(String::new, |shipment| {
        [shipment.carrier.as_deref(), shipment.tracking_number.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let page = WorkPage {
        frame,
        id: work.id.to_string(),
        order: format!("/orders/{}", case.order.id),
        number: case.order.number.to_string(),
        location: work.location.to_string(),
        badge: show::work_state(work.status),
        state: match work.status {
            FulfillmentState::Released => "released",
            FulfillmentState::Picking => "picking",
            FulfillmentState::Packed => "packed",
            FulfillmentState::Shipped => "shipped",
            FulfillmentState::Delivered | FulfillmentState::ShortPicked | FulfillmentState::Canceled => "over",
        },
        left: lines.iter().filter(|line| !line.service).map(|line| line.quantity - line.got).sum(),
        lines,
        got: write(&got),
        scanned,
        late: promised.is_some_and(|day| day < time.utc_date()) && !work.status.is_over(),
        promise: promised.map_or_else(String::new, show::day),
        asked_back: work.cancel_requested,
        note: case.order.note.as_ref().and_then(|sealed| visit.shop().vault.open_sealed(sealed)).unwrap_or_default(),
        shipment,
        age: show::age(work.created_at, time),
    };
    visit.show(&page)
}

/// `0x2.1x1`: two of the first line, one of the second.
fn parse(text: &str) -> BTreeMap<usize, u32> {
    let pairs = text.split('.').filter_map(|pair| pair.split_once('x'));
    pairs.filter_map(|(index, units)| Some((index.parse().ok()?, units.parse().ok()?))).collect()
}

fn write(got: &BTreeMap<usize, u32>) -> String {
    got.iter().map(|(index, units)| format!("{index}x{units}")).collect::<Vec<_>>().join(".")
}

/// Checks one unit off; tells what was scanned and whether it belongs here.
fn scan(visit: &Visit, work: &Fulfillment, got: &mut BTreeMap<usize, u32>, code: &str) -> (bool, String) {
    let now = visit.now();
    // Scanners and phones differ in case; barcodes do not.
    let is = |sku: &domain::id::Sku| {
        sku.as_str().eq_ignore_ascii_case(code) || now.items.get(sku).is_some_and(|item| item.barcode.as_deref() == Some(code))
    };
    let mut known = None;
    for (index, line) in work.lines.iter().enumerate().filter(|(_, line)| is(&line.sku)) {
        known = Some(&line.sku);
        let units = got.entry(index).or_default();
        if *units < line.quantity.get() {
            *units += 1;
            return (true, format!("{}: {units} of {}", line.sku, line.quantity));
        }
    }
    match known {
        Some(sku) => (false, format!("{sku} is complete already. Put this one back.")),
        None => (false, format!("“{code}” does not belong to this order. Put it back.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_scanned_survives_in_the_address() {
        let got = parse("0x2.3x1.junk.5xz");
        assert_eq!(got, BTreeMap::from([(0, 2), (3, 1)]));
        assert_eq!(write(&got), "0x2.3x1");
    }
}
