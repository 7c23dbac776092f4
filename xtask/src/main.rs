//! What the project needs besides the compiler: `cargo xtask test`, `tidy`, `openapi`, `asyncapi`, `bench`, `bench-bus`.

mod asyncapi;
mod bus;
mod openapi;
mod peers;
mod suites;
mod tidy;
mod traces;

use anyhow::{Result, bail};
use std::path::PathBuf;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", names @ ..] => suites::run(names),
        ["tidy"] => tidy::run(),
        ["bench-bus", arguments @ ..] => suites::bench_bus(arguments),
        ["bench", arguments @ ..] => suites::bench(arguments),
        ["openapi"] => openapi::write(),
        ["asyncapi"] => asyncapi::write(),
        ["asyncapi", "--check"] => asyncapi::check(),
        _ => {
            bail!("usage: cargo xtask test [SUITE…] | tidy | openapi | asyncapi [--check] | bench [--json] | bench-bus [EVENTS]")
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}
