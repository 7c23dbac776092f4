//! The log's bytes: a JSON array of events per transaction, which anyone can read.

use crate::frame::{Committed, EngineRecord, Pending};
use domain::{Event, Recorded};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    subject: &'a str,
    subject_seq: u64,
    /// Sequence of the event that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<u64>,
    #[serde(flatten)]
    event: &'a Event,
}

#[derive(Serialize)]
struct EngineLine<'a> {
    seq: u64,
    #[serde(flatten)]
    record: &'a EngineRecord,
}

/// Any line, with its payload untouched: what subscribers get is spliced from these bytes.
#[derive(Debug, Deserialize)]
pub struct RawLine<'a> {
    pub seq: u64,
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default)]
    pub subject_seq: u64,
    #[serde(default)]
    pub cause: Option<u64>,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// Engine records first, so that events keep the numbers that `Committed` names.
pub fn encode(pending: &Pending) -> String {
    let mut body = String::from("[");
    let committed = &pending.committed;
    let mut seq = committed.first_seq;
    let write = |body: &mut String, text: Result<String, serde_json::Error>| {
        if body.len() > 1 {
            body.push(',');
        }
        body.push_str(&text.expect("events serialize"));
    };
    let first_event = seq + pending.records.len() as u64;
    for record in &pending.records {
        write(&mut body, serde_json::to_string(&EngineLine { seq, record }));
        seq += 1;
    }
    for recorded in &committed.events {
        let cause = recorded.cause.map(|at| first_event + u64::from(at));
        let subject = recorded.subject.text();
        let line = Line { seq, subject: &subject, subject_seq: recorded.subject_seq, cause, event: &recorded.event };
        write(&mut body, serde_json::to_string(&line));
        seq += 1;
    }
    body.push(']');
    body
}

/// One line of a body, read back.
pub enum Decoded {
    Event(u64, Recorded),
    Engine(EngineRecord),
}

/// # Errors
/// When the body is not what this version wrote: an unknown state-changing event halts.
pub fn decode(body: &str) -> Result<Vec<Decoded>, serde_json::Error> {
    let raw: Vec<&RawValue> = serde_json::from_str(body)?;
    let mut lines = Vec::with_capacity(raw.len());
    let mut first_event = None;
    for line in raw {
        let head: RawLine = serde_json::from_str(line.get())?;
        if head.kind.starts_with("engine.") {
            lines.push(Decoded::Engine(serde_json::from_str(line.get())?));
            continue;
        }
        let first = *first_event.get_or_insert(head.seq);
        let event: Event = serde_json::from_str(line.get())?;
        let cause = head.cause.and_then(|seq| u32::try_from(seq.checked_sub(first)?).ok());
        let recorded = Recorded { subject: event.subject(), subject_seq: head.subject_seq, cause, event };
        lines.push(Decoded::Event(head.seq, recorded));
    }
    Ok(lines)
}

/// The events of a body as a settled command.
///
/// # Errors
/// As [`decode`].
pub fn committed(first_seq: u64, last_seq: u64, time: i64, actor: String, body: &str) -> Result<Committed, serde_json::Error> {
    let events = decode(body)?.into_iter().filter_map(|line| match line {
        Decoded::Event(_, recorded) => Some(recorded),
        Decoded::Engine(_) => None,
    });
    Ok(Committed { first_seq, last_seq, time: domain::time::Timestamp(time), actor, events: events.collect() })
}
