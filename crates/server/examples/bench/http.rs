//! Orders over HTTP against an echo: the same router, key check, limits and parse, an answer as long, but nothing decided or written.

use crate::cpu::Cpu;
use crate::furnish;
use crate::load::{self, Connection, Target};
use crate::report::Report;
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use server::http::call::{Answer, Call, Content};
use server::http::{Access, Limits, OrderBody, Problem, Route, router, router_of};
use server::keys::Role;
use server::shop::Shop;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const ROUNDS: u32 = 3;
/// The server's threads, as [`crate::runtime`] names them.
pub const HTTP_THREADS: &str = "http";

static ECHO: [Route; 1] = [Route {
    method: "POST",
    path: "/v1/orders",
    access: Access::Sell,
    summary: "Parse an order and answer with as many bytes as one has",
    body: "",
    handler: |call| Box::pin(echo(call)),
}];
static ECHO_ANSWER: OnceLock<Vec<u8>> = OnceLock::new();

async fn echo(call: Call) -> Result<Answer, Problem> {
    let order: OrderBody = call.json()?;
    let idempotency = call.idempotency()?;
    std::hint::black_box((order, idempotency));
    let text = ECHO_ANSWER.get().expect("set before it is asked").clone();
    Ok(Answer { status: axum::http::StatusCode::CREATED, content: Content::Text(text), version: Some(1), replayed: false })
}

pub fn order(number: u64, body: &mut String) {
    let (a, b) = (number as usize * 7 % furnish::SKUS_OVER_HTTP, (number as usize * 13 + 1) % furnish::SKUS_OVER_HTTP);
    write!(
        body,
        r#"{{"channel":"web","external_id":"B-{number}","currency":"USD","lines":[{{"sku":"SKU-{a}","quantity":1,"unit_price":1200}},{{"sku":"SKU-{b}","quantity":2,"unit_price":800}}]}}"#
    )
    .expect("a text");
}

/// Every order has a buyer whom the shop does not know yet.
fn customer_order(number: u64, body: &mut String) {
    order(number, body);
    body.pop();
    write!(
        body,
        r#","customer":{{"email":"ada{number}@example.com","name":"Ada"}},"ship_to":{{"name":"Ada","line1":"1 Main St","city":"Austin","region":"TX","postal_code":"78701","country":"US"}}}}"#
    )
    .expect("a text");
}

pub fn measure(runtime: &tokio::runtime::Runtime, report: &mut Report, folder: &Path, time: Duration) {
    let shop = furnished(runtime, folder);
    let (_, key) = shop.keys.create("bench", Role::Admin).expect("a key");
    // As in a server that runs: its counting is part of what a request costs.
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
    let api = runtime.block_on(listen(api(&shop, metrics.clone())));
    let echo = runtime.block_on(listen(router_of(&ECHO, shop.clone(), Limits { rate: None, ..Limits::default() }, metrics)));
    let target = |address, body| Target { address, key: key.clone(), body, numbers: Arc::default() };
    let (orders, echoes) = (target(api, order as fn(u64, &mut String)), target(echo, order));
    let size = runtime.block_on(async { Connection::open(&orders).await.ask(orders.numbers.fetch_add(1, Ordering::Relaxed)).await });
    ECHO_ANSWER.get_or_init(|| vec![b'x'; size]);
    load::closed_loop(&orders, time / 4);
    let lag = Lag::watch(&shop);
    let peak = ratio(report, &orders, &echoes, time);
    report.set("store_lag_events_max", lag.end() as f64);
    let buyers = Target { body: customer_order, numbers: Arc::new(AtomicU64::new(1 << 40)), ..orders.clone() };
    report.set("http_customer_orders_per_s", load::closed_loop(&buyers, time / 2).1.round());
    // What the peak left behind is not half of it.
    while shop.engine.stored() < shop.engine.durable() {
        std::thread::sleep(Duration::from_millis(100));
    }
    latency(report, &orders, peak / 2.0, time);
    shop.engine.stop();
}

