//! How far an import is: a bar on a terminal, a line every few seconds elsewhere.

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const LINE_EVERY: Duration = Duration::from_secs(5);
const STYLE: &str = "{wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left";

pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
    lines: bool,
    started: Cell<Instant>,
    told: Cell<Instant>,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(0),
            if terminal && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        Self { bar, quiet, lines: !terminal, started: Cell::new(Instant::now()), told: Cell::new(Instant::now()) }
    }

    pub fn say(&self, what: &str) {
        self.bar.set_style(ProgressStyle::default_spinner());
        self.bar.set_message(what.to_owned());
        self.bar.tick();
    }

    pub fn begin(&self, rows: u64) {
        self.bar.reset();
        self.bar.set_length(rows);
        self.bar.set_style(ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.started.set(Instant::now());
    }

    pub fn add(&self, rows: u64) {
        self.bar.inc(rows);
        if self.quiet || !self.lines || self.told.get().elapsed() < LINE_EVERY {
            return;
        }
        self.told.set(Instant::now());
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        let rate = done as f64 / self.started.get().elapsed().as_secs_f64().max(0.001);
        let left = all.saturating_sub(done) as f64 / rate.max(0.001);
        eprintln!("{} of {} rows, {rate:.0} a second, {left:.0} s left", HumanCount(done), HumanCount(all));
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
