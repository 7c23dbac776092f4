//! Templates and texts: shipped in the binary, overridden by files of the shop.
//!
//! Looked up in `<data folder>/templates`, for a German mail about a shipment: `de-CH/shipped.html`, `de/shipped.html`, `shipped.html`,
//! then the same for `mail.html`, then ours. Single lines of text are overridden in `de/messages.toml`. Files are read when a mail is
//! written, so that a change shows at once; one that does not work is reported, and ours is used instead.

use super::contents::Contents;
use super::locale::Locale;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use std::path::PathBuf;

/// Steps that a template may take: far beyond a mail with 1,500 lines, far below a loop without end.
const FUEL: u64 = 2_000_000;
/// Largest template or text file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024;

const MAIL_TEXT: &str = include_str!("text/mail.txt");
const MAIL_HTML: &str = include_str!("text/mail.html");
const ENGLISH: &str = include_str!("text/en.toml");
const GERMAN: &str = include_str!("text/de.toml");
const FRENCH: &str = include_str!("text/fr.toml");

/// A mail in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// What is wrong with a file of the shop; ours was used instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The shop's folder of templates, which need not exist.
#[derive(Debug, Clone)]
pub struct Templates {
    folder: PathBuf,
}

/// The texts of one language, with what the shop changed.
pub struct Texts {
    table: toml::Table,
    fallback: toml::Table,
    problem: Option<String>,
}

impl Texts {
    /// A text with its blanks filled in; its own name where there is none.
    pub fn say(&self, section: &str, name: &str, values: &[(&str, &str)]) -> String {
        let found = [&self.table, &self.fallback].into_iter().find_map(|table| table.get(section)?.get(name)?.as_str());
        let mut text = found.unwrap_or(name).to_owned();
        for (blank, value) in values {
            text = text.replace(&format!("{{{blank}}}"), value);
        }
        text
    }

    /// A section whole, for templates.
    pub fn section(&self, section: &str) -> toml::Table {
        let of = |table: &toml::Table| table.get(section).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let mut merged = of(&self.fallback);
        merged.extend(of(&self.table));
        merged
    }
}

impl Templates {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn read(&self, name: &str) -> Result<Option<String>, String> {
        let path = self.folder.join(name);
        match std::fs::metadata(&path) {
            Ok(meta) if meta.len() > FILE_BYTES_MAX => Err(format!("{} is larger than {FILE_BYTES_MAX} bytes", path.display())),
            Ok(_) => std::fs::read_to_string(&path).map(Some).map_err(|error| format!("{}: {error}", path.display())),
            Err(_) => Ok(None),
        }
    }

    /// Folders from the most to the least special.
    fn places(locale: &Locale) -> Vec<String> {
        let mut places = Vec::new();
        if locale.region.is_some() {
            places.push(format!("{}/", locale.tag()));
        }
        places.push(format!("{}/", locale.language));
        places.push(String::new());
        places
    }

    /// The texts of a language: the shop's lines over ours, over English.
    pub fn texts(&self, locale: &Locale) -> Texts {
        let own = match locale.language.as_str() {
            "de" => GERMAN,
            "fr" => FRENCH,
            _ => ENGLISH,
        };
        let parse = |text: &str| toml::from_str::<toml::Table>(text).expect("our texts are read by a test");
        let (mut table, mut problem) = (parse(own), None);
        for place in Self::places(locale).iter().rev().filter(|place| !place.is_empty()) {
            let name = format!("{place}messages.toml");
            let read = self
                .read(&name)
                .and_then(|text| text.map(|text| toml::from_str::<toml::Table>(&text)).transpose().map_err(|e| e.to_string()));
            match read {
                Ok(Some(over)) => overlay(&mut table, over),
                Ok(None) => {}
                Err(error) => problem = Some(format!("{name}: {error}")),
            }
        }
        Texts { table, fallback: parse(ENGLISH), problem }
    }

    /// Writes a mail, with the shop's templates where they work.
    pub fn render(&self, contents: &Contents, texts: &Texts, locale: &Locale) -> Rendered {
        let mut problem = texts.problem.clone();
        let mut write = |extension: &str, own: &str| {
            let (found, base) = match self.overrides(contents.topic, extension, locale) {
                Ok(found) => found,
                Err(error) => {
                    problem = Some(error);
                    (None, None)
                }
            };
            let base = base.as_deref().unwrap_or(own);
            if let Some((name, text)) = found {
                match fill(&name, &text, extension, base, contents) {
                    Ok(written) => return written,
                    Err(error) => problem = Some(error),
                }
            }
            match fill(&format!("mail.{extension}"), base, extension, own, contents) {
                Ok(written) => written,
                Err(error) => {
                    problem = Some(error);
                    fill("mail", own, extension, own, contents).unwrap_or_default()
                }
            }
        };
        let (text, html) = (write("txt", MAIL_TEXT), write("html", MAIL_HTML));
        Rendered { subject: contents.subject.clone(), text: tidy(&text), html, problem }
    }

    /// The shop's template for a topic with its name, and the shop's template for all mails.
    fn overrides(&self, topic: &str, extension: &str, locale: &Locale) -> Result<(Option<(String, String)>, Option<String>), String> {
        let mut special = None;
        let mut base = None;
        for place in Self::places(locale) {
            let name = format!("{place}{topic}.{extension}");
            if special.is_none() {
                special = self.read(&name)?.map(|text| (name, text));
            }
            if base.is_none() {
                base = self.read(&format!("{place}mail.{extension}"))?;
            }
        }
        Ok((special, base))
    }
}

