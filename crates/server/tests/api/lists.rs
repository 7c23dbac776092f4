//! What is listed and found, page by page, and what takes the place of a name.

use super::client::{Client, order};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// Every page of a list, with at most so many rows each.
async fn pages(client: &Client, path: &str, limit: usize) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let answer = client.get(&format!("{path}{sign}limit={limit}{cursor}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        pages.push(answer.body["data"].as_array().unwrap().clone());
        assert!(pages.len() < 50, "{path} never ends");
        match answer.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

async fn ids(client: &Client, path: &str, limit: usize) -> Vec<String> {
    let rows = pages(client, path, limit).await.concat();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Three orders, shipped; the second was refunded twice and comes back, as does something without an order.
async fn busy() -> Client {
    let client = Client::furnished().await;
    for n in 1..=3 {
        client.post("/v1/orders", &order(&format!("W-{n}"), 2)).await;
        client.until(&format!("/v1/orders/ord_{n}"), "payment_status", "authorized").await;
        for (verb, body) in [("pick", "{}"), ("pack", "{}"), ("ship", r#"{"carrier":"UPS"}"#)] {
            let answer = client.post(&format!("/v1/fulfillments/ful_{n}-1/{verb}"), body).await;
            assert_eq!(answer.status, StatusCode::OK, "{verb}: {}", answer.body);
        }
        client.until(&format!("/v1/orders/ord_{n}"), "payment_status", "captured").await;
    }
    for _ in 0..2 {
        let refund = client.post("/v1/orders/ord_2/refunds", r#"{"lines":[{"id":"ol_2-1","quantity":1}]}"#).await;
        assert_eq!(refund.status, StatusCode::OK, "{}", refund.body);
    }
    client.until("/v1/refunds/re_2-2", "status", "refunded").await;
    client.post("/v1/returns", r#"{"order":"ord_2","lines":[{"id":"ol_2-1","quantity":1}]}"#).await;
    for n in 1..=2 {
        let blind = json!({"location": "AUS", "external_id": format!("R-{n}"), "lines": [{"sku": "MUG", "quantity": 1}]});
        assert_eq!(client.post("/v1/returns", &blind.to_string()).await.status, StatusCode::CREATED);
    }
    client
}

#[tokio::test]
async fn parts_of_orders_are_listed_across_them() {
    let client = busy().await;
    for limit in [1, 2, 50] {
        assert_eq!(ids(&client, "/v1/payments", limit).await, ["pay_3-1", "pay_2-1", "pay_1-1"], "by {limit}");
        assert_eq!(ids(&client, "/v1/refunds", limit).await, ["re_2-2", "re_2-1"], "by {limit}");
        assert_eq!(ids(&client, "/v1/returns", limit).await, ["ret_2-1", "ret_1", "ret_2"], "by {limit}");
    }
    assert_eq!(ids(&client, "/v1/payments?order=ord_2", 10).await, ["pay_2-1"]);
    assert_eq!(ids(&client, "/v1/returns?order=ord_2", 10).await, ["ret_2-1"]);
    assert_eq!(ids(&client, "/v1/returns?order=ord_1", 10).await, [""; 0]);
    assert_eq!(ids(&client, "/v1/payments?status=failed", 10).await, [""; 0]);
    assert_eq!(ids(&client, "/v1/returns?status=requested", 10).await, ["ret_2-1"]);
    assert_eq!(client.get("/v1/payments/pay_2-1").await.body["order"], "ord_2");
    assert_eq!(client.get("/v1/payments/pay_2-9").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/v1/refunds/re_9-1").await.body["code"], "not_found");
}

#[tokio::test]
async fn receipts_and_adjustments_are_listed() {
    let client = Client::furnished().await;
    for delta in [-1, -2, 3] {
        let body = json!({"location": "AUS", "reason": "shrinkage", "lines": [{"sku": "MUG", "delta": delta}]});
        assert_eq!(client.post("/v1/adjustments", &body.to_string()).await.status, StatusCode::CREATED);
    }
    for limit in [1, 50] {
        assert_eq!(ids(&client, "/v1/adjustments", limit).await, ["adj_3", "adj_2", "adj_1"], "by {limit}");
        assert_eq!(ids(&client, "/v1/receipts", limit).await, ["rcpt_1"], "by {limit}");
    }
    let one = client.get("/v1/adjustments/adj_2").await.body;
    assert_eq!((&one["lines"][0]["delta"], &one["lines"][0]["level"]["on_hand"]), (&json!(-2), &json!(97)));
    assert_eq!(client.get("/v1/adjustments/adj_9").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn orders_and_customers_are_found_by_words_of_a_name() {
    let client = Client::furnished().await;
    for n in 1..=3 {
        client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await;
    }
    let other = order("W-4", 1).replace("Ada Lovelace", "Grace Hopper").replace("ada@", "grace@");
    client.post("/v1/orders", &other.replacen("Grace Hopper", "Grace Ada Hopper", 1)).await;
    for limit in [1, 2, 50] {
        assert_eq!(ids(&client, "/v1/orders?name=LOVELACE%20ada", limit).await, ["ord_3", "ord_2", "ord_1"], "by {limit}");
        assert_eq!(ids(&client, "/v1/orders?name=ada", limit).await, ["ord_4", "ord_3", "ord_2", "ord_1"], "by {limit}");
        assert_eq!(ids(&client, "/v1/orders?email=ada@example.com", limit).await, ["ord_3", "ord_2", "ord_1"], "by {limit}");
    }
    assert_eq!(ids(&client, "/v1/orders?name=love", 10).await, [""; 0]);
    assert_eq!(client.get("/v1/orders?name=%20-").await.status, StatusCode::BAD_REQUEST);
    let people = client.get("/v1/customers?name=grace").await.body;
    assert_eq!(people["data"][0]["email"], "grace@example.com");
    let id = people["data"][0]["id"].as_str().unwrap();
    assert_eq!(client.post(&format!("/v1/customers/{id}/erase"), "").await.status, StatusCode::OK);
    assert_eq!(ids(&client, "/v1/orders?name=grace", 10).await, [""; 0]);
}

#[tokio::test]
async fn a_name_gives_way_to_what_it_names() {
    let client = busy().await;
    let order = client.get("/v1/orders/ord_1?expand[]=customer&expand[]=lines.sku&expand[]=fulfillments.location").await;
    assert_eq!(order.headers["etag"], client.get("/v1/orders/ord_1").await.headers["etag"]);
    assert_eq!((&order.body["customer"]["object"], &order.body["customer"]["orders"]), (&json!("customer"), &json!(3)));
    assert_eq!(order.body["lines"][0]["sku"]["name"], "Mug");
    assert_eq!(order.body["fulfillments"][0]["location"]["time_zone"], "America/Chicago");
    let refunds = client.get("/v1/refunds?expand[]=order,payment").await.body;
    assert_eq!((&refunds["data"][1]["order"]["number"], &refunds["data"][1]["payment"]["captured"]), (&json!("1002"), &json!(2400)));
    let unknown = client.get("/v1/orders/ord_1?expand[]=total").await;
    assert_eq!((unknown.status, unknown.body["code"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid")));
    assert!(unknown.body["detail"].as_str().unwrap().contains("customer"), "{}", unknown.body);
    assert_eq!(client.get("/v1/orders/ord_1?expand[]=note.order").await.status, StatusCode::OK, "what is not there is left alone");
}

#[tokio::test]
async fn reports_add_up() {
    let client = busy().await;
    let sales = client.get("/v1/reports/sales?step=hour").await.body;
    let rows = sales["data"].as_array().unwrap();
    let sum = |name: &str| rows.iter().filter_map(|row| row.pointer(name)?.as_i64()).sum::<i64>();
    assert_eq!((sum("/orders"), sum("/units"), sum("/shipped"), sum("/sales/USD"), sum("/captured/USD")), (3, 6, 3, 7200, 7200));
    assert_eq!(client.get("/v1/reports/sales?step=week").await.status, StatusCode::BAD_REQUEST);
    let far = client.get("/v1/reports/sales?step=minute&from=2020-01-01T00:00:00Z").await;
    assert_eq!(far.status, StatusCode::BAD_REQUEST, "{}", far.body);
    let item = json!({"sku": "CUP", "name": "Cup", "unit_cost": {"amount": 350, "currency": "USD"}});
    client.post("/v1/items", &item.to_string()).await;
    client.post("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"CUP","quantity":10}]}"#).await;
    let worth = client.get("/v1/reports/stock-value").await.body["data"][0].clone();
    assert_eq!((&worth["location"], &worth["value"]["USD"], &worth["on_hand"]), (&json!("AUS"), &json!(3500), &json!(106)));
    assert_eq!(worth["on_hand_without_cost"], 96);
}

#[tokio::test]
async fn pages_go_on_after_names_of_any_letters() {
    let client = Client::furnished().await;
    for sku in ["A@B", "A B", "~QQ", "Ü/1"] {
        assert_eq!(client.post("/v1/items", &json!({"sku": sku, "name": sku}).to_string()).await.status, StatusCode::CREATED);
        let receipt = json!({"location": "AUS", "lines": [{"sku": sku, "quantity": 1}]});
        assert_eq!(client.post("/v1/receipts", &receipt.to_string()).await.status, StatusCode::CREATED);
    }
    for path in ["/v1/items", "/v1/stock"] {
        let skus = pages(&client, path, 1).await.concat();
        let skus: Vec<&str> = skus.iter().map(|row| row["sku"].as_str().unwrap()).collect();
        assert_eq!(skus, ["A B", "A@B", "MUG", "~QQ", "Ü/1"], "{path}");
    }
    assert_eq!(client.get("/v1/items?cursor=~!").await.status, StatusCode::BAD_REQUEST);
}
