//! The sample inside the binary: two weeks of a real retailer's orders.

use anyhow::{Context, Result};
use domain::id::Sku;
use domain::time::{DAY_MS, HOUR_MS, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

const FILE: &[u8] = include_bytes!("../../assets/online_retail_sample.csv.gz");

/// What the retailer sells.
pub struct Product {
    pub sku: Sku,
    pub name: String,
    /// Postage and the like.
    pub service: bool,
    /// Lowest price seen, in pence.
    pub price: i64,
    /// Units sold in the sample.
    pub sold: u32,
    /// Orders that name it.
    pub orders: u32,
}

pub struct Order {
    pub invoice: String,
    pub at: Timestamp,
    pub customer: Option<String>,
    pub country: &'static str,
    pub lines: Vec<(Sku, u32, i64)>,
}

pub struct Sample {
    pub products: BTreeMap<Sku, Product>,
    pub orders: Vec<Order>,
    pub days: u16,
}

impl Sample {
    /// An hour before the first order.
    pub fn opens(&self) -> Option<Timestamp> {
        Some(self.orders.first()?.at.plus_ms(-HOUR_MS))
    }
}

/// Codes that are no goods.
fn is_service(code: &str) -> bool {
    matches!(code, "POST" | "DOT" | "M" | "m" | "C2" | "D" | "S" | "B" | "PADS" | "BANK CHARGES" | "AMAZONFEE" | "CRUK")
}

fn country(name: &str) -> &'static str {
    match name {
        "Germany" => "DE",
        "France" => "FR",
        "EIRE" => "IE",
        "Spain" => "ES",
        "Netherlands" => "NL",
        "Belgium" => "BE",
        "Switzerland" => "CH",
        "Portugal" => "PT",
        "Australia" => "AU",
        "Norway" => "NO",
        "Italy" => "IT",
        "Finland" => "FI",
        "Sweden" => "SE",
        "Austria" => "AT",
        "Denmark" => "DK",
        "Poland" => "PL",
        "USA" => "US",
        _ => "GB",
    }
}

/// Pence, when the price has no fraction of them.
fn pence(text: &str) -> Option<i64> {
    let (pounds, rest) = text.split_once('.').unwrap_or((text, ""));
    let rest = rest.trim_end_matches('0');
    if rest.len() > 2 {
        return None;
    }
    let cents: i64 = format!("{rest:0<2}").parse().ok()?;
    Some(pounds.parse::<i64>().ok()? * 100 + cents)
}

/// The first `days` days; returns, corrections and what has no price are left out.
pub fn read(days: u16) -> Result<Sample> {
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(FILE));
    let zone = TimeZone::get("Europe/London").context("the time zones are inside")?;
    let mut orders: BTreeMap<String, Order> = BTreeMap::new();
    let mut products: BTreeMap<Sku, Product> = BTreeMap::new();
    let mut first = None;
    for row in reader.records() {
        let row = row?;
        let field = |at: usize| row.get(at).unwrap_or_default().trim();
        let local: DateTime = field(4).replace(' ', "T").parse().with_context(|| format!("no time: {}", field(4)))?;
        let at = Timestamp(zone.to_ambiguous_timestamp(local).later()?.as_millisecond());
        let begins = *first.get_or_insert(at);
        if at.0 - begins.0 >= i64::from(days) * DAY_MS {
            break;
        }
        let (Ok(units), Some(price), Ok(sku)) = (field(3).parse::<u32>(), pence(field(5)), Sku::new(field(1))) else { continue };
        if units == 0 || price == 0 || !field(0).bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let product = products.entry(sku.clone()).or_insert_with(|| Product {
            sku: sku.clone(),
            name: if field(2).is_empty() { sku.to_string() } else { field(2).to_owned() },
            service: is_service(field(1)),
            price,
            sold: 0,
            orders: 0,
        });
        product.price = product.price.min(price);
        product.sold = product.sold.saturating_add(units);
        product.orders += 1;
        let order = orders.entry(field(0).to_owned()).or_insert_with(|| Order {
            invoice: field(0).to_owned(),
            at,
            customer: Some(field(6).trim_end_matches(".0").to_owned()).filter(|id| !id.is_empty()),
            country: country(field(7)),
            lines: Vec::new(),
        });
        order.lines.push((sku, units, price));
    }
    let mut orders: Vec<Order> = orders.into_values().collect();
    orders.sort_by_key(|order| order.at);
    Ok(Sample { products, orders, days })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_penny() {
        for (text, wanted) in [("2.55", Some(255)), ("3", Some(300)), ("0.4", Some(40)), ("1.250", Some(125)), ("0.001", None), ("x", None)]
        {
            assert_eq!(pence(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_sample_holds_two_weeks() {
        let sample = read(14).unwrap();
        assert!(sample.orders.len() > 900 && sample.products.len() > 1900);
        assert!(read(1).unwrap().orders.len() < sample.orders.len() / 5);
    }
}
