//! Items, locations, channels and settings.

use super::call::{Answer, Call, object};
use super::overlay::{lay_over, until_it_stands, update};
use super::problem::Problem;
use domain::Image;
use domain::catalog::{Channel, Item, Location, Settings};
use domain::command::catalog::Command;
use domain::id::{ChannelCode, LocationCode, Sku};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::future::ready;

/// The body with defaults for what was left out; a field that nobody knows is refused rather than ignored.
pub(super) fn read<T: DeserializeOwned + Serialize>(
    call: &Call,
    defaults: Value,
    optional: &[&str],
    fixed: Option<(&str, &str)>,
) -> Result<T, Problem> {
    let mut members: Map<String, Value> = call.json()?;
    let Value::Object(defaults) = defaults else { unreachable!("defaults are an object") };
    if let Some((name, value)) = fixed {
        members.insert(name.to_owned(), json!(value));
    }
    for name in members.keys() {
        let known = defaults.contains_key(name) || optional.contains(&name.as_str());
        if !known {
            let mut names: Vec<&str> = defaults.keys().map(String::as_str).chain(optional.iter().copied()).collect();
            names.retain(|name| !["version", "created_at", "status", "object"].contains(name));
            return Err(Problem::bad_field(name, format!("is not known here; known are {}", names.join(", "))));
        }
    }
    members.remove("object");
    for (name, value) in defaults {
        // A default of null means that the field has to be sent.
        if !value.is_null() && name != "object" {
            merge(members.entry(name).or_insert_with(|| value.clone()), &value);
        }
    }
    let sent = Value::Object(members.clone());
    let understood: T = serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| Problem::bad_member(&error))?;
    let whole = serde_json::to_value(&understood).map_err(Problem::internal)?;
    match whole.as_object().into_iter().flatten().find_map(|(name, value)| stranger(name, &sent[name], value)) {
        Some(name) => Err(Problem::bad_field(&name, "is not known here")),
        None => Ok(understood),
    }
}

/// A name inside of a member that was sent and did not arrive: the log's own types let pass what a later version may have written.
fn stranger(at: &str, sent: &Value, arrived: &Value) -> Option<String> {
    let is_default = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    match (sent, arrived) {
        (Value::Object(sent), Value::Object(arrived)) => sent.iter().find_map(|(name, value)| match arrived.get(name) {
            Some(there) => stranger(&format!("{at}.{name}"), value, there),
            None => (!is_default(value)).then(|| format!("{at}.{name}")),
        }),
        (Value::Array(sent), Value::Array(arrived)) => {
            sent.iter().zip(arrived).enumerate().find_map(|(n, (sent, there))| stranger(&format!("{at}[{n}]"), sent, there))
        }
        _ => None,
    }
}

