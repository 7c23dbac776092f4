//! Memory holds what is open: what is over leaves once it is stored, and comes back when a command names it.

mod shop;

use domain::Rejection;
use domain::command::count::Command as CountCommand;
use domain::command::customer::Command as CustomerCommand;
use domain::command::order::Command as OrderCommand;
use domain::command::purchasing::{self, Command as PurchasingCommand};
use domain::command::stock::{Command as StockCommand, CreateHold, WantedLine};
use domain::id::{CountId, CustomerId, HoldId, LocationCode, OrderId, PurchaseOrderId, ReceiptId, Sku, SupplierCode};
use domain::money::{Amount, Currency};
use domain::purchasing::{Auto, DispatchVia, Supplier};
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;
use domain::time::Timestamp;
use engine::Reply;
use shop::{Shop, place};
use std::time::{Duration, Instant};

fn mug() -> Sku {
    Sku::new("MUG").unwrap()
}

fn austin() -> LocationCode {
    LocationCode::new("AUS").unwrap()
}

fn receive(units: u32) -> StockCommand {
    let lines = vec![ReceiptLine { sku: mug(), quantity: Quantity::new(units) }];
    StockCommand::ReceiveStock { location: austin(), reference: None, lines }
}

fn hold() -> StockCommand {
    let lines = vec![WantedLine { sku: mug(), quantity: Quantity::ONE, location: Some(austin()) }];
    StockCommand::CreateHold(CreateHold { owner: "cart".into(), channel: None, ttl_ms: 60_000, lines })
}

fn supplier() -> PurchasingCommand {
    PurchasingCommand::CreateSupplier(Supplier {
        code: SupplierCode::new("ACME").unwrap(),
        name: "Acme".into(),
        email: None,
        lead_time_days: 5,
        currency: Currency::USD,
        order_minimum: Amount::ZERO,
        auto: Auto::Draft,
        dispatch: DispatchVia::None,
        webhook: None,
        cutoff: None,
        active: true,
        metadata: Default::default(),
        version: 0,
        created_at: Timestamp(0),
    })
}

fn purchase() -> PurchasingCommand {
    let lines = vec![purchasing::WantedLine { sku: mug(), quantity: Quantity::new(10), unit_cost: None }];
    PurchasingCommand::CreatePurchaseOrder { supplier: SupplierCode::new("ACME").unwrap(), location: austin(), reference: None, lines }
}

fn done(reply: Reply) {
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
}

/// How many entities are in memory, once what may leave has left.
fn at_rest(shop: &Shop) -> usize {
    let (started, mut last) = (Instant::now(), usize::MAX);
    loop {
        std::thread::sleep(Duration::from_millis(250));
        let now = shop.engine.query(|state| state.images().len()).unwrap();
        if now == last && shop.engine.stored() == shop.engine.durable() {
            return now;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "memory does not come to rest");
        last = now;
    }
}

/// One of everything that ends: a receipt, a hold, a purchase order, a count, a rejected order of a customer.
fn live_and_die(shop: &Shop, n: u64) {
    done(shop.run(receive(1), None));
    done(shop.run(hold(), None));
    done(shop.run(StockCommand::ReleaseHold { hold: HoldId(n) }, None));
    done(shop.run(purchase(), None));
    done(shop.run(PurchasingCommand::Cancel { order: PurchaseOrderId(n), reason: "no need".into() }, None));
    done(shop.run(CountCommand::OpenCount { location: austin(), skus: vec![mug()], reference: None }, None));
    done(shop.run(CountCommand::CancelCount { count: CountId(n), expected_version: None }, None));
    done(shop.run(CustomerCommand::SaveCustomer { id: CustomerId(n), details: None, fingerprints: Vec::new() }, None));
    done(shop.run(place(&format!("X{n}"), 1_000_000), None));
}

#[test]
fn what_is_over_does_not_stay_however_much_of_it_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    done(shop.run(supplier(), None));
    let furnished = at_rest(&shop);
    for n in 1..=30 {
        live_and_die(&shop, n);
    }
    assert_eq!(at_rest(&shop), furnished, "thirty of each left as much behind as none");
    drop(shop);
    let shop = Shop::open(folder.path());
    assert_eq!(shop.engine.query(|state| state.images().len()).unwrap(), furnished, "nor do they come back with a restart");
    drop(shop);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn what_left_comes_back_when_it_is_named_and_leaves_again() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    done(shop.run(supplier(), None));
    let furnished = at_rest(&shop);
    live_and_die(&shop, 1);
    at_rest(&shop);
    let status = |reply: Reply| match reply {
        Reply::Refused { rejection: Rejection::WrongStatus { status, .. }, .. } => status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(shop.run(StockCommand::ReleaseHold { hold: HoldId(1) }, None)), "released");
    assert_eq!(status(shop.run(PurchasingCommand::SendPurchaseOrder { order: PurchaseOrderId(1) }, None)), "canceled");
    assert_eq!(status(shop.run(CountCommand::CancelCount { count: CountId(1), expected_version: Some(2) }, None)), "canceled");
    let release = OrderCommand::ReleaseOrder { order: OrderId(1), expected_version: None };
    assert_eq!(status(shop.run(release, None)), "rejected");
    let unknown = shop.run(StockCommand::ReverseReceipt { receipt: ReceiptId(99), reason: None }, None);
    assert!(matches!(unknown, Reply::Refused { rejection: Rejection::NotFound { .. }, .. }), "{unknown:?}");
    // Its second event: the count of events came back with it.
    let Reply::Done { committed, .. } = shop.run(StockCommand::ReverseReceipt { receipt: ReceiptId(2), reason: None }, None) else {
        panic!("the receipt was not found")
    };
    assert_eq!(committed.events[0].subject_seq, 2);
    let fingerprints = vec![domain::text::Fingerprint("f".into())];
    done(shop.run(CustomerCommand::SaveCustomer { id: CustomerId(1), details: None, fingerprints }, None));
    assert_eq!(at_rest(&shop), furnished);
    drop(shop);
    engine::verify(folder.path()).unwrap();
}

#[test]
fn a_customer_who_left_and_merged_is_still_who_they_became() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    shop.furnish(10);
    // Saved out of order: a number below the highest may still be new.
    for id in [3, 1] {
        done(shop.run(CustomerCommand::SaveCustomer { id: CustomerId(id), details: None, fingerprints: Vec::new() }, None));
    }
    at_rest(&shop);
    done(shop.run(CustomerCommand::MergeCustomers { from: CustomerId(1), into: CustomerId(3) }, None));
    at_rest(&shop);
    for (id, name) in [(1, "A"), (2, "B"), (3, "C")] {
        let domain::Command::Order(OrderCommand::PlaceOrder(mut order)) = place(name, 1) else { panic!("a placement") };
        order.customer = Some(domain::order::Buyer { id: CustomerId(id), details: None, email_fingerprint: None });
        done(shop.run(OrderCommand::PlaceOrder(order), None));
        at_rest(&shop);
    }
    let reader = shop.engine.reader().unwrap();
    let orders = |id: u64| match reader.entity("customer", &CustomerId(id).text()).unwrap() {
        Some(domain::Image::Customer(_, Some(customer))) => customer.orders,
        other => panic!("{other:?}"),
    };
    assert_eq!((orders(1), orders(2), orders(3)), (0, 1, 2));
    drop(reader);
    drop(shop);
    engine::verify(folder.path()).unwrap();
}
