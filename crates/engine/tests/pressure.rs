//! More than the engine can take, and a disk that takes its time: bounds hold, and nothing leaves before it is durable.

mod shop;

use domain::command::order::Command as OrderCommand;
use domain::command::stock::{Command as StockCommand, WantedLine};
use domain::id::{OrderId, Sku};
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;
use domain::{Command, Image};
use engine::log::sqlite::SqliteLog;
use engine::log::{Appended, Error, Log, Row};
use engine::{OrderFilter, ReadError, Reply};
use shop::{Shop, place};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A disk whose appends wait until the test lets them go; it tells how many rows each has.
struct Gate {
    log: SqliteLog,
    rows: SyncSender<usize>,
    go: Receiver<()>,
}

impl Log for Gate {
    fn append(&mut self, expected_last: u64, epoch: u64, rows: &[Row]) -> Appended {
        if !rows.is_empty() {
            self.rows.send(rows.len()).unwrap();
            self.go.recv().unwrap();
        }
        self.log.append(expected_last, epoch, rows)
    }

    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Row>, Error> {
        self.log.read(from_seq, limit)
    }

    fn last(&self) -> u64 {
        self.log.last()
    }
}

/// A furnished shop on such a disk, with its two ends.
fn gated(folder: &std::path::Path) -> (Shop, Receiver<usize>, SyncSender<()>) {
    Shop::open(folder).furnish(10_000);
    let ((rows, rows_in), (go, go_in)) = (sync_channel(100), sync_channel(100));
    (Shop::open_on(folder, |log| Gate { log, rows, go: go_in }), rows_in, go)
}

#[test]
fn nothing_leaves_before_it_is_durable_and_the_next_frame_fills_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, rows, go) = gated(folder.path());
    let durable = shop.engine.durable();
    shop.send(place("A", 1), Some("a"), 0);
    assert_eq!(rows.recv().unwrap(), 1);
    for n in 1..=20 {
        shop.send(place(&format!("B{n}"), 1), None, n);
    }
    // Refusals and repeats wait as well: what they saw is not durable yet.
    shop.send(place("A", 1), None, 21);
    shop.send(place("A", 1), Some("a"), 22);
    shop.send(place("C", 1), Some("a"), 23);
    assert!(shop.heard(Duration::from_millis(300)).is_empty());
    let reader = shop.engine.reader().unwrap();
    assert!(reader.case(OrderId(1)).unwrap().is_none(), "readers see durable frames only");
    assert_eq!((shop.engine.durable(), reader.events(durable, 100).unwrap().0.len()), (durable, 0));
    go.send(()).unwrap();
    let first = shop.heard(Duration::from_secs(5));
    assert!(matches!(first[..], [(0, Reply::Done { repeated: false, .. })]), "{first:?}");
    assert!(reader.case(OrderId(1)).unwrap().is_some());
    // What waited became few frames, not twenty.
    let mut frames = 0;
    let mut replies = Vec::new();
    while replies.len() < 23 {
        if rows.recv_timeout(Duration::from_secs(5)).is_ok() {
            frames += 1;
            go.send(()).unwrap();
        }
        replies.extend(shop.heard(Duration::from_millis(500)));
    }
    assert!(frames <= 3, "{frames} frames");
    let told: Vec<_> = replies.iter().filter(|(token, _)| *token > 20).map(|(token, reply)| (*token, reply.clone())).collect();
    let [(21, Reply::Refused { .. }), (22, Reply::Done { repeated: true, committed, .. }), (23, Reply::KeyReused)] = &told[..] else {
        panic!("{told:?}")
    };
    let (0, Reply::Done { committed: then, .. }) = &first[0] else { panic!("{first:?}") };
    assert_eq!(committed, then, "a key in flight waits for the first answer");
    drop(go);
}

/// Keeps the sequencer busy until the sender is dropped.
fn busy(shop: &Arc<Shop>) -> (SyncSender<()>, std::thread::JoinHandle<()>) {
    let ((hold, held), (begun, begins)) = (sync_channel::<()>(0), sync_channel(1));
    let (asker, held) = (shop.clone(), Mutex::new(held));
    let thread = std::thread::spawn(move || {
        let answer = asker.engine.query(move |_| {
            begun.send(()).unwrap();
            // Ends when the sender is dropped.
            held.lock().unwrap().recv().unwrap_or(())
        });
        answer.unwrap();
    });
    begins.recv().unwrap();
    (hold, thread)
}

