//! The single writer: what waits is settled in order, and leaves as one frame.

mod lookup;

use crate::engine::{Submission, weight};
use crate::frame::{Answer, Batch, Committed, Cursor, EngineRecord, Idempotency, Pending, Reply};
use crate::queue::Receiver;
use crate::reader::{Reader, Shared};
use crate::recover;
use crate::store::{IDEMPOTENCY_MS, Store};
use domain::rejection::Class;
use domain::time::Timestamp;
use domain::{Command, Context, Image, Rejection, State, Transaction};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// Most commands of one frame.
const BATCH_MAX: usize = 512;
/// No further command is settled into a frame that has this many events.
const FRAME_EVENTS_MAX: u64 = 2000;
/// Shortest time between two looks at what is due, unless the last one found something.
const TICK: Duration = Duration::from_millis(100);
/// Longest time between two looks at the clock while a timer is set: the clock may run faster than the wall's.
const TIMER_LOOK: Duration = Duration::from_secs(1);
/// How often when nothing waits for time.
const IDLE: Duration = Duration::from_secs(60);
/// After the disk was full, it is not tried again before.
const NO_SPACE_PAUSE: Duration = Duration::from_millis(250);
/// A wall clock that runs apart from the monotonic one by more suspends timers.
const CLOCK_JUMP_MS_MAX: i64 = 5 * 60 * 1000;

pub enum Message {
    Submit(Box<Submission>),
    Query(Box<dyn FnOnce(&State) -> Answer + Send>),
    /// Where subscriptions stand, with the token that the reply carries.
    Cursors(Vec<Cursor>, u64),
    Stop,
}

pub struct Sequencer {
    pub state: State,
    pub store: Store,
    pub reader: Reader,
    pub shared: Arc<Shared>,
    pub clock: Box<dyn Fn() -> Timestamp + Send>,
    pub next_seq: u64,
    pub now: Timestamp,
    /// Answers to keys that the store does not have yet, oldest first, with the time from which they hold no more.
    pub recent: VecDeque<(u64, String)>,
    pub answers: BTreeMap<String, (Idempotency, Reply, i64)>,
    /// What may leave memory, as it stands, once the store has this sequence.
    pub leaving: VecDeque<(u64, Image)>,
    pub started: (Instant, Timestamp),
    pub turn: Turn,
}

/// What the sequencer remembers from one batch to the next.
pub struct Turn {
    /// Grows when State was dropped and read again.
    generation: u64,
    /// Something changed since time was last looked at.
    dirty: bool,
    /// Time is not looked at before.
    look_at: Instant,
    no_space_until: Option<Instant>,
    /// The store is being read, for this batch: all its looks see one version.
    reading: bool,
    /// A command panicked: State cannot be trusted.
    broken: bool,
    /// Fingerprints of commands that panicked; they are refused without another try.
    quarantine: BTreeSet<[u8; 32]>,
}

impl Default for Turn {
    fn default() -> Self {
        let quarantine = BTreeSet::new();
        Self { generation: 0, dirty: true, look_at: Instant::now(), no_space_until: None, reading: false, broken: false, quarantine }
    }
}

impl Sequencer {
    pub fn run(mut self, messages: &mut Receiver<Message>, frames: &SyncSender<Batch>) {
        loop {
            let mut batch = Batch::default();
            let stop = self.fill(messages, &mut batch);
            if !self.turn.broken {
                self.do_what_is_due(&mut batch);
            }
            if self.turn.broken {
                self.mend(&batch);
            }
            self.end_reading();
            self.let_go();
            self.add_tallies(&mut batch);
            let empty = batch.transactions.is_empty() && batch.replies.is_empty() && batch.answers.is_empty();
            if !empty && frames.send(batch).is_err() {
                return;
            }
            if stop || self.shared.failure().is_some() {
                self.refuse_the_rest(messages, frames);
                return;
            }
        }
    }

