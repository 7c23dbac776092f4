//! How often one key may ask: a bucket of tokens each, filled at a steady rate.

use domain::id::KeyId;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

/// Requests that one key may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// In the long run. At least 1.
    pub per_second: u32,
    /// At once, after a while of silence. At least 1.
    pub burst: u32,
}

impl Default for Rate {
    /// More than a busy shop ever needs, less than a client that runs wild can send.
    fn default() -> Self {
        Self { per_second: 10_000, burst: 20_000 }
    }
}

/// A bucket for each key that was seen: when it will be full again, in nanoseconds since the start (the generic cell rate
/// algorithm of ITU-T I.371: one number says how many tokens are left).
pub struct Buckets {
    interval_ns: u64,
    depth_ns: u64,
    started: Instant,
    full_at: RwLock<FxHashMap<KeyId, Arc<AtomicU64>>>,
}

impl Buckets {
    pub fn new(rate: Rate) -> Self {
        let interval_ns = 1_000_000_000 / u64::from(rate.per_second.max(1));
        let depth_ns = interval_ns * u64::from(rate.burst.max(1));
        Self { interval_ns, depth_ns, started: Instant::now(), full_at: RwLock::default() }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// With how long until there is one.
    pub fn take(&self, key: KeyId) -> Result<(), Duration> {
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.take_at(key, now)
    }

    fn take_at(&self, key: KeyId, now: u64) -> Result<(), Duration> {
        let after = |full_at: u64| full_at.max(now).saturating_add(self.interval_ns);
        let fits = |full_at: u64| Some(after(full_at)).filter(|next| next - now <= self.depth_ns);
        let taken = self.bucket(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.map(drop).map_err(|full_at| Duration::from_nanos((after(full_at) - now).saturating_sub(self.depth_ns)))
    }

    fn bucket(&self, key: KeyId) -> Arc<AtomicU64> {
        let found = self.full_at.read().expect("no thread panics with the lock").get(&key).cloned();
        found.unwrap_or_else(|| self.full_at.write().expect("no thread panics with the lock").entry(key).or_default().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds_for_each_key_alone() {
        let buckets = Buckets::new(Rate { per_second: 10, burst: 3 });
        let (one, other) = (KeyId(1), KeyId(2));
        let ms = 1_000_000;
        let passed = |key, at| (0..5).filter(|_| buckets.take_at(key, at).is_ok()).count();
        assert_eq!(passed(one, 0), 3);
        assert_eq!(buckets.take_at(one, 0), Err(Duration::from_millis(100)));
        assert_eq!(passed(other, 0), 3);
        assert_eq!(passed(one, 100 * ms), 1);
        assert_eq!(passed(one, 10_000 * ms), 3);
    }
}