fn overlay(table: &mut toml::Table, over: toml::Table) {
    for (section, lines) in over {
        match (table.get_mut(&section), lines) {
            (Some(toml::Value::Table(known)), toml::Value::Table(lines)) => known.extend(lines),
            (_, lines) => {
                table.insert(section, lines);
            }
        }
    }
}

/// Fills a template in. It may extend `mail.txt` or `mail.html`: `base`.
fn fill(name: &str, text: &str, extension: &str, base: &str, contents: &Contents) -> Result<String, String> {
    let (base_name, this) = (format!("mail.{extension}"), format!("this.{extension}"));
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    let escape = if extension == "html" { AutoEscape::Html } else { AutoEscape::None };
    environment.set_auto_escape_callback(move |_| escape);
    let told = |error: minijinja::Error| format!("{name}: {error:#}");
    environment.add_template(&base_name, base).map_err(told)?;
    environment.add_template(&this, text).map_err(told)?;
    environment.get_template(&this).and_then(|template| template.render(contents)).map_err(told)
}

/// At most one empty line between two paragraphs.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 2;
    for line in text.lines() {
        // The signature's mark is two dashes and a blank.
        let line = if line == "-- " { line } else { line.trim_end() };
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use domain::notification::TopicKind;

    fn templates(files: &[(&str, &str)]) -> (tempfile::TempDir, Templates) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let templates = Templates::new(folder.path().to_owned());
        (folder, templates)
    }

    #[test]
    fn every_language_has_every_text() {
        let names = |text: &str| {
            let table: toml::Table = toml::from_str(text).unwrap();
            let lines = table
                .iter()
                .flat_map(|(section, lines)| lines.as_table().unwrap().keys().map(|name| format!("{section}.{name}")).collect::<Vec<_>>());
            lines.collect::<Vec<_>>()
        };
        assert_eq!(names(GERMAN), names(ENGLISH));
        assert_eq!(names(FRENCH), names(ENGLISH));
    }

    #[test]
    fn every_topic_is_written_in_every_language() {
        let (_folder, templates) = templates(&[]);
        for topic in TopicKind::ALL {
            for tag in ["en-US", "de", "fr-FR"] {
                let locale = Locale::parse(tag);
                let texts = templates.texts(&locale);
                let rendered = templates.render(&sample::contents(topic, "Acme", &texts, &locale), &texts, &locale);
                assert_eq!(rendered.problem, None, "{topic:?} {tag}");
                assert!(rendered.subject.contains("1001"), "{topic:?} {tag}: {}", rendered.subject);
                assert!(!rendered.text.contains('{') && !rendered.html.contains('{'), "{topic:?} {tag}: {}", rendered.text);
                assert!(rendered.html.contains("&lt;Ada&gt;") || !rendered.html.contains("<Ada>"), "{}", rendered.html);
            }
        }
    }

    #[test]
    fn a_confirmation_reads_like_a_letter() {
        let (_folder, templates) = templates(&[]);
        let locale = Locale::parse("en-US");
        let texts = templates.texts(&locale);
        let text = templates.render(&sample::contents(TopicKind::OrderConfirmed, "Acme", &texts, &locale), &texts, &locale).text;
        for part in [
            "Hello <Ada> Lovelace,\n\nThank you for your order.",
            "2 × Red mug & saucer  $25.98\n2 × Tee, grün  $24.02\n    ships by December 4, 2026\n",
            "Shipping: $5.41\nTotal: $56.40\n",
            "See your order or cancel it: https://shop.example.com/status/sample\n",
            "\n-- \nAcme\n",
        ] {
            assert!(text.contains(part), "{part:?} is missing:\n{text}");
        }
    }

    #[test]
    fn the_shops_files_win_and_may_extend_ours() {
        let (_folder, templates) = templates(&[
            ("de/messages.toml", "[subject]\nshipped = \"{number} rollt\"\n"),
            ("de/shipped.txt", "{% extends \"mail.txt\" %}{% block intro %}Los geht's: {{ order.number }}{% endblock %}"),
            ("shipped.html", "<p>{{ greeting }}</p>"),
        ]);
        let locale = Locale::parse("de-AT");
        let texts = templates.texts(&locale);
        let rendered = templates.render(&sample::contents(TopicKind::Shipped, "Acme", &texts, &locale), &texts, &locale);
        assert_eq!((rendered.subject.as_str(), rendered.problem.as_deref()), ("1001 rollt", None));
        assert!(rendered.text.contains("Los geht's: 1001") && rendered.text.contains("1Z9"), "{}", rendered.text);
        assert_eq!(rendered.html, "<p>Guten Tag &lt;Ada&gt; Lovelace,</p>");
    }

    #[test]
    fn a_file_that_does_not_work_is_told_and_ours_is_used() {
        for broken in ["{% if %}", "{% for x in range(9000) %}{% for y in range(9000) %}.{% endfor %}{% endfor %}"] {
            let (_folder, templates) = templates(&[("shipped.txt", broken)]);
            let locale = Locale::parse("en");
            let texts = templates.texts(&locale);
            let rendered = templates.render(&sample::contents(TopicKind::Shipped, "Acme", &texts, &locale), &texts, &locale);
            assert!(rendered.problem.as_deref().is_some_and(|problem| problem.contains("shipped.txt")), "{:?}", rendered.problem);
            assert!(rendered.text.contains("1Z9"), "{}", rendered.text);
        }
    }
}
