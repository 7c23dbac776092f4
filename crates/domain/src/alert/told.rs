//! Who is told of alerts, and what each destination has been told.
//!
//! An alert stands open to be told until the telling is recorded: that is in the log, so a restart neither repeats nor forgets.

use super::{Alert, AlertStatus, Condition, Raiser};
use crate::catalog::check_address;
use crate::event::Event;
use crate::event::alert::{AlertTold, DigestSent};
use crate::id::AlertId;
use crate::limits;
use crate::rejection::Rejection;
use crate::state::State;
use crate::text::Sealed;
use crate::time::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;

/// Where alerts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Mail,
    Webhook,
}

impl Destination {
    pub const ALL: [Self; 2] = [Self::Mail, Self::Webhook];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

/// Who is told of alerts, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRouting {
    /// Staff; each gets a mail of their own.
    #[serde(default)]
    pub mail_to: Vec<SmolStr>,
    /// Address of a Slack-compatible incoming webhook. It is a secret: whoever knows it can write there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Sealed>,
    /// Kinds that wait for the digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digest_only: Vec<SmolStr>,
    /// A message waits so long for more to come.
    #[serde(default = "gather_seconds")]
    pub gather_seconds: u32,
    /// Between two messages to one destination.
    #[serde(default = "interval_seconds")]
    pub interval_seconds: u32,
    /// Tell also when a told alert is acknowledged or over.
    #[serde(default)]
    pub follow_up: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

fn gather_seconds() -> u32 {
    10
}

fn interval_seconds() -> u32 {
    300
}

/// All that is open, once a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Minutes after local midnight.
    pub minute: u16,
    /// IANA name.
    pub time_zone: SmolStr,
}

/// What a destination was told last about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub destination: Destination,
    pub status: AlertStatus,
}

impl Alert {
    /// Over, and nobody has to be told so: it may leave memory once stored.
    pub fn may_leave(&self) -> bool {
        self.status == AlertStatus::Cleared && self.told.iter().all(|told| told.status == AlertStatus::Cleared)
    }
}

impl AlertRouting {
    pub fn goes_to(&self, destination: Destination) -> bool {
        match destination {
            Destination::Mail => !self.mail_to.is_empty(),
            Destination::Webhook => self.webhook.is_some(),
        }
    }
}

/// # Errors
/// When an address, a time or a bound is wrong.
pub(crate) fn check_routing(routing: &AlertRouting) -> Result<(), Rejection> {
    if routing.mail_to.len() > limits::ALERT_RECIPIENTS_MAX {
        return Err(Rejection::invalid("alerts.mail_to", format!("has at most {} addresses", limits::ALERT_RECIPIENTS_MAX)));
    }
    routing.mail_to.iter().try_for_each(|address| check_address("alerts.mail_to", address))?;
    if routing.digest_only.len() > limits::ALERT_RECIPIENTS_MAX
        || routing.digest_only.iter().any(|kind| kind.len() > limits::CODE_BYTES_MAX)
    {
        return Err(Rejection::invalid("alerts.digest_only", "names kinds of alerts"));
    }
    if routing.gather_seconds > limits::ALERT_PACE_SECONDS_MAX || routing.interval_seconds > limits::ALERT_PACE_SECONDS_MAX {
        let problem = format!("must be at most {}", limits::ALERT_PACE_SECONDS_MAX);
        return Err(Rejection::invalid("alerts.interval_seconds", problem));
    }
    match &routing.digest {
        Some(digest) if digest.minute > limits::MINUTE_MAX || TimeZone::get(&digest.time_zone).is_err() => {
            Err(Rejection::invalid("alerts.digest", "needs a minute (0 to 1439) and an IANA time zone"))
        }
        Some(_) | None => Ok(()),
    }
}

