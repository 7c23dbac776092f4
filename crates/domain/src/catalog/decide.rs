//! What may be said about items, locations, channels and settings.

use super::{Buffer, Channel, ChannelMail, Item, ItemKind, ItemStatus, Location, Settings, SourcingRule};
use crate::alert::check_routing;
use crate::command::catalog::Command;
use crate::event::Event;
use crate::event::catalog::{
    ChannelCreated, ChannelUpdated, ItemCreated, ItemRetired, ItemUpdated, LocationCreated, LocationUpdated, SettingsUpdated,
};
use crate::limits;
use crate::money::Amount;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::text::Metadata;
use jiff::tz::TimeZone;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    let catalog = &state.catalog;
    Ok(vec![match command {
        Command::CreateItem(mut item) => {
            if catalog.items.contains(&item.sku) {
                return Err(Rejection::exists("item", &item.sku));
            }
            check_item(state, &item)?;
            (item.version, item.created_at, item.status) = (1, cx.now, ItemStatus::Active);
            ItemCreated { item }.into()
        }
        Command::UpdateItem { mut item, expected_version } => {
            let known = catalog.items.get(&item.sku).ok_or_else(|| Rejection::not_found("item", &item.sku))?;
            check_version(expected_version, known.version)?;
            check_item(state, &item)?;
            check_kind(state, known, &item)?;
            (item.version, item.created_at, item.status) = (known.version + 1, known.created_at, ItemStatus::Active);
            ItemUpdated { item }.into()
        }
        Command::RetireItem { sku, expected_version } => {
            let known = catalog.items.get(&sku).ok_or_else(|| Rejection::not_found("item", &sku))?;
            check_version(expected_version, known.version)?;
            if known.status == ItemStatus::Retired {
                return Err(Rejection::wrong_status("item", &sku, known.status, "active"));
            }
            ItemRetired { sku }.into()
        }
        Command::CreateLocation(mut location) => {
            if catalog.locations.contains(&location.code) {
                return Err(Rejection::exists("location", &location.code));
            }
            check_room(catalog.locations.len(), limits::LOCATIONS_MAX, "locations")?;
            check_location(&location)?;
            (location.version, location.created_at) = (1, cx.now);
            LocationCreated { location }.into()
        }
        Command::UpdateLocation { mut location, expected_version } => {
            let known = catalog.locations.get(&location.code).ok_or_else(|| Rejection::not_found("location", &location.code))?;
            check_version(expected_version, known.version)?;
            check_location(&location)?;
            (location.version, location.created_at) = (known.version + 1, known.created_at);
            LocationUpdated { location }.into()
        }
        Command::CreateChannel(mut channel) => {
            if catalog.channels.contains(&channel.code) {
                return Err(Rejection::exists("channel", &channel.code));
            }
            check_room(catalog.channels.len(), limits::CHANNELS_MAX, "channels")?;
            check_channel(state, &channel)?;
            (channel.version, channel.created_at) = (1, cx.now);
            ChannelCreated { channel }.into()
        }
        Command::UpdateChannel { mut channel, expected_version } => {
            let known = catalog.channels.get(&channel.code).ok_or_else(|| Rejection::not_found("channel", &channel.code))?;
            check_version(expected_version, known.version)?;
            check_channel(state, &channel)?;
            (channel.version, channel.created_at) = (known.version + 1, known.created_at);
            ChannelUpdated { channel }.into()
        }
        Command::UpdateSettings { mut settings, expected_version } => {
            let known = catalog.settings();
            check_version(expected_version, known.version)?;
            check_settings(&settings)?;
            (settings.version, settings.last_digest) = (known.version + 1, known.last_digest);
            SettingsUpdated { settings }.into()
        }
    }])
}

fn check_room(count: usize, most: usize, what: &str) -> Result<(), Rejection> {
    if count < most { Ok(()) } else { Err(Rejection::invalid("code", format!("a shop has at most {most} {what}"))) }
}

pub(crate) fn check_version(expected: Option<u64>, current: u64) -> Result<(), Rejection> {
    match expected {
        Some(expected) if expected != current => Err(Rejection::VersionMismatch { expected, current }),
        Some(_) | None => Ok(()),
    }
}

fn check_text(field: &str, text: &str) -> Result<(), Rejection> {
    if text.trim().is_empty() || text.len() > limits::TEXT_BYTES_MAX {
        return Err(Rejection::invalid(field, format!("must have 1 to {} bytes", limits::TEXT_BYTES_MAX)));
    }
    Ok(())
}

fn check_optional(field: &str, text: Option<&SmolStr>) -> Result<(), Rejection> {
    match text {
        Some(text) if text.len() > limits::TEXT_BYTES_MAX => {
            Err(Rejection::invalid(field, format!("has at most {} bytes", limits::TEXT_BYTES_MAX)))
        }
        Some(_) | None => Ok(()),
    }
}

