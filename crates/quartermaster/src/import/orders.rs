//! What each row of an order export is: part of an order, a return, an adjustment, or something for a person to look at.

use super::columns::Columns;
use super::mapping::{Mapping, When};
use super::sale::{self, HEAD};
use super::table::{Place, Row, Table};
use super::unit::{Found, Rejected, SaleLine, Unit, What, digest};
use super::values::Values;
use anyhow::{Context, Result};
use domain::id::Sku;
use domain::money::Currency;
use domain::time::Timestamp;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::path::Path;

/// Rows of each order by its hashed name, so that an order is complete when its last row was read, wherever that stands.
pub type Counts = FxHashMap<u128, u32>;

pub struct Orders<'a> {
    mapping: &'a Mapping,
    /// Orders come in to be fulfilled, not as history.
    live: bool,
    table: Table,
    values: Values,
    columns: Columns,
    row: Places,
    head: Vec<Place>,
    conditions: Vec<(Verdict, &'a When, usize)>,
    counts: Option<&'a Counts>,
    groups: FxHashMap<u128, Group>,
    ready: VecDeque<Found>,
}

struct Places {
    order: Place,
    sku: Place,
    name: Place,
    quantity: Place,
    time: Place,
    price: Place,
}

/// What a condition of the mapping means for the order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Canceled,
    Open,
    Partial,
    Paid,
}

/// Rows of one order so far.
pub struct Group {
    pub name: String,
    pub returned: bool,
    pub at: Option<Timestamp>,
    pub head: Vec<String>,
    pub verdicts: Vec<String>,
    pub currency: Option<Currency>,
    pub lines: Vec<SaleLine>,
    rows: Vec<Row>,
    /// Line and reason of the first row that could not be read.
    refused: Option<(u64, String)>,
    left: u32,
    /// Adjustments of each SKU so far, to tell them apart.
    adjusted: FxHashMap<Sku, u32>,
}

/// What a row is, before its order is complete.
enum Class {
    Line { sku: Sku, name: String, service: bool },
    Adjustment { sku: Sku, name: String, delta: i64 },
}

/// What is known of the items of a file.
pub type Seen = std::collections::BTreeMap<Sku, (String, bool)>;

impl<'a> Orders<'a> {
    pub fn open(path: &Path, mapping: &'a Mapping, live: bool, counts: Option<&'a Counts>) -> Result<Self> {
        let table = Table::open(path, mapping)?;
        let columns = Columns::of(&table, mapping)?;
        let find = |field: &str| table.find(mapping, field);
        let row = Places {
            order: find("order")?,
            sku: find("sku")?,
            name: find("name")?,
            quantity: find("quantity")?,
            time: find("time")?,
            price: find("price")?,
        };
        let head = HEAD.iter().map(|field| find(field)).collect::<Result<_>>()?;
        let rules = &mapping.rows;
        let named = [
            (Verdict::Canceled, &rules.canceled),
            (Verdict::Open, &rules.open),
            (Verdict::Partial, &rules.partial),
            (Verdict::Paid, &rules.paid),
        ];
        let mut conditions = Vec::new();
        for (verdict, when) in named {
            if let Some(when) = when {
                conditions.push((verdict, when, table.at(&when.column)?));
            }
        }
        let (groups, ready) = (FxHashMap::default(), VecDeque::new());
        Ok(Self { mapping, live, values: Values::new(mapping)?, columns, table, row, head, conditions, counts, groups, ready })
    }

    /// Reads the file once for what has to be known before: how many rows each order has, and what the items are.
    pub fn survey(mut self) -> Result<(u64, Counts, Seen)> {
        let (mut rows, mut counts, mut seen) = (0, Counts::default(), Seen::new());
        while let Some(row) = self.table.next()? {
            rows += 1;
            let (row, readable) = match row {
                Ok(row) => (row, true),
                Err(unreadable) => (unreadable.row, false),
            };
            *counts.entry(hash(&self.order_of(&row))).or_default() += 1;
            let (sku, name, service) = match self.class(&row).ok().filter(|_| readable) {
                Some((_, Class::Line { sku, name, service })) => (sku, name, service),
                Some((_, Class::Adjustment { sku, .. })) => (sku, String::new(), false),
                None => continue,
            };
            let item = seen.entry(sku).or_insert_with(|| (String::new(), service));
            if item.0.is_empty() && name.len() <= domain::limits::TEXT_BYTES_MAX {
                item.0 = name;
            }
        }
        Ok((rows, counts, seen))
    }

