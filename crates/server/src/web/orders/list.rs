//! The list of orders: filters that stand in the address, newest first, page by page.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::mirror::Stage;
use super::super::show::{self, Badge};
use super::super::visit::{Frame, Visit};
use askama::Template;
use domain::id::{LocationCode, OrderId};
use domain::order::Case;
use domain::time::{DAY_MS, Date, Timestamp};
use engine::{OrderFilter, ReadError, Reader};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Orders on a page.
const PAGE: usize = 50;
/// Orders that are looked through for one page of a filter that the store has no column for.
const LOOK_MAX: usize = 5_000;

/// Orders that one number or name finds.
const NAMED_MAX: usize = 20;

/// Which orders are asked for.
#[derive(Clone, Default)]
pub struct Wanted {
    pub filter: OrderFilter,
    location: Option<LocationCode>,
    /// An order by its name, mail or tracking number.
    term: Option<(String, &'static str)>,
    id: Option<OrderId>,
    /// What channels may call the order whose number is asked for.
    names: Vec<String>,
    /// Taken from the pipeline instead: a stage, `late`, `short` or `unpaid`.
    stage: Option<String>,
}

struct Row {
    id: String,
    number: String,
    href: String,
    placed: String,
    placed_full: String,
    customer: String,
    channel: String,
    items: String,
    total: String,
    badges: Vec<Badge>,
    promise: String,
    late: bool,
}

struct Select {
    name: &'static str,
    label: &'static str,
    options: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct Orders {
    frame: Frame,
    q: String,
    stage: String,
    from: String,
    to: String,
    tabs: Vec<(String, String, bool)>,
    selects: Vec<Select>,
    rows: Vec<Row>,
    /// Any of them has one to show.
    customers: bool,
    next: Option<String>,
    filtered: bool,
    export: String,
    looked: bool,
    /// Returns that are not over.
    returns: usize,
}

impl Wanted {
    /// # Errors
    /// When a day is none.
    pub fn of(visit: &Visit, query: &Fields) -> Result<Self, Fault> {
        let text = |name: &str| query.some(name).map(str::to_owned);
        let start = |name: &str, label: &str, days: u16| -> Result<Option<i64>, Fault> {
            let Some(text) = query.some(name) else { return Ok(None) };
            let day = Date::parse(text).map_err(|error| Fault::invalid(format!("{label}: {error}.")))?;
            Ok(Some(day.plus_days(days).at_minute(0, &TimeZone::UTC).0))
        };
        let mut wanted = Self {
            filter: OrderFilter {
                status: text("status"),
                payment_status: text("payment"),
                allocation_status: text("allocation"),
                fulfillment_status: text("fulfillment"),
                channel: text("channel"),
                created_from: start("from", "From", 0)?,
                created_before: start("to", "To", 1)?,
                ..OrderFilter::default()
            },
            location: query.maybe("location", "Location")?,
            stage: text("stage"),
            ..Self::default()
        };
        if let Some(q) = query.some("q") {
            let plain = q.trim_start_matches('#');
            if let Ok(id) = plain.parse::<OrderId>() {
                wanted.id = Some(id);
            } else if plain.bytes().all(|byte| byte.is_ascii_digit()) && plain.len() < 16 {
                wanted.filter.number = Some(plain.to_owned());
                // Other shops number their orders, too.
                wanted.names = vec![q.to_owned(), plain.to_owned(), format!("#{plain}")];
            } else if plain.contains('@') {
                wanted.term = Some((visit.shop().vault.fingerprint("email", plain).0.to_string(), "email"));
            } else {
                wanted.filter.external_id = Some(q.to_owned());
                wanted.term = Some((plain.to_owned(), "tracking"));
            }
        }
        Ok(wanted)
    }

