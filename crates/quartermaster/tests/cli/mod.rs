//! The real binary, run as a user runs it.

#![allow(dead_code, reason = "each suite uses a part of it")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub struct Cli {
    pub folder: tempfile::TempDir,
}

impl Cli {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn shop(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The verb and its arguments, with the folder of the shop.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartermaster"));
        command.args(arguments).env("QUARTERMASTER_DATA_DIR", self.shop()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The standard output of a command that must work.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// What a command that must fail says.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} worked");
        String::from_utf8(output.stderr).unwrap()
    }

    pub fn import(&self, mapping: &str, file: &Path, more: &[&str]) -> Value {
        let file = file.to_str().unwrap();
        let rejects: &[&str] = if more.contains(&"--rejects") { &[] } else { &["--rejects", "rejects.csv"] };
        self.json(&[&["import", "--mapping", mapping, "--json", file], rejects, more].concat())
    }
}

pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

/// `accepted`, `imported_before` and `rejected` of a summary.
pub fn counts(summary: &Value) -> [u64; 3] {
    ["accepted", "imported_before", "rejected"].map(|name| summary[name].as_u64().unwrap())
}