    /// Levels and counters move on with nearly every transaction: their after-images are taken once for all of a frame.
    fn add_tallies(&mut self, batch: &mut Batch) {
        if let Some(last) = batch.transactions.last_mut() {
            let tallies = self.state.take_tallies();
            last.images = last.images.iter().cloned().chain(tallies).collect();
        }
    }

    /// A command panicked, and State cannot be trusted: it is read again as it is durable, and what this frame settled before is folded
    /// onto it.
    fn mend(&mut self, batch: &Batch) {
        self.turn.broken = false;
        let before = batch.transactions.first().map_or(self.next_seq, |first| first.committed.first_seq) - 1;
        self.shared.wait_durable(before, self.turn.generation);
        if self.shared.generation() != self.turn.generation {
            // What came before is gone, and this frame with it.
            return;
        }
        self.read_again();
        for pending in &batch.transactions {
            for recorded in &pending.committed.events {
                match recover::apply(&self.store, &mut self.state, pending.committed.time, recorded) {
                    Ok(true) => {}
                    Ok(false) => return self.shared.fail("what was settled does not fold"),
                    Err(error) => return self.shared.fail(&format!("the store could not be read: {error}")),
                }
            }
            self.state.end_replay();
            self.watch_leaving(pending.committed.last_seq);
        }
    }

