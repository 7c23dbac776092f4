//! Fields of a query or a form, in the order in which they came.

use super::fault::Fault;
use std::str::FromStr;

#[derive(Debug, Default, Clone)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// `a=1&b=2`, percent-encoded as browsers send it.
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The field without blanks around it; empty when it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// `None` when it is missing or empty.
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fields whose name begins so: the rest of the name, and the value when it is not empty.
    pub fn starting<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let rows = self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.trim())));
        rows.filter(|(_, value)| !value.is_empty())
    }

    /// As its type; `None` when it is missing or empty.
    ///
    /// # Errors
    /// When it is not of that type, in words for the person who typed it.
    pub fn maybe<T: FromStr>(&self, name: &str, label: &str) -> Result<Option<T>, Fault>
    where
        T::Err: std::fmt::Display,
    {
        let Some(text) = self.some(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|error: T::Err| {
            // The words of the standard library are for programmers.
            let why = match error.to_string().as_str() {
                "invalid digit found in string" => format!("“{text}” is no whole number"),
                why if why.starts_with("number too") => format!("{text} is out of bounds"),
                why => why.to_owned(),
            };
            Fault::invalid(format!("{label}: {why}."))
        })
    }

    /// As its type.
    ///
    /// # Errors
    /// When it is missing or not of that type.
    pub fn need<T: FromStr>(&self, name: &str, label: &str) -> Result<T, Fault>
    where
        T::Err: std::fmt::Display,
    {
        self.maybe(name, label)?.ok_or_else(|| Fault::invalid(format!("{label} is missing.")))
    }

    /// The fields again as a query, without those named, with others added.
    pub fn query(&self, without: &[&str], with: &[(&str, &str)]) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.0.iter().filter(|(name, value)| !without.contains(&name.as_str()) && !value.is_empty()) {
            out.append_pair(name, value);
        }
        for (name, value) in with.iter().filter(|(_, value)| !value.is_empty()) {
            out.append_pair(name, value);
        }
        out.finish()
    }
}

/// Text for one part of a path or query.
pub fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
