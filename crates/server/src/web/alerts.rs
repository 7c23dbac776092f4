//! What a person should look at: one alert per condition, until it clears by itself.

use super::Answer;
use super::fault::Fault;
use super::fields::Fields;
use super::form::{Form, Input};
use super::overview::about;
use super::show::{self, Badge};
use super::visit::{Frame, Visit};
use askama::Template;
use axum::http::StatusCode;
use domain::alert::{Alert, AlertStatus};
use domain::command::alert::Command;
use domain::id::AlertId;
use domain::time::Timestamp;
use std::collections::BTreeMap;

/// Alerts on a page.
const PAGE: usize = 100;

struct Row {
    id: String,
    badge: Badge,
    kind: String,
    href: String,
    name: String,
    numbers: String,
    age: String,
    acknowledged_by: String,
    open: bool,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct Alerts {
    frame: Frame,
    tabs: Vec<(String, String, usize, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
    any: bool,
    /// What is looked for, in names of SKUs, locations and orders.
    q: String,
    wanted: String,
    /// The same as a query.
    asked: String,
    /// Alerts that nobody has acknowledged, of those that are asked for.
    open: usize,
}

fn kind(alert: &Alert) -> String {
    alert.condition.text().split(' ').next().unwrap_or_default().to_owned()
}

pub async fn page(visit: Visit) -> Answer {
    let frame = visit.frame("Alerts", "alerts", "alert");
    let wanted = visit.query.text("kind").to_owned();
    let q = visit.query.text("q").to_owned();
    let skip: usize = visit.query.maybe("skip", "Page")?.unwrap_or(0);
    let now = visit.now();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for alert in now.alerts.values() {
        *kinds.entry(kind(alert)).or_default() += 1;
    }
    let total: usize = kinds.values().sum();
    let mut tabs = vec![("All".to_owned(), String::new(), total, wanted.is_empty())];
    tabs.extend(kinds.iter().map(|(kind, count)| (show::words(kind), format!("kind={kind}"), *count, *kind == wanted)));
    // Those that nobody looks at first, the newest first.
    let mut found: Vec<&Alert> = now.alerts.values().map(AsRef::as_ref).filter(|alert| is_asked(alert, &wanted, &q)).collect();
    found.sort_by_key(|alert| (alert.status != AlertStatus::Open, std::cmp::Reverse(alert.id)));
    let more = found.len() > skip + PAGE;
    let rows = found.into_iter().skip(skip).take(PAGE).map(|alert| row(alert, visit.time())).collect();
    let next = more.then(|| visit.query.query(&["skip"], &[("skip", &(skip + PAGE).to_string())]));
    let open = now.alerts.values().filter(|alert| alert.status == AlertStatus::Open && is_asked(alert, &wanted, &q)).count();
    let page = Alerts { frame, tabs, rows, next, any: total > 0, q, wanted, asked: visit.query.query(&["skip"], &[]), open };
    drop(now);
    visit.show(&page)
}

fn is_asked(alert: &Alert, wanted: &str, q: &str) -> bool {
    let named = || about(&alert.condition).1.to_lowercase().contains(&q.to_lowercase());
    (wanted.is_empty() || kind(alert) == wanted) && (q.is_empty() || named())
}

fn row(alert: &Alert, now: Timestamp) -> Row {
    let (href, name) = about(&alert.condition);
    let kind = kind(alert);
    let grave = ["out_of_stock", "payment_failed", "capture_failed", "oversold"].contains(&kind.as_str()) || kind.contains("late");
    let numbers: Vec<String> = alert.numbers.iter().map(|(name, number)| format!("{} {number}", name.replace('_', " "))).collect();
    Row {
        id: alert.id.to_string(),
        badge: if grave { Badge { tone: "bad", icon: "alert", label: "" } } else { Badge { tone: "warn", icon: "bell", label: "" } },
        kind: show::words(&kind),
        href,
        name,
        numbers: numbers.join(" · "),
        age: show::age(alert.raised_at, now),
        acknowledged_by: alert.acknowledged_by.as_deref().unwrap_or_default().to_owned(),
        open: alert.status == AlertStatus::Open,
    }
}

fn form(visit: &Visit, id: AlertId) -> Result<Form, Fault> {
    let name = {
        let now = visit.now();
        let alert = now.alerts.get(&id).ok_or_else(|| Fault::not_found("open alert", &id.text()))?;
        format!("{}, {}", show::words(&kind(alert)), about(&alert.condition).1)
    };
    let form = Form {
        title: format!("Acknowledge: {name}"),
        section: "alerts",
        button: "Acknowledge".to_owned(),
        back: "/alerts".to_owned(),
        ..Form::default()
    };
    Ok(form.say("It stands in the log that you look at it. The alert stays in the list and goes by itself when its condition ends."))
}

pub async fn acknowledge_form(visit: Visit) -> Answer {
    let id = visit.segment("id", "alert")?;
    form(&visit, id)?.show(&visit)
}

pub async fn acknowledge_do(visit: Visit) -> Answer {
    let id: AlertId = visit.segment("id", "alert")?;
    let form = form(&visit, id)?;
    match visit.submit(Command::Acknowledge { alert: id }).await {
        Ok(_) => visit.done("/alerts", format!("{id} is acknowledged.")),
        Err(fault) => form.refuse(&visit, &fault),
    }
}

/// Alerts that are acknowledged at once; the rest with the next time.
const TOGETHER_MAX: usize = 500;

fn all_of(visit: &Visit, fields: &Fields) -> (Form, Vec<AlertId>) {
    let (wanted, q) = (fields.text("kind").to_owned(), fields.text("q").to_owned());
    let now = visit.now();
    let open = now.alerts.values().filter(|alert| alert.status == AlertStatus::Open && is_asked(alert, &wanted, &q));
    let ids: Vec<AlertId> = open.map(|alert| alert.id).take(TOGETHER_MAX).collect();
    let count = show::plural(ids.len(), "alert", "alerts");
    let form = Form {
        title: format!("Acknowledge {count}"),
        section: "alerts",
        button: format!("Acknowledge {count}"),
        back: "/alerts".to_owned(),
        ..Form::default()
    };
    let form = form.input(Input::hidden("kind", wanted)).input(Input::hidden("q", q));
    (form.say("It stands in the log that you look at each. They stay in the list and go by themselves when their conditions end."), ids)
}

pub async fn acknowledge_all_form(visit: Visit) -> Answer {
    all_of(&visit, &visit.query).0.show(&visit)
}

pub async fn acknowledge_all_do(visit: Visit) -> Answer {
    let (form, ids) = all_of(&visit, &visit.form);
    let mut done = 0;
    for id in ids {
        match visit.submit_as(Command::Acknowledge { alert: id }.into(), &id.text()).await {
            Ok(_) => done += 1,
            // It has cleared meanwhile.
            Err(fault) if fault.status == StatusCode::NOT_FOUND || fault.status == StatusCode::CONFLICT => {}
            Err(fault) => return form.refuse(&visit, &fault),
        }
    }
    visit.done("/alerts", format!("{} acknowledged.", show::plural(done, "alert is", "alerts are")))
}
