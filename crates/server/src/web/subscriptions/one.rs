//! One subscription: where it stands, what became of its calls, and what waits to be delivered.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::show::{self, Badge};
use super::super::visit::{Frame, Visit};
use super::{badge, hears, kind};
use crate::bus::attempts::Wanted;
use askama::Template;
use domain::id::SubscriptionId;
use domain::subscription::{Kind, Status};
use domain::time::Timestamp;
use engine::Parked;

/// Calls that the page shows.
const ATTEMPTS: usize = 40;
/// Events that wait, of those that the page shows.
const LETTERS: usize = 40;

struct Attempt {
    seq: u64,
    kind: String,
    subject: String,
    at: String,
    delivered: bool,
    said: String,
    took: String,
    nth: u32,
    answer: String,
}

struct Letter {
    seq: u64,
    subject: String,
    since: String,
    attempts: u32,
    given_up: bool,
}

#[derive(Template)]
#[template(path = "subscription.html")]
struct One {
    frame: Frame,
    id: String,
    name: String,
    badge: Badge,
    about: String,
    error: String,
    facts: Vec<(&'static str, String)>,
    actions: Vec<(&'static str, String, bool)>,
    webhook: bool,
    failed_only: bool,
    attempts: Vec<Attempt>,
    letters: Vec<Letter>,
    more_letters: usize,
}

pub async fn page(visit: Visit) -> Answer {
    let id: SubscriptionId = visit.segment("id", "subscription")?;
    let standings = visit.shop().bus.standings(visit.shop());
    let standing = standings.into_iter().find(|standing| standing.subscription.id == id);
    let standing = standing.ok_or_else(|| Fault::not_found("subscription", &id.text()))?;
    let known = &standing.subscription;
    let failed_only = visit.query.some("only") == Some("failed");
    let shop = visit.shop().clone();
    let wanted = Wanted { failed_only, ..Wanted::default() };
    let found = tokio::task::spawn_blocking(move || shop.bus.attempts.latest(id, &wanted, ATTEMPTS)).await;
    let attempts = found.map_err(Fault::internal)?.map_err(Fault::internal)?.into_iter().map(|(_, attempt)| attempt_view(attempt));
    let parked = &standing.cursor.parked;
    let mut facts = vec![("Kind", kind(known.kind).to_owned()), ("Hears", hears(known))];
    facts.extend(known.webhook.as_ref().map(|webhook| ("Calls at a time", webhook.concurrency.to_string())));
    facts.push(("Cursor", show::count(standing.cursor.sequence)));
    facts.push(("Lag", show::plural(usize::try_from(standing.lag.events).unwrap_or(usize::MAX), "event", "events")));
    facts.push(("Parked", show::count(parked.len())));
    let backfills = standing.cursor.backfills.iter().map(|left| ("Delivering again", format!("{} to {}", left.next, left.to)));
    facts.extend(backfills);
    facts.push(("Made", show::moment(known.created_at)));
    let frame = visit.frame(format!("Subscription {}", known.name), "subscriptions", format!("subscription/{id} event"));
    visit.show(&One {
        id: id.to_string(),
        name: known.name.to_string(),
        badge: badge(&standing),
        about: known.webhook.as_ref().map_or_else(|| id.to_string(), |webhook| webhook.url.to_string()),
        error: standing.last_error.clone().unwrap_or_default(),
        facts,
        actions: actions(&frame, id, known.kind, known.status, parked),
        webhook: known.kind == Kind::Webhook,
        failed_only,
        attempts: attempts.collect(),
        letters: parked.iter().take(LETTERS).map(letter_view).collect(),
        more_letters: parked.len().saturating_sub(LETTERS),
        frame,
    })
}

fn actions(frame: &Frame, id: SubscriptionId, kind: Kind, status: Status, parked: &[Parked]) -> Vec<(&'static str, String, bool)> {
    if !frame.may.operate {
        return Vec::new();
    }
    let path = |verb: &str| format!("/subscriptions/{id}/{verb}");
    let webhook = kind == Kind::Webhook;
    let mut actions = Vec::new();
    let mut offer = |wanted: bool, label: &'static str, verb: &str| {
        if wanted {
            actions.push((label, path(verb), false));
        }
    };
    offer(webhook, "Test", "test");
    offer(webhook && status == Status::Active && !parked.is_empty(), "Retry parked", "retry");
    offer(webhook, "Deliver again", "redeliver");
    offer(status == Status::Active, "Pause", "pause");
    offer(status != Status::Active, "Resume", "resume");
    offer(true, "Rewind", "rewind");
    offer(true, "End", "delete");
    actions
}

fn attempt_view(attempt: crate::bus::attempts::Attempt) -> Attempt {
    let said = match (attempt.status, &attempt.error) {
        (Some(status), None) => format!("answered {status}"),
        (Some(status), Some(error)) => format!("answered {status}: {error}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    Attempt {
        seq: attempt.sequence,
        kind: attempt.kind,
        subject: attempt.subject,
        at: show::moment(Timestamp(attempt.time)),
        delivered: attempt.delivered,
        said,
        took: format!("{} ms", show::count(attempt.duration_ms)),
        nth: attempt.attempt,
        answer: attempt.answer,
    }
}

fn letter_view(parked: &Parked) -> Letter {
    Letter {
        seq: parked.sequence,
        subject: parked.subject.to_string(),
        since: show::moment(Timestamp(parked.since)),
        attempts: parked.attempts,
        given_up: parked.given_up,
    }
}
