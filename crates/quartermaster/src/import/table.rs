//! A CSV file, plain or gzip, row by row with line numbers.

use super::mapping::{Delimiter, Encoding, Mapping, Source};
use anyhow::{Context, Result, bail};
use csv::ByteRecord;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Bytes that are looked at to tell what a file is.
const SNIFF_BYTES: usize = 64 * 1024;
/// Codes 0x80 to 0x9f of windows-1252; what is not defined stays as it is.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–',
    '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A row with the line on which it begins, as an editor counts them.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub line: u64,
    pub record: ByteRecord,
}

pub struct Table {
    reader: csv::Reader<Box<dyn Read>>,
    pub header: Vec<String>,
    encoding: Encoding,
}

/// A row that can't be read.
pub struct Unreadable {
    pub row: Row,
    pub reason: String,
}

impl Table {
    pub fn open(path: &Path, mapping: &Mapping) -> Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("{shown} can't be read"))?;
        let mut input: Box<dyn BufRead> = Box::new(BufReader::with_capacity(SNIFF_BYTES, file));
        if input.fill_buf().with_context(|| format!("{shown} can't be read"))?.starts_with(&[0x1f, 0x8b]) {
            input = Box::new(BufReader::with_capacity(SNIFF_BYTES, flate2::bufread::MultiGzDecoder::new(input)));
        }
        let start = input.fill_buf().with_context(|| format!("{shown} is no sound gzip file"))?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            bail!("{shown} is UTF-16; save it as \"CSV UTF-8\" and import that");
        }
        if start.starts_with(b"PK") {
            bail!("{shown} is a workbook or zip archive; save its sheet as CSV and import that");
        }
        let mark = if start.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let first_line = start[mark..].split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
        input.consume(mark);
        let delimiter = mapping.delimiter.map_or_else(|| guess(&first_line), byte_of);
        let input: Box<dyn Read> = Box::new(input);
        let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(input);
        let header = reader.byte_headers().with_context(|| format!("{shown} has no header"))?;
        let header: Vec<String> = header.iter().map(|name| text_of(name, mapping.encoding).trim().to_owned()).collect();
        if header.iter().all(String::is_empty) {
            bail!("{shown} is empty; its first line must name the columns");
        }
        Ok(Self { reader, header, encoding: mapping.encoding })
    }

    /// `None` at the end.
    pub fn next(&mut self) -> Result<Option<Result<Row, Unreadable>>> {
        let mut record = ByteRecord::new();
        let more = self.reader.read_byte_record(&mut record);
        if !more.context("the file ends before it should or can't be read on; is it complete?")? {
            return Ok(None);
        }
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row { line, record };
        let refuse = |row, reason| Ok(Some(Err(Unreadable { row, reason })));
        if row.record.len() > self.header.len() {
            let reason = format!(
                "it has {} fields, the header has {}: a delimiter or a quote inside a field is not quoted",
                row.record.len(),
                self.header.len()
            );
            return refuse(row, reason);
        }
        if row.record.iter().all(|field| field.trim_ascii().is_empty()) {
            return refuse(row, "the row is empty".to_owned());
        }
        if self.encoding == Encoding::Utf8
            && let Some(at) = row.record.iter().position(|field| std::str::from_utf8(field).is_err())
        {
            let reason =
                format!("\"{}\" is not UTF-8; set encoding = \"windows-1252\" in the mapping, or save the file as UTF-8", self.header[at]);
            return refuse(row, reason);
        }
        Ok(Some(Ok(row)))
    }

    /// Where a field of the mapping stands. A column that is not there is an error only for a field that rows can't do without.
    pub fn find(&self, mapping: &Mapping, field: &str) -> Result<Place> {
        let needed = mapping.needs(field);
        let seen = |names: &[String]| -> Result<Vec<usize>> {
            let found: Vec<usize> = names.iter().filter_map(|name| self.position(name)).collect();
            if found.is_empty() && needed { names.iter().map(|name| self.at(name)).collect() } else { Ok(found) }
        };
        Ok(match mapping.columns.get(field) {
            None => Place::Nowhere,
            Some(Source::Column(name)) if needed => Place::At(self.at(name)?),
            Some(Source::Column(name)) => self.position(name).map_or(Place::Nowhere, Place::At),
            Some(Source::First(names)) => Place::First(seen(names)?),
            Some(Source::Join { join }) => Place::Join(seen(join)?),
            Some(Source::Value { value }) => Place::Value(value.clone()),
        })
    }

    /// Columns that the mapping names for fields that are left empty since the file does not have them.
    pub fn left_out(&self, mapping: &Mapping) -> Vec<String> {
        let single = mapping.columns.iter().filter_map(|(field, source)| match source {
            Source::Column(name) if !mapping.needs(field) => Some(name),
            Source::Column(_) | Source::First(_) | Source::Join { .. } | Source::Value { .. } => None,
        });
        single.filter(|name| self.position(name).is_none()).cloned().collect()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    pub fn at(&self, name: &str) -> Result<usize> {
        self.position(name).with_context(|| {
            let columns = self.header.iter().take(40).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            format!("the file has no column \"{name}\". Correct the mapping; the file has {columns}")
        })
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding
    }
}

