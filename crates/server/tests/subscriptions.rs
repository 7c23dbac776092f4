//! Subscriptions as those who follow the shop meet them.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use client::{Client, order};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

async fn subscribe(client: &Client, body: Value) -> Value {
    let answer = client.post("/v1/subscriptions", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body
}

fn kinds(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect()
}

#[tokio::test]
async fn a_pull_subscriber_gets_everything_once_it_acknowledges() {
    let client = Client::furnished().await;
    let made = subscribe(&client, json!({"name": "ERP", "kind": "pull", "filter": {"types": ["order.placed", "order.allocated"]}})).await;
    assert_eq!((&made["id"], &made["status"], &made["lag"]["events"]), (&"sub_1".into(), &"active".into(), &1.into()));
    client.post("/v1/orders", &order("W-1", 3)).await;
    let page = client.get("/v1/subscriptions/sub_1/events?wait=5").await.body;
    assert_eq!(kinds(&page), ["quartermaster.order.placed.v1", "quartermaster.order.allocated.v1"]);
    let again = client.get("/v1/subscriptions/sub_1/events").await.body;
    assert_eq!(again["data"][0]["id"], page["data"][0]["id"], "what is not acknowledged comes again");
    let first = json!({"cursor": page["data"][0]["id"]}).to_string();
    assert_eq!(client.post("/v1/subscriptions/sub_1/ack", &first).await.status, StatusCode::OK);
    assert_eq!(kinds(&client.get("/v1/subscriptions/sub_1/events").await.body), ["quartermaster.order.allocated.v1"]);
    let all = json!({"cursor": page["next_cursor"]}).to_string();
    client.post("/v1/subscriptions/sub_1/ack", &all).await;
    let back = client.post("/v1/subscriptions/sub_1/ack", &first).await;
    assert_eq!((back.status, &back.body["field"]), (StatusCode::BAD_REQUEST, &"cursor".into()));
    assert_eq!(client.post("/v1/subscriptions/sub_1/rewind", r#"{"to":"beginning"}"#).await.body["cursor"], "1-0");
    assert_eq!(kinds(&client.get("/v1/subscriptions/sub_1/events").await.body).len(), 2);
    assert_eq!(client.post("/v1/subscriptions/sub_1/delete", "").await.body["deleted"], true);
    assert_eq!(client.get("/v1/subscriptions/sub_1/events").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_cursor_is_kept_over_a_restart_and_an_idle_shop_records_nothing() {
    let client = Client::furnished().await;
    subscribe(&client, json!({"name": "ERP", "kind": "pull", "start": "beginning"})).await;
    let page = client.get("/v1/subscriptions/sub_1/events?limit=2").await.body;
    assert_eq!(page["has_more"], true);
    client.post("/v1/subscriptions/sub_1/ack", &json!({"cursor": page["next_cursor"]}).to_string()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let durable = client.shop.engine.durable();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(client.shop.engine.durable(), durable, "nothing moves, nothing is recorded");
    client.shop.engine.stop();
    assert_eq!(client.shop.engine.reader().unwrap().cursors().unwrap()[0].sequence, 3, "the second event is the third record");
}

#[tokio::test]
async fn filters_narrow_by_subject_and_channel() {
    let client = Client::furnished().await;
    client.post("/v1/channels", r#"{"code":"pos","name":"Till"}"#).await;
    subscribe(&client, json!({"name": "till", "kind": "pull", "filter": {"channels": ["pos"]}, "start": "now"})).await;
    subscribe(&client, json!({"name": "one", "kind": "pull", "filter": {"subjects": ["order/ord_2"]}})).await;
    subscribe(&client, json!({"name": "stock", "kind": "pull", "filter": {"types": ["availability.changed"], "channels": ["web"]}})).await;
    client.post("/v1/orders", &order("W-1", 3)).await;
    client.post("/v1/orders", &order("P-1", 2).replace("\"web\"", "\"pos\"")).await;
    let till = client.get("/v1/subscriptions/sub_1/events?limit=200").await.body;
    assert!(!kinds(&till).is_empty());
    for event in till["data"].as_array().unwrap() {
        assert_eq!(event["subject"], "order/ord_2");
    }
    assert_eq!(kinds(&client.get("/v1/subscriptions/sub_2/events").await.body)[0], "quartermaster.order.placed.v1");
    let stock = client.get("/v1/subscriptions/sub_3/events").await.body;
    assert_eq!(kinds(&stock), ["quartermaster.availability.changed.v1"], "two changes of one SKU are one");
    assert_eq!((&stock["data"][0]["data"]["available"], &stock["data"][0]["data"]["channel"]), (&95.into(), &"web".into()));
}

#[tokio::test]
async fn only_who_asked_for_personal_data_gets_it_and_not_after_erasure() {
    let client = Client::furnished().await;
    for personal in [false, true] {
        let filter = json!({"types": ["order.placed"]});
        subscribe(&client, json!({"name": "x", "kind": "pull", "filter": filter, "personal_data": personal, "start": "beginning"})).await;
    }
    client.post("/v1/orders", &order("W-1", 1)).await;
    let customer = |page: Value| page["data"][0]["data"]["order"]["customer"].clone();
    assert_eq!(customer(client.get("/v1/subscriptions/sub_1/events").await.body), json!({"id": "cus_1"}));
    let open = customer(client.get("/v1/subscriptions/sub_2/events").await.body);
    assert_eq!((&open["name"], &open["email"]), (&"Ada Lovelace".into(), &"ada@example.com".into()));
    let stream = client.get("/v1/events?type=order.placed").await.body.to_string();
    assert!(!stream.contains("v1.cus_") && !stream.contains("fingerprint"), "{stream}");
    client.post("/v1/customers/cus_1/erase", "").await;
    assert_eq!(customer(client.get("/v1/subscriptions/sub_2/events").await.body), json!({"id": "cus_1"}));
}

#[tokio::test]
async fn a_webhook_shows_its_secret_once_and_the_log_never() {
    let client = Client::furnished().await;
    let body = json!({"name": "ERP", "kind": "webhook", "webhook": {"url": "https://erp.invalid/in"}, "start": "beginning"});
    let made = subscribe(&client, body).await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(client.get("/v1/subscriptions/sub_1").await.body["secret"], Value::Null);
    let rotated = client.post("/v1/subscriptions/sub_1/rotate-secret", "{}").await.body;
    assert_ne!(rotated["secret"], made["secret"]);
    assert_eq!(rotated["webhook"]["secrets"].as_array().unwrap().len(), 2);
    let events = client.get("/v1/events?type=subscription.*").await.body.to_string();
    assert!(!events.contains("v1.key.") && !events.contains("whsec_"), "{events}");
    for (change, field) in [
        (json!({"name": "ERP", "kind": "pull"}), "kind"),
        (json!({"name": "ERP", "webhook": {"url": "https://u:p@erp.invalid"}}), "webhook.url"),
        (json!({"name": "ERP", "webhook": {"url": "https://erp.invalid", "secret": secret}}), "webhook.secret"),
    ] {
        let refused = client.send("PUT", "/v1/subscriptions/sub_1", Some(&client.key), &[], &change.to_string()).await;
        assert_eq!((refused.status, &refused.body["field"]), (StatusCode::BAD_REQUEST, &field.into()), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_cursor_from_elsewhere_is_gone() {
    let client = Client::furnished().await;
    for path in ["/v1/events?after=999999", "/v1/events?after=2-1", "/v1/events/stream?after=1-999999"] {
        let gone = client.get(path).await;
        assert_eq!((gone.status, &gone.body["code"]), (StatusCode::GONE, &"cursor_gone".into()), "{path}: {}", gone.body);
    }
    assert_eq!(client.get("/v1/events?after=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(client.get("/v1/events?after=1-2").await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_begins_at_the_beginning_now_a_time_or_an_event() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let between = client.shop.now();
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.post("/v1/orders", &order("W-2", 1)).await;
    let events = client.get("/v1/events?type=order.placed").await.body;
    let first = events["data"][0]["id"].as_str().unwrap();
    for (at, wanted) in [("beginning", 2), (first, 1), (between.to_string().as_str(), 1), ("now", 0)] {
        let body = json!({"name": at, "kind": "pull", "filter": {"types": ["order.placed"]}, "start": at});
        let made = subscribe(&client, body).await;
        let path = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
        let count = async || kinds(&client.get(&format!("{path}/events")).await.body).len();
        assert_eq!(count().await, wanted, "start {at}");
        client.post(&format!("{path}/rewind"), r#"{"to":"beginning"}"#).await;
        assert_eq!(count().await, 2, "rewound from {at}");
        client.post(&format!("{path}/rewind"), &json!({"to": at}).to_string()).await;
        let left = if at == "now" { 0 } else { wanted };
        assert_eq!(count().await, left, "rewound to {at}");
    }
    for wrong in ["yesterday", "2026-13-01T00:00:00Z", "1-999999"] {
        let body = json!({"name": "x", "kind": "pull", "start": wrong}).to_string();
        assert!(client.post("/v1/subscriptions", &body).await.status.is_client_error(), "{wrong}");
    }
}

/// The ids of the first `count` events of a stream.
async fn read_stream(client: &Client, path: &str, last: Option<&str>, count: usize) -> Vec<String> {
    let mut request = Request::builder().uri(path).header("authorization", format!("Bearer {}", client.key));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = client.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let (mut body, mut text) = (response.into_body(), String::new());
    let ids = |text: &str| text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect::<Vec<_>>();
    while ids(&text).len() < count {
        let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    ids(&text)
}

#[tokio::test]
async fn a_stream_of_ones_own_goes_on_where_it_was() {
    let client = Client::furnished().await;
    subscribe(&client, json!({"name": "screen", "kind": "sse", "start": "beginning"})).await;
    let path = "/v1/subscriptions/sub_1/stream";
    let first = read_stream(&client, path, None, 4).await;
    assert_eq!(first[..4], ["1-2", "1-3", "1-4", "1-5"]);
    let again = read_stream(&client, path, Some("1-3"), 2).await;
    assert_eq!(again[..2], ["1-4", "1-5"], "what the client last saw acknowledges");
    assert_eq!(client.get("/v1/subscriptions/sub_1/events").await.status, StatusCode::BAD_REQUEST);
    client.post("/v1/subscriptions/sub_1/pause", "{}").await;
    assert_eq!(client.get(path).await.body["code"], "wrong_status");
}

#[tokio::test]
async fn events_that_ask_for_something_have_a_result_each() {
    let client = Client::furnished().await;
    let event = |id: &str, kind: &str, subject: Option<&str>, data: Value| json!({"specversion": "1.0", "id": id, "source": "/erp", "type": kind, "subject": subject, "data": data});
    let lines = json!({"location": "AUS", "lines": [{"sku": "MUG", "quantity": 5}]});
    let placed: Value = serde_json::from_str(&order("W-1", 3)).unwrap();
    let batch = json!([
        event("1", "quartermaster.stock.receive.v1", None, lines.clone()),
        event("1", "quartermaster.stock.receive.v1", None, lines),
        event("2", "quartermaster.order.place.v1", None, placed),
        event("3", "quartermaster.order.cancel.v1", Some("order/ord_1"), json!({"reason": "customer"})),
        event("4", "quartermaster.order.cancel.v1", None, json!({"reason": "customer"})),
        event("5", "quartermaster.order.vanish.v1", None, json!({})),
        event("6", "quartermaster.stock.receive.v1", None, json!({"location": "MOON", "lines": [{"sku": "MUG", "quantity": 5}]})),
    ]);
    let answer = client.post("/v1/events", &batch.to_string()).await;
    let results = answer.body["data"].as_array().unwrap();
    let statuses: Vec<u64> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 201, 200, 400, 400, 404], "{}", answer.body);
    assert_eq!((&results[1]["replayed"], &results[1]["body"]["id"]), (&true.into(), &results[0]["body"]["id"]), "asked twice, done once");
    assert_eq!(
        (&results[3]["body"]["status"], &results[4]["field"], &results[5]["field"]),
        (&"canceled".into(), &"subject".into(), &"type".into())
    );
    assert_eq!(client.get("/v1/stock/MUG").await.body["levels"][0]["on_hand"], 105);
    client.post("/v1/locations", r#"{"code":"BER","name":"Berlin","address":{"country":"DE"},"time_zone":"Europe/Berlin"}"#).await;
    let moved = json!([
        event("8", "quartermaster.transfer.create.v1", None, json!({"from": "AUS", "to": "BER", "lines": [{"sku": "MUG", "quantity": 4}]})),
        event("9", "quartermaster.transfer.ship.v1", Some("transfer/tr_1"), json!({})),
        event("10", "quartermaster.transfer.receive.v1", Some("tr_1"), json!({"lines": [{"sku": "MUG", "accepted": 4}]})),
        event("11", "quartermaster.customer.set_mail_preferences.v1", Some("customer/cus_1"), json!({"opt_outs": ["delivered"]})),
    ]);
    let answer = client.post("/v1/events", &moved.to_string()).await;
    let statuses: Vec<u64> = answer.body["data"].as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap_or(0)).collect();
    assert!(statuses.len() == 4 && statuses.iter().all(|status| (200..300).contains(status)), "{}", answer.body);
    let (_, storefront) = client.shop.keys.create("shop", server::keys::Role::Storefront).unwrap();
    let one = event("7", "quartermaster.stock.receive.v1", None, json!({"location": "AUS", "lines": []})).to_string();
    let refused = client.send("POST", "/v1/events", Some(&storefront), &[], &one).await;
    assert_eq!((refused.status, &refused.body["data"][0]["code"]), (StatusCode::OK, &"forbidden".into()));
}
