//! Whether an endpoint is called: after some failures in a row it is only probed, less and less often, until a call succeeds.

use std::time::Duration;
use tokio::time::Instant;

/// Failures in a row that open the circuit.
const OPEN_AFTER: u32 = 5;
/// Pauses between probes, doubled from the first to the last.
const PROBE_FIRST: Duration = Duration::from_secs(1);
const PROBE_LAST: Duration = Duration::from_secs(300);
/// An endpoint cannot ask for a longer pause.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Waits before an event is tried again, while others are delivered.
const RETRIES: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];
/// Waits between tries of what parks: about three days together.
const PARKED_RETRIES_S: [u64; 8] = [5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];

#[derive(Default)]
pub struct Breaker {
    streak: u32,
    open: Option<Open>,
    /// Since when nothing succeeds, milliseconds since the Unix epoch.
    pub failing_since: Option<i64>,
}

struct Open {
    until: Instant,
    pause: Duration,
    probing: bool,
}

/// What may be called now.
#[derive(Debug, PartialEq, Eq)]
pub enum Leave {
    All,
    /// One call, to see.
    Probe,
    NothingUntil(Instant),
    /// The probe is under way.
    Nothing,
}

impl Breaker {
    pub fn leave(&self, now: Instant) -> Leave {
        match &self.open {
            None => Leave::All,
            Some(open) if open.probing => Leave::Nothing,
            Some(open) if open.until <= now => Leave::Probe,
            Some(open) => Leave::NothingUntil(open.until),
        }
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub fn probing(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// `retry_after` is the endpoint's own wish.
    pub fn failed(&mut self, now: Instant, wall_ms: i64, retry_after: Option<Duration>) {
        self.streak += 1;
        self.failing_since.get_or_insert(wall_ms);
        let wish = retry_after.map(|wish| wish.min(RETRY_AFTER_MAX));
        match &mut self.open {
            // Others that were under way when it opened say nothing new.
            Some(open) if !open.probing && open.until > now && wish.is_none() => {}
            Some(open) => {
                open.pause = (open.pause * 2).min(PROBE_LAST);
                open.until = now + wish.unwrap_or_else(|| jittered(open.pause));
                open.probing = false;
            }
            None if self.streak >= OPEN_AFTER || wish.is_some() => {
                self.open = Some(Open { until: now + wish.unwrap_or_else(|| jittered(PROBE_FIRST)), pause: PROBE_FIRST, probing: false });
            }
            None => {}
        }
    }
}

/// How long an event waits after it failed for the how manieth time.
pub fn retry_after(attempts: u32) -> Duration {
    let at = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    jittered(RETRIES[at.min(RETRIES.len() - 1)])
}

/// How long a parked event waits after so many tries while parked; `None` when it is no longer tried by itself.
pub fn parked_retry_after(tries: u32) -> Option<Duration> {
    let seconds = PARKED_RETRIES_S.get(usize::try_from(tries).ok()?)?;
    Some(jittered(Duration::from_secs(*seconds)))
}

/// Between 0.8 and 1.2 of it, so that many do not come at once.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness it is only less spread.
    let _ = getrandom::fill(&mut byte);
    pause * (80 + u32::from(byte[0]) * 40 / 255) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_opens_after_failures_in_a_row_and_closes_with_a_success() {
        let (mut circuit, now) = (Breaker::default(), Instant::now());
        for _ in 1..OPEN_AFTER {
            circuit.failed(now, 7, None);
            assert_eq!(circuit.leave(now), Leave::All);
        }
        circuit.failed(now, 9, None);
        assert!(matches!(circuit.leave(now), Leave::NothingUntil(_)));
        assert_eq!(circuit.failing_since, Some(7));
        circuit.failed(now, 9, None);
        let later = now + Duration::from_secs(2);
        assert_eq!(circuit.leave(later), Leave::Probe);
        circuit.probing();
        assert_eq!(circuit.leave(later), Leave::Nothing);
        circuit.failed(later, 9, None);
        let Leave::NothingUntil(until) = circuit.leave(later) else { panic!("it probes at once") };
        assert!(until - later > Duration::from_millis(1500), "the pause has doubled");
        circuit.probing();
        circuit.succeeded();
        assert_eq!((circuit.leave(later), circuit.failing_since), (Leave::All, None));
    }

    #[tokio::test]
    async fn an_endpoint_gets_the_pause_that_it_asks_for() {
        let (mut circuit, now) = (Breaker::default(), Instant::now());
        circuit.failed(now, 7, Some(Duration::from_secs(90)));
        assert_eq!(circuit.leave(now), Leave::NothingUntil(now + Duration::from_secs(90)));
    }

    #[test]
    fn a_parked_event_is_tried_for_about_three_days() {
        let hours: f64 = (0..).map_while(parked_retry_after).map(|pause| pause.as_secs_f64() / 3600.0).sum();
        assert!((60.0..92.0).contains(&hours), "{hours}");
        assert!(retry_after(1) < Duration::from_secs(2) && retry_after(99) >= Duration::from_secs(90));
    }
}
