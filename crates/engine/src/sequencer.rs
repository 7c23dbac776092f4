//! The single writer: what waits is settled in order, and leaves as one frame.

use crate::engine::Submission;
use crate::frame::{Batch, Committed, EngineRecord, Idempotency, Pending, Reply};
use crate::reader::{Reader, Shared};
use crate::store::Store;
use domain::command::order::Command as OrderCommand;
use domain::id::OrderId;
use domain::rejection::Class;
use domain::time::Timestamp;
use domain::{Command, Context, Image, Rejection, State, Transaction};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// Most commands of one frame.
const BATCH_MAX: usize = 512;
/// Most transactions that time makes due in one frame.
const DUE_ROUNDS_MAX: usize = 4;
/// How often time is looked at while something is due or a timer is set.
const TICK: Duration = Duration::from_millis(100);
/// How often when nothing waits for time.
const IDLE: Duration = Duration::from_secs(60);
/// A wall clock that runs apart from the monotonic one by more suspends timers.
const CLOCK_JUMP_MS_MAX: i64 = 5 * 60 * 1000;

pub enum Message {
    Submit(Box<Submission>),
    Query(Box<dyn FnOnce(&State) + Send>),
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
    /// Answers to keys that the store does not have yet, oldest first.
    pub recent: VecDeque<(u64, String)>,
    pub answers: BTreeMap<String, (Idempotency, Reply)>,
    /// Cases that may leave memory once the store has this sequence.
    pub leaving: VecDeque<(u64, OrderId, u64)>,
    pub started: (Instant, Timestamp),
}

