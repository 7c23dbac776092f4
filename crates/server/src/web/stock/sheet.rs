//! A page about units of several SKUs: a transfer, a count.

use super::super::show::{self, Badge};
use super::super::visit::{Frame, Visit};
use askama::Template;
use domain::id::Sku;

/// A SKU with what is told of it, a cell a column.
pub struct Row {
    pub sku: String,
    pub href: String,
    pub name: String,
    pub cells: Vec<String>,
}

#[derive(Template)]
#[template(path = "sheet.html")]
pub struct Sheet {
    pub frame: Frame,
    pub title: String,
    pub badge: Badge,
    pub about: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
    pub facts: Vec<(&'static str, String)>,
    pub actions: Vec<(&'static str, String, bool)>,
    /// Its events: `transfer/tr_1`.
    pub subject: String,
}

/// A row of the SKU by its name.
pub fn row(visit: &Visit, sku: &Sku, cells: Vec<String>) -> Row {
    let name = visit.now().items.get(sku).map_or_else(String::new, |item| item.name.to_string());
    Row { sku: sku.to_string(), href: show::stock_path(sku.as_str()), name, cells }
}