/// What something costs: nothing at least.
pub(crate) fn check_amount(field: &str, amount: Amount) -> Result<(), Rejection> {
    if (0..=limits::AMOUNT_MAX).contains(&amount.get()) {
        return Ok(());
    }
    Err(Rejection::invalid(field, format!("must be 0 to {}", limits::AMOUNT_MAX)))
}

pub(crate) fn check_metadata(metadata: &Metadata) -> Result<(), Rejection> {
    let long = |text: &str| text.len() > limits::METADATA_BYTES_MAX;
    if metadata.len() > limits::METADATA_ENTRIES_MAX || metadata.iter().any(|(key, value)| long(key) || long(value)) {
        let (entries, bytes) = (limits::METADATA_ENTRIES_MAX, limits::METADATA_BYTES_MAX);
        return Err(Rejection::invalid("metadata", format!("has at most {entries} entries of at most {bytes} bytes")));
    }
    Ok(())
}

fn check_item(state: &State, item: &Item) -> Result<(), Rejection> {
    check_text("name", &item.name)?;
    check_metadata(&item.metadata)?;
    check_optional("barcode", item.barcode.as_ref())?;
    if let Some(cost) = item.unit_cost {
        check_amount("unit_cost.amount", cost.amount)?;
    }
    let ItemKind::Kit { components, .. } = &item.kind else { return Ok(()) };
    if components.is_empty() || components.len() > limits::KIT_COMPONENTS_MAX {
        return Err(Rejection::invalid("components", format!("a kit has 1 to {} components", limits::KIT_COMPONENTS_MAX)));
    }
    for (at, part) in components.iter().enumerate() {
        if part.quantity.is_zero() || part.quantity.get() > limits::COMPONENT_UNITS_MAX {
            return Err(Rejection::invalid(format!("components[{at}].quantity"), format!("must be 1 to {}", limits::COMPONENT_UNITS_MAX)));
        }
        if components[..at].iter().any(|other| other.sku == part.sku) {
            return Err(Rejection::invalid("components", format!("{} stands twice; add the quantities up", part.sku)));
        }
        let component = state.catalog.items.get(&part.sku).ok_or_else(|| Rejection::not_found("item", &part.sku))?;
        if component.kind != ItemKind::Stocked {
            return Err(Rejection::invalid("components", format!("{} is not a stocked item", part.sku)));
        }
    }
    Ok(())
}

/// Stock keeps its meaning: what was ever stocked stays stocked.
fn check_kind(state: &State, known: &Item, item: &Item) -> Result<(), Rejection> {
    let stocked = state.stock.locations_of(&item.sku).next().is_some();
    let in_a_kit = || {
        let kits = state.catalog.items.sorted().into_iter().map(|(_, other)| other);
        kits.into_iter().any(|other| match &other.kind {
            ItemKind::Kit { components, .. } => components.iter().any(|part| part.sku == item.sku),
            ItemKind::Stocked | ItemKind::Service => false,
        })
    };
    let changed = std::mem::discriminant(&known.kind) != std::mem::discriminant(&item.kind);
    if changed && (stocked || in_a_kit()) {
        return Err(Rejection::invalid("kind", "can't change once the item has stock or is part of a kit; create another SKU"));
    }
    Ok(())
}

fn check_location(location: &Location) -> Result<(), Rejection> {
    check_text("name", &location.name)?;
    let address = &location.address;
    check_optional("address.line1", address.line1.as_ref())?;
    check_optional("address.city", address.city.as_ref())?;
    check_optional("address.region", address.region.as_ref())?;
    check_optional("address.postal_code", address.postal_code.as_ref())?;
    check_country("address.country", &address.country)?;
    if TimeZone::get(&location.time_zone).is_err() {
        let problem = format!("\"{}\" is no IANA time zone; use one like \"America/Chicago\"", location.time_zone);
        return Err(Rejection::invalid("time_zone", problem));
    }
    if location.cutoff_minute > limits::MINUTE_MAX {
        return Err(Rejection::invalid("cutoff_minute", "must be 0 to 1439, minutes after midnight"));
    }
    let days = &location.working_days;
    let sound = !days.is_empty() && days.iter().enumerate().all(|(at, day)| *day <= limits::WEEKDAY_MAX && !days[..at].contains(day));
    if !sound {
        return Err(Rejection::invalid("working_days", "name each working day once, 0 (Monday) to 6 (Sunday)"));
    }
    if location.handling_days > limits::SHOP_DAYS_MAX {
        return Err(Rejection::invalid("handling_days", format!("must be at most {}", limits::SHOP_DAYS_MAX)));
    }
    Ok(())
}

