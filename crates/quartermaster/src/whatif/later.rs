//! Suppliers and policies that the shop has in the end, but did not have when the replay begins.

use anyhow::Result;
use domain::id::{LocationCode, Sku, SupplierCode};
use domain::purchasing::{Policy, Source, Supplier};
use domain::{Event, State};
use engine::VerifyError;
use std::collections::BTreeMap;
use std::path::Path;

/// Each as it was made: what changes it later in the log, does so in the replay.
#[derive(Default, Clone)]
pub struct Later {
    pub suppliers: BTreeMap<SupplierCode, Supplier>,
    pub policies: BTreeMap<(Sku, LocationCode), Policy>,
    /// The user wants none of them before their time.
    pub as_made: bool,
}

impl Later {
    /// What stands in the log after `from`, up to `to`, and not in the state at `from`.
    pub fn read(folder: &Path, start: &State, (from, to): (u64, u64)) -> Result<Self> {
        let mut later = Self::default();
        let read = engine::events(folder, to, |seq, _, _, event| -> Result<(), VerifyError> {
            match event {
                _ if seq <= from => {}
                Event::SupplierCreated(event) => drop(later.suppliers.insert(event.supplier.code.clone(), event.supplier.clone())),
                Event::PolicySet(event) => {
                    let key = (event.policy.sku.clone(), event.policy.location.clone());
                    if !start.purchasing.policies.contains(&key) {
                        later.policies.entry(key).or_insert_with(|| event.policy.clone());
                    }
                }
                Event::PolicyDeleted(event) => drop(later.policies.remove(&(event.sku.clone(), event.location.clone()))),
                _ => {}
            }
            Ok(())
        });
        read?;
        Ok(later)
    }

    /// What to do about something that is not there.
    pub fn remedy(&self) -> &'static str {
        if self.as_made {
            "Without --as-made, what was made later counts from the beginning; or begin later with --from"
        } else {
            "Check the spelling, or make it in the shop first"
        }
    }

    /// Those policies whose item and places are there when the replay begins. The others come when the log makes them.
    pub fn possible(&self, state: &State) -> Vec<Policy> {
        let places = &state.catalog.locations;
        let from = |policy: &Policy| match &policy.source {
            Source::Supplier(_) => true,
            Source::SourceLocation(from) => places.contains(from),
        };
        let there = |policy: &&Policy| state.catalog.items.contains(&policy.sku) && places.contains(&policy.location) && from(policy);
        self.policies.values().filter(there).cloned().collect()
    }
}
