//! Mail: what is outstanding is written, sent and recorded, each at most once.
//!
//! An attempt is durable (`effect.started`) before the mail server hears of it. When the process dies between sending and recording,
//! the next start finds it begun and not ended: it is in doubt, recorded as such, and nobody sends it again but a person.

pub mod contents;
pub mod locale;
mod purchase;
pub mod sample;
pub mod templates;
mod write;

pub use write::Letters;

use crate::alerting::Outage;
use crate::config::ALERT_AFTER;
use crate::connectors::smtp::{Sent, Session, Smtp, Unreachable, Written};
use crate::shop::Shop;
use crate::traces::Span;
use domain::command::notification::{Command, Posted};
use domain::id::DeliveryId;
use domain::limits::DELIVERY_MS_MAX;
use domain::notification::{DeliveryStatus, Failure};
use domain::purchasing::DispatchVia;
use domain::time::Timestamp;
use engine::{Letter, Reply};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Most letters that are looked at in one turn.
const LOOK_MAX: usize = 256;
/// Shortest time between two looks, so that a busy log does not mean a busy post office.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Longest time without a look.
const LOOK_LAST: Duration = Duration::from_secs(60);
/// Pauses before a mail server that could not be reached is tried again: doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LAST: Duration = Duration::from_secs(60);
/// How long mails under way get when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How mail leaves: shared by all who write.
#[derive(Clone)]
pub struct Post {
    /// None leaves: it waits, and is given up when it is too old.
    pub smtp: Option<Arc<Smtp>>,
    /// Whether the server answers.
    pub outage: Arc<Outage>,
    /// Sender of mails to suppliers and staff.
    pub from: Option<String>,
}

impl Post {
    /// As the shop's configuration has it.
    ///
    /// # Errors
    /// When the configured certificate cannot be read.
    pub fn new(shop: &Arc<Shop>) -> Result<Self, Unreachable> {
        let mail = shop.config.mail.as_ref();
        let smtp = mail.map(|mail| Smtp::new(mail.smtp.clone()).map(Arc::new)).transpose()?;
        let told_after = mail.map_or(ALERT_AFTER, |mail| mail.alert_after);
        Ok(Self { smtp, outage: Arc::new(Outage::new(shop.clone(), "smtp", told_after)), from: mail.map(|mail| mail.from.clone()) })
    }
}

struct Office {
    shop: Arc<Shop>,
    outage: Arc<Outage>,
    letters: Letters,
    under_way: Mutex<BTreeSet<DeliveryId>>,
}

