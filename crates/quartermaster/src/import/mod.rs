//! `import`: a shop's past, its stock and its open business, from any CSV that a mapping describes.

mod columns;
mod command;
mod counted;
mod fields;
mod imported;
mod kinds;
mod mapping;
mod orders;
mod place;
mod plain;
mod progress;
mod proof;
mod rejects;
mod run;
mod sale;
mod table;
mod unit;
mod values;

use anyhow::{Context, Result, bail};
use clap::Args;
use columns::Columns;
use command::Commands;
pub use counted::{Counted, apply_deltas, counted};
use domain::id::Sku;
use imported::{Before, Imported};
use mapping::{Kind, Mapping, OpeningBalance};
use orders::{Counts, Orders, Seen};
pub use place::{day_names, time_of_day};
use plain::Plain;
use progress::Progress;
use proof::{Kinds, Proof};
use rejects::Rejects;
use rustc_hash::FxHashSet;
use serde_json::json;
use server::vault::Vault;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use table::Table;
use unit::{Found, Unit, What};
pub use values::decimal;

/// Ends the process when rows were rejected and `--strict` was given.
const REJECTED: i32 = 3;

#[derive(Args)]
#[command(after_help = "Examples:
  quartermaster import --data-dir shop --mapping items items.csv
  quartermaster import --data-dir shop --mapping shopify_orders orders_export.csv
  quartermaster import --data-dir shop --mapping shopify_orders --live orders_export.csv
  quartermaster import --show-mapping stock > my_stock.toml
  quartermaster import --data-dir shop --mapping my_stock.toml --dry-run levels.csv.gz

An import can be stopped and run again: what is in is not imported twice, whenever and from whichever file it comes again.
Exit code: 0 when every row is in or rejected with a reason, 3 when rows were rejected and --strict is given, 1 when it could not be done.")]
pub struct ImportArgs {
    /// CSV, plain or gzip
    #[arg(required_unless_present = "show_mapping")]
    file: Option<PathBuf>,
    /// A mapping file, or one that is shipped: online_retail, shopify_orders, woocommerce_orders, locations, items, stock, suppliers,
    /// policies, purchase_orders
    #[arg(long, required_unless_present = "show_mapping")]
    mapping: Option<String>,
    /// Replace what the mapping says, like --set currency=EUR --set decimal=, --set time_zone=Europe/Berlin --set location=BER
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print a shipped mapping, to start your own from
    #[arg(long, value_name = "NAME")]
    show_mapping: Option<String>,
    /// Bring orders in as demand to be fulfilled now, not as history
    #[arg(long)]
    live: bool,
    /// Do it all on a copy of the shop that is thrown away: tells what each row comes to, and writes nothing but the rejects
    #[arg(long)]
    dry_run: bool,
    /// Where rejected rows go, with line number and reason; by default beside the file. They are as personal as the file
    #[arg(long, value_name = "CSV")]
    rejects: Option<PathBuf>,
    /// End with exit code 3 when a row was rejected
    #[arg(long)]
    strict: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// What an import came to.
#[derive(Default)]
struct Summary {
    rows: u64,
    accepted: u64,
    before: u64,
    /// Rows of orders that the other way of importing takes, and of purchase orders that are over.
    left: u64,
    things: u64,
    items: usize,
    opened: usize,
    proven: Option<usize>,
}

pub fn import(folder: &Path, arguments: &ImportArgs) -> Result<()> {
    if let Some(name) = &arguments.show_mapping {
        print!("{}", Mapping::shipped(name)?);
        return Ok(());
    }
    let (Some(file), Some(mapping)) = (&arguments.file, &arguments.mapping) else { bail!("name a file and a mapping; see --help") };
    let mapping = Mapping::read(mapping, &arguments.set)?;
    if arguments.live && mapping.kind != Kind::Orders {
        bail!("--live is for orders; this mapping reads {:?}", mapping.kind);
    }
    let started = Instant::now();
    let file_id = file_id(file)?;
    let table = Table::open(file, &mapping)?;
    let beside = arguments.rejects.clone().unwrap_or_else(|| beside(file));
    let mut job = Job {
        folder,
        file,
        mapping: &mapping,
        live: arguments.live,
        file_id,
        columns: Columns::of(&table, &mapping)?,
        rejects: Rejects::new(beside, &table.header, table.encoding()),
        refused: FxHashSet::default(),
        followers: Vec::new(),
        summary: Summary::default(),
    };
    let left_out = table.left_out(&mapping);
    if !left_out.is_empty() {
        eprintln!("the file has no column {}; what the mapping takes from there stays empty", left_out.join(", "));
    }
    drop(table);
    let progress = Progress::new(arguments.json);
    let survey = job.survey(&progress)?;
    // The rules alone know what they refuse: a dry run is a run on a copy.
    let copy = arguments.dry_run.then(|| copy_of(folder)).transpose()?;
    job.folder = copy.as_ref().map_or(folder, tempfile::TempDir::path);
    let run = job.run(survey, &progress);
    job.rejects.finish()?;
    run?;
    progress.finish();
    job.tell(arguments, started.elapsed().as_secs_f64())?;
    let rejected = job.rejects.rows;
    drop(copy);
    if arguments.strict && rejected > 0 {
        std::process::exit(REJECTED);
    }
    Ok(())
}

struct Job<'a> {
    folder: &'a Path,
    file: &'a Path,
    mapping: &'a Mapping,
    live: bool,
    file_id: String,
    columns: Columns,
    rejects: Rejects,
    /// Lines of rows that did not come in: their later steps don't either.
    refused: FxHashSet<u64>,
    /// Later steps of rows, which wait until all first steps are answered.
    followers: Vec<Unit>,
    summary: Summary,
}

