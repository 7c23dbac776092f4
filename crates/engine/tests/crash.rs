//! A process killed under load, again and again: what it acknowledged is there, once.

mod shop;

use domain::id::ChannelCode;
use engine::Reply;
use shop::{Shop, place};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const KILLS: u64 = 20;
const CHILD: &str = "QUARTERMASTER_CRASH_CHILD";

/// Not a test of its own: the child that is killed. It prints each order that was acknowledged.
#[test]
fn child() {
    let Ok(arguments) = std::env::var(CHILD) else { return };
    let (folder, round) = arguments.rsplit_once('#').unwrap();
    let shop = Shop::open(folder.as_ref());
    if round == "0" {
        shop.furnish(1_000_000);
    }
    let mut out = std::io::stdout();
    for n in 0.. {
        let name = format!("{round}-{n}");
        if let Reply::Done { repeated: false, .. } = shop.run(place(&name, 1), Some((&name, "body"))) {
            writeln!(out, "acknowledged {name}").unwrap();
            out.flush().unwrap();
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(CHILD, format!("{}#{round}", folder.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        // Each round is cut at another place; the last line may be torn.
        let enough = 3 + usize::try_from(round * 7 % 23).unwrap();
        let mut seen = 0;
        for line in lines.lines().map_while(Result::ok) {
            if let Some(name) = line.strip_prefix("acknowledged ") {
                acknowledged.insert(name.to_owned());
                seen += 1;
            }
            if seen == enough {
                std::thread::sleep(Duration::from_micros(round * 431 % 2000));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= enough, "the child of round {round} ended by itself");
        prove(folder.path(), &acknowledged);
    }
}

fn prove(folder: &std::path::Path, acknowledged: &BTreeSet<String>) {
    let shop = Shop::open(folder);
    let channel = ChannelCode::new("web").unwrap();
    let names = acknowledged.clone();
    let lost = shop.engine.query(move |state| {
        names.into_iter().filter(|name| state.order_by_external_id(&channel, &name.as_str().into()).is_none()).collect::<Vec<_>>()
    });
    assert_eq!(lost.unwrap(), Vec::<String>::new(), "acknowledged, and lost");
    if let Some(name) = acknowledged.iter().next_back() {
        let again = shop.run(place(name, 1), Some((name, "body")));
        assert!(matches!(again, Reply::Done { repeated: true, .. }), "{again:?}");
    }
    drop(shop);
    let report = engine::verify(folder).unwrap();
    assert!(report.orders >= acknowledged.len() as u64);
}
