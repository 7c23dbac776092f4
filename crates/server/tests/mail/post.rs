//! A real mail server beside a shop, and a shop that writes to it.

use crate::client::Client;
use crate::client::told::Told;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use domain::time::Timestamp;
use server::connectors::test_gateway::TestGateway;
use server::connectors::{self, Gateway};
use server::http::{Limits, router};
use server::keys::Role;
use server::mail;
use server::shop::{Clock, Shop};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// aiosmtpd in a process of its own.
pub struct Post {
    process: Child,
    pub port: u16,
    pub folder: tempfile::TempDir,
}

impl Drop for Post {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(name)
}

impl Post {
    pub fn open() -> Self {
        Self::with(&[], 0)
    }

    /// With STARTTLS and a password required.
    pub fn guarded() -> Self {
        let (certificate, key) = (here("localhost.pem"), here("localhost.key"));
        Self::with(&["--certificate", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()], 0)
    }

    pub fn on_port(port: u16) -> Self {
        Self::with(&[], port)
    }

    fn with(arguments: &[&str], port: u16) -> Self {
        let python = std::env::var("QUARTERMASTER_TEST_PYTHON").expect("no Python with aiosmtpd: run `cargo xtask test mail`");
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(python)
            .arg(here("smtpd.py"))
            .args(["--port", &port.to_string(), "--folder"])
            .arg(folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("aiosmtpd tells its port");
        Self { process, port, folder }
    }

    pub fn mails(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.retain(|name| name.extension().is_some_and(|extension| extension == "eml"));
        names.sort_by_key(|name| name.file_stem().unwrap().to_str().unwrap().parse::<u32>().unwrap());
        names.iter().map(|name| String::from_utf8(std::fs::read(name).unwrap()).unwrap()).collect()
    }

    /// Waits until so many mails have come.
    pub async fn until(&self, count: usize) -> Vec<String> {
        for _ in 0..600 {
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} of {count} mails came", self.mails().len());
    }
}

/// A shop that writes mail, until it is stopped.
pub struct House {
    pub client: Client,
    stop: watch::Sender<bool>,
    mail: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
    gateways: JoinHandle<()>,
}

/// `quartermaster.toml` for a server without encryption.
pub fn plain(port: u16) -> String {
    format!(
        "[server]\npublic_url = \"https://acme.example\"\n[smtp]\nurl = \"smtp://127.0.0.1:{port}\"\nsecurity = \"none\"\nfrom = \"Acme <office@acme.example>\"\n"
    )
}

impl House {
    pub async fn open(config: &str) -> Self {
        Self::begin(config, None).await
    }

    /// With a clock that the test moves.
    pub async fn open_at(config: &str, clock: Arc<AtomicI64>) -> Self {
        Self::begin(config, Some(Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))))).await
    }

    async fn begin(config: &str, clock: Option<Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("quartermaster.toml"), config).unwrap();
        let house = Self::at(folder.path().to_owned(), folder, clock).await;
        house.furnish().await;
        house
    }

    /// A shop in a folder that may have been used before.
    pub async fn at(path: PathBuf, keep: tempfile::TempDir, clock: Option<Clock>) -> Self {
        let shop = Shop::open(&path, clock).unwrap();
        // The webhooks of tests are at home.
        shop.bus.allow_private();
        let gateways: Vec<Arc<dyn Gateway>> = vec![Arc::new(TestGateway::new(shop.clock()))];
        let gateways = tokio::spawn(connectors::run(shop.clone(), gateways));
        let (stop, stops) = watch::channel(false);
        let post = mail::Post::new(&shop).unwrap();
        let alerting = tokio::spawn(server::alerting::run(shop.clone(), post.clone(), stops.clone()));
        let suppliers = tokio::spawn(server::suppliers::run(shop.clone(), stops.clone()));
        let mail = tokio::spawn(mail::run(shop.clone(), post, stops));
        let (_, key) = shop.keys.create("test", Role::Admin).unwrap();
        let _told = Told(shop.clone());
        let client = Client { router: router(shop.clone(), Limits::default(), None), shop, key, _told, folder: keep };
        Self { client, stop, mail, others: vec![alerting, suppliers], gateways }
    }

    pub async fn furnish_again(&self) {
        self.furnish().await;
    }

    async fn furnish(&self) {
        let channel = r#"{"code":"web","name":"Acme Übersee","mail":{"sender":"Acme Übersee <shop@acme.example>","reply_to":"help@acme.example","payment_url":"https://acme.example/pay/{number}"}}"#;
        for (path, body) in [
            ("/v1/locations", r#"{"code":"AUS","name":"Austin","address":{"country":"US"},"time_zone":"America/Chicago"}"#),
            ("/v1/channels", channel),
            ("/v1/items", r#"{"sku":"MUG","name":"Tasse »grün« & blau"}"#),
            ("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"MUG","quantity":100}]}"#),
        ] {
            let answer = self.client.post(path, body).await;
            assert_eq!(answer.status.as_u16(), 201, "{path}: {}", answer.body);
        }
    }

    /// Places an order for a mug, to whom and with what token.
    pub async fn order(&self, address: &str, locale: &str, token: &str) -> String {
        let body = format!(
            r#"{{"channel":"web","currency":"EUR","payment_token":"{token}","customer":{{"email":"{address}","name":"Zoë Müller","locale":"{locale}"}},
            "ship_to":{{"name":"Zoë Müller","line1":"Hauptstraße 1","city":"Köln","postal_code":"50667","country":"DE"}},
            "lines":[{{"sku":"MUG","quantity":2,"unit_price":123450}}]}}"#
        );
        let answer = self.client.post("/v1/orders", &body).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the first mail of an order has this status.
    pub async fn until(&self, order: &str, status: &str) -> serde_json::Value {
        let mut last = serde_json::Value::Null;
        for _ in 0..600 {
            let body = self.client.get(&format!("/v1/orders/{order}")).await.body;
            last = body["notifications"][0].clone();
            if last["status"] == status {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the mail of {order} never became {status}: {last}");
    }

    /// Stops as a server stops: what is under way is recorded.
    ///
    /// Gives back the folder, for the next life.
    pub async fn close(self) -> tempfile::TempDir {
        self.stop.send_replace(true);
        self.mail.await.unwrap();
        for other in self.others {
            other.await.unwrap();
        }
        self.gateways.abort();
        // It has ended, or was cut off just now.
        let _ = self.gateways.await;
        let Client { shop, router, folder, _told, .. } = self.client;
        drop((router, _told));
        tokio::task::spawn_blocking(move || shop.engine.stop()).await.unwrap();
        folder
    }
}

type Posts = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A webhook that keeps what is posted; `?fail=2` answers 503 twice first.
pub async fn webhook_of() -> (String, Posts) {
    let posts = Posts::default();
    let kept = posts.clone();
    let take = move |Query(query): Query<HashMap<String, String>>, headers: HeaderMap, body: String| {
        let kept = kept.clone();
        async move {
            let mut kept = kept.lock().unwrap();
            kept.push((headers, body));
            let fail: usize = query.get("fail").map_or(0, |count| count.parse().unwrap());
            if kept.len() <= fail { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/hook", post(take))).await });
    (url, posts)
}
