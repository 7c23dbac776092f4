//! The money of an order: lines, charges and what they add up to.

use super::columns::Columns;
use super::mapping::{Difference, IncludesTax, Mapping};
use super::orders::{Group, Verdict};
use super::table::Row;
use super::unit::{Person, Sale, SaleLine, What, digest};
use super::values::Values;
use domain::id::Sku;
use domain::money::Currency;

/// Fields that an order has once: taken from the first of its rows that has them.
pub const HEAD: &[&str] = &[
    "channel",
    "location",
    "currency",
    "customer",
    "email",
    "customer_name",
    "phone",
    "ship_name",
    "ship_company",
    "ship_line1",
    "ship_line2",
    "ship_city",
    "ship_region",
    "ship_postal_code",
    "country",
    "shipping",
    "shipping_tax",
    "fees",
    "tax",
    "discount",
    "total",
    "refunded",
    "paid_amount",
    "payment_reference",
    "note",
    "status",
    "payment_status",
];

pub fn of<'a>(head: &'a [String], field: &str) -> &'a str {
    HEAD.iter().position(|known| *known == field).map_or("", |at| head[at].as_str())
}

pub fn currency(mapping: &Mapping, head: &[String]) -> Result<Currency, String> {
    let text = Some(of(head, "currency")).filter(|text| !text.is_empty()).or(mapping.currency.as_deref()).unwrap_or_default();
    Currency::parse(&text.to_uppercase()).ok_or_else(|| format!("\"{text}\" is no currency like \"GBP\""))
}

/// A line from its unit price, or from what the whole line costs: then the unit price is rounded up and the rest is discount.
pub fn line(values: &Values, columns: &Columns, row: &Row, (sku, quantity, currency): (Sku, u32, Currency)) -> Result<SaleLine, String> {
    let amount = |field: &str| -> Result<Option<i64>, String> {
        let text = columns.text(field, row);
        if text.is_empty() { Ok(None) } else { values.amount(&text, currency).map(Some).map_err(|reason| columns.wrong(field, reason)) }
    };
    let (subtotal, total) = (amount("line_subtotal")?, amount("line_total")?);
    let units = i64::from(quantity);
    let (unit_price, rounded) = match subtotal.or(total.filter(|_| !columns.is_given("price"))) {
        Some(worth) => {
            let unit = worth.div_euclid(units) + i64::from(worth.rem_euclid(units) > 0);
            (unit, unit * units - worth)
        }
        None => (amount("price")?.ok_or_else(|| columns.wrong("price", "nothing stands there"))?, 0),
    };
    if unit_price < 0 {
        return Err("the price is negative".to_owned());
    }
    let goods = unit_price.checked_mul(units).ok_or("the price is too large for this quantity")?;
    let discount = match (amount("line_discount")?, total) {
        (Some(discount), _) => discount.abs() + rounded,
        (None, Some(total)) => goods - total,
        (None, None) => rounded,
    };
    if discount < 0 || discount > goods {
        return Err(format!("its discount comes to {discount}, and it is worth {goods} (minor units)"));
    }
    let tax = amount("line_tax")?.unwrap_or(0);
    if tax < 0 {
        return Err("its tax is negative".to_owned());
    }
    let line_id = columns.text("line_id", row).into_owned();
    Ok(SaleLine { line_id, sku, quantity, unit_price, discount, tax })
}

/// A complete order, or why it is none.
pub fn sale(
    mapping: &Mapping,
    (values, columns): (&Values, &Columns),
    group: &Group,
    verdict: impl Fn(Verdict) -> bool,
) -> Result<(String, String, What), String> {
    let status = of(&group.head, "status");
    if verdict(Verdict::Canceled) {
        return Err(format!("the order was canceled{}: it moved no stock", told(status)));
    }
    if verdict(Verdict::Partial) {
        return Err("a part of the order has shipped, a part has not: finish it where it began, or enter what is left by hand".to_owned());
    }
    let currency = currency(mapping, &group.head)?;
    let channel = Some(of(&group.head, "channel")).filter(|text| !text.is_empty()).or(mapping.channel.as_deref()).unwrap_or_default();
    let location = Some(of(&group.head, "location")).filter(|text| !text.is_empty()).or(mapping.location.as_deref()).unwrap_or_default();
    let amount = |field: &str| -> Result<Option<i64>, String> {
        let text = of(&group.head, field);
        if text.is_empty() { Ok(None) } else { values.amount(text, currency).map(Some).map_err(|reason| columns.wrong(field, reason)) }
    };
    let (charges, includes, total) = charges(mapping, group, &amount)?;
    let mut sale = Sale {
        name: group.name.clone(),
        channel: channel.to_owned(),
        location: location.to_owned(),
        at: group.at.ok_or("it has no time")?,
        currency,
        prices_include_tax: includes,
        person: person(mapping, &group.head),
        lines: group.lines.iter().map(copy).collect(),
        charges,
        total,
        paid: None,
        note: of(&group.head, "note").to_owned(),
        metadata: metadata(mapping, &group.head),
    };
    if verdict(Verdict::Paid) {
        let worth = amount("paid_amount")?.or(total).unwrap_or_else(|| worth(&sale));
        sale.paid = Some((worth, of(&group.head, "payment_reference").to_owned()));
    }
    let told: Vec<String> =
        sale.lines.iter().map(|line| format!("{} {} {} {}", line.sku, line.quantity, line.unit_price, line.discount)).collect();
    let mut parts: Vec<&str> = told.iter().map(String::as_str).collect();
    let (at, total) = (sale.at.0.to_string(), total.unwrap_or_default().to_string());
    parts.extend([at.as_str(), total.as_str()]);
    Ok((format!("order/{channel}/{}", group.name), digest(&parts), What::Order(Box::new(sale))))
}

