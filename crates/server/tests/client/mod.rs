//! A shop behind its real router, and a client that speaks JSON to it.

pub mod contract;
pub mod told;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use server::connectors::test_gateway::TestGateway;
use server::connectors::{self, Gateway};
use server::http::{Limits, router};
use server::keys::Role;
use server::shop::Shop;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

pub struct Client {
    pub shop: Arc<Shop>,
    pub router: Router,
    pub key: String,
    pub _told: told::Told,
    pub folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Client {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = Self::in_folder(folder.path()).await;
        Self { folder, ..client }
    }

    /// In a folder that somebody else takes care of.
    pub async fn in_folder(folder: &Path) -> Self {
        let shop = Shop::open(folder, None).unwrap();
        let gateways: Vec<Arc<dyn Gateway>> = vec![Arc::new(TestGateway::new(shop.clock()))];
        tokio::spawn(connectors::run(shop.clone(), gateways));
        tokio::spawn(server::bus::run(shop.clone()));
        let (_, key) = shop.keys.create("test", Role::Admin).unwrap();
        let _told = told::Told(shop.clone());
        Self { router: router(shop.clone(), Limits::default(), None), shop, key, _told, folder: tempfile::tempdir().unwrap() }
    }

    pub async fn furnished() -> Self {
        let client = Self::new().await;
        client.furnish().await;
        client
    }

    pub async fn furnish(&self) {
        for (path, body) in [
            ("/v1/locations", r#"{"code":"AUS","name":"Austin","address":{"country":"US"},"time_zone":"America/Chicago"}"#),
            ("/v1/channels", r#"{"code":"web","name":"Web shop"}"#),
            ("/v1/items", r#"{"sku":"MUG","name":"Mug"}"#),
            ("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"MUG","quantity":100}]}"#),
        ] {
            let answer = self.post(path, body).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
        }
    }

    pub async fn send(&self, method: &str, path: &str, key: Option<&str>, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        if status.is_success() && !body.is_empty() {
            contract::check_request(method, path, body, &String::from_utf8_lossy(&bytes));
        }
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        // What is expanded is an object where the description has its name.
        if status.is_success() && !path.contains("expand") {
            contract::check(method, path, &body);
        }
        Answer { status, headers, body }
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, Some(&self.key), &[], body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Some(&self.key), &[], "").await
    }

    /// Reads until a field has a value; gateways answer in their own time.
    pub async fn until(&self, path: &str, field: &str, wanted: &str) -> Value {
        for _ in 0..3_000 {
            let body = self.get(path).await.body;
            if body[field] == wanted {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path}: {field} never became {wanted}: {}", self.get(path).await.body);
    }
}

pub fn order(external_id: &str, quantity: u32) -> String {
    format!(
        r#"{{"channel":"web","external_id":"{external_id}","currency":"USD","customer":{{"email":"ada@example.com","name":"Ada Lovelace"}},
        "ship_to":{{"name":"Ada Lovelace","line1":"12 Square Street","city":"Austin","country":"US"}},
        "lines":[{{"sku":"MUG","quantity":{quantity},"unit_price":1200}}]}}"#
    )
}
