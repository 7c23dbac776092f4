//! Somebody's count of stock, and the adjustments that follow from it.

use super::file_id;
use super::imported::{Before, Imported};
use super::mapping::{Kind, Mapping};
use super::plain::Plain;
use super::run::{Outcome, Pipe, Why};
use super::unit::{Found, Unit, What};
use anyhow::{Result, bail};
use domain::command::stock;
use domain::event::stock::Bucket;
use domain::id::{LocationCode, Sku};
use std::collections::BTreeMap;
use std::path::Path;

/// Units of each SKU and location, added up over the rows of a file.
pub struct Counted {
    /// Of the file: what follows from it is done once.
    pub id: String,
    pub units: BTreeMap<(Sku, LocationCode), i64>,
    /// Line and reason of rows that can't be read.
    pub rejected: Vec<(u64, String)>,
}

pub fn counted(file: &Path, mapping: &str, set: &[String]) -> Result<Counted> {
    let mapping = Mapping::read(mapping, set)?;
    if mapping.kind != Kind::Stock {
        bail!("a reconciliation needs a mapping of kind stock; this one reads {:?}", mapping.kind);
    }
    let mut counted = Counted { id: file_id(file)?, units: BTreeMap::new(), rejected: Vec::new() };
    let mut rows = Plain::open(file, &mapping, &counted.id)?;
    while let Some(found) = rows.next()? {
        match found {
            Found::Unit(Unit { what: What::Stock(level), .. }) => {
                *counted.units.entry((level.sku, level.location)).or_default() += i64::from(level.quantity);
            }
            Found::Unit(_) | Found::Left(_) => {}
            Found::Rejected(rejected) => counted.rejected.push((rejected.row.line, rejected.reason)),
        }
    }
    if counted.units.is_empty() {
        bail!("{} names no stock; its rows need a SKU, a location (or --set location=…) and a quantity", file.display());
    }
    Ok(counted)
}

/// Posts each difference as an adjustment of its own, once for each file. Returns how many were posted, and why others were not.
pub fn apply_deltas(folder: &Path, id: &str, reason: &str, deltas: Vec<(Sku, LocationCode, i64)>) -> Result<(u64, Vec<String>)> {
    let mut pipe = Pipe::open(folder)?;
    let imported = Imported::read(folder)?;
    let (mut outcomes, mut refused) = (Vec::new(), Vec::new());
    for (sku, location, delta) in deltas {
        let unit_id = format!("reconcile/{id}/{location}/{sku}");
        if imported.before(&unit_id, "") != Before::Never {
            refused.push(format!("{sku} at {location}: this file was applied before; count again, or adjust by hand"));
            continue;
        }
        let line = stock::AdjustLine { sku: sku.clone(), bucket: Bucket::OnHand, change: stock::Change::Delta(delta), if_quantity: None };
        let command = stock::AdjustStock {
            location,
            reason: reason.into(),
            reference: Some(format!("reconcile {id}").into()),
            count: None,
            occurred_at: None,
            lines: vec![line],
        };
        let what = What::Adjustment { at: domain::time::Timestamp(0), sku, delta, reason: reason.to_owned(), reference: String::new() };
        let unit = Unit { id: unit_id, digest: String::new(), rows: vec![super::table::Row::default()], follows: None, what };
        pipe.unit(unit, stock::Command::AdjustStock(command).into(), &mut outcomes)?;
    }
    pipe.settle(&mut outcomes)?;
    pipe.engine.stop();
    for outcome in outcomes {
        if let Outcome::Refused(_, why, thing) = outcome {
            let reason = match why {
                Why::Rules(rejection) => rejection.detail(),
                Why::Ours(reason) => reason,
            };
            refused.push(format!("{}: {reason}", thing.map(|(id, _)| id).unwrap_or_default()));
        }
    }
    Ok((pipe.done, refused))
}
