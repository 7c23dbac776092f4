//! What pages say, and what they leave out.

use super::{Door, Guest, text};
use crate::client::order;
use axum::http::StatusCode;
use serde_json::json;
use server::keys::Role;

async fn page(door: &Door, guest: &Guest, path: &str) -> String {
    let answer = door.send("GET", path, Some(&guest.cookie), "").await;
    let (status, html) = (answer.status(), text(answer).await);
    assert_eq!(status, StatusCode::OK, "{path}: {html}");
    html
}

/// An order of nobody to nowhere.
async fn plain_order(door: &Door, units: u32) {
    let lines = json!([{"sku": "MUG", "quantity": units, "unit_price": 1200}]);
    let order = json!({"channel": "web", "currency": "USD", "lines": lines}).to_string();
    assert_eq!(door.client.post("/v1/orders", &order).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn the_list_has_a_column_of_customers_when_there_are_any() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Operator).await;
    plain_order(&door, 1).await;
    let html = page(&door, &guest, "/orders").await;
    assert!(!html.contains(">Customer<") && html.contains("#1001"), "{html}");
    assert!(html.contains("<span>Placed from</span><input type=\"date\""), "the boxes for days say what they are for: {html}");
    assert_eq!(html.matches("<th ").count(), html.matches("<td ").count() + html.matches("<td>").count(), "as many cells as heads: {html}");
    door.client.post("/v1/orders", &order("W-1", 1)).await;
    let html = page(&door, &guest, "/orders").await;
    assert!(html.contains(">Customer<") && html.contains("Ada Lovelace"), "{html}");
}

#[tokio::test]
async fn several_orders_are_held_without_those_that_are_closed() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Operator).await;
    for _ in 0..3 {
        plain_order(&door, 1).await;
    }
    door.client.post("/v1/orders/ord_2/cancel", r#"{"reason":"customer"}"#).await;
    let html = page(&door, &guest, "/orders/bulk?do=hold&id=ord_1&id=ord_2&id=ord_3").await;
    assert!(html.contains("Hold 2 orders") && html.contains("Left out, as nothing would happen to them: #1002 (canceled)."), "{html}");
    assert!(!html.contains("value=\"ord_2\"") && html.contains("value=\"ord_3\""), "it is not done to them either: {html}");
    let none = door.send("GET", "/orders/bulk?do=release&id=ord_1&id=ord_2", Some(&guest.cookie), "").await;
    assert_eq!(none.status(), StatusCode::BAD_REQUEST);
    let none = text(none).await;
    assert!(none.contains("None of the chosen orders can be released.") && none.contains("#1001 (open)"), "{none}");
}

#[tokio::test]
async fn a_slip_without_an_address_has_no_box_for_one() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Warehouse).await;
    plain_order(&door, 2).await;
    door.client.post("/v1/orders", &order("W-1", 1)).await;
    for id in ["ord_1", "ord_2"] {
        door.client.until(&format!("/v1/orders/{id}"), "payment_status", "authorized").await;
    }
    let slip = page(&door, &guest, "/fulfillment/ful_1-1/packing-slip").await;
    assert!(!slip.contains("card pad") && slip.contains("MUG"), "{slip}");
    assert!(page(&door, &guest, "/fulfillment/ful_2-1/packing-slip").await.contains("12 Square Street"));
}

#[tokio::test]
async fn the_ledger_says_that_picked_units_are_still_there() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Warehouse).await;
    plain_order(&door, 3).await;
    door.client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    assert_eq!(door.client.post("/v1/fulfillments/ful_1-1/pick", "").await.status, StatusCode::OK);
    let html = page(&door, &guest, "/stock/MUG").await;
    assert!(
        html.contains(">Picked, still on hand<") && html.contains(">Allocated, still on hand<") && html.contains(">Received<"),
        "{html}"
    );
}

#[tokio::test]
async fn a_role_has_its_article() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Operator).await;
    let refused = text(door.send("GET", "/settings/keys/new", Some(&guest.cookie), "").await).await;
    assert!(refused.contains("You are signed in with an operator key."), "{refused}");
    let (_, operator) = door.client.shop.keys.create("desk", Role::Operator).unwrap();
    let refused = door.client.send("GET", "/v1/keys", Some(&operator), &[], "").await;
    assert_eq!(refused.body["detail"], "This is not for an operator key; it takes one of: admin.");
}

#[tokio::test]
async fn a_moment_that_is_still_to_come_has_no_page() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::ReadOnly).await;
    plain_order(&door, 1).await;
    let newest = door.client.shop.engine.durable();
    for path in ["/stock/MUG", "/orders/ord_1"] {
        page(&door, &guest, &format!("{path}?as_of={newest}")).await;
        let refused = door.send("GET", &format!("{path}?as_of=99999"), Some(&guest.cookie), "").await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{path}");
        assert!(text(refused).await.contains("lies beyond the end of the log"), "{path}");
    }
}

#[tokio::test]
async fn on_a_phone_the_time_of_a_call_stands_beside_its_event() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::ReadOnly).await;
    door.client.shop.bus.allow_private();
    let _deliveries = server::bus::webhook::start(door.client.shop.clone()).unwrap();
    let webhook = json!({"name": "ERP", "kind": "webhook", "webhook": {"url": "http://127.0.0.1:9/nobody"}});
    door.client.post("/v1/subscriptions", &webhook.to_string()).await;
    plain_order(&door, 1).await;
    let mut at = String::new();
    for _ in 0..1_500 {
        let calls = door.client.get("/v1/subscriptions/sub_1/attempts").await.body;
        if !calls["data"].as_array().unwrap().is_empty() {
            at = page(&door, &guest, "/subscriptions/sub_1").await;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let row = at.split("data-key=\"call-").nth(1).expect("a call is shown").split("</tr>").next().unwrap();
    let time = |begin: &str| row.split(begin).nth(1).unwrap_or_else(|| panic!("no {begin} in {row}")).split('<').next().unwrap().trim();
    assert_eq!(time("class=\"only-s muted small\">"), time("<td class=\"right hide-s muted nowrap\">"), "{row}");
}