/// Fills what is missing inside of an object that was sent in part.
fn merge(sent: &mut Value, default: &Value) {
    if let (Value::Object(sent), Value::Object(default)) = (sent, default) {
        for (name, value) in default {
            sent.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

const ITEM_OPTIONAL: &[&str] = &["barcode", "unit_cost", "weight_grams", "on_shortage", "available_from", "components", "split_kit"];

fn item(call: &Call, sku: Option<&str>) -> Result<Item, Problem> {
    let kit = call.json::<Value>()?["kind"] == "kit";
    let mut defaults = json!({
        "sku": null, "name": null, "kind": "stocked", "backorder_cap": "unlimited", "metadata": {}, "status": "active",
        "version": 0, "created_at": "1970-01-01T00:00:00.000Z", "object": "item",
    });
    if kit {
        defaults["split_kit"] = json!(false);
    }
    read(call, defaults, ITEM_OPTIONAL, sku.map(|sku| ("sku", sku)))
}

fn location(call: &Call, code: Option<&str>) -> Result<Location, Problem> {
    let defaults = json!({
        "code": null, "name": null, "address": null, "time_zone": "UTC", "cutoff_minute": 15 * 60, "working_days": [0, 1, 2, 3, 4],
        "handling_days": 1, "priority": 1, "kind": "warehouse", "active": true, "version": 0,
        "created_at": "1970-01-01T00:00:00.000Z", "object": "location",
    });
    read(call, defaults, &["coordinates"], code.map(|code| ("code", code)))
}

fn channel(call: &Call, code: Option<&str>) -> Result<Channel, Problem> {
    let payment = json!({
        "timing": "capture_at_shipment", "backorder": "now", "window_ms": 30 * 60 * 1000, "gateway": "test",
        "single_capture": "first_shipment", "multicapture": true, "overcapture_percent": 0,
        "on_expiry": "reauthorize",
    });
    let defaults = json!({
        "code": null, "name": null, "kind": "web", "locations": [], "buffer": "none", "on_shortage": "reject", "payment": payment,
        "sourcing": [], "active": true, "version": 0, "created_at": "1970-01-01T00:00:00.000Z", "object": "channel",
    });
    read(call, defaults, &["mail"], code.map(|code| ("code", code)))
}

/// The entity of a kind among what a command touched.
macro_rules! touched {
    ($done:expr, $variant:ident, $kind:literal) => {{
        let done = $done;
        let found = done.images.iter().find_map(|image| match image {
            Image::$variant(_, Some(value)) => Some(value.clone()),
            _ => None,
        });
        let value = found.ok_or_else(|| Problem::internal(concat!("a command touched no ", $kind)))?;
        (object($kind, value.as_ref()), value.version, done.repeated)
    }};
}

macro_rules! entity {
    ($call:expr, $variant:ident, $kind:literal, $key:expr) => {{
        let key = $key.to_string();
        let wanted = key.clone();
        match $call.read(move |reader| reader.entity($kind, &wanted)).await? {
            Some(Image::$variant(_, Some(value))) => Ok(Answer::ok(object($kind, value.as_ref())).at(value.version)),
            _ => Err(Problem::not_found($kind, &key)),
        }
    }};
}

macro_rules! entities {
    ($call:expr, $variant:ident, $kind:literal) => {{
        let limit = $call.limit()?;
        let after = $call.after()?;
        let mut images = $call.read(move |reader| reader.list($kind, &after, limit + 1)).await?;
        let has_more = images.len() > limit;
        images.truncate(limit);
        let last = images.last().map(|image| crate::http::call::cursor_of(&image.key()));
        let rows = images.iter().filter_map(|image| match image {
            Image::$variant(_, Some(value)) => Some(object($kind, value.as_ref())),
            _ => None,
        });
        Ok(Answer::ok(crate::http::call::list(rows.collect(), has_more, last)))
    }};
}
pub(super) use {entities, entity};

pub async fn item_create(call: Call) -> Result<Answer, Problem> {
    let (body, version, repeated) = touched!(call.submit(Command::CreateItem(item(&call, None)?)).await?, Item, "item");
    Ok(Answer::created(body).at(version).replayed(repeated))
}

pub async fn item_update(call: Call) -> Result<Answer, Problem> {
    let sku: Sku = call.segment("sku")?;
    let make =
        |whole: Call, expected_version| ready(item(&whole, Some(sku.as_str())).map(|item| Command::UpdateItem { item, expected_version }));
    let done = update(&call, "item", sku.as_str(), make);
    let (body, version, repeated) = touched!(done.await?, Item, "item");
    Ok(Answer::ok(body).at(version).replayed(repeated))
}

pub async fn item_retire(call: Call) -> Result<Answer, Problem> {
    let command = Command::RetireItem { sku: call.segment("sku")?, expected_version: call.if_match()? };
    let (body, version, repeated) = touched!(call.submit(command).await?, Item, "item");
    Ok(Answer::ok(body).at(version).replayed(repeated))
}

pub async fn item_get(call: Call) -> Result<Answer, Problem> {
    entity!(call, Item, "item", call.segment::<Sku>("sku")?)
}

pub async fn item_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Item, "item")
}

pub async fn location_create(call: Call) -> Result<Answer, Problem> {
    let (body, version, repeated) = touched!(call.submit(Command::CreateLocation(location(&call, None)?)).await?, Location, "location");
    Ok(Answer::created(body).at(version).replayed(repeated))
}

pub async fn location_update(call: Call) -> Result<Answer, Problem> {
    let code: LocationCode = call.segment("code")?;
    let make = |whole: Call, expected_version| {
        ready(location(&whole, Some(code.as_str())).map(|location| Command::UpdateLocation { location, expected_version }))
    };
    let done = update(&call, "location", code.as_str(), make);
    let (body, version, repeated) = touched!(done.await?, Location, "location");
    Ok(Answer::ok(body).at(version).replayed(repeated))
}

pub async fn location_get(call: Call) -> Result<Answer, Problem> {
    entity!(call, Location, "location", call.segment::<LocationCode>("code")?)
}

pub async fn location_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Location, "location")
}

