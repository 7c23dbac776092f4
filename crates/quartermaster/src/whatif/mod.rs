//! `whatif`: the demand of the log, replayed against other policies, lead times or more demand. Nothing is written.

mod changes;
mod later;
mod measure;
mod world;

use crate::export::sequence;
use crate::tools::existing;
use anyhow::{Result, bail};
use changes::Changes;
use clap::Args;
use domain::Event;
use domain::order::Origin;
use domain::time::Timestamp;
use engine::VerifyError;
use later::Later;
use measure::Measure;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use world::World;

#[derive(Args)]
#[command(after_help = "Examples:
  quartermaster whatif --data-dir shop                                   how well the model repeats what happened
  quartermaster whatif --data-dir shop --policy 'MUG@AUS reorder_point=20 order_up_to=80'
  quartermaster whatif --data-dir shop --reorder-percent 150 --demand-percent 120
  quartermaster whatif --data-dir shop --lead-time ACME=+5 --lead-time '*=+2' --json
  quartermaster whatif --data-dir shop --policies policies.csv --from 2026-10-01T00:00:00Z

It folds the log into a copy of the shop in memory, beside a live server if need be, and replays what customers asked for twice: as the shop
is, and changed. Policies and suppliers that were made later count from where it begins, in both, when others are tried. Suppliers deliver in full on the expected day, the warehouse ships after --ship-after-hours. The same input gives the same
answer.")]
pub struct WhatIfArgs {
    /// One policy: 'SKU@LOCATION reorder_point=… order_up_to=…|reorder_quantity=… moq=… multiple=… lead_time_days=… supplier=…'
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Policies as CSV, with the columns that `import --mapping policies` reads
    #[arg(long, value_name = "CSV")]
    policies: Option<PathBuf>,
    /// Reorder points and order-up-to levels of all policies, in percent of what they are
    #[arg(long, value_name = "PERCENT")]
    reorder_percent: Option<u32>,
    /// Days: SUPPLIER=10, SUPPLIER=+3 or SUPPLIER=-2; * stands for every supplier
    #[arg(long, value_name = "SUPPLIER=DAYS")]
    lead_time: Vec<String>,
    /// All demand, in percent of what it was
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    demand_percent: u32,
    /// Demand of one SKU, in percent of what it was
    #[arg(long, value_name = "SKU=PERCENT")]
    demand: Vec<String>,
    /// Where the replay begins; by default before the first live order
    #[arg(long, value_name = "SEQUENCE|TIME")]
    from: Option<String>,
    /// Let policies and suppliers that were made after the replay begins count from when they were made, not from its beginning
    #[arg(long)]
    as_made: bool,
    /// Where it ends; by default at the end of the log
    #[arg(long, value_name = "SEQUENCE|TIME")]
    to: Option<String>,
    /// Hours from the release of an order to its shipment
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(0..=720))]
    ship_after_hours: u16,
    /// SKUs in the table, those that change most first
    #[arg(long, default_value_t = 20)]
    top: usize,
    /// Print one JSON object with every SKU
    #[arg(long)]
    json: bool,
}

pub fn whatif(folder: &Path, arguments: &WhatIfArgs) -> Result<()> {
    existing(folder)?;
    let to = arguments.to.as_ref().map_or(Ok(u64::MAX), |text| sequence(folder, text))?;
    let (from, begins) = match &arguments.from {
        Some(text) => {
            let seq = sequence(folder, text)?;
            (seq, None)
        }
        None => match first_order(folder, to)? {
            Some((seq, time)) => (seq, Some(time)),
            None => {
                bail!("the log holds no live order to replay; bring orders in with --live, or trade with `quartermaster demo --data-dir …`")
            }
        },
    };
    let changes = Changes::read(arguments)?;
    let start = engine::state_at(folder, from)?;
    let ship_after_ms = i64::from(arguments.ship_after_hours) * domain::time::HOUR_MS;
    let later = if arguments.as_made || !changes.are_of_supply() {
        Later { as_made: arguments.as_made, ..Later::default() }
    } else {
        Later::read(folder, &start, (from, to))?
    };
    changes.check(&start, &later)?;
    let mut baseline = World::new(start.clone(), ship_after_ms, Changes::none(), later.clone());
    let mut changed = World::new(start.clone(), ship_after_ms, changes, later);
    let mut actual = Measure::new(&start);
    drop(start);
    let mut begun = begins.map(|time| begin(&mut baseline, &mut changed, &mut actual, time)).transpose()?.is_some();
    let mut ends = Timestamp(0);
    let replayed = engine::events(folder, to, |seq, time, _, event| -> Result<(), Broken> {
        if seq <= from {
            return Ok(());
        }
        let now = Timestamp(time);
        if !begun {
            begin(&mut baseline, &mut changed, &mut actual, now)?;
            begun = true;
        }
        ends = now;
        actual.hear(now, event);
        for world in [&mut baseline, &mut changed] {
            world.advance(now)?;
            world.outside(event)?;
        }
        Ok(())
    });
    replayed.map_err(|Broken(error)| error)?;
    if !begun {
        bail!("there is nothing in the log between --from and --to");
    }
    for world in [&mut baseline, &mut changed] {
        world.advance(ends)?;
        world.measure.end(ends);
    }
    actual.end(ends);
    let worlds = [("actual", &actual), ("baseline", &baseline.measure), ("what_if", &changed.measure)];
    if arguments.json {
        println!("{}", report(&worlds, changed.skipped));
    } else {
        table(&worlds, arguments.top, changed.skipped);
    }
    Ok(())
}

