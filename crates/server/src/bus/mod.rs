//! Events on their way out: CloudEvents 1.0, filtered.

use domain::time::Timestamp;
use engine::EventRow;
use serde_json::json;

/// What a subscriber wants to hear.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    types: Vec<String>,
    subject: Option<String>,
}

impl Filter {
    /// `types` comma separated, `*` at an end stands for anything: `stock.*,order.placed`.
    pub fn new(types: Option<&str>, subject: Option<String>) -> Self {
        let types = types.into_iter().flat_map(|types| types.split(',')).map(str::trim).filter(|name| !name.is_empty());
        let plain = |name: &str| name.trim_start_matches("quartermaster.").trim_end_matches(".v1").to_owned();
        Self { types: types.map(plain).collect(), subject }
    }

    pub fn matches(&self, event: &EventRow) -> bool {
        let kind = event.kind.trim_end_matches(".v1");
        let wanted = self.types.is_empty()
            || self.types.iter().any(|name| match name.strip_suffix('*') {
                Some(start) => kind.starts_with(start),
                None => kind == name,
            });
        wanted && self.subject.as_ref().is_none_or(|subject| *subject == event.subject)
    }
}

/// A CloudEvents 1.0 envelope around the bytes of the log.
pub fn cloud_event(event: &EventRow) -> String {
    let correlation = event.subject.split_once('/').map_or(event.subject.as_str(), |(_, id)| id);
    let mut head = json!({
        "specversion": "1.0",
        "id": format!("1-{}", event.seq),
        "source": "/shops/main",
        "type": format!("quartermaster.{}", event.kind),
        "subject": event.subject,
        "time": Timestamp(event.time),
        "datacontenttype": "application/json",
        "sequence": format!("{:020}", event.seq),
        "subjectsequence": format!("{:020}", event.subject_seq),
        "correlationid": correlation,
        "actor": event.actor,
    });
    if let Some(cause) = event.cause {
        head["causationid"] = json!(format!("1-{cause}"));
    }
    let mut text = head.to_string();
    text.pop();
    text.push_str(",\"data\":");
    text.push_str(&event.data);
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str) -> EventRow {
        let (time, actor, subject) = (0, "a".into(), "order/ord_1".into());
        EventRow { seq: 7, time, actor, kind: kind.into(), subject, subject_seq: 1, cause: Some(6), data: "{\"x\":1}".into() }
    }

    #[test]
    fn types_match_by_name_or_start() {
        for (types, kind, wanted) in [
            (None, "order.placed.v1", true),
            (Some("order.*"), "order.placed.v1", true),
            (Some("stock.*, quartermaster.order.placed.v1"), "order.placed.v1", true),
            (Some("order.place"), "order.placed.v1", false),
        ] {
            assert_eq!(Filter::new(types, None).matches(&event(kind)), wanted, "{types:?}");
        }
        assert!(!Filter::new(None, Some("order/ord_2".into())).matches(&event("order.placed.v1")));
    }

    #[test]
    fn an_envelope_is_json_with_the_payload_inside() {
        let parsed: serde_json::Value = serde_json::from_str(&cloud_event(&event("order.placed.v1"))).unwrap();
        assert_eq!(parsed["data"]["x"], 1);
        assert_eq!(parsed["type"], "quartermaster.order.placed.v1");
        assert_eq!(parsed["sequence"], "00000000000000000007");
        assert_eq!(parsed["causationid"], "1-6");
    }
}
