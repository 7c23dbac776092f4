//! Bodies: what routes take is what is described, and updates keep what they do not name.

use crate::client::Client;
use serde_json::{Value, json};
use server::http::{ROUTES, openapi};
use std::collections::BTreeSet;

async fn put(client: &Client, path: &str, body: Value) -> Value {
    let answer = client.send("PUT", path, Some(&client.key), &[], &body.to_string()).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_channel_keeps_its_mail_and_its_payment() {
    let client = Client::furnished().await;
    let mail = json!({"sender": "Acme <shop@acme.example>", "locale": "de"});
    put(&client, "/v1/channels/web", json!({"mail": mail, "on_shortage": "split", "payment": {"window_ms": 60000}})).await;
    let after =
        put(&client, "/v1/channels/web", json!({"name": "Web shop", "payment": {"timing": "invoice"}, "buffer": {"units": 3}})).await;
    assert_eq!((&after["mail"]["locale"], &after["on_shortage"]), (&json!("de"), &json!("split")), "{after}");
    assert_eq!((&after["payment"]["window_ms"], &after["payment"]["timing"]), (&json!(60000), &json!("invoice")), "{after}");
    let after = put(&client, "/v1/channels/web", json!({"mail": null, "buffer": {"percent": 5}})).await;
    assert_eq!((&after["mail"], &after["buffer"]), (&Value::Null, &json!({"percent": 5})), "{after}");
}

#[tokio::test]
async fn settings_keep_who_is_told_of_alerts() {
    let client = Client::furnished().await;
    let alerts = json!({"mail_to": ["ops@acme.example"], "webhook": "https://chat.example/secret"});
    put(&client, "/v1/settings", json!({"alerts": alerts})).await;
    let after = put(&client, "/v1/settings", json!({"promise_margin_days": 2})).await;
    assert_eq!((&after["alerts"]["mail_to"][0], &after["alerts"]["webhook"]), (&json!("ops@acme.example"), &json!("set")), "{after}");
    let after = put(&client, "/v1/settings", json!({"alerts": {"webhook": null}})).await;
    assert_eq!((&after["promise_margin_days"], &after["alerts"]["webhook"]), (&json!(2), &Value::Null), "{after}");
    assert_eq!(after["alerts"]["mail_to"][0], "ops@acme.example", "{after}");
}

#[tokio::test]
async fn items_locations_and_suppliers_keep_the_rest() {
    let client = Client::furnished().await;
    put(&client, "/v1/items/MUG", json!({"barcode": "4006381333931", "metadata": {"color": "red", "shelf": "A"}})).await;
    let item = put(&client, "/v1/items/MUG", json!({"name": "Red mug", "metadata": {"shelf": null}})).await;
    assert_eq!((&item["barcode"], &item["metadata"]), (&json!("4006381333931"), &json!({"color": "red"})), "{item}");
    put(&client, "/v1/locations/AUS", json!({"address": {"city": "Austin"}, "handling_days": 2})).await;
    let place = put(&client, "/v1/locations/AUS", json!({"priority": 7})).await;
    assert_eq!((&place["address"]["city"], &place["handling_days"]), (&json!("Austin"), &json!(2)), "{place}");
    let webhook = json!({"url": "https://acme.example/orders", "secret": "0123456789abcdef"});
    let acme = json!({"code": "ACME", "name": "Acme", "currency": "USD", "dispatch": "webhook", "webhook": webhook});
    client.post("/v1/suppliers", &acme.to_string()).await;
    let supplier = put(&client, "/v1/suppliers/ACME", json!({"lead_time_days": 3})).await;
    assert_eq!(
        (&supplier["webhook"]["url"], &supplier["dispatch"]),
        (&json!("https://acme.example/orders"), &json!("webhook")),
        "{supplier}"
    );
    let acme = client.shop.query(|state| state.purchasing.suppliers.get(&"ACME".parse().unwrap()).cloned()).await;
    let secret = client.shop.vault.open_secret(&acme.unwrap().unwrap().webhook.unwrap().secret);
    assert_eq!(secret.as_deref(), Some("0123456789abcdef"), "the secret is the one that was sent first");
    let refused = client.send("PUT", "/v1/suppliers/ACME", Some(&client.key), &[], r#"{"lead_days":3}"#).await;
    assert!(refused.body["detail"].as_str().unwrap().contains("lead_days: is not known here"), "{}", refused.body);
    let nobody = client.send("PUT", "/v1/suppliers/NOBODY", Some(&client.key), &[], "{}").await;
    assert_eq!(nobody.status.as_u16(), 404);
}

/// Members that clients change at once: the path, and a body for the client of a number.
const AT_ONCE: &[(&str, fn(usize) -> Value)] = &[
    ("/v1/items/MUG", |n| match n {
        0 => json!({"name": "Red mug"}),
        1 => json!({"barcode": "4006381333931"}),
        2 => json!({"weight_grams": 320}),
        _ => json!({"metadata": {format!("of_{n}"): "here"}}),
    }),
    ("/v1/settings", |n| match n % 6 {
        0 => json!({"promise_margin_days": 7}),
        1 => json!({"complete_after_days": 21}),
        2 => json!({"over_receipt_percent": 4}),
        3 => json!({"count_approval_units": 9}),
        4 => json!({"authorization_warning_hours": 30}),
        _ => json!({"alerts": {"mail_to": ["ops@acme.example"]}}),
    }),
];

/// Whether all of `part` is in `whole`.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|there| holds(there, value)))
        }
        _ => whole == part,
    }
}

