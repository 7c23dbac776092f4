//! Alerts on their way to people: by mail and to a Slack-compatible webhook, grouped, and once a day as a digest.
//!
//! What was told stands in the log (`alert.told`), so a restart neither repeats nor forgets. Only a crash between sending and recording
//! tells the same group again: an alert twice is better than none. Nothing here can hold up an order: State is looked at once a second at
//! most, and whoever does not answer is tried again later.

pub mod edge;
mod outage;
mod words;

pub use outage::Outage;

use crate::config::ALERT_AFTER;
use crate::connectors::smtp::{Mail, Recipient, Sent, Smtp, Written, parse_address};
use crate::connectors::webhook::{Posted, Poster, slack};
use crate::mail::Post;
use crate::shop::Shop;
use domain::alert::{Alert, AlertRouting, Destination, Outlook};
use domain::command::alert::Command;
use domain::time::Date;
use engine::Reply;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Shortest and longest time between two looks at State.
const LOOK_FIRST: Duration = Duration::from_secs(1);
const LOOK_LAST: Duration = Duration::from_secs(30);
/// Pauses after a destination did not take a message: doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_LAST: Duration = Duration::from_secs(900);

/// How a destination is paced.
struct Pace {
    /// Since when something waits.
    waiting: Option<Instant>,
    last: Option<Instant>,
    not_before: Instant,
    pause: Duration,
}

struct Desk {
    shop: Arc<Shop>,
    smtp: Option<Arc<Smtp>>,
    outage: Arc<Outage>,
    /// Of the webhook; told by mail, if at all.
    silence: Outage,
    from: Option<String>,
    poster: Poster,
    paces: BTreeMap<Destination, Pace>,
}

/// Tells people of alerts until `stop` says so.
pub async fn run(shop: Arc<Shop>, post: Post, mut stop: watch::Receiver<bool>) {
    let mut durable = shop.durable.clone();
    let Post { smtp, outage, from } = post;
    let poster = Poster::new(shop.bus.allows_private());
    let silence = Outage::new(shop.clone(), "alert_webhook", ALERT_AFTER);
    let mut desk = Desk { shop, smtp, outage, silence, from, poster, paces: BTreeMap::new() };
    while !*stop.borrow() {
        durable.mark_unchanged();
        let Some(outlook) = desk.shop.query(domain::alert::outlook).await else { return };
        let Some(routing) = outlook.routing.clone() else {
            // Nobody is to be told: nothing to do until something changes.
            tokio::select! {
                changed = durable.changed() => if changed.is_err() { return },
                _ = stop.changed() => {}
            }
            tokio::time::sleep(LOOK_FIRST).await;
            continue;
        };
        let soon = desk.turn(&routing, &outlook).await;
        desk.digest(&routing, &outlook).await;
        tokio::select! {
            () = tokio::time::sleep(if soon { LOOK_FIRST } else { LOOK_LAST }) => {}
            changed = durable.changed() => if changed.is_err() { return },
            _ = stop.changed() => {}
        }
        tokio::time::sleep(LOOK_FIRST).await;
    }
}

impl Desk {
    /// Tells each destination what waits for it, when its time has come. `true` while something waits.
    async fn turn(&mut self, routing: &AlertRouting, outlook: &Outlook) -> bool {
        let mut soon = false;
        for destination in Destination::ALL {
            let waiting: Vec<&Alert> =
                outlook.untold.iter().filter(|(to, _)| *to == destination).map(|(_, alert)| alert.as_ref()).collect();
            let pace = self.paces.entry(destination).or_insert_with(|| Pace {
                waiting: None,
                last: None,
                not_before: Instant::now(),
                pause: PAUSE_FIRST,
            });
            if waiting.is_empty() {
                pace.waiting = None;
                continue;
            }
            soon = true;
            let now = Instant::now();
            let gathered = *pace.waiting.get_or_insert(now) + Duration::from_secs(u64::from(routing.gather_seconds));
            let spaced = pace.last.map_or(now, |last| last + Duration::from_secs(u64::from(routing.interval_seconds)));
            if now < gathered.max(spaced).max(pace.not_before) {
                continue;
            }
            let (title, lines) = words::group(&waiting);
            let told = self.tell(destination, routing, &title, &lines).await;
            let pace = self.paces.get_mut(&destination).expect("made above");
            match told {
                Ok(()) => {
                    (pace.waiting, pace.last, pace.pause) = (None, Some(Instant::now()), PAUSE_FIRST);
                    let alerts = waiting.iter().map(|alert| (alert.id, alert.status)).collect();
                    self.record(Command::RecordTold { destination, alerts }).await;
                }
                Err(why) => {
                    tracing::warn!("alerts could not be told by {}, again in {} s: {why}", destination.as_str(), pace.pause.as_secs());
                    pace.not_before = Instant::now() + pace.pause;
                    pace.pause = (pace.pause * 2).min(PAUSE_LAST);
                }
            }
        }
        soon
    }

