//! What each row is: part of an order, a return, an adjustment, or something for a person to look at.

use super::mapping::{Mapping, OpeningBalance};
use anyhow::{Context, Result};
use domain::id::Sku;
use domain::limits::QUANTITY_MAX;
use domain::time::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What the file says, in the order in which it says it.
pub enum Unit {
    Order { name: String, at: Timestamp, customer: Option<String>, country: Option<String>, lines: Vec<Line> },
    Return { name: String, at: Timestamp, lines: Vec<Line> },
    Adjustment { row: u64, at: Timestamp, sku: Sku, delta: i64, reason: String },
}

pub struct Line {
    pub sku: Sku,
    pub quantity: u32,
    /// Minor units.
    pub price: i64,
}

pub struct Rejected {
    /// Line of the file, the header is 1.
    pub row: u64,
    pub reason: String,
    pub text: String,
}

#[derive(Default)]
pub struct History {
    pub units: Vec<Unit>,
    pub rejected: Vec<Rejected>,
    pub rows: u64,
    /// Name and whether it is no goods.
    pub items: BTreeMap<Sku, (String, bool)>,
    /// Units of each SKU by class: sold, returned, adjusted.
    pub classes: BTreeMap<Sku, [i64; 3]>,
    /// Units that each SKU opens with.
    pub opening: BTreeMap<Sku, i64>,
}

/// A row whose fields were found.
struct Row<'a> {
    order: &'a str,
    sku: Sku,
    name: &'a str,
    quantity: i64,
    at: Timestamp,
    price: i64,
    customer: &'a str,
    country: &'a str,
}

struct Reader {
    columns: [Option<usize>; 8],
    zone: TimeZone,
    format: String,
    last: Option<(String, Timestamp)>,
}

pub fn classify(mapping: &Mapping, input: impl std::io::Read) -> Result<History> {
    let mut file = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let mut reader = Reader::new(mapping, file.byte_headers()?)?;
    let mut history = History::default();
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    let mut record = csv::ByteRecord::new();
    loop {
        let row = history.rows + 2;
        match file.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                history.rows += 1;
                history.rejected.push(Rejected { row, reason: error.to_string(), text: String::new() });
                continue;
            }
        }
        history.rows += 1;
        let fields: Vec<String> = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        let outcome = reader.row(&fields).and_then(|found| take(mapping, &mut history, &mut open, row, found));
        if let Err(reason) = outcome {
            history.rejected.push(Rejected { row, reason, text: fields.join(",") });
        }
    }
    if mapping.opening_balance == OpeningBalance::DeepestDeficit {
        history.open_the_books();
    }
    Ok(history)
}

impl Reader {
    fn new(mapping: &Mapping, header: &csv::ByteRecord) -> Result<Self> {
        let find =
            |name: &str| header.iter().position(|field| String::from_utf8_lossy(field).trim_start_matches('\u{feff}').trim() == name);
        let columns = &mapping.columns;
        let wanted = [
            Some(&columns.order),
            Some(&columns.sku),
            Some(&columns.name),
            Some(&columns.quantity),
            Some(&columns.time),
            Some(&columns.price),
            columns.customer.as_ref(),
            columns.country.as_ref(),
        ];
        let mut found = [None; 8];
        for (at, name) in wanted.into_iter().enumerate() {
            if let Some(name) = name {
                found[at] =
                    Some(find(name).with_context(|| format!("the file has no column \"{name}\"; correct the mapping's [columns]"))?);
            }
        }
        let zone = TimeZone::get(&mapping.time_zone).with_context(|| format!("no time zone \"{}\"", mapping.time_zone))?;
        Ok(Self { columns: found, zone, format: mapping.time_format.clone(), last: None })
    }

