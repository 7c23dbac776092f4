//! The dashboard of a shop with 10,000 SKUs and 100,000 open orders: how long a page takes to its first byte, and how large it is.

use crate::furnish;
use crate::report::Report;
use engine::{Engine, Options, Submission};
use server::app::{self, Config};
use server::http::Limits;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ORDERS: usize = 100_000;
/// Each page is asked for so often, one request after the other; the slowest counts.
const TIMES: usize = 12;
/// How long the work of starting may go on: connectors look at what is outstanding.
const SETTLE: Duration = Duration::from_secs(2);

const PAGES: [&str; 24] = [
    "/",
    "/orders",
    "/orders?fulfillment_status=unfulfilled",
    "/orders?channel=web&status=open",
    "/orders?location=AUS",
    "/orders?location=BER",
    "/orders?q=B-99999",
    "/orders?q=nobody%40example.com",
    "/orders/ord_ORDER",
    "/stock",
    "/stock?q=SKU-77",
    "/stock?q=nothing",
    "/stock/SKU-7",
    "/stock/SKU-7/adjust",
    "/replenishment",
    "/fulfillment",
    "/fulfillment?location=AUS",
    "/fulfillment/pick-list?location=AUS",
    "/subscriptions",
    "/events",
    "/events?type=stock.*",
    "/alerts",
    "/settings",
    "/more",
];

pub fn measure(runtime: &tokio::runtime::Runtime, report: &mut Report, folder: &Path) {
    let order = fill(folder);
    runtime.block_on(async {
        let listen = "127.0.0.1:0".parse().expect("an address");
        let limits = Limits { rate: None, ..Limits::default() };
        let config = Config { data_dir: folder.into(), listen, clock: None, limits, allow_private_webhooks: false };
        let running = app::start(config).await.expect("a server");
        let (address, link) = (running.address, running.sign_in_link().expect("an admin key"));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(running.until(async { drop(stopped.await) }));
        tokio::time::sleep(SETTLE).await;
        let at = link.find("/sign-in").expect("a path");
        let signed = get(address, &link[at..], "").await;
        let cookie =
            signed.text.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next()).expect("a cookie").to_owned();
        let (mut slowest, mut largest) = (0.0f64, 0);
        for path in PAGES {
            let path = path.replace("ord_ORDER", &order);
            let mut took = Vec::new();
            for _ in 0..TIMES {
                let page = get(address, &path, &cookie).await;
                assert!(page.text.starts_with("HTTP/1.1 200"), "{path}: {}", page.text.lines().next().unwrap_or_default());
                took.push(page.first_byte.as_secs_f64() * 1000.0);
                largest = largest.max(page.bytes);
            }
            took.sort_unstable_by(f64::total_cmp);
            let most = took[TIMES - 1];
            eprintln!("{path}: {:.1} ms, at most {most:.1}", took[TIMES / 2]);
            slowest = slowest.max(most);
        }
        report.set("page_first_byte_ms_max", (slowest * 10.0).round() / 10.0);
        report.set("page_bytes_max", largest as f64);
        drop(stop);
        serving.await.expect("a server").expect("a clean end");
    });
}

/// Returns an order's id.
fn fill(folder: &Path) -> String {
    let engine = Engine::open(Options::new(folder)).expect("an engine");
    let orders = (0..ORDERS).map(|n| furnish::place([n * 7 % furnish::SKUS, (n * 13 + 1) % furnish::SKUS], Some(format!("B-{n}"))));
    for command in furnish::commands().into_iter().chain(orders) {
        let submission = Submission { command, actor: "bench".into(), idempotency: None, token: 0 };
        assert!(engine.submit_waiting(submission).is_ok(), "the engine stopped: {:?}", engine.failure());
    }
    engine.query(|state| state.cases.sorted_keys().first().map(ToString::to_string)).expect("a running engine").expect("an order")
}

struct Page {
    first_byte: Duration,
    /// Of the body.
    bytes: usize,
    text: String,
}

async fn get(address: SocketAddr, path: &str, cookie: &str) -> Page {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: text/html\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
    let asked = Instant::now();
    stream.write_all(request.as_bytes()).await.expect("a connection");
    let mut answer = vec![0; 1];
    stream.read_exact(&mut answer).await.expect("an answer");
    let first_byte = asked.elapsed();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let bytes = text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    Page { first_byte, bytes, text }
}
