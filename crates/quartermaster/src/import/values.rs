//! Numbers, amounts and times as files write them.

use super::mapping::{Decimal, Mapping};
use anyhow::{Context, Result};
use domain::limits::QUANTITY_MAX;
use domain::money::Currency;
use domain::time::{Date, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Currencies whose minor unit is not a hundredth (ISO 4217).
const WHOLE: &[&str] =
    &["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"];
const THOUSANDTHS: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Reads values as a mapping writes them.
pub struct Values {
    zone: TimeZone,
    formats: Vec<String>,
    decimal: Decimal,
}

pub fn minor_digits(currency: Currency) -> usize {
    match currency.as_str() {
        code if WHOLE.contains(&code) => 0,
        code if THOUSANDTHS.contains(&code) => 3,
        _ => 2,
    }
}

/// As people write an amount: `12.50`.
pub fn decimal(minor: i64, currency: Currency) -> String {
    let digits = minor_digits(currency);
    let scale = 10_u64.pow(u32::try_from(digits).unwrap_or(2));
    let sign = if minor < 0 { "-" } else { "" };
    let (whole, rest) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0digits$}") }
}

impl Values {
    pub fn new(mapping: &Mapping) -> Result<Self> {
        let zone = TimeZone::get(&mapping.time_zone).with_context(|| format!("no time zone \"{}\"", mapping.time_zone))?;
        Ok(Self { zone, formats: mapping.time_format.clone(), decimal: mapping.decimal })
    }

    pub fn time(&self, text: &str) -> Result<Timestamp, String> {
        for format in &self.formats {
            let at = if format.contains("%z") || format.contains("%:z") {
                jiff::Timestamp::strptime(format, text).ok()
            } else {
                let civil = DateTime::strptime(format, text).ok();
                let civil = civil.or_else(|| jiff::civil::Date::strptime(format, text).ok().map(|day| day.at(0, 0, 0, 0)));
                civil.and_then(|civil| self.zone.to_ambiguous_timestamp(civil).later().ok())
            };
            if let Some(at) = at {
                return Ok(Timestamp(at.as_millisecond()));
            }
        }
        // A time with its offset means one instant, whatever the mapping expects: exports of ours have it with milliseconds.
        if let Ok(at) = Timestamp::parse(text) {
            return Ok(at);
        }
        Err(format!("\"{text}\" is no time like {}; correct time_format in the mapping", self.formats.join(" or ")))
    }

    pub fn date(&self, text: &str) -> Result<Date, String> {
        Date::parse(text).or_else(|_| self.time(text).map(|at| at.date_in(&self.zone)))
    }

    /// A whole number, maybe negative; `3.0` counts as 3.
    pub fn units(&self, text: &str) -> Result<i64, String> {
        let (negative, whole, rest) = self.split(text).ok_or_else(|| format!("\"{text}\" is no number"))?;
        if rest.bytes().any(|digit| digit != b'0') {
            return Err(format!("\"{text}\" is no whole quantity"));
        }
        let units: i64 = whole.parse().map_err(|_| format!("\"{text}\" is no whole quantity"))?;
        if units > i64::from(QUANTITY_MAX) {
            return Err(format!("the quantity {text} is out of bounds; at most {QUANTITY_MAX}"));
        }
        Ok(if negative { -units } else { units })
    }

    pub fn number<T: TryFrom<i64>>(&self, text: &str) -> Result<T, String> {
        self.units(text).and_then(|units| T::try_from(units).map_err(|_| format!("\"{text}\" is out of bounds")))
    }

    /// Degrees as millionths of one; no further digits.
    pub fn degrees(&self, text: &str, most: i32) -> Result<i32, String> {
        let wrong = || format!("\"{text}\" is no angle of at most {most} degrees, with at most six decimals");
        let (negative, whole, rest) = self.split(text).ok_or_else(wrong)?;
        let rest = rest.trim_end_matches('0');
        let millionths: i64 = format!("{whole}{rest:0<6}").parse().map_err(|_| wrong())?;
        let millionths = i32::try_from(millionths).ok().filter(|at| rest.len() <= 6 && *at <= most * 1_000_000).ok_or_else(wrong)?;
        Ok(if negative { -millionths } else { millionths })
    }

