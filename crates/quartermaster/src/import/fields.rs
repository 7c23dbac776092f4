//! A row of something plain, field by field. Reasons name the column that is wrong.

use super::columns::Columns;
use super::mapping::{Mapping, StockMode};
use super::orders::sku;
use super::table::Row;
use super::unit::{Bought, BoughtLine, Given, Level, Safety};
use super::values::Values;
use domain::catalog::{BackorderCap, Component, Item, ItemKind, ItemStatus, Shortage, UnitCost};
use domain::event::stock::Bucket;
use domain::id::{LocationCode, Sku, SupplierCode};
use domain::limits::QUANTITY_MAX;
use domain::money::{Amount, Currency};
use domain::purchasing::{Auto, DispatchVia, OrderAmount, Policy, PurchaseOrderStatus, Source, Supplier};
use domain::quantity::Quantity;
use domain::time::Timestamp;
use serde::de::DeserializeOwned;

const UNSET: Timestamp = Timestamp(0);
/// Where nothing stands though something must.
const EMPTY: &str = "nothing stands there";
/// Columns of units that stand beside those that can be sold, and are part of what is on hand.
const PARTS: [(&str, Bucket); 3] =
    [("damaged", Bucket::Damaged), ("quality_control", Bucket::QualityControl), ("quarantine", Bucket::Quarantine)];

/// A row with its fields at hand.
pub struct Fields<'a> {
    pub mapping: &'a Mapping,
    pub columns: &'a Columns,
    pub values: &'a Values,
    pub row: &'a Row,
}