    /// Cases from before `before` on, the newest first, at most `limit`, and where to go on when there may be more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(&self, reader: &Reader, before: Option<u64>, limit: usize) -> Result<(Vec<Arc<Case>>, Option<u64>), ReadError> {
        if let Some(id) = self.id {
            return Ok((reader.case(id)?.into_iter().collect(), None));
        }
        if !self.names.is_empty() && before.is_none() {
            return Ok((self.named(reader)?, None));
        }
        if let Some((term, kind)) = &self.term {
            let found = reader.find(term, kind, None, limit)?;
            let cases = found.into_iter().map(|id| reader.case(id)).collect::<Result<Vec<_>, _>>()?;
            if self.filter.external_id.is_none() || cases.iter().any(Option::is_some) {
                return Ok((cases.into_iter().flatten().collect(), None));
            }
        }
        let (mut cases, mut cursor, mut looked) = (Vec::new(), before, 0);
        loop {
            let rows = reader.orders(&self.filter, cursor, limit + 1)?;
            let whole = rows.len() <= limit;
            let last = rows.len().min(limit).saturating_sub(1);
            for (at, row) in rows.into_iter().take(limit).enumerate() {
                cursor = Some(row.id.0);
                looked += 1;
                if self.keeps(&row.case) {
                    cases.push(row.case);
                }
                if cases.len() == limit {
                    return Ok((cases, cursor.filter(|_| !whole || at < last)));
                }
            }
            if whole {
                return Ok((cases, None));
            }
            if looked >= LOOK_MAX {
                return Ok((cases, cursor));
            }
        }
    }

    /// By our number, or by what a channel calls them.
    fn named(&self, reader: &Reader) -> Result<Vec<Arc<Case>>, ReadError> {
        let mut cases: Vec<Arc<Case>> = reader.orders(&self.filter, None, NAMED_MAX)?.into_iter().map(|row| row.case).collect();
        for name in &self.names {
            let filter = OrderFilter { number: None, external_id: Some(name.clone()), ..self.filter.clone() };
            for row in reader.orders(&filter, None, NAMED_MAX)? {
                if cases.iter().all(|known| known.order.id != row.case.order.id) {
                    cases.push(row.case);
                }
            }
        }
        cases.retain(|case| self.keeps(case));
        Ok(cases)
    }

