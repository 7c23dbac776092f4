//! Where subscriptions stand: kept over restarts and a lost store, and what a rewind ends stays ended.

mod shop;

use domain::command::subscription::{Command, CreateSubscription};
use domain::id::SubscriptionId;
use domain::subscription::{Filter, Kind};
use engine::{Cursor, Engine, Options, Parked};
use shop::Shop;
use std::path::Path;
use std::time::{Duration, Instant};

const ID: SubscriptionId = SubscriptionId(1);

fn subscribe(shop: &Shop) {
    let create = CreateSubscription {
        name: "ERP".into(),
        kind: Kind::Pull,
        filter: Filter::default(),
        webhook: None,
        personal_data: false,
        history: false,
        stalled_after_s: None,
        after: 1,
        incarnation: 1,
    };
    shop.run(Command::CreateSubscription(Box::new(create)), None);
}

fn record(engine: &Engine, cursor: &Cursor) {
    let before = engine.durable();
    engine.record_cursors(vec![cursor.clone()], 9).unwrap();
    let since = Instant::now();
    while engine.durable() == before && since.elapsed() < Duration::from_millis(300) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn known(folder: &Path) -> Vec<Cursor> {
    let engine = Engine::open(Options::new(folder)).unwrap();
    engine.reader().unwrap().cursors().unwrap()
}

#[test]
fn a_cursor_outlives_a_restart_and_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let parked = Parked { subject: "order/ord_1".into(), sequence: 4, attempts: 3, since: 17, given_up: false };
    let cursor = Cursor { sequence: 5, parked: vec![parked], ..Cursor::after(ID, 0, 1) };
    {
        let shop = Shop::open(folder.path());
        shop.furnish(5);
        subscribe(&shop);
        assert_eq!(shop.engine.reader().unwrap().cursors().unwrap(), [Cursor::after(ID, 0, 1)]);
        record(&shop.engine, &cursor);
        let (events, _) = shop.engine.reader().unwrap().events(0, 100).unwrap();
        assert!(events.iter().all(|event| !event.kind.starts_with("engine.")), "nobody subscribes to cursors");
    }
    assert_eq!(known(folder.path()), std::slice::from_ref(&cursor));
    engine::rebuild(folder.path()).unwrap();
    assert_eq!(known(folder.path()), [cursor]);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn what_was_said_before_a_rewind_or_the_end_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(5);
    subscribe(&shop);
    shop.run(Command::RewindSubscription { subscription: ID, after: 2, expected_version: None }, None);
    record(&shop.engine, &Cursor { sequence: 5, ..Cursor::after(ID, 0, 1) });
    assert_eq!(shop.engine.reader().unwrap().cursors().unwrap(), [Cursor::after(ID, 1, 2)]);
    shop.run(Command::DeleteSubscription { subscription: ID, expected_version: None }, None);
    record(&shop.engine, &Cursor { sequence: 5, ..Cursor::after(ID, 1, 2) });
    assert_eq!(shop.engine.reader().unwrap().cursors().unwrap(), []);
}

#[test]
fn a_restore_is_a_fork_that_is_remembered() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shop = Shop::open(folder.path());
    shop.furnish(5);
    let fork = engine::backup(folder.path(), &target.path().join("backup")).unwrap();
    shop.run(shop::place("A", 1), None);
    let again = target.path().join("again");
    engine::restore(&target.path().join("backup"), &again).unwrap();
    engine::backup(&again, &target.path().join("second")).unwrap();
    for restored in [again, target.path().join("second")] {
        let engine = Engine::open(Options::new(&restored)).unwrap();
        assert_eq!((engine.incarnation_of(fork), engine.incarnation_of(fork + 1)), (1, 2));
        assert_eq!((engine.fork_of(1), engine.fork_of(2)), (Some(fork), None));
    }
}
