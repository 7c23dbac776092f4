//! Bodies are described as they are taken: each optional member with or without null, each nested name, each bound.

use crate::client::Client;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use server::http::{ROUTES, Route, openapi};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use tower::ServiceExt;

/// What stands in the place of a path's id, so that the body is what is read first.
const IDS: &[(&str, &str)] = &[
    ("/v1/items/{sku}", "MUG"),
    ("/v1/locations/{code}", "AUS"),
    ("/v1/channels/{code}", "web"),
    ("/v1/suppliers/{code}", "ACME"),
    ("/v1/stock/{sku}/{location}", "MUG/AUS"),
    ("/v1/orders/{id}", "ord_1"),
    ("/v1/fulfillments/{id}", "ful_3-1"),
    ("/v1/returns/{id}", "ret_2-1"),
    ("/v1/receipts/{id}", "rcpt_1"),
    ("/v1/holds/{id}", "hold_1"),
    ("/v1/purchase-orders/{id}/receive", "po_2/receive"),
    ("/v1/purchase-orders/{id}", "po_1"),
    ("/v1/transfers/{id}/receive", "tr_2/receive"),
    ("/v1/transfers/{id}", "tr_1"),
    ("/v1/customers/{id}", "cus_1"),
    ("/v1/counts/{id}", "cnt_1"),
    ("/v1/subscriptions/{id}", "sub_1"),
];

pub fn path_of(route: &Route) -> String {
    let Some((begin, id)) = IDS.iter().find(|(begin, _)| route.path.starts_with(begin)) else { return route.path.to_owned() };
    let (head, _) = begin.split_once("/{").unwrap();
    format!("{head}/{id}{}", &route.path[begin.len()..])
}

