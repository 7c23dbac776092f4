//! Items, locations, stock, suppliers, policies and open purchase orders: a row each, or a row a line.

use super::columns::Columns;
use super::fields::Fields;
use super::mapping::{Kind, Mapping, StockMode};
use super::table::{Row, Table};
use super::unit::{Bought, Found, Rejected, Unit, What, digest};
use super::values::Values;
use anyhow::Result;
use domain::catalog::{ItemKind, ItemStatus};
use domain::event::stock::Bucket;
use domain::purchasing::PurchaseOrderStatus;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

pub struct Plain<'a> {
    mapping: &'a Mapping,
    /// Of the file: the same file brings stock to what it says once.
    file: String,
    table: Table,
    values: Values,
    pub columns: Columns,
    /// What was read and is told next.
    ready: VecDeque<Found>,
    /// Kits come after all other items: a file may name them before what they are made of.
    kits: VecDeque<Found>,
    ended: bool,
}

/// Fields whose texts tell one content of a row from another, in any order.
const FIELDS: &[&str] = &[
    "sku",
    "name",
    "barcode",
    "kind",
    "components",
    "unit_cost",
    "currency",
    "weight_grams",
    "on_shortage",
    "backorder_cap",
    "available_from",
    "location",
    "quantity",
    "bucket",
    "time",
    "supplier",
    "email",
    "lead_time_days",
    "order_minimum",
    "auto",
    "reorder_point",
    "order_up_to",
    "reorder_quantity",
    "moq",
    "multiple",
    "order",
    "received",
    "expected_on",
];

/// Fields that came later: they count where they say something, so that what was imported before them is known again.
const LATER: &[&str] = &[
    "status",
    "split_kit",
    "active",
    "source_location",
    "damaged",
    "quality_control",
    "quarantine",
    "code",
    "country",
    "region",
    "city",
    "postal_code",
    "line1",
    "time_zone",
    "cutoff",
    "working_days",
    "handling_days",
    "priority",
    "latitude",
    "longitude",
];

/// A purchase order as far as it was read: its rows, and why it is refused.
type Gathered = (Bought, Vec<Row>, Option<String>);

impl<'a> Plain<'a> {
    pub fn open(path: &Path, mapping: &'a Mapping, file: &str) -> Result<Self> {
        let table = Table::open(path, mapping)?;
        let columns = Columns::of(&table, mapping)?;
        if mapping.kind == Kind::Policies && !columns.is_given("supplier") && !columns.is_given("source_location") {
            table.at(columns.name("supplier"))?;
        }
        let (ready, kits) = (VecDeque::new(), VecDeque::new());
        Ok(Self { mapping, file: file.to_owned(), values: Values::new(mapping)?, table, columns, ready, kits, ended: false })
    }

    pub fn next(&mut self) -> Result<Option<Found>> {
        while self.ready.is_empty() && !self.ended {
            if self.mapping.kind == Kind::PurchaseOrders {
                self.ready = self.purchase_orders()?;
                self.ended = true;
                continue;
            }
            match self.table.next()? {
                None => self.ended = true,
                Some(Err(unreadable)) => self.ready.push_back(Found::Rejected(Rejected { row: unreadable.row, reason: unreadable.reason })),
                Some(Ok(row)) => self.take(row),
            }
        }
        Ok(self.ready.pop_front().or_else(|| self.kits.pop_front()))
    }

    fn fields<'b>(&'b self, row: &'b Row) -> Fields<'b> {
        Fields { mapping: self.mapping, columns: &self.columns, values: &self.values, row }
    }

    /// A row is one thing, and what follows it: each step has a key of its own, so that an import that was killed goes on between them.
    fn take(&mut self, row: Row) {
        let steps = match self.steps(&row) {
            Ok(steps) => steps,
            Err(reason) => return self.ready.push_back(Found::Rejected(Rejected { row, reason })),
        };
        let (line, digest) = (row.line, self.digest(&row));
        let kit = steps.iter().any(|(_, what)| matches!(what, What::Item(item, _) if matches!(item.kind, ItemKind::Kit { .. })));
        let mut rows = vec![row];
        let units = steps.into_iter().map(|(id, what)| {
            let rows = std::mem::take(&mut rows);
            let follows = rows.is_empty().then_some(line);
            Found::Unit(Unit { id, digest: digest.clone(), rows, follows, what })
        });
        let units: Vec<Found> = units.collect();
        if kit { self.kits.extend(units) } else { self.ready.extend(units) }
    }

