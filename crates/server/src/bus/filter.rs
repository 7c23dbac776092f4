//! What a subscriber wants to hear.

use super::Outgoing;
use domain::id::ChannelCode;
use domain::subscription::Subscription;

/// Types that are made here, from what the log says; they come only when a pattern names them.
pub const DERIVED: &str = "availability.";
/// Events of the past that was brought in.
const HISTORY: &str = "order.imported.v1";

/// Narrows the stream of events; an empty list narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    types: Vec<String>,
    subjects: Vec<String>,
    channels: Vec<ChannelCode>,
    without_history: bool,
    /// A subscription hears nothing of itself.
    own_subject: Option<String>,
}

impl Filter {
    /// `types` comma separated, `*` at an end stands for anything: `stock.*,order.placed`.
    pub fn new(types: Option<&str>, subject: Option<String>) -> Self {
        let types = types.into_iter().flat_map(|types| types.split(',')).map(str::trim).filter(|name| !name.is_empty());
        Self { types: types.map(plain).collect(), subjects: subject.into_iter().collect(), ..Self::default() }
    }

    /// What a durable subscription hears.
    pub fn of(subscription: &Subscription) -> Self {
        Self {
            types: subscription.filter.types.iter().map(|name| plain(name)).collect(),
            subjects: subscription.filter.subjects.iter().map(|subject| subject.to_string()).collect(),
            channels: subscription.filter.channels.clone(),
            without_history: !subscription.history,
            own_subject: Some(format!("subscription/{}", subscription.id)),
        }
    }

    pub fn matches(&self, event: &Outgoing) -> bool {
        let kind = event.kind.trim_end_matches(".v1");
        let derived = kind.starts_with(DERIVED);
        let type_wanted = if self.types.is_empty() { !derived } else { any(&self.types, kind) };
        type_wanted
            && (!derived || self.wants_availability())
            && (self.subjects.is_empty() || any(&self.subjects, &event.subject))
            && (self.channels.is_empty() || event.channel.as_ref().is_some_and(|channel| self.channels.contains(channel)))
            && !(self.without_history && event.kind == HISTORY)
            && self.own_subject.as_deref() != Some(&*event.subject)
    }

    pub fn needs_channels(&self) -> bool {
        !self.channels.is_empty()
    }

    /// Only who names availability gets it: it repeats what stock events say, channel by channel.
    pub fn wants_availability(&self) -> bool {
        self.types.iter().any(|name| name.starts_with("availability"))
    }

    /// Channels whose availability is asked for; all when none is named.
    pub fn channels(&self) -> &[ChannelCode] {
        &self.channels
    }
}

/// Whether a pattern, as subscribers write it, takes events of a type.
pub fn is_named(pattern: &str, kind: &str) -> bool {
    any(&[plain(pattern)], &plain(kind))
}

fn plain(name: &str) -> String {
    name.trim_start_matches("quartermaster.").trim_end_matches(".v1").to_owned()
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::EventRow;

    fn event(kind: &str) -> Outgoing {
        let (time, actor, subject) = (0, "a".into(), "order/ord_1".into());
        Outgoing::new(EventRow { seq: 7, time, actor, kind: kind.into(), subject, subject_seq: 1, cause: None, data: "{}".into() }, 1)
    }

    #[test]
    fn types_match_by_name_or_start() {
        for (types, kind, wanted) in [
            (None, "order.placed.v1", true),
            (Some("order.*"), "order.placed.v1", true),
            (Some("stock.*, quartermaster.order.placed.v1"), "order.placed.v1", true),
            (Some("order.place"), "order.placed.v1", false),
            (None, "availability.changed.v1", false),
            (Some("*"), "availability.changed.v1", false),
            (Some("availability.*"), "availability.changed.v1", true),
            (Some("*"), "order.placed.v1", true),
        ] {
            assert_eq!(Filter::new(types, None).matches(&event(kind)), wanted, "{types:?}");
        }
        for (subject, wanted) in [("order/ord_1", true), ("order/*", true), ("order/ord_2", false)] {
            assert_eq!(Filter::new(None, Some(subject.into())).matches(&event("order.placed.v1")), wanted, "{subject}");
        }
    }

    #[test]
    fn a_channel_narrows_to_what_has_one() {
        let filter = Filter { channels: vec![ChannelCode::new("web").unwrap()], ..Filter::default() };
        assert!(!filter.matches(&event("order.placed.v1")));
        assert!(filter.matches(&event("order.placed.v1").in_channel(ChannelCode::new("web").ok())));
    }
}
