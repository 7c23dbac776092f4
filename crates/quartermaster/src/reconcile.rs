//! `reconcile`: somebody else's count of our stock, held against ours.

use crate::export::sequence;
use crate::import::{Counted, apply_deltas, counted};
use crate::tools::existing;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use domain::Image;
use domain::alert::{Condition, raised_by_edge};
use domain::command::alert;
use domain::id::{LocationCode, Sku};
use domain::stock::Level;
use engine::{Engine, Options, Snapshot, Submission};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Levels that one step reads.
const STEP: usize = 500;
/// Lines of the table, unless --all is given.
const SHOWN: usize = 50;
/// Ends the process when there are differences and `--strict` was given.
const DIFFERENT: i32 = 3;

#[derive(Args)]
#[command(after_help = "Examples:
  quartermaster reconcile count.csv --data-dir shop
  quartermaster reconcile 3pl.csv --data-dir shop --mapping 3pl.toml --set location=AUS --format csv > differences.csv
  quartermaster reconcile fba.csv --data-dir shop --set location=FBA --as-of 2026-11-24T06:00:00Z --propose adjustments.ndjson
  quartermaster reconcile count.csv --data-dir shop --apply --reason \"cycle count\"

The mapping is one of kind stock (see `quartermaster import --show-mapping stock`): columns for sku, location and quantity. Rows of the same
SKU and location are added up. --propose writes what POST /v1/adjustments/bulk takes. --apply posts it to the folder, --alert tells people;
stop the server first.
Exit code: 0 when it was compared, 3 when there are differences and --strict is given, 1 when it could not be done.")]
pub struct ReconcileArgs {
    /// CSV, plain or gzip
    file: PathBuf,
    /// A mapping of kind stock: a file, or the shipped one
    #[arg(long, default_value = "stock")]
    mapping: String,
    /// Replace what the mapping says, like --set location=AUS
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Which of our figures they counted
    #[arg(long, value_enum, default_value = "on-hand")]
    figure: Figure,
    /// How ours stood when they counted: a sequence or a time; by default now
    #[arg(long, value_name = "SEQUENCE|TIME")]
    as_of: Option<String>,
    /// What the file does not name counts as none, at the locations that it names
    #[arg(long)]
    missing_is_zero: bool,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Every line of the table, also where both agree
    #[arg(long)]
    all: bool,
    /// Write the adjustments that would bring ours to theirs, as NDJSON; - stands for the standard output
    #[arg(long, value_name = "FILE")]
    propose: Option<PathBuf>,
    /// Post these adjustments now
    #[arg(long)]
    apply: bool,
    /// Raise one alert for each location that differs, and clear it where both agree
    #[arg(long)]
    alert: bool,
    /// Reason code of the adjustments
    #[arg(long, default_value = "reconciliation")]
    reason: String,
    /// End with exit code 3 when there are differences
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figure {
    /// Physically there
    OnHand,
    /// There and not damaged, in quality control or quarantine
    Sellable,
    /// Free to be sold: on hand less what is allocated, held, unavailable or safety stock
    Available,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// One SKU at one location.
struct Line {
    sku: Sku,
    location: LocationCode,
    ours: Option<i64>,
    theirs: Option<i64>,
}

impl Line {
    /// What ours would change by; `None` where somebody does not know it.
    fn difference(&self) -> Option<i64> {
        Some(self.theirs? - self.ours?)
    }

    fn verdict(&self) -> &'static str {
        match (self.ours, self.theirs) {
            (None, _) => "unknown here",
            (_, None) => "not in the file",
            (Some(ours), Some(theirs)) if ours == theirs => "equal",
            (Some(ours), Some(theirs)) if theirs > ours => "more there",
            (Some(_), Some(_)) => "fewer there",
        }
    }
}

pub fn reconcile(folder: &Path, arguments: &ReconcileArgs) -> Result<()> {
    existing(folder)?;
    let theirs = counted(&arguments.file, &arguments.mapping, &arguments.set)?;
    let as_of = arguments.as_of.as_ref().map(|text| sequence(folder, text)).transpose()?;
    let lines = compare(&Snapshot::open(folder, as_of)?, &theirs, arguments)?;
    let different: Vec<&Line> = lines.iter().filter(|line| line.difference().is_some_and(|units| units != 0)).collect();
    let proposals: Vec<Value> = different.iter().map(|line| proposal(line, arguments, &theirs.id, as_of.is_none())).collect();
    let to_stdout = arguments.propose.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if !to_stdout {
        show(&lines, &theirs, arguments);
    }
    if let Some(path) = &arguments.propose {
        let mut out: Box<dyn Write> = if to_stdout {
            Box::new(std::io::stdout().lock())
        } else {
            Box::new(std::fs::File::create(path).with_context(|| format!("{} can't be written", path.display()))?)
        };
        for body in &proposals {
            writeln!(out, "{body}").with_context(|| format!("{} can't be written", path.display()))?;
        }
        if !to_stdout {
            eprintln!("{} adjustments are proposed in {}; POST them to /v1/adjustments/bulk", proposals.len(), path.display());
        }
    }
    if arguments.apply {
        let deltas = different.iter().map(|line| (line.sku.clone(), line.location.clone(), line.difference().unwrap_or(0)));
        let (posted, refused) = apply_deltas(folder, &theirs.id, &arguments.reason, deltas.collect())?;
        eprintln!("{posted} adjustments posted with reason \"{}\"", arguments.reason);
        if !refused.is_empty() {
            bail!("{} were refused:\n{}", refused.len(), refused.join("\n"));
        }
    }
    if arguments.alert {
        tell(folder, &lines, if arguments.apply { &[] } else { &different })?;
    }
    if arguments.strict && !arguments.apply && !different.is_empty() {
        std::process::exit(DIFFERENT);
    }
    Ok(())
}

/// One alert for a location, however many of its levels differ; none where all agree.
fn tell(folder: &Path, lines: &[Line], different: &[&Line]) -> Result<()> {
    let engine = Engine::open(Options::new(folder)).context("alerts can't be raised")?;
    let locations: BTreeSet<&LocationCode> = lines.iter().map(|line| &line.location).collect();
    let mut raised = 0;
    for location in locations {
        let here: Vec<&&Line> = different.iter().filter(|line| line.location == *location).collect();
        let condition = Condition::DriftFound { subject: format!("stock@{location}").into() };
        let command = match here.first() {
            None => alert::Command::ClearAlert { condition },
            Some(first) => {
                raised += 1;
                let units =
                    |sign: i64| here.iter().filter_map(|line| line.difference()).filter(|units| units.signum() == sign).sum::<i64>();
                let numbers =
                    [("levels", i64::try_from(here.len()).unwrap_or(i64::MAX)), ("units_more", units(1)), ("units_fewer", -units(-1))];
                let (ours, theirs) = (first.ours.unwrap_or_default(), first.theirs.unwrap_or_default());
                let note = format!("{} has {ours} here and {theirs} there; reconcile shows all. Count again, or adjust", first.sku);
                let numbers = numbers.map(|(name, number)| (name.into(), number)).into();
                alert::Command::RaiseAlert { condition, numbers, note: Some(note.into()) }
            }
        };
        let submission = Submission { command: command.into(), actor: "reconcile".into(), idempotency: None, token: 0 };
        if engine.submit_waiting(submission).is_err() {
            bail!("alerts can't be raised: {}", engine.failure().unwrap_or_default());
        }
    }
    let ours = |condition: &Condition| matches!(condition, Condition::DriftFound { subject } if subject.starts_with("stock@"));
    let stands = engine.query(move |state| raised_by_edge(state).iter().filter(|condition| ours(condition)).count());
    engine.stop();
    if stands.is_none_or(|stands| stands < raised) {
        bail!("alerts can't be raised: {}", engine.failure().unwrap_or_else(|| "the shop refused them".to_owned()));
    }
    eprintln!("alerts stand for {raised} locations that differ");
    Ok(())
}

fn compare(snapshot: &Snapshot, theirs: &Counted, arguments: &ReconcileArgs) -> Result<Vec<Line>> {
    let locations: BTreeSet<&LocationCode> = theirs.units.keys().map(|(_, location)| location).collect();
    let mut lines: BTreeMap<(Sku, LocationCode), Line> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let images = snapshot.reader.list("level", &after, STEP)?;
        let Some(last) = images.last() else { break };
        after = last.key().to_string();
        for image in &images {
            let Image::Level(key, Some(level)) = image else { continue };
            if locations.contains(&key.1) {
                let ours = Some(figure(level, arguments.figure));
                let theirs = theirs.units.get(key).copied().or(arguments.missing_is_zero.then_some(0));
                lines.insert(key.clone(), Line { sku: key.0.clone(), location: key.1.clone(), ours, theirs });
            }
        }
    }
    for (key, units) in theirs.units.iter().filter(|(key, _)| !lines.contains_key(key)).collect::<Vec<_>>() {
        // An item without a level has none on hand; one that the shop does not have is unknown.
        let known = snapshot.reader.entity("item", key.0.as_str())?.is_some();
        let line = Line { sku: key.0.clone(), location: key.1.clone(), ours: known.then_some(0), theirs: Some(*units) };
        lines.insert(key.clone(), line);
    }
    Ok(lines.into_values().collect())
}

