//! Many endpoints, some of them bad: the good ones get everything in order, and nobody waits for the bad ones.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;
#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod receiver;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use client::{Client, order};
use receiver::Receiver;
use server::bus::webhook;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::net::TcpListener;

const ENDPOINTS: usize = 20;
const ORDERS: usize = 100;

/// Takes connections and says nothing, or hangs up on them.
async fn bad(hangs: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            if hangs {
                kept.push(stream);
            } else {
                stream.set_zero_linger().unwrap();
            }
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn seventeen_of_twenty_get_everything_though_three_fail() {
    let client = Client::furnished().await;
    client.post("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"MUG","quantity":10000}]}"#).await;
    client.shop.bus.allow_private();
    let _deliveries = webhook::start(client.shop.clone()).unwrap();
    let mut receivers = Vec::new();
    let failing = Receiver::new().await;
    failing.answers(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    let mut urls = vec![bad(true).await, failing.url(), bad(false).await];
    for _ in urls.len()..ENDPOINTS {
        let receiver = Receiver::new().await;
        urls.push(receiver.url());
        receivers.push(receiver);
    }
    for (n, url) in urls.iter().enumerate() {
        let body = serde_json::json!({"name": format!("E{n}"), "kind": "webhook", "filter": {"types": ["order.placed", "order.allocated"]},
            "webhook": {"url": url, "timeout_ms": 1000}});
        assert_eq!(client.post("/v1/subscriptions", &body.to_string()).await.status, StatusCode::CREATED);
    }
    for n in 0..ORDERS {
        assert_eq!(client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await.status, StatusCode::CREATED);
    }
    for receiver in &receivers {
        let heard = receiver.until(2 * ORDERS).await;
        assert_eq!(heard.len(), 2 * ORDERS);
        let mut last = BTreeMap::new();
        for one in &heard {
            assert!(last.insert(one.subject().to_owned(), one.seq()).unwrap_or(0) < one.seq());
        }
    }
    let mut standings = client.shop.bus.standings(&client.shop);
    let behind = |standings: &[server::bus::Standing]| standings.iter().filter(|standing| standing.lag.events > 0).count();
    for _ in 0..3_000 {
        if behind(&standings) == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        standings = client.shop.bus.standings(&client.shop);
    }
    assert_eq!(behind(&standings), 3, "those who heard all are where the log ends");
    let first = receivers[0].accepted().iter().map(|one| one.seq()).min().unwrap();
    assert!(standings[..3].iter().all(|standing| standing.cursor.sequence < first), "what was not delivered is not passed over");
}
