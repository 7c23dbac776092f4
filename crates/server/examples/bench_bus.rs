//! `cargo xtask bench-bus [EVENTS]`: many events to twenty webhooks, of which one hangs, one answers 500 and one resets.
//!
//! The endpoints are a process of their own at the lowest priority: they stand for other machines. Orders a second are measured in turns
//! with all subscriptions paused and resumed, in one run. One JSON object at the end.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use domain::Command;
use domain::command::subscription::Command as Subscriptions;
use domain::command::{catalog, stock};
use engine::Reply;
use serde::Deserialize;
use serde_json::{Value, json};
use server::bus::{self, webhook};
use server::http::{Limits, router};
use server::keys::Role;
use server::shop::Shop;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ENDPOINTS: usize = 20;
const BAD: usize = 3;
const CONNECTIONS: usize = 64;
const TURN: Duration = Duration::from_secs(4);
const SKUS: usize = 200;
const QUIET_ORDERS: u64 = 500;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "endpoints") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        return runtime.block_on(endpoints());
    }
    let events = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!("{}", runtime.block_on(measure(events)));
}

fn micros() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

async fn measure(events: u64) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::open(folder.path(), None).expect("a shop");
    let (_, key) = shop.keys.create("bench", Role::Admin).expect("a key");
    furnish(&shop).await;
    shop.bus.allow_private();
    tokio::spawn(bus::run(shop.clone()));
    let deliveries = webhook::start(shop.clone()).expect("deliveries");
    let api = listen(router(shop.clone(), Limits { rate: None, ..Limits::default() }, None)).await;
    let mut others = Others::start();
    subscribe(api, &key, &others.urls).await;
    let begin = shop.engine.durable();
    let numbers = Arc::new(AtomicU64::new(0));
    let (mut alone, mut beside, mut turns, before) = (0.0, 0.0, 0.0, memory_mib());
    while shop.engine.durable() - begin < events {
        switch(&shop, false).await;
        alone += load(api, &key, &numbers).await;
        switch(&shop, true).await;
        beside += load(api, &key, &numbers).await;
        turns += 1.0;
    }
    let loaded = memory_mib();
    let mut peak = loaded;
    let (started, end) = (Instant::now(), shop.engine.durable());
    while shop.bus.standings(&shop)[BAD..].iter().any(|standing| standing.lag.events > 0) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        peak = peak.max(memory_mib());
    }
    let drained = started.elapsed();
    let heard = others.report();
    let latency = quiet(api, &key, &numbers, &mut others).await;
    let standings = shop.bus.standings(&shop);
    let wanted = count(&shop, begin, end).await;
    let good = heard["good"].as_array().expect("a list");
    let complete = good.iter().filter(|one| one["events"].as_u64() == Some(wanted)).count();
    deliveries.stop().await;
    json!({
        "events": wanted, "orders": numbers.load(Ordering::Relaxed), "endpoints": ENDPOINTS, "complete": complete,
        "out_of_order": good.iter().map(|one| one["out_of_order"].as_u64().unwrap_or(1)).sum::<u64>(),
        "repeats": good.iter().map(|one| one["repeats"].as_u64().unwrap_or(0)).sum::<u64>(),
        "orders_per_s_without": (alone / turns).round(), "orders_per_s_beside": (beside / turns).round(),
        "beside_over_without": (beside / alone * 1000.0).round() / 1000.0,
        "drained_after_s": drained.as_secs(), "memory_mib": {"before": before, "loaded": loaded, "peak_while_draining": peak},
        "bad_circuits": standings[..BAD].iter().map(|standing| json!(standing.circuit)).collect::<Vec<_>>(),
        "placed_to_received_ms": latency, "attempts_lost": shop.bus.attempts.lost(),
    })
}