/// A shop in which all of [`IDS`] are there, and what examples name.
pub async fn shop() -> Client {
    let client = Client::furnished().await;
    let place = json!({"code": "BER", "name": "Berlin", "address": {"country": "DE"}});
    let webhook = json!({"name": "ERP", "kind": "webhook", "webhook": {"url": "https://erp.example/events"}});
    let units = json!([{"sku": "MUG-RED", "quantity": 90}]);
    let bought = json!({"supplier": "ACME", "location": "AUS", "lines": units});
    let moved = json!({"from": "AUS", "to": "BER", "lines": [{"sku": "MUG-RED", "quantity": 4}]});
    let order = json!({"channel": "web", "currency": "USD", "lines": [{"sku": "MUG-RED", "quantity": 3, "unit_price": 1200}]});
    for (path, body) in [
        ("/v1/locations", place),
        ("/v1/items", json!({"sku": "MUG-RED", "name": "Red mug"})),
        ("/v1/suppliers", json!({"code": "ACME", "name": "Acme", "currency": "USD"})),
        ("/v1/subscriptions", webhook),
        ("/v1/receipts", json!({"location": "AUS", "lines": units})),
        ("/v1/holds", json!({"owner": "cart_1", "channel": "web", "lines": [{"sku": "MUG-RED", "quantity": 1}]})),
        ("/v1/purchase-orders", bought.clone()),
        ("/v1/purchase-orders", bought),
        ("/v1/transfers", moved.clone()),
        ("/v1/transfers", moved),
        ("/v1/counts", json!({"location": "AUS", "skus": ["MUG-RED"]})),
        ("/v1/orders", order.clone()),
        ("/v1/orders", order.clone()),
        ("/v1/orders", order),
    ] {
        let answer = client.post(path, &body.to_string()).await;
        assert_eq!(answer.status.as_u16(), 201, "{path}: {}", answer.body);
    }
    client.until("/v1/orders/ord_2", "payment_status", "authorized").await;
    client.until("/v1/orders/ord_3", "payment_status", "authorized").await;
    for (path, body) in [
        ("/v1/fulfillments/ful_2-1/ship", "{}"),
        ("/v1/returns", r#"{"order":"ord_2","lines":[{"id":"ol_2-1","quantity":1}]}"#),
        ("/v1/returns/ret_2-1/approve", ""),
        ("/v1/purchase-orders/po_2/send", ""),
        ("/v1/transfers/tr_2/ship", "{}"),
    ] {
        let answer = client.post(path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
    }
    client
}

/// The body with what has to be new each time, and without what can't stand beside the member that is asked about.
fn apart(route: &Route, at: &str, mut body: Value, n: usize) -> Value {
    let begins = |with: &str| at.starts_with(with);
    let named = |body: &mut Value, name: &str, text: String| {
        if route.method == "POST" && at != format!(".{name}") {
            body[name] = json!(text);
        }
    };
    if at != ".active" && body["active"] == false {
        body["active"] = json!(true);
    }
    match route.path.split('/').nth(2).unwrap_or_default() {
        "items" => {
            named(&mut body, "sku", format!("NEW-{n}"));
            if begins(".components") || begins(".split_kit") {
                body["kind"] = json!("kit");
            }
        }
        "locations" | "channels" | "suppliers" => named(&mut body, "code", format!("new-{n}")),
        "adjustments" => {
            let other = if begins(".lines[].set_to") || begins(".lines[].if_quantity") { "delta" } else { "set_to" };
            if let Some(line) = body["lines"].get_mut(0).and_then(Value::as_object_mut) {
                line.remove(other);
                (at == ".lines[].delta").then(|| line.remove("if_quantity"));
            }
        }
        "replenishment-policies" => {
            let of_supplier: &[&str] =
                if begins(".source_location") || begins(".auto") { &["supplier"] } else { &["source_location", "auto"] };
            let other = if begins(".reorder_quantity") { "order_up_to" } else { "reorder_quantity" };
            of_supplier.iter().chain([&other]).for_each(|name| without(&mut body, name));
        }
        "returns" if route.path == "/v1/returns" => {
            let blind = [".location", ".external_id", ".lines[].sku", ".lines[].disposition"].iter().any(|name| begins(name));
            without(&mut body, if blind { "order" } else { "location" });
        }
        "subscriptions" => {
            if body.get("kind").is_some() && at != ".kind" {
                body["kind"] = json!("webhook");
            }
            // A secret has a form of its own, and is changed by another route, as `start` is.
            let kept = if begins(".webhook.secret") { "secret" } else { at.trim_start_matches('.') };
            let put: &[&str] = if route.method == "PUT" && kept != "start" { &["start"] } else { &[] };
            put.iter().chain((kept != "secret").then_some(&"secret")).for_each(|name| without(&mut body, name));
            if kept != "secret" {
                body.get_mut("webhook").into_iter().for_each(|webhook| without(webhook, "secret"));
            }
        }
        _ => {}
    }
    if at != ".idempotency_key" && route.path.ends_with("/bulk") {
        body["idempotency_key"] = json!(format!("line-{n}"));
    }
    body
}

fn without(body: &mut Value, name: &str) {
    body.as_object_mut().map(|members| members.remove(name));
}

/// The schema of a route's body, of a line of it where it takes many.
fn body_of<'a>(description: &'a Value, route: &Route) -> Option<&'a Value> {
    let content = description["paths"][route.path][route.method.to_lowercase()]["requestBody"]["content"].as_object()?;
    content.values().next().map(|media| &media["schema"])
}

/// A value as the schema has it, with all of its members.
fn example(schema: &Value) -> Value {
    if let Some(choices) = schema["oneOf"].as_array() {
        return example(&choices[0]);
    }
    let first = |name: &str| schema[name].get(0).cloned();
    if let Some(value) = first("enum").or_else(|| first("examples")) {
        return value;
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("object");
    match kind {
        "array" => json!([example(&schema["items"])]),
        "boolean" => json!(false),
        "string" => json!("x"),
        "integer" => json!(1),
        _ => {
            let members = schema["properties"].as_object().into_iter().flatten();
            Value::Object(members.map(|(name, schema)| (name.clone(), example(schema))).collect())
        }
    }
}

/// A place in a body: where it is, how it is described, whether it may be left out, and the whole body with something else there.
struct Place<'a> {
    at: &'a str,
    schema: &'a Value,
    optional: bool,
    with: &'a dyn Fn(Value) -> Value,
}

