//! The log's bytes: a JSON array of events per transaction, which anyone can read.

use crate::frame::{Committed, EngineRecord, Pending};
use crate::json;
use crate::log::{Error as LogError, Row};
use domain::{Event, Recorded};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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
    let committed = &pending.committed;
    let mut body = String::with_capacity(640 * (committed.events.len() + 1));
    body.push('[');
    let mut seq = committed.first_seq;
    let first_event = seq + pending.records.len() as u64;
    for record in &pending.records {
        member(&mut body, "{\"seq\":", &seq);
        splice(&mut body, record);
        seq += 1;
    }
    for recorded in &committed.events {
        member(&mut body, "{\"seq\":", &seq);
        member(&mut body, ",\"subject\":", &recorded.subject.text());
        member(&mut body, ",\"subject_seq\":", &recorded.subject_seq);
        if let Some(cause) = recorded.cause {
            // Sequence of the event that this one answers.
            member(&mut body, ",\"cause\":", &(first_event + u64::from(cause)));
        }
        splice(&mut body, &recorded.event);
        seq += 1;
    }
    if body.ends_with(',') {
        body.pop();
    }
    body.push(']');
    body
}

/// Ends the open object with the members of `value`, type and data, and a comma. Flattening would go through a map each time.
fn splice(body: &mut String, value: &impl Serialize) {
    json::push_members(body, value).expect("events serialize");
    body.push(',');
}

fn member(body: &mut String, name: &str, value: &impl Serialize) {
    body.push_str(name);
    json::push(body, value).expect("events serialize");
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

/// One event of a body.
///
/// # Errors
/// As [`decode`].
pub fn event(body: &str, seq: u64) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let raw: Vec<&RawValue> = serde_json::from_str(body)?;
    for line in raw {
        if serde_json::from_str::<Numbered>(line.get())?.seq == seq {
            return serde_json::from_str(line.get()).map(Some);
        }
    }
    Ok(None)
}

/// The events of a row with their sequences.
///
/// # Errors
/// As [`decode`].
pub fn events_of(row: &Row) -> Result<Vec<(u64, Recorded)>, LogError> {
    let lines = decode(&row.body).map_err(|error| LogError::Broken { at: row.first_seq, what: error.to_string() })?;
    let events = lines.into_iter().filter_map(|line| match line {
        Decoded::Event(seq, recorded) => Some((seq, recorded)),
        Decoded::Engine(_) => None,
    });
    Ok(events.collect())
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