/// What is known of a file before anything is written.
struct Survey {
    rows: u64,
    counts: Counts,
    seen: Seen,
}

/// Things of a file, one after another.
enum Things<'a> {
    Orders(Box<Orders<'a>>),
    Plain(Box<Plain<'a>>),
}

impl Things<'_> {
    fn next(&mut self) -> Result<Option<Found>> {
        match self {
            Self::Orders(orders) => orders.next(),
            Self::Plain(plain) => plain.next(),
        }
    }
}

impl Job<'_> {
    fn things<'b>(&self, mapping: &'b Mapping, counts: &'b Counts) -> Result<Things<'b>> {
        Ok(match mapping.kind {
            Kind::Orders => Things::Orders(Box::new(Orders::open(self.file, mapping, self.live, Some(counts))?)),
            Kind::Items | Kind::Locations | Kind::Stock | Kind::Suppliers | Kind::Policies | Kind::PurchaseOrders => {
                Things::Plain(Box::new(Plain::open(self.file, mapping, &self.file_id)?))
            }
        })
    }

    fn survey(&mut self, progress: &Progress) -> Result<Survey> {
        progress.say("reading the file");
        let survey = if self.mapping.kind == Kind::Orders {
            let (rows, counts, seen) = Orders::open(self.file, self.mapping, self.live, None)?.survey()?;
            Survey { rows, counts, seen }
        } else {
            let mut table = Table::open(self.file, self.mapping)?;
            let mut rows = 0;
            while table.next()?.is_some() {
                rows += 1;
            }
            Survey { rows, counts: Counts::default(), seen: Seen::new() }
        };
        self.summary.rows = survey.rows;
        Ok(survey)
    }

    fn differs(&mut self, unit: &Unit) -> Result<()> {
        for row in &unit.rows {
            self.refused.insert(row.line);
            self.rejects.add(row, "it was imported before with other content; change it in the shop instead")?;
        }
        Ok(())
    }

    fn run(&mut self, survey: Survey, progress: &Progress) -> Result<()> {
        std::fs::create_dir_all(self.folder).with_context(|| format!("{} can't be made", self.folder.display()))?;
        let mut pipe = run::Pipe::open(self.folder)?;
        let vault = Vault::open(self.folder)?;
        progress.say("reading what was imported before");
        let mut imported = Imported::read(self.folder)?;
        let location = pipe.furnish(self.mapping, self.live)?;
        if let Some(told) = location {
            eprintln!("{told}");
        }
        let kinds = pipe.kinds(&survey.seen)?;
        let deepest = self.deepest(&survey, &imported, &kinds, progress)?;
        self.summary.items = pipe.items(survey.seen)?;
        if let Some(location) = &self.mapping.location {
            self.summary.opened = pipe.opening(location, &deepest, &format!("import {}", self.file_id))?.len();
        }
        let import_id = self.file_id.clone();
        let known = pipe.known(self.mapping.kind)?;
        let mut commands = Commands { mapping: self.mapping, live: self.live, vault: &vault, known, import: &import_id };
        let mut proof = Proof::new(kinds);
        progress.begin(survey.rows);
        let mut things = self.things(self.mapping, &survey.counts)?;
        let mut outcomes = Vec::new();
        while let Some(found) = things.next()? {
            match found {
                Found::Rejected(rejected) => {
                    self.rejects.add(&rejected.row, &rejected.reason)?;
                    progress.add(1);
                }
                Found::Left(rows) => {
                    self.summary.left += rows;
                    progress.add(rows);
                }
                Found::Unit(unit) => self.unit(unit, &mut imported, &mut commands, &mut pipe, &mut proof, (progress, &mut outcomes))?,
            }
            self.account(&mut outcomes, &mut proof, progress)?;
        }
        pipe.settle(&mut outcomes)?;
        self.account(&mut outcomes, &mut proof, progress)?;
        self.follow(&mut imported, &mut commands, &mut pipe, &mut outcomes)?;
        self.account(&mut outcomes, &mut proof, progress)?;
        self.summary.things = pipe.done;
        pipe.engine.stop();
        drop(pipe);
        if self.mapping.kind == Kind::Orders && !self.live {
            progress.say("comparing the ledger with the file");
            self.summary.proven = Some(proof.check(self.folder)?);
        }
        Ok(())
    }

    fn unit(
        &mut self,
        unit: Unit,
        imported: &mut Imported,
        commands: &mut Commands,
        pipe: &mut run::Pipe,
        proof: &mut Proof,
        (progress, outcomes): (&Progress, &mut Vec<run::Outcome>),
    ) -> Result<()> {
        if unit.follows.is_some() {
            self.followers.push(unit);
            return Ok(());
        }
        match imported.before(&unit.id, &unit.digest) {
            Before::Same => {
                proof.count(&unit);
                self.summary.before += unit.rows.len() as u64;
                progress.add(unit.rows.len() as u64);
            }
            Before::Other => {
                progress.add(unit.rows.len() as u64);
                self.differs(&unit)?;
            }
            Before::Never => {
                imported.add(&unit.id, &unit.digest);
                proof.count(&unit);
                match commands.of(&unit) {
                    Ok(command) => pipe.unit(unit, command, outcomes)?,
                    Err(error) => {
                        proof.refused(&unit.id, &proof::moved(&unit));
                        outcomes.push(run::Outcome::Refused(unit.rows, run::Why::Ours(format!("{error:#}")), None));
                    }
                }
            }
        }
        Ok(())
    }

    /// Later steps of the rows that came in, now or before.
    fn follow(
        &mut self,
        imported: &mut Imported,
        commands: &mut Commands,
        pipe: &mut run::Pipe,
        outcomes: &mut Vec<run::Outcome>,
    ) -> Result<()> {
        for unit in std::mem::take(&mut self.followers) {
            let Some(line) = unit.follows.filter(|line| !self.refused.contains(line)) else { continue };
            if imported.before(&unit.id, &unit.digest) != Before::Never {
                continue;
            }
            imported.add(&unit.id, &unit.digest);
            match commands.of(&unit) {
                Ok(command) => pipe.unit(unit, command, outcomes)?,
                Err(error) => outcomes.push(run::Outcome::Half(line, run::Why::Ours(format!("{error:#}")))),
            }
        }
        pipe.settle(outcomes)
    }

    fn account(&mut self, outcomes: &mut Vec<run::Outcome>, proof: &mut Proof, progress: &Progress) -> Result<()> {
        for outcome in outcomes.drain(..) {
            match outcome {
                run::Outcome::Done(rows) => {
                    self.summary.accepted += rows;
                    progress.add(rows);
                }
                run::Outcome::Half(line, why) => eprintln!("line {line} is in, but not all that it says: {}", self.why(&why, &[])),
                run::Outcome::Refused(rows, why, unit) => {
                    let reason = self.why(&why, &rows);
                    if let Some((id, moved)) = unit {
                        proof.refused(&id, &moved);
                    }
                    for row in &rows {
                        self.refused.insert(row.line);
                        self.rejects.add(row, &reason)?;
                    }
                    progress.add(rows.len() as u64);
                }
            }
        }
        Ok(())
    }

    fn why(&self, why: &run::Why, rows: &[table::Row]) -> String {
        match why {
            run::Why::Rules(rejection) => self.columns.told(rejection, rows),
            run::Why::Ours(reason) => reason.clone(),
        }
    }

    /// The deepest that each SKU would fall below zero, over what was not imported before, in the order of the file.
    fn deepest(&self, survey: &Survey, imported: &Imported, kinds: &Kinds, progress: &Progress) -> Result<BTreeMap<Sku, i64>> {
        if self.live || self.mapping.kind != Kind::Orders || self.mapping.opening_balance == OpeningBalance::None {
            return Ok(BTreeMap::new());
        }
        progress.say("finding what each SKU opens with");
        let mut balance: BTreeMap<Sku, (i64, i64)> = BTreeMap::new();
        let mut things = self.things(self.mapping, &survey.counts)?;
        while let Some(found) = things.next()? {
            let Found::Unit(unit) = found else { continue };
            if imported.before(&unit.id, &unit.digest) != Before::Never {
                continue;
            }
            let sign = if matches!(unit.what, What::Order(_)) { -1 } else { 1 };
            for (sku, _, units) in kinds.stock(&proof::moved(&unit)) {
                let (now, deepest) = balance.entry(sku).or_default();
                *now += sign * units;
                *deepest = (*deepest).min(*now);
            }
        }
        let deficits = balance.into_iter().filter(|(_, (_, deepest))| *deepest < 0);
        Ok(deficits.map(|(sku, (_, deepest))| (sku, -deepest)).collect())
    }

    fn tell(&self, arguments: &ImportArgs, seconds: f64) -> Result<()> {
        let Summary { rows, accepted, before, left, things, items, opened, proven } = &self.summary;
        let rejected = self.rejects.rows;
        let rate = *rows as f64 / seconds.max(0.001);
        if accepted + before + left + rejected != *rows {
            bail!("{rows} rows were read, but {accepted} accepted, {before} imported before, {left} left and {rejected} rejected: tell us");
        }
        let path = self.rejects.path();
        if arguments.json {
            let summary = json!({
                "rows": rows, "accepted": accepted, "imported_before": before, "left": left, "rejected": rejected, "things": things, "items_created": items,
                "skus_opened": opened, "skus_proven": proven, "dry_run": arguments.dry_run, "reasons": self.rejects.json(),
                "rejects": (rejected > 0).then(|| path.display().to_string()), "seconds": (seconds * 10.0).round() / 10.0,
                "rows_per_second": rate.round(),
            });
            println!("{summary}");
            return Ok(());
        }
        let would = if arguments.dry_run { "would be accepted" } else { "accepted" };
        let made = if *things == *accepted { String::new() } else { format!(" (as {things} {})", self.mapping.kind.things()) };
        println!("{rows} rows: {accepted} {would}{made}, {before} imported before, {rejected} rejected");
        match (left, self.live) {
            (0, _) => {}
            (left, _) if self.mapping.kind == Kind::PurchaseOrders => {
                println!("{left} rows left: their purchase orders are over, and what they brought is in the stock");
            }
            (left, false) => println!("{left} rows left: their orders have not shipped. Import them with --live"),
            (left, true) => println!("{left} rows left: their orders have shipped. Import them without --live, as history"),
        }
        if *items > 0 || *opened > 0 {
            println!("{items} items created, {opened} SKUs given an opening balance");
        }
        if rejected > 0 {
            println!("rejected rows with line and reason: {}", path.display());
            self.rejects.told().iter().for_each(|line| println!("{line}"));
        }
        if let Some(skus) = proven {
            println!("ledger against file: {skus} SKUs, sold, returned and adjusted units are equal");
        }
        println!("{seconds:.1} s, {rate:.0} rows a second");
        Ok(())
    }
}