/// Sends what is outstanding until `stop` says so, then waits for what is under way. Without a mail server, mails wait and are given up
/// when they are too old.
pub async fn run(shop: Arc<Shop>, post: Post, mut stop: watch::Receiver<bool>) {
    let Post { smtp, outage, from } = post;
    let office = Arc::new(Office { letters: Letters::new(shop.clone(), from), shop, outage, under_way: Mutex::new(BTreeSet::new()) });
    office.doubt_what_was_begun(DispatchVia::Mail).await;
    let mut durable = office.shop.durable.clone();
    let slots = Arc::new(Semaphore::new(smtp.as_ref().map_or(1, |smtp| smtp.options().connections)));
    let mut tasks = JoinSet::new();
    let mut pause = PAUSE_FIRST;
    while !*stop.borrow() {
        durable.mark_unchanged();
        while tasks.try_join_next().is_some() {}
        let wait = match office.turn(smtp.as_ref(), &slots, &mut tasks).await {
            Ok(()) => {
                pause = PAUSE_FIRST;
                office.until_next()
            }
            Err(why) => {
                tracing::warn!("mail waits, the server is tried again in {} s: {why}", pause.as_secs());
                office.give_up_what_is_old(&why).await;
                office.outage.failed(&why.to_string()).await;
                let wait = office.outage.told_in().map_or(pause, |told| pause.min(told.max(PAUSE_FIRST)));
                pause = (pause * 2).min(PAUSE_LAST);
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    _ = stop.changed() => {}
                }
                continue;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            changed = durable.changed() => if changed.is_err() { break },
            _ = stop.changed() => {}
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("mails were cut off while they were sent; the next start records them as in doubt");
    }
}

impl Office {
    fn is_under_way(&self, of: DeliveryId) -> bool {
        self.under_way.lock().expect("no thread panics with the lock").contains(&of)
    }

    /// Begins all that is due, as far as there are connections.
    async fn turn(self: &Arc<Self>, smtp: Option<&Arc<Smtp>>, slots: &Arc<Semaphore>, tasks: &mut JoinSet<()>) -> Result<(), Unreachable> {
        for letter in self.shop.engine.letters(DispatchVia::Mail, self.shop.now(), LOOK_MAX) {
            if self.is_under_way(letter.of) || letter.delivery.status == DeliveryStatus::Started {
                continue;
            }
            let Some(smtp) = smtp else {
                return Err(Unreachable("no mail server is configured; set smtp.url in quartermaster.toml".to_owned()));
            };
            let Ok(slot) = slots.clone().try_acquire_owned() else { return Ok(()) };
            let session = smtp.session().await?;
            self.outage.answered().await;
            self.under_way.lock().expect("no thread panics with the lock").insert(letter.of);
            let office = self.clone();
            tasks.spawn(async move {
                office.deliver(&letter, session).await;
                office.under_way.lock().expect("no thread panics with the lock").remove(&letter.of);
                drop(slot);
            });
        }
        match smtp {
            // Nothing waits any more: whether it is back is still to be known.
            Some(smtp) if self.outage.is_away() => {
                smtp.session().await?.keep();
                self.outage.answered().await;
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    fn until_next(&self) -> Duration {
        let Some(at) = self.shop.engine.next_letter(DispatchVia::Mail) else { return LOOK_LAST };
        let ms = u64::try_from(at.0 - self.shop.now().0).unwrap_or(0);
        // What is due already waits for a connection or an answer.
        Duration::from_millis(ms).clamp(Duration::from_millis(200), LOOK_LAST)
    }

    async fn deliver(&self, letter: &Letter, session: Session) {
        let (mail, reference) = match self.letters.write(letter.of).await {
            Ok(mail) => {
                let reference = mail.message_id.clone();
                (Written::new(&mail), reference)
            }
            Err(posted) => return self.record(letter.of, posted).await,
        };
        let mail = match mail {
            Ok(mail) => mail,
            Err(unwritable) => return self.record(letter.of, Posted::Refused(failure("address", nameless(&unwritable.to_string())))).await,
        };
        if !self.start(letter.of).await {
            return;
        }
        let span = self.shop.traces.as_ref().map(|traces| traces.outside("mail send", [("quartermaster.delivery", letter.of.to_string())]));
        let posted = match session.send(&mail).await {
            Sent::Taken => Posted::Sent { reference: reference.into() },
            Sent::Later { code, message } => Posted::Later(failure(&code, nameless(&message))),
            Sent::Refused { code, message } => Posted::Refused(failure(&code, nameless(&message))),
            Sent::InDoubt { code, message } => Posted::InDoubt(failure(&code, nameless(&message))),
        };
        if let Some(span) = span {
            tell(&span, &posted);
        }
        metrics::counter!("quartermaster_mails", "outcome" => word(&posted)).increment(1);
        self.record(letter.of, posted).await;
    }

    /// `true` when the attempt is durable, and ours.
    async fn start(&self, of: DeliveryId) -> bool {
        match self.shop.submit(Command::Start { of }.into(), "mail".to_owned(), None).await {
            Ok(Reply::Done { committed, .. }) => !committed.events.is_empty(),
            Ok(_) | Err(_) => false,
        }
    }

    /// Until it is durable, or the engine has stopped.
    async fn record(&self, of: DeliveryId, posted: Posted) {
        record(&self.shop, of, posted).await;
    }

    /// Begun by a process that is gone: the mail may have left or not.
    async fn doubt_what_was_begun(&self, via: DispatchVia) {
        doubt_what_was_begun(&self.shop, via).await;
    }

    /// While nobody can be reached, what is too old to be news is given up.
    async fn give_up_what_is_old(&self, why: &Unreachable) {
        let now = self.shop.now();
        for letter in self.shop.engine.letters(DispatchVia::Mail, now, LOOK_MAX) {
            let old = letter.delivery.requested_at.plus_ms(DELIVERY_MS_MAX) < now && letter.delivery.status != DeliveryStatus::Started;
            if old && !self.is_under_way(letter.of) {
                self.record(letter.of, Posted::Refused(failure("unreachable", why.to_string()))).await;
            }
        }
    }
}

/// What an earlier process began and did not end is recorded as in doubt.
pub async fn doubt_what_was_begun(shop: &Shop, via: DispatchVia) {
    let begun = shop.engine.letters(via, Timestamp(i64::MAX), usize::MAX);
    for letter in begun.into_iter().filter(|letter| letter.delivery.status == DeliveryStatus::Started) {
        let message = "the server stopped between sending and recording; it may have arrived".to_owned();
        record(shop, letter.of, Posted::InDoubt(failure("interrupted", message))).await;
    }
}

/// Records an outcome; tried until it is durable or the engine has stopped.
pub async fn record(shop: &Shop, of: DeliveryId, posted: Posted) {
    let mut pause = Duration::from_millis(100);
    loop {
        let command = Command::Record { of, posted: posted.clone() };
        match shop.submit(command.into(), "mail".to_owned(), None).await {
            Ok(Reply::Done { .. } | Reply::Refused { .. } | Reply::KeyReused) => return,
            Ok(Reply::OutcomeUnknown) => return,
            Ok(Reply::NoSpace) | Err(_) if shop.engine.failure().is_some() => return,
            Ok(Reply::NoSpace) | Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

/// What a mail server says, without the addresses that it repeats: they are personal data, and the log keeps what it is told for good.
fn nameless(message: &str) -> String {
    message.split(' ').map(|word| if word.contains('@') { "(address)" } else { word }).collect::<Vec<_>>().join(" ")
}

/// The code alone: what a server says may name a person.
pub fn tell(span: &Span, posted: &Posted) {
    span.note("quartermaster.outcome", word(posted));
    match posted {
        Posted::Sent { .. } | Posted::Suppressed(_) => {}
        Posted::Later(failure) | Posted::Refused(failure) | Posted::InDoubt(failure) => span.fail(failure.code.to_string()),
    }
}

pub fn failure(code: &str, message: String) -> Failure {
    Failure { code: code.into(), message: message.into() }
}

fn word(posted: &Posted) -> &'static str {
    match posted {
        Posted::Sent { .. } => "sent",
        Posted::Later(_) => "later",
        Posted::Refused(_) => "refused",
        Posted::InDoubt(_) => "in_doubt",
        Posted::Suppressed(_) => "suppressed",
    }
}

#[cfg(test)]
mod tests {
    use super::nameless;

    #[test]
    fn no_address_gets_into_the_log() {
        assert_eq!(nameless("5.1.1 <ada@example.com>: user unknown"), "5.1.1 (address) user unknown");
    }
}
