//! Idempotency keys: what is remembered, for how long, and what is not.

mod shop;

use domain::Rejection;
use domain::command::catalog::Command as CatalogCommand;
use domain::command::stock::Command as StockCommand;
use domain::id::{LocationCode, Sku};
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;
use domain::time::{DAY_MS, Timestamp};
use engine::Reply;
use shop::{Shop, furniture, place};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

fn receive(sku: &str) -> StockCommand {
    let lines = vec![ReceiptLine { sku: Sku::new(sku).unwrap(), quantity: Quantity::ONE }];
    StockCommand::ReceiveStock { location: LocationCode::new("AUS").unwrap(), reference: None, lines }
}

#[test]
fn a_request_that_made_no_sense_is_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(1);
    let before = shop.engine.durable();
    assert!(matches!(shop.run(receive("TOY"), Some(("k", "b"))), Reply::Refused { rejection: Rejection::NotFound { .. }, .. }));
    assert_eq!(shop.engine.durable(), before, "nothing was written");
    let Some(domain::Command::Catalog(CatalogCommand::CreateItem(mut item))) = furniture().pop() else { panic!("no item") };
    item.sku = Sku::new("TOY").unwrap();
    shop.run(CatalogCommand::CreateItem(item), None);
    assert!(matches!(shop.run(receive("TOY"), Some(("k", "b"))), Reply::Done { repeated: false, .. }));
    assert!(matches!(shop.run(receive("TOY"), Some(("k", "b"))), Reply::Done { repeated: true, .. }));
}

#[test]
fn a_key_is_kept_for_a_day_of_log_time() {
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(1_795_424_400_000));
    let seen = now.clone();
    let shop = Shop::open_with(folder.path(), Box::new(move || Timestamp(seen.load(Ordering::SeqCst))), None);
    shop.furnish(10);
    assert!(matches!(shop.run(receive("MUG"), Some(("k", "b"))), Reply::Done { repeated: false, .. }));
    now.fetch_add(DAY_MS - 1000, Ordering::SeqCst);
    assert!(matches!(shop.run(receive("MUG"), Some(("k", "b"))), Reply::Done { repeated: true, .. }));
    now.fetch_add(2000, Ordering::SeqCst);
    assert!(matches!(shop.run(receive("MUG"), Some(("k", "b"))), Reply::Done { repeated: false, .. }), "after a day it is a new request");
    drop(shop);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn two_of_the_same_key_in_one_batch_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    for token in 0..10 {
        shop.send(place("A", 1), Some("k"), token);
    }
    let mut replies = Vec::new();
    while replies.len() < 10 {
        replies.extend(shop.heard(std::time::Duration::from_secs(5)));
    }
    let first = replies.iter().filter(|(_, reply)| matches!(reply, Reply::Done { repeated: false, .. })).count();
    assert_eq!(first, 1);
    assert_eq!(shop.engine.query(|state| state.counters().order).unwrap(), 1);
}

#[test]
fn what_cannot_be_looked_up_is_not_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    {
        let shop = Shop::open(folder.path());
        shop.furnish(10);
        assert!(matches!(shop.run(place("A", 1), Some(("k", "b"))), Reply::Done { .. }));
    }
    let shop = Shop::open(folder.path());
    // The store loses its memory of keys while the engine runs.
    let store = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    store.execute_batch("ALTER TABLE idempotency RENAME TO lost").unwrap();
    let reply = shop.run(receive("MUG"), Some(("k", "b")));
    assert!(matches!(reply, Reply::OutcomeUnknown), "{reply:?}");
    assert!(shop.engine.failure().is_some(), "it stops rather than guess");
}