/// Policies of a file with the columns of the shipped mapping; every row must be one.
pub fn policies(file: &Path) -> Result<Vec<domain::purchasing::Policy>> {
    let mapping = Mapping::read("policies", &[])?;
    let mut rows = Plain::open(file, &mapping, "")?;
    let mut policies = Vec::new();
    while let Some(found) = rows.next()? {
        match found {
            Found::Unit(Unit { what: What::Policy(policy), .. }) => policies.push(*policy),
            Found::Unit(_) => {}
            Found::Left(_) => {}
            Found::Rejected(rejected) => bail!("{}, line {}: {}", file.display(), rejected.row.line, rejected.reason),
        }
    }
    Ok(policies)
}

/// Of the shop as it is, beside it; the vault's keys stay where they are kept anyway.
fn copy_of(folder: &Path) -> Result<tempfile::TempDir> {
    let beside = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix(".dry-run-").tempdir_in(beside);
    let copy = copy.with_context(|| format!("a dry run works on a copy of the shop, which can't be made in {}", beside.display()))?;
    if folder.join("log.db").exists() {
        engine::backup(folder, copy.path())?;
    }
    Ok(copy)
}

/// Short hash of a file's bytes.
fn file_id(file: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let read = std::fs::File::open(file).and_then(|mut input| std::io::copy(&mut input, &mut hasher));
    read.with_context(|| format!("{} can't be read", file.display()))?;
    Ok(hasher.finalize().to_hex()[..12].to_owned())
}

/// `orders.csv.gz` has its rejects in `orders.rejected.csv`.
fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.trim_end_matches(".gz").trim_end_matches(".csv").trim_end_matches(".txt");
    file.with_file_name(format!("{stem}.rejected.csv"))
}
