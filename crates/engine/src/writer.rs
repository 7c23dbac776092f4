//! The threads behind the sequencer: one makes frames durable and answers, one lets the store follow.

use crate::frame::{Batch, Pending, Reply};
use crate::log::{Appended, Log, Row};
use crate::priority;
use crate::reader::Shared;
use crate::store::Store;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

/// How long the store waits for room on a full disk before it tries again.
const NO_SPACE_PAUSE: Duration = Duration::from_millis(250);
/// Most transactions that the store takes up in one write, up to the frame that reaches it.
const COALESCE_MAX: usize = 4096;
/// Transactions that are written at once. For fewer the store lets more come: what many of them touch, a level or a page, is written once.
const WORTH_WRITING: usize = 1024;
/// For how long it does so. By id everything is read from memory meanwhile, and whoever asks for a list ends it.
const REST: Duration = Duration::from_millis(50);
/// Most transactions that the store may be behind before the log waits for it: then the queue fills, and clients are told to come again. What
/// is not stored stands in memory, and a start after a crash folds it again.
pub const STORE_BEHIND_MAX: usize = 8192;

/// The thread that makes frames durable, answers, and hands them on. One append is in flight, never more.
pub struct LogThread<L: Log> {
    pub log: L,
    pub epoch: u64,
    pub shared: Arc<Shared>,
    pub on_replies: Box<dyn Fn(Vec<(u64, Reply)>) + Send>,
    pub on_committed: Box<dyn Fn(&[Pending]) + Send>,
    pub on_durable: Box<dyn Fn(u64) + Send>,
}

impl<L: Log> LogThread<L> {
    pub fn run(mut self, frames: &Receiver<Batch>, stores: &SyncSender<Vec<Pending>>) {
        while let Ok(batch) = frames.recv() {
            match self.append(&batch) {
                Appended::Durable => self.answer(batch, stores),
                Appended::NoSpace => {
                    // What was settled on top of this frame goes with it: the sequencer begins again from what is durable.
                    self.shared.drop_unsynced(batch.generation);
                    self.reply_all(batch, &Reply::NoSpace);
                }
                Appended::Fenced { last } => {
                    self.shared.fail(&format!("another writer appended up to {last}"));
                    self.reply_all(batch, &Reply::OutcomeUnknown);
                }
                Appended::InDoubt(why) => {
                    self.shared.fail(&why);
                    self.reply_all(batch, &Reply::OutcomeUnknown);
                }
            }
        }
    }

    fn append(&mut self, batch: &Batch) -> Appended {
        if let Some(why) = self.shared.failure() {
            return Appended::InDoubt(why);
        }
        if batch.generation != self.shared.generation() {
            return Appended::NoSpace;
        }
        let rows: Vec<Row> = batch.transactions.iter().map(row).collect();
        match rows.first() {
            Some(first) => self.log.append(first.first_seq - 1, self.epoch, &rows),
            None => Appended::Durable,
        }
    }

    /// Readers see it first, then those who asked, then whoever follows, the store last.
    fn answer(&self, batch: Batch, stores: &SyncSender<Vec<Pending>>) {
        if !batch.transactions.is_empty() {
            self.shared.publish(&batch.transactions, self.log.last());
        }
        if !batch.replies.is_empty() {
            (self.on_replies)(batch.replies);
        }
        batch.answers.into_iter().for_each(|answer| answer());
        if batch.transactions.is_empty() {
            return;
        }
        (self.on_durable)(self.log.last());
        (self.on_committed)(&batch.transactions);
        if stores.send(batch.transactions).is_err() {
            self.shared.fail("the store stopped");
        }
        self.shared.wait_for_store(STORE_BEHIND_MAX);
    }

    fn reply_all(&self, batch: Batch, reply: &Reply) {
        (self.on_replies)(batch.replies.into_iter().map(|(token, _)| (token, reply.clone())).collect());
    }
}

pub fn row(pending: &Pending) -> Row {
    let committed = &pending.committed;
    Row {
        first_seq: committed.first_seq,
        last_seq: committed.last_seq,
        time: committed.time.0,
        actor: committed.actor.clone(),
        body: crate::record::encode(pending),
    }
}

