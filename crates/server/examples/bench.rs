//! `cargo xtask bench`: durable orders a second, as a ratio to an echo in the same run, and in process.
//!
//! The echo takes the same body over the same connections, checks the key, parses, and answers as many bytes; it decides and
//! stores nothing.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use domain::Command;
use domain::command::{catalog, stock};
use engine::Reply;
use serde_json::{Value, json};
use server::http::{Limits, router};
use server::keys::Role;
use server::shop::Shop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: usize = 512;
const SECONDS: u64 = 4;
const IN_PROCESS_ORDERS: usize = 100_000;
const SKUS: usize = 200;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let result = runtime.block_on(measure());
    println!("{result}");
}

async fn measure() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::open(folder.path(), None).expect("a shop");
    let (_, key) = shop.keys.create("bench", Role::Admin).expect("a key");
    furnish(&shop).await;
    let numbers = Arc::new(AtomicU64::new(0));
    let api = listen(router(shop.clone(), Limits::default(), None)).await;
    let size = answer_size(api, &key).await;
    let echo = Router::new().route("/v1/orders", post(echo)).with_state((shop.clone(), Arc::new("x".repeat(size))));
    let echo = listen(echo).await;
    let (mut orders, mut echoes) = (0.0, 0.0);
    // Interleaved, so that a noisy minute hits both.
    for _ in 0..3 {
        echoes += load(echo, &key, &numbers).await / 3.0;
        orders += load(api, &key, &numbers).await / 3.0;
    }
    let lag = shop.engine.durable() - shop.engine.stored();
    let in_process = in_process(&shop).await;
    json!({
        "http_orders_per_s": orders.round(), "http_echo_per_s": echoes.round(), "http_over_echo": (orders / echoes * 1000.0).round() / 1000.0,
        "store_lag_events": lag, "in_process_orders_per_s": in_process.round(),
    })
}

async fn furnish(shop: &Arc<Shop>) {
    let read = |value: Value| value.to_string();
    let location = json!({"code": "AUS", "name": "Austin", "address": {"country": "US"}, "time_zone": "UTC", "cutoff_minute": 900,
        "working_days": [0, 1, 2, 3, 4, 5, 6], "handling_days": 1, "priority": 1, "kind": "warehouse", "active": true, "version": 0,
        "created_at": "2026-01-01T00:00:00Z"});
    let payment = json!({"timing": "invoice", "backorder": "now", "window_ms": 0, "gateway": "manual", "single_capture": "first_shipment",
        "multicapture": true});
    let channel = json!({"code": "web", "name": "Web", "kind": "web", "locations": [], "buffer": "none", "on_shortage": "reject",
        "payment": payment, "sourcing": [], "active": true, "version": 0, "created_at": "2026-01-01T00:00:00Z"});
    let mut commands: Vec<Command> = vec![
        catalog::Command::CreateLocation(serde_json::from_str(&read(location)).expect("a location")).into(),
        catalog::Command::CreateChannel(serde_json::from_str(&read(channel)).expect("a channel")).into(),
    ];
    for at in 0..SKUS {
        let item = json!({"sku": format!("SKU-{at}"), "name": "Thing", "kind": "stocked", "backorder_cap": "none", "status": "active",
            "version": 0, "created_at": "2026-01-01T00:00:00Z"});
        commands.push(catalog::Command::CreateItem(serde_json::from_str(&read(item)).expect("an item")).into());
        let lines = vec![domain::stock::ReceiptLine { sku: sku(at), quantity: domain::quantity::Quantity::new(10_000_000) }];
        commands.push(stock::Command::ReceiveStock { location: "AUS".parse().expect("a code"), reference: None, lines }.into());
    }
    for command in commands {
        assert!(matches!(shop.submit(command, "bench".into(), None).await, Ok(Reply::Done { .. })));
    }
}

fn sku(at: usize) -> domain::id::Sku {
    format!("SKU-{at}").parse().expect("a code")
}

