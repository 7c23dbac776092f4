//! Webhooks as those who receive them meet them.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;
mod receiver;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::{Client, order};
use receiver::{Heard, Receiver};
use serde_json::{Value, json};
use server::bus::webhook::{self, Deliveries};
use std::time::Duration;

async fn shop() -> (Client, Deliveries) {
    let client = Client::furnished().await;
    client.shop.bus.allow_private();
    let deliveries = webhook::start(client.shop.clone()).unwrap();
    (client, deliveries)
}

async fn subscribe(client: &Client, url: &str, more: Value) -> Value {
    let mut body = json!({"name": "ERP", "kind": "webhook", "webhook": {"url": url, "timeout_ms": 2000}, "filter": {"types": ["order.placed", "order.allocated"]}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = client.post("/v1/subscriptions", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body
}

fn signs(heard: &Heard, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let head = format!("{}.{}.", heard.id, heard.headers["webhook-timestamp"].to_str().unwrap());
    let wanted = STANDARD.encode(ring::hmac::sign(&key, &[head.as_bytes(), &heard.body].concat()));
    let signatures = heard.headers["webhook-signature"].to_str().unwrap();
    signatures.split(' ').any(|signature| signature.strip_prefix("v1,") == Some(&wanted))
}

/// Waits until the subscription shows it.
async fn shows(client: &Client, what: &str, test: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1500 {
        let body = client.get("/v1/subscriptions/sub_1").await.body;
        if test(&body) {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {what}: {}", client.get("/v1/subscriptions/sub_1").await.body);
}

fn in_order(heard: &[Heard]) {
    let mut last = std::collections::BTreeMap::new();
    for one in heard {
        let before = last.insert(one.subject().to_owned(), one.seq()).unwrap_or(0);
        assert!(before < one.seq(), "{} after {before} of {}", one.seq(), one.subject());
    }
}

#[tokio::test]
async fn events_come_signed_in_order_and_once() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    let made = subscribe(&client, &receiver.url(), json!({})).await;
    for n in 0..20 {
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await;
    }
    let heard = receiver.until(40).await;
    in_order(&heard);
    assert_eq!(heard.len(), 40);
    let first = &heard[0];
    assert_eq!(first.headers["content-type"], "application/cloudevents+json");
    assert_eq!((&first.event["specversion"], &first.event["id"]), (&"1.0".into(), &first.id.as_str().into()));
    assert!(heard.iter().all(|one| signs(one, made["secret"].as_str().unwrap())));
    let body = shows(&client, "caught up", |body| body["lag"]["events"] == 0).await;
    assert_eq!((&body["circuit"], &body["parked"]), (&"closed".into(), &0.into()));
}

#[tokio::test]
async fn two_secrets_sign_while_they_rotate() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    let first = subscribe(&client, &receiver.url(), json!({})).await;
    let second = client.post("/v1/subscriptions/sub_1/rotate-secret", "{}").await.body;
    let signed = |one: &Heard, made: &Value| signs(one, made["secret"].as_str().unwrap());
    // A call that was being made meanwhile has the old signature alone; soon each has both.
    let mut n = 0;
    loop {
        n += 1;
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await;
        let heard = receiver.until(2 * n).await;
        assert!(heard.iter().all(|one| signed(one, &first)));
        assert!(!signs(&heard[0], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        if heard.last().is_some_and(|one| signed(one, &second)) {
            break;
        }
        assert!(n < 90, "the new secret never signs");
    }
}

#[tokio::test]
async fn one_event_that_fails_parks_its_subject_and_others_go_on() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    receiver.answers(|heard| {
        let bad = heard.subject() == "order/ord_1";
        (if bad { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, "no such customer").into_response()
    });
    subscribe(&client, &receiver.url(), json!({})).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let mut n = 1;
    // Others have to succeed between its failures: only that tells a bad event from a bad endpoint.
    while client.get("/v1/subscriptions/sub_1").await.body["parked"] == 0 {
        n += 1;
        assert!(n < 400, "it never parks");
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await.status.is_success();
        client.post("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"MUG","quantity":1}]}"#).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let dead = client.get("/v1/subscriptions/sub_1/dead-letters").await.body;
    assert_eq!(
        (&dead["data"][0]["subject"], &dead["data"][0]["event"]["type"]),
        (&"order/ord_1".into(), &"quartermaster.order.placed.v1".into())
    );
    receiver.until(2 * (n - 1)).await;
    let failed = client.get("/v1/subscriptions/sub_1/attempts?outcome=failed").await.body;
    assert_eq!((&failed["data"][0]["status"], &failed["data"][0]["answer"]), (&422.into(), &"no such customer".into()));
    receiver.accepts();
    assert_eq!(client.post("/v1/subscriptions/sub_1/redeliver", r#"{"parked":true}"#).await.status, StatusCode::ACCEPTED);
    shows(&client, "free again", |body| body["parked"] == 0).await;
    let heard = receiver.until(2 * n).await;
    in_order(&heard);
    assert_eq!(heard.iter().filter(|one| one.subject() == "order/ord_1").count(), 2, "what waited behind it came after it");
}

#[tokio::test]
async fn a_parked_event_can_be_left() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    receiver.answers(|heard| {
        let bad = heard.subject() == "order/ord_1" && heard.event["type"] == "quartermaster.order.placed.v1";
        if bad { StatusCode::BAD_REQUEST } else { StatusCode::OK }.into_response()
    });
    subscribe(&client, &receiver.url(), json!({})).await;
    let mut n = 0;
    while client.get("/v1/subscriptions/sub_1").await.body["parked"] == 0 {
        n += 1;
        assert!(n < 400, "it never parks");
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await;
        client.post("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"MUG","quantity":1}]}"#).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let sequence = client.get("/v1/subscriptions/sub_1/dead-letters").await.body["data"][0]["sequence"].as_str().unwrap().to_owned();
    let left = client.post(&format!("/v1/subscriptions/sub_1/dead-letters/{sequence}/discard"), "").await;
    assert_eq!(left.status, StatusCode::ACCEPTED, "{}", left.body);
    shows(&client, "free again", |body| body["parked"] == 0).await;
    let heard = receiver.until(2 * n - 1).await;
    assert!(heard.iter().any(|one| one.subject() == "order/ord_1"));
}

#[tokio::test]
async fn an_endpoint_that_fails_altogether_is_probed_and_gets_everything_later() {
    let (client, deliveries) = shop().await;
    let receiver = Receiver::new().await;
    receiver.answers(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    subscribe(&client, &receiver.url(), json!({})).await;
    for n in 0..20 {
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await;
    }
    let failing = shows(&client, "open", |body| body["circuit"] == "open").await;
    assert_eq!((&failing["parked"], &failing["last_error"]), (&0.into(), &"answered 500".into()));
    assert!(failing["lag"]["events"].as_u64().unwrap() >= 40);
    let calls = receiver.refused().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(receiver.refused().len() <= calls + 4, "an open circuit still calls");
    // A restart in between loses nothing.
    deliveries.stop().await;
    receiver.accepts();
    let _deliveries = webhook::start(client.shop.clone()).unwrap();
    let heard = receiver.until(40).await;
    in_order(&heard);
    shows(&client, "closed", |body| body["circuit"] == "closed" && body["lag"]["events"] == 0).await;
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_left_alone() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    receiver.answers(|_| StatusCode::GONE.into_response());
    subscribe(&client, &receiver.url(), json!({})).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let body = shows(&client, "disabled", |body| body["status"] == "disabled").await;
    assert_eq!(body["status_reason"], "the endpoint answered 410: it is gone");
    receiver.accepts();
    client.post("/v1/subscriptions/sub_1/resume", "").await;
    receiver.until(2).await;
}

#[tokio::test]
async fn what_an_endpoint_answers_is_bounded_and_redirects_lead_nowhere() {
    let (client, _deliveries) = shop().await;
    let (receiver, elsewhere) = (Receiver::new().await, Receiver::new().await);
    let to = elsewhere.url();
    receiver.answers(move |_| (StatusCode::FOUND, [(header::LOCATION, to.clone())], "x".repeat(1 << 20)).into_response());
    subscribe(&client, &receiver.url(), json!({})).await;
    let sent = client.post("/v1/subscriptions/sub_1/test", "").await.body;
    assert_eq!((&sent["delivered"], &sent["status"], sent["answer"].as_str().unwrap().len()), (&false.into(), &302.into(), 1024));
    assert!(elsewhere.accepted().is_empty());
    receiver.answers(|_| (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], "later").into_response());
    client.post("/v1/orders", &order("W-1", 1)).await;
    shows(&client, "open", |body| body["circuit"] == "open").await;
    let calls = receiver.refused().len();
    receiver.accepts();
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!((receiver.refused().len(), receiver.accepted().len()), (calls, 0), "it is called before it wants to be");
    receiver.until(2).await;
}

#[tokio::test]
async fn without_leave_nobody_at_home_is_called() {
    let client = Client::furnished().await;
    let _deliveries = webhook::start(client.shop.clone()).unwrap();
    let receiver = Receiver::new().await;
    let there = json!({"name": "ERP", "kind": "webhook", "webhook": {"url": receiver.url()}});
    let refused = client.post("/v1/subscriptions", &there.to_string()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "an address is refused at once: {}", refused.body);
    // A name is looked up when it is called: this one is 127.0.0.1.
    subscribe(&client, &receiver.url().replace("127.0.0.1", "2130706433"), json!({})).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let body = shows(&client, "refused", |body| body["last_error"] != Value::Null).await;
    assert!(body["last_error"].as_str().unwrap().contains("--allow-private-webhooks"), "{body}");
    assert!(receiver.accepted().is_empty() && receiver.refused().is_empty());
}

#[tokio::test]
async fn a_range_is_delivered_again_beside_the_cursor() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    subscribe(&client, &receiver.url(), json!({})).await;
    for n in 0..5 {
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await;
    }
    let first = receiver.until(10).await;
    let before = shows(&client, "caught up", |body| body["lag"]["events"] == 0).await["cursor"].clone();
    let one = json!({"sequence": first[3].id}).to_string();
    assert_eq!(client.post("/v1/subscriptions/sub_1/redeliver", &one).await.status, StatusCode::ACCEPTED);
    let again = receiver.until(11).await;
    assert_eq!((&again[10].id, &again[10].body), (&first[3].id, &first[3].body), "the same event has the same id and bytes");
    let all = client.post("/v1/subscriptions/sub_1/backfill", r#"{"from":"beginning","to":"now"}"#).await;
    assert_eq!(all.status, StatusCode::ACCEPTED, "{}", all.body);
    let again = receiver.until(21).await;
    in_order(&again[11..]);
    let after = shows(&client, "through", |body| body["backfills"].as_array().unwrap().is_empty()).await;
    let seq = |cursor: &Value| cursor.as_str().unwrap().split_once('-').unwrap().1.parse::<u64>().unwrap();
    assert!(seq(&after["cursor"]) >= seq(&before), "{after}");
    assert_eq!(receiver.accepted().len(), 21);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let between = client.shop.now().to_string();
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.post("/v1/orders", &order("W-9", 1)).await;
    receiver.until(23).await;
    let since = client.post("/v1/subscriptions/sub_1/backfill", &json!({"from": between, "to": "now"}).to_string()).await;
    assert_eq!(since.status, StatusCode::ACCEPTED, "{}", since.body);
    let again = receiver.until(25).await;
    assert!(again[23..].iter().all(|one| one.subject() == again[21].subject()), "a backfill by time");
    shows(&client, "through", |body| body["backfills"].as_array().unwrap().is_empty()).await;
    assert_eq!(receiver.accepted().len(), 25);
}

#[tokio::test]
async fn a_rewind_and_a_pause_are_heeded() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    subscribe(&client, &receiver.url(), json!({})).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let first = receiver.until(2).await;
    client.post("/v1/subscriptions/sub_1/pause", "{}").await;
    client.post("/v1/orders", &order("W-2", 1)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.accepted().len(), 2);
    client.post("/v1/subscriptions/sub_1/rewind", &json!({"to": first[0].id}).to_string()).await;
    client.post("/v1/subscriptions/sub_1/resume", "").await;
    let ids: Vec<String> = receiver.until(5).await.into_iter().map(|one| one.id).collect();
    assert_eq!(ids[2], first[1].id, "the next is the first after it");
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn an_erasure_reaches_subscribers() {
    let (client, _deliveries) = shop().await;
    let receiver = Receiver::new().await;
    subscribe(&client, &receiver.url(), json!({"filter": {"types": ["customer.erased", "order.placed"]}})).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    client.post("/v1/customers/cus_1/erase", "").await;
    let heard = receiver.until(2).await;
    assert!(!String::from_utf8_lossy(&heard[0].body).contains("Ada"));
    assert_eq!(
        (&heard[1].event["type"], &heard[1].event["data"]["customer"]),
        (&"quartermaster.customer.erased.v1".into(), &"cus_1".into())
    );
}

#[tokio::test]
async fn a_restored_shop_calls_nobody_before_it_is_told_to() {
    let (client, deliveries) = shop().await;
    let receiver = Receiver::new().await;
    subscribe(&client, &receiver.url(), json!({})).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    receiver.until(2).await;
    deliveries.stop().await;
    server::bus::settle(&client.shop).await;
    let target = tempfile::tempdir().unwrap();
    engine::backup(client.folder.path(), &target.path().join("backup")).unwrap();
    engine::restore(&target.path().join("backup"), &target.path().join("again")).unwrap();
    let again = Client::in_folder(&target.path().join("again")).await;
    again.shop.bus.allow_private();
    let _deliveries = webhook::start(again.shop.clone()).unwrap();
    let body = shows(&again, "paused", |body| body["status"] == "paused").await;
    assert!(body["status_reason"].as_str().unwrap().starts_with("restored from a backup"), "{body}");
    again.post("/v1/subscriptions/sub_1/resume", "").await;
    again.post("/v1/orders", &order("W-2", 1)).await;
    let heard = receiver.until(4).await;
    assert!(heard[3].id.starts_with("2-"), "{}", heard[3].id);
}
