//! Time as data: the domain reads no clock.

use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Milliseconds since the Unix epoch, UTC. Its text is RFC 3339 with milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl Timestamp {
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The civil day at this instant in UTC.
    pub fn utc_date(self) -> Date {
        self.date_in(&TimeZone::UTC)
    }

    pub fn date_in(self, zone: &TimeZone) -> Date {
        Date(zone.to_datetime(self.jiff()).date())
    }

    /// The civil day and the minutes since local midnight.
    pub fn local(self, zone: &TimeZone) -> (Date, u16) {
        let local = zone.to_datetime(self.jiff());
        (Date(local.date()), u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs()))
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }

    /// # Errors
    /// When the text is no RFC 3339 time with an offset.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>()
            .map(|at| Self(at.as_millisecond()))
            .map_err(|_| format!("\"{text}\" is not a time; use RFC 3339 like \"2026-11-24T09:30:00.000Z\""))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.jiff())
    }
}

/// Every event has several times and days: they are written digit by digit, and through the calendar library only beyond the
/// years 0 to 9999.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (days, ms) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let Some((year, month, day)) = civil_of(days).filter(|_| self.0 <= jiff::Timestamp::MAX.as_millisecond()) else {
            return serializer.collect_str(self);
        };
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put_day(&mut text, year, month, day);
        put::<2>(&mut text, 11, ms / HOUR_MS);
        put::<2>(&mut text, 14, ms / MINUTE_MS % 60);
        put::<2>(&mut text, 17, ms / SECOND_MS % 60);
        put::<3>(&mut text, 20, ms % SECOND_MS);
        serializer.serialize_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

/// Year, month and day of a count of days since 1970-01-01, for the years 0 to 9999; by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>): years begin in March, so that the leap day is the last.
fn civil_of(days: i64) -> Option<(i64, i64, i64)> {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let since_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day))
}

/// Writes `2026-11-24` over the first ten bytes.
fn put_day(text: &mut [u8], year: i64, month: i64, day: i64) {
    put::<4>(text, 0, year);
    put::<2>(text, 5, month);
    put::<2>(text, 8, day);
}

/// Writes a number as so many digits from there on.
fn put<const DIGITS: usize>(text: &mut [u8], at: usize, number: i64) {
    let mut left = u32::try_from(number).expect("it has few digits");
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += (left % 10) as u8;
        left /= 10;
    }
    text[at..at + DIGITS].copy_from_slice(&digits);
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = smol_str::SmolStr::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// A civil day without a zone; its text is `2026-11-24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub civil::Date);

impl Date {
    /// # Errors
    /// When the text is no civil date.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("\"{text}\" is not a date; use one like \"2026-11-24\""))
    }

    #[must_use]
    pub fn plus_days(self, days: u16) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().days(i64::from(days))))
    }

    /// The instant of `minute` after local midnight of this day; where clocks jump, the later side.
    pub fn at_minute(self, minute: u16, zone: &TimeZone) -> Timestamp {
        let clock = civil::Time::constant((minute / 60).min(23) as i8, (minute % 60) as i8, 0, 0);
        let at = zone.to_ambiguous_timestamp(self.0.to_datetime(clock)).later().unwrap_or(jiff::Timestamp::MAX);
        Timestamp(at.as_millisecond())
    }

    /// Monday is 0, Sunday is 6.
    pub fn weekday(self) -> u8 {
        self.0.weekday().to_monday_zero_offset().unsigned_abs()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.year() < 0 {
            return serializer.collect_str(self);
        }
        let mut text = *b"0000-00-00";
        put_day(&mut text, i64::from(self.0.year()), i64::from(self.0.month()), i64::from(self.0.day()));
        serializer.serialize_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = smol_str::SmolStr::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_digit_by_digit_is_what_the_calendar_says() {
        let far = [i64::MIN, i64::MAX, -1, 0, 1, 253_402_300_799_999, 253_402_300_800_000, -62_167_219_200_000, -62_167_219_200_001];
        let days = (-1_200_000..1_500_000).step_by(97).map(|day| day * DAY_MS + day.rem_euclid(DAY_MS));
        for ms in far.into_iter().chain(days) {
            let at = Timestamp(ms);
            assert_eq!(serde_json::to_string(&at).unwrap(), format!("\"{at}\""));
            let day = at.utc_date();
            assert_eq!(serde_json::to_string(&day).unwrap(), format!("\"{day}\""));
        }
    }
}
