//! Events that come in: CloudEvents of known types, each standing for a request.

use super::call::{Answer, Call, list};
use super::problem::Problem;
use super::routes::{ROUTES, Route};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Most events of one batch.
pub const BATCH_MAX: usize = 100;

/// What a type asks for, as the route that does it: `quartermaster.` stands before, `.v1` behind.
const TYPES: &[(&str, &str, &str)] = &[
    ("item.create", "POST", "/v1/items"),
    ("item.update", "PUT", "/v1/items/{sku}"),
    ("item.retire", "POST", "/v1/items/{sku}/retire"),
    ("location.create", "POST", "/v1/locations"),
    ("location.update", "PUT", "/v1/locations/{code}"),
    ("channel.create", "POST", "/v1/channels"),
    ("channel.update", "PUT", "/v1/channels/{code}"),
    ("stock.receive", "POST", "/v1/receipts"),
    ("receipt.reverse", "POST", "/v1/receipts/{id}/reverse"),
    ("stock.adjust", "POST", "/v1/adjustments"),
    ("stock.move", "POST", "/v1/moves"),
    ("hold.create", "POST", "/v1/holds"),
    ("hold.extend", "POST", "/v1/holds/{id}/extend"),
    ("hold.release", "POST", "/v1/holds/{id}/release"),
    ("order.place", "POST", "/v1/orders"),
    ("order.hold", "POST", "/v1/orders/{id}/hold"),
    ("order.release", "POST", "/v1/orders/{id}/release"),
    ("order.edit", "POST", "/v1/orders/{id}/edit"),
    ("order.source_again", "POST", "/v1/orders/{id}/source-again"),
    ("order.cancel", "POST", "/v1/orders/{id}/cancel"),
    ("order.pay", "POST", "/v1/orders/{id}/pay"),
    ("order.mark_paid", "POST", "/v1/orders/{id}/mark-paid"),
    ("order.refund", "POST", "/v1/orders/{id}/refunds"),
    ("fulfillment.pick", "POST", "/v1/fulfillments/{id}/pick"),
    ("fulfillment.short_pick", "POST", "/v1/fulfillments/{id}/short-pick"),
    ("fulfillment.pack", "POST", "/v1/fulfillments/{id}/pack"),
    ("fulfillment.ship", "POST", "/v1/fulfillments/{id}/ship"),
    ("fulfillment.deliver", "POST", "/v1/fulfillments/{id}/deliver"),
    ("fulfillment.cancel", "POST", "/v1/fulfillments/{id}/cancel"),
    ("fulfillment.accept_cancel", "POST", "/v1/fulfillments/{id}/accept-cancel"),
    ("fulfillment.decline_cancel", "POST", "/v1/fulfillments/{id}/decline-cancel"),
    ("return.request", "POST", "/v1/returns"),
    ("return.approve", "POST", "/v1/returns/{id}/approve"),
    ("return.reject", "POST", "/v1/returns/{id}/reject"),
    ("return.receive", "POST", "/v1/returns/{id}/receive"),
    ("return.close", "POST", "/v1/returns/{id}/close"),
    ("supplier.create", "POST", "/v1/suppliers"),
    ("supplier.update", "PUT", "/v1/suppliers/{code}"),
    ("replenishment_policy.set", "PUT", "/v1/replenishment-policies"),
    ("purchase_order.create", "POST", "/v1/purchase-orders"),
    ("purchase_order.amend", "POST", "/v1/purchase-orders/{id}/amend"),
    ("purchase_order.send", "POST", "/v1/purchase-orders/{id}/send"),
    ("purchase_order.acknowledge", "POST", "/v1/purchase-orders/{id}/acknowledge"),
    ("purchase_order.receive", "POST", "/v1/purchase-orders/{id}/receive"),
    ("purchase_order.close_short", "POST", "/v1/purchase-orders/{id}/close-short"),
    ("purchase_order.cancel", "POST", "/v1/purchase-orders/{id}/cancel"),
    ("purchase_order.dispatch", "POST", "/v1/purchase-orders/{id}/dispatch"),
    ("transfer.create", "POST", "/v1/transfers"),
    ("transfer.amend", "POST", "/v1/transfers/{id}/amend"),
    ("transfer.ship", "POST", "/v1/transfers/{id}/ship"),
    ("transfer.receive", "POST", "/v1/transfers/{id}/receive"),
    ("transfer.close_lost", "POST", "/v1/transfers/{id}/close-lost"),
    ("transfer.cancel", "POST", "/v1/transfers/{id}/cancel"),
    ("customer.save", "POST", "/v1/customers"),
    ("customer.merge", "POST", "/v1/customers/{id}/merge"),
    ("customer.set_mail_preferences", "PUT", "/v1/customers/{id}/mail-preferences"),
    ("count.open", "POST", "/v1/counts"),
    ("count.record", "POST", "/v1/counts/{id}/record"),
    ("count.post", "POST", "/v1/counts/{id}/post"),
    ("count.cancel", "POST", "/v1/counts/{id}/cancel"),
    ("alert.acknowledge", "POST", "/v1/alerts/{id}/acknowledge"),
];

