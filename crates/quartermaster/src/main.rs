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

/// The error with its causes, each sentence said once: many errors name their cause themselves, and some say it twice.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let known = text.clone();
        let fresh: Vec<&str> = cause.split(": ").filter(|part| !says(&known, part)).collect();
        // A bare number of an error explains nothing that stands there already.
        if !known.is_empty() && fresh.iter().all(|part| part.starts_with("Error code ")) {
            continue;
        }
        for part in fresh.into_iter().filter(|part| !part.is_empty()) {
            if !says(&text, part) {
                text = if text.is_empty() { part.to_owned() } else { format!("{text}: {part}") };
            }
        }
    }
    text
}

/// Whether the text has the sentence, however it is capitalized and ends.
fn says(text: &str, sentence: &str) -> bool {
    let plain = |part: &str| part.trim().trim_end_matches('.').to_lowercase();
    text.split(": ").flat_map(|part| part.split(". ").chain([part])).any(|part| plain(part) == plain(sentence))
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_cause_is_said_once() {
        let error = anyhow::anyhow!("no such key").context("line 3: no such key").context("the settings can't be read");
        assert_eq!(super::told(&error), "the settings can't be read: line 3: no such key");
        for (causes, wanted) in [
            (
                &["Error code 26: file is not a database", "the log can't be read: File is not a database"][..],
                "the log can't be read: File is not a database",
            ),
            (&["Error code 14: cannot open", "cannot open: x.db: Error code 14: cannot open"], "cannot open: x.db: Error code 14"),
            (&["It is short. Send less.", "It is short. Send less.", "It is short. Send less."], "It is short. Send less."),
            (
                &["file is not a database", "the store can't be read: file is not a database. Run rebuild"],
                "the store can't be read: file is not a database. Run rebuild",
            ),
            (&["a", "b has a"], "b has a: a"),
        ] {
            let error = causes[1..].iter().fold(anyhow::anyhow!("{}", causes[0]), |error, cause| error.context((*cause).to_owned()));
            assert_eq!(super::told(&error), wanted);
        }
    }
}
