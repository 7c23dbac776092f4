//! The file of rejected rows: line, reason, and the row as it was, so that it can be corrected and imported itself.

use super::mapping::Encoding;
use super::table::{Row, text_of};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// Reasons that are told on the screen.
const REASONS_SHOWN: usize = 12;
/// Columns that are put before those of the file.
const HEAD: [&str; 2] = ["line", "reason"];

pub struct Rejects {
    path: PathBuf,
    /// Of the file that is imported.
    header: Vec<String>,
    encoding: Encoding,
    writer: Option<csv::Writer<BufWriter<File>>>,
    pub rows: u64,
    /// How often, and on which line first.
    reasons: BTreeMap<String, (u64, u64)>,
}

impl Rejects {
    pub fn new(path: PathBuf, header: &[String], encoding: Encoding) -> Self {
        Self { path, header: header.to_vec(), encoding, writer: None, rows: 0, reasons: BTreeMap::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn add(&mut self, row: &Row, reason: &str) -> Result<()> {
        self.rows += 1;
        self.reasons.entry(common(reason)).or_insert((0, row.line)).0 += 1;
        let skipped = self.skipped();
        let encoding = self.encoding;
        let head = [row.line.to_string(), reason.to_owned()];
        let fields = row.record.iter().skip(skipped).map(|field| text_of(field, encoding).into_owned());
        let record: Vec<String> = head.into_iter().chain(fields).collect();
        let path = self.path.display().to_string();
        self.writer()?.write_record(record).with_context(|| format!("{path} can't be written"))
    }

    /// A file of rejects that is imported again has our columns already.
    fn skipped(&self) -> usize {
        if self.header.iter().take(2).eq(HEAD.iter()) { 2 } else { 0 }
    }

    fn writer(&mut self) -> Result<&mut csv::Writer<BufWriter<File>>> {
        if self.writer.is_none() {
            let file = File::create(&self.path).with_context(|| {
                format!("the rejected rows can't be written to {}; name another place with --rejects", self.path.display())
            })?;
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(BufWriter::new(file));
            let columns = self.header.iter().skip(self.skipped()).map(String::as_str);
            writer.write_record(HEAD.into_iter().chain(columns))?;
            self.writer = Some(writer);
        }
        self.writer.as_mut().context("made above")
    }

    pub fn finish(&mut self) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.flush().with_context(|| format!("{} can't be written", self.path.display()))?;
        }
        Ok(())
    }

    /// The most frequent reasons, each with the line where it was first met.
    pub fn told(&self) -> Vec<String> {
        let lines = self.sorted().into_iter().take(REASONS_SHOWN);
        lines.map(|(reason, (count, line))| format!("{count:>8}  {reason}, first on line {line}")).collect()
    }

    pub fn json(&self) -> Value {
        let rows = self.sorted().into_iter().map(|(reason, (count, line))| json!({"reason": reason, "rows": count, "first_line": line}));
        rows.collect()
    }

    fn sorted(&self) -> Vec<(&String, (u64, u64))> {
        let mut reasons: Vec<_> = self.reasons.iter().map(|(reason, count)| (reason, *count)).collect();
        reasons.sort_by_key(|(_, (count, line))| (std::cmp::Reverse(*count), *line));
        reasons
    }
}

/// Numbers and quoted words differ from row to row; the rest is what reasons have in common.
fn common(reason: &str) -> String {
    let mut text = String::new();
    let mut quoted = false;
    for letter in reason.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                text.push_str(if quoted { "\"…" } else { "\"" });
            }
            _ if quoted => {}
            digit if digit.is_ascii_digit() => {
                if !text.ends_with('#') {
                    text.push('#');
                }
            }
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_reasons_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut rejects = Rejects::new(folder.path().join("r.csv"), &["A".into()], Encoding::Utf8);
        for (line, reason) in [(2, "\"x\" is no number"), (9, "\"yy\" is no number"), (4, "the quantity is 0")] {
            rejects.add(&Row { line, record: csv::ByteRecord::from(vec!["v"]) }, reason).unwrap();
        }
        rejects.finish().unwrap();
        assert_eq!(rejects.told()[0].trim(), "2  \"…\" is no number, first on line 2");
        let text = std::fs::read_to_string(folder.path().join("r.csv")).unwrap();
        assert_eq!(text.lines().nth(2).unwrap(), "9,\"\"\"yy\"\" is no number\",v");
    }
}
