//! How a shop's CSV is read: columns, time zone, currency, row rules.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Mappings inside the binary, by name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("online_retail", include_str!("../../mappings/online_retail.toml")),
    ("shopify_orders", include_str!("../../mappings/shopify_orders.toml")),
    ("woocommerce_orders", include_str!("../../mappings/woocommerce_orders.toml")),
    ("items", include_str!("../../mappings/items.toml")),
    ("locations", include_str!("../../mappings/locations.toml")),
    ("stock", include_str!("../../mappings/stock.toml")),
    ("suppliers", include_str!("../../mappings/suppliers.toml")),
    ("policies", include_str!("../../mappings/policies.toml")),
    ("purchase_orders", include_str!("../../mappings/purchase_orders.toml")),
];

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Orders,
    Items,
    Locations,
    Stock,
    Suppliers,
    Policies,
    PurchaseOrders,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    #[serde(default = "orders")]
    pub kind: Kind,
    /// Channel of orders, unless a column names it.
    pub channel: Option<String>,
    /// Location of everything that has one, unless a column names it.
    pub location: Option<String>,
    /// Nobody named the location: it is the shipped mapping's.
    #[serde(skip)]
    pub assumes_location: bool,
    /// ISO 3166 code of that location, when it has to be made.
    pub country: Option<String>,
    /// IANA name, for times without an offset.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// As strptime has them; `%z` where the file has offsets. The first that fits is taken.
    #[serde(default = "usual_times")]
    pub time_format: Vec<String>,
    pub currency: Option<String>,
    #[serde(default)]
    pub decimal: Decimal,
    /// By default the one that the header has most of.
    pub delimiter: Option<Delimiter>,
    #[serde(default)]
    pub encoding: Encoding,
    /// SKUs keep their exact spelling unless they are made upper case.
    #[serde(default)]
    pub fold_case: bool,
    #[serde(default)]
    pub opening_balance: OpeningBalance,
    /// How rows of stock are taken.
    #[serde(default)]
    pub stock: StockMode,
    #[serde(default)]
    pub prices_include_tax: IncludesTax,
    /// What an order's total has beyond its parts: refused, or a charge of its own.
    #[serde(default)]
    pub difference: Difference,
    /// An order with a row that can't be read is refused whole.
    #[serde(default = "yes")]
    pub whole_orders: bool,
    pub columns: BTreeMap<String, Source>,
    /// Names of countries as the file has them, with their ISO 3166 code.
    #[serde(default)]
    pub countries: BTreeMap<String, String>,
    #[serde(default)]
    pub rows: Rows,
}

/// Where a field comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Source {
    Column(String),
    /// The first of these columns that is not empty.
    First(Vec<String>),
    Join {
        join: Vec<String>,
    },
    Value {
        value: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Decimal {
    #[default]
    #[serde(rename = ".")]
    Point,
    #[serde(rename = ",")]
    Comma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Delimiter {
    #[serde(rename = ",")]
    Comma,
    #[serde(rename = ";")]
    Semicolon,
    #[serde(rename = "tab")]
    Tab,
    #[serde(rename = "|")]
    Bar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "windows-1252", alias = "iso-8859-1", alias = "latin1")]
    Windows1252,
}

#[derive(Debug, Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum OpeningBalance {
    DeepestDeficit,
    /// Stock was brought in before.
    #[default]
    None,
}

#[derive(Debug, Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum StockMode {
    /// Added once to each level, as its opening balance.
    #[default]
    Opening,
    /// Each level is brought to what the file says, once a file.
    Set,
}

#[derive(Debug, Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum IncludesTax {
    /// Whichever makes the parts of an order add up to its total.
    #[default]
    Auto,
    Yes,
    No,
}

#[derive(Debug, Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    #[default]
    Reject,
    Charge,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Rows {
    pub return_prefix: Option<String>,
    pub reject_prefix: Option<RejectPrefix>,
    pub negative_is_adjustment: bool,
    pub found_words: Vec<String>,
    pub services: Vec<String>,
    /// Orders that were canceled: they moved no stock.
    pub canceled: Option<When>,
    /// Orders that have not shipped: live demand, no history.
    pub open: Option<When>,
    /// Orders of which a part has shipped: neither.
    pub partial: Option<When>,
    /// Orders that are paid, when they come in live.
    pub paid: Option<When>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectPrefix {
    pub prefix: String,
    pub reason: String,
}

/// A condition on one column of an order's first row.
#[derive(Debug, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    pub column: String,
    /// Compared without case.
    pub values: Vec<String>,
    /// Anything at all stands there.
    pub filled: bool,
    /// Nothing stands there.
    pub empty: bool,
}

impl When {
    pub fn holds(&self, text: &str) -> bool {
        let text = text.trim();
        if text.is_empty() {
            return self.empty;
        }
        self.filled || self.values.iter().any(|value| value.eq_ignore_ascii_case(text))
    }
}

fn orders() -> Kind {
    Kind::Orders
}

