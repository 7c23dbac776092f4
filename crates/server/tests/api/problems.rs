//! Problems lead to pages that explain them.

use crate::client::{Client, order};
use serde_json::json;
use server::http::{KINDS, openapi};

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_page() {
    let client = Client::furnished().await;
    let short = client.post("/v1/orders", &order("big", 101)).await;
    assert_eq!(short.body["type"], "/problems/insufficient-stock");
    let page = client.send("GET", "/problems/insufficient-stock", None, &[], "").await;
    assert_eq!((page.status.as_u16(), &page.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    for name in ["type", "code", "title", "status"] {
        assert_eq!(page.body[name], short.body[name], "{}", page.body);
    }
    assert!(page.body["remedy"].as_str().unwrap().contains("Lower the quantity"), "{}", page.body);
    let page = client.send("GET", "/problems/insufficient-stock", None, &[("accept", "text/html,*/*")], "").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let unknown = client.send("GET", "/problems/bad-weather", None, &[], "").await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["code"]), (404, &json!("no_such_path")));
}

#[tokio::test]
async fn every_problem_has_its_page_and_is_named_in_the_description() {
    let client = Client::new().await;
    let description = openapi()["components"]["schemas"]["problem"]["properties"]["code"]["description"].to_string();
    for kind in KINDS {
        let page = client.send("GET", &kind.address(), None, &[], "").await;
        assert_eq!((page.status.as_u16(), &page.body["code"]), (200, &json!(kind.code)));
        assert!(description.contains(kind.code), "{description}");
    }
    assert!(KINDS.len() > 25, "a table that lost its rows would pass");
}

#[tokio::test]
async fn a_moment_that_is_still_to_come_is_refused() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 3)).await;
    let newest: u64 = client.get("/v1/stock/MUG").await.body["sequence"].as_str().unwrap().parse().unwrap();
    for path in ["/v1/stock/MUG", "/v1/orders/ord_1"] {
        assert_eq!(client.get(&format!("{path}?as_of={newest}")).await.status.as_u16(), 200, "{path}");
        let refused = client.get(&format!("{path}?as_of=99999999")).await;
        let detail = refused.body["detail"].as_str().unwrap();
        assert_eq!((refused.status.as_u16(), &refused.body["field"]), (400, &json!("as_of")), "{path}: {}", refused.body);
        assert!(detail.contains("beyond the end of the log; the newest sequence is "), "{detail}");
    }
}
