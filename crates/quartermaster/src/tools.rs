//! Tools for the data folder.

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use domain::id::KeyId;
use engine::log::Log;
use engine::log::sqlite::SqliteLog;
use server::keys::{Keys, Role};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Rows that one step of a tail reads.
const TAIL_STEP: usize = 500;
const TAIL_PAUSE: Duration = Duration::from_millis(100);

#[derive(Subcommand)]
pub enum KeysAction {
    /// Make a key; its secret is printed once
    Create {
        /// Person or system that uses it; stands in the log
        #[arg(long)]
        name: String,
        /// admin, operator, warehouse, storefront or read_only
        #[arg(long)]
        role: Role,
    },
    /// List keys
    List,
    /// End a key
    Revoke {
        /// Like key_1
        id: KeyId,
    },
}

#[derive(Subcommand)]
pub enum EventsAction {
    /// Print events as they become durable, one JSON line each
    Tail {
        /// Start after this sequence; by default at the end
        #[arg(long)]
        after: Option<u64>,
        /// Stop at the end instead of waiting for more
        #[arg(long)]
        once: bool,
    },
}

fn existing(folder: &Path) -> Result<()> {
    if !folder.join("log.db").exists() {
        bail!("{} holds no shop; name its folder with --data-dir", folder.display());
    }
    Ok(())
}

pub fn keys(folder: &Path, action: KeysAction) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let keys = Keys::open(folder)?;
    match action {
        KeysAction::Create { name, role } => {
            let (key, secret) = keys.create(&name, role)?;
            eprintln!("{} {} ({}); the secret is shown this once:", key.id, key.name, key.role.as_str());
            println!("{secret}");
        }
        KeysAction::List => {
            for key in keys.list() {
                let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
                println!("{}\t{}\t{}\t{state}", key.id, key.role.as_str(), key.name);
            }
        }
        KeysAction::Revoke { id } => {
            if !keys.revoke(id)? {
                bail!("there is no active key {id}; see `quartermaster keys list`");
            }
            println!("{id} is revoked");
        }
    }
    Ok(())
}

pub fn events(folder: &Path, action: EventsAction) -> Result<()> {
    existing(folder)?;
    let EventsAction::Tail { after, once } = action;
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    let forks = log.forks()?;
    let mut cursor = after.unwrap_or_else(|| log.last());
    let mut out = std::io::stdout().lock();
    loop {
        let rows = log.read(cursor + 1, TAIL_STEP)?;
        for row in &rows {
            for event in engine::raw_events(row)?.iter().filter(|event| event.seq > cursor) {
                if writeln!(out, "{}", server::bus::cloud_event(event, engine::incarnation_of(&forks, event.seq))).is_err() {
                    return Ok(());
                }
            }
        }
        match rows.last() {
            Some(row) => cursor = row.last_seq,
            None if once => return Ok(()),
            None => std::thread::sleep(TAIL_PAUSE),
        }
    }
}

pub fn verify(folder: &Path) -> Result<()> {
    existing(folder)?;
    let started = Instant::now();
    let report = engine::verify(folder)?;
    println!(
        "{} events in {} frames, {} orders: the hash chain holds, every event follows from what came before, the invariants hold",
        report.events, report.frames, report.orders
    );
    println!("state {} in {:.1} s", report.state_hash, started.elapsed().as_secs_f64());
    Ok(())
}

pub fn rebuild(folder: &Path) -> Result<()> {
    existing(folder)?;
    let started = Instant::now();
    let seq = engine::rebuild(folder)?;
    println!("the store stands at {seq} again, after {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

pub fn backup(folder: &Path, to: &Path) -> Result<()> {
    existing(folder)?;
    let seq = engine::backup(folder, to)?;
    println!("{} holds everything up to {seq}", to.display());
    Ok(())
}

pub fn restore(folder: &Path, from: &Path) -> Result<()> {
    existing(from)?;
    let report = engine::restore(from, folder)?;
    println!("{} stands at {} with {} orders, verified", folder.display(), report.events, report.orders);
    Ok(())
}

pub fn openapi() -> Result<()> {
    let mut text = serde_json::to_string_pretty(&server::http::openapi())?;
    text.push('\n');
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