pub async fn channel_create(call: Call) -> Result<Answer, Problem> {
    let (body, version, repeated) = touched!(call.submit(Command::CreateChannel(channel(&call, None)?)).await?, Channel, "channel");
    Ok(Answer::created(body).at(version).replayed(repeated))
}

pub async fn channel_update(call: Call) -> Result<Answer, Problem> {
    let code: ChannelCode = call.segment("code")?;
    let make = |whole: Call, expected_version| {
        ready(channel(&whole, Some(code.as_str())).map(|channel| Command::UpdateChannel { channel, expected_version }))
    };
    let done = update(&call, "channel", code.as_str(), make);
    let (body, version, repeated) = touched!(done.await?, Channel, "channel");
    Ok(Answer::ok(body).at(version).replayed(repeated))
}

pub async fn channel_get(call: Call) -> Result<Answer, Problem> {
    entity!(call, Channel, "channel", call.segment::<ChannelCode>("code")?)
}

pub async fn channel_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Channel, "channel")
}

async fn settings(call: &Call) -> Result<Settings, Problem> {
    Ok(match call.read(|reader| reader.entity("settings", "-")).await? {
        Some(Image::Settings(_, Some(settings))) => settings.as_ref().clone(),
        _ => Settings::default(),
    })
}

/// As clients read it: never with the webhook's address, which is a secret.
fn without_secrets(mut view: Value) -> Value {
    if let Some(webhook) = view.get_mut("alerts").and_then(|alerts| alerts.get_mut("webhook")) {
        *webhook = json!("set");
    }
    view
}

pub async fn settings_get(call: Call) -> Result<Answer, Problem> {
    let settings = settings(&call).await?;
    Ok(Answer::ok(without_secrets(object("settings", &settings))).at(settings.version))
}

pub async fn settings_update(call: Call) -> Result<Answer, Problem> {
    let sent = call.json::<Map<String, Value>>()?;
    let make = |named: Option<u64>| {
        let (call, sent) = (&call, sent.clone());
        async move {
            let known = settings(call).await?;
            let expected_version = named.or(Some(known.version));
            Ok(Command::UpdateSettings { settings: settings_over(call, &known, sent)?, expected_version })
        }
    };
    let (body, version, repeated) = touched!(until_it_stands(&call, make).await?, Settings, "settings");
    Ok(Answer::ok(without_secrets(body)).at(version).replayed(repeated))
}

/// `alerts.webhook` comes in the clear and is sealed; `"set"`, or nothing, keeps the known one, and null takes it away.
fn settings_over(call: &Call, known: &Settings, sent: Map<String, Value>) -> Result<Settings, Problem> {
    let mut defaults = object("settings", &Settings::default());
    defaults["count_approval_units"] = Value::Null;
    let Value::Object(mut whole) = object("settings", known) else { unreachable!("settings are an object") };
    let sent_webhook = sent.get("alerts").and_then(|alerts| alerts.get("webhook")).cloned();
    lay_over(&mut whole, sent);
    let mut body = Value::Object(whole);
    if let Some(alerts) = body.get_mut("alerts").and_then(Value::as_object_mut) {
        let known = known.alerts.as_ref().and_then(|routing| routing.webhook.clone());
        let webhook = match sent_webhook {
            Some(Value::String(url)) if url.starts_with("https://") || url.starts_with("http://") => {
                json!(call.shop.vault.seal_secret(&url).map_err(Problem::internal)?)
            }
            Some(Value::String(text)) if text != "set" => {
                return Err(Problem::bad_field("alerts.webhook", "must be an address that begins with https:// or http://"));
            }
            Some(Value::Null) => Value::Null,
            Some(Value::String(_)) | None => json!(known),
            Some(_) => return Err(Problem::bad_field("alerts.webhook", "expected a string: the address that is called")),
        };
        alerts.insert("webhook".to_owned(), webhook);
    }
    read(&call.with_body(body.to_string()), defaults, &["alerts", "last_digest"], None)
}

/// Any stored entity as JSON.
pub async fn entity_body(call: &Call, kind: &'static str, key: String) -> Result<Value, Problem> {
    let wanted = key.clone();
    let image = call.read(move |reader| reader.entity(kind, &wanted)).await?;
    let image = image.ok_or_else(|| Problem::not_found(kind, &key))?;
    Ok(object(kind, &image))
}
