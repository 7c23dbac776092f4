//! What waits for an endpoint: a bounded stretch of the log, in order per subject, retried by itself.

use super::Outgoing;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

/// Most events that wait in memory for one endpoint, and about how many bytes they take; the log keeps the rest.
const EVENTS_MAX: usize = 256;
const BYTES_MAX: usize = 2 << 20;

/// Sequence of the event, and which of those made from it.
pub type Key = (u64, u32);

struct Item {
    event: Arc<Outgoing>,
    attempts: u32,
    flying: bool,
    /// How many calls had succeeded when this one failed last.
    seen: Option<u64>,
    /// Failures while others succeeded.
    refused: u32,
}

/// What became of an event that could not be delivered.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub attempts: u32,
    /// Failures since which others succeeded: it is this event, not the endpoint.
    pub refused: u32,
}

/// Events on their way to one endpoint. Only the oldest of a subject is ever called for.
#[derive(Default)]
pub struct Window {
    items: BTreeMap<Key, Item>,
    subjects: HashMap<Arc<str>, VecDeque<Key>>,
    ready: BTreeSet<Key>,
    later: BTreeSet<(Instant, Key)>,
    bytes: usize,
}

impl Window {
    pub fn has_room(&self) -> bool {
        self.items.len() < EVENTS_MAX && self.bytes < BYTES_MAX
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Takes an event up behind those of its subject. One that was made here takes the place of an earlier one that still waits.
    pub fn push(&mut self, event: Arc<Outgoing>) {
        if event.nth > 0 {
            let waiting = self.subjects.get(&event.subject).and_then(|keys| keys.back()).copied();
            if let Some(earlier) = waiting.filter(|key| self.items.get(key).is_some_and(|item| !item.flying)) {
                self.remove(earlier);
            }
        }
        let key = (event.seq, event.nth);
        self.bytes += event.size();
        let keys = self.subjects.entry(event.subject.clone()).or_default();
        keys.push_back(key);
        if keys.len() == 1 {
            self.ready.insert(key);
        }
        self.items.insert(key, Item { event, attempts: 0, flying: false, seen: None, refused: 0 });
    }

    /// The oldest event whose turn it is; it counts as called for until something becomes of it.
    pub fn next(&mut self, now: Instant) -> Option<Arc<Outgoing>> {
        while let Some((at, key)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.remove(&(at, key));
            self.ready.insert(key);
        }
        let key = self.ready.pop_first()?;
        Some(self.launch(key))
    }

    /// An event to try an endpoint with that fails: whichever was tried least, whether or not it is its time.
    pub fn probe(&mut self) -> Option<Arc<Outgoing>> {
        let waiting = self.ready.iter().copied().chain(self.later.iter().map(|(_, key)| *key));
        let key = waiting.min_by_key(|key| (self.items[key].attempts, *key))?;
        self.ready.remove(&key);
        self.later.retain(|(_, other)| *other != key);
        Some(self.launch(key))
    }

    fn launch(&mut self, key: Key) -> Arc<Outgoing> {
        let item = self.items.get_mut(&key).expect("what is ready is there");
        item.flying = true;
        item.event.clone()
    }

    /// Returns how often it was tried in vain before.
    pub fn delivered(&mut self, key: Key) -> u32 {
        let attempts = self.items.get(&key).map_or(0, |item| item.attempts);
        self.remove(key);
        attempts
    }

    /// It is tried again when `pause` says, which gets the number of failures; `successes` counts all calls of the endpoint that succeeded. `None` when it is gone.
    pub fn failed(&mut self, key: Key, successes: u64, pause: impl FnOnce(u32) -> Instant) -> Option<Failure> {
        let item = self.items.get_mut(&key)?;
        item.attempts += 1;
        item.flying = false;
        if item.seen.is_some_and(|seen| successes > seen) {
            item.refused += 1;
        }
        item.seen = Some(successes);
        self.later.insert((pause(item.attempts), key));
        Some(Failure { attempts: item.attempts, refused: item.refused })
    }

    /// The endpoint is back: nobody waits any longer.
    pub fn wake(&mut self) {
        self.ready.extend(std::mem::take(&mut self.later).into_iter().map(|(_, key)| key));
    }

    /// Lets go of all that waits of a subject.
    pub fn drop_subject(&mut self, subject: &str) {
        for key in self.subjects.get(subject).cloned().unwrap_or_default() {
            self.remove(key);
        }
    }

    /// The oldest that is not delivered.
    pub fn first(&self) -> Option<Key> {
        self.items.first_key_value().map(|(key, _)| *key)
    }

    pub fn oldest_time(&self) -> Option<i64> {
        self.items.first_key_value().map(|(_, item)| item.event.time)
    }

    /// When the next one is due, if none is ready.
    pub fn due(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    fn remove(&mut self, key: Key) {
        let Some(item) = self.items.remove(&key) else { return };
        self.bytes -= item.event.size();
        self.ready.remove(&key);
        self.later.retain(|(_, other)| *other != key);
        let Some(keys) = self.subjects.get_mut(&item.event.subject) else { return };
        keys.retain(|other| *other != key);
        match keys.front() {
            None => {
                self.subjects.remove(&item.event.subject);
            }
            // Whoever comes first now waits already, or is called for, unless it was behind this one.
            Some(next) => {
                let known = self.later.iter().any(|(_, other)| other == next) || self.items.get(next).is_some_and(|item| item.flying);
                if !known {
                    self.ready.insert(*next);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::EventRow;
    use std::time::Duration;

    fn event(seq: u64, subject: &str) -> Arc<Outgoing> {
        let row = EventRow {
            seq,
            time: 0,
            actor: "a".into(),
            kind: "order.placed.v1".into(),
            subject: subject.into(),
            subject_seq: 1,
            cause: None,
            data: "{}".into(),
        };
        Arc::new(Outgoing::new(row, 1))
    }

    fn window(events: &[(u64, &str)]) -> Window {
        let mut window = Window::default();
        events.iter().for_each(|(seq, subject)| window.push(event(*seq, subject)));
        window
    }

    fn taken(window: &mut Window) -> Vec<u64> {
        std::iter::from_fn(|| window.next(Instant::now()).map(|event| event.seq)).collect()
    }

    #[tokio::test]
    async fn a_subject_is_called_for_one_by_one_and_others_beside_it() {
        let mut window = window(&[(1, "a"), (2, "a"), (3, "b"), (4, "a")]);
        assert_eq!(taken(&mut window), [1, 3]);
        window.delivered((3, 0));
        assert_eq!((taken(&mut window), window.first()), (vec![], Some((1, 0))));
        window.delivered((1, 0));
        assert_eq!(taken(&mut window), [2]);
    }

    #[tokio::test]
    async fn a_failure_waits_with_its_subject_behind_it() {
        let mut window = window(&[(1, "a"), (2, "a"), (3, "b")]);
        let (now, soon) = (Instant::now(), Instant::now() + Duration::from_secs(9));
        assert_eq!(taken(&mut window), [1, 3]);
        assert_eq!(window.failed((1, 0), 0, |_| soon), Some(Failure { attempts: 1, refused: 0 }));
        window.delivered((3, 0));
        assert_eq!((taken(&mut window), window.due()), (vec![], Some(soon)));
        assert_eq!(window.next(soon).map(|event| event.seq), Some(1));
        assert_eq!(window.failed((1, 0), 1, |_| now), Some(Failure { attempts: 2, refused: 1 }), "another succeeded meanwhile");
        assert_eq!(window.probe().map(|event| event.seq), Some(1));
        window.drop_subject("a");
        assert_eq!((window.len(), window.bytes, window.first()), (0, 0, None));
        assert_eq!(window.failed((1, 0), 1, |_| now), None);
    }

    #[tokio::test]
    async fn a_probe_tries_what_was_tried_least() {
        let mut window = window(&[(1, "a"), (2, "b")]);
        assert_eq!(window.next(Instant::now()).map(|event| event.seq), Some(1));
        window.failed((1, 0), 0, |_| Instant::now());
        assert_eq!(window.probe().map(|event| event.seq), Some(2));
    }

    #[tokio::test]
    async fn only_the_latest_of_what_was_made_here_waits() {
        let made = |seq: u64| {
            let row = EventRow { seq, ..plain_row() };
            Arc::new(Outgoing::derived(row, 1, format!("1-{seq}-MUG@web"), domain::id::ChannelCode::new("web").unwrap()))
        };
        let mut window = Window::default();
        window.push(made(1));
        window.push(made(2));
        assert_eq!(taken(&mut window), [2]);
        window.push(made(3));
        window.push(made(4));
        assert_eq!((window.len(), taken(&mut window)), (2, vec![]), "the one that is under way stays");
        window.delivered((2, 1));
        assert_eq!(taken(&mut window), [4]);
    }

    fn plain_row() -> EventRow {
        let (actor, kind, subject) = ("bus".into(), "availability.changed.v1".into(), "availability/MUG@web".into());
        EventRow { seq: 0, time: 0, actor, kind, subject, subject_seq: 1, cause: None, data: "{}".into() }
    }
}
