//! Those who wait for the engine's replies, woken in batches by one task.

use engine::Reply;
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::{Notify, oneshot};

/// Everyone who waits has a seat, and the seat's number, from 1, is the token of the submission; nobody waits for token 0. There are never
/// more seats than the engine's queue and the frames under way can hold.
#[derive(Default)]
pub struct Waiting {
    seats: Mutex<Seats>,
    arrived: Mutex<Vec<(u64, Reply)>>,
    news: Arc<Notify>,
}

#[derive(Default)]
struct Seats {
    taken: Vec<Option<oneshot::Sender<Reply>>>,
    free: Vec<usize>,
}

impl Seats {
    fn take(&mut self, token: u64) -> Option<oneshot::Sender<Reply>> {
        let seat = usize::try_from(token.checked_sub(1)?).ok()?;
        let wake = self.taken.get_mut(seat)?.take()?;
        self.free.push(seat);
        Some(wake)
    }
}

impl Waiting {
    /// A seat: its token for the submission, and what resolves with the reply.
    pub fn join(&self) -> (u64, oneshot::Receiver<Reply>) {
        let (wake, woken) = oneshot::channel();
        let mut seats = self.seats.lock().expect("no thread panics with the lock");
        let seat = seats.free.pop().unwrap_or_else(|| {
            seats.taken.push(None);
            seats.taken.len() - 1
        });
        seats.taken[seat] = Some(wake);
        (seat as u64 + 1, woken)
    }

    /// Gives the seat of a submission back that was not accepted.
    pub fn leave(&self, token: u64) {
        self.seats.lock().expect("no thread panics with the lock").take(token);
    }

    /// Takes what the engine replied; it never waits for those who are told.
    pub fn arrived(&self, mut batch: Vec<(u64, Reply)>) {
        self.arrived.lock().expect("no thread panics with the lock").append(&mut batch);
        self.news.notify_one();
    }

    pub fn news(&self) -> Arc<Notify> {
        self.news.clone()
    }

    fn wake_all(&self) {
        let arrived = std::mem::take(&mut *self.arrived.lock().expect("no thread panics with the lock"));
        let mut woken = Vec::with_capacity(arrived.len());
        {
            let mut seats = self.seats.lock().expect("no thread panics with the lock");
            woken.extend(arrived.into_iter().filter_map(|(token, reply)| Some((seats.take(token)?, reply))));
        }
        for (wake, reply) in woken {
            // A client that hung up does not wait for its answer.
            let _ = wake.send(reply);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.news.notify_one();
    }
}

/// Wakes all that a frame answered, until nobody can wait any more.
pub async fn wake(waiting: Weak<Waiting>, news: Arc<Notify>) {
    loop {
        news.notified().await;
        let Some(waiting) = waiting.upgrade() else { return };
        waiting.wake_all();
    }
}
