//! What waits for the sequencer: bounded, and taken all at once. A sender who waits for room is woken when there is a lot of it, not for
//! every place that gets free: otherwise each command would cost two switches between threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SendError, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

struct Shared<T> {
    max: usize,
    /// What was sent and not received yet.
    queued: AtomicUsize,
    inner: Mutex<Inner<T>>,
    filled: Condvar,
    drained: Condvar,
}

struct Inner<T> {
    waiting: VecDeque<T>,
    /// The receiver waits.
    idle: bool,
    /// Nobody sends any more.
    ended: bool,
    /// Nobody receives any more.
    closed: bool,
}

pub struct Sender<T>(Arc<Shared<T>>);

pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// Taken from the queue, to be given out one by one.
    taken: VecDeque<T>,
}

/// A queue of at most `max`.
pub fn queue<T>(max: usize) -> (Sender<T>, Receiver<T>) {
    let inner = Mutex::new(Inner { waiting: VecDeque::new(), idle: false, ended: false, closed: false });
    let shared = Shared { max, queued: AtomicUsize::new(0), inner, filled: Condvar::new(), drained: Condvar::new() };
    let shared = Arc::new(shared);
    (Sender(shared.clone()), Receiver { shared, taken: VecDeque::new() })
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().expect("no thread panics with the lock")
    }

    fn push(&self, mut inner: MutexGuard<'_, Inner<T>>, value: T) {
        inner.waiting.push_back(value);
        self.queued.fetch_add(1, Ordering::SeqCst);
        if std::mem::take(&mut inner.idle) {
            drop(inner);
            self.filled.notify_one();
        }
    }

    fn is_full(&self) -> bool {
        self.queued.load(Ordering::SeqCst) >= self.max
    }
}

impl<T> Sender<T> {
    /// # Errors
    /// The value, when the queue is full or nobody receives any more.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let inner = self.0.lock();
        if inner.closed {
            return Err(TrySendError::Disconnected(value));
        }
        if self.0.is_full() {
            return Err(TrySendError::Full(value));
        }
        self.0.push(inner, value);
        Ok(())
    }

    /// Waits for room.
    ///
    /// # Errors
    /// The value, when nobody receives any more.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let full = |inner: &mut Inner<T>| !inner.closed && self.0.is_full();
        let inner = self.0.drained.wait_while(self.0.lock(), full).expect("no thread panics with the lock");
        if inner.closed {
            return Err(SendError(value));
        }
        self.0.push(inner, value);
        Ok(())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.filled.notify_one();
    }
}

impl<T> Receiver<T> {
    /// # Errors
    /// When time is up, or the last sender is gone and all was received.
    pub fn recv_timeout(&mut self, limit: Duration) -> Result<T, RecvTimeoutError> {
        if let Some(value) = self.try_recv() {
            return Ok(value);
        }
        let until = Instant::now() + limit;
        let mut inner = self.shared.lock();
        while inner.waiting.is_empty() {
            if inner.ended {
                return Err(RecvTimeoutError::Disconnected);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(RecvTimeoutError::Timeout);
            }
            inner.idle = true;
            inner = self.shared.filled.wait_timeout(inner, left).expect("no thread panics with the lock").0;
            inner.idle = false;
        }
        drop(inner);
        self.try_recv().ok_or(RecvTimeoutError::Timeout)
    }

    /// What is there, without waiting.
    pub fn try_recv(&mut self) -> Option<T> {
        if self.taken.is_empty() {
            std::mem::swap(&mut self.taken, &mut self.shared.lock().waiting);
        }
        let value = self.taken.pop_front()?;
        let before = self.shared.queued.fetch_sub(1, Ordering::SeqCst);
        // Whoever waits found the queue full, so that it comes by here; the lock keeps the news from passing before they wait.
        if before == self.shared.max / 2 + 1 {
            drop(self.shared.lock());
            self.shared.drained.notify_all();
        }
        Some(value)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let left = {
            let mut inner = self.shared.lock();
            inner.closed = true;
            std::mem::take(&mut inner.waiting)
        };
        self.shared.drained.notify_all();
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_full_queue_refuses_and_gives_back() {
        let (send, mut receive) = queue(2);
        assert!(send.try_send(1).is_ok() && send.try_send(2).is_ok());
        assert_eq!(send.try_send(3), Err(TrySendError::Full(3)));
        assert_eq!(receive.try_recv(), Some(1));
        // What was taken but not given out fills the queue like the rest.
        assert!(send.try_send(3).is_ok());
        assert_eq!(send.try_send(4), Err(TrySendError::Full(4)));
        assert_eq!([receive.try_recv(), receive.try_recv(), receive.try_recv()], [Some(2), Some(3), None]);
        assert_eq!(receive.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        drop(send);
        assert_eq!(receive.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn many_who_wait_for_room_all_get_it_and_nothing_is_lost() {
        for max in 1..5 {
            let (send, mut receive) = queue(max);
            let send = Arc::new(send);
            let senders = (0..4).map(|from| {
                let send = send.clone();
                thread::spawn(move || (0..500).for_each(|n| send.send((from, n)).expect("somebody receives")))
            });
            let senders: Vec<_> = senders.collect();
            drop(send);
            let mut next = [0; 4];
            while let Ok((from, n)) = receive.recv_timeout(LONG) {
                assert_eq!(n, next[from], "in the order in which each sent");
                next[from] += 1;
            }
            assert_eq!(next, [500; 4]);
            senders.into_iter().for_each(|sender| sender.join().unwrap());
        }
    }

    #[test]
    fn who_waits_for_room_is_told_when_nobody_receives_any_more() {
        let (send, receive) = queue(1);
        send.send(1).unwrap();
        let waits = thread::spawn(move || send.send(2));
        drop(receive);
        assert_eq!(waits.join().unwrap(), Err(SendError(2)));
    }
}
