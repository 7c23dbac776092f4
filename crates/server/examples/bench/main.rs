//! `cargo xtask bench`: what the budgets say, measured in one run. Ratios and processor time hold on a busy machine; what is told by the
//! clock on the wall is the best of several rounds.
//!
//! `--json` prints one object and nothing else on standard output. `--only http,engine,history,pages,idle` measures parts, `--seconds` says how long
//! each part loads the server, `--closed` how many closed orders of history there are. `--only postgres` measures against Postgres, which has to
//! be installed, and is left out otherwise.

mod cpu;
mod furnish;
mod http;
mod in_process;
mod load;
mod pages;
mod postgres;
mod process;
mod report;

use report::Report;
use std::time::Duration;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SECONDS: usize = 12;
const ORDERS: usize = 60_000;
/// A million takes minutes where processors are slow; the ratio and the restart are told with their number.
const CLOSED: usize = 1_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, folder] = arguments.as_slice()
        && word == process::SERVE
    {
        process::serve(folder);
        return;
    }
    let after = |name: &str| arguments.iter().position(|word| word == name).and_then(|at| arguments.get(at + 1));
    let number = |name: &str, usual: usize| after(name).map_or(usual, |text| text.parse().expect("a number"));
    let only = |part: &str| after("--only").is_none_or(|parts| parts.split(',').any(|wanted| wanted == part));
    let closed = number("--closed", CLOSED);
    let mut report = Report::default();
    if only("http") {
        let folder = tempfile::tempdir().expect("a folder");
        let time = Duration::from_secs(number("--seconds", SECONDS) as u64);
        http::measure(&runtime(), &mut report, folder.path(), time);
    }
    let (fresh, history) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let orders = number("--orders", ORDERS);
    let first = only("engine").then(|| in_process::fresh(&mut report, fresh.path(), orders));
    if only("history") {
        in_process::history(&mut report, history.path(), closed);
        process::restart(&mut report, history.path(), closed);
        if let Some(first) = &first {
            in_process::with_history(&mut report, history.path(), orders, first);
        }
    }
    if only("pages") {
        let shop = tempfile::tempdir().expect("a folder");
        pages::measure(&runtime(), &mut report, shop.path());
    }
    if after("--only").is_some() && only("postgres") {
        let both = tempfile::tempdir().expect("a folder");
        let time = Duration::from_secs(number("--seconds", SECONDS) as u64);
        postgres::measure(&runtime(), &mut report, both.path(), time);
    }
    if only("idle") {
        let quiet = tempfile::tempdir().expect("a folder");
        process::idle(&mut report, quiet.path());
    }
    if arguments.iter().any(|word| word == "--json") {
        println!("{}", report.json());
    } else {
        println!("{}", report.table());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name(http::HTTP_THREADS).build().expect("a runtime")
}
