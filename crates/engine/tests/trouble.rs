//! What goes wrong around the rules: a full disk, a command that panics, another writer, a clock that jumps.

mod shop;

use domain::command::order::Command as OrderCommand;
use domain::command::stock::{Command as StockCommand, CreateHold, WantedLine};
use domain::id::{HoldId, LocationCode, OrderId, Sku};
use domain::quantity::Quantity;
use domain::stock::HoldStatus;
use domain::time::Timestamp;
use domain::{Image, Rejection};
use engine::Reply;
use shop::{Shop, place};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn wall() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn on_hand(shop: &Shop) -> u32 {
    let seen = shop.engine.query(|state| {
        let level = state.stock.level(&Sku::new("MUG").unwrap(), &LocationCode::new("AUS").unwrap());
        level.map_or(0, |level| level.on_hand.get() - level.allocated.get())
    });
    seen.unwrap()
}

#[test]
fn a_full_disk_refuses_and_goes_on_from_what_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    {
        let shop = Shop::open_with(folder.path(), Box::new(|| Timestamp(wall())), Some(16));
        shop.furnish(1000);
        let mut placed = 0;
        let full = loop {
            match shop.run(place(&format!("A{placed}"), 1), Some((&format!("k{placed}"), "b"))) {
                Reply::Done { .. } => placed += 1,
                other => break other,
            }
        };
        assert!(matches!(full, Reply::NoSpace), "{full:?}");
        assert!(shop.engine.failure().is_none(), "it keeps running");
        assert_eq!(on_hand(&shop), 1000 - placed, "the order that found no space is not in State");
        std::thread::sleep(Duration::from_millis(300));
        assert!(matches!(shop.run(place("B", 1), None), Reply::NoSpace), "still full");
        let again = shop.run(place("A0", 1), Some(("k0", "b")));
        assert!(matches!(again, Reply::Done { repeated: true, .. } | Reply::NoSpace), "{again:?}");
    }
    engine::verify(folder.path()).unwrap();
    let shop = Shop::open(folder.path());
    assert!(matches!(shop.run(place("B", 1), None), Reply::Done { .. }), "there is room again");
}

#[test]
fn a_command_that_panics_is_set_aside_and_the_next_one_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    {
        let shop = Shop::open(folder.path());
        shop.furnish(10);
        shop.run(place("A", 3), None);
    }
    // A checkpoint that lost a counter: letting go of what it says is not there stops the rules.
    let store = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    let lost = store.execute("UPDATE levels SET body = replace(body, '\"allocated\":3', '\"allocated\":0')", []);
    assert_eq!(lost, Ok(1));
    let shop = Shop::open(folder.path());
    let cancel = OrderCommand::CancelOrder { order: OrderId(1), reason: "test".into(), lines: Vec::new(), expected_version: None };
    for _ in 0..2 {
        let reply = shop.run(cancel.clone(), None);
        assert!(matches!(reply, Reply::Refused { rejection: Rejection::Invalid { .. }, .. }), "{reply:?}");
    }
    let hold = OrderCommand::HoldOrder { order: OrderId(1), reason: "test".into(), expected_version: None };
    assert!(matches!(shop.run(hold, None), Reply::Done { .. }), "the others go on");
    assert!(shop.engine.failure().is_none());
    drop(shop);
    let differs = engine::verify(folder.path()).unwrap_err().to_string();
    assert!(differs.contains("level MUG"), "{differs}");
    engine::rebuild(folder.path()).unwrap();
    let shop = Shop::open(folder.path());
    assert!(matches!(shop.run(cancel, None), Reply::Done { .. }), "with the counter it had");
    drop(shop);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn another_writer_fences_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    let log = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    let sql = "INSERT INTO frames SELECT max(frame) + 1, 99, max(last_seq) + 1, max(last_seq) + 1, 0, zeroblob(32) FROM frames";
    log.execute(sql, []).unwrap();
    let reply = shop.run(place("A", 1), None);
    assert!(matches!(reply, Reply::OutcomeUnknown), "{reply:?}");
    assert!(shop.engine.failure().is_some(), "it stopped");
    assert!(shop.engine.query(|_| ()).is_none(), "nobody waits in vain");
}

fn hold(owner: &str, ttl_ms: i64) -> StockCommand {
    let line = WantedLine { sku: Sku::new("MUG").unwrap(), quantity: Quantity::ONE, location: Some(LocationCode::new("AUS").unwrap()) };
    StockCommand::CreateHold(CreateHold { owner: owner.into(), channel: None, ttl_ms, lines: vec![line] })
}

fn status(shop: &Shop, id: u64) -> HoldStatus {
    let image = shop.engine.reader().unwrap().entity("hold", &HoldId(id).text()).unwrap();
    let Some(Image::Hold(_, Some(hold))) = image else { panic!("no hold {id}") };
    hold.status
}

#[test]
fn a_hold_ends_by_itself_when_its_time_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    assert!(matches!(shop.run(hold("cart", 1000), None), Reply::Done { .. }));
    let since = Instant::now();
    while status(&shop, 1) != HoldStatus::Expired {
        assert!(since.elapsed() < Duration::from_secs(30), "it never ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(since.elapsed() > Duration::from_millis(800));
}

#[test]
fn a_clock_that_jumps_suspends_timers_and_takes_orders() {
    let folder = tempfile::tempdir().unwrap();
    let ahead = Arc::new(AtomicI64::new(0));
    let seen = ahead.clone();
    let shop = Shop::open_with(folder.path(), Box::new(move || Timestamp(wall() + seen.load(Ordering::SeqCst))), None);
    shop.furnish(10);
    assert!(matches!(shop.run(hold("cart", 60_000), None), Reply::Done { .. }));
    ahead.store(3_600_000, Ordering::SeqCst);
    assert!(matches!(shop.run(place("A", 1), None), Reply::Done { .. }));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(status(&shop, 1), HoldStatus::Active);
    assert!(shop.engine.timers_suspended());
    ahead.store(0, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(1200));
    assert!(!shop.engine.timers_suspended());
}

#[test]
fn a_key_in_flight_waits_and_a_refusal_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(2);
    let first = shop.run(place("A", 5), Some(("k", "b")));
    let again = shop.run(place("A", 5), Some(("k", "b")));
    let (Reply::Done { committed: one, .. }, Reply::Done { committed: two, repeated: true, .. }) = (&first, &again) else {
        panic!("{first:?} {again:?}")
    };
    assert_eq!(one, two, "a rejected order is recorded, and told again");
    let release = StockCommand::ReleaseHold { hold: HoldId(9) };
    assert!(matches!(shop.run(release, Some(("k2", "b"))), Reply::Refused { rejection: Rejection::NotFound { .. }, repeated: false }));
}