/// What those who carry alerts have to know.
pub struct Outlook {
    pub routing: Option<Arc<AlertRouting>>,
    /// At most [`limits::ALERTS_TOLD_MAX`], oldest first.
    pub untold: Vec<(Destination, Arc<Alert>)>,
    pub last_digest: Option<Date>,
}

/// Looks at what is to be told. Costs as much as there are open alerts.
pub fn outlook(state: &State) -> Outlook {
    let settings = state.catalog.settings();
    let Some(routing) = settings.alerts else {
        return Outlook { routing: None, untold: Vec::new(), last_digest: settings.last_digest };
    };
    let mut untold = Vec::new();
    for alert in state.untold_alerts.iter().filter_map(|id| state.alerts.shared(id)) {
        let wanted = Destination::ALL.into_iter().filter(|destination| is_wanted(&routing, *destination, &alert));
        untold.extend(wanted.map(|destination| (destination, alert.clone())));
        if untold.len() >= limits::ALERTS_TOLD_MAX {
            break;
        }
    }
    Outlook { untold, last_digest: settings.last_digest, routing: Some(routing) }
}

/// What is open, oldest first, at most [`limits::ALERTS_TOLD_MAX`]. Costs a sort of all alerts in memory.
pub fn open(state: &State) -> Vec<Arc<Alert>> {
    let alerts = state.alerts.sorted().into_iter().map(|(_, alert)| alert.clone());
    alerts.filter(|alert| alert.status != AlertStatus::Cleared).take(limits::ALERTS_TOLD_MAX).collect()
}

/// What the edge has raised and not cleared: it goes on from there after a restart.
pub fn raised_by_edge(state: &State) -> Vec<Condition> {
    let alerts = state.alerts.sorted().into_iter().map(|(_, alert)| alert);
    let open = alerts.filter(|alert| alert.status != AlertStatus::Cleared && alert.condition.raiser() == Raiser::Edge);
    open.map(|alert| alert.condition.clone()).collect()
}

fn is_wanted(routing: &AlertRouting, destination: Destination, alert: &Alert) -> bool {
    let text = alert.condition.text();
    let kind = text.split(' ').next().unwrap_or_default();
    if !routing.goes_to(destination) || routing.digest_only.iter().any(|waits| waits == kind) {
        return false;
    }
    match (last(alert, destination), alert.status) {
        (None, AlertStatus::Open | AlertStatus::Acknowledged) => true,
        (None, AlertStatus::Cleared) => false,
        (Some(told), status) => routing.follow_up && told != status,
    }
}

fn last(alert: &Alert, destination: Destination) -> Option<AlertStatus> {
    alert.told.iter().find(|told| told.destination == destination).map(|told| told.status)
}

/// What was told, as far as it is news.
pub(super) fn record(state: &State, destination: Destination, alerts: Vec<(AlertId, AlertStatus)>) -> Vec<Event> {
    let news = alerts.into_iter().take(limits::ALERTS_TOLD_MAX).filter(|(id, status)| {
        let known = state.alerts.get(id);
        known.is_some_and(|alert| last(alert, destination) != Some(*status))
    });
    news.map(|(alert, status)| AlertTold { alert, destination, status }.into()).collect()
}

pub(super) fn record_digest(state: &State, day: Date) -> Vec<Event> {
    let news = state.catalog.settings().last_digest.is_none_or(|last| last < day);
    if news { vec![DigestSent { day }.into()] } else { Vec::new() }
}

/// Keeps the set of alerts that may have something to tell: those that are not over and never told, and those told otherwise.
pub(crate) fn index(state: &mut State, alert: &Alert) {
    let never_told = alert.told.is_empty() && alert.status != AlertStatus::Cleared;
    let part_told = alert.status != AlertStatus::Cleared && alert.told.len() < Destination::ALL.len();
    if never_told || part_told || alert.told.iter().any(|told| told.status != alert.status) {
        state.untold_alerts.insert(alert.id);
    } else {
        state.untold_alerts.remove(&alert.id);
    }
}
