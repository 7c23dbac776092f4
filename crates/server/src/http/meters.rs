//! Counts and times of requests, with their handles kept: recording costs no look-up by labels.

use super::routes::Route;
use domain::id::ChannelCode;
use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::PrometheusHandle;
use rustc_hash::FxHashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Recorded times are folded into their summaries after so many requests at the latest: memory stays flat when nobody scrapes.
const UPKEEP_EVERY: usize = 16_384;

/// Times of one route by status.
pub struct Meter {
    method: &'static str,
    path: &'static str,
    times: RwLock<Vec<(u16, Histogram)>>,
}

impl Meter {
    pub fn new(route: &Route) -> Self {
        Self { method: route.method, path: route.path, times: RwLock::default() }
    }

    pub fn record(&self, status: u16, elapsed: Duration) {
        let known = self.times.read().expect("no thread panics with the lock");
        if let Some((_, times)) = known.iter().find(|(known, _)| *known == status) {
            times.record(elapsed.as_secs_f64());
            return;
        }
        drop(known);
        let labels = [("route", self.path.to_owned()), ("method", self.method.to_owned()), ("status", status.to_string())];
        let times = metrics::histogram!("quartermaster_http_seconds", &labels);
        times.record(elapsed.as_secs_f64());
        self.times.write().expect("no thread panics with the lock").push((status, times));
    }
}

/// Folds what was recorded, now and then.
#[derive(Default)]
pub struct Upkeep {
    requests: AtomicUsize,
}

impl Upkeep {
    pub fn request_done(&self, metrics: Option<&PrometheusHandle>) {
        let Some(metrics) = metrics else { return };
        if self.requests.fetch_add(1, Ordering::Relaxed) % UPKEEP_EVERY == UPKEEP_EVERY - 1 {
            let metrics = metrics.clone();
            tokio::task::spawn_blocking(move || metrics.run_upkeep());
        }
    }
}

/// A counter for each channel.
#[derive(Default)]
pub struct PerChannel {
    counters: RwLock<FxHashMap<ChannelCode, Counter>>,
}

impl PerChannel {
    pub fn increment(&self, name: &'static str, channel: &ChannelCode) {
        let known = self.counters.read().expect("no thread panics with the lock");
        if let Some(counter) = known.get(channel) {
            counter.increment(1);
            return;
        }
        drop(known);
        let counter = metrics::counter!(name, "channel" => channel.to_string());
        counter.increment(1);
        self.counters.write().expect("no thread panics with the lock").insert(channel.clone(), counter);
    }
}
