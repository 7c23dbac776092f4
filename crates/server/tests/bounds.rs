//! What a client meets at the edge's bounds: too often, too much, known already, behind.

mod client;

use axum::http::StatusCode;
use client::{Client, order};
use server::http::{Limits, Rate, router};
use std::sync::Arc;

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_how_long_to_wait() {
    let mut client = Client::furnished().await;
    let limits = Limits { rate: Some(Rate { per_second: 1, burst: 3 }), ..Limits::default() };
    client.router = router(client.shop.clone(), limits, None);
    for _ in 0..3 {
        assert_eq!(client.get("/v1/settings").await.status, StatusCode::OK);
    }
    let refused = client.get("/v1/settings").await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("rate_limited")));
    assert_eq!(refused.headers["retry-after"], "1");
    let (_, other) = client.shop.keys.create("other", server::keys::Role::ReadOnly).unwrap();
    assert_eq!(client.send("GET", "/v1/settings", Some(&other), &[], "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let mut client = Client::furnished().await;
    client.router = router(client.shop.clone(), Limits { body_bytes_max: 200, ..Limits::default() }, None);
    let refused = client.post("/v1/orders", &order("W-1", 1)).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (StatusCode::PAYLOAD_TOO_LARGE, Some("too_large")));
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    let read = client.get("/v1/orders/ord_1").await;
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    let ask = |tag: String| {
        let client = &client;
        async move { client.send("GET", "/v1/orders/ord_1", Some(&client.key), &[("if-none-match", &tag)], "").await }
    };
    for known in [tag.clone(), format!("W/{tag}"), format!("\"0\", {tag}"), "*".to_owned()] {
        let answer = ask(known.clone()).await;
        assert_eq!((answer.status, answer.body), (StatusCode::NOT_MODIFIED, serde_json::Value::Null), "{known}");
        assert_eq!(answer.headers["etag"], tag.as_str());
    }
    assert_eq!(ask("\"0\"".to_owned()).await.body, read.body);
    client.post("/v1/orders/ord_1/hold", r#"{"reason":"x"}"#).await;
    assert_eq!(ask(tag).await.body["status"], "on_hold");
}

#[tokio::test]
async fn lists_wait_for_what_is_durable_unless_they_are_told_not_to() {
    let client = Client::furnished().await;
    for n in 0..20 {
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await;
        let list = client.get("/v1/orders?limit=200").await.body;
        assert_eq!(list["data"].as_array().map(Vec::len), Some(n + 1), "everyone reads their own writes");
    }
    assert_eq!(client.get("/v1/orders?consistency=any").await.status, StatusCode::OK);
    let unknown = client.get("/v1/orders?consistency=maybe").await;
    assert_eq!((unknown.status, unknown.body["field"].as_str()), (StatusCode::BAD_REQUEST, Some("consistency")));
    client.shop.engine.stop();
    engine::verify(client.folder.path()).unwrap();
}

#[tokio::test]
async fn buyers_who_come_at_once_are_told_apart_and_found_again() {
    let client = Arc::new(Client::furnished().await);
    let place = |name: String, mail: usize| {
        let client = client.clone();
        let body = format!(
            r#"{{"channel":"web","external_id":"{name}","currency":"USD","customer":{{"email":"buyer{mail}@example.com","name":"B {mail}"}},
            "lines":[{{"sku":"MUG","quantity":1,"unit_price":1200}}]}}"#
        );
        tokio::spawn(async move { client.post("/v1/orders", &body).await.body })
    };
    let placed: Vec<_> = (0..60).map(|n| (n % 20, place(format!("W-{n}"), n % 20))).collect();
    let mut ids = std::collections::BTreeMap::new();
    for (mail, order) in placed {
        let order = order.await.unwrap();
        assert_eq!(order["customer"]["email"], format!("buyer{mail}@example.com"));
        let id = ids.entry(mail).or_insert_with(|| order["customer"]["id"].clone());
        assert_eq!(*id, order["customer"]["id"], "one customer for one address");
    }
    let different: std::collections::BTreeSet<_> = ids.values().map(ToString::to_string).collect();
    assert_eq!(different.len(), 20);
    assert_eq!(client.get("/v1/orders?email=buyer7@example.com").await.body["data"].as_array().map(Vec::len), Some(3));
}
