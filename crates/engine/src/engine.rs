//! The handle that everybody else holds.

use crate::frame::{Answer, Cursor, Idempotency, Pending, Reply};
use crate::log::sqlite::SqliteLog;
use crate::log::{Error as LogError, Log};
use crate::queue::{Sender, queue};
use crate::reader::{Letter, Outstanding, Reader, Shared};
use crate::recover::{self, OpenError};
use crate::sequencer::Message;
use domain::command::{count, order, purchasing, returns, stock};
use domain::purchasing::DispatchVia;
use domain::time::Timestamp;
use domain::{Command, State};
use std::path::PathBuf;
use std::sync::mpsc::{TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Most commands that wait for the sequencer; further ones are told to come again.
pub const QUEUE_MAX: usize = 8192;

/// Most that waiting commands may weigh, in bytes as reckoned from their lines.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How an engine is opened.
pub struct Options {
    pub folder: PathBuf,
    /// Milliseconds since the Unix epoch; a demo compresses it, tests stop it.
    pub clock: Box<dyn Fn() -> Timestamp + Send>,
    /// The clock is the wall's: when it jumps, timers wait.
    pub wall_clock: bool,
    /// Gets the replies of one frame at once, with the tokens of their submissions.
    pub on_replies: Box<dyn Fn(Vec<(u64, Reply)>) + Send>,
    /// Shown each frame's transactions once they are durable, on the log's thread: keep it short.
    pub on_committed: Box<dyn Fn(&[Pending]) + Send>,
    /// Told how far the log is durable, after `on_committed`.
    pub on_durable: Box<dyn Fn(u64) + Send>,
    /// Told when the engine stops by itself; [`Engine::failure`] says why.
    pub on_failure: Box<dyn Fn() + Send + Sync>,
}

impl Options {
    /// The wall clock, and nobody who listens.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            clock: Box::new(wall_clock),
            wall_clock: true,
            on_replies: Box::new(|_| {}),
            on_committed: Box::new(|_| {}),
            on_durable: Box::new(|_| {}),
            on_failure: Box::new(|| {}),
        }
    }
}

fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A command on its way in.
pub struct Submission {
    pub command: Command,
    /// Who asks, as it will stand in the log.
    pub actor: String,
    pub idempotency: Option<Idempotency>,
    /// Comes back with the reply.
    pub token: u64,
}

/// A running engine. Dropping it stops it cleanly: what was submitted is settled and made durable first.
pub struct Engine {
    queue: Sender<Message>,
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lock: std::fs::File,
}

/// The queue is full, or the engine has stopped; the submission comes back.
pub struct Busy(pub Box<Submission>);

