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
use std::sync::{Arc, OnceLock};

/// Where events come from, as CloudEvents name it.
pub const SOURCE: &str = "/shops/main";

/// An endpoint is tried out; nothing happened.
#[derive(Serialize)]
struct SubscriptionTest {
    subscription: SubscriptionId,
    name: SmolStr,
}

/// One event as subscribers get it. Its bytes are made when the first of them wants it: most filters take few of what they look at.
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
    row: EventRow,
    cause: Option<String>,
    closed: OnceLock<Bytes>,
}

impl Outgoing {
    /// `incarnation` is the life of the log in which it was written.
    pub fn new(row: EventRow, incarnation: u64) -> Self {
        let (id, cause) = (format!("{incarnation}-{}", row.seq), row.cause.map(|cause| format!("{incarnation}-{cause}")));
        Self { cause, ..Self::made(row, id) }
    }

    fn made(row: EventRow, id: String) -> Self {
        let (seq, time, kind, subject) = (row.seq, row.time, row.kind.clone(), row.subject.as_str().into());
        Self { seq, nth: 0, id, time, kind, subject, channel: None, row, cause: None, closed: OnceLock::new() }
    }

    #[must_use]
    pub fn in_channel(self, channel: Option<ChannelCode>) -> Self {
        Self { channel, ..self }
    }

    /// Made here: `id` and `seq` say what it was made from.
    pub fn derived(row: EventRow, nth: u32, id: String, channel: ChannelCode) -> Self {
        Self { nth, channel: Some(channel), ..Self::made(row, id) }
    }

    /// For trying an endpoint out: it is in no log.
    pub fn test(subscription: &Subscription, now: Timestamp, seq: u64, id: &str) -> Self {
        let subject = format!("subscription/{}", subscription.id);
        let data = SubscriptionTest { subscription: subscription.id, name: subscription.name.clone() };
        let data = serde_json::to_string(&data).expect("texts serialize");
        let kind = "subscription.test.v1".to_owned();
        let row = EventRow { seq, time: now.0, actor: "bus".into(), kind, subject, subject_seq: 0, cause: None, data };
        Self::made(row, id.to_owned())
    }

    /// SKUs whose level it changed.
    pub fn touched(&self) -> Vec<Sku> {
        availability::touched(&self.row.data)
    }

    /// The structured CloudEvent. With a vault, personal data that can still be opened is in it; without, none is.
    pub fn body(&self, vault: Option<&Vault>) -> Bytes {
        match vault.filter(|_| personal::is_sealed(&self.row.data)) {
            Some(vault) => self.around(&personal::opened(&self.row.data, vault)),
            None => self.closed.get_or_init(|| self.around(&personal::left_out(&self.row.data))).clone(),
        }
    }

    fn around(&self, data: &str) -> Bytes {
        envelope(&self.row, &self.id, self.cause.as_deref(), data).into()
    }

    /// About what it takes in memory, in bytes, once somebody wanted it.
    pub fn size(&self) -> usize {
        512 + 2 * self.row.data.len()
    }
}

/// A CloudEvents 1.0 envelope without anything personal.
pub fn cloud_event(event: &EventRow, incarnation: u64) -> String {
    let cause = event.cause.map(|cause| format!("{incarnation}-{cause}"));
    envelope(event, &format!("{incarnation}-{}", event.seq), cause.as_deref(), &personal::left_out(&event.data))
}

fn envelope(event: &EventRow, id: &str, cause: Option<&str>, data: &str) -> String {
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
    text.push_str(",\"time\":");
    engine::json::push(&mut text, &Timestamp(event.time)).expect("times serialize");
    let written = write!(
        text,
        ",\"datacontenttype\":\"application/json\",\"sequence\":\"{:020}\",\"subjectsequence\":\"{:020}\",\"correlationid\":",
        event.seq, event.subject_seq
    );
    written.expect("memory takes all that is written");
    quoted(&mut text, correlation);
    text.push_str(",\"actor\":");
    quoted(&mut text, &event.actor);
    if let Some(cause) = cause {
        text.push_str(",\"causationid\":");
        quoted(&mut text, cause);
    }
    text.push_str(",\"data\":");
    text.push_str(data);
    text.push('}');
    text
}

fn quoted(text: &mut String, value: &str) {
    engine::json::push(text, value).expect("text serializes");
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
