//! Subscriptions that do not move on are told of, and that they do again.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;
#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod receiver;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use client::{Client, order};
use receiver::Receiver;
use serde_json::{Value, json};
use server::bus::webhook;
use std::time::Duration;

async fn subscribe(client: &Client, body: Value) {
    let answer = client.post("/v1/subscriptions", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
}

fn hook(receiver: &Receiver) -> Value {
    json!({"name": "ERP", "kind": "webhook", "webhook": {"url": receiver.url()}, "filter": {"types": ["order.*"]}, "stalled_after_seconds": 1})
}

/// Waits until these subscriptions, and no others, are told as stalled; gives back the alerts.
async fn told(client: &Client, wanted: &[&str]) -> Vec<Value> {
    let mut last = Value::Null;
    for _ in 0..1500 {
        last = client.get("/v1/alerts").await.body;
        let alerts: Vec<Value> =
            last["data"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "subscription_stalled").cloned().collect();
        let mut names: Vec<&str> = alerts.iter().filter_map(|alert| alert["subscription"].as_str()).collect();
        names.sort_unstable();
        if names == wanted {
            return alerts;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{wanted:?} never stood alone: {last}");
}

#[tokio::test]
async fn an_endpoint_that_fails_is_told_once_and_cleared_when_it_has_caught_up() {
    let client = Client::furnished().await;
    client.shop.bus.allow_private();
    let _deliveries = webhook::start(client.shop.clone()).unwrap();
    let receiver = Receiver::new().await;
    receiver.answers(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    subscribe(&client, hook(&receiver)).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    told(&client, &[]).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let alerts = told(&client, &["sub_1"]).await;
    assert_eq!(alerts[0]["note"], "answered 500");
    assert!(alerts[0]["numbers"]["lag_events"].as_i64() > Some(0), "{alerts:?}");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(told(&client, &["sub_1"]).await.len(), 1, "once");
    receiver.accepts();
    told(&client, &[]).await;
    receiver.until(1).await;
}

#[tokio::test]
async fn who_does_not_fetch_is_told_and_who_has_nothing_to_fetch_is_not() {
    let client = Client::furnished().await;
    let of = |types: &str| json!({"name": "ERP", "kind": "pull", "filter": {"types": [types]}, "stalled_after_seconds": 1});
    subscribe(&client, of("order.placed")).await;
    subscribe(&client, of("return.*")).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    told(&client, &["sub_1"]).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    told(&client, &["sub_1"]).await;
    let page = client.get("/v1/subscriptions/sub_1/events").await.body;
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "what is told is not lost: {page}");
    client.post("/v1/subscriptions/sub_1/ack", &json!({"cursor": page["next_cursor"]}).to_string()).await;
    told(&client, &[]).await;
}

#[tokio::test]
async fn a_disabled_subscription_is_told_until_somebody_resumes_pauses_or_deletes_it() {
    let client = Client::furnished().await;
    client.shop.bus.allow_private();
    let _deliveries = webhook::start(client.shop.clone()).unwrap();
    let receiver = Receiver::new().await;
    receiver.answers(|_| StatusCode::GONE.into_response());
    for _ in 0..3 {
        subscribe(&client, hook(&receiver)).await;
    }
    client.post("/v1/orders", &order("W-1", 1)).await;
    let alerts = told(&client, &["sub_1", "sub_2", "sub_3"]).await;
    assert_eq!(alerts[0]["note"], "the endpoint answered 410: it is gone");
    receiver.accepts();
    client.post("/v1/subscriptions/sub_1/resume", "").await;
    told(&client, &["sub_2", "sub_3"]).await;
    client.post("/v1/subscriptions/sub_2/pause", r#"{"reason":"maintenance"}"#).await;
    told(&client, &["sub_3"]).await;
    client.post("/v1/subscriptions/sub_3/delete", "").await;
    told(&client, &[]).await;
}

#[tokio::test]
async fn a_restart_neither_forgets_nor_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::in_folder(folder.path()).await;
    client.furnish().await;
    subscribe(&client, json!({"name": "ERP", "kind": "pull", "start": "now", "stalled_after_seconds": 2})).await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let before = told(&client, &["sub_1"]).await;
    client.shop.engine.stop();
    drop(client);
    let again = tempfile::tempdir().unwrap();
    engine::backup(folder.path(), &again.path().join("backup")).unwrap();
    engine::restore(&again.path().join("backup"), &again.path().join("shop")).unwrap();
    let client = Client::in_folder(&again.path().join("shop")).await;
    tokio::time::sleep(Duration::from_millis(5000)).await;
    let after = told(&client, &["sub_1"]).await;
    assert_eq!((&after[0]["id"], &after[0]["raised_at"]), (&before[0]["id"], &before[0]["raised_at"]), "the same alert");
    client.post("/v1/subscriptions/sub_1/rewind", r#"{"to":"now"}"#).await;
    told(&client, &[]).await;
}
