//! Spans that have ended wait here until a thread of its own sends them. Whatever the collector does, nobody else waits for it: when too
//! many wait, further ones are dropped, and counted.

use super::collector::Problem;
use crate::bus::webhook::stand_back;
use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Spans that wait; some kilobytes each at most.
pub const WAITING_MAX: usize = 8192;
/// Spans that are sent together.
const BATCH_MAX: usize = 512;
/// Longest that a span waits for others to be sent together with.
const BATCH_PAUSE: Duration = Duration::from_secs(1);
/// Pauses while the collector takes nothing: doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LAST: Duration = Duration::from_secs(30);
/// How long what is left gets when the server stops.
const DRAIN: Duration = Duration::from_secs(3);

/// Takes spans in as they end.
#[derive(Debug)]
pub struct Queue {
    waiting: mpsc::Sender<SpanData>,
    dropped: Arc<AtomicU64>,
}

/// A queue of at most `max`.
pub fn queue(max: usize) -> (Queue, mpsc::Receiver<SpanData>) {
    let (waiting, receive) = mpsc::channel(max);
    (Queue { waiting, dropped: Arc::default() }, receive)
}

impl Queue {
    /// How many found no room.
    pub fn dropped(&self) -> Arc<AtomicU64> {
        self.dropped.clone()
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The thread that sends.
pub struct Sending {
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Sending {
    /// Resolves when what had ended is sent, or time is up.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let thread = self.thread.lock().expect("no thread panics with the lock").take();
        let Some(thread) = thread else { return };
        if !matches!(tokio::task::spawn_blocking(move || thread.join()).await, Ok(Ok(()))) {
            tracing::warn!("the sending of traces did not end well");
        }
    }
}

/// Who is sent to.
pub struct Collector {
    pub exporter: SpanExporter,
    pub authority: String,
    pub problem: Problem,
    pub dropped: Arc<AtomicU64>,
}

/// Starts to send; until [`Sending::stop`], or until nobody can make spans any more.
///
/// # Errors
/// When there can be no further thread.
pub fn send(waiting: mpsc::Receiver<SpanData>, collector: Collector) -> std::io::Result<Sending> {
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().on_thread_start(stand_back).build()?;
    let thread = std::thread::Builder::new().name("traces".into()).spawn(move || {
        stand_back();
        let sender = Sender { waiting, collector, stopped, failing: false };
        runtime.block_on(sender.run());
        // A name that is still looked up is not waited for.
        runtime.shutdown_background();
    })?;
    Ok(Sending { stop, thread: Mutex::new(Some(thread)) })
}

struct Sender {
    waiting: mpsc::Receiver<SpanData>,
    collector: Collector,
    stopped: watch::Receiver<bool>,
    failing: bool,
}

impl Sender {
    async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        let late = async move {
            // Nobody who could stop it any more is as good as being stopped.
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            () = self.work() => {}
            () = late => tracing::warn!("the last traces were not sent: the collector did not answer in time"),
        }
    }

    /// Until the server stops, and then what is left.
    async fn work(&mut self) {
        let mut pause = PAUSE_FIRST;
        while let Some(batch) = self.gather().await {
            if self.export(batch).await {
                pause = PAUSE_FIRST;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.stopped.wait_for(|stop| *stop) => break,
            }
            pause = (pause * 2).min(PAUSE_LAST);
        }
        self.drain().await;
    }

    /// The next spans to send; `None` when the server stops.
    async fn gather(&mut self) -> Option<Vec<SpanData>> {
        let mut batch = Vec::new();
        tokio::select! {
            came = self.waiting.recv_many(&mut batch, BATCH_MAX) => if came == 0 { return None },
            _ = self.stopped.wait_for(|stop| *stop) => return None,
        }
        let end = tokio::time::sleep(BATCH_PAUSE);
        tokio::pin!(end);
        while batch.len() < BATCH_MAX {
            let room = BATCH_MAX - batch.len();
            tokio::select! {
                came = self.waiting.recv_many(&mut batch, room) => if came == 0 { break },
                () = &mut end => break,
                _ = self.stopped.wait_for(|stop| *stop) => break,
            }
        }
        Some(batch)
    }

    /// What is left, until one batch is not taken.
    async fn drain(&mut self) {
        loop {
            let mut batch = Vec::new();
            while batch.len() < BATCH_MAX
                && let Ok(span) = self.waiting.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() || !self.export(batch).await {
                return;
            }
        }
    }

    /// Whether the collector took them; said once when that changes, not for each batch.
    async fn export(&mut self, batch: Vec<SpanData>) -> bool {
        let count = batch.len() as u64;
        let sent = self.collector.exporter.export(batch).await;
        let outcome = if sent.is_ok() { "sent" } else { "refused" };
        metrics::counter!("quartermaster_spans", "outcome" => outcome).increment(count);
        let dropped = self.collector.dropped.swap(0, Ordering::Relaxed);
        metrics::counter!("quartermaster_spans", "outcome" => "dropped").increment(dropped);
        let authority = &self.collector.authority;
        match &sent {
            Ok(()) if self.failing => tracing::info!("{authority} takes traces again"),
            Err(error) if !self.failing => {
                let problem = self.collector.problem.lock().expect("no thread panics with the lock").take();
                let why = problem.unwrap_or_else(|| error.to_string());
                tracing::warn!("{authority} takes no traces, they are dropped until it does: {why}");
            }
            Ok(()) | Err(_) => {}
        }
        self.failing = sent.is_err();
        sent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    #[test]
    fn a_full_queue_drops_and_counts_and_nobody_waits() {
        let (queue, mut waiting) = queue(2);
        let dropped = queue.dropped();
        let tracer = SdkTracerProvider::builder().with_span_processor(queue).build().tracer("test");
        for name in ["a", "b", "c", "d", "e"] {
            drop(tracer.start(name));
        }
        assert_eq!(dropped.load(Ordering::Relaxed), 3);
        let kept: Vec<String> = std::iter::from_fn(|| waiting.try_recv().ok()).map(|span| span.name.into_owned()).collect();
        assert_eq!(kept, ["a", "b"]);
    }
}
