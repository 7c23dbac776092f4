//! One SKU: its levels, chart, ledger, why it can't be sold, who waits for it and what is on its way; now or as of a past moment.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::foresee;
use super::super::mirror::{Now, Standing};
use super::super::show::{self, Badge};
use super::super::visit::{Frame, Visit};
use super::chart::{self, Chart};
use super::list::says;
use super::policy;
use super::{Segment, bar, sum};
use askama::Template;
use domain::catalog::{ItemKind, ItemStatus};
use domain::id::{LocationCode, OrderId, Sku};
use domain::order::Case;
use domain::quantity::Quantity;
use domain::stock::{Reason, Sellable, sellable, why_not};
use domain::time::Timestamp;
use engine::LedgerRow;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Movements of the page, and of the chart.
const LEDGER: usize = 40;
const CHART: usize = 300;
/// Open orders that are shown.
const ORDERS: usize = 12;

struct LevelView {
    location: String,
    name: String,
    bar: Vec<Segment>,
    says: String,
    numbers: Vec<(&'static str, String)>,
    policy: String,
    chosen: bool,
}

struct Movement {
    seq: u64,
    kind: String,
    quantity: String,
    location: String,
    href: Option<String>,
    subject: String,
    actor: String,
    at: String,
    full: String,
    on_hand: String,
    available: String,
}

struct Why {
    channel: String,
    units: String,
    reasons: Vec<String>,
}

struct Purchase {
    href: String,
    id: String,
    badge: Badge,
    units: String,
    expected: String,
    late: bool,
}

struct Waiting {
    href: String,
    number: String,
    badge: Badge,
    units: String,
    promise: String,
}

#[derive(Template)]
#[template(path = "sku.html")]
struct SkuPage {
    frame: Frame,
    sku: String,
    path: String,
    name: String,
    facts: Vec<(&'static str, String)>,
    kind: &'static str,
    retired: bool,
    total: Vec<(&'static str, String)>,
    levels: Vec<LevelView>,
    chart: Option<Chart>,
    chart_at: String,
    whys: Vec<Why>,
    ledger: Vec<Movement>,
    older: Option<u64>,
    orders: Vec<Waiting>,
    purchases: Vec<Purchase>,
    as_of: Option<String>,
    as_of_time: String,
}

/// What is read for the page.
struct Read {
    ledger: Vec<LedgerRow>,
    chart: Vec<LedgerRow>,
    past: Option<Vec<LedgerRow>>,
    cases: Vec<Arc<Case>>,
    whys: Vec<Why>,
}

pub async fn page(visit: Visit) -> Answer {
    let sku: Sku = visit.segment("sku", "SKU")?;
    let as_of = moment(&visit).await?;
    let at = {
        let now = visit.now();
        if !now.items.contains_key(&sku) {
            return Err(Fault::not_found("SKU", sku.as_str()));
        }
        chart_location(&visit, &now, &sku)?
    };
    let read = read(&visit, &sku, at.clone(), as_of).await?;
    let watch = if as_of.is_none() { format!("stock/{sku} order purchase_order") } else { String::new() };
    // Orders change all the time; what matters here of them changes the level as well.
    let watch = watch.replace(" order purchase_order", "");
    let frame = visit.frame(sku.to_string(), "stock", watch);
    let page = view(&visit, frame, &sku, at.as_ref(), read, as_of);
    visit.show(&page)
}

/// `as_of`: a sequence, or a time as a browser's field writes it (UTC).
async fn moment(visit: &Visit) -> Result<Option<u64>, Fault> {
    let Some(text) = visit.query.some("as_of") else { return Ok(None) };
    if let Ok(seq) = text.parse() {
        return visit.recorded(seq).map(Some);
    }
    let whole = if text.len() == 16 { format!("{text}:00Z") } else { format!("{}Z", text.trim_end_matches('Z')) };
    let time = Timestamp::parse(&whole).map_err(|_| Fault::invalid(format!("“{text}” is no moment.")))?;
    Ok(Some(visit.read(move |reader| reader.seq_at(time.0)).await?))
}

/// The location that is asked for, or the one with most on hand.
fn chart_location(visit: &Visit, now: &Now, sku: &Sku) -> Result<Option<LocationCode>, Fault> {
    if let Some(code) = visit.query.maybe::<LocationCode>("location", "Location")? {
        return Ok(Some(code));
    }
    let levels = now.levels.get(sku).into_iter().flatten();
    Ok(levels.max_by_key(|(_, level)| level.on_hand.get() + level.allocated.get()).map(|(code, _)| code.clone()))
}

async fn read(visit: &Visit, sku: &Sku, at: Option<LocationCode>, as_of: Option<u64>) -> Result<Read, Fault> {
    let before = visit.query.maybe::<u64>("before", "Sequence")?.unwrap_or(u64::MAX).min(as_of.map_or(u64::MAX, |seq| seq + 1));
    let chosen = visit.query.some("location").map(str::to_owned);
    let (wanted, parts) = (sku.clone(), with_components(&visit.now(), sku));
    let copy = foresee::Copy::of(visit, parts);
    let channels: Vec<_> = visit.now().channels.values().filter(|channel| channel.active).cloned().collect();
    let read = visit.read(move |reader| {
        let text = wanted.to_string();
        let ledger = reader.ledger(&text, chosen.as_deref(), before, LEDGER + 1)?;
        let chart = match &at {
            Some(at) => reader.ledger(&text, Some(at.as_str()), as_of.map_or(u64::MAX, |seq| seq + 1), CHART)?,
            None => Vec::new(),
        };
        let past = as_of.map(|seq| reader.levels_as_of(&text, seq)).transpose()?;
        let ids: BTreeSet<OrderId> =
            chart.iter().chain(&ledger).filter_map(|row| row.subject.strip_prefix("order/")?.parse().ok()).collect();
        let mut cases = Vec::new();
        for id in ids.into_iter().rev() {
            let case = reader.case(id)?.filter(|case| !case.order.is_closed() && waits(case, &wanted).is_some());
            cases.extend(case);
            if cases.len() == ORDERS {
                break;
            }
        }
        let state = copy.state(reader, None)?.0;
        let whys = channels.iter().filter_map(|channel| {
            let units = sellable(&state, channel, &wanted)?;
            let reasons = why_not(&state, channel, &wanted).iter().map(reason).collect();
            let units = match units {
                Sellable::Units(units) => show::count(units.get()),
                Sellable::Unlimited => "unlimited".to_owned(),
            };
            Some(Why { channel: channel.name.to_string(), units, reasons })
        });
        Ok(Read { whys: whys.collect(), ledger, chart, past, cases })
    });
    read.await
}

fn with_components(now: &Now, sku: &Sku) -> Vec<Sku> {
    let mut skus = vec![sku.clone()];
    if let Some(ItemKind::Kit { components, .. }) = now.items.get(sku).map(|item| &item.kind) {
        skus.extend(components.iter().map(|part| part.sku.clone()));
    }
    skus
}

/// Units of the SKU that an order still has to ship: allocated, backordered.
fn waits(case: &Case, sku: &Sku) -> Option<(Quantity, Quantity)> {
    let parts = case.order.parts().filter(|part| part.sku == *sku && !part.open().is_zero());
    let sums = parts.fold((Quantity::ZERO, Quantity::ZERO), |(a, b), part| (a + part.allocated(), b + part.backordered()));
    (sums != (Quantity::ZERO, Quantity::ZERO)).then_some(sums)
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Retired => "It is retired and sold no more.".to_owned(),
        Reason::ComponentShort { sku, per_kit, available } => format!("A kit takes {per_kit} of {sku}; {available} are available."),
        Reason::ComponentsApart { kits, kits_if_together } => {
            format!("Its components stand at different locations: {kits} can ship whole, {kits_if_together} if they stood together.")
        }
        Reason::NoLocation => "No location that the channel sells from has ever kept it.".to_owned(),
        Reason::NothingOnHand { location, backordered } if backordered.is_zero() => format!("Nothing is on hand at {location}."),
        Reason::NothingOnHand { location, backordered } => format!("Nothing is on hand at {location}, and {backordered} are owed already."),
        Reason::Allocated { location, quantity } => format!("{quantity} at {location} are allocated to placed orders."),
        Reason::Held { location, quantity } => format!("{quantity} at {location} are held for carts."),
        Reason::Unavailable { location, quantity } => format!("{quantity} at {location} are damaged or in quality control."),
        Reason::SafetyStock { location, quantity } => format!("{quantity} at {location} are kept back as safety stock."),
        Reason::ChannelBuffer { quantity } => format!("{quantity} are kept back from the channel as its buffer."),
        Reason::Incoming { location, quantity, expected_on } => match expected_on {
            Some(day) => format!("{quantity} come to {location} on {}.", show::day(*day)),
            None => format!("{quantity} come to {location}, nobody knows when."),
        },
    }
}

fn numbers(level: &Standing) -> Vec<(&'static str, String)> {
    let mut numbers = vec![
        ("Available", show::count(level.available.get())),
        ("On hand", show::count(level.on_hand.get())),
        ("Allocated", show::count(level.allocated.get())),
    ];
    let rest = [
        ("Picked", level.picked),
        ("Held", level.held),
        ("Unavailable", level.unavailable),
        ("Safety stock", level.safety_stock),
        ("Backordered", level.backordered),
    ];
    numbers.extend(rest.into_iter().filter(|(_, units)| !units.is_zero()).map(|(name, units)| (name, show::count(units.get()))));
    let when = level.next_expected.map_or_else(String::new, |day| format!(", next {}", show::day(day)));
    if !level.incoming.is_zero() {
        numbers.push(("Incoming", format!("{}{when}", show::count(level.incoming.get()))));
    }
    numbers
}

fn view(visit: &Visit, frame: Frame, sku: &Sku, at: Option<&LocationCode>, read: Read, as_of: Option<u64>) -> SkuPage {
    let (now, time) = (visit.now(), visit.time());
    let item = &now.items[sku];
    let standings = standings(&now, sku, read.past.as_deref());
    let total = sum(standings.iter().map(|(_, level)| level));
    let mut ledger = read.ledger;
    let older = (ledger.len() > LEDGER).then(|| ledger[LEDGER - 1].seq);
    ledger.truncate(LEDGER);
    let mut facts = Vec::new();
    facts.extend(item.barcode.as_ref().map(|code| ("Barcode", code.to_string())));
    facts.extend(item.unit_cost.map(|cost| ("Unit cost", show::money(cost.amount, cost.currency))));
    facts.extend(item.weight_grams.map(|grams| ("Weight", format!("{} g", show::count(grams)))));
    facts.extend(item.available_from.map(|day| ("Sold from", show::day(day))));
    let levels = standings.iter().map(|(code, level)| LevelView {
        location: code.to_string(),
        name: now.locations.get(code).map_or_else(String::new, |at| at.name.to_string()),
        bar: bar(level),
        says: says(level),
        numbers: numbers(level),
        policy: if as_of.is_none() { policy::explain(&now, sku, code) } else { String::new() },
        chosen: at == Some(code),
    });
    SkuPage {
        frame,
        sku: sku.to_string(),
        path: show::stock_path(sku.as_str()),
        name: item.name.to_string(),
        facts,
        kind: match &item.kind {
            ItemKind::Stocked => "",
            ItemKind::Kit { .. } => "Kit",
            ItemKind::Service => "Service",
        },
        retired: item.status == ItemStatus::Retired,
        total: numbers(&total),
        levels: levels.collect(),
        chart: at.filter(|_| as_of.is_none()).and_then(|at| chart::chart(&now, sku, at, &read.chart, time)),
        chart_at: at.map_or_else(String::new, ToString::to_string),
        whys: if as_of.is_none() { read.whys } else { Vec::new() },
        ledger: ledger.iter().map(movement).collect(),
        older,
        orders: read.cases.iter().filter_map(|case| waiting(case, sku)).collect(),
        purchases: purchases(&now, sku, time),
        as_of: as_of.map(|seq| seq.to_string()),
        as_of_time: visit.query.text("as_of").to_owned(),
    }
}

/// The levels now, or as their last movement up to then left them.
fn standings(now: &Now, sku: &Sku, past: Option<&[LedgerRow]>) -> Vec<(LocationCode, Standing)> {
    let Some(rows) = past else {
        return now.levels.get(sku).into_iter().flatten().map(|(code, level)| (code.clone(), *level)).collect();
    };
    let levels = rows.iter().filter_map(|row| {
        let level: Value = serde_json::from_str(&row.level).ok()?;
        let number = |name: &str| Quantity::new(level[name].as_u64().and_then(|units| u32::try_from(units).ok()).unwrap_or(0));
        let standing = Standing {
            on_hand: number("on_hand"),
            allocated: number("allocated"),
            picked: number("picked"),
            held: number("held"),
            unavailable: number("unavailable"),
            available: number("available"),
            backordered: number("backordered"),
            ..Standing::default()
        };
        Some((row.location.parse().ok()?, standing))
    });
    levels.collect()
}

/// A kind of movement in words that say what its units are: most of them do not change what is on hand.
fn moved(kind: &str) -> String {
    let words = match kind {
        "allocated" => "Allocated, still on hand",
        "held" => "Held, still on hand",
        "hold_ended" => "Hold ended",
        "picked" => "Picked, still on hand",
        "released" => "Allocation given up",
        "safety_stock" => "Safety stock set",
        "unpicked" => "Put back from picking",
        _ => return show::words(kind),
    };
    words.to_owned()
}

fn movement(row: &LedgerRow) -> Movement {
    let level: Value = serde_json::from_str(&row.level).unwrap_or(Value::Null);
    let number = |name: &str| level[name].as_u64().map_or_else(|| "–".to_owned(), show::count);
    let (href, subject) = show::subject_text(&row.subject);
    let at = Timestamp(row.time);
    Movement {
        seq: row.seq,
        kind: moved(&row.kind),
        quantity: show::signed(row.quantity),
        location: row.location.clone(),
        href,
        subject,
        actor: row.actor.clone(),
        at: show::moment(at),
        full: at.to_string(),
        on_hand: number("on_hand"),
        available: number("available"),
    }
}

fn waiting(case: &Case, sku: &Sku) -> Option<Waiting> {
    let (allocated, backordered) = waits(case, sku)?;
    let lines = case.order.lines.iter().filter(|line| line.parts.iter().any(|part| part.sku == *sku));
    let promise = lines.filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).min();
    let told = [(allocated, "allocated"), (backordered, "backordered")];
    let told: Vec<String> = told.iter().filter(|(units, _)| !units.is_zero()).map(|(units, name)| format!("{units} {name}")).collect();
    Some(Waiting {
        href: format!("/orders/{}", case.order.id),
        number: case.order.number.to_string(),
        badge: show::allocation_status(case.order.allocation_status),
        units: told.join(", "),
        promise: promise.map_or_else(String::new, show::day),
    })
}

fn purchases(now: &Now, sku: &Sku, time: Timestamp) -> Vec<Purchase> {
    let open = now.purchase_orders.values().rev().filter(|order| !order.status.is_over());
    let rows = open.flat_map(|order| order.lines.iter().filter(|line| line.sku == *sku).map(move |line| (order, line)));
    rows.map(|(order, line)| Purchase {
        href: format!("/purchase-orders/{}", order.id),
        id: order.id.to_string(),
        badge: show::purchase_status(order.status),
        units: format!("{} to {}", line.open(), order.location),
        expected: line.expected_on.map_or_else(String::new, show::day),
        late: line.expected_on.is_some_and(|day| day < time.utc_date()) && !line.open().is_zero(),
    })
    .collect()
}
