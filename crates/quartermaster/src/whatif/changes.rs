//! What is changed before the demand is replayed.

use super::WhatIfArgs;
use super::later::Later;
use crate::import;
use anyhow::{Context, Result, bail};
use domain::State;
use domain::id::{LocationCode, Sku, SupplierCode};
use domain::purchasing::{OrderAmount, Policy, Source, Supplier};
use domain::quantity::Quantity;
use std::collections::{BTreeMap, BTreeSet};

/// Settings of one policy, each as it was given.
type Settings = BTreeMap<String, String>;

/// Suppliers that a message names.
const SUPPLIERS_SHOWN: usize = 20;

#[derive(Default)]
pub struct Changes {
    policies: BTreeMap<(Sku, LocationCode), Policy>,
    settings: BTreeMap<(Sku, LocationCode), Settings>,
    reorder_percent: Option<u32>,
    lead_times: Vec<(String, LeadTime)>,
    demand_percent: u32,
    demand: BTreeMap<Sku, u32>,
    /// Hundredths of a unit that scaling has left over, so that sums are right though lines are whole.
    carried: BTreeMap<Sku, u64>,
}

#[derive(Clone, Copy)]
enum LeadTime {
    Days(u16),
    By(i32),
}

impl Changes {
    pub fn none() -> Self {
        Self { demand_percent: 100, ..Self::default() }
    }

    pub fn read(arguments: &WhatIfArgs) -> Result<Self> {
        let mut changes = Self { reorder_percent: arguments.reorder_percent, demand_percent: arguments.demand_percent, ..Self::default() };
        if let Some(file) = &arguments.policies {
            let policies = import::policies(file)?;
            changes.policies.extend(policies.into_iter().map(|policy| ((policy.sku.clone(), policy.location.clone()), policy)));
        }
        for text in &arguments.policy {
            let (key, settings) = policy(text).with_context(|| {
                format!("--policy '{text}': write it like 'MUG@AUS reorder_point=20 order_up_to=80 lead_time_days=3 supplier=ACME'")
            })?;
            changes.settings.insert(key, settings);
        }
        for text in &arguments.lead_time {
            changes
                .lead_times
                .push(lead_time(text).with_context(|| format!("--lead-time {text}: write it like ACME=10, ACME=+3 or '*=-1'"))?);
        }
        for text in &arguments.demand {
            let (sku, percent) = text.rsplit_once('=').with_context(|| format!("--demand {text}: write it like MUG=150"))?;
            let percent = percent.parse().with_context(|| format!("--demand {text}: the percentage is no number"))?;
            changes.demand.insert(Sku::new(sku)?, percent);
        }
        Ok(changes)
    }

    /// Something about policies or suppliers is tried, and not only other demand.
    pub fn are_of_supply(&self) -> bool {
        !self.policies.is_empty() || !self.settings.is_empty() || !self.lead_times.is_empty() || self.reorder_percent.is_some()
    }

    /// Lead times are those of suppliers that there are.
    pub fn check(&self, start: &State, later: &Later) -> Result<()> {
        let known: BTreeSet<SupplierCode> =
            start.purchasing.suppliers.sorted_keys().into_iter().chain(later.suppliers.keys().cloned()).collect();
        for (code, _) in self.lead_times.iter().filter(|(code, _)| code != "*") {
            if !known.iter().any(|supplier| supplier.as_str() == code) {
                let names: Vec<&str> = known.iter().take(SUPPLIERS_SHOWN).map(SupplierCode::as_str).collect();
                let there = if names.is_empty() { "it has none".to_owned() } else { format!("there are {}", names.join(", ")) };
                bail!("--lead-time {code}=…: the shop has no supplier {code} when the replay begins; {there}. {}", later.remedy());
            }
        }
        Ok(())
    }

    /// Policies as they shall be at the start: those that are there, changed, and those that are new.
    pub fn policies(&self, there: Vec<Policy>, any_supplier: Option<&SupplierCode>, later: &Later) -> Result<Vec<Policy>> {
        let mut policies: BTreeMap<_, _> =
            there.into_iter().map(|policy| ((policy.sku.clone(), policy.location.clone()), policy)).collect();
        policies.extend(self.policies.iter().map(|(key, policy)| (key.clone(), policy.clone())));
        // What only the log can make, for want of its item or place, is changed when it is made.
        let made_later = |key: &&(Sku, LocationCode)| later.policies.contains_key(key);
        let fresh_keys = self.settings.keys().filter(|key| !policies.contains_key(key) && !made_later(key));
        for key in fresh_keys.cloned().collect::<Vec<_>>() {
            let named = self.settings[&key].get("supplier").map(SupplierCode::new).transpose()?;
            let supplier = named.or_else(|| any_supplier.cloned());
            let supplier = supplier.with_context(|| {
                let named = format!("{}@{}", key.0, key.1);
                let remedy = later.remedy();
                format!("{named} has no policy when the replay begins. Say where it is bought, like '{named} supplier=ACME …'. {remedy}")
            })?;
            policies.insert(key.clone(), fresh(key, supplier));
        }
        policies.into_iter().map(|(key, policy)| self.changed(&key, policy)).collect()
    }

