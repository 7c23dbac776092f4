//! The server proves its own numbers while it works, and tells when they do not hold.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;

use client::{Client, order};
use rusqlite::Connection;
use serde_json::Value;
use server::audit::{self, Outcome};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const MORE: &str = r#"UPDATE levels SET body = replace(body, '"on_hand":', '"on_hand":9') WHERE sku = 'CAP'"#;
const AS_BEFORE: &str = r#"UPDATE levels SET body = replace(body, '"on_hand":9', '"on_hand":') WHERE sku = 'CAP'"#;

/// A shop with an item that nobody buys.
async fn shop() -> Client {
    let client = Client::furnished().await;
    client.post("/v1/items", r#"{"sku":"CAP","name":"Cap"}"#).await;
    client.post("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"CAP","quantity":5}]}"#).await;
    // What is read by list is stored.
    client.get("/v1/orders").await;
    client
}

/// By a hand that has no business in the store.
fn change(client: &Client, sql: &str) {
    let store = Connection::open(client.folder.path().join("store.db")).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(store.execute(sql, []), Ok(1), "{sql}");
}

async fn drifts(client: &Client) -> Vec<Value> {
    let alerts = client.get("/v1/alerts").await.body;
    alerts["data"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "drift_found").cloned().collect()
}

#[tokio::test]
async fn a_level_that_somebody_changed_is_told_until_it_is_what_the_log_says() {
    let client = shop().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    assert!(matches!(audit::once(&client.shop).await, Outcome::Holds { events } if events > 0));
    assert_eq!(drifts(&client).await, Vec::<Value>::new());

    change(&client, MORE);
    for _ in 0..2 {
        let Outcome::Differs { subject, what } = audit::once(&client.shop).await else { panic!("it differs") };
        assert_eq!((subject, what.contains("level CAP at AUS")), ("store", true), "{what}");
    }
    let told = drifts(&client).await;
    assert_eq!(told.len(), 1, "one alert for one condition: {told:?}");
    assert_eq!(told[0]["subject"], "store");
    assert!(told[0]["note"].as_str().unwrap().contains("Run rebuild"), "{told:?}");

    change(&client, AS_BEFORE);
    assert!(matches!(audit::once(&client.shop).await, Outcome::Holds { .. }));
    assert_eq!(drifts(&client).await, Vec::<Value>::new(), "it cleared itself");
    let mut left = std::fs::read_dir(client.folder.path()).unwrap().flatten();
    assert!(left.all(|entry| !entry.file_name().to_string_lossy().starts_with("quartermaster-verify")), "nothing stays behind");
}

#[tokio::test]
async fn a_shop_at_work_is_compared_at_one_sequence() {
    let client = shop().await;
    let done = AtomicBool::new(false);
    let sell = async {
        let mut placed = 0;
        while !done.load(Ordering::Relaxed) {
            placed += 1;
            client.post("/v1/orders", &order(&format!("L-{placed}"), 1)).await;
        }
        placed
    };
    let audits = async {
        for round in 0..3 {
            let outcome = audit::once(&client.shop).await;
            assert!(matches!(outcome, Outcome::Holds { .. }), "round {round}: {outcome:?}");
        }
        change(&client, MORE);
        let outcome = audit::once(&client.shop).await;
        assert!(matches!(outcome, Outcome::Differs { subject: "store", .. }), "also while orders come in: {outcome:?}");
        done.store(true, Ordering::Relaxed);
    };
    let (placed, ()) = tokio::join!(sell, audits);
    assert!(placed > 3, "it was at work: {placed}");
}
