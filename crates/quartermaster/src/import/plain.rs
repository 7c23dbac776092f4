//! Items, stock, suppliers, policies and open purchase orders: a row each, or a row a line.

use super::mapping::{Kind, Mapping, StockMode};
use super::orders::sku;
use super::table::{Place, Row, Table};
use super::unit::{Bought, BoughtLine, Found, Given, Level, Rejected, Unit, What, digest};
use super::values::Values;
use anyhow::Result;
use domain::catalog::{BackorderCap, Component, Item, ItemKind, ItemStatus, Shortage, UnitCost};
use domain::event::stock::Bucket;
use domain::id::{LocationCode, Sku, SupplierCode};
use domain::limits::QUANTITY_MAX;
use domain::money::{Amount, Currency};
use domain::purchasing::{Auto, DispatchVia, OrderAmount, Policy, Source, Supplier};
use domain::quantity::Quantity;
use domain::time::Timestamp;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

const UNSET: Timestamp = Timestamp(0);

pub struct Plain<'a> {
    mapping: &'a Mapping,
    /// Of the file: the same file brings stock to what it says once.
    file: String,
    table: Table,
    values: Values,
    places: BTreeMap<&'static str, Place>,
    /// Purchase orders are read whole, since their rows may stand anywhere.
    bought: Option<VecDeque<Found>>,
}

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

/// A row with its fields at hand.
struct Fields<'a> {
    plain: &'a Plain<'a>,
    row: &'a Row,
}

impl<'a> Plain<'a> {
    pub fn open(path: &Path, mapping: &'a Mapping, file: &str) -> Result<Self> {
        let table = Table::open(path, mapping)?;
        let places = FIELDS.iter().map(|field| Ok((*field, table.find(mapping, field)?))).collect::<Result<_>>()?;
        Ok(Self { mapping, file: file.to_owned(), values: Values::new(mapping)?, table, places, bought: None })
    }

    pub fn next(&mut self) -> Result<Option<Found>> {
        if self.mapping.kind == Kind::PurchaseOrders {
            if self.bought.is_none() {
                self.bought = Some(self.purchase_orders()?);
            }
            return Ok(self.bought.as_mut().and_then(VecDeque::pop_front));
        }
        let Some(row) = self.table.next()? else { return Ok(None) };
        let row = match row {
            Ok(row) => row,
            Err(unreadable) => return Ok(Some(Found::Rejected(Rejected { row: unreadable.row, reason: unreadable.reason }))),
        };
        Ok(Some(match self.unit(&row) {
            Ok((id, what)) => Found::Unit(Unit { id, digest: self.digest(&row), rows: vec![row], what }),
            Err(reason) => Found::Rejected(Rejected { row, reason }),
        }))
    }