impl Sequencer {
    pub fn run(mut self, messages: &Receiver<Message>, frames: &SyncSender<Batch>) {
        loop {
            let mut batch = Batch::default();
            let mut stop = false;
            match messages.recv_timeout(self.patience()) {
                Ok(message) => {
                    stop = self.take(message, &mut batch);
                    while !stop && batch.replies.len() < BATCH_MAX {
                        let Ok(message) = messages.try_recv() else { break };
                        stop = self.take(message, &mut batch);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => stop = true,
            }
            self.do_what_is_due(&mut batch);
            self.let_go();
            let empty = batch.transactions.is_empty() && batch.replies.is_empty();
            if !empty && frames.send(batch).is_err() {
                return;
            }
            if self.shared.failure().is_some() {
                self.refuse_the_rest(messages, frames);
                return;
            }
            if stop {
                return;
            }
        }
    }

    /// After a failure nobody waits in vain: the log thread answers that the outcome is unknown.
    fn refuse_the_rest(&mut self, messages: &Receiver<Message>, frames: &SyncSender<Batch>) {
        let mut batch = Batch::default();
        while let Ok(message) = messages.try_recv() {
            if let Message::Submit(submission) = message {
                batch.replies.push((submission.token, Reply::OutcomeUnknown));
            }
        }
        // The log thread outlives the sequencer.
        let _ = frames.send(batch);
    }

    fn patience(&self) -> Duration {
        match self.state.next_timer() {
            Some(at) if at.0 - self.now.0 < 3_600_000 => TICK,
            Some(_) | None if self.leaving.is_empty() => IDLE,
            Some(_) | None => TICK,
        }
    }

    fn take(&mut self, message: Message, batch: &mut Batch) -> bool {
        match message {
            Message::Submit(submission) => {
                let Submission { command, actor, idempotency, token } = *submission;
                let reply = self.settle(command, &actor, idempotency, batch);
                batch.replies.push((token, reply));
                false
            }
            Message::Query(ask) => {
                ask(&self.state);
                false
            }
            Message::Stop => true,
        }
    }

    fn settle(&mut self, command: Command, actor: &str, idempotency: Option<Idempotency>, batch: &mut Batch) -> Reply {
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

    /// Settles, fetching what has left memory.
    fn settle_once(&mut self, command: Command, actor: &str) -> Result<Transaction, Rejection> {
        self.now = self.now.max((self.clock)());
        let cx = Context { now: self.now, actor: actor.into() };
        self.prefetch(&command);
        loop {
            match self.state.settle(&cx, command.clone()) {
                Err(Rejection::NotLoaded { key }) => {
                    let id: Option<OrderId> = key.key.parse().ok();
                    let stored = id.and_then(|id| self.fetch(id));
                    match stored {
                        Some(image) => self.state.load(image),
                        None => return Err(Rejection::NotFound { kind: "order".into(), id: key.key }),
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// An order of the same external id may have left memory.
    fn prefetch(&mut self, command: &Command) {
        let Command::Order(OrderCommand::PlaceOrder(place) | OrderCommand::ImportOrder { order: place, .. }) = command else { return };
        let Some(external_id) = &place.external_id else { return };
        if self.state.order_by_external_id(&place.channel, external_id).is_some() {
            return;
        }
        if let Ok(Some(id)) = self.store.order_by_external_id(place.channel.as_str(), external_id)
            && self.state.case(id).is_err()
            && let Some(image) = self.fetch(id)
        {
            self.state.load(image);
        }
    }

    fn fetch(&self, id: OrderId) -> Option<Image> {
        self.store.case(id).ok().flatten()
    }

    fn repeated(&mut self, key: &Idempotency) -> Option<Reply> {
        if let Some((known, reply)) = self.answers.get(&key.key) {
            return Some(if known.body == key.body { as_repeated(reply.clone()) } else { Reply::KeyReused });
        }
        let row = self.store.key(&key.key).ok()??;
        if row.body != key.body {
            return Some(Reply::KeyReused);
        }
        Some(match row.rejection {
            Some(text) => Reply::Refused { rejection: serde_json::from_str(&text).ok()?, repeated: true },
            None => {
                let (committed, images) = self.reader.first_answer(row.first_seq, row.images.as_deref()?).ok()??;
                Reply::Done { committed, images, repeated: true }
            }
        })
    }

    fn remember(&mut self, idempotency: Option<Idempotency>, reply: &Reply) {
        let Some(key) = idempotency else { return };
        self.recent.push_back((self.next_seq - 1, key.key.clone()));
        self.answers.insert(key.key.clone(), (key, reply.clone()));
    }

    fn commit(
        &mut self,
        transaction: Transaction,
        actor: &str,
        record: Option<EngineRecord>,
        batch: &mut Batch,
    ) -> (Arc<Committed>, Arc<[Image]>) {
        let images: Arc<[Image]> = self.state.take_images().into();
        let records: Vec<EngineRecord> = record.into_iter().collect();
        let first_seq = self.next_seq;
        self.next_seq += (records.len() + transaction.events.len()) as u64;
        let last_seq = self.next_seq - 1;
        let committed = Arc::new(Committed { first_seq, last_seq, time: self.now, actor: actor.to_owned(), events: transaction.events });
        for image in images.iter() {
            if let Image::Case(id, Some(case)) = image
                && case.may_leave()
            {
                self.leaving.push_back((last_seq, *id, case.events));
            }
        }
        if last_seq >= first_seq {
            batch.transactions.push(Pending { committed: committed.clone(), records, images: images.clone() });
        }
        (committed, images)
    }

    fn do_what_is_due(&mut self, batch: &mut Batch) {
        self.now = self.now.max((self.clock)());
        if self.clock_has_jumped() {
            return;
        }
        for _ in 0..DUE_ROUNDS_MAX {
            let commands = self.state.due(self.now);
            let mut changed = false;
            for command in commands {
                if let Ok(transaction) = self.settle_once(command, "system") {
                    changed |= !transaction.events.is_empty();
                    self.commit(transaction, "system", None, batch);
                }
            }
            if !changed {
                return;
            }
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
        if jumped {
            tracing::warn!("the wall clock jumped by more than five minutes; timers wait until it is back or the server restarts");
        }
        jumped
    }

    /// Forgets answers and cases that the store has.
    fn let_go(&mut self) {
        let stored = self.shared.stored();
        while self.recent.front().is_some_and(|(seq, _)| *seq <= stored) {
            if let Some((_, key)) = self.recent.pop_front() {
                self.answers.remove(&key);
            }
        }
        while self.leaving.front().is_some_and(|(seq, ..)| *seq <= stored) {
            let Some((_, id, events)) = self.leaving.pop_front() else { break };
            if self.state.case(id).is_ok_and(|case| case.events == events) {
                self.state.evict_case(id);
            }
        }
    }
}

fn as_repeated(reply: Reply) -> Reply {
    match reply {
        Reply::Done { committed, images, .. } => Reply::Done { committed, images, repeated: true },
        Reply::Refused { rejection, .. } => Reply::Refused { rejection, repeated: true },
        other @ (Reply::KeyReused | Reply::OutcomeUnknown | Reply::NoSpace) => other,
    }
}

/// The thread that makes frames durable, answers, and hands them on.
pub struct LogThread<L: crate::log::Log> {
    pub log: L,
    pub epoch: u64,
    pub shared: Arc<Shared>,
    pub on_replies: Box<dyn Fn(Vec<(u64, Reply)>) + Send>,
    pub on_durable: Box<dyn Fn(u64) + Send>,
}

impl<L: crate::log::Log> LogThread<L> {
    pub fn run(mut self, frames: &Receiver<Batch>, stores: &SyncSender<Vec<Pending>>) {
        use crate::log::Appended;
        while let Ok(batch) = frames.recv() {
            let rows: Vec<crate::log::Row> = batch.transactions.iter().map(row).collect();
            let appended = match self.shared.failure() {
                Some(_) => Appended::InDoubt(String::new()),
                None => self.log.append(self.log.last(), self.epoch, &rows),
            };
            match appended {
                Appended::Durable => {
                    self.shared.publish(&batch.transactions, self.log.last());
                    (self.on_durable)(self.log.last());
                    (self.on_replies)(batch.replies);
                    if !batch.transactions.is_empty() && stores.send(batch.transactions).is_err() {
                        self.shared.fail("the store stopped");
                    }
                }
                Appended::NoSpace => {
                    self.shared.fail("the disk is full: free some space and start again; nothing that was acknowledged is lost");
                    (self.on_replies)(batch.replies.into_iter().map(|(token, _)| (token, Reply::NoSpace)).collect());
                }
                Appended::Fenced { last } => {
                    self.shared.fail(&format!("another writer appended up to {last}"));
                    self.unknown(batch);
                }
                Appended::InDoubt(why) => {
                    self.shared.fail(&why);
                    self.unknown(batch);
                }
            }
        }
    }

    fn unknown(&self, batch: Batch) {
        (self.on_replies)(batch.replies.into_iter().map(|(token, _)| (token, Reply::OutcomeUnknown)).collect());
    }
}

pub fn row(pending: &Pending) -> crate::log::Row {
    let committed = &pending.committed;
    crate::log::Row {
        first_seq: committed.first_seq,
        last_seq: committed.last_seq,
        time: committed.time.0,
        actor: committed.actor.clone(),
        body: crate::record::encode(pending),
    }
}

/// Follows the log, coalescing what has piled up into one write.
pub fn follow(mut store: Store, shared: &Shared, frames: &Receiver<Vec<Pending>>) {
    const COALESCE_MAX: usize = 4096;
    while let Ok(mut batch) = frames.recv() {
        while batch.len() < COALESCE_MAX {
            let Ok(more) = frames.try_recv() else { break };
            batch.extend(more);
        }
        if let Err(error) = store.write(&batch) {
            shared.fail(&format!("the store could not be written: {error}"));
            return;
        }
        shared.stored_up_to(store.applied(), &batch);
    }
}
