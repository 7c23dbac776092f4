//! What each route takes: the shapes of bodies, with what their members mean and how far they may go.

mod members;
mod shapes;

use super::super::bulk::KEY_BYTES_MAX;
use super::super::events_in::BATCH_MAX;
use super::super::overlay::MERGED;
use super::super::routes::Route;
use serde_json::{Map, Value, json};
use shapes::SHAPES;

/// The description of a route's body. `keeps`: what is left out stays, so nothing has to be sent.
pub fn body(route: &Route, keeps: bool) -> Value {
    let mut described = if route.path == "/v1/events" { events(route) } else { shape(route) };
    if keeps {
        optional(&mut described, route);
    }
    if route.path.ends_with("/bulk") {
        described["properties"]["idempotency_key"] = json!({"type": "string", "minLength": 1, "maxLength": KEY_BYTES_MAX});
    }
    members::describe(&mut described, &place(route));
    described
}

fn shape(route: &Route) -> Value {
    let shape = SHAPES.iter().find(|(method, path, _)| (*method, *path) == (route.method, route.path));
    schema(&serde_json::from_str(shape.map_or(route.body, |(_, _, shape)| shape)).expect("shapes are JSON"))
}

/// `/v1/orders/{id}/cancel` is `orders.cancel`; a line of `/v1/orders/bulk` and what is previewed is what `orders` is.
fn place(route: &Route) -> String {
    let parts = route.path.trim_start_matches("/v1/").split('/');
    let parts = parts.filter(|part| !part.starts_with('{') && !["bulk", "preview"].contains(part));
    parts.collect::<Vec<_>>().join(".")
}

/// Nothing has to be sent, nor inside of what is merged, and what the path names can't be.
fn optional(described: &mut Value, route: &Route) {
    let fixed = route.path.rsplit('{').next().and_then(|name| name.strip_suffix('}'));
    let Some(whole) = described.as_object_mut() else { return };
    whole.remove("required");
    let Some(members) = whole.get_mut("properties").and_then(Value::as_object_mut) else { return };
    fixed.and_then(|name| members.remove(name));
    for (_, member) in members.iter_mut().filter(|(name, _)| MERGED.contains(&name.as_str())) {
        member.as_object_mut().map(|member| member.remove("required"));
    }
    if let Some(each) = members.get_mut("metadata").and_then(|metadata| metadata.get_mut("additionalProperties")) {
        *each = or_null(each.take());
    }
}

fn schema(shape: &Value) -> Value {
    match shape {
        Value::Object(members) if members.is_empty() => json!({}),
        Value::Object(members) => {
            if let Some(Value::Array(choices)) = members.get("$one") {
                return json!({"oneOf": choices.iter().map(schema).collect::<Vec<_>>()});
            }
            if let Some(each) = members.get("*") {
                return json!({"type": "object", "additionalProperties": schema(each)});
            }
            let required: Vec<&String> = members.keys().filter(|name| !name.ends_with('?')).collect();
            let property = |(name, value): (&String, &Value)| match name.strip_suffix("??") {
                Some(name) => (name.to_owned(), or_null(schema(value))),
                None => (name.trim_end_matches('?').to_owned(), schema(value)),
            };
            let properties: Map<String, Value> = members.iter().map(property).collect();
            json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
        }
        Value::Array(items) => json!({"type": "array", "items": items.first().map_or_else(|| json!({}), schema)}),
        Value::String(text) if text.contains('|') => json!({"type": "string", "enum": text.split('|').collect::<Vec<_>>()}),
        Value::String(text) => match text.strip_prefix('=') {
            Some(word) => json!({"type": "string", "enum": [word]}),
            None => json!({"type": "string", "examples": [text]}),
        },
        Value::Number(number) => json!({"type": "integer", "examples": [number]}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Null => json!({}),
    }
}

/// An event carries any command's body; one comes alone or with others.
fn events(route: &Route) -> Value {
    let mut event = schema(&serde_json::from_str(route.body).expect("examples are JSON"));
    event["properties"]["data"] = json!({"type": "object"});
    let asked = ["specversion", "id", "source", "type"];
    event["required"] = json!(asked);
    event["properties"]["specversion"] = json!({"type": "string", "enum": ["1.0"]});
    // CloudEvents may have attributes that we do not know.
    event.as_object_mut().map(|schema| schema.remove("additionalProperties"));
    json!({"oneOf": [event, {"type": "array", "items": event, "maxItems": BATCH_MAX}]})
}

fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        schema["type"] = json!([kind, "null"]);
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    } else if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.push(json!({"type": "null"}));
    }
    schema
}
