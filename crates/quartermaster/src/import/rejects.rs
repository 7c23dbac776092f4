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
/// Rows that are held in memory, to be written in the order of their lines: some are known to be wrong when they are read, others when the
/// rules answer, orders when their last row was read. With more than these, rows stand as they come.
const ROWS_SORTED_MAX: usize = 100_000;
/// Columns that are put before those of the file.
const HEAD: [&str; 2] = ["line", "reason"];

pub struct Rejects {
    path: PathBuf,
    /// Of the file that is imported.
    header: Vec<String>,
    encoding: Encoding,
    writer: Option<csv::Writer<BufWriter<File>>>,
    held: Vec<(Row, String)>,
    pub rows: u64,
    /// How often, and on which line first.
    reasons: BTreeMap<String, (u64, u64)>,
}

impl Rejects {
    pub fn new(path: PathBuf, header: &[String], encoding: Encoding) -> Self {
        Self { path, header: header.to_vec(), encoding, writer: None, held: Vec::new(), rows: 0, reasons: BTreeMap::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn add(&mut self, row: &Row, reason: &str) -> Result<()> {
        self.rows += 1;
        let known = self.reasons.entry(common(reason)).or_insert((0, row.line));
        *known = (known.0 + 1, known.1.min(row.line));
        // A place that can't be written to is told before anything else is done.
        self.writer()?;
        if self.rows <= ROWS_SORTED_MAX as u64 {
            self.held.push((row.clone(), reason.to_owned()));
            return Ok(());
        }
        self.write_held()?;
        self.write(row, reason)
    }

    fn write_held(&mut self) -> Result<()> {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|(row, _)| row.line);
        held.iter().try_for_each(|(row, reason)| self.write(row, reason))
    }

    fn write(&mut self, row: &Row, reason: &str) -> Result<()> {
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
        self.write_held()?;
        if let Some(writer) = &mut self.writer {
            writer.flush().with_context(|| format!("{} can't be written", self.path.display()))?;
        }
        Ok(())
    }

    /// The most frequent reasons, each with the line where it was first met.
    pub fn told(&self) -> Vec<String> {
        let lines = self.sorted().into_iter().take(REASONS_SHOWN);
        let told = lines.map(|(reason, (count, line))| match count {
            1 => format!("{count:>8}  {reason} (line {line})"),
            _ => format!("{count:>8}  {reason} (first on line {line})"),
        });
        told.collect()
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
    // It stands within a line of its own.
    text.truncate(text.trim_end_matches('.').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_reasons_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut rejects = Rejects::new(folder.path().join("r.csv"), &["A".into()], Encoding::Utf8);
        for (line, reason) in [(9, "\"yy\" is no number."), (2, "\"x\" is no number."), (4, "the quantity is 0")] {
            rejects.add(&Row { line, record: csv::ByteRecord::from(vec!["v"]) }, reason).unwrap();
        }
        rejects.finish().unwrap();
        assert_eq!(rejects.told()[0].trim(), "2  \"…\" is no number (first on line 2)");
        assert_eq!(rejects.told()[1].trim(), "1  the quantity is # (line 4)");
        let text = std::fs::read_to_string(folder.path().join("r.csv")).unwrap();
        assert_eq!(text.lines().nth(3).unwrap(), "9,\"\"\"yy\"\" is no number.\",v");
        let lines: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!(lines, ["2", "4", "9"], "in the order of the file");
    }
}
