//! Forms of locations, channels and the shop's rules.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::form::{Form, Input};
use super::super::visit::Visit;
use domain::catalog::{Buffer, Channel, Location, Settings, Shortage, SourcingRule};
use domain::command::catalog::Command;
use domain::id::{ChannelCode, LocationCode};
use domain::quantity::Quantity;
use std::sync::Arc;

fn form(title: String) -> Form {
    Form { title, section: "settings", button: "Save".to_owned(), back: "/settings".to_owned(), ..Form::default() }
}

async fn save(visit: Visit, form: Form, command: Result<Command, Fault>) -> Answer {
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done("/settings", "Saved."),
        Err(fault) => form.refuse(&visit, &fault),
    }
}

fn location(visit: &Visit) -> Result<Arc<Location>, Fault> {
    let code: LocationCode = visit.segment("code", "location")?;
    visit.now().locations.get(&code).cloned().ok_or_else(|| Fault::not_found("location", code.as_str()))
}

fn location_form_of(at: &Location) -> Form {
    let active = if at.active { "1" } else { "" };
    form(format!("Location {}", at.code))
        .input(Input::text("name", "Name").required().value(&at.name))
        .input(Input::text("time_zone", "Time zone").required().value(&at.time_zone).hint("IANA name, like America/Chicago"))
        .input(
            Input::text("cutoff", "Cutoff")
                .required()
                .value(format!("{:02}:{:02}", at.cutoff_minute / 60, at.cutoff_minute % 60))
                .hint("Orders after it count from the next working day."),
        )
        .input(Input::number("handling_days", "Handling days", 0, Some(365)).required().value(at.handling_days))
        .input(Input::number("priority", "Priority", 0, Some(10_000)).required().value(at.priority).hint("Lower is asked first."))
        .input(Input::check("active", "Active").value(active).hint("An inactive one sells and ships nothing new."))
        .say("Promises made so far stay as they are; new ones follow the new values.")
}

fn located(at: &Location, fields: &Fields) -> Result<Command, Fault> {
    let bad = || Fault::invalid("Cutoff: write it like 15:00.");
    let (hours, minutes) = fields.text("cutoff").split_once(':').ok_or_else(bad)?;
    let (hours, minutes): (u16, u16) = (hours.parse().map_err(|_| bad())?, minutes.parse().map_err(|_| bad())?);
    if hours > 23 || minutes > 59 {
        return Err(bad());
    }
    let location = Location {
        name: fields.text("name").into(),
        time_zone: fields.text("time_zone").into(),
        cutoff_minute: hours * 60 + minutes,
        handling_days: fields.need("handling_days", "Handling days")?,
        priority: fields.need("priority", "Priority")?,
        active: fields.some("active").is_some(),
        ..at.clone()
    };
    Ok(Command::UpdateLocation { expected_version: Some(at.version), location })
}

pub async fn location_form(visit: Visit) -> Answer {
    let at = location(&visit)?;
    location_form_of(&at).show(&visit)
}

pub async fn location_do(visit: Visit) -> Answer {
    let at = location(&visit)?;
    let command = located(&at, &visit.form);
    save(visit, location_form_of(&at), command).await
}

fn channel(visit: &Visit) -> Result<Arc<Channel>, Fault> {
    let code: ChannelCode = visit.segment("code", "channel")?;
    visit.now().channels.get(&code).cloned().ok_or_else(|| Fault::not_found("channel", code.as_str()))
}

fn channel_form_of(channel: &Channel) -> Form {
    let shortages = [
        ("reject", "Reject the order"),
        ("backorder", "Wait until all is there"),
        ("split", "Ship what is there, the rest later"),
        ("partial", "Ship what is there, cancel the rest"),
    ];
    let shortage = match channel.on_shortage {
        Shortage::Reject => "reject",
        Shortage::Backorder => "backorder",
        Shortage::Split => "split",
        Shortage::Partial => "partial",
    };
    let buffer = match channel.buffer {
        Buffer::None => String::new(),
        Buffer::Units(units) => units.to_string(),
        Buffer::Percent(percent) => format!("{percent}%"),
    };
    let locations: Vec<String> = channel.locations.iter().map(ToString::to_string).collect();
    let rules: Vec<String> = channel.sourcing.iter().map(rule_text).collect();
    form(format!("Channel {}", channel.code))
        .input(Input::text("name", "Name").required().value(&channel.name))
        .input(
            Input::select(
                "on_shortage",
                "When stock is short",
                shortages.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec(),
            )
            .value(shortage),
        )
        .input(Input::text("buffer", "Kept back").value(buffer).hint("Units like 5, or a part like 10%; empty for nothing."))
        .input(
            Input::text("locations", "Sells from").value(locations.join(", ")).hint("Codes with commas between; empty for every location."),
        )
        .input(
            Input::area("sourcing", "Sourcing rules").value(rules.join("\n")).hint(
                "One a line, the first ranks first: same_country, same_region, priority, fewest_splits, nearest, or prefer DE: BER, AUS",
            ),
        )
        .input(Input::check("active", "Active").value(if channel.active { "1" } else { "" }))
        .say("Orders placed so far stay where they are; new ones follow the new rules.")
}

