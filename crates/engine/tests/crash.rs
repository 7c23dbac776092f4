//! A process killed under load, again and again: what it acknowledged is there, once.

mod shop;

use engine::{Engine, Idempotency, Options, Reply, Submission};
use shop::{Shop, place};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const KILLS: u64 = 20;
const CHILD: &str = "QUARTERMASTER_CRASH_CHILD";

/// Not a test of its own: the child that is killed. It keeps many orders in flight and prints each that was acknowledged.
#[test]
fn child() {
    let Ok(arguments) = std::env::var(CHILD) else { return };
    let (folder, round) = arguments.rsplit_once('#').unwrap();
    if round == "0" {
        Shop::open(folder.as_ref()).furnish(1_000_000);
    }
    let prefix = round.to_owned();
    let on_replies = Box::new(move |replies: Vec<(u64, Reply)>| {
        let mut out = std::io::stdout();
        for (n, reply) in replies {
            if let Reply::Done { committed, repeated: false, .. } = reply {
                writeln!(out, "acknowledged {prefix}-{n} {}", committed.first_seq).unwrap();
            }
        }
        out.flush().unwrap();
    });
    let engine = Engine::open(Options { on_replies, ..Options::new(folder) }).unwrap();
    for n in 0.. {
        let name = format!("{round}-{n}");
        let idempotency = Some(Idempotency { key: name.clone(), body: "body".into() });
        let submission = Submission { command: place(&name, 1), actor: "test".into(), idempotency, token: n };
        assert!(engine.submit_waiting(submission).is_ok());
        if n % 8 == 7 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut placed = 0;
    for round in 0..KILLS {
        let acknowledged = kill_one(folder.path(), round);
        placed += acknowledged.len() as u64;
        prove(folder.path(), &acknowledged, placed);
    }
}

/// Runs a child, kills it somewhere, and returns the orders that it acknowledged, with the sequence of each.
fn kill_one(folder: &std::path::Path, round: u64) -> BTreeMap<String, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, format!("{}#{round}", folder.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    // Each round is cut at another place; the last line may be torn.
    let enough = 3 + usize::try_from(round * 37 % 151).unwrap();
    let (mut acknowledged, mut killed) = (BTreeMap::new(), false);
    for line in lines.lines().map_while(Result::ok) {
        let Some((name, seq)) = line.strip_prefix("acknowledged ").and_then(|rest| rest.split_once(' ')) else { continue };
        acknowledged.insert(name.to_owned(), seq.to_owned());
        if acknowledged.len() >= enough && !killed {
            std::thread::sleep(Duration::from_micros(round * 431 % 5000));
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed, "the child of round {round} ended by itself");
    let last = acknowledged.iter().max_by_key(|(name, _)| name.rsplit('-').next().unwrap().parse::<u64>().unwrap());
    let torn = last.map(|(name, _)| name.clone()).unwrap();
    acknowledged.remove(&torn);
    acknowledged.into_iter().map(|(name, seq)| (name, seq.parse().unwrap())).collect()
}

fn prove(folder: &std::path::Path, acknowledged: &BTreeMap<String, u64>, placed: u64) {
    let shop = Shop::open(folder);
    let before = shop.engine.query(|state| state.counters().order).unwrap();
    for (name, seq) in acknowledged {
        match shop.run(place(name, 1), Some((name, "body"))) {
            Reply::Done { committed, repeated: true, .. } => assert_eq!(committed.first_seq, *seq, "{name} gets another answer"),
            other => panic!("{name} was acknowledged, and is lost: {other:?}"),
        }
    }
    assert_eq!(shop.engine.query(|state| state.counters().order).unwrap(), before, "a repeat placed an order");
    drop(shop);
    let report = engine::verify(folder).unwrap();
    assert!(report.orders == before && before >= placed);
}
