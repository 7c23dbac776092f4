//! Where the fields of a mapping stand in a file, and what the file calls them: whoever corrects a row knows it by its columns.

use super::mapping::{Encoding, Kind, Mapping, Source};
use super::table::{Place, Row, Table};
use anyhow::Result;
use domain::Rejection;
use std::borrow::Cow;
use std::collections::BTreeMap;

pub struct Columns {
    kind: Kind,
    encoding: Encoding,
    of: BTreeMap<String, (Place, String)>,
}

impl Columns {
    pub fn of(table: &Table, mapping: &Mapping) -> Result<Self> {
        let of = mapping.columns.iter().map(|(field, source)| {
            let place = table.find(mapping, field)?;
            Ok((field.clone(), (place, told(field, source))))
        });
        Ok(Self { kind: mapping.kind, encoding: table.encoding(), of: of.collect::<Result<_>>()? })
    }

    pub fn is_given(&self, field: &str) -> bool {
        self.of.get(field).is_some_and(|(place, _)| place.is_given())
    }

    /// Without blanks around it; empty when there is none.
    pub fn text<'a>(&'a self, field: &str, row: &'a Row) -> Cow<'a, str> {
        self.of.get(field).map_or(Cow::Borrowed(""), |(place, _)| place.text(row, self.encoding))
    }

    /// As the file has it; the field's own name where the mapping takes it from nowhere.
    pub fn name<'a>(&'a self, field: &'a str) -> &'a str {
        self.of.get(field).map_or(field, |(_, name)| name)
    }

    /// Puts the column before a reason.
    pub fn wrong(&self, field: &str, reason: impl std::fmt::Display) -> String {
        format!("{}: {reason}", self.name(field))
    }

    /// What the rules say, with the column that it is about.
    pub fn told(&self, rejection: &Rejection, rows: &[Row]) -> String {
        if self.kind == Kind::Orders {
            return rejection.detail();
        }
        match rejection {
            Rejection::Invalid { field, problem } => self.wrong(self.field(field), format!("{problem}.")),
            Rejection::NotFound { kind, id } => match self.naming(kind, id, rows) {
                Some(field) => self.wrong(field, rejection.detail()),
                None => rejection.detail(),
            },
            _ => rejection.detail(),
        }
    }

    /// Our field for one of the rules: theirs name places within a command.
    fn field<'a>(&self, theirs: &'a str) -> &'a str {
        let head = theirs.split(['[', '.']).next().unwrap_or(theirs);
        match head {
            "address" => theirs.rsplit('.').next().unwrap_or(theirs),
            "cutoff_minute" => "cutoff",
            "ordered_at" => "time",
            "lines" | "delta" if matches!(self.kind, Kind::Stock | Kind::PurchaseOrders) => "quantity",
            other => other,
        }
    }

    /// The field whose text names the thing that is not there.
    fn naming(&self, kind: &str, id: &str, rows: &[Row]) -> Option<&'static str> {
        let candidates: &[&'static str] = match kind {
            "item" => &["sku", "components"],
            "location" => &["location", "source_location"],
            "supplier" => &["supplier"],
            _ => &[],
        };
        let holds = |field: &str, is: fn(&str, &str) -> bool| rows.iter().any(|row| is(&self.text(field, row), id));
        let exactly = candidates.iter().find(|field| holds(field, |text, id| text == id));
        exactly.or_else(|| candidates.iter().find(|field| holds(field, |text, id| text.contains(id)))).copied()
    }
}

fn told(field: &str, source: &Source) -> String {
    match source {
        Source::Column(name) => name.clone(),
        Source::First(names) => names.join(" or "),
        Source::Join { join } => join.join(" and "),
        Source::Value { .. } => field.to_owned(),
    }
}
