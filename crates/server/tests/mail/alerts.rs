//! Alerts on their way to people, and purchase orders on their way to a webhook.

use crate::post::{House, Post, plain, webhook_of};
use crate::read;
use domain::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

async fn route(house: &House, alerts: &str) {
    let body = format!(r#"{{"alerts":{alerts}}}"#);
    let answer = house.client.send("PUT", "/v1/settings", Some(&house.client.key), &[], &body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    assert!(!answer.body.to_string().contains("http://"), "the webhook's address is a secret: {}", answer.body);
}

async fn until(what: &str, mut found: impl FnMut() -> bool) {
    for _ in 0..600 {
        if found() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_alerts_is_one_message_by_mail_and_one_to_slack() {
    let (post, (url, posted)) = (Post::open(), webhook_of().await);
    let house = House::open(&plain(post.port)).await;
    route(
        &house,
        &format!(r#"{{"mail_to":["ops@acme.example"],"webhook":"{url}","gather_seconds":5,"interval_seconds":3600,"follow_up":true}}"#),
    )
    .await;
    let silent = r#"{"channel":"web","currency":"EUR","notify":false,"payment_token":"tok_decline","lines":[{"sku":"MUG","quantity":1,"unit_price":5}]}"#;
    for _ in 0..5 {
        assert_eq!(house.client.post("/v1/orders", silent).await.status.as_u16(), 201);
    }
    let mail = read(&post.until(1).await[0]);
    assert_eq!((&mail["subject"], &mail["to"]), (&"5 alerts: 5 payment failed".into(), &"ops@acme.example".into()));
    until("a message to Slack", || !posted.lock().unwrap().is_empty()).await;
    let message: Value = serde_json::from_str(&posted.lock().unwrap()[0].1).unwrap();
    assert!(message["text"].as_str().unwrap().starts_with("*5 alerts: 5 payment failed*\n• payment failed ord_"), "{message}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((post.mails().len(), posted.lock().unwrap().len()), (1, 1), "one message for a burst");
    let alerts = house.client.get("/v1/alerts").await.body;
    assert!(alerts["data"].as_array().unwrap().iter().all(|alert| alert["told"].as_array().unwrap().len() == 2), "{alerts}");
    // A restart repeats nothing.
    let folder = house.client.folder.path().to_owned();
    let keep = house.close().await;
    let house = House::at(folder, keep, None).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((post.mails().len(), posted.lock().unwrap().len()), (1, 1), "told once, before the restart");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_stays_away_is_told_and_cleared_when_it_is_back() {
    // A port on which nothing listens any more.
    let port = Post::open().port;
    let (url, posted) = webhook_of().await;
    let house = House::open(&(plain(port) + "alert_after_s = 1\n")).await;
    route(&house, &format!(r#"{{"webhook":"{url}","gather_seconds":0,"interval_seconds":0,"follow_up":true}}"#)).await;
    let failing = async |house: &House| {
        let alerts = house.client.get("/v1/alerts").await.body;
        alerts["data"].as_array().unwrap().iter().find(|alert| alert["kind"] == "connector_failing").cloned()
    };
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(failing(&house).await, None, "nobody has called it yet");
    let order = house.order("ada@example.com", "en", "tok_visa").await;
    until("a message about the mail server", || !posted.lock().unwrap().is_empty()).await;
    let message: Value = serde_json::from_str(&posted.lock().unwrap()[0].1).unwrap();
    let text = message["text"].as_str().unwrap();
    assert!(text.starts_with("*Alert: connector failing smtp (seconds ") && text.contains(&format!("): 127.0.0.1:{port}: ")), "{text}");
    let alert = failing(&house).await.unwrap();
    assert_eq!(alert["connector"], "smtp");
    assert!(alert["note"].as_str().unwrap().contains(&format!("127.0.0.1:{port}")), "{alert}");
    // A restart leaves it open.
    let folder = house.client.folder.path().to_owned();
    let keep = house.close().await;
    let house = House::at(folder, keep, None).await;
    assert_eq!(failing(&house).await.unwrap()["id"], alert["id"]);
    let _post = Post::on_port(port);
    house.until(&order, "sent").await;
    until("a message that it is back", || posted.lock().unwrap().iter().any(|(_, body)| body.contains("over: connector failing smtp")))
        .await;
    assert_eq!(failing(&house).await, None);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_comes_once_a_day_at_its_local_time() {
    let post = Post::open();
    // 07:50 in Berlin on a winter's day.
    let clock = Arc::new(AtomicI64::new(Timestamp::parse("2026-11-26T06:50:00.000Z").unwrap().0));
    let house = House::open_at(&plain(post.port), clock.clone()).await;
    route(&house, r#"{"mail_to":["ops@acme.example"],"gather_seconds":0,"digest":{"minute":480,"time_zone":"Europe/Berlin"}}"#).await;
    let mut day = 0;
    let mut nudge = async || {
        day += 1;
        let body = format!(r#"{{"location":"AUS","reference":"R{day}","lines":[{{"sku":"MUG","quantity":1}}]}}"#);
        assert_eq!(house.client.post("/v1/receipts", &body).await.status.as_u16(), 201);
        tokio::time::sleep(Duration::from_millis(2500)).await;
    };
    nudge().await;
    assert_eq!(post.mails().len(), 0, "it is not eight yet");
    clock.fetch_add(20 * 60_000, Ordering::SeqCst);
    nudge().await;
    assert_eq!(read(&post.until(1).await[0])["subject"], "2026-11-26: no open alerts");
    clock.fetch_add(60 * 60_000, Ordering::SeqCst);
    nudge().await;
    assert_eq!(post.mails().len(), 1, "once a day");
    clock.fetch_add(23 * 3_600_000, Ordering::SeqCst);
    nudge().await;
    assert_eq!(read(&post.until(2).await[1])["subject"], "2026-11-27: no open alerts");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_order_is_posted_signed_and_posted_again_until_it_is_taken() {
    let (post, (url, posted)) = (Post::open(), webhook_of().await);
    let house = House::open(&plain(post.port)).await;
    let supplier = format!(
        r#"{{"code":"ACME","name":"Pots","currency":"EUR","dispatch":"webhook","webhook":{{"url":"{url}?fail=2","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}}"#
    );
    let answer = house.client.post("/v1/suppliers", &supplier).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
    assert!(!answer.body.to_string().contains("secret"), "{}", answer.body);
    let order = r#"{"supplier":"ACME","location":"AUS","lines":[{"sku":"MUG","quantity":24,"unit_cost":350}]}"#;
    assert_eq!(house.client.post("/v1/purchase-orders", order).await.status.as_u16(), 201);
    house.client.post("/v1/purchase-orders/po_1/send", "").await;
    until("three posts", || posted.lock().unwrap().len() >= 3).await;
    let (headers, body) = posted.lock().unwrap()[2].clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("webhook-id"), "po_1", "the same id each time");
    let script = "import sys, json; from standardwebhooks.webhooks import Webhook\n\
        body, headers = json.loads(sys.stdin.read())\n\
        print(json.dumps(Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').verify(body, headers)))";
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let sent = names.map(|name| (name.to_owned(), header(name))).into_iter().collect::<std::collections::BTreeMap<_, _>>();
    let verified = crate::python(script, &serde_json::to_vec(&(body, sent)).unwrap());
    let verified: Value = serde_json::from_slice(&verified).expect("the independent library verifies the signature");
    assert_eq!((&verified["id"], &verified["lines"][0]["quantity"]), (&"po_1".into(), &24.into()));
    let mut status = Value::Null;
    for _ in 0..100 {
        status = house.client.get("/v1/purchase-orders/po_1").await.body["dispatch"].clone();
        if status["status"] == "sent" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((&status["status"], &status["attempts"]), (&"sent".into(), &3.into()), "{status}");
    house.close().await;
}
