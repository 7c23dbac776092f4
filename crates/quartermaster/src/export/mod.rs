//! `export`: what the folder holds, as CSV for people and NDJSON for programs, row by row.

mod rows;

use crate::tools::existing;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use domain::Image;
use domain::time::Timestamp;
use engine::{EventRow, OrderFilter, Snapshot, VerifyError};
use rows::{Row, Rows};
use serde_json::{Value, json};
use server::vault::Vault;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Entities that one step reads.
const STEP: usize = 500;

#[derive(Args)]
#[command(after_help = "Examples:
  quartermaster export orders --data-dir shop --output orders.csv
  quartermaster export ledger --data-dir shop --format ndjson | jq .
  quartermaster export stock --data-dir shop --as-of 2026-11-01T00:00:00Z
  quartermaster export customers --data-dir shop --with-personal-data --output customers.csv

It reads the folder and may run beside a live server. CSV has amounts as people write them (12.50), NDJSON has minor units as the API.
The CSV of locations, items, stock, suppliers, policies and purchase-orders is what `import` reads with the mapping of that name.")]
pub struct ExportArgs {
    kind: Kind,
    /// By default csv, or ndjson when --output ends so
    #[arg(long)]
    format: Option<Format>,
    /// Where it goes; by default to the standard output
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// As it stood after this sequence of the log, or at this time
    #[arg(long, value_name = "SEQUENCE|TIME")]
    as_of: Option<String>,
    /// Open names, mail addresses, phones, addresses and notes
    #[arg(long)]
    with_personal_data: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Csv,
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Orders,
    OrderLines,
    Items,
    Locations,
    Stock,
    Ledger,
    PurchaseOrders,
    Suppliers,
    Policies,
    Customers,
    Events,
}

/// Where rows go. A reader that has gone away ends the export quietly.
enum Out {
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Ndjson(Box<dyn Write>),
}

/// Why an export stops.
#[derive(Debug)]
enum Stop {
    /// Nobody reads any more.
    Closed,
    Failed(anyhow::Error),
}

