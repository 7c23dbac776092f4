//! What is acknowledged stays: over restarts, a lost store, repeats and a second process.

mod shop;

use domain::command::order::Command as OrderCommand;
use domain::command::payment::Command as PaymentCommand;
use domain::id::OrderId;
use domain::order::OrderStatus;
use domain::payment::Outcome;
use domain::{Image, Rejection};
use engine::{Engine, Options, OrderFilter, Reply};
use shop::{Shop, place};
use std::time::{Duration, Instant};

fn order_of(reply: &Reply) -> OrderId {
    let Reply::Done { images, .. } = reply else { panic!("{reply:?}") };
    images.iter().find_map(|image| if let Image::Case(id, _) = image { Some(*id) } else { None }).unwrap()
}

#[test]
fn a_restart_finds_everything_and_goes_on_counting() {
    let folder = tempfile::tempdir().unwrap();
    let first = {
        let shop = Shop::open(folder.path());
        shop.furnish(10);
        order_of(&shop.run(place("A", 3), None))
    };
    let shop = Shop::open(folder.path());
    let case = shop.engine.reader().unwrap().case(first).unwrap().unwrap();
    assert_eq!((case.order.status, case.order.total.get()), (OrderStatus::Open, 3000));
    assert_eq!(shop.engine.outstanding().len(), 1, "the authorization is still asked for");
    assert_eq!(order_of(&shop.run(place("B", 7), None)), OrderId(2));
    drop(shop);
    let report = engine::verify(folder.path()).unwrap();
    assert_eq!(report.orders, 2);
}

#[test]
fn a_repeat_with_the_same_key_gets_the_first_answer_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    let first = shop.run(place("A", 3), Some(("k1", "b1")));
    let Reply::Done { committed, repeated: false, .. } = &first else { panic!("{first:?}") };
    shop.run(OrderCommand::HoldOrder { order: OrderId(1), reason: "later".into(), expected_version: None }, None);
    assert!(matches!(shop.run(place("A", 3), Some(("k1", "other"))), Reply::KeyReused));
    let refused = shop.run(place("A", 4), Some(("k2", "b2")));
    assert!(matches!(refused, Reply::Refused { rejection: Rejection::OrderExists { .. }, repeated: false }));
    drop(shop);
    let shop = Shop::open(folder.path());
    let again = shop.run(place("A", 3), Some(("k1", "b1")));
    let Reply::Done { committed: then, images, repeated: true } = &again else { panic!("{again:?}") };
    assert_eq!(then.events, committed.events);
    let Some(Image::Case(_, Some(case))) = images.first() else { panic!("{images:?}") };
    assert_eq!(case.order.status, OrderStatus::Open, "as it was then, not as it is now");
    let refused = shop.run(place("A", 4), Some(("k2", "b2")));
    assert!(matches!(refused, Reply::Refused { rejection: Rejection::OrderExists { .. }, repeated: true }));
}

#[test]
fn a_deleted_store_is_made_again_and_a_closed_order_is_fetched_back() {
    let folder = tempfile::tempdir().unwrap();
    {
        let shop = Shop::open(folder.path());
        shop.furnish(1);
        let rejected = order_of(&shop.run(place("A", 3), None));
        assert_eq!(shop.engine.reader().unwrap().case(rejected).unwrap().unwrap().order.status, OrderStatus::Rejected);
    }
    engine::rebuild(folder.path()).unwrap();
    let shop = Shop::open(folder.path());
    let reply = shop.run(OrderCommand::ReleaseOrder { order: OrderId(1), expected_version: None }, None);
    assert!(matches!(reply, Reply::Refused { rejection: Rejection::WrongStatus { .. }, .. }), "{reply:?}");
    let orders = shop.engine.reader().unwrap().orders(&OrderFilter::default(), None, 10).unwrap();
    assert_eq!(orders.len(), 1);
    drop(shop);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn only_one_process_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _shop = Shop::open(folder.path());
    assert!(Engine::open(Options::new(folder.path())).is_err());
}