/// Orders at an easy pace, one after another: how long until an endpoint has each.
async fn quiet(api: std::net::SocketAddr, key: &str, numbers: &Arc<AtomicU64>, others: &mut Others) -> Value {
    others.say("forget");
    let (mut stream, mut buffer) = (TcpStream::connect(api).await.expect("a connection"), Vec::new());
    for _ in 0..QUIET_ORDERS {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        exchange(&mut stream, &mut buffer, &order(key, number)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    others.report()["latency_ms"].clone()
}

async fn switch(shop: &Arc<Shop>, on: bool) {
    for entry in shop.bus.list() {
        let (subscription, incarnation) = (entry.id, shop.engine.incarnation());
        let command = match on {
            true => Subscriptions::ResumeSubscription { subscription, incarnation, expected_version: None },
            false => Subscriptions::PauseSubscription { subscription, reason: "turn".into(), expected_version: None },
        };
        assert!(matches!(shop.submit(command.into(), "bench".into(), None).await, Ok(Reply::Done { .. })));
    }
}

/// Events of orders in a stretch of the log: what each good endpoint has to have.
async fn count(shop: &Arc<Shop>, begin: u64, end: u64) -> u64 {
    let (mut after, mut found) = (begin, 0);
    while after < end {
        let (rows, looked) = shop.read(move |reader| reader.events(after, 500)).await.expect("the log");
        found += rows.iter().filter(|row| row.seq <= end && row.subject.starts_with("order/")).count() as u64;
        after = looked;
    }
    found
}

fn memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

async fn subscribe(api: std::net::SocketAddr, key: &str, urls: &[String]) {
    let (mut stream, mut buffer) = (TcpStream::connect(api).await.expect("a connection"), Vec::new());
    for (at, url) in urls.iter().enumerate() {
        let webhook = json!({"url": url, "timeout_ms": 5000});
        let body =
            json!({"name": format!("E{at}"), "kind": "webhook", "webhook": webhook, "filter": {"subjects": ["order/*"]}}).to_string();
        assert_eq!(exchange(&mut stream, &mut buffer, &request("/v1/subscriptions", key, &body)).await, 201);
    }
}

/// The process with the endpoints.
struct Others {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    urls: Vec<String>,
}

impl Others {
    fn start() -> Self {
        let mut child = std::process::Command::new("nice")
            .args(["-n", "19"])
            .arg(std::env::current_exe().expect("a program"))
            .arg("endpoints")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("nice");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut others = Self { child, input, output: BufReader::new(output), urls: Vec::new() };
        others.urls = serde_json::from_value(others.line()).expect("urls");
        others
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the endpoints");
        serde_json::from_str(&line).expect("JSON")
    }

    fn say(&mut self, word: &str) {
        writeln!(self.input, "{word}").expect("the endpoints");
    }

    fn report(&mut self) -> Value {
        self.say("report");
        self.line()
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Heard {
    seen: HashSet<u64>,
    last: HashMap<String, u64>,
    events: u64,
    out_of_order: u64,
    repeats: u64,
    latencies: Vec<u64>,
}

#[derive(Deserialize)]
struct Event {
    subject: String,
    sequence: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    order: Value,
}

async fn endpoints() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let resetting = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let failing = listen(Router::new().route("/", post(async || StatusCode::INTERNAL_SERVER_ERROR))).await;
    let mut urls = vec![hanging.local_addr().expect("an address"), failing, resetting.local_addr().expect("an address")];
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = hanging.accept().await {
            kept.push(stream);
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = resetting.accept().await {
            stream.set_zero_linger().expect("a socket");
        }
    });
    let mut good = Vec::new();
    for _ in BAD..ENDPOINTS {
        let heard = Arc::new(Mutex::new(Heard::default()));
        urls.push(listen(Router::new().route("/", post(hear)).with_state(heard.clone())).await);
        good.push(heard);
    }
    let urls: Vec<String> = urls.iter().map(|address| format!("http://{address}/")).collect();
    println!("{}", json!(urls));
    let (said, mut lines) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| said.blocking_send(line)));
    while let Some(line) = lines.recv().await {
        if line == "forget" {
            good.iter().for_each(|heard| heard.lock().expect("no panics").latencies.clear());
            continue;
        }
        let mut latencies: Vec<u64> = good.iter().flat_map(|heard| heard.lock().expect("no panics").latencies.clone()).collect();
        latencies.sort_unstable();
        let at =
            |share: usize| latencies.get((latencies.len() * share / 1000).min(latencies.len().saturating_sub(1))).copied().unwrap_or(0);
        let shown = |micros: u64| (micros as f64 / 100.0).round() / 10.0;
        let one = |heard: &Arc<Mutex<Heard>>| {
            let heard = heard.lock().expect("no panics");
            json!({"events": heard.events, "out_of_order": heard.out_of_order, "repeats": heard.repeats})
        };
        let latency = json!({"p50": shown(at(500)), "p99": shown(at(990)), "count": latencies.len()});
        println!("{}", json!({"good": good.iter().map(one).collect::<Vec<_>>(), "latency_ms": latency}));
    }
}

async fn hear(State(heard): State<Arc<Mutex<Heard>>>, body: Bytes) -> StatusCode {
    let now = micros();
    let event: Event = serde_json::from_slice(&body).expect("an event");
    let sequence: u64 = event.sequence.parse().expect("a sequence");
    let mut heard = heard.lock().expect("no panics");
    let before = heard.last.get(&event.subject).copied().unwrap_or(0);
    if !heard.seen.insert(sequence) {
        heard.repeats += 1;
        return StatusCode::NO_CONTENT;
    }
    heard.out_of_order += u64::from(sequence < before);
    heard.events += 1;
    heard.last.insert(event.subject, sequence);
    if let Some(sent) = event.data.order["metadata"]["sent"].as_str().and_then(|text| text.parse::<u64>().ok()) {
        heard.latencies.push(now.saturating_sub(sent));
    }
    StatusCode::NO_CONTENT
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
        let sku = format!("SKU-{at}").parse().expect("a code");
        let lines = vec![domain::stock::ReceiptLine { sku, quantity: domain::quantity::Quantity::new(10_000_000) }];
        commands.push(stock::Command::ReceiveStock { location: "AUS".parse().expect("a code"), reference: None, lines }.into());
    }
    for command in commands {
        assert!(matches!(shop.submit(command, "bench".into(), None).await, Ok(Reply::Done { .. })));
    }
}

async fn listen(app: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn order(key: &str, number: u64) -> String {
    let (a, b) = (number as usize * 7 % SKUS, (number as usize * 13 + 1) % SKUS);
    let body = format!(
        r#"{{"channel":"web","external_id":"B-{number}","currency":"USD","metadata":{{"sent":"{}"}},"lines":[{{"sku":"SKU-{a}","quantity":1,"unit_price":1200}},{{"sku":"SKU-{b}","quantity":2,"unit_price":800}}]}}"#,
        micros()
    );
    request("/v1/orders", key, &body)
}

fn request(path: &str, key: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Reads one answer; returns its status.
async fn exchange(stream: &mut TcpStream, buffer: &mut Vec<u8>, request: &str) -> u16 {
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
            return text[9..12].parse().expect("a status");
        }
    }
}

/// Orders a second over all connections, one at a time each.
async fn load(address: std::net::SocketAddr, key: &str, numbers: &Arc<AtomicU64>) -> f64 {
    let (started, mut clients) = (Instant::now(), Vec::new());
    for _ in 0..CONNECTIONS {
        let (key, numbers) = (key.to_owned(), numbers.clone());
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let (mut done, mut buffer) = (0u64, Vec::new());
            while started.elapsed() < TURN {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let status = exchange(&mut stream, &mut buffer, &order(&key, number)).await;
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
