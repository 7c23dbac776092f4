//! The API as a client meets it.

#[path = "api/bodies.rs"]
mod bodies;
mod client;
#[path = "api/lists.rs"]
mod lists;
#[path = "api/problems.rs"]
mod problems;
#[path = "api/updates.rs"]
mod updates;

use axum::http::StatusCode;
use client::{Client, order};
use server::http::{ROUTES, openapi};
use server::keys::Role;

#[tokio::test]
async fn an_order_goes_from_placement_to_completion() {
    let client = Client::furnished().await;
    let placed = client.post("/v1/orders", &order("W-1", 3)).await;
    assert_eq!(placed.status, StatusCode::CREATED);
    assert_eq!((&placed.body["id"], &placed.body["number"]), (&"ord_1".into(), &"1001".into()));
    assert!(placed.headers.contains_key("etag"));
    client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    let shipped = client.post("/v1/fulfillments/ful_1-1/ship", r#"{"carrier":"UPS","tracking_number":"1Z9"}"#).await;
    assert_eq!(shipped.body["status"], "shipped");
    client.until("/v1/orders/ord_1", "payment_status", "captured").await;
    client.post("/v1/fulfillments/ful_1-1/deliver", "").await;
    let done = client.until("/v1/orders/ord_1", "status", "completed").await;
    assert_eq!((&done["captured"], &done["balance_due"]), (&3600.into(), &0.into()));
    assert_eq!(client.get("/v1/stock/MUG").await.body["levels"][0]["on_hand"], 97);
    let timeline = client.get("/v1/orders/ord_1/timeline").await.body;
    assert_eq!(timeline["data"][0]["type"], "quartermaster.order.placed.v1");
    assert_eq!(client.get("/v1/orders/ord_1?as_of=6").await.body["payment_status"], "none");
    assert_eq!(client.get("/v1/orders?tracking_number=1Z9").await.body["data"][0]["id"], "ord_1");
    assert_eq!(client.get("/v1/orders?email=ADA@example.com").await.body["data"][0]["id"], "ord_1");
    assert_eq!(client.get("/v1/orders?status=open").await.body["data"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn each_mistake_is_told_in_its_own_words() {
    let client = Client::furnished().await;
    let unknown = r#"{"channel":"web","currency":"USD","lines":[{"sku":"CUP","quantity":1,"unit_price":1}]}"#;
    let wrong_total = r#"{"channel":"web","currency":"USD","total":5,"lines":[{"sku":"MUG","quantity":1,"unit_price":1}]}"#;
    let unknown_field = r#"{"channel":"web","currency":"USD","linez":[]}"#;
    for (path, body, status, code) in [
        ("/v1/orders", unknown, 404, "not_found"),
        ("/v1/orders", wrong_total, 400, "total_mismatch"),
        ("/v1/orders", unknown_field, 400, "bad_json"),
        ("/v1/orders", "{\"channel\":", 400, "bad_json"),
        ("/v1/orders", &order("big", 101), 409, "insufficient_stock"),
        ("/v1/items", r#"{"sku":"MUG","name":"Mug"}"#, 409, "already_exists"),
        ("/v1/items", r#"{"sku":"CUP","name":"Cup","colour":"red"}"#, 400, "invalid"),
        ("/v1/adjustments", r#"{"location":"AUS","reason":"count","lines":[{"sku":"MUG","set_to":5}]}"#, 400, "invalid"),
        (
            "/v1/adjustments",
            r#"{"location":"AUS","reason":"count","lines":[{"sku":"MUG","set_to":5,"if_quantity":7}]}"#,
            409,
            "quantity_mismatch",
        ),
        ("/v1/fulfillments/ful_9-1/ship", "{}", 404, "not_found"),
        ("/v1/nowhere", "{}", 404, "no_such_path"),
    ] {
        let answer = client.post(path, body).await;
        assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (status, Some(code)), "{path} {body}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.len() > 10));
    }
    let short = client.post("/v1/orders", &order("big", 101)).await;
    assert_eq!((&short.body["lines"][0]["wanted"], &short.body["lines"][0]["available"]), (&101.into(), &100.into()));
}

#[tokio::test]
async fn a_mistyped_name_or_value_is_refused_and_named() {
    let client = Client::furnished().await;
    let told = |answer: &client::Answer| (answer.status.as_u16(), answer.body["detail"].as_str().unwrap_or_default().to_owned());
    let (status, detail) = told(&client.get("/v1/orders?statsu=open").await);
    assert!(status == 400 && detail.contains("statsu: is no parameter of this; it takes limit, cursor, status"), "{detail}");
    let (status, detail) = told(&client.get("/v1/orders?status=opne").await);
    assert!(status == 400 && detail.contains("expected one of `open`, `on_hold`"), "{detail}");
    for (body, wanted) in [
        (r#"{"channel":"web","currency":"XXY","lines":[{"sku":"MUG","quantity":1,"unit_price":5}]}"#, "currency: XXY is no currency"),
        (
            r#"{"channel":"web","currency":"USD","ship_to":{"country":"XX"},"lines":[{"sku":"MUG","quantity":1,"unit_price":5}]}"#,
            "ship_to.country: must be the ISO 3166 code of a country",
        ),
        (
            r#"{"channel":"web","currency":"USD","lines":[{"sku":"MUG","quantity":-1,"unit_price":5}]}"#,
            "lines[0].quantity: invalid value: integer `-1`, expected a whole number from 0 to 4294967295",
        ),
        ("", "The body is empty"),
    ] {
        let (status, detail) = told(&client.post("/v1/orders", body).await);
        assert!(status == 400 && detail.contains(wanted), "{body}: {detail}");
    }
    let wrong = client.send("GET", "/v1/orders", Some("qm_wrong"), &[], "").await;
    assert!(wrong.status == 401 && wrong.body["detail"].as_str().unwrap().contains("not known here, or was revoked"), "{}", wrong.body);
    let typo = r#"{"name":"ERP","kind":"pull","filter":{"types":["orders.*"]}}"#;
    let (status, detail) = told(&client.post("/v1/subscriptions", typo).await);
    assert!(status == 400 && detail.contains("no event has a type like \"orders.*\""), "{detail}");
    let lost = client.get("/v1/nowhere").await;
    assert!(lost.body["request_id"].as_str().unwrap().starts_with("req_"), "{}", lost.body);
}

#[tokio::test]
async fn a_refusal_by_status_keeps_the_status_of_http() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    client.until("/v1/orders/ord_1", "fulfillment_status", "unfulfilled").await;
    client.post("/v1/orders/ord_1/cancel", r#"{"reason":"customer"}"#).await;
    let again = client.post("/v1/orders/ord_1/cancel", r#"{"reason":"customer"}"#).await;
    assert_eq!((&again.body["status"], &again.body["current_status"]), (&409.into(), &"canceled".into()), "{}", again.body);
}

#[tokio::test]
async fn a_repeat_is_the_same_order_and_another_body_is_not() {
    let client = Client::furnished().await;
    let keyed = |body: String| {
        let client = &client;
        async move { client.send("POST", "/v1/orders", Some(&client.key), &[("idempotency-key", "k1")], &body).await }
    };
    let first = keyed(order("W-1", 3)).await;
    client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    let again = keyed(order("W-1", 3)).await;
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.body, first.body, "as it was answered first, though the order has gone on");
    assert_eq!(keyed(order("W-1", 4)).await.body["code"], "idempotency_key_reused");
    let without_key = client.post("/v1/orders", &order("W-1", 3)).await;
    assert_eq!((without_key.status, &without_key.body["id"]), (StatusCode::OK, &"ord_1".into()));
    assert_eq!(client.post("/v1/orders", &order("W-1", 5)).await.body["code"], "order_exists");
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_is_refused() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let headers = [("if-match", "\"1\"")];
    let stale = client.send("POST", "/v1/orders/ord_1/hold", Some(&client.key), &headers, r#"{"reason":"x"}"#).await;
    assert_eq!((stale.status, stale.body["code"].as_str()), (StatusCode::PRECONDITION_FAILED, Some("version_mismatch")));
}

#[tokio::test]
async fn two_hundred_clients_fight_for_a_hundred_units() {
    let client = std::sync::Arc::new(Client::furnished().await);
    let buyers: Vec<_> = (0..200)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { client.post("/v1/orders", &order(&format!("W-{n}"), 1)).await })
        })
        .collect();
    let (mut sold, mut refused) = (0, 0);
    for buyer in buyers {
        let answer = buyer.await.unwrap();
        match answer.status {
            StatusCode::CREATED => sold += 1,
            StatusCode::CONFLICT => {
                assert_eq!(answer.body["code"], "insufficient_stock");
                refused += 1;
            }
            other => panic!("{other}: {}", answer.body),
        }
    }
    assert_eq!((sold, refused), (100, 100));
    assert_eq!(client.get("/v1/stock/MUG").await.body["levels"][0]["available"], 0);
}

#[tokio::test]
async fn every_route_asks_for_a_key_and_for_its_role() {
    let client = Client::furnished().await;
    let (_, reader) = client.shop.keys.create("reader", Role::ReadOnly).unwrap();
    let description = openapi();
    for route in ROUTES {
        let path = route.path.replace("{sku}", "MUG").replace("{code}", "AUS").replace("{location}", "AUS").replace("{id}", "ord_1");
        let without = client.send(route.method, &path, None, &[], "{}").await;
        assert_eq!(without.status, StatusCode::UNAUTHORIZED, "{} {}", route.method, route.path);
        let described = &description["paths"][route.path][route.method.to_lowercase()];
        assert_eq!(described["x-roles"].as_array().map(Vec::len), Some(route.access.roles().len()), "{}", route.path);
        let may = route.access.roles().contains(&Role::ReadOnly);
        if !may {
            let refused = client.send(route.method, &path, Some(&reader), &[], "{}").await;
            assert_eq!(refused.body["code"], "forbidden", "{} {}", route.method, route.path);
        }
        let private = ["/v1/keys", "/v1/customers", "/v1/customers/{id}", "/v1/mail/preview"].contains(&route.path);
        assert!(may || route.method != "GET" || private, "{}: reading is for everyone", route.path);
    }
}

#[tokio::test]
async fn no_file_holds_personal_data_in_clear() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    assert_eq!(client.get("/v1/orders/ord_1").await.body["ship_to"]["line1"], "12 Square Street");
    for entry in std::fs::read_dir(client.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in ["Lovelace", "ada@example", "Square Street"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", path.display());
        }
    }
}

#[tokio::test]
async fn an_erased_customer_is_nobody() {
    let client = Client::furnished().await;
    client.post("/v1/orders", &order("W-1", 1)).await;
    let found = client.get("/v1/customers?email=Ada@example.com").await.body;
    assert_eq!((&found["data"][0]["name"], &found["data"][0]["orders"]), (&"Ada Lovelace".into(), &1.into()));
    assert_eq!(client.post("/v1/customers/cus_1/erase", "").await.status, StatusCode::OK);
    let order = client.get("/v1/orders/ord_1").await.body;
    assert_eq!((&order["customer"]["name"], &order["ship_to"]["country"]), (&serde_json::Value::Null, &"US".into()));
    assert_eq!(client.get("/v1/customers?email=ada@example.com").await.body["data"].as_array().map(Vec::len), Some(0));
    client.shop.engine.stop();
    engine::verify(client.folder.path()).unwrap();
}

#[tokio::test]
async fn events_are_pulled_filtered_and_waited_for() {
    let client = std::sync::Arc::new(Client::furnished().await);
    let all = client.get("/v1/events?limit=200").await.body;
    let cursor = all["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(all["data"][0]["type"], "quartermaster.location.created.v1");
    let waiting = {
        let (client, cursor) = (client.clone(), cursor.clone());
        tokio::spawn(async move { client.get(&format!("/v1/events?after={cursor}&wait=10&type=order.placed,order.allocated")).await.body })
    };
    client.post("/v1/orders", &order("W-1", 1)).await;
    let heard = waiting.await.unwrap();
    let kinds: Vec<&str> = heard["data"].as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds, ["quartermaster.order.placed.v1", "quartermaster.order.allocated.v1"]);
}

#[tokio::test]
async fn a_sale_below_the_reorder_point_orders_and_alerts() {
    let client = Client::furnished().await;
    client.post("/v1/suppliers", r#"{"code":"ACME","name":"Acme","currency":"USD","lead_time_days":3}"#).await;
    let policy = r#"{"sku":"MUG","location":"AUS","supplier":"ACME","reorder_point":20,"order_up_to":120,"multiple":12}"#;
    let set = client.send("PUT", "/v1/replenishment-policies", Some(&client.key), &[], policy).await;
    assert_eq!(set.status, StatusCode::CREATED, "{}", set.body);
    client.post("/v1/orders", &order("W-1", 85)).await;
    let purchase = client.get("/v1/purchase-orders/po_1").await.body;
    assert_eq!((&purchase["status"], &purchase["lines"][0]["ordered"]), (&"sent".into(), &108.into()));
    assert_eq!(client.get("/v1/alerts").await.body["data"][0]["kind"], "low_stock");
    let received = client.post("/v1/purchase-orders/po_1/receive", r#"{"lines":[{"sku":"MUG","accepted":108}]}"#).await;
    assert_eq!(received.body["status"], "received");
    assert_eq!(client.get("/v1/alerts").await.body["data"].as_array().unwrap().len(), 0);
    let why = client.get("/v1/stock/MUG/why?channel=web").await.body;
    assert_eq!(why["available"], 123);
}

#[tokio::test]
async fn a_count_posts_its_variance_and_a_large_one_asks_first() {
    let client = Client::furnished().await;
    let settings = client.send("PUT", "/v1/settings", Some(&client.key), &[], r#"{"count_approval_units":5}"#).await;
    assert_eq!(settings.status, StatusCode::OK, "{}", settings.body);
    client.post("/v1/counts", r#"{"location":"AUS","skus":["MUG"]}"#).await;
    assert_eq!(client.post("/v1/counts/cnt_1/post", "").await.body["code"], "invalid");
    client.post("/v1/counts/cnt_1/record", r#"{"lines":[{"sku":"MUG","counted":90}]}"#).await;
    assert_eq!(client.post("/v1/counts/cnt_1/post", "").await.body["code"], "confirmation_needed");
    assert_eq!(client.post("/v1/counts/cnt_1/post", r#"{"approve":true}"#).await.body["status"], "posted");
    assert_eq!(client.get("/v1/stock/MUG").await.body["levels"][0]["on_hand"], 90);
}

#[tokio::test]
async fn holds_and_returns_over_http() {
    let client = Client::furnished().await;
    let held = client.post("/v1/holds", r#"{"owner":"cart","channel":"web","lines":[{"sku":"MUG","quantity":60}]}"#).await;
    assert_eq!((held.status, &held.body["id"]), (StatusCode::CREATED, &"hold_1".into()));
    assert_eq!(client.post("/v1/orders", &order("W-1", 60)).await.status, StatusCode::CONFLICT);
    let availability = client.get("/v1/availability?channel=web&sku=MUG,CUP").await.body;
    assert_eq!((&availability["data"][0]["available"], &availability["data"][1]["known"]), (&40.into(), &false.into()));
    assert_eq!(client.post("/v1/holds/hold_1/release", "").await.body["status"], "released");
    let blind = client.post("/v1/returns", r#"{"location":"AUS","lines":[{"sku":"MUG","quantity":2,"disposition":"damaged"}]}"#).await;
    assert_eq!((blind.status, &blind.body["id"]), (StatusCode::CREATED, &"ret_1".into()));
    assert_eq!(client.get("/v1/stock/MUG").await.body["levels"][0]["unavailable"]["damaged"], 2);
}

#[tokio::test]
async fn units_travel_from_one_location_to_another() {
    let client = Client::furnished().await;
    let location = r#"{"code":"BER","name":"Berlin","address":{"country":"DE"},"time_zone":"Europe/Berlin"}"#;
    client.post("/v1/locations", location).await;
    let draft = client.post("/v1/transfers", r#"{"from":"AUS","to":"BER","lines":[{"sku":"MUG","quantity":10}]}"#).await;
    assert_eq!((draft.status, draft.body["status"].as_str()), (StatusCode::CREATED, Some("draft")), "{}", draft.body);
    let amended = client.post("/v1/transfers/tr_1/amend", r#"{"lines":[{"sku":"MUG","quantity":8}],"expected_on":"2099-12-03"}"#).await;
    assert_eq!(amended.body["lines"][0]["quantity"], 8);
    let stale = client.send("POST", "/v1/transfers/tr_1/ship", Some(&client.key), &[("if-match", "\"1\"")], "").await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let too_many = client.post("/v1/transfers/tr_1/ship", r#"{"lines":[{"sku":"MUG","quantity":101}]}"#).await;
    assert_eq!((too_many.status, too_many.body["code"].as_str()), (StatusCode::CONFLICT, Some("stock_committed")));
    let shipped = client.post("/v1/transfers/tr_1/ship", r#"{"carrier":"DHL"}"#).await;
    assert_eq!(shipped.body["status"], "shipped");
    let levels = client.get("/v1/stock/MUG").await.body["levels"].clone();
    assert_eq!((&levels[0]["on_hand"], &levels[1]["incoming"]), (&92.into(), &8.into()), "{levels}");
    client.post("/v1/transfers/tr_1/receive", r#"{"lines":[{"sku":"MUG","accepted":5,"damaged":1}]}"#).await;
    let closed = client.post("/v1/transfers/tr_1/close-lost", "").await;
    assert_eq!((&closed.body["status"], &closed.body["lines"][0]["lost"]), (&"received".into(), &2.into()));
    let canceled = client.post("/v1/transfers/tr_1/cancel", "").await;
    assert_eq!(canceled.body["code"], "wrong_status");
    let ledger = client.get("/v1/stock/MUG/ledger?location=BER").await.body;
    assert_eq!((&ledger["data"][0]["kind"], &ledger["data"][0]["quantity"]), (&"transferred_in".into(), &6.into()), "{ledger}");
    assert_eq!(client.get("/v1/transfers").await.body["data"][0]["id"], "tr_1");
    assert_eq!(client.get("/v1/transfers/tr_1").await.headers["etag"], "\"5\"");
}

/// `cargo xtask openapi` writes it by this test.
#[test]
fn the_description_is_checked_in() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = format!("{:#}\n", openapi());
    if std::env::var_os("QUARTERMASTER_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(checked_in == text, "docs/openapi.json is stale: run `cargo xtask openapi` and commit the result");
}

#[test]
fn every_answer_is_described() {
    let document = openapi();
    let streams = ["/v1/events/stream", "/v1/subscriptions/{id}/stream"];
    for route in ROUTES.iter().filter(|route| !streams.contains(&route.path)) {
        let responses = document["paths"][route.path][route.method.to_lowercase()]["responses"].as_object().unwrap();
        let (_, success) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
        let content = success["content"].as_object().unwrap().values().next().unwrap();
        let described = content["schema"]["$ref"].is_string() || content["schema"]["properties"]["data"]["items"]["$ref"].is_string();
        assert!(described, "{} {} has no shape in crates/server/src/http/openapi/answers.rs", route.method, route.path);
    }
}
