//! Settings: locations, channels with their sourcing, the shop's own rules, and keys.

pub mod keys;
pub mod mail;
pub mod places;

use super::Answer;
use super::show;
use super::visit::{Frame, Visit};
use askama::Template;
use domain::catalog::{Buffer, Channel, Location, Settings, SourcingRule};
use domain::time::Timestamp;

struct Place {
    code: String,
    name: String,
    detail: String,
    active: bool,
}

struct ChannelView {
    code: String,
    name: String,
    detail: String,
    rules: Vec<String>,
    active: bool,
}

struct KeyView {
    id: String,
    name: String,
    role: String,
    created: String,
    used: String,
    mine: bool,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    frame: Frame,
    places: Vec<Place>,
    channels: Vec<ChannelView>,
    rules: Vec<(&'static str, String)>,
    keys: Vec<KeyView>,
}

pub async fn page(visit: Visit) -> Answer {
    let frame = visit.frame("Settings", "settings", "settings");
    let now = visit.now();
    // Keys are made in wall time, also when the shop's clock is compressed.
    let keys = if frame.may.administer { visit.shop().keys.list() } else { Vec::new() };
    let keys = keys.into_iter().filter(|key| key.revoked_at.is_none()).map(|key| KeyView {
        id: key.id.to_string(),
        name: key.name.clone(),
        role: key.role.as_str().replace('_', "-"),
        created: show::day(Timestamp(key.created_at).utc_date()),
        used: key.last_used_at.map_or_else(|| "never".to_owned(), |at| show::moment(Timestamp(at))),
        mine: key.id == visit.session.key.id,
    });
    let page = Page {
        places: now.locations.values().map(|at| place(at)).collect(),
        channels: now.channels.values().map(|channel| channel_view(channel)).collect(),
        rules: rules(&now.settings),
        keys: keys.collect(),
        frame,
    };
    drop(now);
    visit.show(&page)
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn place(at: &Location) -> Place {
    let days: Vec<&str> = at.working_days.iter().filter_map(|day| DAYS.get(usize::from(*day)).copied()).collect();
    let detail = format!(
        "{}, ships {} until {:02}:{:02} {}, {} after, priority {}",
        show::words(&format!("{:?}", at.kind).to_lowercase()),
        days.join(" "),
        at.cutoff_minute / 60,
        at.cutoff_minute % 60,
        at.time_zone,
        show::plural(usize::from(at.handling_days), "day", "days"),
        at.priority
    );
    Place { code: at.code.to_string(), name: at.name.to_string(), detail, active: at.active }
}

fn channel_view(channel: &Channel) -> ChannelView {
    let from = if channel.locations.is_empty() {
        "every location".to_owned()
    } else {
        channel.locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let buffer = match channel.buffer {
        Buffer::None => String::new(),
        Buffer::Units(units) => format!(", keeps back {units} units"),
        Buffer::Percent(percent) => format!(", keeps back {percent}%"),
    };
    let short = format!("{:?}", channel.on_shortage).to_lowercase();
    ChannelView {
        code: channel.code.to_string(),
        name: channel.name.to_string(),
        detail: format!("sells from {from}; when short: {short}{buffer}; paid over {}", channel.payment.gateway),
        rules: channel.sourcing.iter().map(rule_words).collect(),
        active: channel.active,
    }
}

fn rule_words(rule: &SourcingRule) -> String {
    match rule {
        SourcingRule::SameCountry => "in the country it ships to".to_owned(),
        SourcingRule::SameRegion => "in the region it ships to".to_owned(),
        SourcingRule::Prefer { country, region, locations } => {
            let to = region.as_ref().map_or_else(|| country.to_string(), |region| format!("{country} {region}"));
            format!("to {to}: {}", locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", then "))
        }
        SourcingRule::Priority => "the location’s priority".to_owned(),
        SourcingRule::FewestSplits => "fewest parcels".to_owned(),
        SourcingRule::Nearest => "nearest".to_owned(),
    }
}

fn rules(settings: &Settings) -> Vec<(&'static str, String)> {
    let days = |days: u16| show::plural(usize::from(days), "day", "days");
    vec![
        ("Shipped orders without tracking complete after", days(settings.complete_after_days)),
        ("Added to a purchase order’s date in a promise", days(settings.promise_margin_days)),
        (
            "A count needs approval above",
            settings.count_approval_units.map_or_else(|| "never".to_owned(), |units| format!("{units} units")),
        ),
        ("A receipt may exceed its order by", format!("{}%", settings.over_receipt_percent)),
    ]
}