#[test]
fn a_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    {
        let shop = Shop::open(folder.path());
        shop.furnish(5);
    }
    let log = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    log.execute("UPDATE transactions SET body = replace(body, '\"quantity\":5', '\"quantity\":6')", []).unwrap();
    drop(log);
    assert!(engine::verify(folder.path()).is_err());
}

#[test]
fn events_ledger_and_the_past_are_read_beside_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    let order = order_of(&shop.run(place("A", 3), None));
    let reader = shop.engine.reader().unwrap();
    let (events, looked) = reader.events(0, 100).unwrap();
    assert_eq!(looked, shop.engine.durable());
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds[3..],
        ["stock.received.v1", "order.placed.v1", "stock.allocated.v1", "order.allocated.v1", "payment.requested.v1", "order.updated.v1"]
    );
    assert_eq!(events.last().unwrap().cause, Some(events[events.len() - 2].seq));
    assert_eq!(reader.timeline(order).unwrap().len(), 5);
    let now = reader.case(order).unwrap().unwrap();
    assert_eq!(reader.case_as_of(order, looked).unwrap().as_ref(), Some(&*now), "a case folds from its own events alone");
    let placed = events[4].seq;
    assert_eq!(reader.case_as_of(order, placed).unwrap().unwrap().order.version, 1);
    assert!(reader.case_as_of(order, placed - 1).unwrap().is_none());
    let ledger = reader.ledger("MUG", None, u64::MAX, 10).unwrap();
    assert_eq!(ledger.iter().map(|row| (row.kind.as_str(), row.quantity)).collect::<Vec<_>>(), [("allocated", 3), ("received", 10)]);
    assert_eq!(reader.levels_as_of("MUG", placed).unwrap()[0].kind, "received");
    assert!(!reader.wait_for(looked, Duration::from_millis(10)));
}

#[test]
fn a_backup_restores_to_the_same_state() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    shop.run(place("A", 3), None);
    engine::backup(folder.path(), &target.path().join("backup")).unwrap();
    shop.run(place("B", 3), None);
    let again = target.path().join("again");
    let report = engine::restore(&target.path().join("backup"), &again).unwrap();
    assert_eq!(report.orders, 1);
    let restored = Shop::open(&again);
    assert_eq!((shop.engine.incarnation(), restored.engine.incarnation()), (1, 2));
    assert_eq!(order_of(&restored.run(place("C", 1), None)), OrderId(10_002), "the lost order's id is not given again");
    drop(restored);
    let restored = Shop::open(&again);
    assert_eq!(order_of(&restored.run(place("D", 1), None)), OrderId(10_003), "skipped once only");
    drop(restored);
    engine::verify(&again).unwrap();
}

#[test]
fn a_store_of_another_log_is_made_anew() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, units) in [(&one, 10), (&two, 20)] {
        let shop = Shop::open(folder.path());
        shop.furnish(units);
        shop.run(place("A", 1), None);
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::copy(one.path().join("store.db"), two.path().join("store.db")).unwrap();
    drop(Shop::open(two.path()));
    engine::verify(two.path()).unwrap();
}