    /// Takes all that waits, within the bounds of a frame. `true` when it is to stop.
    fn fill(&mut self, messages: &mut Receiver<Message>, batch: &mut Batch) -> bool {
        let mut next = match messages.recv_timeout(self.patience()) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return true,
        };
        if self.shared.generation() != self.turn.generation {
            self.turn.no_space_until = Some(Instant::now() + NO_SPACE_PAUSE);
            self.begin_again();
        }
        batch.generation = self.turn.generation;
        let first = self.next_seq;
        while let Some(message) = next {
            if self.take(message, batch) {
                return true;
            }
            let full = batch.replies.len() >= BATCH_MAX || self.next_seq - first >= FRAME_EVENTS_MAX;
            next = if full || self.turn.broken { None } else { messages.try_recv() };
        }
        false
    }

    /// Those who still wait are told that nothing is known, instead of waiting in vain.
    fn refuse_the_rest(&mut self, messages: &mut Receiver<Message>, frames: &SyncSender<Batch>) {
        let mut batch = Batch { generation: self.turn.generation, ..Batch::default() };
        while let Some(message) = messages.try_recv() {
            match message {
                Message::Submit(submission) => batch.replies.push((submission.token, Reply::OutcomeUnknown)),
                Message::Cursors(_, token) => batch.replies.push((token, Reply::OutcomeUnknown)),
                Message::Query(_) | Message::Stop => {}
            }
        }
        // The log thread outlives the sequencer.
        let _ = frames.send(batch);
    }

    /// What was settled on top of what is durable is gone.
    fn begin_again(&mut self) {
        self.turn.generation = self.shared.generation();
        let durable = self.read_again();
        self.next_seq = durable + 1;
        while self.recent.back().is_some_and(|(seq, _)| *seq > durable) {
            if let Some((_, key)) = self.recent.pop_back() {
                self.answers.remove(&key);
            }
        }
    }

    /// Drops State and reads it again as it is durable. Returns up to where that is.
    fn read_again(&mut self) -> u64 {
        self.end_reading();
        let (durable, unstored) = self.shared.unstored();
        self.state = State::default();
        self.turn.dirty = true;
        self.leaving.clear();
        let stored = self.store.load_except(&mut self.state, |key| unstored.contains_key(key));
        if let Err(error) = stored {
            self.shared.fail(&format!("the store could not be read: {error}"));
            return durable;
        }
        let mut unstored: Vec<_> = unstored.into_iter().collect();
        unstored.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (_, (seq, image)) in unstored {
            if image.may_leave() {
                self.leaving.push_back((seq, image.clone()));
            }
            self.state.load(image);
        }
        durable
    }

    fn patience(&self) -> Duration {
        let until_look = self.turn.look_at.saturating_duration_since(Instant::now());
        if self.turn.dirty {
            return until_look;
        }
        match self.state.next_timer() {
            Some(at) if at > self.now => {
                let distance = Duration::from_millis(u64::try_from(at.0 - self.now.0).unwrap_or(0));
                distance.min(TIMER_LOOK).max(until_look)
            }
            Some(_) => TIMER_LOOK,
            None if self.leaving.is_empty() => IDLE,
            None => TICK,
        }
    }

    fn take(&mut self, message: Message, batch: &mut Batch) -> bool {
        match message {
            Message::Submit(submission) => {
                let Submission { command, actor, idempotency, token } = *submission;
                self.shared.unweigh(weight(&command));
                if self.turn.no_space_until.is_some_and(|until| Instant::now() < until) {
                    batch.replies.push((token, Reply::NoSpace));
                    return false;
                }
                let reply = self.settle(command, &actor, idempotency, batch);
                batch.replies.push((token, reply));
                false
            }
            Message::Query(ask) => {
                batch.answers.push(ask(&self.state));
                false
            }
            Message::Cursors(cursors, token) => {
                let reply = self.note_cursors(cursors, batch);
                batch.replies.push((token, reply));
                false
            }
            Message::Stop => true,
        }
    }

    fn settle(&mut self, command: Command, actor: &str, idempotency: Option<Idempotency>, batch: &mut Batch) -> Reply {
        self.now = self.now.max((self.clock)());
        if let Some(key) = &idempotency
            && let Some(answer) = self.repeated(key)
        {
            return answer;
        }
        match self.settle_once(command, actor) {
            Ok(transaction) => {
                let keyed = idempotency.clone().map(EngineRecord::Keyed);
                let (committed, images) = self.commit(transaction, actor, keyed, batch);
                let reply = Reply::Done { committed, images, repeated: false };
                self.remember(idempotency, &reply);
                reply
            }
            Err(rejection) => {
                let reply = Reply::Refused { rejection: rejection.clone(), repeated: false };
                if let (Some(idempotency), Class::Conflict | Class::Precondition) = (idempotency, rejection.class()) {
                    let record = EngineRecord::Refused { idempotency: idempotency.clone(), rejection };
                    self.commit(Transaction::default(), actor, Some(record), batch);
                    self.remember(Some(idempotency), &reply);
                }
                reply
            }
        }
    }

    /// What was said of a subscription before it was rewound or deleted no longer holds.
    fn note_cursors(&mut self, mut cursors: Vec<Cursor>, batch: &mut Batch) -> Reply {
        if self.turn.no_space_until.is_some_and(|until| Instant::now() < until) {
            return Reply::NoSpace;
        }
        let known = |cursor: &Cursor| self.state.subscriptions.get(&cursor.subscription).map(|known| known.generation);
        cursors.retain(|cursor| known(cursor) == Some(cursor.generation));
        let record = (!cursors.is_empty()).then_some(EngineRecord::Cursors { cursors });
        let (committed, images) = self.commit(Transaction::default(), "bus", record, batch);
        Reply::Done { committed, images, repeated: false }
    }

    /// Settles, fetching what has left memory. A command that panics is set aside, and State is read again.
    fn settle_once(&mut self, command: Command, actor: &str) -> Result<Transaction, Rejection> {
        self.now = self.now.max((self.clock)());
        let cx = Context { now: self.now, actor: actor.into() };
        if !self.turn.quarantine.is_empty() && self.turn.quarantine.contains(&fingerprint(&command)) {
            return Err(set_aside());
        }
        self.prefetch(&command);
        loop {
            let (state, again) = (&mut self.state, command.clone());
            match catch_unwind(AssertUnwindSafe(|| state.settle(&cx, again))) {
                Ok(Err(Rejection::NotLoaded { key })) => self.fetch(key),
                Ok(outcome) => {
                    self.state.forget_absent();
                    return outcome;
                }
                Err(_) => {
                    tracing::error!(?command, "a command panicked; it is set aside");
                    self.turn.quarantine.insert(fingerprint(&command));
                    self.turn.broken = true;
                    return Err(set_aside());
                }
            }
        }
    }

    fn remember(&mut self, idempotency: Option<Idempotency>, reply: &Reply) {
        let Some(key) = idempotency else { return };
        self.recent.push_back((self.next_seq - 1, key.key.clone()));
        self.answers.insert(key.key.clone(), (key, reply.clone(), self.now.0 + IDEMPOTENCY_MS));
    }

    fn commit(
        &mut self,
        transaction: Transaction,
        actor: &str,
        record: Option<EngineRecord>,
        batch: &mut Batch,
    ) -> (Arc<Committed>, Arc<[Image]>) {
        let records: Vec<EngineRecord> = record.into_iter().collect();
        let first_seq = self.next_seq;
        self.next_seq += (records.len() + transaction.events.len()) as u64;
        let last_seq = self.next_seq - 1;
        let committed = Arc::new(Committed { first_seq, last_seq, time: self.now, actor: actor.to_owned(), events: transaction.events });
        let images = self.watch_leaving(last_seq);
        if last_seq >= first_seq {
            batch.transactions.push(Pending { committed: committed.clone(), records, images: images.clone() });
        }
        (committed, images)
    }

    /// Takes the after-images of a transaction; what of them may leave memory does so once they are stored.
    fn watch_leaving(&mut self, seq: u64) -> Arc<[Image]> {
        let images: Arc<[Image]> = self.state.take_shown().into();
        self.leaving.extend(images.iter().filter(|image| image.may_leave()).map(|image| (seq, image.clone())));
        images
    }

    fn do_what_is_due(&mut self, batch: &mut Batch) {
        self.now = self.now.max((self.clock)());
        self.turn.dirty |= !batch.transactions.is_empty();
        let rings = self.state.next_timer().is_some_and(|at| at <= self.now);
        let paused = self.turn.no_space_until.is_some_and(|until| Instant::now() < until);
        if !(rings || self.turn.dirty) || Instant::now() < self.turn.look_at {
            return;
        }
        self.turn.look_at = Instant::now() + TICK;
        if paused || self.clock_has_jumped() {
            return;
        }
        let mut changed = false;
        for command in self.state.due(self.now) {
            match self.settle_once(command, "system") {
                Ok(transaction) if !transaction.events.is_empty() => {
                    changed = true;
                    self.commit(transaction, "system", None, batch);
                }
                Ok(_) => {}
                Err(_) if self.turn.broken => return,
                Err(rejection) => tracing::warn!(?rejection, "what was due was refused"),
            }
        }
        self.turn.dirty = changed || self.state.has_backlog();
        if changed {
            // There may be more of it.
            self.turn.look_at = Instant::now();
        }
    }

    /// Only a wall clock can jump: a compressed or stopped clock was asked for.
    fn clock_has_jumped(&self) -> bool {
        if !self.shared.wall_clock {
            return false;
        }
        let (instant, wall) = self.started;
        let elapsed = i64::try_from(instant.elapsed().as_millis()).unwrap_or(i64::MAX);
        let jumped = ((self.clock)().0 - wall.0 - elapsed).abs() > CLOCK_JUMP_MS_MAX;
        if self.shared.suspend_timers(jumped) != jumped {
            tracing::warn!(jumped, "the wall clock runs apart from the monotonic one by more than five minutes, or is back; timers follow");
        }
        jumped
    }

    /// Forgets answers, and what is over, as far as the store has them.
    fn let_go(&mut self) {
        let stored = self.shared.stored();
        while self.recent.front().is_some_and(|(seq, _)| *seq <= stored) {
            if let Some((_, key)) = self.recent.pop_front() {
                self.answers.remove(&key);
            }
        }
        while self.leaving.front().is_some_and(|(seq, ..)| *seq <= stored) {
            let Some((_, image)) = self.leaving.pop_front() else { break };
            self.state.evict(&image);
        }
    }
}

fn fingerprint(command: &Command) -> [u8; 32] {
    *blake3::hash(format!("{command:?}").as_bytes()).as_bytes()
}

fn set_aside() -> Rejection {
    Rejection::invalid("command", "made the rules stop and was set aside; nothing happened. Please report it with the server's log")
}
