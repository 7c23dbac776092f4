//! The engine by itself: no HTTP, one thread that submits, until all is durable and stored.

use crate::cpu::{Cpu, resident};
use crate::furnish;
use crate::report::Report;
use domain::Command;
use domain::command::order::Command as OrderCommand;
use domain::order::Origin;
use domain::time::Timestamp;
use engine::{Engine, Options, Submission};
use std::path::Path;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

/// What a run came to.
pub struct Run {
    per_s: f64,
    /// Processor time of each order on the way through: sequencer, log, store.
    cpu_us: [f64; 3],
    lag_max: u64,
}

impl Run {
    fn cpu(&self) -> f64 {
        self.cpu_us.iter().sum()
    }
}

fn many(n: usize) -> Command {
    furnish::place([n * 7 % furnish::SKUS, (n * 13 + 1) % furnish::SKUS], None)
}

fn few(n: usize) -> Command {
    furnish::place([n * 7 % furnish::SKUS_OVER_HTTP, (n * 13 + 1) % furnish::SKUS_OVER_HTTP], None)
}

fn hot(_: usize) -> Command {
    furnish::place([0, 0], None)
}

/// A shop without a past. Returns what an order costs in it.
pub fn fresh(report: &mut Report, folder: &Path, orders: usize) -> Run {
    let engine = Engine::open(Options::new(folder)).expect("an engine");
    run(&engine, furnish::commands().into_iter());
    run(&engine, (0..orders / 4).map(few));
    let first = best((0..ROUNDS).map(|_| run(&engine, (0..orders / ROUNDS).map(few))));
    assert!(placed(&engine) >= orders as u64, "every order was taken");
    report.set("in_process_orders_per_s", first.per_s.round());
    for (name, us) in ["sequencer", "log", "store"].into_iter().zip(first.cpu_us) {
        report.set(&format!("cpu_us_per_order_{name}"), (us * 10.0).round() / 10.0);
    }
    report.set("in_process_lag_events_max", first.lag_max as f64);
    // Interleaved, so that a noisy minute hits both.
    let (mut spread, mut single) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        spread.push(run(&engine, (0..orders / ROUNDS).map(many)));
        single.push(run(&engine, (0..orders / ROUNDS).map(hot)));
    }
    let (spread, single) = (best(spread.into_iter()), best(single.into_iter()));
    report.set("hot_sku_over_many", hundredths(single.per_s / spread.per_s));
    report.set("hot_sku_over_many_by_cpu", hundredths(spread.cpu() / single.cpu()));
    first
}

/// A shop with so many closed orders and nothing else.
pub fn history(report: &mut Report, folder: &Path, closed: usize) {
    let engine = Engine::open(Options::new(folder)).expect("an engine");
    run(&engine, furnish::commands().into_iter());
    run(&engine, (0..closed / 2).map(past));
    let before = settled(&engine);
    run(&engine, (closed / 2..closed).map(past));
    let grown = settled(&engine).saturating_sub(before);
    assert_eq!(placed(&engine), closed as u64, "every order was taken");
    report.set("closed_orders", closed as f64);
    report.set("memory_growth_bytes_per_order", (grown as f64 / (closed / 2) as f64).round());
}

/// What an order costs with all that history, against a shop without a past.
pub fn with_history(report: &mut Report, folder: &Path, orders: usize, first: &Run) {
    let engine = Engine::open(Options::new(folder)).expect("an engine");
    run(&engine, (0..orders / 4).map(few));
    let after = best((0..ROUNDS).map(|_| run(&engine, (0..orders / ROUNDS).map(few))));
    report.set("million_closed_over_none", hundredths(after.per_s / first.per_s));
    report.set("million_closed_over_none_by_cpu", hundredths(first.cpu() / after.cpu()));
}

/// An order of the past, closed as it comes in.
fn past(n: usize) -> Command {
    let skus = [n * 7 % furnish::SKUS_OVER_HTTP, (n * 13 + 1) % furnish::SKUS_OVER_HTTP];
    let mut order = furnish::order(skus, Some(format!("past-{n}")));
    order.origin = Origin::Import;
    order.placed_at = Some(Timestamp(1_700_000_000_000));
    OrderCommand::ImportOrder { order: Box::new(order), location: "AUS".parse().expect("a code") }.into()
}

/// Orders that were ever placed.
fn placed(engine: &Engine) -> u64 {
    engine.query(|state| state.counters().order).unwrap_or(0)
}

/// Bytes in memory once what is closed has left it.
fn settled(engine: &Engine) -> u64 {
    let since = Instant::now();
    let mut left = usize::MAX;
    while since.elapsed() < Duration::from_secs(5) {
        let now = engine.query(|state| state.cases.len()).unwrap_or(0);
        if now == left {
            break;
        }
        left = now;
        std::thread::sleep(Duration::from_millis(300));
    }
    resident(std::process::id())
}

fn run(engine: &Engine, commands: impl Iterator<Item = Command>) -> Run {
    let (cpu, started) = (Cpu::now(), Instant::now());
    let (mut done, mut lag_max) = (0u64, 0);
    for command in commands {
        let submission = Submission { command, actor: "bench".into(), idempotency: None, token: 0 };
        assert!(engine.submit_waiting(submission).is_ok(), "the engine stopped: {:?}", engine.failure());
        done += 1;
        if done.is_multiple_of(1024) {
            lag_max = lag_max.max(engine.durable().saturating_sub(engine.stored()));
        }
    }
    // A question is answered when all before it is durable.
    engine.query(|_| ()).expect("a running engine");
    let wanted = engine.durable();
    while engine.stored() < wanted {
        std::thread::sleep(Duration::from_millis(1));
    }
    let elapsed = started.elapsed().as_secs_f64();
    let now = Cpu::now();
    let cpu_us = ["sequencer", "log", "store"].map(|thread| now.us_each(&cpu, thread, done));
    Run { per_s: done as f64 / elapsed, cpu_us, lag_max }
}

/// The one that others on the machine disturbed least.
fn best(runs: impl Iterator<Item = Run>) -> Run {
    runs.max_by(|a, b| a.per_s.total_cmp(&b.per_s)).expect("at least one run")
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