    /// Once a day, at the set local time, what is open.
    async fn digest(&mut self, routing: &AlertRouting, outlook: &Outlook) {
        let Some(digest) = &routing.digest else { return };
        let zone = TimeZone::get(&digest.time_zone).unwrap_or(TimeZone::UTC);
        let now = self.shop.now();
        let today = now.date_in(&zone);
        let (due, first) = (now >= today.at_minute(digest.minute, &zone), outlook.last_digest.is_none());
        if !due || outlook.last_digest.is_some_and(|last| last >= today) {
            if first {
                // Set up before today's time: the first one comes today.
                self.record(Command::RecordDigest { day: before(today) }).await;
            }
            return;
        }
        // Set up after today's time: the first one comes tomorrow.
        if !first {
            let Some(open) = self.shop.query(domain::alert::open).await else { return };
            let (title, lines) = words::digest(&open, &today.to_string());
            let mut told = false;
            for destination in Destination::ALL.into_iter().filter(|destination| routing.goes_to(*destination)) {
                match self.tell(destination, routing, &title, &lines).await {
                    Ok(()) => told = true,
                    Err(why) => tracing::warn!("the digest could not be told by {}: {why}", destination.as_str()),
                }
            }
            if !told {
                return;
            }
        }
        self.record(Command::RecordDigest { day: today }).await;
    }

    async fn tell(&self, destination: Destination, routing: &AlertRouting, title: &str, lines: &[String]) -> Result<(), String> {
        match destination {
            Destination::Mail => self.mail(routing, title, lines).await,
            Destination::Webhook => {
                let sealed = routing.webhook.as_ref().ok_or("no webhook is set")?;
                let url = self.shop.vault.open_secret(sealed).ok_or("this vault did not seal the webhook; set it again")?;
                let span = self.shop.traces.as_ref().map(|traces| traces.outside("alert post", []));
                let posted = self.poster.post(&url, &[], slack(title, lines).to_string()).await;
                if let (Some(span), false) = (span, matches!(posted, Posted::Taken { .. })) {
                    span.fail("not_taken");
                }
                match posted {
                    Posted::Taken { .. } => {
                        self.silence.answered().await;
                        Ok(())
                    }
                    Posted::Later { code, message } | Posted::Refused { code, message } | Posted::InDoubt { code, message } => {
                        let why = format!("{code} {message}");
                        self.silence.failed(&why).await;
                        Err(why)
                    }
                }
            }
        }
    }

    /// One mail to each, so that a wrong address keeps it from nobody else. Told when anybody got it.
    async fn mail(&self, routing: &AlertRouting, title: &str, lines: &[String]) -> Result<(), String> {
        let smtp = self.smtp.as_ref().ok_or("no mail server is configured")?;
        let from = self.from.clone().ok_or("no sender is configured; set smtp.from")?;
        let domain = parse_address(&from).map_err(|error| error.to_string())?.1;
        let domain = domain.rsplit_once('@').map_or("localhost", |(_, domain)| domain).to_owned();
        let mut problem = None;
        let mut told = false;
        for (at, to) in routing.mail_to.iter().enumerate() {
            let sent = async {
                let (name, address) = parse_address(to).map_err(|error| error.to_string())?;
                let mail = Mail {
                    from: from.clone(),
                    reply_to: None,
                    to: vec![Recipient { name, address }],
                    subject: title.to_owned(),
                    text: format!("{title}\n\n{}\n", lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")),
                    html: None,
                    message_id: format!("alert.{}.{at}.{}@{domain}", self.shop.now().0, self.shop.status_links.mark()),
                    attachments: Vec::new(),
                };
                let written = Written::new(&mail).map_err(|error| error.to_string())?;
                let session = match smtp.session().await {
                    Ok(session) => session,
                    Err(error) => {
                        self.outage.failed(&error.to_string()).await;
                        return Err(error.to_string());
                    }
                };
                self.outage.answered().await;
                let span = self.shop.traces.as_ref().map(|traces| traces.outside("mail send", []));
                let sent = session.send(&written).await;
                if let (Some(span), false) = (span, matches!(sent, Sent::Taken)) {
                    span.fail("not_taken");
                }
                match sent {
                    Sent::Taken | Sent::InDoubt { .. } => Ok(()),
                    Sent::Later { code, message } | Sent::Refused { code, message } => Err(format!("{to}: {code} {message}")),
                }
            };
            match sent.await {
                Ok(()) => told = true,
                Err(why) => {
                    tracing::warn!("an alert mail was not taken: {why}");
                    problem = Some(why);
                }
            }
        }
        if told { Ok(()) } else { Err(problem.unwrap_or_else(|| "nobody is to get mail".to_owned())) }
    }

    async fn record(&self, command: Command) {
        match self.shop.submit(command.into(), "alerts".to_owned(), None).await {
            Ok(Reply::Done { .. }) => {}
            // Told again later: better than not at all.
            Ok(reply) => tracing::warn!(?reply, "what was told could not be recorded"),
            Err(_) => tracing::warn!("what was told could not be recorded, too much waits"),
        }
    }
}

fn before(day: Date) -> Date {
    Date(day.0.saturating_sub(jiff::Span::new().days(1)))
}
