//! Who outside hears what, how far behind they are, and what can be done about it.

pub mod one;
pub mod steps;

use super::Answer;
use super::show::{self, Badge};
use super::visit::{Frame, Visit};
use crate::bus::{Circuit, Standing};
use askama::Template;
use domain::subscription::{Kind, Status, Subscription};
use domain::time::Timestamp;

struct Row {
    id: String,
    name: String,
    kind: &'static str,
    url: String,
    badge: Badge,
    reason: String,
    hears: String,
    lag: String,
    behind: bool,
    age: String,
    parked: usize,
    error: String,
    paused: bool,
}

#[derive(Template)]
#[template(path = "subscriptions.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

pub async fn page(visit: Visit) -> Answer {
    let standings = visit.shop().bus.standings(visit.shop());
    let rows = standings.iter().map(row).collect();
    visit.show(&Page { frame: visit.frame("Subscriptions", "subscriptions", "subscription event"), rows })
}

/// How it stands, as a badge.
fn badge(standing: &Standing) -> Badge {
    match (standing.subscription.status, standing.circuit) {
        (Status::Paused, _) => Badge { tone: "warn", icon: "pause", label: "Paused" },
        (Status::Disabled, _) => Badge { tone: "bad", icon: "cross", label: "Disabled" },
        (Status::Active, Circuit::Open) => Badge { tone: "bad", icon: "alert", label: "Failing" },
        (Status::Active, Circuit::Closed) => Badge { tone: "ok", icon: "check", label: "Active" },
    }
}

fn hears(subscription: &Subscription) -> String {
    let filter = &subscription.filter;
    let channels = filter.channels.iter().map(|code| format!("channel {code}"));
    let hears: Vec<String> = filter.types.iter().chain(&filter.subjects).map(ToString::to_string).chain(channels).collect();
    if hears.is_empty() { "everything".to_owned() } else { hears.join(", ") }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Sse => "Stream",
        Kind::Pull => "Pull",
        Kind::Webhook => "Webhook",
    }
}

fn row(standing: &Standing) -> Row {
    let subscription = &standing.subscription;
    Row {
        id: subscription.id.to_string(),
        name: subscription.name.to_string(),
        kind: kind(subscription.kind),
        url: subscription.webhook.as_ref().map_or_else(String::new, |webhook| webhook.url.to_string()),
        badge: badge(standing),
        reason: subscription.status_reason.as_deref().unwrap_or_default().to_owned(),
        hears: hears(subscription),
        lag: show::count(standing.lag.events),
        behind: standing.lag.seconds > 60,
        age: show::age(Timestamp(0), Timestamp(standing.lag.seconds.saturating_mul(1000))),
        parked: standing.cursor.parked.len(),
        error: standing.last_error.clone().unwrap_or_default(),
        paused: subscription.status != Status::Active,
    }
}
