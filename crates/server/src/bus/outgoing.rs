//! Events on their way out: CloudEvents 1.0 around the bytes of the log.

use super::{availability, personal};
use crate::vault::Vault;
use axum::body::Bytes;
use domain::id::{ChannelCode, Sku, SubscriptionId};
use domain::subscription::Subscription;
use domain::time::Timestamp;
use engine::EventRow;
use serde::Serialize;
use smol_str::SmolStr;
use std::fmt::Write;
use std::sync::Arc;

/// Where events come from, as CloudEvents name it.
pub const SOURCE: &str = "/shops/main";

/// An endpoint is tried out; nothing happened.
#[derive(Serialize)]
struct SubscriptionTest {
    subscription: SubscriptionId,
    name: SmolStr,
}

/// One event as subscribers get it.
#[derive(Debug)]
pub struct Outgoing {
    pub seq: u64,
    /// Tells apart what was made from one event of the log: 0 is the event itself.
    pub nth: u32,
    /// `incarnation-sequence`, the same at every delivery.
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub time: i64,
    /// With its version: `order.placed.v1`.
    pub kind: String,
    pub subject: Arc<str>,
    /// Known when a filter asks for it, and the event belongs to a channel.
    pub channel: Option<ChannelCode>,
    /// SKUs whose level it changed.
    pub touched: Vec<Sku>,
    body: Bytes,
    /// Kept when something is sealed in it that the vault may open.
    sealed: Option<Box<(EventRow, u64)>>,
}

impl Outgoing {
    /// `incarnation` is the life of the log in which it was written.
    pub fn new(row: EventRow, incarnation: u64) -> Self {
        let closed = personal::left_out(&row.data);
        let body = envelope(&row, incarnation, closed.as_deref().unwrap_or(&row.data)).into();
        Self {
            seq: row.seq,
            nth: 0,
            id: format!("{incarnation}-{}", row.seq),
            time: row.time,
            kind: row.kind.clone(),
            subject: row.subject.as_str().into(),
            channel: None,
            touched: availability::touched(&row.data),
            body,
            sealed: personal::is_sealed(&row.data).then(|| Box::new((row, incarnation))),
        }
    }

    #[must_use]
    pub fn in_channel(self, channel: Option<ChannelCode>) -> Self {
        Self { channel, ..self }
    }

    /// Made here: `id` and `seq` say what it was made from.
    pub fn derived(row: EventRow, nth: u32, id: String, channel: ChannelCode) -> Self {
        let body = with_id(&row, &id, "", &row.data).into();
        let (seq, time, kind, subject) = (row.seq, row.time, row.kind, row.subject.into());
        Self { seq, nth, id, time, kind, subject, channel: Some(channel), touched: Vec::new(), body, sealed: None }
    }

    /// For trying an endpoint out: it is in no log.
    pub fn test(subscription: &Subscription, now: Timestamp, seq: u64, id: &str) -> Self {
        let subject = format!("subscription/{}", subscription.id);
        let data = SubscriptionTest { subscription: subscription.id, name: subscription.name.clone() };
        let data = serde_json::to_string(&data).expect("texts serialize");
        let kind = "subscription.test.v1".to_owned();
        let row = EventRow { seq, time: now.0, actor: "bus".into(), kind, subject, subject_seq: 0, cause: None, data };
        let body = with_id(&row, id, "", &row.data).into();
        let (time, kind, subject) = (row.time, row.kind, row.subject.into());
        Self { seq, nth: 0, id: id.to_owned(), time, kind, subject, channel: None, touched: Vec::new(), body, sealed: None }
    }

    /// The structured CloudEvent. With a vault, personal data that can still be opened is in it; without, none is.
    pub fn body(&self, vault: Option<&Vault>) -> Bytes {
        match (vault, &self.sealed) {
            (Some(vault), Some(sealed)) => envelope(&sealed.0, sealed.1, &personal::opened(&sealed.0.data, vault)).into(),
            (None, _) | (_, None) => self.body.clone(),
        }
    }

    /// About what it takes in memory, in bytes.
    pub fn size(&self) -> usize {
        256 + self.body.len() + self.sealed.as_ref().map_or(0, |sealed| sealed.0.data.len())
    }
}

/// A CloudEvents 1.0 envelope without anything personal.
pub fn cloud_event(event: &EventRow, incarnation: u64) -> String {
    let closed = personal::left_out(&event.data);
    envelope(event, incarnation, closed.as_deref().unwrap_or(&event.data))
}

fn envelope(event: &EventRow, incarnation: u64, data: &str) -> String {
    let cause = event.cause.map(|cause| format!("{incarnation}-{cause}")).unwrap_or_default();
    with_id(event, &format!("{incarnation}-{}", event.seq), &cause, data)
}

fn with_id(event: &EventRow, id: &str, cause: &str, data: &str) -> String {
    let correlation = event.subject.split_once('/').map_or(event.subject.as_str(), |(_, id)| id);
    let mut text = String::with_capacity(data.len() + 480);
    text.push_str("{\"specversion\":\"1.0\",\"id\":");
    quoted(&mut text, id);
    text.push_str(",\"source\":\"");
    text.push_str(SOURCE);
    text.push_str("\",\"type\":\"quartermaster.");
    text.push_str(&event.kind);
    text.push_str("\",\"subject\":");
    quoted(&mut text, &event.subject);
    let time = serde_json::to_string(&Timestamp(event.time)).expect("times serialize");
    let written = write!(
        text,
        ",\"time\":{time},\"datacontenttype\":\"application/json\",\"sequence\":\"{:020}\",\"subjectsequence\":\"{:020}\",\"correlationid\":",
        event.seq, event.subject_seq
    );
    written.expect("memory takes all that is written");
    quoted(&mut text, correlation);
    text.push_str(",\"actor\":");
    quoted(&mut text, &event.actor);
    if !cause.is_empty() {
        text.push_str(",\"causationid\":");
        quoted(&mut text, cause);
    }
    text.push_str(",\"data\":");
    text.push_str(data);
    text.push('}');
    text
}

fn quoted(text: &mut String, value: &str) {
    text.push_str(&serde_json::to_string(value).expect("text serializes"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn an_envelope_is_json_with_the_payload_inside() {
        let row = EventRow {
            seq: 7,
            time: 0,
            actor: "a \"key\"".into(),
            kind: "order.placed.v1".into(),
            subject: "order/ord_1".into(),
            subject_seq: 1,
            cause: Some(6),
            data: "{\"x\":1}".into(),
        };
        let parsed: Value = serde_json::from_str(&cloud_event(&row, 2)).unwrap();
        assert_eq!(parsed["data"]["x"], 1);
        for (name, wanted) in [
            ("specversion", "1.0"),
            ("id", "2-7"),
            ("type", "quartermaster.order.placed.v1"),
            ("time", "1970-01-01T00:00:00.000Z"),
            ("sequence", "00000000000000000007"),
            ("subjectsequence", "00000000000000000001"),
            ("causationid", "2-6"),
            ("correlationid", "ord_1"),
            ("actor", "a \"key\""),
        ] {
            assert_eq!(parsed[name], wanted);
        }
    }
}
