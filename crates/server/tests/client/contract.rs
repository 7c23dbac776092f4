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
        if !value.is_null() {
            compare(&choices[0], value, at, faults);
        }
        return;
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
