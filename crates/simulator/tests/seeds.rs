//! Many histories, as many as fit into the time of a test run: the same ones each time, others with `SIMULATOR_SEED=N`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// For how long new histories begin.
const BUDGET: Duration = Duration::from_secs(40);
const STEPS: u64 = 200;
/// Histories at a time: they mostly wait for threads and clocks.
const WORLDS: usize = 4;
/// Seeds that are always run: each once showed a bug.
const KNOWN: &[u64] = &[1, 2, 3];

#[test]
fn every_history_keeps_its_promises() {
    let base: u64 = std::env::var("SIMULATOR_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_000);
    println!("seeds {KNOWN:?} and from {base} on; one again: cargo run -p simulator -- --seed S --steps {STEPS}");
    let (next, failed, begun) = (AtomicU64::new(0), AtomicBool::new(false), Instant::now());
    let live = || {
        while begun.elapsed() < BUDGET && !failed.load(Ordering::SeqCst) {
            let n = next.fetch_add(1, Ordering::SeqCst);
            let known = usize::try_from(n).ok().and_then(|n| KNOWN.get(n).copied());
            let seed = known.unwrap_or_else(|| base + n);
            if let Err(error) = simulator::run(seed, STEPS) {
                failed.store(true, Ordering::SeqCst);
                return Some(error);
            }
        }
        None
    };
    let errors: Vec<String> = std::thread::scope(|scope| {
        let worlds: Vec<_> = (0..WORLDS).map(|_| scope.spawn(live)).collect();
        worlds.into_iter().filter_map(|world| world.join().expect("a world does not panic")).collect()
    });
    let count = next.load(Ordering::SeqCst);
    println!("{count} histories of {STEPS} steps in {} s", begun.elapsed().as_secs());
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(count >= KNOWN.len() as u64, "too slow to live the known histories");
}