    fn row<'a>(&mut self, fields: &'a [String]) -> Result<Row<'a>, String> {
        let columns = self.columns;
        let field = |at: usize| columns[at].and_then(|column| fields.get(column)).map_or("", |field| field.trim());
        let order = field(0);
        if order.is_empty() {
            return Err("it names no order".to_owned());
        }
        let quantity = field(3).parse::<i64>().map_err(|_| format!("\"{}\" is no whole quantity", field(3)))?;
        let at = self.time(order, field(4))?;
        let (name, price) = (field(2), minor_units(field(5))?);
        let sku = Sku::new(field(1)).map_err(|error| error.to_string())?;
        if quantity == 0 || quantity.unsigned_abs() > u64::from(QUANTITY_MAX) {
            return Err(format!("the quantity {quantity} is out of bounds"));
        }
        Ok(Row { order, sku, name, quantity, at, price, customer: field(6), country: field(7) })
    }

    /// Rows that continue an order may leave its time out.
    fn time(&mut self, order: &str, text: &str) -> Result<Timestamp, String> {
        if text.is_empty() {
            let known = self.last.as_ref().filter(|(last, _)| last == order).map(|(_, at)| *at);
            return known.ok_or_else(|| "it has no time".to_owned());
        }
        let wrong = |_| format!("\"{text}\" is no time like {}", self.format);
        let at = if self.format.contains("%z") {
            jiff::Timestamp::strptime(&self.format, text).map_err(wrong)?
        } else {
            let local = DateTime::strptime(&self.format, text).map_err(wrong)?;
            self.zone.to_ambiguous_timestamp(local).later().map_err(wrong)?
        };
        let at = Timestamp(at.as_millisecond());
        self.last = Some((order.to_owned(), at));
        Ok(at)
    }
}

/// Exactly, or not at all.
fn minor_units(text: &str) -> Result<i64, String> {
    let wrong = || format!("\"{text}\" is no price");
    if text.starts_with('-') {
        return Err("the price is negative".to_owned());
    }
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let rest = rest.trim_end_matches('0');
    if rest.len() > 2 {
        return Err(format!("the price {text} has a fraction of a penny"));
    }
    let cents: i64 = format!("{rest:0<2}").parse().map_err(|_| wrong())?;
    let whole: i64 = whole.parse().map_err(|_| wrong())?;
    whole.checked_mul(100).and_then(|minor| minor.checked_add(cents)).ok_or_else(wrong)
}

fn take(mapping: &Mapping, history: &mut History, open: &mut BTreeMap<String, usize>, row: u64, found: Row) -> Result<(), String> {
    let rules = &mapping.rows;
    if let Some(reject) = rules.reject_prefix.as_ref().filter(|reject| found.order.starts_with(&reject.prefix)) {
        return Err(reject.reason.clone());
    }
    let service = rules.services.iter().any(|code| code == found.sku.as_str());
    let returned = rules.return_prefix.as_ref().is_some_and(|prefix| found.order.starts_with(prefix.as_str()));
    let units = u32::try_from(found.quantity.unsigned_abs()).map_err(|_| "the quantity is out of bounds".to_owned())?;
    let line = Line { sku: found.sku.clone(), quantity: units, price: found.price };
    let class = match (returned, found.quantity > 0) {
        (true, true) => return Err("a canceled invoice with a positive quantity".to_owned()),
        (true, false) if service => return Err("a canceled service moves no stock".to_owned()),
        (true, false) => {
            let at = *open.entry(found.order.to_owned()).or_insert(history.units.len());
            match history.units.get_mut(at) {
                Some(Unit::Return { lines, .. }) => lines.push(line),
                _ => history.units.push(Unit::Return { name: found.order.to_owned(), at: found.at, lines: vec![line] }),
            }
            1
        }
        (false, false) if !rules.negative_is_adjustment => return Err("a negative quantity".to_owned()),
        (false, negative_or_free) => {
            let free = negative_or_free && found.price == 0 && found.customer.is_empty();
            if negative_or_free && !free {
                return take_sale(history, open, &found, line, service);
            }
            if service {
                return Err("an adjustment of a service, which has no stock".to_owned());
            }
            let words = found.name.to_lowercase();
            if free && !rules.found_words.iter().any(|word| words.contains(word.as_str())) {
                return Err(format!("given away for nothing to nobody (\"{}\"): was it found?", found.name));
            }
            let reason = if found.name.is_empty() { "unknown".to_owned() } else { found.name.to_owned() };
            let (at, sku, delta) = (found.at, found.sku.clone(), found.quantity);
            history.units.push(Unit::Adjustment { row, at, sku, delta, reason });
            2
        }
    };
    history.count(&found, service, class, found.quantity);
    Ok(())
}