fn told(status: &str) -> String {
    if status.is_empty() { String::new() } else { format!(" ({status})") }
}

fn copy(line: &SaleLine) -> SaleLine {
    let SaleLine { line_id, sku, quantity, unit_price, discount, tax } = line;
    SaleLine { line_id: line_id.clone(), sku: sku.clone(), quantity: *quantity, unit_price: *unit_price, discount: *discount, tax: *tax }
}

fn worth(sale: &Sale) -> i64 {
    let tax = |tax: i64| if sale.prices_include_tax { 0 } else { tax };
    let lines: i64 = sale.lines.iter().map(|line| line.unit_price * i64::from(line.quantity) - line.discount + tax(line.tax)).sum();
    lines + sale.charges.iter().map(|(_, amount, with)| amount + tax(*with)).sum::<i64>()
}

type Charges = (Vec<(&'static str, i64, i64)>, bool, Option<i64>);

/// Charges, whether prices include tax, and the total as the file has it.
fn charges(mapping: &Mapping, group: &Group, amount: &impl Fn(&str) -> Result<Option<i64>, String>) -> Result<Charges, String> {
    let goods: i64 = group.lines.iter().map(|line| line.unit_price * i64::from(line.quantity) - line.discount).sum();
    let line_tax: i64 = group.lines.iter().map(|line| line.tax).sum();
    let line_discount: i64 = group.lines.iter().map(|line| line.discount).sum();
    let (shipping, shipping_tax, fees) =
        (amount("shipping")?.unwrap_or(0), amount("shipping_tax")?.unwrap_or(0), amount("fees")?.unwrap_or(0));
    let discount = (amount("discount")?.unwrap_or(0).abs() - line_discount).max(0);
    // Taxes by line are what they are; an order's tax counts where lines have none.
    let order_tax = if line_tax == 0 { (amount("tax")?.unwrap_or(0) - shipping_tax).max(0) } else { 0 };
    let total = amount("total")?;
    let parts = goods + shipping + fees - discount;
    let taxed = parts + line_tax + shipping_tax + order_tax;
    let includes = match (mapping.prices_include_tax, total) {
        (IncludesTax::Yes, _) => true,
        (IncludesTax::No, _) | (IncludesTax::Auto, None) => false,
        (IncludesTax::Auto, Some(total)) => (total - parts).abs() < (total - taxed).abs(),
    };
    let sum = if includes { parts } else { taxed };
    let mut charges = Vec::new();
    let mut charge = |kind, amount: i64, tax: i64| {
        if amount != 0 || tax != 0 {
            charges.push((kind, amount, tax));
        }
    };
    charge("shipping", shipping, shipping_tax);
    charge("fees", fees, 0);
    charge("discount", -discount, 0);
    if !includes {
        charge("tax", order_tax, 0);
    }
    match total {
        Some(total) if total != sum && mapping.difference == Difference::Reject => Err(format!(
            "its parts add up to {sum}, the file says {total} (minor units); set difference = \"charge\" in the mapping to take it all the same"
        )),
        Some(total) => {
            charge("difference", total - sum, 0);
            Ok((charges, includes, Some(total)))
        }
        None => Ok((charges, includes, None)),
    }
}

fn person(mapping: &Mapping, head: &[String]) -> Person {
    let text = |field: &str| of(head, field).to_owned();
    Person {
        // Spreadsheets make numbers of ids.
        customer: of(head, "customer").trim_end_matches(".0").to_owned(),
        email: text("email"),
        name: text("customer_name"),
        phone: text("phone"),
        ship_name: text("ship_name"),
        company: text("ship_company"),
        line1: text("ship_line1"),
        line2: text("ship_line2"),
        city: text("ship_city"),
        region: text("ship_region"),
        postal_code: text("ship_postal_code").trim_start_matches('\'').to_owned(),
        country: country(mapping, of(head, "country")).unwrap_or_default(),
    }
}

fn country(mapping: &Mapping, text: &str) -> Option<String> {
    if text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        return Some(text.to_uppercase());
    }
    mapping.countries.get(text).cloned()
}

/// What has no field of its own, and names nobody.
fn metadata(mapping: &Mapping, head: &[String]) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let country_text = of(head, "country");
    if !country_text.is_empty() && country(mapping, country_text).is_none() {
        rows.push(("country", country_text.to_owned()));
    }
    for field in ["status", "payment_status", "refunded", "tax"] {
        let text = of(head, field);
        let nothing = text.bytes().all(|byte| b"0.,".contains(&byte)) && matches!(field, "refunded" | "tax");
        if !text.is_empty() && !nothing {
            rows.push((field, text.chars().take(100).collect()));
        }
    }
    rows
}
