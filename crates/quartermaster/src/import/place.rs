//! A row that is a location, and its words for minutes and days.

use super::fields::Fields;
use super::run;
use domain::catalog::{Coordinates, Location, LocationKind};
use domain::id::LocationCode;

/// Working days as our export writes them; Monday is 0.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Fields<'_> {
    pub fn place(&self) -> Result<Location, String> {
        let code = self.maybe("code", |text| LocationCode::new(text).map_err(|error| error.to_string()))?;
        let code = self.need("code", code)?;
        let usual = run::location(self.mapping, code, 1);
        let or = |field: &str, usual: &smol_str::SmolStr| {
            Some(self.text(field)).filter(|text| !text.is_empty()).map_or_else(|| usual.clone(), Into::into)
        };
        let maybe = |field: &str| Some(self.text(field)).filter(|text| !text.is_empty()).map(Into::into);
        let mut address = usual.address.clone();
        address.country = or("country", &address.country);
        (address.region, address.city, address.postal_code, address.line1) =
            (maybe("region"), maybe("city"), maybe("postal_code"), maybe("line1"));
        Ok(Location {
            name: or("name", &usual.name),
            address,
            coordinates: self.coordinates()?,
            time_zone: or("time_zone", &usual.time_zone),
            cutoff_minute: self.maybe("cutoff", minute)?.unwrap_or(usual.cutoff_minute),
            working_days: self.maybe("working_days", days)?.unwrap_or_else(|| usual.working_days.clone()),
            handling_days: self.number("handling_days")?.unwrap_or(usual.handling_days),
            priority: self.number("priority")?.unwrap_or(usual.priority),
            kind: self.word::<LocationKind>("kind", "warehouse, store, supplier")?.unwrap_or(usual.kind),
            active: self.active()?,
            ..usual
        })
    }

    fn coordinates(&self) -> Result<Option<Coordinates>, String> {
        let latitude = self.maybe("latitude", |text| self.values.degrees(text, 90))?;
        let longitude = self.maybe("longitude", |text| self.values.degrees(text, 180))?;
        match (latitude, longitude) {
            (Some(latitude), Some(longitude)) => Ok(Some(Coordinates { latitude, longitude })),
            (None, None) => Ok(None),
            (Some(_), None) => self.need("longitude", None),
            (None, Some(_)) => self.need("latitude", None),
        }
    }
}

/// `15:00`, in minutes after midnight.
fn minute(text: &str) -> Result<u16, String> {
    let read = || {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    read().ok_or_else(|| format!("\"{text}\" is no time of day like 15:00"))
}

/// As [`minute`] reads it.
pub fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `mon|tue|wed`, or longer names with other marks between them.
fn days(text: &str) -> Result<Vec<u8>, String> {
    let words = text.split(['|', ',', ';', ' ']).filter(|word| !word.is_empty());
    let days = words.map(|word| {
        let short: String = word.chars().take(3).flat_map(char::to_lowercase).collect();
        let day = DAYS.iter().zip(0..).find(|(name, _)| **name == short).map(|(_, day)| day);
        day.ok_or_else(|| format!("\"{word}\" is none of {}", DAYS.join(", ")))
    });
    days.collect()
}

/// As [`days`] reads them.
pub fn day_names(days: &[u8]) -> String {
    let names: Vec<&str> = days.iter().filter_map(|day| DAYS.get(usize::from(*day)).copied()).collect();
    names.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_cutoffs_read_as_they_are_written() {
        assert_eq!(days(&day_names(&[0, 4, 6])), Ok(vec![0, 4, 6]));
        assert_eq!(days("Monday, Friday"), Ok(vec![0, 4]));
        assert_eq!((minute(&time_of_day(905)), time_of_day(0)), (Ok(905), "00:00".to_owned()));
        assert!(days("someday").is_err() && minute("24:00").is_err() && minute("noon").is_err());
    }
}