fn figure(level: &Level, figure: Figure) -> i64 {
    match figure {
        Figure::OnHand => level.on_hand.signed(),
        Figure::Sellable => level.on_hand.signed() - level.unavailable.total().signed(),
        Figure::Available => level.available().signed(),
    }
}

fn proposal(line: &Line, arguments: &ReconcileArgs, id: &str, now: bool) -> Value {
    let mut adjusted = json!({"sku": line.sku, "bucket": "on_hand", "delta": line.difference()});
    if now && arguments.figure == Figure::OnHand {
        // Posted later, when something has moved, it is refused rather than wrong.
        adjusted["if_quantity"] = json!(line.ours);
    }
    json!({
        "location": line.location, "reason": arguments.reason, "reference": format!("reconcile {id}"), "lines": [adjusted],
        "idempotency_key": format!("reconcile/{id}/{}/{}", line.location, line.sku),
    })
}

fn show(lines: &[Line], theirs: &Counted, arguments: &ReconcileArgs) {
    let count = |verdict: &str| lines.iter().filter(|line| line.verdict() == verdict).count();
    let units = |sign: i64| lines.iter().filter_map(Line::difference).filter(|units| units.signum() == sign).sum::<i64>();
    let shown: Vec<&Line> = lines.iter().filter(|line| arguments.all || line.verdict() != "equal").collect();
    match arguments.format {
        Format::Json => {
            let row = |line: &&Line| {
                json!({
                    "sku": line.sku, "location": line.location, "ours": line.ours, "theirs": line.theirs, "difference": line.difference(),
                    "verdict": line.verdict().replace(' ', "_"),
                })
            };
            let rejected = theirs.rejected.iter().map(|(line, reason)| json!({"line": line, "reason": reason}));
            let report = json!({
                "object": "reconciliation", "equal": count("equal"), "more_there": count("more there"), "fewer_there": count("fewer there"),
                "unknown_here": count("unknown here"), "not_in_the_file": count("not in the file"), "units_more": units(1), "units_fewer": -units(-1),
                "lines": shown.iter().map(row).collect::<Vec<_>>(), "rejected": rejected.collect::<Vec<_>>(),
            });
            println!("{report}");
        }
        Format::Csv => {
            let mut out = csv::Writer::from_writer(std::io::stdout().lock());
            // A reader that has gone away needs no more.
            let _ = out.write_record(["sku", "location", "ours", "theirs", "difference", "verdict"]);
            for line in &shown {
                let text = |units: Option<i64>| units.map(|units| units.to_string()).unwrap_or_default();
                let fields = [text(line.ours), text(line.theirs), text(line.difference())];
                let [ours, theirs, difference] = &fields;
                let _ = out.write_record([line.sku.as_str(), line.location.as_str(), ours, theirs, difference, line.verdict()]);
            }
            let _ = out.flush();
        }
        Format::Table => {
            let text = |units: Option<i64>| units.map_or_else(|| "–".to_owned(), |units| units.to_string());
            if !shown.is_empty() {
                println!("{:<24}{:<12}{:>12}{:>12}{:>12}  ", "SKU", "location", "ours", "theirs", "difference");
            }
            for line in shown.iter().take(if arguments.all { usize::MAX } else { SHOWN }) {
                let difference = line.difference().map_or_else(|| "–".to_owned(), |units| format!("{units:+}"));
                println!(
                    "{:<24}{:<12}{:>12}{:>12}{difference:>12}  {}",
                    line.sku.as_str(),
                    line.location.as_str(),
                    text(line.ours),
                    text(line.theirs),
                    line.verdict()
                );
            }
            if !arguments.all && shown.len() > SHOWN {
                println!("… and {} more; --all shows them", shown.len() - SHOWN);
            }
            println!(
                "{} equal, {} more there (+{} units), {} fewer there ({} units), {} unknown here, {} not in the file",
                count("equal"),
                count("more there"),
                units(1),
                count("fewer there"),
                units(-1),
                count("unknown here"),
                count("not in the file")
            );
        }
    }
    if arguments.format != Format::Json {
        for (line, reason) in theirs.rejected.iter().take(SHOWN) {
            eprintln!("line {line} was left out: {reason}");
        }
    }
}
