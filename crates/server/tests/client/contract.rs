//! Every answer of every test is held against the API description: no field that is not described, none missing, each of its type.

use serde_json::Value;
use server::http::{ROUTES, openapi};
use std::sync::LazyLock;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(openapi);

/// # Panics
/// When the answer is not as described.
pub fn check(method: &str, path: &str, body: &Value) {
    let path = path.split('?').next().unwrap_or(path);
    let Some(route) = ROUTES.iter().find(|route| route.method == method && is_of(path, route.path)) else { return };
    let responses = &DESCRIPTION["paths"][route.path][method.to_lowercase()]["responses"];
    let success = responses.as_object().and_then(|all| all.iter().find(|(status, _)| status.starts_with('2'))).map(|(_, answer)| answer);
    let Some(schema) = success.map(|answer| &answer["content"]["application/json"]["schema"]) else { return };
    let mut faults = Vec::new();
    compare(schema, body, "", &mut faults);
    assert!(
        faults.is_empty(),
        "{method} {path} does not answer as crates/server/src/http/openapi/answers.rs says:\n  {}\n{body:#}",
        faults.join("\n  ")
    );
}

/// Every body that a test sends with success is held against the description, too; of bulk and of events, each line and event that was done.
///
/// # Panics
/// When the body is not as described.
pub fn check_request(method: &str, path: &str, body: &str, answer: &str) {
    let path = path.split('?').next().unwrap_or(path);
    let Some(route) = ROUTES.iter().find(|route| route.method == method && is_of(path, route.path)) else { return };
    let content = &DESCRIPTION["paths"][route.path][method.to_lowercase()]["requestBody"]["content"];
    let bulk = &content["application/x-ndjson"]["schema"];
    let schema = if bulk.is_null() { &content["application/json"]["schema"] } else { bulk };
    for sent in done(route.path, body, answer) {
        let faults = faults_of(schema, &sent, "");
        assert!(faults.is_empty(), "{method} {path} takes what requests.rs does not say:\n  {}\n{sent:#}", faults.join("\n  "));
    }
}

/// What of a body was taken: all of it, or the lines and events whose results say so.
fn done(path: &str, body: &str, answer: &str) -> Vec<Value> {
    let is_done = |result: &Value| result["status"].as_u64().is_some_and(|status| status < 300);
    if path.ends_with("/bulk") {
        let results = answer.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(is_done);
        let numbers = results.filter_map(|result| usize::try_from(result["line"].as_u64()?).ok());
        let lines: Vec<&str> = body.lines().collect();
        return numbers.map(|number| serde_json::from_str(lines[number - 1]).expect("a line that was done is JSON")).collect();
    }
    let Ok(sent) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    if path != "/v1/events" {
        return vec![sent];
    }
    let results: Value = serde_json::from_str(answer).unwrap_or_default();
    let events = sent.as_array().cloned().unwrap_or_else(|| vec![sent.clone()]);
    let results = results["data"].as_array().into_iter().flatten();
    let mut taken: Vec<Value> = events.into_iter().zip(results).filter(|(_, result)| is_done(result)).map(|(event, _)| event).collect();
    // A batch is held against what a batch is.
    if sent.is_array() {
        taken = vec![Value::Array(taken)];
    }
    taken
}

fn faults_of(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(choices) = schema["oneOf"].as_array() {
        let one = choices.iter().any(|choice| faults_of(choice, value, at).is_empty());
        return if one { Vec::new() } else { vec![format!("{at}: is none of the choices")] };
    }
    let allowed: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Vec::new(),
    };
    if !allowed.contains(&kind(value)) {
        return vec![format!("{at}: is {}, described as {}", kind(value), allowed.join(" or "))];
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return vec![format!("{at}: {value} is none of {words:?}")];
    }
    if let Some((name, limit)) = beyond(schema, value) {
        return vec![format!("{at}: is beyond {name} {limit}")];
    }
    match value {
        Value::Object(members) => {
            let Some(described) = schema["properties"].as_object() else { return Vec::new() };
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut faults: Vec<String> =
                required.filter(|name| !members.contains_key(*name)).map(|name| format!("{at}.{name}: is missing")).collect();
            for (name, value) in members {
                match described.get(name) {
                    Some(schema) => faults.extend(faults_of(schema, value, &format!("{at}.{name}"))),
                    None if schema["additionalProperties"] == false => faults.push(format!("{at}.{name}: is not described")),
                    None => {}
                }
            }
            faults
        }
        Value::Array(items) => items.iter().flat_map(|item| faults_of(&schema["items"], item, &format!("{at}[]"))).collect(),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => Vec::new(),
    }
}

/// The bound that a value does not keep: what is taken has to be described as allowed.
fn beyond<'a>(schema: &'a Value, value: &Value) -> Option<(&'static str, &'a Value)> {
    let (least, most, size) = match value {
        Value::String(text) => ("minLength", "maxLength", i64::try_from(text.chars().count()).ok()?),
        Value::Array(items) => ("minItems", "maxItems", i64::try_from(items.len()).ok()?),
        Value::Object(members) => ("minProperties", "maxProperties", i64::try_from(members.len()).ok()?),
        Value::Number(number) => ("minimum", "maximum", number.as_i64()?),
        Value::Bool(_) | Value::Null => return None,
    };
    let below = schema[least].as_i64().is_some_and(|limit| size < limit).then(|| (least, &schema[least]));
    below.or_else(|| schema[most].as_i64().is_some_and(|limit| size > limit).then(|| (most, &schema[most])))
}

fn is_of(path: &str, template: &str) -> bool {
    let (mut ours, mut theirs) = (path.split('/'), template.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(_), Some(part)) if part.starts_with('{') => {}
            (Some(one), Some(other)) if one == other => {}
            (Some(_) | None, Some(_)) | (Some(_), None) => return false,
        }
    }
}

fn compare(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return compare(&DESCRIPTION["components"]["schemas"][name], value, at, faults);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let found = choices.iter().map(|choice| {
            let mut faults = Vec::new();
            compare(choice, value, at, &mut faults);
            faults
        });
        // Of several that all fail, the one that is nearest says best what is wrong.
        return faults.extend(found.min_by_key(Vec::len).unwrap_or_default());
    }
    let allowed: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let kind = kind(value);
    if !allowed.contains(&kind) {
        faults.push(format!("{at}: is {kind}, described as {}", allowed.join(" or ")));
        return;
    }
    match value {
        Value::Object(members) => {
            // An object whose members are not described is free.
            let Some(described) = schema["properties"].as_object() else { return };
            for (name, value) in members {
                match described.get(name) {
                    Some(schema) => compare(schema, value, &format!("{at}.{name}"), faults),
                    None => faults.push(format!("{at}.{name}: is not described")),
                }
            }
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            faults.extend(required.filter(|name| !members.contains_key(*name)).map(|name| format!("{at}.{name}: is missing")));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| compare(&schema["items"], item, &format!("{at}[{index}]"), faults));
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
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
