//! `quartermaster`: the whole shop in one binary.

mod cli;
mod demo;
mod export;
mod import;
mod reconcile;
mod serve;
mod tools;
mod whatif;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error with its causes, each said once: many errors name their cause themselves.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_cause_is_said_once() {
        let error = anyhow::anyhow!("no such key").context("line 3: no such key").context("the settings can't be read");
        assert_eq!(super::told(&error), "the settings can't be read: line 3: no such key");
    }
}
