//! The first page: how the shop does, where every order stands, and what needs a person.

use super::Answer;
use super::fault::Fault;
use super::mirror::{Now, Stage};
use super::show::{self, Badge};
use super::visit::{Frame, Visit};
use askama::Template;
use domain::alert::Condition;
use domain::id::OrderId;
use domain::money::{Amount, Currency};
use domain::returns::ReturnStatus;
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use engine::minutes;
use std::collections::BTreeMap;

/// Points of a sparkline.
const STEPS: usize = 48;
/// Rows of each kind among what needs a person.
const NEEDS_EACH: usize = 3;
/// Events that the ticker shows.
const TICKS: usize = 14;
/// Work of the warehouse that has not moved for so long is stuck.
pub const STUCK_MS: i64 = 24 * HOUR_MS;

/// How far back the numbers look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    Hour,
    Day,
    Week,
}

impl Window {
    const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Hour => ("1h", "1 hour"),
            Self::Day => ("24h", "24 hours"),
            Self::Week => ("7d", "7 days"),
        }
    }

    fn minutes(self) -> u32 {
        match self {
            Self::Hour => 60,
            Self::Day => 24 * 60,
            Self::Week => 7 * 24 * 60,
        }
    }
}

struct Number {
    label: String,
    value: String,
    /// What it means, or how it compares.
    detail: String,
    /// Since the window before; empty when that had nothing.
    change: String,
    rising: bool,
    points: String,
}

#[derive(Clone)]
struct Step {
    stage: &'static str,
    label: String,
    count: String,
    age: String,
}

/// Something that needs a person.
struct Need {
    href: String,
    name: String,
    detail: String,
    action: String,
    verb: &'static str,
    dialog: bool,
}

struct Group {
    label: &'static str,
    count: String,
    href: &'static str,
    badge: Badge,
    needs: Vec<Need>,
}

struct Line {
    name: String,
    href: Option<String>,
    subject: String,
    actor: String,
    seq: u64,
    at: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    windows: Vec<(&'static str, &'static str, bool)>,
    window: &'static str,
    numbers: Vec<Number>,
    pipeline: Vec<Step>,
    open: String,
    on_hold: usize,
    groups: Vec<Group>,
    ticker: Vec<Line>,
    empty: bool,
}

pub async fn page(visit: Visit) -> Answer {
    let now = visit.time();
    let wanted = visit.query.text("window");
    let window = Window::ALL.into_iter().find(|window| window.name().0 == wanted).unwrap_or(Window::Day);
    let span = i64::from(window.minutes()) * MINUTE_MS;
    let step = (window.minutes() / STEPS as u32).max(1);
    let steps = (window.minutes() / step) as usize;
    // Whole minutes: the present one is in.
    let from = (now.0.div_euclid(MINUTE_MS) + 1) * MINUTE_MS - span;
    let (here, before) =
        visit.read(move |reader| Ok((reader.minutes(from, step, steps)?, reader.minutes(from - span, window.minutes(), 1)?))).await?;
    let numbers = numbers(&here, &before, window);
    let groups = groups(&visit, now).await?;
    let before_start = if visit.now().ticker.is_empty() { last_events(&visit).await? } else { Vec::new() };
    let frame = visit.frame("Overview", "overview", "event");
    let mirror = visit.now();
    let page = Overview {
        frame,
        windows: Window::ALL.map(|each| (each.name().0, each.name().1, each == window)).to_vec(),
        window: window.name().1,
        numbers,
        pipeline: pipeline(&mirror, now),
        open: show::count(mirror.pipeline.open() as u64),
        on_hold: mirror.pipeline.standing(Stage::OnHold).0,
        groups,
        ticker: if before_start.is_empty() { ticker(&mirror) } else { before_start },
        empty: mirror.items.is_empty(),
    };
    drop(mirror);
    visit.show(&page)
}

type Sums = BTreeMap<String, Vec<i64>>;

