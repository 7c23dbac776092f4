//! The page that a customer opens from a mail.

#[allow(dead_code, reason = "shared with tests that use the rest")]
mod client;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use client::{Client, order};
use domain::id::OrderId;
use http_body_util::BodyExt;
use tower::ServiceExt;

async fn ask(client: &Client, method: &str, path: &str, form: &str) -> (u16, HeaderMap, String) {
    let request = Request::builder().method(method).uri(path).body(Body::from(form.to_owned())).unwrap();
    let response = client.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8(bytes.to_vec()).unwrap())
}

fn link(client: &Client, order: u64) -> String {
    format!("/status/{}", client.shop.status_links.token(OrderId(order), client.shop.now()))
}

#[tokio::test]
async fn a_link_shows_its_order_and_nothing_personal_or_of_others() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 3)).await;
    client.post("/v1/orders", &order("W-2", 1)).await;
    let (status, headers, html) = ask(&client, "GET", &link(&client, 1), "").await;
    assert_eq!(status, 200, "{html}");
    for part in ["Order 1001", "Mug", "3 in preparation", "$36.00", "ships by", "Cancel this order"] {
        assert!(html.contains(part), "{part} is missing:\n{html}");
    }
    for secret in ["Ada", "Square Street", "ada@example.com", "1002", "<script", "style="] {
        assert!(!html.contains(secret), "{secret} stands there:\n{html}");
    }
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!((&headers["cache-control"], &headers["referrer-policy"]), (&"no-store".parse().unwrap(), &"no-referrer".parse().unwrap()));
    client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    client.post("/v1/fulfillments/ful_1-1/ship", r#"{"carrier":"UPS","tracking_number":"1Z9","tracking_url":"javascript:alert(1)"}"#).await;
    let (_, _, html) = ask(&client, "GET", &link(&client, 1), "").await;
    assert!(html.contains("3 shipped") && html.contains("1Z9") && !html.contains("javascript:"), "{html}");
    assert!(!html.contains("Cancel this order"), "all has shipped:\n{html}");
    assert_eq!(ask(&client, "GET", "/status/style.css", "").await.0, 200);
}

#[tokio::test]
async fn a_customer_cancels_after_being_asked_and_only_what_was_seen() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 3)).await;
    client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    let path = link(&client, 1);
    let (status, _, html) = ask(&client, "GET", &format!("{path}/cancel"), "").await;
    assert!(status == 200 && html.contains("Cancel order 1001 now?"), "{html}");
    assert_eq!(client.get("/v1/orders/ord_1").await.body["status"], "open", "reading cancels nothing");
    let (status, headers, _) = ask(&client, "POST", &format!("{path}/cancel"), "version=1").await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (303, format!("{path}?done=late").as_str()));
    assert_eq!(client.get("/v1/orders/ord_1").await.body["status"], "open", "it was not what the customer saw");
    let version = html.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let (status, headers, _) = ask(&client, "POST", &format!("{path}/cancel"), &format!("version={version}")).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (303, format!("{path}?done=canceled").as_str()));
    let (_, _, html) = ask(&client, "GET", &format!("{path}?done=canceled"), "").await;
    assert!(html.contains("Your order was canceled.") && html.contains("3 canceled"), "{html}");
    assert_eq!(client.get("/v1/orders/ord_1").await.body["status"], "canceled");
}

#[tokio::test]
async fn a_link_that_is_wrong_or_whose_customer_is_erased_leads_nowhere() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let path = link(&client, 1);
    for wrong in ["/status/x", &path[..path.len() - 1], &link(&client, 9)] {
        assert_eq!(ask(&client, "GET", wrong, "").await.0, 404, "{wrong}");
    }
    let customer = client.get("/v1/orders/ord_1").await.body["customer"]["id"].as_str().unwrap().to_owned();
    client.post(&format!("/v1/customers/{customer}/erase"), "").await;
    assert_eq!(ask(&client, "GET", &path, "").await.0, 404);
    let mut last = 0;
    for _ in 0..300 {
        last = ask(&client, "GET", "/status/guess", "").await.0;
    }
    assert_eq!(last, 429);
}
