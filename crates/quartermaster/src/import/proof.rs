//! For each SKU and class of row, the ledger's quantity is the file's: both are summed, and compared.

use super::imported::{Imported, hash};
use super::unit::{Unit, What};
use anyhow::{Result, bail};
use domain::Event;
use domain::id::Sku;
use domain::stock::{MovementKind, movements};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::path::Path;

/// Units of each SKU: sold, returned, adjusted.
pub type Classes = BTreeMap<Sku, [i64; 3]>;

/// SKUs that move no stock, and those that move that of their components.
#[derive(Default, Clone)]
pub struct Kinds {
    pub services: FxHashSet<Sku>,
    pub kits: FxHashMap<Sku, Vec<(Sku, i64)>>,
}

impl Kinds {
    /// Units of stock behind units of the file.
    pub fn stock(&self, moved: &Moved) -> Moved {
        let mut stock = Moved::new();
        for (sku, class, units) in moved {
            match self.kits.get(sku) {
                Some(parts) => stock.extend(parts.iter().map(|(part, per_unit)| (part.clone(), *class, units * per_unit))),
                None if self.services.contains(sku) => {}
                None => stock.push((sku.clone(), *class, *units)),
            }
        }
        stock
    }
}

/// SKU, class and units.
pub type Moved = Vec<(Sku, usize, i64)>;

pub struct Proof {
    file: Classes,
    ids: FxHashSet<u128>,
    kinds: Kinds,
}

impl Proof {
    pub fn new(kinds: Kinds) -> Self {
        Self { file: Classes::new(), ids: FxHashSet::default(), kinds }
    }

    /// Counts a unit of the file that is in the log, or will be.
    pub fn count(&mut self, unit: &Unit) {
        self.ids.insert(hash(&unit.id));
        for (sku, class, units) in self.kinds.stock(&moved(unit)) {
            self.file.entry(sku).or_default()[class] += units;
        }
    }

    /// Takes a unit back that was refused.
    pub fn refused(&mut self, id: &str, moved: &Moved) {
        self.ids.remove(&hash(id));
        for (sku, class, units) in self.kinds.stock(moved) {
            if let Some(sums) = self.file.get_mut(&sku) {
                sums[class] -= units;
            }
        }
    }

    /// Sums what the log says of the same units. Returns how many SKUs there are.
    pub fn check(&self, folder: &Path) -> Result<usize> {
        let mut ledger = Classes::new();
        engine::keyed(folder, super::run::ACTOR, |keyed| {
            if Imported::id(&keyed).is_some_and(|id| self.ids.contains(&hash(id))) {
                for recorded in keyed.events()? {
                    add(&mut ledger, &recorded.event);
                }
            }
            Ok(())
        })?;
        let none = [0; 3];
        let mut differing = Vec::new();
        for sku in self.file.keys().chain(ledger.keys()) {
            let (file, ledger) = (self.file.get(sku).unwrap_or(&none), ledger.get(sku).unwrap_or(&none));
            if file != ledger {
                differing.push(format!("{sku}: the file has {file:?} (sold, returned, adjusted), the ledger {ledger:?}"));
            }
        }
        if !differing.is_empty() {
            differing.dedup();
            let shown = differing.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
            bail!("the ledger differs from the file for {} SKUs:\n{shown}\nRun `quartermaster verify` and tell us", differing.len());
        }
        Ok(self.file.values().filter(|sums| **sums != none).count())
    }
}

/// What a unit of the file moves.
pub fn moved(unit: &Unit) -> Moved {
    match &unit.what {
        What::Order(sale) => sale.lines.iter().map(|line| (line.sku.clone(), 0, i64::from(line.quantity))).collect(),
        What::Return { lines, .. } => lines.iter().map(|(sku, units)| (sku.clone(), 1, i64::from(*units))).collect(),
        What::Adjustment { sku, delta, .. } => vec![(sku.clone(), 2, *delta)],
        What::Item(..)
        | What::Retired(_)
        | What::Location(..)
        | What::Stock(_)
        | What::Safety(_)
        | What::Supplier(..)
        | What::Policy(_)
        | What::PurchaseOrder(_) => Vec::new(),
    }
}

fn add(ledger: &mut Classes, event: &Event) {
    for movement in movements(event) {
        let (class, sign) = match movement.kind {
            MovementKind::Shipped => (0, -1),
            MovementKind::Returned => (1, 1),
            MovementKind::Adjusted => (2, 1),
            _ => continue,
        };
        ledger.entry(movement.sku).or_default()[class] += sign * movement.quantity;
    }
}
