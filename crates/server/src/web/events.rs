//! The log as people read it: the last events with filters, and one event with its bytes, its cause and what it brought about.

use super::Answer;
use super::fault::Fault;
use super::orders::one::parse;
use super::show;
use super::tell;
use super::visit::{Frame, Visit};
use askama::Template;
use domain::Image;
use domain::id::OrderId;
use domain::money::Currency;
use domain::time::Timestamp;
use engine::{EventRow, ReadError, Reader};
use std::collections::BTreeMap;

/// Events on a page.
const PAGE: usize = 60;
/// Sequences that are looked through at a time, and at most for one page.
const WINDOW: u64 = 400;
const LOOK_MAX: u64 = 20_000;
/// Transactions looked at around one event.
const AROUND: usize = 1;

struct Row {
    seq: u64,
    name: String,
    kind: String,
    detail: String,
    href: Option<String>,
    subject: String,
    actor: String,
    at: String,
    full: String,
}

#[derive(Template)]
#[template(path = "events.html")]
struct Events {
    frame: Frame,
    types: String,
    subject: String,
    actor: String,
    rows: Vec<Row>,
    next: Option<String>,
    filtered: bool,
    looked: u64,
}

struct Asked {
    /// Types, or how they begin: `order.*`.
    types: Vec<String>,
    subject: Option<String>,
    actor: Option<String>,
}

impl Asked {
    fn matches(&self, event: &EventRow) -> bool {
        let kind = event.kind.trim_end_matches(".v1");
        let is = |name: &String| name.strip_suffix('*').map_or(kind == name, |start| kind.starts_with(start));
        (self.types.is_empty() || self.types.iter().any(is))
            && self.subject.as_ref().is_none_or(|subject| *subject == event.subject)
            && self.actor.as_ref().is_none_or(|actor| *actor == event.actor)
    }
}

/// Matching events before a sequence, the newest first, and the sequence before which it did not look.
fn newest(reader: &Reader, asked: &Asked, before: u64) -> Result<(Vec<EventRow>, u64), ReadError> {
    let (mut found, mut end, floor) = (Vec::new(), before, before.saturating_sub(LOOK_MAX));
    while found.len() < PAGE && end > 1 && end > floor {
        let start = end.saturating_sub(WINDOW).max(1);
        let (rows, _) = reader.events(start - 1, usize::try_from(end - start).unwrap_or(1))?;
        let here = rows.into_iter().rev().filter(|event| event.seq >= start && event.seq < end);
        let here = here.filter(|event| asked.matches(event));
        for event in here {
            if found.len() == PAGE {
                break;
            }
            found.push(event);
        }
        end = if found.len() == PAGE { found.last().map_or(start, |event| event.seq) } else { start };
    }
    Ok((found, end))
}

pub async fn page(visit: Visit) -> Answer {
    let query = &visit.query;
    let before = query.maybe::<u64>("before", "Sequence")?.unwrap_or(u64::MAX);
    let last = visit.shop().engine.durable();
    let (types, subject, actor) = (query.text("type").to_owned(), query.text("subject").to_owned(), query.text("actor").to_owned());
    let names = types.split(',').map(|name| name.trim().trim_start_matches("quartermaster.").trim_end_matches(".v1"));
    let asked = Asked {
        types: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        subject: query.some("subject").map(str::to_owned),
        actor: query.some("actor").map(str::to_owned),
    };
    let before = before.min(last + 1);
    let (events, end, beside) = visit
        .read(move |reader| {
            let (events, end) = newest(reader, &asked, before)?;
            let beside = beside(reader, &events)?;
            Ok((events, end, beside))
        })
        .await?;
    let next = (end > 1).then(|| query.query(&["before"], &[("before", &end.to_string())]));
    let filtered = !types.is_empty() || !subject.is_empty() || !actor.is_empty();
    let watch = if query.some("before").is_none() { "event" } else { "" };
    let rows = events.iter().map(|event| row(event, &beside)).collect();
    visit.show(&Events { frame: visit.frame("Events", "events", watch), types, subject, actor, rows, next, filtered, looked: before - end })
}

/// What events do not say themselves: the currency of the orders, and the conditions of the alerts, that they are about.
#[derive(Default)]
struct Beside {
    currencies: BTreeMap<String, Currency>,
    alerts: BTreeMap<String, String>,
}

fn beside(reader: &Reader, events: &[EventRow]) -> Result<Beside, ReadError> {
    let mut found = Beside::default();
    for event in events {
        match event.subject.split_once('/') {
            Some(("order", id)) if !found.currencies.contains_key(&event.subject) => {
                let case = id.parse::<OrderId>().ok().map(|id| reader.case(id)).transpose()?.flatten();
                found.currencies.extend(case.map(|case| (event.subject.clone(), case.order.currency)));
            }
            Some(("alert", id)) if !found.alerts.contains_key(&event.subject) => {
                if let Some(Image::Alert(_, Some(alert))) = reader.entity("alert", id)? {
                    found.alerts.insert(event.subject.clone(), alert.condition.text().replace('_', " "));
                }
            }
            Some(_) | None => {}
        }
    }
    Ok(found)
}

fn row(event: &EventRow, beside: &Beside) -> Row {
    let (href, subject) = show::subject_text(&event.subject);
    let at = Timestamp(event.time);
    let currency = beside.currencies.get(&event.subject).copied().unwrap_or(Currency::USD);
    let detail = parse(event).map_or_else(String::new, |parsed| tell::detail(&parsed, currency));
    Row {
        seq: event.seq,
        name: show::event_name(&event.kind),
        kind: event.kind.clone(),
        detail: if detail.is_empty() { beside.alerts.get(&event.subject).cloned().unwrap_or_default() } else { detail },
        href,
        subject,
        actor: event.actor.clone(),
        at: show::second(at),
        full: at.to_string(),
    }
}

#[derive(Template)]
#[template(path = "event.html")]
struct One {
    frame: Frame,
    row: Row,
    json: String,
    subject_seq: u64,
    cause: Option<Row>,
    effects: Vec<Row>,
    before: u64,
    after: u64,
    newest: bool,
}

pub async fn one(visit: Visit) -> Answer {
    let seq: u64 = visit.segment("seq", "event")?;
    let last = visit.shop().engine.durable();
    let (rows, _) = visit.read(move |reader| reader.events(seq.saturating_sub(1), AROUND)).await?;
    let event = rows.iter().find(|event| event.seq == seq);
    let Some(event) = event else { return Err(Fault::not_found("event", &seq.to_string())) };
    // A cause stands in the same transaction, which begins before it.
    let cause = match event.cause {
        Some(cause) => {
            visit.read(move |reader| reader.events(cause.saturating_sub(1), AROUND)).await?.0.into_iter().find(|event| event.seq == cause)
        }
        None => None,
    };
    let told: Vec<EventRow> = rows.iter().chain(&cause).cloned().collect();
    let beside = visit.read(move |reader| beside(reader, &told)).await?;
    let row = |event: &EventRow| row(event, &beside);
    let incarnation = visit.shop().engine.incarnation();
    let json = serde_json::from_str::<serde_json::Value>(&crate::bus::cloud_event(event, incarnation))
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_default();
    let page = One {
        frame: visit.frame(format!("Event {seq}"), "events", ""),
        row: row(event),
        json,
        subject_seq: event.subject_seq,
        cause: cause.as_ref().map(row),
        effects: rows.iter().filter(|other| other.cause == Some(seq)).map(row).collect(),
        before: seq.saturating_sub(1),
        after: seq + 1,
        newest: seq >= last,
    };
    visit.show(&page)
}
