//! A process killed while it delivers, again and again: nothing is lost, the order is kept, and repeats have the same id.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;
#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod receiver;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use client::{Client, order};
use receiver::{Heard, Receiver};
use server::bus::{self, webhook};
use server::shop::Shop;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const KILLS: u64 = 20;
const CHILD: &str = "QUARTERMASTER_WEBHOOK_CHILD";

/// Not a test of its own: the child that is killed. It places orders and delivers what they bring about.
#[tokio::test]
async fn child() {
    let Ok(arguments) = std::env::var(CHILD) else { return };
    let (folder, rest) = arguments.split_once('#').unwrap();
    let (round, urls) = rest.split_once('#').unwrap();
    let client = Client::in_folder(Path::new(folder)).await;
    client.shop.bus.allow_private();
    if round == "0" {
        client.furnish().await;
        for (n, url) in urls.split(',').enumerate() {
            let body = serde_json::json!({"name": format!("E{n}"), "kind": "webhook", "start": "beginning",
                "webhook": {"url": url, "concurrency": 4, "timeout_ms": 2000}});
            assert_eq!(client.post("/v1/subscriptions", &body.to_string()).await.status, StatusCode::CREATED);
        }
    }
    let _deliveries = webhook::start(client.shop.clone()).unwrap();
    for n in 0.. {
        client.post("/v1/orders", &order(&format!("R{round}-{n}"), 1)).await;
        if n % 10 == 0 {
            client.post("/v1/receipts", r#"{"location":"AUS","lines":[{"sku":"MUG","quantity":20}]}"#).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_process_is_killed_while_it_delivers() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, moody) = (Receiver::new().await, Receiver::new().await);
    let calls = AtomicU64::new(0);
    moody.answers(move |_| {
        let fails = calls.fetch_add(1, Ordering::Relaxed) % 7 == 3;
        if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }.into_response()
    });
    for round in 0..KILLS {
        kill_one(folder.path(), round, &[&plain, &moody]).await;
    }
    let wanted = deliver_the_rest(folder.path()).await;
    let repeats = prove("plain", &plain.accepted(), &wanted) + prove("moody", &moody.accepted(), &wanted);
    println!("{} events to 2 endpoints over {KILLS} kills, {repeats} repeats", wanted.len());
    assert!(wanted.len() > 100, "too little happened: {}", wanted.len());
}

/// Runs a child until more was delivered, and kills it somewhere.
async fn kill_one(folder: &Path, round: u64, receivers: &[&Receiver; 2]) {
    let urls = receivers.map(|receiver| receiver.url()).join(",");
    let before = receivers[0].accepted().len();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, format!("{}#{round}#{urls}", folder.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let enough = before + 5 + usize::try_from(round * 37 % 61).unwrap();
    for _ in 0..6000 {
        if receivers[0].accepted().len() >= enough {
            break;
        }
        assert!(child.try_wait().unwrap().is_none(), "the child of round {round} ended by itself");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_micros(round * 431 % 5000)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(receivers[0].accepted().len() >= enough, "nothing came in round {round}");
}

/// Lets the shop deliver to the end; returns every event that there is, with its subject.
async fn deliver_the_rest(folder: &Path) -> BTreeMap<u64, String> {
    let shop = Shop::open(folder, None).unwrap();
    shop.bus.allow_private();
    tokio::spawn(bus::run(shop.clone()));
    let deliveries = webhook::start(shop.clone()).unwrap();
    for round in 0..6000 {
        if round % 100 == 0 {
            // What is parked would come by itself, minutes later.
            shop.bus.list().iter().for_each(|entry| entry.ask(bus::Ask::Retry(None)));
        }
        let behind = shop.bus.standings(&shop).iter().any(|standing| standing.lag.events > 0 || !standing.cursor.parked.is_empty());
        if !behind {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    deliveries.stop().await;
    let mut events = BTreeMap::new();
    let mut after = 0;
    loop {
        let (rows, looked) = shop.read(move |reader| reader.events(after, 200)).await.unwrap();
        if looked == after {
            return events;
        }
        events.extend(rows.into_iter().map(|row| (row.seq, row.subject)));
        after = looked;
    }
}

/// Everything came, in order per subject at its first time; what came again is the same. Returns how much came again.
fn prove(name: &str, heard: &[Heard], wanted: &BTreeMap<u64, String>) -> usize {
    let mut first: BTreeMap<&str, &Heard> = BTreeMap::new();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut repeats = 0;
    for one in heard {
        assert_eq!(one.id, format!("1-{}", one.seq()));
        if let Some(known) = first.get(one.id.as_str()) {
            assert_eq!(known.body, one.body, "{name}: {} came again as another", one.id);
            repeats += 1;
            continue;
        }
        first.insert(&one.id, one);
        let before = last.insert(one.subject(), one.seq()).unwrap_or(0);
        assert!(before < one.seq(), "{name}: {} after {before} of {}", one.seq(), one.subject());
    }
    let came: BTreeSet<u64> = first.values().map(|one| one.seq()).collect();
    // A subscription hears nothing of itself.
    let own = if name == "plain" { "subscription/sub_1" } else { "subscription/sub_2" };
    let lost: Vec<_> = wanted.iter().filter(|(seq, subject)| *subject != own && !came.contains(seq)).collect();
    assert!(lost.is_empty(), "{name}: lost {lost:?}");
    repeats
}