/// Interleaved, so that a noisy minute hits both. Returns the orders a second.
fn ratio(report: &mut Report, orders: &Target, echoes: &Target, time: Duration) -> f64 {
    let (mut best, mut cpu) = ([0.0f64; 2], [(0.0, 0.0, 0u64); 2]);
    for _ in 0..ROUNDS {
        for (at, target) in [echoes, orders].into_iter().enumerate() {
            let before = Cpu::now();
            let (done, per_s) = load::closed_loop(target, time / ROUNDS);
            let after = Cpu::now();
            best[at] = best[at].max(per_s);
            let in_all: f64 =
                ["load", HTTP_THREADS, "sequencer", "log", "store"].iter().map(|group| after.us_each(&before, group, 1)).sum();
            cpu[at] = (cpu[at].0 + in_all, cpu[at].1 + after.us_each(&before, HTTP_THREADS, 1), cpu[at].2 + done);
        }
    }
    let each = |us: f64, done: u64| (us / done as f64 * 10.0).round() / 10.0;
    report.set("http_orders_per_s", best[1].round());
    report.set("http_echo_per_s", best[0].round());
    report.set("http_over_echo", (best[1] / best[0] * 1000.0).round() / 1000.0);
    report.set("http_over_echo_by_cpu", ((cpu[0].0 / cpu[0].2 as f64) / (cpu[1].0 / cpu[1].2 as f64) * 1000.0).round() / 1000.0);
    report.set("http_cpu_us_per_order", each(cpu[1].1, cpu[1].2));
    report.set("http_cpu_us_per_echo", each(cpu[0].1, cpu[0].2));
    best[1]
}

fn latency(report: &mut Report, orders: &Target, per_s: f64, time: Duration) {
    let listener = load::listen(orders, time);
    std::thread::sleep(Duration::from_millis(300));
    let answered = load::open_loop(orders, per_s, time);
    let seen: HashMap<u64, Instant> = listener.join().expect("a listener").into_iter().collect();
    let ms = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1000.0;
    let answers: Vec<f64> = answered.iter().map(|(_, due, answered)| ms(*due, *answered)).collect();
    let events: Vec<f64> = answered.iter().filter_map(|(number, due, _)| Some(ms(*due, *seen.get(number)?))).collect();
    assert_eq!(answers.len(), events.len(), "every order is seen on the stream");
    report.set("open_loop_per_s", per_s.round());
    for (name, mut values) in [("open_loop", answers), ("sse", events)] {
        values.sort_unstable_by(f64::total_cmp);
        let at = |part: f64| values.get((values.len() as f64 * part) as usize).map_or(0.0, |ms| (ms * 10.0).round() / 10.0);
        report.set(&format!("{name}_p50_ms"), at(0.5));
        report.set(&format!("{name}_p99_ms"), at(0.99));
    }
}

/// A shop with everything that orders name.
pub fn furnished(runtime: &tokio::runtime::Runtime, folder: &Path) -> Arc<Shop> {
    let _inside = runtime.enter();
    let shop = Shop::open(folder, None).expect("a shop");
    for command in furnish::commands() {
        let submission = engine::Submission { command, actor: "bench".into(), idempotency: None, token: 0 };
        assert!(shop.engine.submit_waiting(submission).is_ok());
    }
    shop.engine.query(|_| ()).expect("a running engine");
    shop
}

/// The server's own router, which lets one key ask as often as it can.
pub fn api(shop: &Arc<Shop>, metrics: Option<PrometheusHandle>) -> Router {
    router(shop.clone(), Limits { rate: None, ..Limits::default() }, metrics)
}

pub async fn listen(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(server::app::without_delay(listener), app).await });
    address
}

/// Looks again and again how far the store is behind.
struct Lag {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Lag {
    fn watch(shop: &Arc<Shop>) -> Self {
        let (stop, shop) = (Arc::new(AtomicBool::new(false)), shop.clone());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut most = 0;
            while !stopped.load(Ordering::Relaxed) {
                most = most.max(shop.engine.durable().saturating_sub(shop.engine.stored()));
                std::thread::sleep(Duration::from_millis(20));
            }
            most
        });
        Self { stop, thread }
    }

    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a watcher")
    }
}
