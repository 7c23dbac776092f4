//! A form that says what it will do before it does it: every action of the dashboard is one of these.
//!
//! Its page is asked with `GET`; the fields may stand in the query, and what [`Form::says`] tells follows them (the script asks again
//! as somebody types; without script there is a button). `POST` does it.

use super::Answer;
use super::fault::Fault;
use super::fields::Fields;
use super::visit::{Frame, Visit};
use askama::Template;
use axum::http::StatusCode;

#[derive(Default)]
pub struct Form {
    /// `Cancel order 1001`.
    pub title: String,
    pub section: &'static str,
    /// What will happen when the button is pressed, one sentence each.
    pub says: Vec<String>,
    pub inputs: Vec<Input>,
    pub table: Option<Table>,
    /// What the button does, as a verb: `Cancel order`.
    pub button: String,
    /// It takes something away.
    pub danger: bool,
    /// Where to go instead.
    pub back: String,
    /// What it says depends on its fields.
    pub live: bool,
    /// Where it is sent to; empty for its own address.
    pub action: String,
    /// It asks again instead of doing something.
    pub gets: bool,
    /// Several hidden fields have one name: each keeps its own value.
    pub keeps_hidden: bool,
}

#[derive(Default, Clone)]
pub struct Input {
    pub kind: Kind,
    pub name: String,
    pub label: String,
    pub value: String,
    pub hint: String,
    pub required: bool,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub options: Vec<(String, String)>,
    /// Also numbers of a phone's keyboard, barcodes: no correction, no capitals.
    pub code: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Text,
    Number,
    Date,
    Select,
    Check,
    Area,
    Hidden,
}

/// Rows with a field each, such as the lines of an order.
#[derive(Default)]
pub struct Table {
    pub columns: Vec<&'static str>,
    pub rows: Vec<(Vec<String>, Vec<Input>)>,
}

impl Input {
    pub fn text(name: &str, label: &str) -> Self {
        Self { name: name.to_owned(), label: label.to_owned(), ..Self::default() }
    }

    pub fn number(name: &str, label: &str, min: i64, max: Option<i64>) -> Self {
        Self { kind: Kind::Number, min: Some(min), max, ..Self::text(name, label) }
    }

    pub fn select(name: &str, label: &str, options: Vec<(String, String)>) -> Self {
        Self { kind: Kind::Select, options, required: true, ..Self::text(name, label) }
    }

    pub fn check(name: &str, label: &str) -> Self {
        Self { kind: Kind::Check, ..Self::text(name, label) }
    }

    pub fn date(name: &str, label: &str) -> Self {
        Self { kind: Kind::Date, ..Self::text(name, label) }
    }

    pub fn area(name: &str, label: &str) -> Self {
        Self { kind: Kind::Area, ..Self::text(name, label) }
    }

    pub fn hidden(name: &str, value: impl Into<String>) -> Self {
        Self { kind: Kind::Hidden, value: value.into(), ..Self::text(name, "") }
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    #[must_use]
    pub fn code(mut self) -> Self {
        self.code = true;
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What stands in it unless the person has typed something.
    #[must_use]
    pub fn value(mut self, value: impl ToString) -> Self {
        self.value = value.to_string();
        self
    }

    fn is_checked(&self) -> bool {
        self.kind == Kind::Check && !self.value.is_empty()
    }

    fn keep(&mut self, fields: &Fields) {
        if self.kind == Kind::Check {
            if !fields.is_empty() {
                fields.text(&self.name).clone_into(&mut self.value);
            }
        } else if fields.has(&self.name) {
            fields.text(&self.name).clone_into(&mut self.value);
        }
    }
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage<'a> {
    frame: Frame,
    form: &'a Form,
    error: Option<&'a Fault>,
    once: String,
}

impl Form {
    pub fn input(mut self, input: Input) -> Self {
        self.inputs.push(input);
        self
    }

    #[must_use]
    pub fn say(mut self, sentence: impl Into<String>) -> Self {
        self.says.push(sentence.into());
        self
    }

    /// Shows it, with what the person typed so far.
    ///
    /// # Errors
    /// When the template fails.
    pub fn show(self, visit: &Visit) -> Answer {
        let fields = visit.query.clone();
        self.render(visit, &fields, None)
    }

    /// Shows it again with what was typed and why it was not done.
    ///
    /// # Errors
    /// When the template fails.
    pub fn refuse(self, visit: &Visit, fault: &Fault) -> Answer {
        let fields = visit.form.clone();
        self.render(visit, &fields, Some(fault))
    }

    fn render(mut self, visit: &Visit, fields: &Fields, error: Option<&Fault>) -> Answer {
        for input in self.inputs.iter_mut().chain(self.table.iter_mut().flat_map(|table| &mut table.rows).flat_map(|(_, inputs)| inputs)) {
            if !(self.keeps_hidden && input.kind == Kind::Hidden) {
                input.keep(fields);
            }
        }
        if self.action.is_empty() {
            self.action = visit.path.clone();
        }
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).map_err(Fault::internal)?;
        let once = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let frame = visit.frame(self.title.clone(), self.section, "");
        let status = error.map_or(StatusCode::OK, |fault| fault.status);
        visit.show_as(status, &FormPage { frame, form: &self, error, once })
    }
}