fn total(sums: &Sums, name: &str) -> i64 {
    sums.get(name).map_or(0, |values| values.iter().sum())
}

fn numbers(here: &Sums, before: &Sums, window: Window) -> Vec<Number> {
    let line = |name: &str| here.get(name).map(|values| show::spark(values, 120, 32)).unwrap_or_default();
    let orders = total(here, minutes::ORDERS);
    let per_minute = orders * 100 / i64::from(window.minutes());
    let mut numbers = vec![Number {
        label: "Orders".to_owned(),
        value: show::count(orders.unsigned_abs()),
        detail: format!("{}.{:02} a minute", per_minute / 100, per_minute % 100),
        points: line(minutes::ORDERS),
        ..change(orders, total(before, minutes::ORDERS))
    }];
    for (name, values) in here.iter().filter(|(name, _)| name.starts_with(minutes::SALES)) {
        let Some(currency) = Currency::parse(&name[minutes::SALES.len()..]) else { continue };
        let sum: i64 = values.iter().sum();
        numbers.push(Number {
            label: format!("Sales, {currency}"),
            value: show::money(Amount::new(sum), currency),
            detail: "orders placed".to_owned(),
            points: show::spark(values, 120, 32),
            ..change(sum, total(before, name))
        });
    }
    numbers.push(rate(here, before, "Fill rate", (minutes::UNITS_FILLED, minutes::UNITS), "of units were there at once"));
    numbers.push(rate(here, before, "On time", (minutes::SHIPPED_ON_TIME, minutes::SHIPPED), "of shipments as promised"));
    numbers
}

/// How a number moved since the window before.
fn change(here: i64, before: i64) -> Number {
    let percent = if before > 0 { (here - before) * 100 / before } else { 0 };
    let change = if before > 0 && percent != 0 { format!("{}%", show::signed(percent)) } else { String::new() };
    Number { label: String::new(), value: String::new(), detail: String::new(), change, rising: percent >= 0, points: String::new() }
}

fn rate(here: &Sums, before: &Sums, label: &str, (part, whole): (&str, &str), detail: &str) -> Number {
    let tenths = |part: i64, whole: i64| (whole > 0).then(|| part * 1000 / whole);
    let (now, then) = (tenths(total(here, part), total(here, whole)), tenths(total(before, part), total(before, whole)));
    let empty = Vec::new();
    let (parts, wholes) = (here.get(part).unwrap_or(&empty), here.get(whole).unwrap_or(&empty));
    // Steps in which nothing happened keep the rate of the step before.
    let mut last = 0;
    let rates: Vec<i64> = wholes
        .iter()
        .enumerate()
        .map(|(at, whole)| {
            last = tenths(parts.get(at).copied().unwrap_or(0), *whole).unwrap_or(last);
            last
        })
        .collect();
    let points_moved = now.zip(then).map(|(now, then)| now - then);
    Number {
        label: label.to_owned(),
        value: now.map_or_else(|| "–".to_owned(), |tenths| format!("{}.{}%", tenths / 10, tenths % 10)),
        detail: if now.is_some() { detail.to_owned() } else { "nothing yet in this time".to_owned() },
        change: points_moved
            .filter(|moved| *moved != 0)
            .map_or_else(String::new, |moved| format!("{}.{} pt", show::signed(moved / 10), moved.abs() % 10)),
        rising: points_moved.is_none_or(|moved| moved >= 0),
        points: if now.is_some() { show::spark(&rates, 120, 32) } else { String::new() },
    }
}

fn pipeline(mirror: &Now, now: Timestamp) -> Vec<Step> {
    Stage::WAY
        .map(|stage| {
            let (count, since) = mirror.pipeline.standing(stage);
            Step {
                stage: stage.as_str(),
                label: show::words(stage.as_str()),
                count: show::count(count as u64),
                age: since.map_or_else(String::new, |since| show::age(since, now)),
            }
        })
        .to_vec()
}

