//! Many things in one request: each line is answered for itself.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use client::{Client, order};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

async fn bulk(client: &Client, path: &str, key: Option<&str>, body: &str) -> (StatusCode, Vec<Value>) {
    let mut request = Request::builder().method("POST").uri(path).header("authorization", format!("Bearer {}", client.key));
    request = request.header("content-type", "application/x-ndjson");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let response = client.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status();
    let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    if status.is_success() {
        client::contract::check_request("POST", path, body, &text);
    }
    (status, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn statuses(results: &[Value]) -> Vec<(u64, u64)> {
    results.iter().map(|result| (result["line"].as_u64().unwrap(), result["status"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn a_bad_line_does_not_stop_the_others() {
    let client = Client::furnished().await;
    let items = "{\"sku\":\"CUP\",\"name\":\"Cup\"}\n{\"sku\":\"MUG\",\"name\":\"Mug\"}\nno json\n\n{\"sku\":\"POT\",\"name\":\"Pot\"}\n";
    let (status, results) = bulk(&client, "/v1/items/bulk", None, items).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(statuses(&results), [(1, 201), (2, 409), (3, 400), (5, 201)]);
    assert_eq!(results[1]["code"], "already_exists");
    assert_eq!(results[3]["body"]["sku"], "POT");
    let (_, results) = bulk(&client, "/v1/items/bulk?existing=update", None, "{\"sku\":\"MUG\",\"name\":\"Large mug\"}\n").await;
    assert_eq!(statuses(&results), [(1, 200)]);
    assert_eq!(client.get("/v1/items/MUG").await.body["name"], "Large mug");
}

#[tokio::test]
async fn lines_are_settled_in_their_order_and_once_a_key() {
    let client = Client::furnished().await;
    // 100 on hand: the first twenty of five each take them all.
    let orders: String = (1..=25).map(|n| order(&format!("B-{n}"), 5).replace('\n', " ") + "\n").collect();
    let (_, first) = bulk(&client, "/v1/orders/bulk", Some("batch-1"), &orders).await;
    let sold: Vec<u64> = first.iter().filter(|result| result["status"] == 201).map(|result| result["line"].as_u64().unwrap()).collect();
    assert_eq!(sold, (1..=20).collect::<Vec<u64>>());
    assert_eq!(first[20]["code"], "insufficient_stock");
    let (_, again) = bulk(&client, "/v1/orders/bulk", Some("batch-1"), &orders).await;
    assert!(again[..20].iter().all(|result| result["replayed"] == true));
    assert_eq!(again[0]["body"]["id"], first[0]["body"]["id"]);
    assert_eq!(client.get("/v1/stock/MUG").await.body["levels"][0]["allocated"], 100);
    // A line's own key is the single endpoint's key.
    let line = r#"{"location":"AUS","reason":"found","lines":[{"sku":"MUG","delta":3}],"idempotency_key":"k-1"}"#;
    for replayed in [false, true] {
        let (_, results) = bulk(&client, "/v1/adjustments/bulk", None, line).await;
        assert_eq!((&results[0]["status"], &results[0]["replayed"]), (&201.into(), &replayed.into()));
    }
    assert_eq!(client.get("/v1/stock/MUG").await.body["levels"][0]["on_hand"], 103);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let client = Client::furnished().await;
    assert_eq!(bulk(&client, "/v1/orders/bulk", None, "\n \n").await.0, StatusCode::BAD_REQUEST);
    let many = "{}\n".repeat(10_001);
    assert_eq!(bulk(&client, "/v1/orders/bulk", None, &many).await.0, StatusCode::BAD_REQUEST);
}
