//! The walls of the house, checked on the text of every source file.

mod functions;
mod licenses;
mod modules;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// A source file with its path from the root and where its tests begin.
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    /// Lines outside of the trailing `#[cfg(test)]` module, with their numbers.
    fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let whole = ["/tests/", "/benches/", "/examples/"].iter().any(|folder| self.path.contains(folder));
        let tests_at = self.text.lines().position(|line| line.trim() == "#[cfg(test)]").unwrap_or(usize::MAX);
        let end = if whole { 0 } else { tests_at };
        self.text.lines().take(end).enumerate().map(|(at, line)| (at + 1, line))
    }
}

/// Text that may not stand in files whose path starts so, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "crates/domain/src",
        &["std::fs", "std::net", "std::thread", "std::time", "std::env", "SystemTime", "Instant::", "tokio", "rusqlite", "getrandom"],
        "the rules do no IO and read no clock",
    ),
    ("crates/domain/src", &["f32", "f64"], "the rules count in integers"),
    ("crates/domain/src", &["engine::", "server::"], "the rules know nobody"),
    ("crates/engine/src", &["tokio", "axum", "hyper", "reqwest", "server::"], "the engine is synchronous and knows no HTTP"),
    (
        "crates/simulator/src",
        &["tokio", "rusqlite", "SystemTime", "getrandom", "server::", "quartermaster::"],
        "the simulator knows the domain and the engine, and only its own clock and chance",
    ),
    ("crates/server/src/connectors", &["crate::http"], "connectors never see the API"),
];

const EVERYWHERE: &[(&str, &str)] =
    &[(".unwrap()", "say why it holds with expect(…)"), ("todo!", "finish it"), ("unimplemented!", "finish it"), ("dbg!", "take it out")];

const ROOMS: &[&str] = &[
    "access",
    "alert",
    "catalog",
    "count",
    "customer",
    "fulfillment",
    "notification",
    "order",
    "payment",
    "purchasing",
    "returns",
    "stock",
    "subscription",
    "transfer",
];

/// # Errors
/// With every place that breaks a wall.
pub fn run() -> Result<()> {
    let root = crate::root();
    let sources = read(&root)?;
    let mut faults = Vec::new();
    for source in &sources {
        faults.extend(check(source));
    }
    faults.extend(modules::dead(&sources));
    faults.extend(licenses::faults(&root)?);
    faults.extend(reasons(&std::fs::read_to_string(root.join("Cargo.toml"))?));
    if faults.is_empty() {
        println!("tidy: {} files in order", sources.len());
        return Ok(());
    }
    bail!("{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn read(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path)?;
                sources.push(Source { path: path.strip_prefix(root)?.to_string_lossy().into_owned(), text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn check(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let path = &source.path;
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push(format!("{path}: {lines} lines; a file tells one thing in at most {FILE_LINES_MAX}"));
    }
    let own = path.starts_with("xtask/");
    for (number, line) in source.shipped_lines().filter(|(_, line)| !own && !line.trim_start().starts_with("//")) {
        for (prefix, words, why) in FORBIDDEN {
            for word in words.iter().filter(|word| path.starts_with(prefix) && has_word(line, word)) {
                faults.push(format!("{path}:{number}: \"{word}\" is forbidden here: {why}"));
            }
        }
        if path.starts_with("crates/domain/src") && !path.ends_with("table.rs") && (line.contains("HashMap") || line.contains("HashSet")) {
            faults.push(format!("{path}:{number}: hash maps live in table.rs, so that their order never escapes"));
        }
        for (word, why) in EVERYWHERE.iter().filter(|(word, _)| line.contains(word)) {
            faults.push(format!("{path}:{number}: {word}: {why}"));
        }
        faults.extend(room_wall(path, number, line));
    }
    if source.text.lines().any(|line| line.trim() == concat!("#[", "ignore]")) {
        faults.push(format!("{path}: a skipped test is a failing test"));
    }
    if !path.contains("/tests/") {
        faults.extend(functions::long(source, FUNCTION_LINES_MAX));
    }
    faults
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        edge(before) && (word.ends_with(':') || edge(after))
    })
}

/// Rooms meet in events and in each other's public views, never in each other's decisions.
fn room_wall(path: &str, number: usize, line: &str) -> Option<String> {
    let inside = path.strip_prefix("crates/domain/src/")?;
    let (own, _) = inside.split_once('/')?;
    let foreign = ROOMS.iter().filter(|room| **room != own);
    let mut doors = foreign.flat_map(|room| ["decide", "apply", "react"].map(|door| format!("crate::{room}::{door}::")));
    let door = doors.find(|door| line.contains(door.as_str()))?;
    Some(format!("{path}:{number}: {door} belongs to another room; use what that room shows in its mod.rs"))
}

/// Every dependency of the workspace has its reason beside it.
fn reasons(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut faults = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if inside && line.contains('=') && !line.contains("path =") && !line.contains('#') {
            faults.push(format!("Cargo.toml: no reason beside `{line}`"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        check(&Source { path: path.into(), text: text.into() })
    }

    #[test]
    fn each_wall_is_seen() {
        for (path, text) in [
            ("crates/domain/src/a.rs", "use std::fs;"),
            ("crates/domain/src/a.rs", "let x: f64 = 0.0;"),
            ("crates/domain/src/a.rs", "use rustc_hash::FxHashMap;"),
            ("crates/engine/src/a.rs", "use tokio::sync;"),
            ("crates/server/src/connectors/x/mod.rs", "use crate::http::orders;"),
            ("crates/simulator/src/a.rs", "let now = SystemTime::now();"),
            ("crates/server/src/a.rs", "x.unwrap();"),
            ("crates/domain/src/order/a.rs", "use crate::stock::decide::hold;"),
        ] {
            assert_eq!(faults(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn words_are_whole_and_tests_are_free() {
        assert!(faults("crates/domain/src/a.rs", "let half64 = buf32;").is_empty());
        assert!(faults("crates/server/src/a.rs", "#[cfg(test)]\nmod tests { fn a() { x.unwrap(); } }").is_empty());
        assert!(faults("crates/domain/src/order/a.rs", "use crate::order::decide::hold;").is_empty());
    }

    #[test]
    fn a_file_has_its_length() {
        assert_eq!(faults("crates/server/src/a.rs", &"// x\n".repeat(FILE_LINES_MAX + 1)).len(), 1);
    }

    #[test]
    fn a_dependency_has_its_reason() {
        assert_eq!(reasons("[workspace.dependencies]\na = \"1\"\nb = \"1\" # for b").len(), 1);
    }
}