fn walk(schema: &Value, at: &str, with: &dyn Fn(Value) -> Value, visit: &mut dyn FnMut(&Place)) {
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().for_each(|choice| walk(choice, at, with, visit));
    }
    if schema.get("items").is_some() {
        return walk(&schema["items"], &format!("{at}[]"), &|value| with(json!([value])), visit);
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let with = |value| {
            let mut whole = example(schema);
            whole[name] = value;
            with(whole)
        };
        let at = format!("{at}.{name}");
        visit(&Place { at: &at, schema: member, optional: !required.contains(&json!(name)), with: &with });
        walk(member, &at, &with, visit);
    }
}

/// What to send to each route, with what is asked by it.
fn all<T>(description: &Value, mut ask: impl FnMut(&Place) -> Option<T>) -> Vec<(&'static Route, String, T)> {
    let mut found = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path != "/v1/events") {
        let Some(schema) = body_of(description, route) else { continue };
        walk(schema, "", &|whole| whole, &mut |place| {
            if let Some(what) = ask(place) {
                found.push((route, place.at.to_owned(), what));
            }
        });
    }
    found
}

/// Sends a body, or a line of a bulk body, which need not be as described; the status and what was said.
async fn send(client: &Client, route: &Route, at: &str, body: &Value) -> (u64, String) {
    static SENT: AtomicUsize = AtomicUsize::new(0);
    let body = apart(route, at, body.clone(), SENT.fetch_add(1, Ordering::Relaxed));
    let request = Request::builder().method(route.method).uri(path_of(route)).header("authorization", format!("Bearer {}", client.key));
    let response = client.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let status = u64::from(response.status().as_u16());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    (answer["status"].as_u64().unwrap_or(status), answer["detail"].as_str().unwrap_or_default().to_owned())
}

/// It could not be read, so that the rules never saw it.
fn is_unread((status, detail): &(u64, String)) -> bool {
    *status == 400 && ["can't be read", "expected", "invalid type"].iter().any(|said| detail.contains(said))
}

/// What is of no type that a member may have.
fn wrong(schema: &Value) -> Value {
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        Some("string") | None => json!([17]),
        Some(_) => json!("x"),
    }
}

#[tokio::test]
async fn null_is_described_where_it_is_taken() {
    let client = shop().await;
    let description = openapi();
    // What views show as `object` may be sent back, whatever it says.
    let asked = all(&description, |place| {
        let described = place.schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("null")))
            || place.schema["oneOf"].as_array().is_some_and(|choices| choices.contains(&json!({"type": "null"})));
        (place.optional && !place.at.ends_with(".object"))
            .then(|| (described, (place.with)(Value::Null), (place.with)(wrong(place.schema))))
    });
    let mut faults = Vec::new();
    for (route, at, (described, null, wrong)) in &asked {
        let answer = send(&client, route, at, null).await;
        if is_unread(&answer) == *described {
            faults.push(format!("{} {} {at}: null is described: {described}; {answer:?}", route.method, route.path));
        }
        let answer = send(&client, route, at, wrong).await;
        if !is_unread(&answer) {
            faults.push(format!("{} {} {at}: is not looked at: {answer:?}", route.method, route.path));
        }
    }
    assert!(faults.is_empty(), "requests/shapes.rs does not say what is taken:\n  {}", faults.join("\n  "));
    assert!(asked.len() > 250, "only {} members were asked", asked.len());
}

/// The bodies with a name too many inside of a member, each with the names that are described there.
fn strangers(place: &Place) -> Option<Vec<(BTreeSet<String>, Value)>> {
    let items = place.schema.get("items");
    let inside = items.unwrap_or(place.schema);
    let alone = [inside.clone()];
    let choices = inside["oneOf"].as_array().map_or(&alone[..], Vec::as_slice).iter();
    let bodies = choices.filter_map(|choice| {
        let names = choice["properties"].as_object()?.keys().cloned().collect();
        let mut value = example(choice);
        value["zzz"] = json!(1);
        Some((names, (place.with)(if items.is_some() { json!([value]) } else { value })))
    });
    Some(bodies.collect::<Vec<_>>()).filter(|bodies| !bodies.is_empty())
}