/// The type that stands for a route, if one does.
pub fn type_of(method: &str, path: &str) -> Option<String> {
    let (name, ..) = TYPES.iter().find(|(_, of_method, of_path)| (*of_method, *of_path) == (method, path))?;
    Some(format!("quartermaster.{name}.v1"))
}

#[derive(Deserialize)]
struct Incoming {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: Option<String>,
    data: Option<Box<RawValue>>,
    data_base64: Option<serde::de::IgnoredAny>,
}

/// One event or a batch: taken in their order, each with a result of its own.
pub async fn take(call: Call) -> Result<Answer, Problem> {
    let batch: Vec<Box<RawValue>> = if call.body.trim_ascii_start().starts_with(b"[") { call.json()? } else { vec![call.json()?] };
    if batch.len() > BATCH_MAX {
        return Err(Problem::bad_field("events", format!("send at most {BATCH_MAX} at once")));
    }
    let mut results = Vec::with_capacity(batch.len());
    for event in &batch {
        results.push(result(&call, event).await);
    }
    Ok(Answer::ok(list(results, false, None)))
}

async fn result(call: &Call, event: &RawValue) -> Value {
    let incoming: Incoming = match serde_json::from_str(event.get()) {
        Ok(incoming) => incoming,
        Err(error) => return Problem::bad_json::<Incoming>(event.get().as_bytes(), &error).line(),
    };
    let mut result = match ask(call, &incoming).await {
        Ok(answer) => {
            let (status, replayed) = (answer.status.as_u16(), answer.replayed);
            json!({"status": status, "replayed": replayed, "body": answer.value()})
        }
        Err(problem) => problem.line(),
    };
    result["id"] = json!(incoming.id);
    result["source"] = json!(incoming.source);
    result
}

async fn ask(call: &Call, incoming: &Incoming) -> Result<Answer, Problem> {
    if incoming.specversion != "1.0" {
        return Err(Problem::bad_field("specversion", "must be \"1.0\""));
    }
    if incoming.id.is_empty() || incoming.source.is_empty() {
        return Err(Problem::bad_field("id", "and source name an event: neither may be empty"));
    }
    if incoming.data_base64.is_some() {
        return Err(Problem::bad_field("data_base64", "is not taken; send data as JSON"));
    }
    let route = route_of(&incoming.kind)?;
    if !route.access.roles().contains(&call.key.role) {
        let needed: Vec<&str> = route.access.roles().iter().map(|role| role.as_str()).collect();
        return Err(Problem::forbidden(call.key.role, &needed.join(", ")));
    }
    let mut headers = HeaderMap::new();
    let name = blake3::hash(format!("{}\n{}", incoming.source, incoming.id).as_bytes()).to_hex();
    headers.insert("idempotency-key", HeaderValue::from_str(&name).expect("digits"));
    let asked = Call {
        shop: call.shop.clone(),
        key: call.key.clone(),
        span: call.span.clone(),
        method: "POST",
        // The same for all types: source and id name an event whatever it asks for.
        path: "/v1/events".to_owned(),
        headers,
        segments: segments(route, incoming.subject.as_deref())?,
        query: HashMap::new(),
        body: incoming.data.as_ref().map_or_else(Bytes::new, |data| Bytes::copy_from_slice(data.get().as_bytes())),
    };
    (route.handler)(asked).await
}

fn route_of(kind: &str) -> Result<&'static Route, Problem> {
    let name = kind.strip_prefix("quartermaster.").and_then(|rest| rest.strip_suffix(".v1"));
    let known = name.and_then(|name| TYPES.iter().find(|(known, ..)| *known == name));
    let Some((_, method, path)) = known else {
        return Err(Problem::bad_field(
            "type",
            format!("\"{kind}\" asks for nothing that is known; see x-event-type in /docs/openapi.json"),
        ));
    };
    let route = ROUTES.iter().find(|route| (route.method, route.path) == (*method, *path));
    route.ok_or_else(|| Problem::internal(format!("{kind} stands for no route")))
}

/// The id in the path is the one that the subject names: `order/ord_1`, or `ord_1` alone.
fn segments(route: &Route, subject: Option<&str>) -> Result<HashMap<String, String>, Problem> {
    let Some(name) = route.path.split('/').find_map(|part| part.strip_prefix('{')?.strip_suffix('}')) else { return Ok(HashMap::new()) };
    let subject = subject.ok_or_else(|| Problem::bad_field("subject", "names what this is asked of, like order/ord_1"))?;
    let id = subject.split_once('/').map_or(subject, |(_, id)| id);
    Ok(HashMap::from([(name.to_owned(), id.to_owned())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_stands_for_a_route() {
        for (name, method, path) in TYPES {
            let route = route_of(&format!("quartermaster.{name}.v1")).unwrap();
            assert_eq!((route.method, route.path), (*method, *path));
            assert_eq!(type_of(method, path).as_deref(), Some(format!("quartermaster.{name}.v1").as_str()));
        }
    }
}
