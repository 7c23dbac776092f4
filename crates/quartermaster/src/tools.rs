//! Tools for the data folder.

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use domain::id::KeyId;
use domain::time::Timestamp;
use engine::log::Log;
use engine::log::sqlite::SqliteLog;
use serde_json::json;
use server::bus::{Filter, Outgoing};
use server::keys::{Key, Keys, Role};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Rows that one step of a tail reads.
const TAIL_STEP: usize = 500;
const TAIL_PAUSE: Duration = Duration::from_millis(100);

#[derive(Subcommand)]
pub enum KeysAction {
    /// Make a key; its secret is printed once, on the standard output
    #[command(after_help = "Example: KEY=$(quartermaster keys create --data-dir shop --name 'web shop' --role storefront)

Roles: admin; operator (runs the shop); warehouse (stock and fulfillment); storefront (orders, holds, returns); read_only.
A running server knows the key at once.")]
    Create {
        /// Person or system that uses it; stands in the log
        #[arg(long)]
        name: String,
        /// admin, operator, warehouse, storefront or read_only
        #[arg(long)]
        role: Role,
        /// Print id, name, role and secret as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List keys, without their secrets
    List {
        /// One JSON object a key
        #[arg(long)]
        json: bool,
    },
    /// End a key; a running server refuses it within a second
    Revoke {
        /// Like key_1
        id: KeyId,
    },
    /// A new secret for a key; the old one ends
    Rotate {
        /// Like key_1
        id: KeyId,
    },
}

#[derive(Subcommand)]
pub enum EventsAction {
    /// Print events as they become durable, one CloudEvent in JSON a line
    #[command(after_help = "Examples:
  quartermaster events tail --data-dir shop
  quartermaster events tail --data-dir shop --last 20 --type 'order.*,stock.low' | jq -r .type
  quartermaster events tail --data-dir shop --after 0 --once --subject order/ord_1JD

It reads the log beside a live server and goes on until Ctrl-C.")]
    Tail {
        /// Start after this sequence, or at this time; by default at the end
        #[arg(long, value_name = "SEQUENCE|TIME", conflicts_with = "last")]
        after: Option<String>,
        /// Start with the last so many events, of those that are asked for
        #[arg(long, value_name = "COUNT")]
        last: Option<u64>,
        /// Only these types, comma separated, with * at an end: order.*,stock.adjusted
        #[arg(long = "type", value_name = "TYPES")]
        types: Option<String>,
        /// Only this subject, like order/ord_1JD or stock/MUG-RED@AUS
        #[arg(long)]
        subject: Option<String>,
        /// Stop at the end instead of waiting for more
        #[arg(long)]
        once: bool,
    },
}

pub fn existing(folder: &Path) -> Result<()> {
    if !folder.join("log.db").exists() {
        bail!("{} holds no shop; name its folder with --data-dir, or make one with `quartermaster serve --data-dir …`", folder.display());
    }
    Ok(())
}

pub fn keys(folder: &Path, action: KeysAction) -> Result<()> {
    match action {
        KeysAction::Create { .. } => std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?,
        KeysAction::List { .. } | KeysAction::Revoke { .. } | KeysAction::Rotate { .. } if folder.join("keys.db").exists() => {}
        KeysAction::List { .. } | KeysAction::Revoke { .. } | KeysAction::Rotate { .. } => existing(folder)?,
    }
    let keys = Keys::open(folder).with_context(|| format!("the keys in {} can't be used", folder.display()))?;
    match action {
        KeysAction::Create { name, role, json } => {
            if name.trim().is_empty() {
                bail!("--name is empty; name the person or system that will use the key");
            }
            let (key, secret) = keys.create(&name, role)?;
            if json {
                println!("{}", json!({"id": key.id, "name": key.name, "role": key.role, "secret": secret}));
            } else {
                told(&key, &secret);
            }
        }
        KeysAction::List { json } => {
            if !json {
                println!("id\trole\tname\tstate\tlast used");
            }
            keys.list().iter().for_each(|key| println!("{}", listed(key, json)));
        }
        KeysAction::Revoke { id } => {
            if !keys.revoke(id)? {
                bail!("there is no active key {id}; see `quartermaster keys list`");
            }
            println!("{id} is revoked");
        }
        KeysAction::Rotate { id } => {
            let Some((key, secret)) = keys.rotate(id)? else {
                bail!("there is no active key {id}; see `quartermaster keys list`");
            };
            told(&key, &secret);
        }
    }
    Ok(())
}

fn told(key: &Key, secret: &str) {
    eprintln!("{} {} ({}); the secret is shown this once:", key.id, key.name, key.role.as_str());
    println!("{secret}");
}

fn listed(key: &Key, as_json: bool) -> String {
    let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
    let last = key.last_used_at.map(Timestamp);
    if as_json {
        let created_at = Timestamp(key.created_at);
        return json!({"id": key.id, "name": key.name, "role": key.role, "state": state, "created_at": created_at, "last_used_at": last})
            .to_string();
    }
    let last = last.map_or_else(|| "never".to_owned(), |at| at.to_string());
    format!("{}\t{}\t{}\t{state}\t{last}", key.id, key.role.as_str(), key.name)
}

pub fn events(folder: &Path, action: EventsAction) -> Result<()> {
    existing(folder)?;
    let EventsAction::Tail { after, last, types, subject, once } = action;
    let log = SqliteLog::open_read_only(&folder.join("log.db"))?;
    let mut cursor = match (after, last) {
        (Some(text), _) => crate::export::sequence(folder, &text)?,
        (None, Some(_) | None) if once || last.is_some() => 0,
        (None, _) => log.last(),
    };
    let (filter, forks) = (Filter::new(types.as_deref(), subject), log.forks()?);
    if let Some(count) = last {
        cursor = before_last(&log, &filter, count)?;
    }
    let mut out = std::io::stdout().lock();
    loop {
        let rows = log.read(cursor + 1, TAIL_STEP)?;
        for row in &rows {
            for event in engine::raw_events(row)?.into_iter().filter(|event| event.seq > cursor) {
                let incarnation = engine::incarnation_of(&forks, event.seq);
                let event = Outgoing::new(event, incarnation);
                // A reader that has gone away ends the tail.
                if filter.matches(&event) && written(&mut out, &event).is_err() {
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

/// The sequence after which the last `count` events stand that the filter takes. Most logs end with them: ever longer ends are looked through.
fn before_last(log: &SqliteLog, filter: &Filter, count: u64) -> Result<u64> {
    let (end, mut length) = (log.last(), count.max(TAIL_STEP as u64));
    loop {
        let begin = end.saturating_sub(length);
        let mut found: Vec<u64> = Vec::new();
        let mut cursor = begin;
        while cursor < end {
            let rows = log.read(cursor + 1, TAIL_STEP)?;
            for row in &rows {
                let events = engine::raw_events(row)?.into_iter().filter(|event| event.seq > cursor && event.seq <= end);
                found.extend(events.map(|event| Outgoing::new(event, 0)).filter(|event| filter.matches(event)).map(|event| event.seq));
            }
            let Some(last) = rows.last() else { break };
            cursor = last.last_seq;
        }
        let skipped = found.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        if found.len() as u64 >= count || begin == 0 {
            return Ok(found.get(skipped).map_or(end, |first| first - 1));
        }
        length = length.saturating_mul(8);
    }
}

fn written(out: &mut impl Write, event: &Outgoing) -> std::io::Result<()> {
    out.write_all(&event.body(None))?;
    out.write_all(b"\n")?;
    out.flush()
}

pub fn verify(folder: &Path, as_json: bool) -> Result<()> {
    existing(folder)?;
    let started = Instant::now();
    let report = engine::verify(folder)?;
    let seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    if as_json {
        let engine::Report { events, frames, orders, state_hash } = report;
        println!(
            "{}",
            json!({"verified": true, "events": events, "frames": frames, "orders": orders, "state_hash": state_hash, "seconds": seconds})
        );
        return Ok(());
    }
    println!(
        "{} events in {} frames, {} orders: the hash chain holds, every event follows from what came before, the invariants hold",
        report.events, report.frames, report.orders
    );
    println!("state {} in {seconds:.1} s", report.state_hash);
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
    let started = Instant::now();
    let seq = engine::backup(folder, to).with_context(|| format!("the backup can't be made in {}", to.display()))?;
    println!("{} holds everything up to {seq}, after {:.1} s", to.display(), started.elapsed().as_secs_f64());
    println!(
        "Prove it with `quartermaster verify --data-dir {}`. It holds the keys to personal data: keep it as you keep the shop.",
        to.display()
    );
    Ok(())
}

pub fn restore(folder: &Path, from: &Path) -> Result<()> {
    existing(from)?;
    let restored = engine::restore(from, folder);
    let report = restored.with_context(|| format!("{} can't be restored into {}", from.display(), folder.display()))?;
    println!(
        "{} stands at {} with {} orders, verified. It is a new incarnation: numbers skip ahead",
        folder.display(),
        report.events,
        report.orders
    );
    Ok(())
}

pub fn openapi() -> Result<()> {
    let mut text = serde_json::to_string_pretty(&server::http::openapi())?;
    text.push('\n');
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
