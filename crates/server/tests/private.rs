//! Suppliers' webhooks and the webhook of alerts lead nowhere inside, unless the server was told that they may.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;

use client::Client;
use serde_json::{Value, json};
use server::mail::Post;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;

/// Counts who connects and what they post, and never answers.
async fn trap() -> (u16, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, caught) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = caught.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move { while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {} });
        }
    });
    (port, caught)
}

async fn shop_that_posts_to(client: &Client, port: u16) -> watch::Sender<bool> {
    let (stop, stops) = watch::channel(false);
    let post = Post::new(&client.shop).unwrap();
    tokio::spawn(server::suppliers::run(client.shop.clone(), stops.clone()));
    tokio::spawn(server::alerting::run(client.shop.clone(), post, stops));
    let alerts = json!({"alerts": {"webhook": format!("http://localhost:{port}/chat"), "gather_seconds": 0, "interval_seconds": 0}});
    let answer = client.send("PUT", "/v1/settings", Some(&client.key), &[], &alerts.to_string()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let webhook = json!({"url": format!("http://127.0.0.1:{port}/orders"), "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    let supplier = json!({"code": "ACME", "name": "Acme", "currency": "EUR", "dispatch": "webhook", "webhook": webhook});
    let order = r#"{"supplier":"ACME","location":"AUS","lines":[{"sku":"MUG","quantity":24,"unit_cost":350}]}"#;
    for (path, body) in [("/v1/suppliers", supplier.to_string()), ("/v1/purchase-orders", order.to_owned())] {
        let answer = client.post(path, &body).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
    }
    client.post("/v1/purchase-orders/po_1/send", "").await;
    stop
}

#[tokio::test]
async fn nobody_at_home_gets_an_order_or_an_alert() {
    let client = Client::furnished().await;
    let (port, caught) = trap().await;
    let _stop = shop_that_posts_to(&client, port).await;
    let mut dispatch = Value::Null;
    for _ in 0..1500 {
        dispatch = client.get("/v1/purchase-orders/po_1").await.body["dispatch"].clone();
        if dispatch["status"] == "failed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(dispatch["status"], "failed", "{dispatch}");
    let why = dispatch["failure"]["message"].as_str().unwrap();
    assert!(why.contains("127.0.0.1 is not a public address"), "{dispatch}");
    let alerts = client.get("/v1/alerts").await.body;
    assert_eq!(alerts["data"][0]["kind"], "dispatch_failed", "{alerts}");
    // The alert about it would go to the chat.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(caught.load(Ordering::SeqCst), 0, "somebody was called");
}

#[tokio::test]
async fn with_leave_they_are_called() {
    let client = Client::furnished().await;
    client.shop.bus.allow_private();
    let (port, caught) = trap().await;
    let _stop = shop_that_posts_to(&client, port).await;
    for _ in 0..1500 {
        if caught.load(Ordering::SeqCst) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody was called");
}