#[tokio::test]
async fn what_many_change_at_once_is_all_there() {
    const CLIENTS: usize = 24;
    let client = std::sync::Arc::new(Client::furnished().await);
    for (path, body_of) in AT_ONCE {
        let before = client.get(path).await.body["version"].as_u64().unwrap();
        let mut running = tokio::task::JoinSet::new();
        for n in 0..CLIENTS {
            let client = client.clone();
            // Every other one with a key: what was refused under a key is refused again, so that its next try takes another.
            let key = format!("client-{n}");
            running.spawn(async move {
                let body = body_of(n).to_string();
                let headers = [("idempotency-key", key.as_str())];
                let headers = if n % 2 == 0 { &headers[..] } else { &[] };
                let answer = client.send("PUT", path, Some(&client.key), headers, &body).await;
                assert_eq!(answer.status.as_u16(), 200, "{path} {body}: {}", answer.body);
            });
        }
        running.join_all().await;
        let after = client.get(path).await.body;
        for n in 0..CLIENTS {
            assert!(holds(&after, &body_of(n)), "{path}: {} was lost\n{after:#}", body_of(n));
        }
        assert_eq!(after["version"], before + CLIENTS as u64, "{path}: each change is one version");
        let again = client.send("PUT", path, Some(&client.key), &[("idempotency-key", "client-2")], &body_of(2).to_string()).await;
        assert_eq!((again.status.as_u16(), again.headers.get("idempotent-replayed").is_some()), (200, true), "{path}: {}", again.body);
        let stale = client.send("PUT", path, Some(&client.key), &[("if-match", "\"1\"")], &body_of(0).to_string()).await;
        assert_eq!((stale.status.as_u16(), &stale.body["code"]), (412, &json!("version_mismatch")), "{path}");
    }
}

/// The names that a route says it knows, when it is sent one that it does not.
fn names(detail: &str) -> Option<BTreeSet<String>> {
    if let Some((_, known)) = detail.split_once("known are ") {
        return Some(known.trim_end_matches('.').split(", ").map(str::to_owned).collect());
    }
    let (_, known) = detail.split_once("unknown field `zzz`, expected ")?;
    Some(known.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

#[tokio::test]
async fn every_body_is_described_whole() {
    let client = Client::furnished().await;
    client.post("/v1/suppliers", r#"{"code":"ACME","name":"Acme","currency":"USD"}"#).await;
    client.post("/v1/subscriptions", r#"{"name":"ERP","kind":"pull"}"#).await;
    let description = openapi();
    let ids = [
        ("/v1/items/{sku}", "MUG"),
        ("/v1/locations/{code}", "AUS"),
        ("/v1/channels/{code}", "web"),
        ("/v1/suppliers/{code}", "ACME"),
        ("/v1/orders/{id}", "ord_1"),
        ("/v1/fulfillments/{id}", "ful_1-1"),
        ("/v1/returns/{id}", "ret_1-1"),
        ("/v1/receipts/{id}", "rcp_1"),
        ("/v1/holds/{id}", "hold_1"),
        ("/v1/purchase-orders/{id}", "po_1"),
        ("/v1/transfers/{id}", "tr_1"),
        ("/v1/customers/{id}", "cus_1"),
        ("/v1/counts/{id}", "cnt_1"),
        ("/v1/subscriptions/{id}", "sub_1"),
    ];
    let mut asked = 0;
    for route in ROUTES.iter().filter(|route| !route.body.is_empty() && !route.path.ends_with("/bulk")) {
        let begin = ids.iter().find(|(begin, _)| route.path.starts_with(begin));
        let path = begin.map_or(route.path.to_owned(), |(begin, id)| {
            let (head, _) = begin.rsplit_once('/').unwrap();
            format!("{head}/{id}{}", &route.path[begin.len()..])
        });
        let answer = client.send(route.method, &path, Some(&client.key), &[], r#"{"zzz":1}"#).await;
        let Some(known) = names(answer.body["detail"].as_str().unwrap_or_default()) else { continue };
        let content =
            &description["paths"][route.path][route.method.to_lowercase()]["requestBody"]["content"]["application/json"]["schema"];
        let described: BTreeSet<String> = content["properties"].as_object().unwrap().keys().cloned().collect();
        // What views show and clients may send back is described, but not told when a name is wrong.
        let told = |name: &&String| !["version", "created_at", "status", "object", "code", "sku"].contains(&name.as_str());
        let (known, described): (BTreeSet<&String>, BTreeSet<&String>) =
            (known.iter().filter(told).collect(), described.iter().filter(told).collect());
        assert_eq!(known, described, "{} {}: {}", route.method, route.path, answer.body["detail"]);
        asked += 1;
    }
    assert!(asked >= 40, "only {asked} routes told what they know");
}