/// Which orders stand out, before their cases are read.
struct Found {
    late: Vec<OrderId>,
    short: Vec<OrderId>,
    unpaid: Vec<OrderId>,
    counts: [usize; 6],
    stuck: Vec<Need>,
    returns: Vec<Need>,
    alerts: Vec<Need>,
}

async fn groups(visit: &Visit, now: Timestamp) -> Result<Vec<Group>, Fault> {
    let found = find(visit, now);
    let (late, short, unpaid) = (found.late, found.short, found.unpaid);
    let today = now.utc_date();
    let cases = visit
        .read(move |reader| {
            let get = |ids: Vec<OrderId>| ids.into_iter().map(|id| reader.case(id)).collect::<Result<Vec<_>, _>>();
            Ok((get(late)?, get(short)?, get(unpaid)?))
        })
        .await?;
    let may = visit.may(crate::http::Access::Operate);
    let need = |case: &domain::order::Case, detail: String, verb: &'static str, path: &str| {
        let href = format!("/orders/{}", case.order.id);
        let dialog = may && !path.is_empty();
        let action = if dialog { format!("{href}/{path}") } else { href.clone() };
        Need { href, name: format!("#{}", case.order.number), detail, dialog, action, verb: if dialog { verb } else { "Open" } }
    };
    let late = cases.0.iter().flatten().map(|case| {
        let promised = case.order.lines.iter().filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).min();
        let detail = promised.map_or_else(String::new, |day| format!("promised for {}, {}", show::day(day), days_late(day, today)));
        need(case, detail, "Open", "")
    });
    let short = cases.1.iter().flatten().map(|case| {
        let waits: Vec<String> = case
            .order
            .parts()
            .filter(|part| !part.backorders.is_empty())
            .take(2)
            .map(|part| format!("{} × {}", part.backordered(), part.sku))
            .collect();
        need(case, format!("waits for {}", waits.join(", ")), "Open", "")
    });
    let unpaid = cases.2.iter().flatten().map(|case| {
        let why = case.payments.iter().rev().find_map(|payment| payment.failure.clone()).unwrap_or_default();
        need(case, why.replace('_', " "), "Try again", "pay")
    });
    let group = |label, at: usize, href, badge, needs| Group { label, count: show::count(found.counts[at] as u64), href, badge, needs };
    let tone = |tone, icon| Badge { tone, icon, label: "" };
    let mut groups = vec![
        group("Late", 0, "/orders?stage=late", tone("bad", "clock"), late.collect()),
        group("Payment failed", 2, "/orders?stage=unpaid", tone("bad", "alert"), unpaid.collect()),
        group("Stuck in the warehouse", 3, "/fulfillment?stuck=1", tone("warn", "pause"), found.stuck),
        group("Short", 1, "/orders?stage=short", tone("warn", "half"), short.collect()),
        group("Returns to approve", 5, "/returns", tone("info", "back"), found.returns),
        group("Alerts", 4, "/alerts", tone("warn", "bell"), found.alerts),
    ];
    groups.retain(|group| !group.needs.is_empty());
    Ok(groups)
}

fn days_late(promised: domain::time::Date, today: domain::time::Date) -> String {
    let mut days = 0_u16;
    while days < 365 && promised.plus_days(days) < today {
        days += 1;
    }
    show::plural(usize::from(days), "day late", "days late")
}

