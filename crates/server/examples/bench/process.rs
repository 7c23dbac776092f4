//! The server in a process of its own: how long it takes to start on much history, and what it costs when nothing happens.

use crate::cpu::{resident, spent};
use crate::report::Report;
use server::app::{self, Config};
use server::http::Limits;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The argument that makes this program a server on a folder.
pub const SERVE: &str = "serve";
const IDLE_BEFORE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(5);
const STARTS: usize = 3;

/// Serves until its input ends.
pub fn serve(folder: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listen = "127.0.0.1:0".parse().expect("an address");
        let config = Config { data_dir: folder.into(), listen, clock: None, limits: Limits::default(), allow_private_webhooks: false };
        let running = app::start(config).await.expect("a server");
        println!("ready at {}", running.address);
        std::io::stdout().flush().expect("a reader");
        let (stop, stopped) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let ended = std::io::stdin().lines().count();
            stop.send(ended)
        });
        running.until(async { drop(stopped.await) }).await.expect("a clean end");
    });
}

/// A server on a folder, and how long it took until it was ready.
fn start(folder: &Path) -> (Child, Duration) {
    let started = Instant::now();
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program).arg(SERVE).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a server");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("ready"), "the server did not start");
    (child, started.elapsed())
}

fn stop(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().expect("an end").success());
}

pub fn restart(report: &mut Report, folder: &Path, orders: usize) {
    let starts = (0..STARTS).map(|_| {
        let (child, took) = start(folder);
        stop(child);
        took
    });
    let took = starts.min().expect("at least one start");
    report.set("restart_orders", orders as f64);
    report.set("restart_ms", took.as_millis() as f64);
}

pub fn idle(report: &mut Report, folder: &Path) {
    let (child, _) = start(folder);
    std::thread::sleep(IDLE_BEFORE);
    let before = spent(child.id());
    std::thread::sleep(IDLE);
    let busy = spent(child.id()).saturating_sub(before);
    report.set("idle_rss_mib", (resident(child.id()) as f64 / 1024.0 / 1024.0 * 10.0).round() / 10.0);
    report.set("idle_cpu_ms_per_s", (busy.as_secs_f64() * 1000.0 / IDLE.as_secs_f64() * 100.0).round() / 100.0);
    stop(child);
}