impl From<VerifyError> for Stop {
    fn from(error: VerifyError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

fn stopped(error: std::io::Error) -> Stop {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Stop::Closed,
        _ => Stop::Failed(anyhow::Error::new(error).context("the export can't be written")),
    }
}

pub fn export(folder: &Path, arguments: &ExportArgs) -> Result<()> {
    existing(folder)?;
    let named = arguments.output.as_ref().is_some_and(|path| path.extension().is_some_and(|end| end == "ndjson" || end == "jsonl"));
    let format = arguments.format.unwrap_or(if named { Format::Ndjson } else { Format::Csv });
    let as_of = arguments.as_of.as_ref().map(|text| sequence(folder, text)).transpose()?;
    let target: Box<dyn Write> = match &arguments.output {
        Some(path) => Box::new(BufWriter::new(File::create(path).with_context(|| format!("{} can't be written", path.display()))?)),
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let mut out = match format {
        Format::Csv => Out::Csv(Box::new(csv::Writer::from_writer(target))),
        Format::Ndjson => Out::Ndjson(target),
    };
    let vault = if arguments.with_personal_data { Some(Vault::open(folder)?) } else { None };
    let written = write(folder, arguments.kind, as_of, vault.as_ref(), &mut out);
    match written.and_then(|rows| out.finish().map(|()| rows)) {
        Ok(rows) => {
            if let Some(path) = &arguments.output {
                eprintln!("{} holds {rows} rows", path.display());
            }
            Ok(())
        }
        Err(Stop::Closed) => Ok(()),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// A sequence as it is, a time as the last sequence that was durable then.
pub fn sequence(folder: &Path, text: &str) -> Result<u64> {
    if let Ok(seq) = text.parse() {
        return Ok(seq);
    }
    let Ok(time) = Timestamp::parse(text) else {
        bail!("--as-of {text}: name a sequence like 4821, or a time like 2026-11-24T09:30:00Z");
    };
    let log = engine::log::sqlite::SqliteLog::open_read_only(&folder.join("log.db"))?;
    Ok(log.seq_at(time.0)?)
}

impl Out {
    fn head(&mut self, columns: &[&str]) -> Result<(), Stop> {
        match self {
            Self::Csv(writer) => writer.write_record(columns).map_err(csv_stopped),
            Self::Ndjson(_) => Ok(()),
        }
    }

    fn row(&mut self, row: Row) -> Result<(), Stop> {
        match self {
            Self::Csv(writer) => writer.write_record(row.fields).map_err(csv_stopped),
            Self::Ndjson(writer) => writeln!(writer, "{}", row.json).map_err(stopped),
        }
    }

    fn finish(&mut self) -> Result<(), Stop> {
        match self {
            Self::Csv(writer) => writer.flush().map_err(stopped),
            Self::Ndjson(writer) => writer.flush().map_err(stopped),
        }
    }
}

fn csv_stopped(error: csv::Error) -> Stop {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => stopped(error),
        other => Stop::Failed(anyhow::anyhow!("a row can't be written: {other:?}")),
    }
}

fn write(folder: &Path, kind: Kind, as_of: Option<u64>, vault: Option<&Vault>, out: &mut Out) -> Result<u64, Stop> {
    let rows = Rows { vault };
    out.head(rows.columns(kind).as_slice())?;
    let mut count = 0;
    let mut put = |out: &mut Out, row: Row| {
        count += 1;
        out.row(row)
    };
    match kind {
        Kind::Ledger => engine::ledger(folder, as_of.unwrap_or(u64::MAX), |moved| put(out, rows.movement(&moved)))?,
        Kind::Events => raw_events(folder, as_of.unwrap_or(u64::MAX), |event, incarnation| put(out, rows.event(event, incarnation)))?,
        Kind::Orders | Kind::OrderLines => {
            let snapshot = Snapshot::open(folder, as_of)?;
            each_order(&snapshot, |case| match kind {
                Kind::OrderLines => case.order.lines.iter().try_for_each(|line| put(out, rows.order_line(case, line))),
                _ => put(out, rows.order(case)),
            })?;
        }
        Kind::Items | Kind::Locations | Kind::Stock | Kind::PurchaseOrders | Kind::Suppliers | Kind::Policies | Kind::Customers => {
            let snapshot = Snapshot::open(folder, as_of)?;
            each_entity(&snapshot, image_kind(kind), |image| rows.entity(image).into_iter().try_for_each(|row| put(out, row)))?;
        }
    }
    Ok(count)
}

fn image_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Items => "item",
        Kind::Locations => "location",
        Kind::Stock => "level",
        Kind::PurchaseOrders => "purchase_order",
        Kind::Suppliers => "supplier",
        Kind::Policies => "policy",
        Kind::Customers => "customer",
        Kind::Orders | Kind::OrderLines => "case",
        Kind::Ledger | Kind::Events => "",
    }
}

/// Orders, newest first.
fn each_order(snapshot: &Snapshot, mut each: impl FnMut(&domain::order::Case) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut before = None;
    loop {
        let orders = snapshot.reader.orders(&OrderFilter::default(), before, STEP).map_err(|error| Stop::Failed(error.into()))?;
        let Some(last) = orders.last() else { return Ok(()) };
        before = Some(last.id.0);
        orders.iter().try_for_each(|row| each(&row.case))?;
    }
}

/// Entities of a kind in the order of their keys.
fn each_entity(snapshot: &Snapshot, kind: &'static str, mut each: impl FnMut(&Image) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut after = String::new();
    loop {
        let images = snapshot.reader.list(kind, &after, STEP).map_err(|error| Stop::Failed(error.into()))?;
        let Some(last) = images.last() else { return Ok(()) };
        after = last.key().to_string();
        images.iter().try_for_each(&mut each)?;
    }
}

fn raw_events(folder: &Path, up_to: u64, mut each: impl FnMut(EventRow, u64) -> Result<(), Stop>) -> Result<(), Stop> {
    use engine::log::Log;
    let failed = |error: engine::log::Error| Stop::Failed(error.into());
    let log = engine::log::sqlite::SqliteLog::open_read_only(&folder.join("log.db")).map_err(failed)?;
    let forks = log.forks().map_err(failed)?;
    let mut next = 1;
    loop {
        let rows = log.read(next, STEP).map_err(failed)?;
        let Some(last) = rows.last() else { return Ok(()) };
        next = last.last_seq + 1;
        for row in &rows {
            for event in engine::raw_events(row).map_err(failed)?.into_iter().take_while(|event| event.seq <= up_to) {
                let incarnation = engine::incarnation_of(&forks, event.seq);
                each(event, incarnation)?;
            }
        }
        if next > up_to {
            return Ok(());
        }
    }
}

/// Any entity as JSON, with what kind of object it is.
fn object(kind: &str, value: &impl serde::Serialize) -> Value {
    let mut body = serde_json::to_value(value).unwrap_or_else(|_| json!({}));
    body["object"] = json!(kind);
    body
}