impl Fields<'_> {
    pub fn text(&self, field: &str) -> String {
        let text = self.columns.text(field, self.row).into_owned();
        let default = match field {
            "location" => self.mapping.location.as_ref(),
            "currency" => self.mapping.currency.as_ref(),
            "country" => self.mapping.country.as_ref(),
            _ => None,
        };
        if text.is_empty() { default.cloned().unwrap_or_default() } else { text }
    }

    /// Fields in which something stands: an empty one keeps what the shop has.
    pub fn given(&self) -> Given {
        self.mapping.columns.keys().filter(|field| !self.columns.text(field, self.row).is_empty()).cloned().collect()
    }

    /// `None` where the field is empty.
    pub fn maybe<T>(&self, field: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        let text = self.text(field);
        if text.is_empty() { Ok(None) } else { read(&text).map(Some).map_err(|reason| self.columns.wrong(field, reason)) }
    }

    /// A field that the row can't do without.
    pub fn need<T>(&self, field: &str, found: Option<T>) -> Result<T, String> {
        found.ok_or_else(|| self.columns.wrong(field, EMPTY))
    }

    pub fn number<T: TryFrom<i64>>(&self, field: &str) -> Result<Option<T>, String> {
        self.maybe(field, |text| self.values.number(text))
    }

    fn quantity(&self, field: &str) -> Result<Option<Quantity>, String> {
        Ok(self.number::<u32>(field)?.map(Quantity::new))
    }

    /// A word of ours, as the API spells it.
    pub fn word<T: DeserializeOwned>(&self, field: &str, words: &str) -> Result<Option<T>, String> {
        self.maybe(field, |text| {
            let word = text.to_lowercase().replace([' ', '-'], "_");
            serde_json::from_value(word.into()).map_err(|_| format!("\"{text}\" is none of {words}"))
        })
    }

    fn currency(&self) -> Result<Currency, String> {
        let text = self.text("currency").to_uppercase();
        Currency::parse(&text).ok_or_else(|| {
            self.columns.wrong("currency", format!("\"{text}\" is no currency like \"GBP\"; name its column, or currency in the mapping"))
        })
    }

    fn amount(&self, field: &str) -> Result<Option<Amount>, String> {
        if self.text(field).is_empty() {
            return Ok(None);
        }
        let currency = self.currency()?;
        self.maybe(field, |text| {
            let amount = self.values.amount(text, currency)?;
            if amount < 0 { Err("is negative".to_owned()) } else { Ok(Amount::new(amount)) }
        })
    }

    fn sku(&self) -> Result<Sku, String> {
        sku(self.mapping, &self.text("sku")).map_err(|reason| self.columns.wrong("sku", reason))
    }

    fn location(&self) -> Result<LocationCode, String> {
        let code = self.maybe("location", |text| LocationCode::new(text).map_err(|error| error.to_string()))?;
        self.need("location", code)
    }

    fn supplier_code(&self) -> Result<SupplierCode, String> {
        let code = self.maybe("supplier", |text| SupplierCode::new(text).map_err(|error| error.to_string()))?;
        self.need("supplier", code)
    }

    /// Yes and no as people and programs write them.
    pub fn active(&self) -> Result<bool, String> {
        Ok(self.flag("active")?.unwrap_or(true))
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, String> {
        self.maybe(field, |text| match text.to_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(format!("\"{text}\" is none of true, false")),
        })
    }

    pub fn item(&self) -> Result<Item, String> {
        let sku = self.sku()?;
        let name = self.text("name");
        let components = self.maybe("components", |text| self.components(text))?;
        let kind = match (self.text("kind").to_lowercase().as_str(), components) {
            ("service", None) => ItemKind::Service,
            ("kit", Some(components)) | ("", Some(components)) => {
                ItemKind::Kit { components, split_kit: self.flag("split_kit")?.unwrap_or(false) }
            }
            ("" | "stocked", None) => ItemKind::Stocked,
            ("kit", None) => return Err(self.columns.wrong("components", "a kit needs some, like \"MUG:2|PLATE:1\"")),
            (other, _) => {
                return Err(self
                    .columns
                    .wrong("kind", format!("\"{other}\" is none of stocked, kit (with components), service (without)")));
            }
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
            available_from: self.maybe("available_from", |text| self.values.date(text))?,
            metadata: Default::default(),
            status: self.word("status", "active, retired")?.unwrap_or(ItemStatus::Active),
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
            limit => self.values.number::<u32>(limit).map(|units| BackorderCap::Limit(Quantity::new(units))),
        });
        Ok(cap.map_err(|reason| format!("{reason}; use none, a number, up_to_incoming or unlimited"))?.unwrap_or(BackorderCap::Unlimited))
    }

    /// `MUG:2|PLATE:1`.
    fn components(&self, text: &str) -> Result<Vec<Component>, String> {
        // A SKU may have commas: they part components only where no bar does.
        let parts = text.split(if text.contains('|') { '|' } else { ',' }).map(str::trim).filter(|part| !part.is_empty());
        let components = parts.map(|part| {
            let (code, units) = part.rsplit_once(':').unwrap_or((part, "1"));
            let quantity = Quantity::new(self.values.number(units.trim())?);
            Ok(Component { sku: sku(self.mapping, code.trim())?, quantity })
        });
        components.collect()
    }

    /// What can be sold, then what stands beside it, and the selling buffer: each is a step of its own.
    pub fn levels(&self) -> Result<(Vec<Level>, Option<Safety>), String> {
        let units = self.need("quantity", self.maybe("quantity", |text| self.values.units(text))?)?;
        let negative = || self.columns.wrong("quantity", format!("{units} is negative: correct it, a shelf holds none or more"));
        let on_hand = u32::try_from(units).ok().filter(|units| *units <= QUANTITY_MAX).ok_or_else(negative)?;
        let bucket = self.word("bucket", "on_hand, damaged, quality_control, quarantine")?.unwrap_or(Bucket::OnHand);
        let (sku, location, set) = (self.sku()?, self.location()?, self.mapping.stock == StockMode::Set);
        let at = self.maybe("time", |text| self.values.time(text))?;
        let level = |bucket, quantity, parts| Level { sku: sku.clone(), location: location.clone(), bucket, quantity, parts, set, at };
        if bucket != Bucket::OnHand {
            return Ok((vec![level(bucket, on_hand, Vec::new())], None));
        }
        let mut beside = Vec::new();
        for (field, bucket) in PARTS {
            beside.extend(self.number::<u32>(field)?.map(|units| (bucket, units)));
        }
        let sum: u64 = beside.iter().map(|(_, units)| u64::from(*units)).sum();
        let rest = u64::from(on_hand).checked_sub(sum).and_then(|rest| u32::try_from(rest).ok());
        let rest = rest
            .ok_or_else(|| self.columns.wrong("quantity", format!("{sum} units of {on_hand} are damaged, in control or in quarantine")))?;
        let mut levels = vec![level(Bucket::OnHand, rest, beside.iter().map(|(bucket, _)| *bucket).collect())];
        levels.extend(beside.into_iter().filter(|(_, units)| set || *units > 0).map(|(bucket, units)| level(bucket, units, Vec::new())));
        // Setting none at an empty shelf is what makes a level of it.
        let safety = self.quantity("safety_stock")?.filter(|units| set || !units.is_zero() || on_hand == 0);
        Ok((levels, safety.map(|quantity| Safety { sku, location, quantity })))
    }

    pub fn supplier(&self) -> Result<Supplier, String> {
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
            active: self.active()?,
            metadata: Default::default(),
            version: 0,
            created_at: UNSET,
            code,
        })
    }

    pub fn policy(&self) -> Result<Policy, String> {
        let amount = match (self.quantity("order_up_to")?, self.quantity("reorder_quantity")?) {
            (Some(level), None) => OrderAmount::OrderUpTo(level),
            (None, Some(quantity)) => OrderAmount::ReorderQuantity(quantity),
            (None, None) | (Some(_), Some(_)) => {
                let (level, quantity) = (self.columns.name("order_up_to"), self.columns.name("reorder_quantity"));
                return Err(format!("{level}: a policy needs either that or {quantity}"));
            }
        };
        Ok(Policy {
            sku: self.sku()?,
            location: self.location()?,
            source: self.source()?,
            auto: self.word("auto", "send, draft, alert")?,
            reorder_point: self.need("reorder_point", self.quantity("reorder_point")?)?,
            amount,
            moq: self.quantity("moq")?.unwrap_or(Quantity::ONE),
            multiple: self.quantity("multiple")?.unwrap_or(Quantity::ONE),
            lead_time_days: self.number("lead_time_days")?,
            unit_cost: self.amount("unit_cost")?.unwrap_or(Amount::ZERO),
            active: self.active()?,
            version: 0,
        })
    }

    /// Units come from a supplier, or from another location.
    fn source(&self) -> Result<Source, String> {
        let location = self.maybe("source_location", |text| LocationCode::new(text).map_err(|error| error.to_string()))?;
        match (self.text("supplier").is_empty(), location) {
            (false, None) => self.supplier_code().map(Source::Supplier),
            (true, Some(location)) => Ok(Source::SourceLocation(location)),
            (true, None) | (false, Some(_)) => {
                let (supplier, location) = (self.columns.name("supplier"), self.columns.name("source_location"));
                Err(format!("{supplier}: a policy needs either that or {location}"))
            }
        }
    }

    /// `None` where the file says nothing.
    pub fn bought_status(&self) -> Result<Option<PurchaseOrderStatus>, String> {
        self.word("status", "draft, sent, acknowledged, partially_received, received, closed_short, canceled")
    }

    pub fn bought(&self) -> Result<Bought, String> {
        let (supplier, location) = (self.supplier_code()?, self.location()?);
        let ordered_at = self.maybe("time", |text| self.values.time(text))?;
        let name = self.need("order", Some(self.text("order")).filter(|name| !name.is_empty()))?;
        let draft = self.bought_status()? == Some(PurchaseOrderStatus::Draft);
        Ok(Bought { name, supplier, location, ordered_at, draft, lines: Vec::new() })
    }

    pub fn bought_line(&self) -> Result<BoughtLine, String> {
        let unit_cost = self.amount("unit_cost")?.map(Amount::get);
        Ok(BoughtLine {
            sku: self.sku()?,
            ordered: self.need("quantity", self.number("quantity")?)?,
            received: self.number("received")?.unwrap_or(0),
            unit_cost,
            expected_on: self.maybe("expected_on", |text| self.values.date(text))?,
        })
    }
}