fn take_sale(history: &mut History, open: &mut BTreeMap<String, usize>, found: &Row, line: Line, service: bool) -> Result<(), String> {
    let at = *open.entry(found.order.to_owned()).or_insert(history.units.len());
    match history.units.get_mut(at) {
        Some(Unit::Order { lines, .. }) => lines.push(line),
        _ => {
            let some = |text: &str| Some(text.trim_end_matches(".0").to_owned()).filter(|text| !text.is_empty());
            let (customer, country) = (some(found.customer), some(found.country));
            history.units.push(Unit::Order { name: found.order.to_owned(), at: found.at, customer, country, lines: vec![line] });
        }
    }
    history.count(found, service, 0, found.quantity);
    Ok(())
}

impl History {
    fn count(&mut self, found: &Row, service: bool, class: usize, quantity: i64) {
        let item = self.items.entry(found.sku.clone()).or_insert_with(|| (String::new(), service));
        if item.0.is_empty() && class == 0 {
            item.0 = found.name.to_owned();
        }
        if !service {
            self.classes.entry(found.sku.clone()).or_default()[class] += quantity.abs() * if class == 2 { quantity.signum() } else { 1 };
        }
    }

    /// The deepest that each SKU would fall below zero, over the units in their order.
    fn open_the_books(&mut self) {
        let mut balance: BTreeMap<&Sku, (i64, i64)> = BTreeMap::new();
        let mut moved = |sku, delta: i64| {
            let (now, deepest) = balance.entry(sku).or_default();
            *now += delta;
            *deepest = (*deepest).min(*now);
        };
        for unit in &self.units {
            match unit {
                Unit::Order { lines, .. } => lines.iter().for_each(|line| moved(&line.sku, -i64::from(line.quantity))),
                Unit::Return { lines, .. } => lines.iter().for_each(|line| moved(&line.sku, i64::from(line.quantity))),
                Unit::Adjustment { sku, delta, .. } => moved(sku, *delta),
            }
        }
        let services: Vec<&Sku> = self.items.iter().filter(|(_, (_, service))| *service).map(|(sku, _)| sku).collect();
        let deficits = balance.into_iter().filter(|(sku, (_, deepest))| *deepest < 0 && !services.contains(sku));
        self.opening = deficits.map(|(sku, (_, deepest))| (sku.clone(), -deepest)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,Mug,5,2011-01-01 10:00:00,2.55,17850.0,United Kingdom
1,A,Mug,1,2011-01-01 10:00:00,2.55,17850.0,United Kingdom
1,POST,Postage,1,2011-01-01 10:00:00,3,17850.0,United Kingdom
C2,A,Mug,-2,2011-01-02 10:00:00,2.55,17850.0,United Kingdom
3,A,damaged,-1,2011-01-03 10:00:00,0,,United Kingdom
4,A,found,3,2011-01-04 10:00:00,0,,United Kingdom
5,A,,3,2011-01-04 10:00:00,0,,United Kingdom
6,A,Mug,1,2011-01-04 10:00:00,0.001,1.0,United Kingdom
7,A,Mug,1,2011-01-04 10:00:00,-5,1.0,United Kingdom
A8,B,Adjust bad debt,1,2011-01-04 10:00:00,5,,United Kingdom
9,A,Mug,x,2011-01-04 10:00:00,5,,United Kingdom
";

    #[test]
    fn each_row_is_something_or_is_rejected_with_its_reason() {
        let history = classify(&Mapping::read("online_retail").unwrap(), ROWS.as_bytes()).unwrap();
        assert_eq!((history.rows, history.units.len(), history.rejected.len()), (11, 4, 5));
        let sku = Sku::new("A").unwrap();
        assert_eq!(history.classes[&sku], [6, 2, 2]);
        assert_eq!(history.opening[&sku], 6);
        let reasons: Vec<u64> = history.rejected.iter().map(|rejected| rejected.row).collect();
        assert_eq!(reasons, [8, 9, 10, 11, 12]);
        assert!(history.items[&Sku::new("POST").unwrap()].1);
    }
}