struct Broken(anyhow::Error);

impl From<VerifyError> for Broken {
    fn from(error: VerifyError) -> Self {
        Self(error.into())
    }
}

impl From<anyhow::Error> for Broken {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

fn begin(baseline: &mut World, changed: &mut World, actual: &mut Measure, now: Timestamp) -> Result<()> {
    actual.begin(now);
    for world in [baseline, changed] {
        world.measure.begin(now);
        world.begin(now)?;
    }
    Ok(())
}

/// The sequence before the first order that came in live, and its time.
fn first_order(folder: &Path, to: u64) -> Result<Option<(u64, Timestamp)>> {
    /// Ends the reading.
    enum Found {
        At(u64, Timestamp),
        Broken(VerifyError),
    }
    impl From<VerifyError> for Found {
        fn from(error: VerifyError) -> Self {
            Self::Broken(error)
        }
    }
    let read = engine::events(folder, to, |seq, time, _, event| match event {
        Event::OrderPlaced(placed) if placed.order.origin == Origin::Live => Err(Found::At(seq - 1, Timestamp(time))),
        _ => Ok(()),
    });
    match read {
        Ok(()) => Ok(None),
        Err(Found::At(seq, time)) => Ok(Some((seq, time))),
        Err(Found::Broken(error)) => Err(error.into()),
    }
}

type Worlds<'a> = [(&'static str, &'a Measure); 3];

fn report(worlds: &Worlds, skipped: u64) -> Value {
    let mut report = json!({"object": "what_if", "not_repeated": skipped});
    let mut skus = json!({});
    for (name, measure) in worlds {
        report[name] = measure.totals();
        for (sku, figures) in measure.skus() {
            skus[sku.as_str()][name] = figures.json(measure.span_ms());
        }
    }
    report["skus"] = skus;
    report
}

fn table(worlds: &Worlds, top: usize, skipped: u64) {
    let totals: Vec<Value> = worlds.iter().map(|(_, measure)| measure.totals()).collect();
    println!("{:<28}{:>14}{:>14}{:>14}", "", "actual", "baseline", "what if");
    for (name, label) in [
        ("orders", "orders"),
        ("orders_short", "orders short"),
        ("units", "units asked for"),
        ("units_at_once", "units there at once"),
        ("fill_rate_percent", "fill rate, %"),
        ("units_lost", "units lost"),
        ("average_inventory", "average inventory, units"),
        ("sku_days_out_of_stock", "SKU-days out of stock"),
        ("purchase_orders", "purchase orders"),
        ("units_bought", "units bought"),
    ] {
        println!("{label:<28}{:>14}{:>14}{:>14}", show(&totals[0][name]), show(&totals[1][name]), show(&totals[2][name]));
    }
    let [_, (_, baseline), (_, changed)] = worlds;
    let all: BTreeSet<_> = baseline.skus().map(|(sku, _)| sku).chain(changed.skus().map(|(sku, _)| sku)).collect();
    let mut rows: Vec<_> = all.into_iter().map(|sku| (baseline.of(sku), changed.of(sku), sku)).collect();
    rows.retain(|(before, after, _)| before.short() != after.short() || before.out_ms != after.out_ms);
    rows.sort_by_key(|(before, after, sku)| (std::cmp::Reverse(before.short().abs_diff(after.short())), (*sku).clone()));
    if !rows.is_empty() {
        println!("\n{:<24}{:>10}{:>18}{:>18}{:>22}", "SKU", "asked for", "short: baseline", "what if", "days out: baseline/if");
    }
    for (before, after, sku) in rows.iter().take(top) {
        let days = format!("{} / {}", measure::days(before.out_ms), measure::days(after.out_ms));
        println!("{:<24}{:>10}{:>18}{:>18}{:>22}", sku.as_str(), after.units, before.short(), after.short(), days);
    }
    if rows.len() > top {
        println!("… and {} more; --top shows them, --json all", rows.len() - top);
    }
    if skipped > 0 {
        println!("\n{skipped} things of the log could not be repeated in the changed shop, for example corrections below zero");
    }
}

fn show(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