fn utc() -> String {
    "UTC".to_owned()
}

fn yes() -> bool {
    true
}

fn usual_times() -> Vec<String> {
    ["%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"].map(str::to_owned).to_vec()
}

impl Mapping {
    /// One that is shipped, by its name, or a file. `set` are lines like `currency=EUR` that replace what it says.
    pub fn read(name: &str, set: &[String]) -> Result<Self> {
        let shipped = SHIPPED.iter().find(|(known, _)| *known == name);
        let text = match shipped {
            Some((_, text)) => (*text).to_owned(),
            None if Path::new(name).exists() => std::fs::read_to_string(name).with_context(|| format!("{name} can't be read"))?,
            None => bail!("there is no mapping \"{name}\": name a file, or one of {}", names()),
        };
        let wrong =
            || format!("the mapping {name} can't be read; `quartermaster import --show-mapping shopify_orders` prints one to start from");
        let mut table: toml::Table = toml::from_str(&text).with_context(wrong)?;
        for line in set {
            let (key, value) = line.split_once('=').with_context(|| format!("--set {line}: write it like --set currency=EUR"))?;
            let value = match (key.trim(), value.trim()) {
                ("time_format", format) => vec![format.to_owned()].into(),
                (_, "true") => true.into(),
                (_, "false") => false.into(),
                (_, text) => text.to_owned().into(),
            };
            table.insert(key.trim().to_owned(), value);
        }
        let mut mapping: Self = table.try_into().with_context(wrong)?;
        let named = set.iter().any(|line| line.split('=').next().is_some_and(|key| key.trim() == "location"));
        mapping.assumes_location = shipped.is_some() && !named;
        mapping.check(name)?;
        Ok(mapping)
    }

    fn check(&self, name: &str) -> Result<()> {
        let (needed, known) = self.kind.fields();
        let all: Vec<&str> = known.iter().copied().chain(needed.iter().copied()).collect();
        if let Some(unknown) = self.columns.keys().find(|field| !all.contains(&field.as_str())) {
            bail!("the mapping {name} names \"{unknown}\" under [columns], which {:?} don't have; they have {}", self.kind, all.join(", "));
        }
        for field in needed {
            if !self.columns.contains_key(*field) && !self.has_default(field) {
                bail!("the mapping {name} says nothing about \"{field}\"; add it under [columns] with the name of its column");
            }
        }
        if self.kind == Kind::Orders && !["price", "line_subtotal", "line_total"].iter().any(|field| self.columns.contains_key(*field)) {
            bail!("the mapping {name} has no prices; name the column of \"price\" (of one unit), \"line_subtotal\" or \"line_total\"");
        }
        jiff::tz::TimeZone::get(&self.time_zone)
            .with_context(|| format!("the mapping {name} has time_zone \"{}\"; use an IANA name like \"Europe/London\"", self.time_zone))?;
        Ok(())
    }

    /// What the mapping says itself, where no column does.
    fn has_default(&self, field: &str) -> bool {
        match field {
            "channel" => self.channel.is_some(),
            "location" => self.location.is_some(),
            "currency" => self.currency.is_some(),
            _ => false,
        }
    }

    /// Rows can't do without the field's column.
    pub fn needs(&self, field: &str) -> bool {
        self.kind.fields().0.contains(&field) && !self.has_default(field)
    }

    /// The text of a shipped mapping.
    pub fn shipped(name: &str) -> Result<&'static str> {
        let found = SHIPPED.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text).with_context(|| format!("there is no shipped mapping \"{name}\"; there are {}", names()))
    }
}

fn names() -> String {
    SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_mapping_reads() {
        for (name, _) in SHIPPED {
            Mapping::read(name, &[]).unwrap();
        }
        assert!(Mapping::read("no such", &[]).is_err());
        let set = ["currency=EUR".to_owned(), "decimal=,".to_owned()];
        let mapping = Mapping::read("shopify_orders", &set).unwrap();
        assert_eq!((mapping.currency.as_deref(), mapping.decimal), (Some("EUR"), Decimal::Comma));
        assert!(Mapping::read("shopify_orders", &["curency=EUR".to_owned()]).is_err());
    }

    #[test]
    fn a_wrong_mapping_says_what_to_do() {
        let refused = |text: &str| {
            let mapping: Mapping = toml::from_str(text).unwrap();
            mapping.check("m").unwrap_err().to_string()
        };
        let head = "kind = \"stock\"\n";
        assert!(refused(&format!("{head}[columns]\nsku = \"S\"\nquantity = \"Q\"\n")).contains("nothing about \"location\""));
        assert!(
            refused(&format!("{head}location = \"A\"\n[columns]\nsku = \"S\"\nquantity = \"Q\"\nprice = \"P\"\n")).contains("\"price\"")
        );
        let zone = refused(&format!("{head}location = \"A\"\ntime_zone = \"Mars\"\n[columns]\nsku = \"S\"\nquantity = \"Q\"\n"));
        assert!(zone.contains("IANA"), "{zone}");
    }
}