    /// Of what the mapping reads, not of the columns that it leaves.
    fn digest(&self, row: &Row) -> String {
        let texts: Vec<_> = self.places.values().map(|place| place.text(row, self.table.encoding())).collect();
        digest(&texts.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    }

    fn unit(&self, row: &Row) -> Result<(String, What), String> {
        let fields = Fields { plain: self, row };
        match self.mapping.kind {
            Kind::Items => {
                let item = fields.item()?;
                Ok((format!("item/{}/{}", item.sku, self.digest(row)), What::Item(Box::new(item), fields.given())))
            }
            Kind::Stock => {
                let level = fields.level()?;
                let (sku, location) = (&level.sku, &level.location);
                let bucket = if level.bucket == Bucket::OnHand { "" } else { "unavailable/" };
                let id = match self.mapping.stock {
                    StockMode::Opening => format!("opening/{bucket}{location}/{sku}"),
                    StockMode::Set => format!("stock/{}/{bucket}{location}/{sku}", self.file),
                };
                Ok((id, What::Stock(level)))
            }
            Kind::Suppliers => {
                let supplier = fields.supplier()?;
                Ok((format!("supplier/{}/{}", supplier.code, self.digest(row)), What::Supplier(Box::new(supplier), fields.given())))
            }
            Kind::Policies => {
                let policy = fields.policy()?;
                Ok((format!("policy/{}/{}/{}", policy.sku, policy.location, self.digest(row)), What::Policy(Box::new(policy))))
            }
            Kind::Orders | Kind::PurchaseOrders => Err("these rows are lines of something".to_owned()),
        }
    }

    fn purchase_orders(&mut self) -> Result<VecDeque<Found>> {
        let mut found = VecDeque::new();
        let mut orders: BTreeMap<(String, String), (Bought, Vec<Row>, Option<String>)> = BTreeMap::new();
        let mut places = Vec::new();
        while let Some(row) = self.table.next()? {
            let row = match row {
                Ok(row) => row,
                Err(unreadable) => {
                    found.push_back(Found::Rejected(Rejected { row: unreadable.row, reason: unreadable.reason }));
                    continue;
                }
            };
            let fields = Fields { plain: self, row: &row };
            let key = (fields.text("supplier"), fields.text("order"));
            let head = if key.1.is_empty() { Err("it names no purchase order".to_owned()) } else { fields.bought() };
            let line = fields.bought_line();
            match head {
                Err(reason) => found.push_back(Found::Rejected(Rejected { row, reason })),
                Ok(head) => {
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
            let Some((bought, rows, refused)) = orders.remove(&key) else { continue };
            match refused {
                Some(reason) => found.extend(rows.into_iter().map(|row| Found::Rejected(Rejected { row, reason: reason.clone() }))),
                None => {
                    let told: Vec<String> = rows.iter().map(|row| self.digest(row)).collect();
                    let digest = digest(&told.iter().map(String::as_str).collect::<Vec<_>>());
                    let id = format!("purchase_order/{}/{}", key.0, key.1);
                    found.push_back(Found::Unit(Unit { id, digest, rows, what: What::PurchaseOrder(bought) }));
                }
            }
        }
        Ok(found)
    }
}

impl Fields<'_> {
    fn text(&self, field: &str) -> String {
        let place = self.plain.places.get(field).unwrap_or(&Place::Nowhere);
        let text = place.text(self.row, self.plain.table.encoding()).into_owned();
        let default = match field {
            "location" => self.plain.mapping.location.as_ref(),
            "currency" => self.plain.mapping.currency.as_ref(),
            _ => None,
        };
        if text.is_empty() { default.cloned().unwrap_or_default() } else { text }
    }

    /// Fields in which something stands: an empty one keeps what the shop has.
    fn given(&self) -> Given {
        FIELDS.iter().copied().filter(|field| !self.text(field).is_empty()).collect()
    }

    /// `None` where the field is empty.
    fn maybe<T>(&self, field: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        let text = self.text(field);
        if text.is_empty() { Ok(None) } else { read(&text).map(Some).map_err(|reason| format!("{field}: {reason}")) }
    }

    fn number<T: TryFrom<i64>>(&self, field: &str) -> Result<Option<T>, String> {
        self.maybe(field, |text| self.plain.values.number(field, text))
    }

    fn quantity(&self, field: &str) -> Result<Option<Quantity>, String> {
        Ok(self.number::<u32>(field)?.map(Quantity::new))
    }

    /// A word of ours, as the API spells it.
    fn word<T: DeserializeOwned>(&self, field: &str, words: &str) -> Result<Option<T>, String> {
        self.maybe(field, |text| {
            let word = text.to_lowercase().replace([' ', '-'], "_");
            serde_json::from_value(word.into()).map_err(|_| format!("\"{text}\" is none of {words}"))
        })
    }

    fn currency(&self) -> Result<Currency, String> {
        let text = self.text("currency").to_uppercase();
        Currency::parse(&text).ok_or_else(|| format!("\"{text}\" is no currency like \"GBP\"; name its column, or currency in the mapping"))
    }

    fn amount(&self, field: &str) -> Result<Option<Amount>, String> {
        self.maybe(field, |text| {
            let amount = self.plain.values.amount(text, self.currency()?)?;
            if amount < 0 { Err("is negative".to_owned()) } else { Ok(Amount::new(amount)) }
        })
    }

    fn sku(&self) -> Result<Sku, String> {
        sku(self.plain.mapping, &self.text("sku"))
    }

    fn location(&self) -> Result<LocationCode, String> {
        LocationCode::new(self.text("location")).map_err(|error| error.to_string())
    }

    fn supplier_code(&self) -> Result<SupplierCode, String> {
        SupplierCode::new(self.text("supplier")).map_err(|error| error.to_string())
    }

    fn item(&self) -> Result<Item, String> {
        let sku = self.sku()?;
        let name = self.text("name");
        let components = self.maybe("components", |text| self.components(text))?;
        let kind = match (self.text("kind").to_lowercase().as_str(), components) {
            ("service", None) => ItemKind::Service,
            ("kit", Some(components)) | ("", Some(components)) => ItemKind::Kit { components, split_kit: false },
            ("" | "stocked", None) => ItemKind::Stocked,
            ("kit", None) => return Err("a kit needs components like \"MUG:2|PLATE:1\"".to_owned()),
            (other, _) => return Err(format!("kind: \"{other}\" is none of stocked, kit (with components), service (without)")),
        };
        let unit_cost = match self.amount("unit_cost")? {
            Some(amount) => Some(UnitCost { amount, currency: self.currency()? }),
            None => None,
        };
        Ok(Item {
            name: if name.is_empty() { sku.as_str().into() } else { name.into() },
            kind,
            barcode: Some(self.text("barcode")).filter(|text| !text.is_empty()).map(Into::into),
            unit_cost,
            weight_grams: self.number("weight_grams")?,
            backorder_cap: self.backorder_cap()?,
            on_shortage: self.word::<Shortage>("on_shortage", "reject, backorder, split, partial")?,
            available_from: self.maybe("available_from", |text| self.plain.values.date(text))?,
            metadata: Default::default(),
            status: ItemStatus::Active,
            version: 0,
            created_at: UNSET,
            sku,
        })
    }

    fn backorder_cap(&self) -> Result<BackorderCap, String> {
        let cap = self.maybe("backorder_cap", |text| match text.to_lowercase().replace(' ', "_").as_str() {
            "none" => Ok(BackorderCap::None),
            "unlimited" => Ok(BackorderCap::Unlimited),
            "up_to_incoming" => Ok(BackorderCap::UpToIncoming),
            limit => self.plain.values.number::<u32>("backorder_cap", limit).map(|units| BackorderCap::Limit(Quantity::new(units))),
        });
        Ok(cap.map_err(|reason| format!("{reason}; use none, a number, up_to_incoming or unlimited"))?.unwrap_or(BackorderCap::Unlimited))
    }

    /// `MUG:2|PLATE:1`.
    fn components(&self, text: &str) -> Result<Vec<Component>, String> {
        let parts = text.split(['|', ',']).map(str::trim).filter(|part| !part.is_empty());
        let components = parts.map(|part| {
            let (code, units) = part.rsplit_once(':').unwrap_or((part, "1"));
            let quantity = Quantity::new(self.plain.values.number("components", units.trim())?);
            Ok(Component { sku: sku(self.plain.mapping, code.trim())?, quantity })
        });
        components.collect()
    }

    fn level(&self) -> Result<Level, String> {
        let quantity = self.maybe("quantity", |text| self.plain.values.units(text))?.ok_or("it has no quantity")?;
        let quantity = u32::try_from(quantity).ok().filter(|units| *units <= QUANTITY_MAX);
        Ok(Level {
            sku: self.sku()?,
            location: self.location()?,
            bucket: self.word("bucket", "on_hand, damaged, quality_control, quarantine")?.unwrap_or(Bucket::OnHand),
            quantity: quantity.ok_or("the quantity is negative: correct it, a shelf holds none or more")?,
            set: self.plain.mapping.stock == StockMode::Set,
            at: self.maybe("time", |text| self.plain.values.time(text))?,
        })
    }

    fn supplier(&self) -> Result<Supplier, String> {
        let code = self.supplier_code()?;
        let name = self.text("name");
        Ok(Supplier {
            name: if name.is_empty() { code.as_str().into() } else { name.into() },
            email: Some(self.text("email")).filter(|text| !text.is_empty()).map(Into::into),
            lead_time_days: self.number("lead_time_days")?.unwrap_or(7),
            currency: self.currency()?,
            order_minimum: self.amount("order_minimum")?.unwrap_or(Amount::ZERO),
            auto: self.word("auto", "send, draft, alert")?.unwrap_or(Auto::Draft),
            cutoff: None,
            dispatch: DispatchVia::None,
            webhook: None,
            active: true,
            metadata: Default::default(),
            version: 0,
            created_at: UNSET,
            code,
        })
    }

    fn policy(&self) -> Result<Policy, String> {
        let amount = match (self.quantity("order_up_to")?, self.quantity("reorder_quantity")?) {
            (Some(level), None) => OrderAmount::OrderUpTo(level),
            (None, Some(quantity)) => OrderAmount::ReorderQuantity(quantity),
            (None, None) | (Some(_), Some(_)) => return Err("it needs either order_up_to or reorder_quantity".to_owned()),
        };
        Ok(Policy {
            sku: self.sku()?,
            location: self.location()?,
            source: Source::Supplier(self.supplier_code()?),
            auto: None,
            reorder_point: self.quantity("reorder_point")?.ok_or("it has no reorder_point")?,
            amount,
            moq: self.quantity("moq")?.unwrap_or(Quantity::ONE),
            multiple: self.quantity("multiple")?.unwrap_or(Quantity::ONE),
            lead_time_days: self.number("lead_time_days")?,
            unit_cost: self.amount("unit_cost")?.unwrap_or(Amount::ZERO),
            active: true,
            version: 0,
        })
    }

    fn bought(&self) -> Result<Bought, String> {
        let (supplier, location) = (self.supplier_code()?, self.location()?);
        let ordered_at = self.maybe("time", |text| self.plain.values.time(text))?;
        Ok(Bought { name: self.text("order"), supplier, location, ordered_at, lines: Vec::new() })
    }

    fn bought_line(&self) -> Result<BoughtLine, String> {
        let unit_cost = self.maybe("unit_cost", |text| self.plain.values.amount(text, self.currency()?))?;
        Ok(BoughtLine {
            sku: self.sku()?,
            ordered: self.number("quantity")?.ok_or("it has no quantity")?,
            received: self.number("received")?.unwrap_or(0),
            unit_cost,
            expected_on: self.maybe("expected_on", |text| self.plain.values.date(text))?,
        })
    }
}