impl Engine {
    /// Recovers from the folder and starts to serve.
    ///
    /// # Errors
    /// When another process has the folder, or log or store cannot be read.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_on(options, Ok)
    }

    /// As [`Engine::open`], with a log that may not grow beyond so many pages of its file: a full disk, for tests.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_bounded(options: Options, log_pages_max: u32) -> Result<Self, OpenError> {
        Self::open_on(options, |log| log.limit_pages(log_pages_max).map(|()| log))
    }

    /// As [`Engine::open`], with something between the engine and its log once it has started: a disk that fails, for simulation.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_on<L: Log + 'static>(options: Options, disk: impl FnOnce(SqliteLog) -> Result<L, LogError>) -> Result<Self, OpenError> {
        let (queue, messages) = queue(QUEUE_MAX);
        let started = recover::start(options, messages, disk)?;
        Ok(Self { queue, shared: started.shared, threads: Mutex::new(started.threads), _lock: started.lock })
    }

    /// Queues a command; the reply comes to `on_replies`.
    ///
    /// # Errors
    /// [`Busy`] when too much waits already: try again shortly.
    pub fn submit(&self, submission: Submission) -> Result<(), Busy> {
        let weight = weight(&submission.command);
        if !self.shared.weigh(weight, QUEUE_BYTES_MAX) {
            return Err(Busy(Box::new(submission)));
        }
        match self.queue.try_send(Message::Submit(Box::new(submission))) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(Message::Submit(back)) | TrySendError::Disconnected(Message::Submit(back))) => {
                self.shared.unweigh(weight);
                Err(Busy(back))
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => unreachable!("a submission comes back as one"),
        }
    }

    /// Waits for room in the queue instead of refusing: for imports and the demo.
    ///
    /// # Errors
    /// [`Busy`] when the engine has stopped.
    pub fn submit_waiting(&self, submission: Submission) -> Result<(), Busy> {
        self.shared.weigh(weight(&submission.command), usize::MAX);
        self.queue.send(Message::Submit(Box::new(submission))).map_err(|error| match error.0 {
            Message::Submit(back) => Busy(back),
            Message::Query(_) | Message::Cursors(..) | Message::Stop => unreachable!("a submission comes back as one"),
        })
    }

    /// Queues where subscriptions stand; the reply comes to `on_replies` with the token once it is durable. Those rewound or deleted
    /// meanwhile are left out.
    ///
    /// # Errors
    /// The cursors, when too much waits already or the engine has stopped.
    pub fn record_cursors(&self, cursors: Vec<Cursor>, token: u64) -> Result<(), Vec<Cursor>> {
        self.queue.try_send(Message::Cursors(cursors, token)).map_err(|error| match error {
            TrySendError::Full(Message::Cursors(back, _)) | TrySendError::Disconnected(Message::Cursors(back, _)) => back,
            TrySendError::Full(_) | TrySendError::Disconnected(_) => unreachable!("cursors come back as such"),
        })
    }

    /// Looks at State between two commands; the answer comes when all that it saw is durable. `None` when the engine has stopped, or what it
    /// saw was lost to a full disk. Keep it short: nothing is settled meanwhile.
    pub fn query<T: Send + 'static>(&self, ask: impl FnOnce(&State) -> T + Send + 'static) -> Option<T> {
        let (answer, receive) = sync_channel(1);
        let question = Box::new(move |state: &State| -> Answer {
            let seen = ask(state);
            // The asker may have gone; then nobody needs the answer.
            Box::new(move || drop(answer.send(seen)))
        });
        self.queue.send(Message::Query(question)).ok()?;
        receive.recv().ok()
    }

    /// Opens a reader of its own, for one thread at a time.
    ///
    /// # Errors
    /// When log or store cannot be opened.
    pub fn reader(&self) -> rusqlite::Result<Reader> {
        Reader::open(self.shared.clone())
    }

    /// What has to be done outside, oldest first.
    pub fn outstanding(&self) -> Vec<Outstanding> {
        self.shared.outstanding()
    }

    /// What has to go out by this carrier and may be tried at `now`, the longest waiting first.
    pub fn letters(&self, via: DispatchVia, now: Timestamp, limit: usize) -> Vec<Letter> {
        self.shared.letters(via, now, limit)
    }

    /// When the next letter of this carrier may be tried, if any waits.
    pub fn next_letter(&self, via: DispatchVia) -> Option<Timestamp> {
        self.shared.next_letter(via)
    }

    /// Which life of the log it is, from 1; each restore begins another. An event's id is `incarnation-sequence`.
    pub fn incarnation(&self) -> u64 {
        self.shared.forks.len() as u64 + 1
    }

    /// In which life of the log a sequence was written.
    pub fn incarnation_of(&self, seq: u64) -> u64 {
        incarnation_of(&self.shared.forks, seq)
    }

    /// Where this log left an earlier life: sequences after it that were seen in that life are lost. `None` for the present life, and for those
    /// that never were.
    pub fn fork_of(&self, incarnation: u64) -> Option<u64> {
        self.shared.forks.get(usize::try_from(incarnation.checked_sub(1)?).ok()?).copied()
    }

    /// The last durable sequence.
    pub fn durable(&self) -> u64 {
        self.shared.durable()
    }

    /// How far the store has followed.
    pub fn stored(&self) -> u64 {
        self.shared.stored()
    }

    /// Why the engine stopped by itself, if it did.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure()
    }

    /// The wall clock jumped: holds, windows and other timers wait until it is back or the server restarts. Orders are taken.
    pub fn timers_suspended(&self) -> bool {
        self.shared.timers_suspended()
    }

    /// Settles what waits, makes it durable and stored, and stops.
    pub fn stop(&self) {
        self.shared.stop_soon();
        // A closed queue means that it has stopped already.
        let _ = self.queue.send(Message::Stop);
        let threads = std::mem::take(&mut *self.threads.lock().expect("no thread panics with the lock"));
        for thread in threads {
            if thread.join().is_err() {
                self.shared.fail("a thread of the engine panicked");
            }
        }
    }
}

/// `forks` are the last sequences of the lives before the present one.
pub fn incarnation_of(forks: &[u64], seq: u64) -> u64 {
    1 + forks.iter().filter(|end| seq > **end).count() as u64
}

/// About how much memory a command takes while it waits, in bytes: what can be large is counted by its lines.
pub(crate) fn weight(command: &Command) -> usize {
    const EACH: usize = 1024;
    const LINE: usize = 256;
    match command {
        Command::Order(order::Command::PlaceOrder(place) | order::Command::ImportOrder { order: place, .. }) => {
            EACH + LINE * (place.lines.len() + place.charges.len() + place.metadata.len())
        }
        Command::Order(order::Command::EditOrder(edit)) => EACH + LINE * (edit.set.len() + edit.add.len()),
        Command::Order(order::Command::CancelOrder { lines, .. }) => EACH + LINE * lines.len(),
        Command::Stock(stock::Command::ReceiveStock { lines, .. } | stock::Command::MoveStock { lines, .. }) => EACH + LINE * lines.len(),
        Command::Stock(stock::Command::AdjustStock(adjust)) => EACH + LINE * adjust.lines.len(),
        Command::Stock(stock::Command::CreateHold(hold)) => EACH + LINE * hold.lines.len(),
        Command::Returns(returns::Command::ReceiveBlind(blind)) => EACH + LINE * blind.lines.len(),
        Command::Purchasing(purchasing::Command::CreatePurchaseOrder { lines, .. }) => EACH + LINE * lines.len(),
        Command::Purchasing(purchasing::Command::Receive { lines, .. }) => EACH + LINE * lines.len(),
        Command::Count(count::Command::OpenCount { skus, .. }) => EACH + LINE * skus.len(),
        Command::Count(count::Command::RecordCount { lines, .. }) => EACH + LINE * lines.len(),
        _ => EACH,
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