    /// One policy, changed: that of the file stands for whatever the log sets.
    pub fn changed(&self, key: &(Sku, LocationCode), policy: Policy) -> Result<Policy> {
        let mut policy = self.policies.get(key).cloned().unwrap_or(policy);
        if let Some(percent) = self.reorder_percent {
            let scale =
                |units: Quantity| Quantity::new(u32::try_from(u64::from(units.get()) * u64::from(percent) / 100).unwrap_or(u32::MAX));
            policy.reorder_point = scale(policy.reorder_point);
            if let OrderAmount::OrderUpTo(level) = policy.amount {
                policy.amount = OrderAmount::OrderUpTo(scale(level).max(policy.reorder_point + Quantity::ONE));
            }
        }
        for (name, text) in self.settings.get(key).into_iter().flatten() {
            set(&mut policy, name, text).with_context(|| format!("--policy {}@{}: {name}={text}", key.0, key.1))?;
        }
        Ok(policy)
    }

    /// A supplier with its changed lead time; `None` when it stays as it is.
    pub fn supplier(&self, supplier: &Supplier) -> Option<Supplier> {
        let named = self.lead_times.iter().rev().find(|(code, _)| code == supplier.code.as_str());
        let (_, change) = named.or_else(|| self.lead_times.iter().rev().find(|(code, _)| code == "*"))?;
        let lead_time_days = match change {
            LeadTime::Days(days) => *days,
            LeadTime::By(days) => u16::try_from((i32::from(supplier.lead_time_days) + days).max(0)).unwrap_or(u16::MAX),
        };
        Some(Supplier { lead_time_days, ..supplier.clone() })
    }

    /// Units that a line asks for instead; over many lines the sum is right.
    pub fn units(&mut self, sku: &Sku, units: Quantity) -> Quantity {
        let percent = self.demand.get(sku).copied().unwrap_or(self.demand_percent);
        if percent == 100 {
            return units;
        }
        let carried = self.carried.entry(sku.clone()).or_insert(50);
        let hundredths = u64::from(units.get()) * u64::from(percent) + *carried;
        *carried = hundredths % 100;
        Quantity::new(u32::try_from(hundredths / 100).unwrap_or(u32::MAX).min(domain::limits::QUANTITY_MAX))
    }
}

fn policy(text: &str) -> Result<((Sku, LocationCode), Settings)> {
    let mut words = text.split_whitespace();
    let (sku, location) = words.next().and_then(|key| key.rsplit_once('@')).context("it names no SKU@LOCATION")?;
    let settings =
        words.map(|word| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).context("a setting is name=value"));
    let settings = settings.collect::<Result<Settings>>()?;
    if settings.is_empty() {
        bail!("it changes nothing");
    }
    Ok(((Sku::new(sku)?, LocationCode::new(location)?), settings))
}

fn lead_time(text: &str) -> Result<(String, LeadTime)> {
    let (code, days) = text.rsplit_once('=').context("it has no =")?;
    let relative = days.starts_with('+') || days.starts_with('-');
    Ok((code.to_owned(), if relative { LeadTime::By(days.parse()?) } else { LeadTime::Days(days.parse()?) }))
}

fn fresh((sku, location): (Sku, LocationCode), supplier: SupplierCode) -> Policy {
    Policy {
        sku,
        location,
        source: Source::Supplier(supplier),
        auto: None,
        reorder_point: Quantity::ZERO,
        amount: OrderAmount::OrderUpTo(Quantity::ONE),
        moq: Quantity::ONE,
        multiple: Quantity::ONE,
        lead_time_days: None,
        unit_cost: domain::money::Amount::ZERO,
        active: true,
        version: 0,
    }
}

fn set(policy: &mut Policy, name: &str, text: &str) -> Result<()> {
    let units = || -> Result<Quantity> { Ok(Quantity::new(text.parse()?)) };
    match name {
        "reorder_point" => policy.reorder_point = units()?,
        "order_up_to" => policy.amount = OrderAmount::OrderUpTo(units()?),
        "reorder_quantity" => policy.amount = OrderAmount::ReorderQuantity(units()?),
        "moq" => policy.moq = units()?,
        "multiple" => policy.multiple = units()?,
        "lead_time_days" => policy.lead_time_days = Some(text.parse()?),
        "supplier" => (policy.source, policy.auto) = (Source::Supplier(SupplierCode::new(text)?), None),
        _ => bail!("there are reorder_point, order_up_to, reorder_quantity, moq, multiple, lead_time_days and supplier"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_demand_adds_up() {
        let mut changes = Changes { demand_percent: 150, ..Changes::default() };
        let sku = Sku::new("A").unwrap();
        let sum: u32 = (0..1000).map(|_| changes.units(&sku, Quantity::ONE).get()).sum();
        assert_eq!(sum, 1500);
    }

    #[test]
    fn settings_are_read() {
        let ((sku, _), settings) = policy("AB@X reorder_point=3 moq=2").unwrap();
        assert_eq!((sku.as_str(), settings["moq"].as_str()), ("AB", "2"));
        assert!(policy("AB reorder_point=3").is_err() && policy("AB@X").is_err());
        assert!(matches!(lead_time("*=+3").unwrap().1, LeadTime::By(3)) && matches!(lead_time("A=3").unwrap().1, LeadTime::Days(3)));
    }
}
