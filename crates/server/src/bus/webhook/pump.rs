//! One endpoint: what waits for it, calls under way, what became of them, and how far it is.

use super::parked::Lane;
use super::{Called, Message, Outcome, Wire, call, span, wall_ms};
use crate::bus::attempts::Attempt;
use crate::bus::circuit::{Breaker, Leave, retry_after};
use crate::bus::window::Window;
use crate::bus::{Ask, Circuit, Entry, Filter, Outgoing, availability, page, secret};
use crate::outbound::{Connection, Signer, Target};
use crate::traces::Span;
use domain::command::subscription::Command;
use domain::subscription::{Status, Subscription, Webhook};
use domain::time::Timestamp;
use engine::Backfill;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Failures of one event, while others succeed, after which its subject parks.
const REFUSED_MAX: u32 = 2;
/// Most subjects that park; beyond, the cursor waits.
pub const PARKED_MAX: usize = 100;
/// Tries of an event of a backfill while the endpoint works; then it is left, and stands in the attempts.
const BACKFILL_TRIES_MAX: u32 = 4;
/// An endpoint that failed altogether for so long is called no more: about the three days of a single event.
const DISABLE_AFTER_MS: i64 = 3 * 24 * 60 * 60 * 1000;
/// A log that cannot be read is tried again after.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// A range beside the live cursor.
struct Range {
    from: u64,
    to: u64,
    reached: u64,
    window: Window,
}

/// Where an event that is under way came from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Live,
    Parked(String),
    Range { from: u64, to: u64 },
}

struct Flight {
    source: Source,
    event: Arc<Outgoing>,
    called: Called,
    connection: Option<Connection>,
}

struct Pump {
    wire: Arc<Wire>,
    entry: Arc<Entry>,
    subscription: Arc<Subscription>,
    filter: Filter,
    target: Arc<Target>,
    timeout: Duration,
    signer: Arc<Signer>,
    /// The signer has to be made anew then, in the shop's time.
    signer_until: Option<Timestamp>,
    live: Window,
    reached: u64,
    /// The cursor as it was told last.
    said: u64,
    parked: BTreeMap<String, Lane>,
    ranges: Vec<Range>,
    circuit: Breaker,
    successes: u64,
    free: Vec<Option<Connection>>,
    flights: JoinSet<Flight>,
    /// Calls under way for ranges.
    ranging: usize,
    unsaid: bool,
    read_again: Option<Instant>,
    last_error: Option<String>,
}