#[test]
fn a_closed_order_leaves_memory_and_its_external_id_stays_taken() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    let order = order_of(&shop.run(place("A", 1), None));
    let effect = shop.engine.outstanding().remove(0).effect.id;
    let outcome = Outcome::Declined { code: "no".into(), message: "no".into() };
    shop.run(PaymentCommand::RecordEffect { effect, order, outcome }, None);
    shop.run(OrderCommand::CancelOrder { order, reason: "test".into(), lines: Vec::new(), expected_version: None }, None);
    assert!(shop.engine.outstanding().is_empty());
    let gone = |shop: &Shop| {
        let since = Instant::now();
        while shop.engine.query(|state| state.cases.len()).unwrap() > 0 {
            assert!(since.elapsed() < Duration::from_secs(30), "it stays in memory");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    gone(&shop);
    let repeated = shop.run(place("A", 1), None);
    assert!(matches!(repeated, Reply::Refused { rejection: Rejection::OrderRepeated { order: OrderId(1) }, .. }), "{repeated:?}");
    let other = shop.run(place("A", 2), None);
    assert!(matches!(other, Reply::Refused { rejection: Rejection::OrderExists { .. }, .. }), "{other:?}");
    gone(&shop);
    let release = OrderCommand::ReleaseOrder { order, expected_version: None };
    assert!(matches!(shop.run(release, None), Reply::Refused { rejection: Rejection::WrongStatus { .. }, .. }));
    let reader = shop.engine.reader().unwrap();
    assert_eq!(reader.case(order).unwrap().unwrap().order.status, OrderStatus::Canceled);
    let filter = OrderFilter { number: Some("1001".into()), ..OrderFilter::default() };
    assert_eq!(reader.orders(&filter, None, 10).unwrap().len(), 1);
    let filter = OrderFilter { status: Some("open".into()), ..OrderFilter::default() };
    assert_eq!(reader.orders(&filter, None, 10).unwrap().len(), 0);
    drop(shop);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn a_store_that_was_tampered_with_is_found_and_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    {
        let shop = Shop::open(folder.path());
        shop.furnish(10);
        shop.run(place("A", 1), None);
    }
    let store = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    store.execute("UPDATE orders SET body = replace(body, '1000', '1')", []).unwrap();
    drop(store);
    let differs = engine::verify(folder.path()).unwrap_err().to_string();
    assert!(differs.contains("order number 1001"), "{differs}");
    engine::rebuild(folder.path()).unwrap();
    engine::verify(folder.path()).unwrap();
}

#[test]
fn a_backup_is_taken_while_orders_come_in() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shop = Shop::open(folder.path());
    shop.furnish(10_000);
    std::thread::scope(|scope| {
        scope.spawn(|| (0..200).for_each(|n| drop(shop.run(place(&n.to_string(), 1), None))));
        for n in 0..3 {
            let backup = target.path().join(format!("backup{n}"));
            engine::backup(folder.path(), &backup).unwrap();
            engine::verify(&backup).unwrap();
            engine::verify(folder.path()).unwrap();
        }
    });
}

#[test]
fn the_ledger_of_a_sku_that_moves_a_lot_is_read_from_any_place() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10_000);
    for n in 1..=300 {
        shop.run(place(&n.to_string(), 1), None);
    }
    let reader = shop.engine.reader().unwrap();
    let (mut before, mut seen) = (u64::MAX, Vec::new());
    loop {
        let page = reader.ledger("MUG", Some("AUS"), before, 37).unwrap();
        let Some(last) = page.last() else { break };
        before = last.seq;
        seen.extend(page);
    }
    assert_eq!(seen.len(), 301);
    assert!(seen.is_sorted_by(|newer, older| newer.seq > older.seq), "newest first, none twice");
    assert!(seen[..300].iter().all(|row| (row.kind.as_str(), row.quantity, row.actor.as_str()) == ("allocated", 1, "test")));
    for row in [&seen[0], &seen[150], &seen[299], &seen[300]] {
        let then = reader.levels_as_of("MUG", row.seq).unwrap();
        assert_eq!(then, std::slice::from_ref(row), "as of its own sequence, a movement is the last");
    }
    assert!(seen[10].level.contains("\"allocated\":290"), "{}", seen[10].level);
    assert_eq!(seen[299].subject, "order/ord_1");
    drop(reader);
    drop(shop);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn a_store_of_another_version_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    {
        let shop = Shop::open(folder.path());
        shop.furnish(10);
        shop.run(place("A", 1), None);
    }
    let store = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    store.execute_batch("DROP VIEW ledger; ALTER TABLE orders RENAME TO old; PRAGMA user_version = 1;").unwrap();
    drop(store);
    engine::verify(folder.path()).unwrap();
    let shop = Shop::open(folder.path());
    assert_eq!(shop.engine.reader().unwrap().orders(&OrderFilter::default(), None, 10).unwrap().len(), 1);
    drop(shop);
    engine::verify(folder.path()).unwrap();
}