fn find(visit: &Visit, now: Timestamp) -> Found {
    let mirror = visit.now();
    let (pipeline, today) = (&mirror.pipeline, now.utc_date());
    let stuck: Vec<_> = pipeline.stuck(Timestamp(now.0 - STUCK_MS)).collect();
    let open = || mirror.alerts.values().filter(|alert| alert.status == domain::alert::AlertStatus::Open);
    let work = visit.may(crate::http::Access::Work);
    let needs = stuck.iter().take(NEEDS_EACH).map(|(since, id)| Need {
        href: format!("/fulfillment/{id}"),
        name: format!("#{}", show::number(id.order)),
        detail: format!("no step for {}", show::age(*since, now)),
        action: format!("/fulfillment/{id}"),
        verb: "Open",
        dialog: false,
    });
    let alerts = open().rev().take(NEEDS_EACH).map(|alert| {
        let (href, name) = about(&alert.condition);
        Need {
            href,
            name,
            detail: format!(
                "{}, {}",
                show::words(alert.condition.text().split(' ').next().unwrap_or_default()).to_lowercase(),
                show::age(alert.raised_at, now)
            ),
            action: if work { format!("/alerts/{}/acknowledge", alert.id) } else { "/alerts".to_owned() },
            verb: if work { "Acknowledge" } else { "Open" },
            dialog: work,
        }
    });
    let asked = || pipeline.returns.iter().filter(|(status, ..)| *status == ReturnStatus::Requested);
    let decides = visit.may(crate::http::Access::Operate);
    let returns = asked().take(NEEDS_EACH).filter_map(|(_, since, id)| {
        let order = id.order?;
        Some(Need {
            href: format!("/orders/{order}#{id}"),
            name: format!("#{}", show::number(order)),
            detail: format!("asked for, {}", show::age(*since, now)),
            action: if decides { format!("/returns/{id}/approve") } else { "/returns".to_owned() },
            verb: if decides { "Approve" } else { "Open" },
            dialog: decides,
        })
    });
    Found {
        returns: returns.collect(),
        late: pipeline.late(today).take(NEEDS_EACH).collect(),
        short: pipeline.short.iter().take(NEEDS_EACH).copied().collect(),
        unpaid: pipeline.unpaid.iter().take(NEEDS_EACH).copied().collect(),
        counts: [pipeline.late(today).count(), pipeline.short.len(), pipeline.unpaid.len(), stuck.len(), open().count(), asked().count()],
        stuck: needs.collect(),
        alerts: alerts.collect(),
    }
}

/// Where the thing that an alert is about is shown. Read off the condition's text, so that a new kind of alert needs no change here.
pub fn about(condition: &Condition) -> (String, String) {
    let text = condition.text();
    let thing = text.split_once(' ').map_or(text.as_str(), |(_, thing)| thing);
    if let Ok(order) = thing.parse::<OrderId>() {
        return (format!("/orders/{order}"), format!("#{}", show::number(order)));
    }
    match thing.split_once('@') {
        Some((sku, location)) => (show::stock_path(sku), format!("{sku} at {location}")),
        None if thing.starts_with("po_") => (format!("/purchase-orders/{thing}"), thing.to_owned()),
        None => ("/alerts".to_owned(), thing.to_owned()),
    }
}

/// What happened last before the server was started: nothing has ticked since.
async fn last_events(visit: &Visit) -> Result<Vec<Line>, Fault> {
    let after = visit.shop().engine.durable().saturating_sub(TICKS as u64);
    let (events, _) = visit.read(move |reader| reader.events(after, TICKS)).await?;
    let lines = events.into_iter().rev().take(TICKS).map(|event| {
        let (href, subject) = show::subject_text(&event.subject);
        Line { name: show::event_name(&event.kind), href, subject, actor: event.actor, seq: event.seq, at: clock(event.time) }
    });
    Ok(lines.collect())
}

fn clock(time: i64) -> String {
    show::second(Timestamp(time)).split(' ').next_back().unwrap_or_default().to_owned()
}

fn ticker(mirror: &Now) -> Vec<Line> {
    mirror
        .ticker
        .iter()
        .take(TICKS)
        .map(|tick| {
            let (href, subject) = show::subject(&tick.subject);
            let (actor, at) = (tick.actor.to_string(), clock(tick.time));
            Line { name: show::event_name(tick.kind), href, subject, actor, seq: tick.seq, at }
        })
        .collect()
}
