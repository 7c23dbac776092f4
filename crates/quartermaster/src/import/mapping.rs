//! How a shop's CSV is read: columns, time zone, currency, row rules.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::Path;

/// Mappings inside the binary, by name.
const SHIPPED: &[(&str, &str)] = &[
    ("online_retail", include_str!("../../mappings/online_retail.toml")),
    ("shopify_orders", include_str!("../../mappings/shopify_orders.toml")),
    ("woocommerce_orders", include_str!("../../mappings/woocommerce_orders.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub channel: String,
    pub location: String,
    /// IANA name, for times without an offset.
    pub time_zone: String,
    /// As strptime has it; `%z` when the file has offsets.
    pub time_format: String,
    pub currency: String,
    pub opening_balance: OpeningBalance,
    pub columns: Columns,
    #[serde(default)]
    pub rows: Rows,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum OpeningBalance {
    DeepestDeficit,
    /// Stock was brought in before.
    None,
}

/// Names of columns in the file's first line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub order: String,
    pub sku: String,
    pub name: String,
    pub quantity: String,
    pub time: String,
    pub price: String,
    pub customer: Option<String>,
    pub country: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Rows {
    pub return_prefix: Option<String>,
    pub reject_prefix: Option<RejectPrefix>,
    pub negative_is_adjustment: bool,
    pub found_words: Vec<String>,
    pub services: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectPrefix {
    pub prefix: String,
    pub reason: String,
}

impl Mapping {
    /// One that is shipped, by its name, or a file.
    pub fn read(name: &str) -> Result<Self> {
        let shipped = SHIPPED.iter().find(|(known, _)| *known == name);
        let text = match shipped {
            Some((_, text)) => (*text).to_owned(),
            None if Path::new(name).exists() => std::fs::read_to_string(name).with_context(|| format!("{name} can't be read"))?,
            None => {
                let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
                bail!("there is no mapping \"{name}\": name a file, or one of {}", names.join(", "))
            }
        };
        toml::from_str(&text).with_context(|| format!("the mapping {name} can't be read"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_mapping_reads() {
        for (name, _) in SHIPPED {
            Mapping::read(name).unwrap();
        }
        assert!(Mapping::read("no such").is_err());
    }
}
