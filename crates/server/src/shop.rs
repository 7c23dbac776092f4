//! The shop as the edge sees it: submit and wait until durable, read beside the writer.

use crate::bus::Bus;
use crate::config::Config;
use crate::keys::Keys;
use crate::mail::templates::Templates;
use crate::status_link::StatusLinks;
use crate::traces::{self, Span, Traces};
use crate::vault::Vault;
use crate::waiting::{self, Waiting};
use crate::web::Mirror;
use domain::Command;
use domain::time::Timestamp;
use engine::{Consistency, Cursor, Engine, Idempotency, OpenError, Options, ReadError, Reader, Reply, Submission};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};

/// Most readers that are kept open; one is used per read at a time.
const READERS_MAX: usize = 16;

/// Tells the time, in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Shared by every handler.
pub struct Shop {
    pub engine: Engine,
    pub vault: Arc<Vault>,
    pub keys: Keys,
    /// Who outside hears what, and where they stand.
    pub bus: Bus,
    /// What the operator decided.
    pub config: Config,
    pub templates: Templates,
    /// Makes and reads the links by which customers open their orders.
    pub status_links: StatusLinks,
    /// What the dashboard looks at.
    pub mirror: Arc<Mirror>,
    /// Makes spans, when there is somebody to send them to.
    pub traces: Option<Arc<Traces>>,
    /// How far the log is durable, for those who wait.
    pub durable: watch::Receiver<u64>,
    folder: PathBuf,
    clock: Clock,
    waiting: Arc<Waiting>,
    failed: Arc<Notify>,
    readers: Mutex<Vec<Reader>>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Engine(#[from] OpenError),
    #[error("{0}")]
    Vault(#[from] crate::vault::Error),
    #[error("{0}")]
    Config(#[from] crate::config::Error),
    #[error("{0}")]
    Traces(#[from] traces::Error),
    #[error("the keys can't be used: {0}")]
    Keys(#[from] rusqlite::Error),
    #[error("where subscriptions stand can't be read: {0}")]
    Bus(#[from] ReadError),
}

/// The queue is full, or the engine has stopped.
#[derive(Debug)]
pub struct Busy;

impl Shop {
    /// Opens engine, vault and keys of a folder. `clock` replaces the wall clock.
    ///
    /// # Errors
    /// When the folder is in use or cannot be read.
    pub fn open(folder: &Path, clock: Option<Clock>) -> Result<Arc<Self>, Error> {
        let (waiting, failed) = (Arc::new(Waiting::default()), Arc::new(Notify::new()));
        let (replies, failure) = (waiting.clone(), failed.clone());
        let (durable, durable_in) = watch::channel(0);
        let mut options = Options::new(folder);
        options.wall_clock = clock.is_none();
        let clock = clock.unwrap_or_else(|| Arc::new(wall_clock));
        let ticks = clock.clone();
        options.clock = Box::new(move || ticks());
        options.on_replies = Box::new(move |batch| replies.arrived(batch));
        options.on_failure = Box::new(move || failure.notify_one());
        let (mirror, inlet, frames) = Mirror::new();
        options.on_committed = Box::new(move |transactions| inlet.take(transactions));
        options.on_durable = Box::new(move |seq| {
            durable.send_replace(seq);
        });
        let config = Config::load(folder)?;
        let traces = config.traces.as_ref().map(Traces::start).transpose()?;
        let engine = Engine::open(options)?;
        tokio::spawn(waiting::wake(Arc::downgrade(&waiting), waiting.news()));
        let bus = Bus::open(folder, &engine)?;
        let vault = Vault::open(folder)?.under(config.secrets_key.as_deref());
        let shop = Arc::new(Self {
            bus,
            engine,
            config,
            templates: Templates::new(folder.join("templates")),
            status_links: StatusLinks::new(vault.shop_key("status_links")?),
            vault: Arc::new(vault),
            keys: Keys::open(folder)?,
            mirror,
            traces,
            durable: durable_in,
            folder: folder.to_owned(),
            clock,
            waiting,
            failed,
            readers: Mutex::new(Vec::new()),
        });
        shop.start_mirror(frames);
        Ok(shop)
    }

    /// The mirror's thread ends with the engine; it does not keep the shop alive.
    fn start_mirror(self: &Arc<Self>, frames: std::sync::mpsc::Receiver<Vec<engine::Pending>>) {
        let (mirror, shop) = (self.mirror.clone(), Arc::downgrade(self));
        let ask = move || {
            let shop = shop.upgrade()?;
            let images = shop.engine.query(domain::State::images)?;
            Some((images, shop.engine.durable()))
        };
        let follow = move || {
            engine::priority::stand_back(engine::priority::FOLLOWER);
            mirror.follow(&ask, &frames);
        };
        std::thread::Builder::new().name("mirror".to_owned()).spawn(follow).expect("the system has room for a thread");
    }

    /// Where everything is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Resolves once the command, and all before it, is durable or refused.
    ///
    /// # Errors
    /// [`Busy`] when too much waits already.
    pub async fn submit(&self, command: Command, actor: String, idempotency: Option<Idempotency>) -> Result<Reply, Busy> {
        let asked = |token| self.engine.submit(Submission { command, actor, idempotency, token }).is_ok();
        let reply = self.wait_for(asked).await?;
        if let Reply::Done { images, repeated: false, .. } = &reply {
            self.bus.take_up(images);
        }
        Ok(reply)
    }

    /// As [`Shop::submit`], as a part of what `span` tells of.
    ///
    /// # Errors
    /// As there.
    pub async fn submit_in(
        &self,
        span: Option<&Span>,
        command: Command,
        actor: String,
        idempotency: Option<Idempotency>,
    ) -> Result<Reply, Busy> {
        let part = span.and_then(Span::command);
        let reply = self.submit(command, actor, idempotency).await;
        if let Some(part) = part {
            match &reply {
                Ok(reply) => part.replied(reply),
                Err(Busy) => part.fail("busy"),
            }
        }
        reply
    }

    /// Resolves once it is durable where subscriptions stand.
    ///
    /// # Errors
    /// [`Busy`] when too much waits already.
    pub async fn record_cursors(&self, cursors: Vec<Cursor>) -> Result<Reply, Busy> {
        self.wait_for(|token| self.engine.record_cursors(cursors, token).is_ok()).await
    }

    /// The reply to what `ask` queues with the token; `ask` says whether it could.
    async fn wait_for(&self, ask: impl FnOnce(u64) -> bool) -> Result<Reply, Busy> {
        let (token, woken) = self.waiting.join();
        if !ask(token) {
            self.waiting.leave(token);
            return Err(Busy);
        }
        Ok(woken.await.unwrap_or(Reply::OutcomeUnknown))
    }

    /// Resolves when the engine has stopped by itself.
    pub async fn failed(&self) {
        while self.engine.failure().is_none() {
            self.failed.notified().await;
        }
        // Whoever else waits for it is told, too.
        self.failed.notify_one();
    }

    /// Runs a read off the async threads, with a reader of its own. Lists show all that is durable.
    ///
    /// # Errors
    /// As the read itself.
    pub async fn read<T, F>(self: &Arc<Self>, ask: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    {
        self.read_at(Consistency::Latest, ask).await
    }

    /// As [`Shop::read`], with what lists show.
    ///
    /// # Errors
    /// As the read itself.
    pub async fn read_at<T, F>(self: &Arc<Self>, consistency: Consistency, ask: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    {
        let shop = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let kept = shop.readers.lock().expect("no thread panics with the lock").pop();
            let mut reader = match kept {
                Some(reader) => reader,
                None => shop.engine.reader()?,
            };
            reader.set_consistency(consistency);
            let answer = ask(&reader);
            let mut readers = shop.readers.lock().expect("no thread panics with the lock");
            if readers.len() < READERS_MAX {
                readers.push(reader);
            }
            answer
        });
        task.await.expect("a read does not panic")
    }

    /// As [`Shop::read`], for those who ask again anyway: lists wait `limit` for the store, and then show what it has.
    ///
    /// # Errors
    /// As the read itself.
    pub async fn read_soon<T, F>(self: &Arc<Self>, limit: std::time::Duration, ask: F) -> Result<(T, bool), ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    {
        let shop = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let kept = shop.readers.lock().expect("no thread panics with the lock").pop();
            let mut reader = match kept {
                Some(reader) => reader,
                None => shop.engine.reader()?,
            };
            let (answer, whole) = reader.soon(limit, ask);
            let mut readers = shop.readers.lock().expect("no thread panics with the lock");
            if readers.len() < READERS_MAX {
                readers.push(reader);
            }
            Ok((answer?, whole))
        });
        task.await.expect("a read does not panic")
    }

    /// Looks at State between two batches.
    pub async fn query<T, F>(self: &Arc<Self>, ask: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&domain::State) -> T + Send + 'static,
    {
        let shop = self.clone();
        tokio::task::spawn_blocking(move || shop.engine.query(ask)).await.ok().flatten()
    }
}