    /// Of what the mapping reads, not of the columns that it leaves.
    fn digest(&self, row: &Row) -> String {
        let mut fields = FIELDS.to_vec();
        fields.sort_unstable();
        let mut texts: Vec<String> = fields.into_iter().map(|field| self.columns.text(field, row).into_owned()).collect();
        let later = LATER.iter().map(|field| (field, self.columns.text(field, row))).filter(|(_, text)| !text.is_empty() && *text != "0");
        texts.extend(later.map(|(field, text)| format!("{field}={text}")));
        digest(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn steps(&self, row: &Row) -> Result<Vec<(String, What)>, String> {
        let fields = self.fields(row);
        Ok(match self.mapping.kind {
            Kind::Items => {
                let item = fields.item()?;
                let (sku, retired) = (item.sku.clone(), item.status == ItemStatus::Retired);
                let digest = self.digest(row);
                let mut steps = vec![(format!("item/{sku}/{digest}"), What::Item(Box::new(item), fields.given()))];
                steps.extend(retired.then(|| (format!("retired/{sku}/{digest}"), What::Retired(sku))));
                steps
            }
            Kind::Locations => {
                let location = fields.place()?;
                vec![(format!("location/{}/{}", location.code, self.digest(row)), What::Location(Box::new(location), fields.given()))]
            }
            Kind::Stock => self.stock(&fields)?,
            Kind::Suppliers => {
                let supplier = fields.supplier()?;
                vec![(format!("supplier/{}/{}", supplier.code, self.digest(row)), What::Supplier(Box::new(supplier), fields.given()))]
            }
            Kind::Policies => {
                let policy = fields.policy()?;
                vec![(format!("policy/{}/{}/{}", policy.sku, policy.location, self.digest(row)), What::Policy(Box::new(policy)))]
            }
            Kind::Orders | Kind::PurchaseOrders => return Err("these rows are lines of something".to_owned()),
        })
    }

    fn stock(&self, fields: &Fields) -> Result<Vec<(String, What)>, String> {
        let (levels, safety) = fields.levels()?;
        let begin = match self.mapping.stock {
            StockMode::Opening => "opening".to_owned(),
            StockMode::Set => format!("stock/{}", self.file),
        };
        let steps = levels.into_iter().map(|level| {
            let bucket =
                if level.bucket == Bucket::OnHand { String::new() } else { format!("{}/", super::command::bucket_name(level.bucket)) };
            (format!("{begin}/{bucket}{}/{}", level.location, level.sku), What::Stock(level))
        });
        let mut steps: Vec<(String, What)> = steps.collect();
        steps.extend(safety.map(|safety| {
            let id = match self.mapping.stock {
                // Another buffer in a later file is a change, not another opening.
                StockMode::Opening => format!("safety_stock/{}/{}/{}", safety.location, safety.sku, safety.quantity),
                StockMode::Set => format!("{begin}/safety_stock/{}/{}", safety.location, safety.sku),
            };
            (id, What::Safety(safety))
        }));
        Ok(steps)
    }

    fn purchase_orders(&mut self) -> Result<VecDeque<Found>> {
        let mut found = VecDeque::new();
        let mut orders: BTreeMap<(String, String), Gathered> = BTreeMap::new();
        let mut places = Vec::new();
        while let Some(row) = self.table.next()? {
            let row = match row {
                Ok(row) => row,
                Err(unreadable) => {
                    found.push_back(Found::Rejected(Rejected { row: unreadable.row, reason: unreadable.reason }));
                    continue;
                }
            };
            let fields = self.fields(&row);
            let (head, line, status) = (fields.bought(), fields.bought_line(), fields.bought_status());
            match head {
                // What came of it stands in the stock; nothing is open any more.
                _ if status.is_ok_and(|status| status.is_some_and(PurchaseOrderStatus::is_over)) => found.push_back(Found::Left(1)),
                Err(reason) => found.push_back(Found::Rejected(Rejected { row, reason })),
                Ok(head) => {
                    let key = (head.supplier.to_string(), head.name.clone());
                    let order = orders.entry(key.clone()).or_insert_with(|| {
                        places.push(key);
                        (head, Vec::new(), None)
                    });
                    match line {
                        Ok(line) => order.0.lines.push(line),
                        Err(reason) => order.2 = order.2.take().or(Some(format!("line {}: {reason}", row.line))),
                    }
                    order.1.push(row);
                }
            }
        }
        for key in places {
            if let Some(order) = orders.remove(&key) {
                self.gathered(&key, order, &mut found);
            }
        }
        Ok(found)
    }

    fn gathered(&self, key: &(String, String), (bought, rows, refused): Gathered, found: &mut VecDeque<Found>) {
        if let Some(reason) = refused {
            return found.extend(rows.into_iter().map(|row| Found::Rejected(Rejected { row, reason: reason.clone() })));
        }
        let told: Vec<String> = rows.iter().map(|row| self.digest(row)).collect();
        let digest = digest(&told.iter().map(String::as_str).collect::<Vec<_>>());
        let id = format!("purchase_order/{}/{}", key.0, key.1);
        found.push_back(Found::Unit(Unit { id, digest, rows, follows: None, what: What::PurchaseOrder(bought) }));
    }
}
