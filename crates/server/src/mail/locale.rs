//! How numbers, money and days are written in the languages that mails come in.
//!
//! Language and region of a BCP 47 tag are read; where a region changes nothing that we know of, the language decides.

use domain::time::Date;

/// No-break space between an amount and its sign.
const NBSP: char = '\u{a0}';
/// Narrow no-break space, which groups digits in French.
const NNBSP: char = '\u{202f}';

/// A language with its region, as `de-CH` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    pub language: String,
    pub region: Option<String>,
}

impl Locale {
    /// Reads `de`, `de-CH` or `de_CH`; anything else is English.
    pub fn parse(tag: &str) -> Self {
        let mut parts = tag.split(['-', '_']);
        let language = parts.next().unwrap_or_default().to_ascii_lowercase();
        let sound = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
        if !sound {
            return Self { language: "en".to_owned(), region: None };
        }
        let region = parts.find(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
        Self { language, region: region.map(str::to_ascii_uppercase) }
    }

    /// `de-CH`, or `de` without a region.
    pub fn tag(&self) -> String {
        match &self.region {
            Some(region) => format!("{}-{region}", self.language),
            None => self.language.clone(),
        }
    }

    /// What groups thousands, and what parts the fraction.
    fn marks(&self) -> (char, char) {
        match (self.language.as_str(), self.region.as_deref()) {
            ("de", Some("CH" | "LI")) => ('’', '.'),
            ("fr", Some("CH")) => (NNBSP, '.'),
            ("fr", _) => (NNBSP, ','),
            ("de" | "nl" | "es" | "it" | "pt" | "da" | "id" | "tr", _) => ('.', ','),
            ("sv" | "nb" | "no" | "fi" | "pl" | "cs" | "sk" | "uk" | "ru", _) => (NBSP, ','),
            _ => (',', '.'),
        }
    }

    /// Whole units with their thousands grouped.
    pub fn number(&self, number: i64) -> String {
        let text = group(&number.unsigned_abs().to_string(), self.marks().0);
        if number < 0 { format!("-{text}") } else { text }
    }

    /// An amount in minor units of a currency, with its sign where that language puts it.
    pub fn money(&self, minor: i64, currency: &str) -> String {
        let (grouping, point) = self.marks();
        let digits = decimals(currency);
        let scale = 10u64.pow(digits);
        let (whole, rest) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
        let mut amount = group(&whole.to_string(), grouping);
        if digits > 0 {
            let width = digits as usize;
            amount.push(point);
            amount.push_str(&format!("{rest:0width$}"));
        }
        let minus = if minor < 0 { "-" } else { "" };
        match (self.language.as_str(), sign(currency)) {
            ("en", Some(sign)) => format!("{minus}{sign}{amount}"),
            ("en" | "nl", None) => format!("{currency}{NBSP}{minus}{amount}"),
            ("de", _) if self.region.as_deref() == Some("CH") => format!("{currency}{NBSP}{minus}{amount}"),
            ("nl", Some(sign)) => format!("{sign}{NBSP}{minus}{amount}"),
            (_, sign) => format!("{minus}{amount}{NBSP}{}", sign.unwrap_or(currency)),
        }
    }

    /// A day with its month in words, or as numbers where we do not have the words.
    pub fn date(&self, date: Date) -> String {
        let (day, month, year) = (date.0.day(), date.0.month().unsigned_abs(), date.0.year());
        match (self.language.as_str(), self.region.as_deref()) {
            ("en", Some("GB" | "IE" | "AU" | "NZ" | "IN" | "ZA")) => format!("{day} {} {year}", month_name(month, &ENGLISH)),
            ("en", _) => format!("{} {day}, {year}", month_name(month, &ENGLISH)),
            ("de", _) => format!("{day}. {} {year}", month_name(month, &GERMAN)),
            ("fr", _) if day == 1 => format!("1er {} {year}", month_name(month, &FRENCH)),
            ("fr", _) => format!("{day} {} {year}", month_name(month, &FRENCH)),
            _ => date.to_string(),
        }
    }
}

const ENGLISH: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const GERMAN: [&str; 12] =
    ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"];
const FRENCH: [&str; 12] =
    ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

fn month_name(month: u8, names: &[&'static str; 12]) -> &'static str {
    names.get(usize::from(month.saturating_sub(1))).copied().unwrap_or_default()
}

fn group(digits: &str, mark: char) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// Digits after the point, from ISO 4217.
fn decimals(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

fn sign(currency: &str) -> Option<&'static str> {
    match currency {
        "USD" => Some("$"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "JPY" => Some("¥"),
        "INR" => Some("₹"),
        "KRW" => Some("₩"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_each_language_writes_it() {
        for (tag, minor, currency, text) in [
            ("en-US", 123_456_789, "USD", "$1,234,567.89"),
            ("en", -500, "GBP", "-£5.00"),
            ("en", 500, "CHF", "CHF\u{a0}5.00"),
            ("en", 5000, "JPY", "¥5,000"),
            ("en", 1234, "KWD", "KWD\u{a0}1.234"),
            ("de", 123_450, "EUR", "1.234,50\u{a0}€"),
            ("de-CH", 123_450, "CHF", "CHF\u{a0}1’234.50"),
            ("de_DE", 5, "EUR", "0,05\u{a0}€"),
            ("fr-FR", 123_450, "EUR", "1\u{202f}234,50\u{a0}€"),
            ("not a tag", 100, "USD", "$1.00"),
        ] {
            assert_eq!(Locale::parse(tag).money(minor, currency), text, "{tag} {minor} {currency}");
        }
    }

    #[test]
    fn days_and_numbers_are_written_as_each_language_writes_them() {
        let day = Date::parse("2026-12-04").unwrap();
        for (tag, text) in [
            ("en", "December 4, 2026"),
            ("en-GB", "4 December 2026"),
            ("de-AT", "4. Dezember 2026"),
            ("fr", "4 décembre 2026"),
            ("nl", "2026-12-04"),
        ] {
            assert_eq!(Locale::parse(tag).date(day), text, "{tag}");
        }
        assert_eq!(Locale::parse("fr").date(Date::parse("2026-08-01").unwrap()), "1er août 2026");
        assert_eq!(Locale::parse("de").number(-1_234_567), "-1.234.567");
        assert_eq!(Locale::parse("en").number(999), "999");
    }
}