/// Delivers to one endpoint as long as it is active.
pub async fn run(wire: Arc<Wire>, entry: Arc<Entry>) {
    loop {
        let subscription = entry.subscription();
        let Some(webhook) = subscription.webhook.clone().filter(|_| subscription.status == Status::Active && !entry.is_gone()) else {
            return;
        };
        match Pump::new(&wire, &entry, &subscription, &webhook) {
            Ok(mut pump) => pump.run().await,
            Err(reason) => {
                disable(&wire, &subscription, &reason).await;
                let mut versions = entry.versions();
                if entry.is_still(&subscription) && versions.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn disable(wire: &Wire, subscription: &Subscription, reason: &str) {
    let command = Command::DisableSubscription { subscription: subscription.id, reason: reason.into() };
    if wire.shop.submit(command.into(), "bus".into(), None).await.is_err() {
        tracing::warn!("{} could not be disabled: {reason}", subscription.id);
    }
}

/// The signer of the secrets that sign now, and until when.
fn signer(wire: &Wire, webhook: &Webhook) -> Option<(Signer, Option<Timestamp>)> {
    let now = wire.shop.now();
    let open = |sealed| wire.shop.vault.open_secret(sealed).and_then(|text| secret::parse(&text).ok());
    let secrets: Vec<Vec<u8>> = webhook.signing(now).filter_map(|secret| open(&secret.sealed)).collect();
    let until = webhook.signing(now).filter_map(|secret| secret.expires_at).min();
    (!secrets.is_empty()).then(|| (Signer::new(secrets.iter().map(Vec::as_slice)), until))
}

impl Pump {
    fn new(wire: &Arc<Wire>, entry: &Arc<Entry>, subscription: &Arc<Subscription>, webhook: &Webhook) -> Result<Self, String> {
        let target = Target::parse(&webhook.url).ok_or("its url can't be called")?;
        let (signer, signer_until) = signer(wire, webhook).ok_or("its secrets can't be opened with this vault and this key of secrets; start with the right one and resume it, or rotate the secret")?;
        let cursor = entry.cursor();
        let mut circuit = Breaker::default();
        circuit.failing_since = cursor.failing_since;
        Ok(Self {
            wire: wire.clone(),
            entry: entry.clone(),
            subscription: subscription.clone(),
            filter: Filter::of(subscription),
            target: Arc::new(target),
            timeout: Duration::from_millis(webhook.timeout_ms.into()),
            signer: Arc::new(signer),
            signer_until,
            live: Window::default(),
            reached: cursor.sequence,
            said: cursor.sequence,
            parked: cursor.parked.into_iter().map(|parked| (parked.subject.clone(), Lane::resumed(parked))).collect(),
            ranges: cursor.backfills.into_iter().map(range).collect(),
            circuit,
            successes: 0,
            free: (0..webhook.concurrency).map(|_| None).collect(),
            flights: JoinSet::new(),
            ranging: 0,
            unsaid: false,
            read_again: None,
            last_error: None,
        })
    }

    /// Until the subscription changes; calls under way are waited for.
    async fn run(&mut self) {
        let (mut versions, mut durable, asked) = (self.entry.versions(), self.wire.shop.durable.clone(), self.entry.asked());
        loop {
            let goes_on = self.entry.is_still(&self.subscription);
            if goes_on {
                self.take_asks();
                self.fill().await;
                self.launch();
            } else if self.flights.is_empty() {
                return;
            }
            self.say();
            let wake = if goes_on { self.wake() } else { None };
            let hungry = goes_on && self.live.has_room() && self.read_again.is_none();
            let reached = self.reached;
            tokio::select! {
                Some(flight) = self.flights.join_next(), if !self.flights.is_empty() => {
                    let flight = flight.expect("a call does not panic");
                    self.settle(flight);
                    while let Some(flight) = self.flights.try_join_next() {
                        self.settle(flight.expect("a call does not panic"));
                    }
                }
                more = durable.wait_for(|seq| *seq > reached), if hungry => if more.is_err() { return },
                () = until(wake), if wake.is_some() => {}
                _ = versions.changed(), if goes_on => {}
                () = asked.notified(), if goes_on => {}
            }
        }
    }

    fn take_asks(&mut self) {
        for ask in self.entry.take_asks() {
            self.unsaid = true;
            match ask {
                Ask::Backfill { from, to } => {
                    if !self.ranges.iter().any(|range| (range.from, range.to) == (from, to)) {
                        self.ranges.push(range(Backfill { next: from, to }));
                    }
                }
                Ask::Retry(sequence) => {
                    let wanted = |lane: &&mut Lane| sequence.is_none_or(|sequence| lane.parked.sequence == sequence);
                    self.parked.values_mut().filter(wanted).for_each(Lane::retry);
                }
                Ask::Discard(sequence) => {
                    self.parked.values_mut().filter(|lane| lane.parked.sequence == sequence).for_each(Lane::skip);
                }
            }
        }
    }

    /// Reads on, as far as there is room.
    async fn fill(&mut self) {
        if self.read_again.is_some_and(|at| at > Instant::now()) {
            return;
        }
        self.read_again = None;
        let read = self.fill_live().await.and(self.fill_ranges().await);
        if let Err(error) = read {
            tracing::warn!("{} could not read the log: {error}", self.subscription.id);
            self.read_again = Some(Instant::now() + READ_PAUSE);
        }
        let (mut free, shop) = (Vec::new(), self.wire.shop.clone());
        for (subject, lane) in &mut self.parked {
            let searched = lane.looks();
            if !lane.look(&shop, &self.filter, self.reached).await {
                free.push(subject.clone());
            }
            self.unsaid |= searched;
        }
        for subject in free {
            self.parked.remove(&subject);
        }
    }

    async fn fill_live(&mut self) -> Result<(), engine::ReadError> {
        let durable = self.wire.shop.engine.durable();
        while self.live.has_room() && self.reached < durable {
            let found = self.wire.feed.after(&self.wire.shop, self.reached, self.filter.needs_channels()).await?;
            if found.looked <= self.reached {
                break;
            }
            let mut events: Vec<_> = found.events.iter().filter(|event| self.filter.matches(event)).cloned().collect();
            if self.filter.wants_availability() {
                events.extend(availability::changed(&self.wire.shop, &self.filter, &found.events).await);
                events.sort_by_key(|event| (event.seq, event.nth));
            }
            events.into_iter().filter(|event| !self.parked.contains_key(&*event.subject)).for_each(|event| self.live.push(event));
            self.unsaid |= !found.events.is_empty();
            self.reached = found.looked;
        }
        Ok(())
    }

    async fn fill_ranges(&mut self) -> Result<(), engine::ReadError> {
        for range in &mut self.ranges {
            while range.window.has_room() && range.reached < range.to {
                let found = page::next(&self.wire.shop, range.reached, self.filter.needs_channels()).await?;
                if found.looked <= range.reached {
                    range.reached = range.to;
                }
                let wanted = found.events.into_iter().filter(|event| event.seq <= range.to && self.filter.matches(event));
                wanted.for_each(|event| range.window.push(event));
                range.reached = range.reached.max(found.looked.min(range.to));
            }
        }
        let before = self.ranges.len();
        self.ranges.retain(|range| range.reached < range.to || range.window.len() > 0);
        self.unsaid |= before != self.ranges.len();
        Ok(())
    }

    fn launch(&mut self) {
        while let Some(connection) = self.free.pop() {
            let chosen = match self.circuit.leave(Instant::now()) {
                Leave::All => self.choose(),
                Leave::Probe => self.choose_probe(),
                Leave::Nothing | Leave::NothingUntil(_) => None,
            };
            let Some((source, event)) = chosen else {
                self.free.push(connection);
                return;
            };
            self.fly(source, event, connection);
        }
    }

    fn choose(&mut self) -> Option<(Source, Arc<Outgoing>)> {
        let now = Instant::now();
        let due = self.parked.values_mut().find(|lane| lane.due().is_some_and(|at| at <= now));
        if let Some((subject, event)) = due.and_then(|lane| Some((lane.parked.subject.clone(), lane.launch()?))) {
            return Some((Source::Parked(subject), event));
        }
        // Live events go first, but a backfill always has one call.
        let range = if self.ranging == 0 { self.next_of_ranges(now) } else { None };
        let live = range.or_else(|| self.live.next(now).map(|event| (Source::Live, event)));
        live.or_else(|| self.next_of_ranges(now))
    }

    fn next_of_ranges(&mut self, now: Instant) -> Option<(Source, Arc<Outgoing>)> {
        self.ranges.iter_mut().find_map(|range| Some((Source::Range { from: range.from, to: range.to }, range.window.next(now)?)))
    }

    fn choose_probe(&mut self) -> Option<(Source, Arc<Outgoing>)> {
        let live = self.live.probe().map(|event| (Source::Live, event));
        let chosen = live.or_else(|| {
            let lane = self.parked.values_mut().find(|lane| lane.due().is_some());
            let lane = lane.and_then(|lane| Some((Source::Parked(lane.parked.subject.clone()), lane.launch()?)));
            let ranges = &mut self.ranges;
            lane.or_else(|| {
                ranges.iter_mut().find_map(|range| Some((Source::Range { from: range.from, to: range.to }, range.window.probe()?)))
            })
        });
        if chosen.is_some() {
            self.circuit.probing();
        }
        chosen
    }

    fn fly(&mut self, source: Source, event: Arc<Outgoing>, connection: Option<Connection>) {
        self.renew_signer();
        self.ranging += usize::from(matches!(source, Source::Range { .. }));
        let (wire, target, signer, timeout) = (self.wire.clone(), self.target.clone(), self.signer.clone(), self.timeout);
        let personal = self.subscription.personal_data;
        let span = wire.shop.traces.as_ref().map(|traces| span(traces, &target, self.subscription.id, &event));
        self.flights.spawn(async move {
            let body = event.body(personal.then_some(&*wire.shop.vault));
            let traceparent = span.as_ref().map(Span::traceparent);
            let message = Message { id: &event.id, body, signer: &signer, traceparent };
            let (called, connection) = call(&wire.dialer, &target, &message, timeout, connection).await;
            if let Some(span) = span {
                called.tell(&span);
            }
            Flight { source, event, called, connection }
        });
    }

    fn renew_signer(&mut self) {
        if self.signer_until.is_none_or(|end| end > self.wire.shop.now()) {
            return;
        }
        if let Some((fresh, until)) = self.subscription.webhook.as_ref().and_then(|webhook| signer(&self.wire, webhook)) {
            self.signer = Arc::new(fresh);
            self.signer_until = until;
        }
    }

    fn settle(&mut self, flight: Flight) {
        let Flight { source, event, called, connection } = flight;
        self.ranging -= usize::from(matches!(source, Source::Range { .. }));
        self.free.push(connection);
        self.unsaid = true;
        let (delivered, now) = (called.outcome == Outcome::Delivered, Instant::now());
        match called.outcome {
            Outcome::Delivered => {
                self.successes += 1;
                if self.circuit.is_open() {
                    self.live.wake();
                    self.ranges.iter_mut().for_each(|range| range.window.wake());
                }
                self.circuit.succeeded();
                self.last_error = None;
            }
            Outcome::Failed | Outcome::Gone => self.circuit.failed(now, wall_ms(), None),
            Outcome::Later(wish) => self.circuit.failed(now, wall_ms(), Some(wish)),
        }
        if !delivered {
            self.last_error = called.error.clone().or_else(|| called.status.map(|status| format!("answered {status}")));
        }
        let attempt = match source {
            Source::Live => self.settle_live(&event, delivered),
            Source::Parked(subject) => {
                let open = self.circuit.is_open();
                let lane = self.parked.get_mut(&subject);
                lane.map_or(1, |lane| if delivered { lane.delivered() + 1 } else { lane.failed(open) })
            }
            Source::Range { from, to } => self.settle_range(from, to, &event, delivered),
        };
        self.note_attempt(&event, attempt, &called);
        self.give_up(&called);
    }

    fn settle_live(&mut self, event: &Arc<Outgoing>, delivered: bool) -> u32 {
        let key = (event.seq, event.nth);
        if delivered {
            return self.live.delivered(key) + 1;
        }
        let failure = self.live.failed(key, self.successes, |attempts| Instant::now() + retry_after(attempts));
        let Some(failure) = failure else { return 1 };
        if failure.refused >= REFUSED_MAX {
            if event.nth > 0 {
                // The next change of that availability says it anew.
                self.live.delivered(key);
            } else if self.parked.len() < PARKED_MAX {
                self.live.drop_subject(&event.subject);
                self.parked.insert(event.subject.to_string(), Lane::new(event.clone(), failure.attempts, wall_ms()));
            }
        }
        failure.attempts
    }

    fn settle_range(&mut self, from: u64, to: u64, event: &Arc<Outgoing>, delivered: bool) -> u32 {
        let key = (event.seq, event.nth);
        let Some(range) = self.ranges.iter_mut().find(|range| (range.from, range.to) == (from, to)) else { return 1 };
        if delivered {
            return range.window.delivered(key) + 1;
        }
        let failure = range.window.failed(key, self.successes, |attempts| Instant::now() + retry_after(attempts));
        let attempts = failure.map_or(1, |failure| failure.attempts);
        if attempts >= BACKFILL_TRIES_MAX && !self.circuit.is_open() {
            range.window.delivered(key);
        }
        attempts
    }

    fn note_attempt(&self, event: &Outgoing, attempt: u32, called: &Called) {
        metrics::counter!("quartermaster_webhook_calls", "delivered" => if called.outcome == Outcome::Delivered { "yes" } else { "no" })
            .increment(1);
        self.wire.shop.bus.attempts.note(Attempt {
            subscription: self.subscription.id.0,
            sequence: event.seq,
            event: event.id.clone(),
            kind: event.kind.clone(),
            subject: event.subject.to_string(),
            attempt,
            time: wall_ms(),
            delivered: called.outcome == Outcome::Delivered,
            status: called.status,
            error: called.error.clone(),
            duration_ms: u64::try_from(called.took.as_millis()).unwrap_or(u64::MAX),
            answer: called.answer.clone(),
        });
    }

    /// An endpoint that is gone, or has failed for days, is called no more.
    fn give_up(&self, called: &Called) {
        let since = self.circuit.failing_since;
        let reason = match called.outcome {
            Outcome::Gone => "the endpoint answered 410: it is gone",
            Outcome::Failed | Outcome::Later(_) if since.is_some_and(|since| wall_ms() - since > DISABLE_AFTER_MS) => {
                "every call failed for three days"
            }
            Outcome::Delivered | Outcome::Failed | Outcome::Later(_) => return,
        };
        let (wire, subscription) = (self.wire.clone(), self.subscription.clone());
        tokio::spawn(async move { disable(&wire, &subscription, reason).await });
    }

    /// Tells how far it is.
    fn say(&mut self) {
        let sequence = self.live.first().map_or(self.reached, |(seq, _)| seq - 1);
        let generation = self.subscription.generation;
        if std::mem::take(&mut self.unsaid) {
            let parked = self.parked.values().map(|lane| lane.parked.clone()).collect();
            let left = |range: &Range| Backfill { next: range.window.first().map_or(range.reached + 1, |(seq, _)| seq), to: range.to };
            let backfills = self.ranges.iter().map(left).collect();
            let failing_since = self.circuit.failing_since;
            self.entry.record(generation, |cursor| {
                cursor.sequence = sequence;
                cursor.parked = parked;
                cursor.backfills = backfills;
                cursor.failing_since = failing_since;
            });
        } else if sequence > self.said {
            self.entry.pass_over(generation, self.said, sequence);
        }
        self.said = sequence;
        let waiting = (self.live.len() + self.ranges.iter().map(|range| range.window.len()).sum::<usize>()) as u64;
        self.entry.note(|progress| {
            progress.looked = self.reached;
            progress.waiting = waiting;
            progress.oldest = self.live.oldest_time();
            progress.circuit = if self.circuit.is_open() { Circuit::Open } else { Circuit::Closed };
            progress.last_error.clone_from(&self.last_error);
        });
    }

    /// When there is something to do again, besides answers and news.
    fn wake(&self) -> Option<Instant> {
        let circuit = match self.circuit.leave(Instant::now()) {
            Leave::All => {
                let windows = std::iter::once(&self.live).chain(self.ranges.iter().map(|range| &range.window)).filter_map(Window::due);
                windows.chain(self.parked.values().filter_map(Lane::due)).min().filter(|_| !self.free.is_empty())
            }
            Leave::NothingUntil(at) => Some(at),
            Leave::Probe | Leave::Nothing => None,
        };
        let looking = self.parked.values().any(Lane::looks).then(|| Instant::now() + Duration::from_millis(10));
        circuit.into_iter().chain(self.read_again).chain(looking).min()
    }
}

fn range(left: Backfill) -> Range {
    Range { from: left.next, to: left.to, reached: left.next.saturating_sub(1), window: Window::default() }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