#[tokio::test]
async fn nested_shapes_are_described_whole() {
    let client = shop().await;
    let description = openapi();
    let (mut faults, mut told) = (Vec::new(), 0);
    for (route, at, bodies) in all(&description, strangers) {
        for (described, body) in bodies {
            let (status, detail) = send(&client, route, &at, &body).await;
            let known: BTreeSet<String> = match detail.split_once("unknown field `zzz`, expected ") {
                Some((_, known)) => known.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
                None if detail.contains(".zzz: is not known here") || detail.contains("expected map with a single key") => continue,
                None => BTreeSet::from([format!("{status} {detail}")]),
            };
            told += 1;
            if known != described {
                faults.push(format!("{} {} {at}: described are {described:?}, known are {known:?}", route.method, route.path));
            }
        }
    }
    assert!(faults.is_empty(), "requests/shapes.rs does not say what is taken:\n  {}", faults.join("\n  "));
    assert!(told > 40, "only {told} places told what they know");
}

fn bounds(schema: &Value) -> Vec<String> {
    let names = ["minimum", "maximum", "minLength", "maxLength", "maxItems", "maxProperties"];
    names.iter().filter_map(|name| schema.get(*name).map(Value::to_string)).collect()
}

/// Values that lie just beyond the bounds of a member, and the values at them.
fn beyond(schema: &Value) -> Vec<Value> {
    let limit = |name: &str| schema[name].as_i64();
    let count = |name: &str| schema[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let item = || example(&schema["items"]);
    let entries = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect();
    [
        limit("minimum").map(|least| json!(least - 1)),
        limit("maximum").filter(|most| *most < i64::MAX).map(|most| json!(most + 1)),
        count("minLength").map(|least| json!("x".repeat(least.saturating_sub(1)))),
        count("maxLength").map(|most| json!("x".repeat(most + 1))),
        count("minItems").map(|least| json!(vec![item(); least.saturating_sub(1)])),
        count("maxItems").map(|most| json!(vec![item(); most + 1])),
        count("maxProperties").map(|most| Value::Object(entries(most + 1))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[tokio::test]
async fn what_lies_beyond_a_described_bound_is_refused() {
    let client = shop().await;
    let description = openapi();
    let asked = all(&description, |place| {
        let bodies: Vec<(String, Value)> = beyond(place.schema).into_iter().map(|value| (value.to_string(), (place.with)(value))).collect();
        (!bodies.is_empty()).then(|| (bounds(place.schema), bodies))
    });
    let (mut faults, mut sent) = (Vec::new(), 0);
    for (route, at, (bounds, bodies)) in &asked {
        let name = at.rsplit('.').next().unwrap().trim_end_matches("[]");
        for (value, body) in bodies {
            sent += 1;
            let (status, detail) = send(&client, route, at, body).await;
            // Another fault of the example says nothing of the bound: the member is named, or its bound, or what was sent.
            if status != 400 || !(detail.contains(name) || detail.contains(value) || bounds.iter().any(|bound| detail.contains(bound))) {
                faults.push(format!("{} {} {at}: {status} {detail}", route.method, route.path));
            }
        }
    }
    assert!(faults.is_empty(), "bounds that requests/members.rs tells do not hold:\n  {}", faults.join("\n  "));
    assert!(sent > 300, "only {sent} bodies were sent");
}

#[test]
fn every_member_says_what_it_means() {
    let description = openapi();
    let silent = all(&description, |place| place.schema["description"].as_str().is_none_or(str::is_empty).then_some(()));
    let silent: Vec<String> = silent.iter().map(|(route, at, ())| format!("{} {} {at}", route.method, route.path)).collect();
    assert!(silent.is_empty(), "members without a meaning: {silent:#?}");
}