#[test]
fn a_queue_full_by_count_refuses_and_takes_again() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Arc::new(Shop::open(folder.path()));
    let (hold, thread) = busy(&shop);
    let release = |n| Command::from(OrderCommand::ReleaseOrder { order: OrderId(n), expected_version: None });
    let taken = (0..20_000).take_while(|n| shop.try_send(release(*n), *n)).count();
    assert_eq!(taken, 8192);
    drop(hold);
    thread.join().unwrap();
    let mut replies = 0;
    while replies < taken {
        let heard = shop.heard(Duration::from_secs(5)).len();
        assert!(heard > 0, "{replies} of {taken}");
        replies += heard;
    }
    assert!(shop.try_send(release(1), 1));
}

#[test]
fn a_queue_full_by_bytes_refuses_long_before() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Arc::new(Shop::open(folder.path()));
    let (hold, thread) = busy(&shop);
    let line = ReceiptLine { sku: Sku::new("MUG").unwrap(), quantity: Quantity::ONE };
    let large = |_| {
        let location = domain::id::LocationCode::new("AUS").unwrap();
        Command::from(StockCommand::ReceiveStock { location, reference: None, lines: vec![line.clone(); 100_000] })
    };
    let taken = (0..100).take_while(|n| shop.try_send(large(*n), *n)).count();
    assert_eq!(taken, 2, "64 MiB are full");
    let small = OrderCommand::ReleaseOrder { order: OrderId(1), expected_version: None };
    assert!(shop.try_send(small.into(), 9), "something small still fits");
    drop(hold);
    thread.join().unwrap();
    while !shop.heard(Duration::from_secs(5)).iter().any(|(token, _)| *token == 9) {}
    assert!(shop.try_send(large(10), 10), "what was taken out of the queue weighs no more");
}

#[test]
fn holds_and_returns_weigh_by_their_lines_too() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Arc::new(Shop::open(folder.path()));
    let (hold, thread) = busy(&shop);
    let line = WantedLine { sku: Sku::new("MUG").unwrap(), quantity: Quantity::ONE, location: None };
    let large = || {
        let lines = vec![line.clone(); 200_000];
        Command::from(StockCommand::CreateHold(domain::command::stock::CreateHold {
            owner: "a".into(),
            channel: None,
            ttl_ms: 1000,
            lines,
        }))
    };
    let taken = (0..50).take_while(|n| shop.try_send(large(), *n)).count();
    assert!(taken <= 2, "{taken} holds of 200,000 lines wait");
    drop(hold);
    thread.join().unwrap();
}

#[test]
fn lists_wait_a_second_for_the_store_and_then_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    let first = shop.engine.reader().unwrap();
    assert_eq!(first.orders(&OrderFilter::default(), None, 10).unwrap().len(), 0);
    // Somebody else has the store: it cannot follow.
    let other = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(shop.run(place("A", 1), None), Reply::Done { .. }));
    let since = Instant::now();
    assert!(matches!(first.orders(&OrderFilter::default(), None, 10), Err(ReadError::Behind)));
    assert!((900..20_000).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
    assert!(first.case(OrderId(1)).unwrap().is_some(), "by id, from what is durable and not stored");
    let Some(Image::Level(_, Some(level))) = first.entity("level", "MUG\u{1f}AUS").unwrap() else { panic!("no level") };
    assert_eq!(level.allocated, Quantity::ONE);
    let mut any = shop.engine.reader().unwrap();
    any.set_consistency(engine::Consistency::Any);
    assert_eq!(any.orders(&OrderFilter::default(), None, 10).unwrap().len(), 0, "any consistency shows what is there");
    assert!(!any.soon(Duration::from_millis(50), |_| ()).1, "who asks without insisting is told that it is not all");
    other.execute_batch("ROLLBACK").unwrap();
    let since = Instant::now();
    while first.orders(&OrderFilter::default(), None, 10).map_or(0, |orders| orders.len()) == 0 {
        assert!(since.elapsed() < Duration::from_secs(30), "the store never followed");
    }
    assert!(shop.engine.failure().is_none());
}
