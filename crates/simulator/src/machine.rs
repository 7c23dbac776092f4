//! The machine that the shop runs on: an engine, its folder, a clock that the world turns, and a disk that may fail.

use crate::disk::{self, Disk, STALE_STORE};
use domain::time::Timestamp;
use domain::{Command, State};
use engine::{Engine, Idempotency, Options, Reply, Submission};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest time in which an answer has to come.
const ANSWER: Duration = Duration::from_secs(20);
/// How often a command is asked again before the world says that it is stuck.
const TRIES: u32 = 50;
/// The engine does not try a full disk again before.
const FULL_PAUSE: Duration = Duration::from_millis(260);
/// Between two looks at whether everything due is done.
const LOOK: Duration = Duration::from_millis(2);

/// A command with the key by which it may be asked again.
pub type Asked = (Command, String);

pub struct Machine {
    pub folder: PathBuf,
    home: PathBuf,
    engine: Option<Engine>,
    replies: Receiver<Vec<(u64, Reply)>>,
    clock: Arc<AtomicI64>,
    pub plan: disk::Shared,
    pub starts: u32,
    pub power_losses: u32,
    token: u64,
}

impl Machine {
    pub fn new(home: &Path, now: Timestamp) -> Result<Self, String> {
        let (_, replies) = channel();
        let mut machine = Self {
            folder: home.join("0"),
            home: home.to_owned(),
            engine: None,
            replies,
            clock: Arc::new(AtomicI64::new(now.0)),
            plan: disk::Shared::default(),
            starts: 0,
            power_losses: 0,
            token: 0,
        };
        machine.start()?;
        Ok(machine)
    }

    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    pub fn turn_clock(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    fn start(&mut self) -> Result<(), String> {
        let store = self.folder.join("store.db");
        if store.exists() {
            std::fs::copy(&store, self.folder.join(STALE_STORE)).map_err(|error| error.to_string())?;
        }
        self.starts += 1;
        let (send, replies) = channel();
        let clock = self.clock.clone();
        let options = Options {
            clock: Box::new(move || Timestamp(clock.load(Ordering::SeqCst))),
            wall_clock: false,
            on_replies: Box::new(move |batch| send.send(batch).unwrap_or(())),
            ..Options::new(&self.folder)
        };
        let (folder, next, plan) = (self.folder.clone(), self.home.join(self.starts.to_string()), self.plan.clone());
        let engine = Engine::open_on(options, |log| Ok(Disk { log, folder, next, plan })).map_err(|error| format!("start: {error}"))?;
        (self.engine, self.replies) = (Some(engine), replies);
        Ok(())
    }

    pub fn stop(&mut self) {
        self.engine = None;
    }

    /// Stops, takes up what a power loss left, and starts.
    pub fn restart(&mut self) -> Result<(), String> {
        self.stop();
        if let Some(image) = disk::plan(&self.plan).image.take() {
            self.power_losses += 1;
            self.folder = image;
        }
        self.start()
    }

    pub fn engine(&self) -> Result<&Engine, String> {
        self.engine.as_ref().ok_or_else(|| "the machine is off".to_owned())
    }

    /// Asks all at once, and again with the same keys until each has an answer that stays.
    pub fn ask(&mut self, asked: &[Asked]) -> Result<Vec<Reply>, String> {
        let mut answers: BTreeMap<usize, Reply> = BTreeMap::new();
        for _ in 0..TRIES {
            let open: Vec<usize> = (0..asked.len()).filter(|at| !answers.contains_key(at)).collect();
            if open.is_empty() {
                self.quiet()?;
                return Ok(answers.into_values().collect());
            }
            let (mut full, mut unknown) = (false, false);
            for (at, reply) in self.submit(asked, &open)? {
                match reply {
                    Reply::OutcomeUnknown => unknown = true,
                    Reply::NoSpace => full = true,
                    reply @ (Reply::Done { .. } | Reply::Refused { .. } | Reply::KeyReused) => {
                        answers.insert(at, reply);
                    }
                }
            }
            if unknown || self.engine()?.failure().is_some() {
                self.restart()?;
            } else if full {
                std::thread::sleep(FULL_PAUSE);
            }
        }
        Err(format!("no answer after {TRIES} tries to {asked:?}"))
    }

    /// What the engine answered; it may have stopped before it took all.
    fn submit(&mut self, asked: &[Asked], open: &[usize]) -> Result<Vec<(usize, Reply)>, String> {
        let first = self.token;
        let mut waiting = BTreeMap::new();
        for at in open {
            let (command, key) = &asked[*at];
            let idempotency = Some(Idempotency { key: key.clone(), body: format!("{command:?}") });
            let submission = Submission { command: command.clone(), actor: "client".into(), idempotency, token: self.token };
            if self.engine()?.submit(submission).is_err() {
                break;
            }
            waiting.insert(self.token, *at);
            self.token += 1;
        }
        let (until, mut heard) = (Instant::now() + ANSWER, Vec::new());
        while !waiting.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            let batch = self.replies.recv_timeout(left).map_err(|_| format!("nobody answers {:?}", waiting.values()))?;
            for (token, reply) in batch.into_iter().filter(|(token, _)| *token >= first) {
                if let Some(at) = waiting.remove(&token) {
                    heard.push((at, reply));
                }
            }
        }
        if heard.is_empty() {
            heard.push((open[0], Reply::OutcomeUnknown));
        }
        Ok(heard)
    }

    /// Waits until all that is due at the present time is done. Restarts when the disk fails meanwhile.
    pub fn quiet(&mut self) -> Result<(), String> {
        let until = Instant::now() + ANSWER;
        while Instant::now() < until {
            let now = self.now();
            match self.engine()?.query(move |state| state.due(now).is_empty()) {
                Some(true) => return Ok(()),
                Some(false) => std::thread::sleep(LOOK),
                None if self.engine()?.failure().is_some() => self.restart()?,
                None => std::thread::sleep(LOOK),
            }
        }
        let now = self.now();
        let due = self.look(move |state| {
            let timers = |(_, case): (_, &std::sync::Arc<domain::order::Case>)| {
                (case.order.id, case.timers.clone(), format!("{:?} {:?}", case.payments, case.effects))
            };
            let rings = |(_, timers, _): &(_, Vec<domain::order::Timer>, String)| timers.iter().any(|timer| timer.at <= now);
            let cases: Vec<_> = state.cases.sorted().into_iter().map(timers).filter(rings).collect();
            (state.due(now), cases)
        });
        Err(format!("due at {now:?}, and not done: {due:?}"))
    }

    /// Looks at State; tried again while the disk makes trouble.
    pub fn look<T: Send + 'static>(&mut self, ask: impl Fn(&State) -> T + Send + Clone + 'static) -> Result<T, String> {
        for _ in 0..TRIES {
            if let Some(answer) = self.engine()?.query(ask.clone()) {
                return Ok(answer);
            }
            if self.engine()?.failure().is_some() {
                self.restart()?;
            }
        }
        Err("nobody answers a question".into())
    }
}
