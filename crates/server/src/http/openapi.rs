//! OpenAPI 3.1, made from the table of routes.

pub mod answers;
mod requests;

use super::problem::KINDS;
use super::routes::{Access, ROUTES, Route};
use serde_json::{Map, Value, json};

/// The description of the bus, generated from the types of the events.
pub const ASYNCAPI: &str = include_str!("../../../../docs/asyncapi.json");

/// The description of the whole API.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.to_lowercase()] = operation(route);
    }
    let mut schemas = answers::schemas();
    schemas.insert("problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Quartermaster",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Real-time inventory and order management. Amounts are integers in minor units, times RFC 3339 in UTC. \
                Send an Idempotency-Key with every POST and retry freely; send If-Match with the ETag of your last read to change \
                exactly what you saw. Problems are application/problem+json with a stable code.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "Made by `quartermaster keys create`."}},
            "schemas": schemas,
        },
        "paths": paths,
    })
}

fn problem() -> Value {
    let codes: Vec<&str> = KINDS.iter().map(|kind| kind.code).collect();
    let code = format!("Stable, to branch on; more may come: {}", codes.join(", "));
    json!({
        "type": "object",
        "required": ["type", "code", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "description": "Where it is explained, relative to this server: /problems/insufficient-stock"},
            "code": {"type": "string", "description": code}, "title": {"type": "string"},
            "status": {"type": "integer"}, "detail": {"type": "string"}, "request_id": {"type": "string"},
        },
    })
}

fn operation(route: &Route) -> Value {
    let roles: Vec<&str> = route.access.roles().iter().map(|role| role.as_str()).collect();
    let handler = format!("{} {}", route.method.to_lowercase(), route.path.trim_start_matches("/v1/"));
    let id: String = handler.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(
        queries(route.path, route.method).iter().map(
            |(name, about)| json!({"name": name, "in": "query", "required": false, "description": about, "schema": {"type": "string"}}),
        ),
    );
    if queries(route.path, route.method).iter().any(|(name, _)| *name == "limit") && route.path != "/v1/events" {
        let about = "latest (default): all that was durable when it was asked for; any: what the list has, however far behind";
        parameters.push(json!({"name": "consistency", "in": "query", "required": false, "description": about,
            "schema": {"type": "string", "enum": ["latest", "any"]}}));
    }
    if route.method == "GET" {
        let about =
            "fields that name another object, to be replaced by it: customer, lines.sku, order, supplier, location, …; several times";
        parameters.push(json!({"name": "expand[]", "in": "query", "required": false, "description": about,
            "schema": {"type": "array", "items": {"type": "string"}}}));
    }
    if route.method == "POST" {
        parameters
            .push(json!({"name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "maxLength": 255}}));
    }
    let plain = route.access == Access::Read || route.method == "PUT" || route.path.matches('/').count() > 2;
    let success = if is_bulk(route) || plain { "200" } else { "201" };
    let done = if is_bulk(route) { "One object a line, in the order of the lines that were sent" } else { "Done" };
    let answer = json!({"description": done, "content": {media(route): {"schema": answers::answer(route.method, route.path)}}});
    let refused = json!({
        "description": "Why it was not done, and what to do",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}},
    });
    let mut operation = json!({
        "operationId": id.trim_matches('_').replace("__", "_"),
        "summary": route.summary,
        "tags": [route.path.split('/').nth(2).unwrap_or("shop")],
        "description": format!("{}Roles: {}.", if KEEPS.contains(&(route.method, route.path)) { KEPT } else { "" }, roles.join(", ")),
        "x-roles": roles,
        "parameters": parameters,
        "responses": {success: answer, "default": refused},
    });
    if let Some(name) = super::events_in::type_of(route.method, route.path) {
        operation["x-event-type"] = json!(name);
    }
    if !route.body.is_empty() {
        let example: Value = serde_json::from_str(route.body).expect("examples are JSON");
        let keeps = KEEPS.contains(&(route.method, route.path));
        let content = json!({"schema": requests::body(route, keeps), "example": example});
        operation["requestBody"] = json!({"required": true, "content": {media(route): content}});
    }
    operation
}

/// Updates that keep what they do not name.
const KEEPS: &[(&str, &str)] = &[
    ("PUT", "/v1/items/{sku}"),
    ("PUT", "/v1/locations/{code}"),
    ("PUT", "/v1/channels/{code}"),
    ("PUT", "/v1/suppliers/{code}"),
    ("PUT", "/v1/settings"),
];
const KEPT: &str = "What is left out stays as it is; null takes an optional member away. ";

fn is_bulk(route: &Route) -> bool {
    route.path.ends_with("/bulk")
}

fn media(route: &Route) -> &'static str {
    if is_bulk(route) { "application/x-ndjson" } else { "application/json" }
}