pub(crate) fn check_country(field: &str, country: &str) -> Result<(), Rejection> {
    if crate::text::is_country(country) {
        return Ok(());
    }
    Err(Rejection::invalid(field, format!("\"{country}\" is no ISO 3166 code; use two capital letters like \"US\"")))
}

fn check_channel(state: &State, channel: &Channel) -> Result<(), Rejection> {
    check_text("name", &channel.name)?;
    let preferred = channel.sourcing.iter().flat_map(|rule| match rule {
        SourcingRule::Prefer { locations, .. } => locations.as_slice(),
        SourcingRule::SameCountry
        | SourcingRule::SameRegion
        | SourcingRule::Priority
        | SourcingRule::FewestSplits
        | SourcingRule::Nearest => &[],
    });
    for code in channel.locations.iter().chain(preferred) {
        if !state.catalog.locations.contains(code) {
            return Err(Rejection::not_found("location", code));
        }
    }
    if channel.locations.iter().enumerate().any(|(at, code)| channel.locations[..at].contains(code)) {
        return Err(Rejection::invalid("locations", "name each location once"));
    }
    if channel.sourcing.len() > limits::SOURCING_RULES_MAX {
        return Err(Rejection::invalid("sourcing", format!("has at most {} rules", limits::SOURCING_RULES_MAX)));
    }
    match channel.buffer {
        Buffer::Percent(percent) if percent > limits::PERCENT_MAX => return Err(Rejection::invalid("buffer", "a percentage is 0 to 100")),
        Buffer::None | Buffer::Units(_) | Buffer::Percent(_) => {}
    }
    if channel.payment.overcapture_percent > limits::PERCENT_MAX {
        return Err(Rejection::invalid("payment.overcapture_percent", "must be 0 to 100"));
    }
    if !(0..=limits::PAYMENT_WINDOW_MS_MAX).contains(&channel.payment.window_ms) {
        return Err(Rejection::invalid("payment.window_ms", format!("must be 0 to {}", limits::PAYMENT_WINDOW_MS_MAX)));
    }
    check_text("payment.gateway", &channel.payment.gateway)?;
    channel.mail.as_ref().map_or(Ok(()), |mail| check_mail(mail))
}

fn check_mail(mail: &ChannelMail) -> Result<(), Rejection> {
    check_address("mail.sender", &mail.sender)?;
    mail.reply_to.as_ref().map_or(Ok(()), |address| check_address("mail.reply_to", address))?;
    for (field, url) in [("mail.payment_url", &mail.payment_url), ("mail.status_url", &mail.status_url)] {
        if url.as_ref().is_some_and(|url| !is_web_address(url)) {
            return Err(Rejection::invalid(field, "must be an address that begins with https:// or http://"));
        }
    }
    let locale = mail.locale.as_bytes();
    let sound = (limits::LOCALE_BYTES_MIN..=limits::LOCALE_BYTES_MAX).contains(&locale.len())
        && locale.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    if sound { Ok(()) } else { Err(Rejection::invalid("mail.locale", "must be a language tag like \"en\" or \"de-CH\"")) }
}

/// Enough to keep a second header out; the mail library reads it with care.
pub(crate) fn check_address(field: &str, address: &str) -> Result<(), Rejection> {
    let sound = address.contains('@') && address.len() <= limits::TEXT_BYTES_MAX && !address.contains(char::is_control);
    if sound { Ok(()) } else { Err(Rejection::invalid(field, "must be a mail address like \"Acme Shop <shop@acme.example>\"")) }
}

pub(crate) fn is_web_address(url: &str) -> bool {
    let plain = url.len() <= limits::TEXT_BYTES_MAX && !url.contains(|c: char| c.is_control() || c.is_whitespace());
    plain && (url.starts_with("https://") || url.starts_with("http://"))
}

fn check_settings(settings: &Settings) -> Result<(), Rejection> {
    if !(1..=limits::SHOP_DAYS_MAX).contains(&settings.complete_after_days) {
        return Err(Rejection::invalid("complete_after_days", format!("must be 1 to {}", limits::SHOP_DAYS_MAX)));
    }
    if settings.authorization_warning_hours > limits::AUTHORIZATION_WARNING_HOURS_MAX {
        let problem = format!("must be at most {}", limits::AUTHORIZATION_WARNING_HOURS_MAX);
        return Err(Rejection::invalid("authorization_warning_hours", problem));
    }
    if settings.promise_margin_days > limits::SHOP_DAYS_MAX {
        return Err(Rejection::invalid("promise_margin_days", format!("must be at most {}", limits::SHOP_DAYS_MAX)));
    }
    settings.alerts.as_ref().map_or(Ok(()), |routing| check_routing(routing))
}