    fn keeps(&self, case: &Case) -> bool {
        let Some(location) = &self.location else { return true };
        let here = |part: &domain::order::Part| {
            part.allocations.iter().any(|allocation| allocation.location == *location)
                || part.backorders.iter().any(|backorder| backorder.location == *location)
        };
        case.fulfillments.iter().any(|work| work.location == *location) || case.order.parts().any(here)
    }
}

pub async fn page(visit: Visit) -> Answer {
    let wanted = Wanted::of(&visit, &visit.query)?;
    let (cases, next) = match &wanted.stage {
        Some(stage) => staged(&visit, stage).await?,
        None => {
            let (asked, before) = (wanted.clone(), visit.query.maybe::<OrderId>("before", "Page")?.map(|id| id.0));
            let (cases, next) = visit.read(move |reader| asked.read(reader, before, PAGE)).await?;
            (cases, next.map(|id| visit.query.query(&["before"], &[("before", &OrderId(id).text())])))
        }
    };
    let now = visit.time();
    let query = &visit.query;
    let filtered = ["q", "status", "payment", "allocation", "fulfillment", "channel", "location", "from", "to", "stage"];
    let rows: Vec<Row> = cases.iter().map(|case| row(&visit, case, now)).collect();
    let page = Orders {
        frame: visit.frame("Orders", "orders", "order"),
        q: query.text("q").to_owned(),
        stage: query.text("stage").to_owned(),
        from: query.text("from").to_owned(),
        to: query.text("to").to_owned(),
        tabs: tabs(&visit),
        selects: selects(&visit),
        customers: rows.iter().any(|row| !row.customer.is_empty()),
        rows,
        looked: next.is_some() && cases.len() < PAGE,
        returns: visit.now().pipeline.returns.len(),
        next,
        filtered: filtered.iter().any(|name| query.some(name).is_some()),
        export: query.query(&["before"], &[]),
    };
    visit.show(&page)
}

/// Orders that stand somewhere, or where something is wrong: those that wait longest first.
async fn staged(visit: &Visit, stage: &str) -> Result<(Vec<Arc<Case>>, Option<String>), Fault> {
    let skip: usize = visit.query.maybe("skip", "Page")?.unwrap_or(0);
    let today = visit.time().utc_date();
    let ids: Vec<OrderId> = {
        let now = visit.now();
        let take = |ids: &mut dyn Iterator<Item = OrderId>| ids.skip(skip).take(PAGE + 1).collect();
        match (stage, Stage::parse(stage)) {
            ("late", _) => take(&mut now.pipeline.late(today)),
            ("short", _) => take(&mut now.pipeline.short.iter().copied()),
            ("unpaid", _) => take(&mut now.pipeline.unpaid.iter().copied()),
            (_, Some(stage)) => take(&mut now.pipeline.at(stage)),
            (_, None) => return Err(Fault::not_found("stage", stage)),
        }
    };
    let more = ids.len() > PAGE;
    let cases = visit.read(move |reader| ids.into_iter().take(PAGE).map(|id| reader.case(id)).collect::<Result<Vec<_>, _>>()).await?;
    let next = more.then(|| visit.query.query(&["skip"], &[("skip", &(skip + PAGE).to_string())]));
    Ok((cases.into_iter().flatten().collect(), next))
}

/// The lists that people open most.
fn tabs(visit: &Visit) -> Vec<(String, String, bool)> {
    let here = visit.query.query(&["before", "skip"], &[]);
    let tabs = [
        ("All", ""),
        ("Open", "status=open"),
        ("On hold", "status=on_hold"),
        ("Late", "stage=late"),
        ("Short", "stage=short"),
        ("Payment failed", "stage=unpaid"),
    ];
    tabs.map(|(label, query)| (label.to_owned(), query.to_owned(), here == query)).to_vec()
}

fn selects(visit: &Visit) -> Vec<Select> {
    let now = visit.now();
    let select = |name: &'static str, label: &'static str, values: Vec<(String, String)>| {
        let chosen = visit.query.text(name);
        let options = values.into_iter().map(|(value, label)| (value.clone(), label, value == chosen));
        Select { name, label, options: options.collect() }
    };
    let fixed = |values: &[&str]| values.iter().map(|value| ((*value).to_owned(), show::words(value))).collect::<Vec<_>>();
    let payments = [
        "none",
        "pending",
        "authorized",
        "partially_captured",
        "captured",
        "partially_refunded",
        "refunded",
        "failed",
        "voided",
        "expired",
    ];
    vec![
        select("status", "Status", fixed(&["open", "on_hold", "completed", "canceled", "rejected"])),
        select("payment", "Payment", fixed(&payments)),
        select(
            "allocation",
            "Stock",
            vec![
                ("none".to_owned(), "Not allocated".to_owned()),
                ("partial".to_owned(), "Part allocated".to_owned()),
                ("full".to_owned(), "Allocated".to_owned()),
            ],
        ),
        select("fulfillment", "Fulfillment", fixed(&["unfulfilled", "partial", "shipped", "delivered"])),
        select("channel", "Channel", now.channels.values().map(|channel| (channel.code.to_string(), channel.name.to_string())).collect()),
        select("location", "Location", now.locations.values().map(|at| (at.code.to_string(), at.name.to_string())).collect()),
    ]
}

fn row(visit: &Visit, case: &Case, now: Timestamp) -> Row {
    let order = &case.order;
    let open = |line: &&domain::order::Line| !order.is_closed() && line.parts.iter().any(|part| !part.open().is_zero());
    let promise = order.lines.iter().filter(open).filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).min();
    let units: u32 = order.lines.iter().map(|line| line.ordered.get()).sum();
    let mut badges = vec![show::order_status(order.status)];
    if !matches!(order.status, domain::order::OrderStatus::Rejected) {
        badges.push(show::payment_status(order.payment_status));
        badges.push(if order.fulfillment_status == domain::order::FulfillmentStatus::Unfulfilled && !order.is_closed() {
            show::allocation_status(order.allocation_status)
        } else {
            show::fulfillment_status(order.fulfillment_status)
        });
    }
    let placed =
        if now.0 - order.created_at.0 < DAY_MS { show::age(order.created_at, now) } else { show::day(order.created_at.utc_date()) };
    Row {
        id: order.id.to_string(),
        number: order.number.to_string(),
        href: format!("/orders/{}", order.id),
        placed,
        placed_full: order.created_at.to_string(),
        customer: super::customer(visit, case),
        channel: order.channel.to_string(),
        items: show::plural(units as usize, "unit", "units"),
        total: show::money(order.total, order.currency),
        badges,
        promise: promise.map_or_else(String::new, show::day),
        late: promise.is_some_and(|day| day < now.utc_date()),
    }
}