/// Follows the log, coalescing what has piled up into one write.
pub fn follow(mut store: Store, shared: &Shared, frames: &Receiver<Vec<Pending>>) {
    priority::stand_back(priority::FOLLOWER);
    while let Ok(mut batch) = frames.recv() {
        gather(&mut batch, frames);
        if batch.len() < WORTH_WRITING {
            shared.rest(REST);
            gather(&mut batch, frames);
        }
        while let Err(error) = store.write(&batch) {
            // Full, or somebody else has it for a while: a backup program, a curious sqlite3.
            let passing = matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::DatabaseBusy));
            if !passing {
                shared.fail(&format!("the store could not be written: {error}"));
            }
            if !passing || shared.stopping() {
                return;
            }
            // It may fall behind until there is room: the log holds everything, and waits when the queue is full.
            std::thread::sleep(NO_SPACE_PAUSE);
        }
        shared.stored_up_to(store.applied(), &batch);
    }
}

fn gather(batch: &mut Vec<Pending>, frames: &Receiver<Vec<Pending>>) {
    while batch.len() < COALESCE_MAX {
        let Ok(more) = frames.try_recv() else { return };
        batch.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Committed;
    use crate::log::Error;
    use domain::time::Timestamp;
    use std::sync::Mutex;
    use std::sync::mpsc::sync_channel;

    /// A disk that does what it is told.
    struct Told(Vec<Appended>, u64);

    impl Log for Told {
        fn append(&mut self, _: u64, _: u64, rows: &[Row]) -> Appended {
            let outcome = self.0.remove(0);
            if outcome == Appended::Durable {
                self.1 = rows[rows.len() - 1].last_seq;
            }
            outcome
        }

        fn read(&self, _: u64, _: usize) -> Result<Vec<Row>, Error> {
            Ok(Vec::new())
        }

        fn last(&self) -> u64 {
            self.1
        }
    }

    fn batch(seq: u64, generation: u64) -> Batch {
        let committed = Committed { first_seq: seq, last_seq: seq, time: Timestamp(0), actor: "a".into(), events: Vec::new() };
        let reply = Reply::Done { committed: Arc::new(committed.clone()), images: Arc::new([]), repeated: false };
        let pending = Pending { committed: Arc::new(committed), records: Vec::new(), images: Arc::new([]) };
        Batch { transactions: vec![pending], replies: vec![(seq, reply)], generation, ..Batch::default() }
    }

    /// What callers hear when the disk does this, one frame after the other, and how far readers see.
    fn told(outcomes: Vec<Appended>, batches: Vec<Batch>) -> (String, u64, Option<String>) {
        let shared = Arc::new(Shared::new("nowhere".into(), true, Vec::new(), 0, 0));
        let heard = Arc::new(Mutex::new(String::new()));
        let (frames, frames_in) = sync_channel(batches.len());
        let (stores, _stores_in) = sync_channel(batches.len());
        let ear = heard.clone();
        let on_replies = Box::new(move |replies: Vec<(u64, Reply)>| {
            for (token, reply) in replies {
                let word = format!("{reply:?}");
                let word = word.split([' ', '{']).next().unwrap_or_default();
                ear.lock().unwrap().push_str(&format!("{token}:{word} "));
            }
        });
        let log = LogThread {
            log: Told(outcomes, 0),
            epoch: 1,
            shared: shared.clone(),
            on_replies,
            on_committed: Box::new(|_| {}),
            on_durable: Box::new(|_| {}),
        };
        batches.into_iter().for_each(|batch| frames.send(batch).unwrap());
        drop(frames);
        log.run(&frames_in, &stores);
        let heard = heard.lock().unwrap().clone();
        (heard, shared.durable(), shared.failure())
    }

    #[test]
    fn a_doubtful_append_stops_and_nobody_hears_that_it_was_done() {
        let doubt = Appended::InDoubt("fsync failed".into());
        let (heard, durable, failure) = told(vec![Appended::Durable, doubt], vec![batch(1, 0), batch(2, 0), batch(3, 0)]);
        assert_eq!((heard.as_str(), durable), ("1:Done 2:OutcomeUnknown 3:OutcomeUnknown ", 1));
        assert_eq!(failure.as_deref(), Some("fsync failed"));
    }

    #[test]
    fn a_frame_without_space_takes_with_it_what_was_settled_on_top() {
        let (heard, durable, failure) = told(vec![Appended::NoSpace, Appended::Durable], vec![batch(1, 0), batch(2, 0), batch(1, 1)]);
        assert_eq!((heard.as_str(), durable), ("1:NoSpace 2:NoSpace 1:Done ", 1));
        assert_eq!(failure, None);
    }
}
