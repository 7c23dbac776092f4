//! A purchase order as a supplier reads it: in words, and as CSV.

use super::failure;
use super::locale::Locale;
use super::write::nobody;
use crate::connectors::smtp::Attachment;
use domain::Image;
use domain::catalog::Location;
use domain::command::notification::Posted;
use domain::purchasing::{PurchaseOrder, Supplier};
use engine::{ReadError, Reader};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

/// A purchase order with what it names.
pub struct Paper {
    pub order: Arc<PurchaseOrder>,
    pub supplier: Arc<Supplier>,
    location: Option<Arc<Location>>,
    /// Names of the items, in the order of the lines.
    names: Vec<String>,
    locale: Locale,
}

/// # Errors
/// What is recorded instead, when the store cannot be read.
pub fn paper(reader: &Reader, order: &Arc<PurchaseOrder>) -> Result<Paper, Posted> {
    gather(reader, order)
        .map_err(|error| Posted::Later(failure("store", error.to_string())))?
        .ok_or_else(|| nobody("supplier", "there is no such supplier"))
}

fn gather(reader: &Reader, order: &Arc<PurchaseOrder>) -> Result<Option<Paper>, ReadError> {
    let Some(Image::Supplier(_, Some(supplier))) = reader.entity("supplier", order.supplier.as_str())? else { return Ok(None) };
    let location = match reader.entity("location", order.location.as_str())? {
        Some(Image::Location(_, location)) => location,
        _ => None,
    };
    let mut names = Vec::with_capacity(order.lines.len());
    for line in &order.lines {
        let item = reader.entity("item", line.sku.as_str())?;
        names.push(match item {
            Some(Image::Item(_, Some(item))) => item.name.to_string(),
            _ => line.sku.to_string(),
        });
    }
    let locale = Locale::parse(supplier.metadata.get("locale").map_or("en", |tag| tag.as_str()));
    Ok(Some(Paper { order: order.clone(), supplier, location, names, locale }))
}

impl Paper {
    pub fn subject(&self) -> String {
        format!("Purchase order {}", self.order.id)
    }

    fn address(&self) -> Vec<String> {
        let Some(location) = &self.location else { return vec![self.order.location.to_string()] };
        let address = &location.address;
        let town = [&address.postal_code, &address.city, &address.region].into_iter().flatten().map(|part| part.as_str());
        let town = town.collect::<Vec<_>>().join(" ");
        let rows = [Some(location.name.to_string()), address.line1.as_ref().map(ToString::to_string), Some(town)];
        let rows = rows.into_iter().flatten().filter(|row| !row.is_empty());
        rows.chain(std::iter::once(address.country.to_string())).collect()
    }

    pub fn text(&self) -> String {
        let (order, locale) = (&self.order, &self.locale);
        let money = |amount: domain::money::Amount| locale.money(amount.get(), order.currency.as_str());
        let mut text = format!("Purchase order {}\n", order.id);
        if let Some(reference) = &order.reference {
            let _ = writeln!(text, "Our reference: {reference}");
        }
        let _ = writeln!(text, "\nPlease deliver:\n");
        for (line, name) in order.lines.iter().zip(&self.names) {
            let expected = line.expected_on.map(|day| format!(", expected {}", locale.date(day))).unwrap_or_default();
            let _ =
                writeln!(text, "{} × {} {name}, {} each{expected}", locale.number(line.ordered.signed()), line.sku, money(line.unit_cost));
        }
        let _ = writeln!(text, "\nTotal: {}\n\nDeliver to:\n{}", money(order.total()), self.address().join("\n"));
        let _ = writeln!(text, "\nThe same lines are attached as {}. Please confirm this order with its number.", self.file());
        text
    }

    fn file(&self) -> String {
        format!("{}.csv", self.order.id)
    }

    /// `purchase_order,sku,name,quantity,unit_cost,currency,expected_on`; money in minor units.
    pub fn csv(&self) -> Attachment {
        let mut csv = String::from("purchase_order,sku,name,quantity,unit_cost_minor,currency,expected_on\r\n");
        for (line, name) in self.order.lines.iter().zip(&self.names) {
            let expected = line.expected_on.map(|day| day.to_string()).unwrap_or_default();
            let fields = [
                self.order.id.to_string(),
                line.sku.to_string(),
                name.clone(),
                line.ordered.to_string(),
                line.unit_cost.to_string(),
                self.order.currency.to_string(),
                expected,
            ];
            csv.push_str(&fields.map(|field| quoted(&field)).join(","));
            csv.push_str("\r\n");
        }
        Attachment { name: self.file(), content_type: "text/csv; charset=utf-8", bytes: csv.into_bytes() }
    }

    /// What a supplier's webhook gets.
    pub fn json(&self) -> Value {
        let lines = self.order.lines.iter().zip(&self.names).map(|(line, name)| {
            json!({"sku": line.sku, "name": name, "quantity": line.ordered, "unit_cost": line.unit_cost, "expected_on": line.expected_on})
        });
        json!({
            "object": "purchase_order", "id": self.order.id, "supplier": self.supplier.code, "reference": self.order.reference,
            "currency": self.order.currency, "total": self.order.total(), "deliver_to": self.address(), "location": self.order.location,
            "sent_at": self.order.sent_at, "lines": lines.collect::<Vec<_>>(),
        })
    }
}

/// A CSV field (RFC 4180). A text that a spreadsheet would take for a formula is kept a text.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@']) && field.parse::<f64>().is_err();
    let guarded = if formula { format!("'{field}") } else { field.to_owned() };
    if guarded.contains([',', '"', '\r', '\n']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_field_stays_one_field_and_no_formula() {
        for (field, text) in
            [("mug", "mug"), ("red, big", "\"red, big\""), ("5\" pot", "\"5\"\" pot\""), ("=1+1", "'=1+1"), ("-5", "-5"), ("@x", "'@x")]
        {
            assert_eq!(quoted(field), text);
        }
    }
}