fn rule_text(rule: &SourcingRule) -> String {
    match rule {
        SourcingRule::SameCountry => "same_country".to_owned(),
        SourcingRule::SameRegion => "same_region".to_owned(),
        SourcingRule::Prefer { country, region, locations } => {
            let to = region.as_ref().map_or_else(|| country.to_string(), |region| format!("{country} {region}"));
            format!("prefer {to}: {}", locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        SourcingRule::Priority => "priority".to_owned(),
        SourcingRule::FewestSplits => "fewest_splits".to_owned(),
        SourcingRule::Nearest => "nearest".to_owned(),
    }
}

fn codes(text: &str) -> Result<Vec<LocationCode>, Fault> {
    let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
    codes.map(|code| code.parse().map_err(|error| Fault::invalid(format!("{error}.")))).collect()
}

fn rule(line: &str) -> Result<SourcingRule, Fault> {
    Ok(match line {
        "same_country" => SourcingRule::SameCountry,
        "same_region" => SourcingRule::SameRegion,
        "priority" => SourcingRule::Priority,
        "fewest_splits" => SourcingRule::FewestSplits,
        "nearest" => SourcingRule::Nearest,
        other => {
            let prefer = other.strip_prefix("prefer ").and_then(|rest| rest.split_once(':'));
            let (to, locations) = prefer.ok_or_else(|| Fault::invalid(format!("“{other}” is no sourcing rule.")))?;
            let (country, region) = to.trim().split_once(' ').map_or((to.trim(), None), |(country, region)| (country, Some(region)));
            SourcingRule::Prefer { country: country.into(), region: region.map(Into::into), locations: codes(locations)? }
        }
    })
}

fn channeled(channel: &Channel, fields: &Fields) -> Result<Command, Fault> {
    let on_shortage = match fields.text("on_shortage") {
        "backorder" => Shortage::Backorder,
        "split" => Shortage::Split,
        "partial" => Shortage::Partial,
        _ => Shortage::Reject,
    };
    let bad = || Fault::invalid("Kept back: write units like 5, or a part like 10%.");
    let buffer = match fields.some("buffer") {
        None => Buffer::None,
        Some(text) => match text.strip_suffix('%') {
            Some(percent) => Buffer::Percent(percent.trim().parse().map_err(|_| bad())?),
            None => Buffer::Units(Quantity::new(text.parse().map_err(|_| bad())?)),
        },
    };
    let lines = fields.text("sourcing").lines().map(str::trim).filter(|line| !line.is_empty());
    let channel = Channel {
        name: fields.text("name").into(),
        on_shortage,
        buffer,
        locations: codes(fields.text("locations"))?,
        sourcing: lines.map(rule).collect::<Result<_, _>>()?,
        active: fields.some("active").is_some(),
        ..channel.clone()
    };
    Ok(Command::UpdateChannel { expected_version: Some(channel.version), channel })
}

pub async fn channel_form(visit: Visit) -> Answer {
    let channel = channel(&visit)?;
    channel_form_of(&channel).show(&visit)
}

pub async fn channel_do(visit: Visit) -> Answer {
    let channel = channel(&visit)?;
    let command = channeled(&channel, &visit.form);
    save(visit, channel_form_of(&channel), command).await
}

fn rules_form_of(settings: &Settings) -> Form {
    form("Rules of the shop".to_owned())
        .input(
            Input::number("complete_after_days", "Days until a shipped order without tracking completes", 0, Some(365))
                .required()
                .value(settings.complete_after_days),
        )
        .input(
            Input::number("promise_margin_days", "Days added to a purchase order’s date in a promise", 0, Some(365))
                .required()
                .value(settings.promise_margin_days),
        )
        .input(
            Input::number("count_approval_units", "Units of variance above which a count needs approval", 0, None)
                .value(settings.count_approval_units.map_or_else(String::new, |units| units.to_string()))
                .hint("Empty: never."),
        )
        .input(
            Input::number("over_receipt_percent", "Percent by which a receipt may exceed its order", 0, Some(100))
                .required()
                .value(settings.over_receipt_percent),
        )
}

pub async fn rules_form(visit: Visit) -> Answer {
    let settings = visit.now().settings.clone();
    rules_form_of(&settings).show(&visit)
}

pub async fn rules_do(visit: Visit) -> Answer {
    let old = visit.now().settings.clone();
    let fields = &visit.form;
    let command = (|| {
        let settings = Settings {
            complete_after_days: fields.need("complete_after_days", "Days")?,
            promise_margin_days: fields.need("promise_margin_days", "Days")?,
            count_approval_units: fields.maybe::<u32>("count_approval_units", "Units")?.map(Quantity::new),
            over_receipt_percent: fields.need("over_receipt_percent", "Percent")?,
            ..old.as_ref().clone()
        };
        Ok(Command::UpdateSettings { settings, expected_version: Some(old.version) })
    })();
    save(visit, rules_form_of(&old), command).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_back_as_it_was_written() {
        for text in ["same_country", "same_region", "priority", "fewest_splits", "nearest", "prefer DE: BER, AUS", "prefer US TX: AUS"] {
            assert_eq!(rule_text(&rule(text).unwrap()), text);
        }
        assert!(rule("closest").is_err());
    }
}