    /// Minor units, exactly or not at all; negative where the file says so.
    pub fn amount(&self, text: &str, currency: Currency) -> Result<i64, String> {
        let digits = minor_digits(currency);
        let wrong = || format!("\"{text}\" is no amount");
        let bare = text.trim_start_matches(|c: char| "$£€¥".contains(c)).trim();
        let (negative, whole, rest) = self.split(bare).ok_or_else(wrong)?;
        let rest = rest.trim_end_matches('0');
        if rest.len() > digits {
            return Err(format!("the amount {text} has a fraction of a {} minor unit", currency.as_str()));
        }
        let minor: i64 = format!("{rest:0<digits$}").parse().or(if digits == 0 { Ok(0) } else { Err(()) }).map_err(|()| wrong())?;
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let scale = 10_i64.pow(u32::try_from(digits).unwrap_or(2));
        let amount = whole.checked_mul(scale).and_then(|whole| whole.checked_add(minor)).ok_or_else(wrong)?;
        Ok(if negative { -amount } else { amount })
    }

    /// Sign, digits before and after the decimal mark. Marks between thousands go away; accountants' brackets are a minus.
    fn split(&self, text: &str) -> Option<(bool, String, String)> {
        let text = text.trim();
        let bracketed = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let (negative, text) = match bracketed.or_else(|| text.strip_prefix('-')) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mark, thousands) = match self.decimal {
            Decimal::Point => ('.', ','),
            Decimal::Comma => (',', '.'),
        };
        let (whole, rest) = text.split_once(mark).unwrap_or((text, ""));
        let mut groups = whole.split([thousands, ' ', '\u{a0}', '\u{202f}', '\'']);
        let first = groups.next()?;
        let mut digits = first.to_owned();
        for group in groups {
            if group.len() != 3 || first.is_empty() || first.len() > 3 {
                return None;
            }
            digits.push_str(group);
        }
        if digits.is_empty() && !rest.is_empty() {
            digits.push('0');
        }
        let sound = !digits.is_empty() && digits.bytes().chain(rest.bytes()).all(|digit| digit.is_ascii_digit());
        sound.then(|| (negative, digits, rest.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(decimal: Decimal) -> Values {
        let formats = vec!["%Y-%m-%d %H:%M:%S %z".into(), "%d.%m.%Y %H:%M".into(), "%Y-%m-%d".into()];
        Values { zone: TimeZone::get("Europe/Berlin").unwrap(), formats, decimal }
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        let eur = Currency::EUR;
        let point = values(Decimal::Point);
        for (text, wanted) in [
            ("2.55", Some(255)),
            ("3", Some(300)),
            ("0.4", Some(40)),
            (".5", Some(50)),
            ("1.250", Some(125)),
            ("1,234.50", Some(123_450)),
            ("-5", Some(-500)),
            ("(5.00)", Some(-500)),
            ("$12.00", Some(1200)),
            ("0.001", None),
            ("x", None),
            ("", None),
            ("1,23.00", None),
            ("1.2.3", None),
        ] {
            assert_eq!(point.amount(text, eur).ok(), wanted, "{text}");
        }
        let comma = values(Decimal::Comma);
        for (text, wanted) in [("2,55", Some(255)), ("1.234,50", Some(123_450)), ("1 234,50", Some(123_450)), ("2.55", None)] {
            assert_eq!(comma.amount(text, eur).ok(), wanted, "{text}");
        }
        assert_eq!((decimal(-5, eur), decimal(123_450, eur)), ("-0.05".to_owned(), "1234.50".to_owned()));
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!((point.amount("120", yen), point.amount("120.00", yen)), (Ok(120), Ok(120)));
        assert!(point.amount("1.5", yen).is_err());
        assert_eq!(point.amount("1.234", Currency::parse("KWD").unwrap()), Ok(1234));
    }

    #[test]
    fn times_take_the_first_format_that_fits() {
        let values = values(Decimal::Point);
        assert_eq!(values.time("2026-11-24 09:30:00 -0500").unwrap().to_string(), "2026-11-24T14:30:00.000Z");
        assert_eq!(values.time("24.11.2026 09:30").unwrap().to_string(), "2026-11-24T08:30:00.000Z");
        assert_eq!(values.time("2026-11-24").unwrap().to_string(), "2026-11-23T23:00:00.000Z");
        assert_eq!(values.time("2026-11-26T23:53:09.983Z").unwrap().to_string(), "2026-11-26T23:53:09.983Z");
        assert!(values.time("yesterday").unwrap_err().contains("time_format"));
        assert_eq!(values.units("3.0"), Ok(3));
        assert!(values.units("2.5").is_err());
        assert_eq!((values.degrees("-97.7431", 180), values.degrees("0.000001", 90)), (Ok(-97_743_100), Ok(1)));
        assert!(values.degrees("90.1", 90).is_err() && values.degrees("1.2345678", 90).is_err());
    }
}