const PAGE: [(&str, &str); 2] = [("limit", "1 to 200, by default 50"), ("cursor", "next_cursor of the page before")];

/// Whether a route takes a parameter of the query; those that every list or read takes count.
pub fn takes(route: &Route, name: &str) -> bool {
    let always = route.method == "GET" && ["expand[]", "expand", "consistency"].contains(&name);
    always || queries(route.path, route.method).iter().any(|(known, _)| *known == name)
}

/// The names of all parameters of a route's query, for a sentence.
pub fn taken(route: &Route) -> String {
    let names: Vec<&str> = queries(route.path, route.method).iter().map(|(name, _)| *name).collect();
    if names.is_empty() { "no parameters".to_owned() } else { names.join(", ") }
}

fn queries(path: &str, method: &str) -> Vec<(&'static str, &'static str)> {
    if path == "/v1/items/bulk" {
        return vec![("existing", "refuse (by default) or update: what becomes of SKUs that are there already")];
    }
    if method != "GET" {
        return Vec::new();
    }
    match path {
        "/v1/orders" => [
            &PAGE[..],
            &[
                ("status", "open, on_hold, completed, canceled, rejected"),
                ("payment_status", "for example authorized"),
                ("allocation_status", "none, partial, full"),
                ("fulfillment_status", "unfulfilled, partial, shipped, delivered"),
                ("channel", "channel code"),
                ("external_id", "the channel's own name of the order"),
                ("number", "order number"),
                ("customer", "customer id"),
                ("email", "mail address of the customer"),
                ("name", "words of the customer's or the recipient's name, whole and in any order"),
                ("tracking_number", "of any parcel"),
                ("created_from", "RFC 3339 time, inclusive"),
                ("created_before", "RFC 3339 time, exclusive"),
                ("promised_before", "date; orders not shipped that were promised before it"),
            ],
        ]
        .concat(),
        _ => queries_of_one(path),
    }
}

fn queries_of_one(path: &str) -> Vec<(&'static str, &'static str)> {
    match path {
        "/v1/events" => vec![
            ("after", "sequence or event id; 410 when it is not in this log"),
            ("limit", "most events, 1 to 200"),
            ("type", "types with *, comma separated: stock.*,order.placed"),
            ("subject", "for example order/ord_1JD"),
            ("wait", "seconds to wait for something new, at most 25"),
        ],
        "/v1/subscriptions/{id}/events" => {
            vec![("limit", "most events, 1 to 200"), ("wait", "seconds to wait for something new, at most 25")]
        }
        "/v1/subscriptions/{id}/attempts" => {
            vec![("outcome", "failed: only those"), ("sequence", "of one event"), ("limit", "1 to 200"), ("cursor", "next_cursor")]
        }
        "/v1/events/stream" => vec![("after", "sequence; Last-Event-ID wins"), ("type", "types with *"), ("subject", "one subject")],
        "/v1/availability" => vec![("channel", "channel code"), ("sku", "SKUs, comma separated")],
        "/v1/stock/{sku}" | "/v1/orders/{id}" => vec![("as_of", "sequence or RFC 3339 time")],
        "/v1/stock/{sku}/ledger" => vec![("limit", "1 to 200"), ("cursor", "next_cursor"), ("location", "location code")],
        "/v1/mail/preview" => vec![("topic", "what the mail is about"), ("locale", "language tag"), ("shop", "name of the shop")],
        "/v1/stock/{sku}/why" => vec![("channel", "channel code")],
        "/v1/fulfillments" => vec![("status", "released, picking, packed, shipped"), ("location", "location code"), ("limit", "1 to 200")],
        "/v1/customers" => vec![
            ("email", "mail address"),
            ("name", "words of the name, whole and in any order"),
            ("external_id", "the channel's own name of the customer"),
            ("channel", "channel code, with external_id"),
            ("limit", "1 to 200, of those who are called so"),
        ],
        "/v1/payments" | "/v1/refunds" | "/v1/returns" => {
            [&PAGE[..], &[("order", "only of this order"), ("status", "for example authorized")]].concat()
        }
        "/v1/reports/sales" => vec![
            ("from", "RFC 3339 time, inclusive; by default 30 steps before until"),
            ("until", "RFC 3339 time, exclusive; by default now"),
            ("step", "minute, hour or day (by default), of UTC"),
        ],
        "/v1/items"
        | "/v1/locations"
        | "/v1/channels"
        | "/v1/stock"
        | "/v1/holds"
        | "/v1/receipts"
        | "/v1/adjustments"
        | "/v1/suppliers"
        | "/v1/replenishment-policies"
        | "/v1/purchase-orders"
        | "/v1/transfers"
        | "/v1/counts" => PAGE.to_vec(),
        "/v1/alerts" => vec![("status", "all: also those that have cleared"), ("limit", "1 to 200")],
        _ => Vec::new(),
    }
}