    /// The next order, return, adjustment or rejected row.
    pub fn next(&mut self) -> Result<Option<Found>> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Ok(Some(found));
            }
            match self.table.next()? {
                Some(row) => self.take(row.map_err(|unreadable| (unreadable.row, unreadable.reason))),
                None => return self.end(),
            }
        }
    }

    /// Every order has all its rows by now, unless the file changed between two readings.
    fn end(&mut self) -> Result<Option<Found>> {
        let Some(key) = self.groups.keys().next().copied() else { return Ok(None) };
        let group = self.groups.remove(&key).context("the key was just seen")?;
        self.finish(group);
        Ok(self.ready.pop_front())
    }

    fn customer(&self) -> Option<&Place> {
        HEAD.iter().position(|field| *field == "customer").map(|at| &self.head[at])
    }

    fn order_of(&self, row: &Row) -> String {
        self.row.order.text(row, self.table.encoding()).into_owned()
    }

    fn take(&mut self, row: Result<Row, (Row, String)>) {
        let (row, unreadable) = match row {
            Ok(row) => (row, None),
            Err((row, reason)) => (row, Some(reason)),
        };
        let name = self.order_of(&row);
        if name.is_empty() {
            let reason = unreadable.unwrap_or_else(|| "it names no order".to_owned());
            return self.ready.push_back(Found::Rejected(Rejected { row, reason }));
        }
        let key = hash(&name);
        let mut group = self.groups.remove(&key).unwrap_or_else(|| self.begin(name, key));
        let outcome = match unreadable {
            Some(reason) => Err(reason),
            None => self.add(&mut group, &row),
        };
        group.left = group.left.saturating_sub(1);
        match outcome {
            Ok(Some(adjustment)) => self.ready.push_back(Found::Unit(Unit { rows: vec![row], ..adjustment })),
            Ok(None) => group.rows.push(row),
            Err(reason) => {
                group.refused.get_or_insert((row.line, reason.clone()));
                self.ready.push_back(Found::Rejected(Rejected { row, reason }));
            }
        }
        if group.left == 0 {
            self.finish(group);
        } else {
            self.groups.insert(key, group);
        }
    }

    fn begin(&self, name: String, key: u128) -> Group {
        let returned = self.mapping.rows.return_prefix.as_ref().is_some_and(|prefix| name.starts_with(prefix.as_str()));
        Group {
            name,
            returned,
            at: None,
            head: vec![String::new(); HEAD.len()],
            verdicts: vec![String::new(); self.conditions.len()],
            currency: None,
            lines: Vec::new(),
            rows: Vec::new(),
            refused: None,
            left: self.counts.and_then(|counts| counts.get(&key).copied()).unwrap_or(1),
            adjusted: FxHashMap::default(),
        }
    }

    /// Adds a row to its order. An adjustment is a thing of its own, and comes back.
    fn add(&self, group: &mut Group, row: &Row) -> Result<Option<Unit>, String> {
        let encoding = self.table.encoding();
        for (place, text) in self.head.iter().zip(&mut group.head) {
            if text.is_empty() && place.is_given() {
                text.push_str(&place.text(row, encoding));
            }
        }
        for ((_, _, at), text) in self.conditions.iter().zip(&mut group.verdicts) {
            if text.is_empty() {
                text.push_str(&Place::At(*at).text(row, encoding));
            }
        }
        let (quantity, class) = self.class(row)?;
        let time = self.row.time.text(row, encoding);
        let at = match (group.at, time.is_empty()) {
            (Some(at), true) => at,
            (None, true) => return Err("it has no time".to_owned()),
            (_, false) => self.values.time(&time).map_err(|reason| self.columns.wrong("time", reason))?,
        };
        group.at.get_or_insert(at);
        let (sku, service) = match class {
            Class::Adjustment { sku, name, delta } => return self.adjustment(group, (sku, name, delta), at).map(Some),
            Class::Line { sku, service, .. } => (sku, service),
        };
        if group.returned && service {
            return Err("a canceled service moves no stock".to_owned());
        }
        let currency = sale::currency(self.mapping, &group.head)?;
        group.currency = Some(currency);
        let units = u32::try_from(quantity.unsigned_abs()).map_err(|_| "the quantity is out of bounds".to_owned())?;
        let line = sale::line(&self.values, &self.columns, row, (sku, units, currency))?;
        group.lines.push(line);
        Ok(None)
    }

    fn adjustment(&self, group: &mut Group, (sku, name, delta): (Sku, String, i64), at: Timestamp) -> Result<Unit, String> {
        if self.live {
            return Err("a correction of stock is no live order; import it as history".to_owned());
        }
        let count = group.adjusted.entry(sku.clone()).or_default();
        *count += 1;
        let channel = self.mapping.channel.as_deref().unwrap_or_default();
        let id = format!("adjustment/{channel}/{}/{sku}/{count}", group.name);
        let reason = if name.is_empty() { "unknown".to_owned() } else { name };
        let (digest, reference) = (digest(&[&delta.to_string(), &reason]), group.name.clone());
        Ok(Unit { id, digest, rows: Vec::new(), follows: None, what: What::Adjustment { at, sku, delta, reason, reference } })
    }

    /// Quantity and class, by the rules of the mapping.
    fn class(&self, row: &Row) -> Result<(i64, Class), String> {
        let encoding = self.table.encoding();
        let rules = &self.mapping.rows;
        let order = self.row.order.text(row, encoding);
        if let Some(reject) = rules.reject_prefix.as_ref().filter(|reject| order.starts_with(&reject.prefix)) {
            return Err(reject.reason.clone());
        }
        let quantity =
            self.values.units(&self.row.quantity.text(row, encoding)).map_err(|reason| self.columns.wrong("quantity", reason))?;
        if quantity == 0 {
            return Err("the quantity is 0".to_owned());
        }
        let sku = sku(self.mapping, &self.row.sku.text(row, encoding)).map_err(|reason| self.columns.wrong("sku", reason))?;
        let name = self.row.name.text(row, encoding).into_owned();
        let service = rules.services.iter().any(|code| code == sku.as_str());
        let returned = rules.return_prefix.as_ref().is_some_and(|prefix| order.starts_with(prefix.as_str()));
        let free = || {
            let price = || self.values.amount(&self.row.price.text(row, encoding), Currency::EUR);
            let nobody = || self.customer().is_none_or(|place| place.text(row, encoding).is_empty());
            rules.negative_is_adjustment && price() == Ok(0) && nobody()
        };
        let class = match (returned, quantity > 0) {
            (true, true) => return Err("a canceled invoice with a positive quantity".to_owned()),
            (true, false) => Class::Line { sku, name, service },
            (false, false) if !rules.negative_is_adjustment => {
                return Err(
                    "a negative quantity; set negative_is_adjustment or return_prefix under [rows] when it means something".to_owned()
                );
            }
            (false, positive) if !positive || free() => {
                if service {
                    return Err("an adjustment of a service, which has no stock".to_owned());
                }
                let words = name.to_lowercase();
                if positive && !rules.found_words.iter().any(|word| words.contains(word.as_str())) {
                    return Err(format!("given away for nothing to nobody (\"{name}\"): was it found?"));
                }
                Class::Adjustment { sku, name, delta: quantity }
            }
            (false, _) => Class::Line { sku, name, service },
        };
        Ok((quantity, class))
    }

    fn finish(&mut self, group: Group) {
        let refuse = |ready: &mut VecDeque<Found>, rows: Vec<Row>, reason: String| {
            ready.extend(rows.into_iter().map(|row| Found::Rejected(Rejected { row, reason: reason.clone() })));
        };
        if group.lines.is_empty() {
            return;
        }
        if let Some((line, reason)) = group.refused.as_ref().filter(|_| self.mapping.whole_orders) {
            let reason = format!("line {line} of the same order is refused: {reason}");
            return refuse(&mut self.ready, group.rows, reason);
        }
        let verdict = |wanted: Verdict| {
            let mut conditions = self.conditions.iter().zip(&group.verdicts);
            conditions.any(|((verdict, when, _), text)| *verdict == wanted && when.holds(text))
        };
        let decided = verdict(Verdict::Canceled) || verdict(Verdict::Partial);
        if !group.returned && !decided && self.mapping.rows.open.is_some() && verdict(Verdict::Open) != self.live {
            return self.ready.push_back(Found::Left(group.rows.len() as u64));
        }
        let built =
            if group.returned { self.goods_back(&group) } else { sale::sale(self.mapping, (&self.values, &self.columns), &group, verdict) };
        match built {
            Ok((id, digest, what)) => self.ready.push_back(Found::Unit(Unit { id, digest, rows: group.rows, follows: None, what })),
            Err(reason) => refuse(&mut self.ready, group.rows, reason),
        }
    }

    fn goods_back(&self, group: &Group) -> Result<(String, String, What), String> {
        if self.live {
            return Err("a return of the past is no live order; import it as history".to_owned());
        }
        let lines: Vec<(Sku, u32)> = group.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect();
        let told: Vec<String> = lines.iter().map(|(sku, units)| format!("{sku} {units}")).collect();
        let id = format!("return/{}/{}", self.mapping.channel.as_deref().unwrap_or_default(), group.name);
        let at = group.at.ok_or("it has no time")?;
        let digest = digest(&told.iter().map(String::as_str).collect::<Vec<_>>());
        Ok((id, digest, What::Return { name: group.name.clone(), at, lines }))
    }
}

/// Spelled as the file does, unless the mapping folds case.
pub fn sku(mapping: &Mapping, text: &str) -> Result<Sku, String> {
    if text.is_empty() {
        return Err("it names no SKU".to_owned());
    }
    let sku = if mapping.fold_case { Sku::new(text.to_uppercase()) } else { Sku::new(text) };
    sku.map_err(|error| error.to_string())
}

fn hash(name: &str) -> u128 {
    let hash = blake3::hash(name.as_bytes());
    u128::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}
