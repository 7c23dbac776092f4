//! The list of SKUs with their levels, from the mirror: searched and filtered without reading a file.

use super::super::Answer;
use super::super::mirror::{Now, Standing};
use super::super::show;
use super::super::visit::{Frame, Visit};
use super::{Segment, bar, sum};
use askama::Template;
use domain::catalog::{Item, ItemKind, ItemStatus};
use domain::id::{LocationCode, Sku};
use std::ops::Bound;

/// SKUs on a page.
const PAGE: usize = 50;

struct Row {
    sku: String,
    href: String,
    name: String,
    kind: &'static str,
    bar: Vec<Segment>,
    says: String,
    on_hand: String,
    available: String,
    out: bool,
    allocated: String,
    incoming: String,
    expected: String,
    backordered: String,
    below: bool,
}

#[derive(Template)]
#[template(path = "stock.html")]
struct Stock {
    frame: Frame,
    q: String,
    show: String,
    tabs: Vec<(&'static str, &'static str, bool)>,
    locations: Vec<(String, String, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
    filtered: bool,
    total: String,
}

struct Asked {
    q: String,
    location: Option<LocationCode>,
    show: String,
}

pub async fn page(visit: Visit) -> Answer {
    let query = &visit.query;
    let asked =
        Asked { q: query.text("q").to_lowercase(), location: query.maybe("location", "Location")?, show: query.text("show").to_owned() };
    let after: Option<Sku> = query.maybe("after", "Page")?;
    let frame = visit.frame("Stock", "stock", "stock");
    let now = visit.now();
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut found: Vec<&Item> = Vec::with_capacity(PAGE + 1);
    for item in now.items.range((start, Bound::Unbounded)).map(|(_, item)| item.as_ref()) {
        if matches(&now, &asked, item) {
            found.push(item);
        }
        if found.len() > PAGE {
            break;
        }
    }
    let next = (found.len() > PAGE).then(|| query.query(&["after"], &[("after", found[PAGE - 1].sku.as_str())]));
    found.truncate(PAGE);
    let tabs =
        [("All", ""), ("Out", "out"), ("Low", "low"), ("Backordered", "backordered"), ("Incoming", "incoming"), ("Retired", "retired")];
    let locations = now.locations.values().map(|at| (at.code.to_string(), at.name.to_string(), Some(&at.code) == asked.location.as_ref()));
    let page = Stock {
        frame,
        q: query.text("q").to_owned(),
        tabs: tabs.map(|(label, key)| (label, key, asked.show == key)).to_vec(),
        locations: locations.collect(),
        rows: found.into_iter().map(|item| row(&now, &asked, item)).collect(),
        next,
        filtered: !asked.q.is_empty() || asked.location.is_some() || !asked.show.is_empty(),
        total: show::count(now.items.len() as u64),
        show: asked.show,
    };
    drop(now);
    visit.show(&page)
}

fn standing(now: &Now, asked: &Asked, sku: &Sku) -> Option<Standing> {
    let levels = now.levels.get(sku)?;
    match &asked.location {
        Some(location) => levels.get(location).copied(),
        None => Some(sum(levels.values())),
    }
}

/// At or below the reorder point of any policy that is asked about.
fn is_below(now: &Now, asked: &Asked, sku: &Sku) -> bool {
    let levels = now.levels.get(sku).into_iter().flatten();
    let mut here = levels.filter(|(at, _)| asked.location.as_ref().is_none_or(|location| location == *at));
    here.any(|(at, level)| {
        let policy = now.policies.get(&(sku.clone(), at.clone())).filter(|policy| policy.active);
        policy.is_some_and(|policy| level.position <= policy.reorder_point.signed())
    })
}

fn matches(now: &Now, asked: &Asked, item: &Item) -> bool {
    let retired = item.status == ItemStatus::Retired;
    // A search finds what is retired, too.
    let shown = retired == (asked.show == "retired") || (retired && !asked.q.is_empty());
    if !shown {
        return false;
    }
    let has = |text: &str| text.to_lowercase().contains(&asked.q);
    if !asked.q.is_empty() && !has(item.sku.as_str()) && !has(&item.name) && !item.barcode.as_deref().is_some_and(has) {
        return false;
    }
    let level = || standing(now, asked, &item.sku);
    match asked.show.as_str() {
        "out" => item.kind == ItemKind::Stocked && level().is_none_or(|level| level.available.is_zero()),
        "low" => is_below(now, asked, &item.sku),
        "backordered" => level().is_some_and(|level| !level.backordered.is_zero()),
        "incoming" => level().is_some_and(|level| !level.incoming.is_zero()),
        _ => asked.location.is_none() || level().is_some(),
    }
}

fn row(now: &Now, asked: &Asked, item: &Item) -> Row {
    let standing = standing(now, asked, &item.sku).unwrap_or_default();
    let dash = |units: domain::quantity::Quantity| if units.is_zero() { "–".to_owned() } else { show::count(units.get()) };
    let stocked = item.kind == ItemKind::Stocked;
    Row {
        sku: item.sku.to_string(),
        href: show::stock_path(item.sku.as_str()),
        name: item.name.to_string(),
        kind: match &item.kind {
            ItemKind::Stocked => "",
            ItemKind::Kit { .. } => "Kit",
            ItemKind::Service => "Service",
        },
        bar: bar(&standing),
        says: says(&standing),
        on_hand: if stocked { show::count(standing.on_hand.get()) } else { "–".to_owned() },
        available: if stocked { show::count(standing.available.get()) } else { "–".to_owned() },
        out: stocked && standing.available.is_zero(),
        allocated: dash(standing.allocated),
        incoming: dash(standing.incoming),
        expected: standing.next_expected.map_or_else(String::new, show::day),
        backordered: dash(standing.backordered),
        below: is_below(now, asked, &item.sku),
    }
}

/// A bar in words.
pub fn says(standing: &Standing) -> String {
    let parts = [
        ("available", standing.available),
        ("allocated", standing.allocated),
        ("held", standing.held),
        ("unavailable", standing.unavailable),
        ("backordered", standing.backordered),
    ];
    let told: Vec<String> = parts.iter().filter(|(_, units)| !units.is_zero()).map(|(name, units)| format!("{units} {name}")).collect();
    format!("{} on hand: {}", standing.on_hand, if told.is_empty() { "nothing".to_owned() } else { told.join(", ") })
}
