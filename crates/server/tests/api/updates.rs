//! Updates keep what they do not name.

use crate::client::Client;
use serde_json::{Value, json};

async fn put(client: &Client, path: &str, body: Value) -> Value {
    let answer = client.send("PUT", path, Some(&client.key), &[], &body.to_string()).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_channel_keeps_its_mail_and_its_payment() {
    let client = Client::furnished().await;
    let mail = json!({"sender": "Acme <shop@acme.example>", "locale": "de"});
    put(&client, "/v1/channels/web", json!({"mail": mail, "on_shortage": "split", "payment": {"window_ms": 60000}})).await;
    let after =
        put(&client, "/v1/channels/web", json!({"name": "Web shop", "payment": {"timing": "invoice"}, "buffer": {"units": 3}})).await;
    assert_eq!((&after["mail"]["locale"], &after["on_shortage"]), (&json!("de"), &json!("split")), "{after}");
    assert_eq!((&after["payment"]["window_ms"], &after["payment"]["timing"]), (&json!(60000), &json!("invoice")), "{after}");
    let after = put(&client, "/v1/channels/web", json!({"mail": null, "buffer": {"percent": 5}})).await;
    assert_eq!((&after["mail"], &after["buffer"]), (&Value::Null, &json!({"percent": 5})), "{after}");
}

#[tokio::test]
async fn settings_keep_who_is_told_of_alerts() {
    let client = Client::furnished().await;
    let alerts = json!({"mail_to": ["ops@acme.example"], "webhook": "https://chat.example/secret"});
    put(&client, "/v1/settings", json!({"alerts": alerts})).await;
    let after = put(&client, "/v1/settings", json!({"promise_margin_days": 2})).await;
    assert_eq!((&after["alerts"]["mail_to"][0], &after["alerts"]["webhook"]), (&json!("ops@acme.example"), &json!("set")), "{after}");
    let after = put(&client, "/v1/settings", json!({"alerts": {"webhook": null}})).await;
    assert_eq!((&after["promise_margin_days"], &after["alerts"]["webhook"]), (&json!(2), &Value::Null), "{after}");
    assert_eq!(after["alerts"]["mail_to"][0], "ops@acme.example", "{after}");
}

#[tokio::test]
async fn items_locations_and_suppliers_keep_the_rest() {
    let client = Client::furnished().await;
    put(&client, "/v1/items/MUG", json!({"barcode": "4006381333931", "metadata": {"color": "red", "shelf": "A"}})).await;
    let item = put(&client, "/v1/items/MUG", json!({"name": "Red mug", "metadata": {"shelf": null}})).await;
    assert_eq!((&item["barcode"], &item["metadata"]), (&json!("4006381333931"), &json!({"color": "red"})), "{item}");
    put(&client, "/v1/locations/AUS", json!({"address": {"city": "Austin"}, "handling_days": 2})).await;
    let place = put(&client, "/v1/locations/AUS", json!({"priority": 7})).await;
    assert_eq!((&place["address"]["city"], &place["handling_days"]), (&json!("Austin"), &json!(2)), "{place}");
    let webhook = json!({"url": "https://acme.example/orders", "secret": "0123456789abcdef"});
    let acme = json!({"code": "ACME", "name": "Acme", "currency": "USD", "dispatch": "webhook", "webhook": webhook});
    client.post("/v1/suppliers", &acme.to_string()).await;
    let supplier = put(&client, "/v1/suppliers/ACME", json!({"lead_time_days": 3})).await;
    assert_eq!(
        (&supplier["webhook"]["url"], &supplier["dispatch"]),
        (&json!("https://acme.example/orders"), &json!("webhook")),
        "{supplier}"
    );
    let acme = client.shop.query(|state| state.purchasing.suppliers.get(&"ACME".parse().unwrap()).cloned()).await;
    let secret = client.shop.vault.open_secret(&acme.unwrap().unwrap().webhook.unwrap().secret);
    assert_eq!(secret.as_deref(), Some("0123456789abcdef"), "the secret is the one that was sent first");
    let refused = client.send("PUT", "/v1/suppliers/ACME", Some(&client.key), &[], r#"{"lead_days":3}"#).await;
    assert!(refused.body["detail"].as_str().unwrap().contains("lead_days: is not known here"), "{}", refused.body);
    let nobody = client.send("PUT", "/v1/suppliers/NOBODY", Some(&client.key), &[], "{}").await;
    assert_eq!(nobody.status.as_u16(), 404);
}