/// Where a field stands in each row.
#[derive(Debug, Clone)]
pub enum Place {
    Nowhere,
    At(usize),
    First(Vec<usize>),
    Join(Vec<usize>),
    Value(String),
}

impl Place {
    pub fn is_given(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    /// The field's text without blanks around it; empty when there is none.
    pub fn text<'a>(&'a self, row: &'a Row, encoding: Encoding) -> Cow<'a, str> {
        let field = |at: &usize| trimmed(row.record.get(*at).map_or(Cow::Borrowed(""), |field| text_of(field, encoding)));
        match self {
            Self::Nowhere => Cow::Borrowed(""),
            Self::At(at) => field(at),
            Self::First(columns) => columns.iter().map(field).find(|text| !text.is_empty()).unwrap_or_default(),
            Self::Join(columns) => {
                let parts: Vec<Cow<str>> = columns.iter().map(field).filter(|text| !text.is_empty()).collect();
                Cow::Owned(parts.join(" "))
            }
            Self::Value(value) => Cow::Borrowed(value),
        }
    }
}

fn trimmed(text: Cow<str>) -> Cow<str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

pub fn text_of(bytes: &[u8], encoding: Encoding) -> Cow<'_, str> {
    match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes),
        Encoding::Windows1252 => match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Cow::Borrowed(text),
            Ok(_) | Err(_) => Cow::Owned(bytes.iter().map(|byte| windows_1252(*byte)).collect()),
        },
    }
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn byte_of(delimiter: Delimiter) -> u8 {
    match delimiter {
        Delimiter::Comma => b',',
        Delimiter::Semicolon => b';',
        Delimiter::Tab => b'\t',
        Delimiter::Bar => b'|',
    }
}

/// What the header has most of, outside of quotes.
fn guess(header: &[u8]) -> u8 {
    let count = |delimiter: u8| {
        let mut quoted = false;
        let outside = header.iter().filter(|byte| {
            quoted ^= **byte == b'"';
            !quoted && **byte == delimiter
        });
        outside.count()
    };
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_seen() {
        for (header, wanted) in [("a,b,c", b','), ("a;b;\"c,d,e,f\"", b';'), ("a\tb", b'\t'), ("a|b,c|d", b'|'), ("alone", b',')] {
            assert_eq!(guess(header.as_bytes()), wanted, "{header}");
        }
    }

    #[test]
    fn old_windows_text_is_read() {
        assert_eq!(text_of(b"Caf\xe9 \x80 \x96", Encoding::Windows1252), "Café € –");
        assert_eq!(text_of("Café".as_bytes(), Encoding::Utf8), "Café");
    }
}
