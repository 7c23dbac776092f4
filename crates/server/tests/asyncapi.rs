//! The description of the bus: whole, served, and true of what goes out.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;

use axum::http::StatusCode;
use client::{Client, order, told};
use domain::event::Event;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::panic::catch_unwind;

#[tokio::test]
async fn it_is_served_and_has_every_type_of_event() {
    let client = Client::new().await;
    let answer = client.send("GET", "/docs/asyncapi.json", None, &[], "").await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (StatusCode::OK, &"application/json".parse().unwrap()));
    let described =
        |channel: &str| answer.body["channels"][channel]["messages"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let derived = ["availability.changed.v1", "subscription.test.v1"];
    let all: BTreeSet<String> = Event::TYPES.iter().chain(&derived).map(|name| (*name).to_owned()).collect();
    for channel in ["webhook", "pull", "sse"] {
        assert_eq!(described(channel), all, "run cargo xtask asyncapi");
    }
    assert!(described("requests").contains("request.quartermaster.order.place.v1"));
}

/// The other tests hold every event of theirs against the description; this one proves that a difference is seen.
#[tokio::test]
async fn what_is_not_as_described_is_seen() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 3)).await;
    let subscribed = json!({"name": "stock", "kind": "pull", "filter": {"types": ["order.placed", "availability.changed"]}, "start": "beginning",
        "personal_data": true});
    client.post("/v1/subscriptions", &subscribed.to_string()).await;
    let page = client.get("/v1/subscriptions/sub_1/events").await.body;
    let events = page["data"].as_array().unwrap();
    events.iter().for_each(told::check);
    let placed = events.iter().find(|event| event["type"] == "quartermaster.order.placed.v1").unwrap();
    assert_eq!(placed["data"]["order"]["ship_to"]["line1"], "12 Square Street", "opened data is described, too");
    assert!(events.iter().any(|event| event["type"] == "quartermaster.availability.changed.v1"), "{page}");
    let changes: [fn(&mut Value); 4] = [
        |event| event["type"] = json!("quartermaster.order.dreamed.v1"),
        |event| event["data"]["order"]["currency"] = json!(7),
        |event| event["data"]["order"]["lines"][0]["color"] = json!("red"),
        |event| drop(event["data"]["order"].as_object_mut().unwrap().remove("status")),
    ];
    for change in changes {
        let mut changed = placed.clone();
        change(&mut changed);
        assert!(catch_unwind(|| told::check(&changed)).is_err(), "{changed:#}");
    }
}
