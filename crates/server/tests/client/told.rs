//! Every event of every test is held against `docs/asyncapi.json`: no member that is not described, none missing, each of its type.

use serde_json::Value;
use server::bus::cloud_event;
use server::shop::Shop;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(server::http::ASYNCAPI).expect("what is generated is JSON"));

/// Looks at the log of a test when that is over.
pub struct Told(pub Arc<Shop>);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let Ok(reader) = self.0.engine.reader() else { return };
        let mut after = 0;
        while let Ok((events, looked)) = reader.events(after, 500) {
            for event in events {
                check(&serde_json::from_str(&cloud_event(&event, 1)).expect("events are JSON"));
            }
            if looked <= after {
                return;
            }
            after = looked;
        }
    }
}

/// # Panics
/// When the event is not as described.
pub fn check(event: &Value) {
    let name = event["type"].as_str().unwrap_or_default().trim_start_matches("quartermaster.");
    let message = &DESCRIPTION["components"]["messages"][name];
    assert!(!message.is_null(), "docs/asyncapi.json knows no {name}; run cargo xtask asyncapi");
    let faults = faults(&message["payload"], event, name);
    assert!(
        faults.is_empty(),
        "docs/asyncapi.json does not describe this; run cargo xtask asyncapi:\n  {}\n{event:#}",
        faults.join("\n  ")
    );
}

/// What was found on the way through one value.
#[derive(Default)]
struct Found {
    faults: Vec<String>,
    described: BTreeSet<String>,
    /// Any member may stand here.
    open: bool,
}

fn faults(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Found::default();
    compare(schema, value, at, &mut found);
    let undescribed = value.as_object().into_iter().flatten().map(|(name, _)| name).filter(|name| !found.described.contains(*name));
    if !found.open {
        found.faults.extend(undescribed.map(|name| format!("{at}.{name}: is not described")));
    }
    found.faults
}

fn compare(schema: &Value, value: &Value, at: &str, found: &mut Found) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return compare(&DESCRIPTION["components"]["schemas"][name], value, at, found);
    }
    schema["allOf"].as_array().into_iter().flatten().for_each(|part| compare(part, value, at, found));
    if let Some(choices) = schema["oneOf"].as_array() {
        let mut tried = choices.iter().map(|choice| {
            let mut found = Found::default();
            compare(choice, value, at, &mut found);
            found
        });
        match tried.find(|tried| tried.faults.is_empty()) {
            Some(fits) => {
                found.described.extend(fits.described);
                found.open |= fits.open;
            }
            None => found.faults.push(format!("{at}: is none of what it may be: {value}")),
        }
    }
    let constant = &schema["const"];
    let listed = schema["enum"].as_array().is_none_or(|all| all.contains(value));
    if !listed || (!constant.is_null() && constant != value) {
        found.faults.push(format!("{at}: is {value}"));
    }
    if schema["type"].as_str().is_some_and(|wanted| wanted != kind(value)) {
        return found.faults.push(format!("{at}: is {}, described as {}", kind(value), schema["type"]));
    }
    match value {
        Value::Object(members) => compare_members(schema, members, at, found),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| found.faults.extend(faults(&schema["items"], item, &format!("{at}[{index}]"))));
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn compare_members(schema: &Value, members: &serde_json::Map<String, Value>, at: &str, found: &mut Found) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        found.described.insert(name.clone());
        if let Some(value) = members.get(name) {
            found.faults.extend(faults(schema, value, &format!("{at}.{name}")));
        }
    }
    if let Some(schema) = schema.get("additionalProperties") {
        found.open = true;
        members.iter().for_each(|(name, value)| found.faults.extend(faults(schema, value, &format!("{at}.{name}"))));
    }
    // A schema that says nothing allows all.
    found.open |= schema.as_object().is_some_and(|schema| schema.is_empty());
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    found.faults.extend(required.filter(|name| !members.contains_key(*name)).map(|name| format!("{at}.{name}: is missing")));
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "integer",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
    }
}