async fn listen(app: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn echo(State((shop, answer)): State<(Arc<Shop>, Arc<String>)>, headers: HeaderMap, body: Bytes) -> String {
    let key = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    assert!(key.is_some_and(|key| shop.keys.check(key).is_some()));
    let parsed: Value = serde_json::from_slice(&body).expect("JSON");
    assert!(parsed["lines"].is_array());
    answer.as_ref().clone()
}

fn request(key: &str, number: u64) -> String {
    let (a, b) = (number as usize * 7 % SKUS, (number as usize * 13 + 1) % SKUS);
    let body = format!(
        r#"{{"channel":"web","external_id":"B-{number}","currency":"USD","lines":[{{"sku":"SKU-{a}","quantity":1,"unit_price":1200}},{{"sku":"SKU-{b}","quantity":2,"unit_price":800}}]}}"#
    );
    let length = body.len();
    format!(
        "POST /v1/orders HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Reads one answer; returns its status and the length of its body.
async fn exchange(stream: &mut TcpStream, buffer: &mut Vec<u8>, request: &str) -> (u16, usize) {
    stream.write_all(request.as_bytes()).await.expect("a connection");
    buffer.clear();
    let mut chunk = [0; 8192];
    loop {
        let read = stream.read(&mut chunk).await.expect("a connection");
        assert!(read > 0, "the server hung up");
        buffer.extend_from_slice(&chunk[..read]);
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok()).expect("a length");
        if buffer.len() >= head + 4 + length {
            return (text[9..12].parse().expect("a status"), length);
        }
    }
}

async fn answer_size(address: std::net::SocketAddr, key: &str) -> usize {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let (status, size) = exchange(&mut stream, &mut Vec::new(), &request(key, 1_000_000_000)).await;
    assert_eq!(status, 201);
    size
}

/// Answers a second over all connections, one request at a time each.
async fn load(address: std::net::SocketAddr, key: &str, numbers: &Arc<AtomicU64>) -> f64 {
    let (started, mut clients) = (Instant::now(), Vec::new());
    for _ in 0..CONNECTIONS {
        let (key, numbers) = (key.to_owned(), numbers.clone());
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let (mut done, mut buffer) = (0u64, Vec::new());
            while started.elapsed() < Duration::from_secs(SECONDS) {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let (status, _) = exchange(&mut stream, &mut buffer, &request(&key, number)).await;
                assert!(status == 201 || status == 200, "{}", String::from_utf8_lossy(&buffer));
                done += 1;
            }
            done
        }));
    }
    let mut done = 0;
    for client in clients {
        done += client.await.expect("a client");
    }
    done as f64 / started.elapsed().as_secs_f64()
}

/// Orders a second through the engine until all are durable and stored.
async fn in_process(shop: &Arc<Shop>) -> f64 {
    use domain::command::order::{Command, PlaceLine, PlaceOrder};
    let line = |at: usize| PlaceLine {
        external_id: None,
        sku: sku(at % SKUS),
        quantity: domain::quantity::Quantity::ONE,
        unit_price: domain::money::Amount::new(1200),
        discount: domain::money::Amount::ZERO,
        tax: domain::money::Amount::ZERO,
        total: None,
    };
    let place = move |at: usize| PlaceOrder {
        channel: "web".parse().expect("a code"),
        external_id: None,
        content: None,
        origin: domain::order::Origin::Live,
        placed_at: None,
        currency: domain::money::Currency::USD,
        prices_include_tax: false,
        on_shortage: None,
        hold_owner: None,
        priority: 0,
        customer: None,
        ship_to: None,
        lines: vec![line(at * 7), line(at * 13 + 1)],
        charges: Vec::new(),
        total: None,
        payment_token: None,
        payments: Vec::new(),
        note: None,
        notify: false,
        metadata: Default::default(),
    };
    let shop = shop.clone();
    let work = tokio::task::spawn_blocking(move || {
        let (started, before) = (Instant::now(), shop.engine.durable());
        for at in 0..IN_PROCESS_ORDERS {
            let command = Command::PlaceOrder(Box::new(place(at))).into();
            let submission = engine::Submission { command, actor: "bench".into(), idempotency: None, token: 0 };
            assert!(shop.engine.submit_waiting(submission).is_ok());
        }
        // Three events at least for each order.
        let wanted = before + 3 * IN_PROCESS_ORDERS as u64;
        while shop.engine.stored() < wanted {
            std::thread::sleep(Duration::from_millis(1));
        }
        IN_PROCESS_ORDERS as f64 / started.elapsed().as_secs_f64()
    });
    work.await.expect("a measurement")
}
