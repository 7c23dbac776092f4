//! What an order costs inside the engine, in CPU time of each thread: wall clocks lie on a shared machine.
//!
//! `cargo run --release -p engine --example core -- [orders] [skus] [rules]`. With `rules`, only the rules run, in one thread,
//! without log and store.

use domain::catalog::{
    Address, BackorderCap, BackorderPayment, Buffer, Channel, ChannelKind, Item, ItemKind, ItemStatus, Location, LocationKind,
    PaymentPolicy, PaymentTiming, Shortage, SingleCapture,
};
use domain::command::{Command, catalog, order, stock};
use domain::id::{ChannelCode, LocationCode, Sku};
use domain::money::{Amount, Currency};
use domain::order::Origin;
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;
use domain::time::Timestamp;
use domain::{Context, State};
use engine::{Engine, Options, Submission};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ORDERS: usize = 100_000;
const SKUS: usize = 200;
/// Commands made ahead, so that making them is not measured with the rest.
const CHUNK: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (orders, skus) = (number(0, ORDERS), number(1, SKUS));
    match arguments.iter().any(|word| word == "rules") {
        true => rules(orders, skus),
        false => whole(orders, skus),
    }
}

fn rules(orders: usize, skus: usize) {
    let mut state = State::default();
    let cx = Context { now: Timestamp(1_795_424_400_000), actor: "bench".into() };
    for command in furniture(skus) {
        state.settle(&cx, command).expect("furniture stands");
        state.take_images();
    }
    let (mut spent, mut events) = (0, 0);
    for from in (0..orders).step_by(CHUNK) {
        let commands: Vec<Command> = (from..orders.min(from + CHUNK)).map(|at| place(at, skus)).collect();
        let before = cpu()["core"];
        for command in commands {
            events += state.settle(&cx, command).expect("there is enough").events.len();
            drop(state.take_images());
        }
        spent += cpu()["core"] - before;
    }
    println!("rules alone: {:.2} µs an order, {:.1} events", spent as f64 / 1000.0 / orders as f64, events as f64 / orders as f64);
}

fn whole(orders: usize, skus: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(Options::new(folder.path())).expect("an engine");
    let submit = |command| {
        let submission = Submission { command, actor: "bench".into(), idempotency: None, token: 0 };
        assert!(engine.submit_waiting(submission).is_ok());
    };
    let settled = || engine.query(|state| state.counters().order).expect("a running engine");
    furniture(skus).into_iter().for_each(submit);
    assert_eq!(settled(), 0);
    let mut commands: Vec<Command> = (0..orders).map(|at| place(at, skus)).collect();
    let (before, first, started) = (cpu(), engine.durable(), Instant::now());
    commands.drain(..).for_each(submit);
    assert_eq!(settled(), orders as u64);
    let (durable, last) = (started.elapsed(), engine.durable());
    while engine.stored() < last {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (stored, after) = (started.elapsed(), cpu());
    let each = |nanoseconds: u64| nanoseconds as f64 / 1000.0 / orders as f64;
    let mut sum = 0.0;
    for (name, nanoseconds) in &after {
        let spent = each(nanoseconds - before.get(name).copied().unwrap_or(0));
        sum += spent;
        println!("{name:>10}  {spent:6.2} µs an order");
    }
    let bytes = std::fs::metadata(folder.path().join("store.db")).map_or(0, |file| file.len());
    println!(
        "{:>10}  {sum:6.2} µs, {:.1} events, {} B of store an order",
        "all",
        (last - first) as f64 / orders as f64,
        bytes / orders as u64
    );
    let second = |time: Duration| orders as f64 / time.as_secs_f64();
    println!("{:>10}  {:.0} orders/s durable, {:.0} stored, by the wall clock", "", second(durable), second(stored));
    drop(engine);
    let bytes = std::fs::metadata(folder.path().join("log.db")).map_or(0, |file| file.len());
    println!("{:>10}  {} B of log an order", "", bytes / orders as u64);
}

/// Nanoseconds of CPU that each thread of this process had, by its name.
fn cpu() -> BTreeMap<String, u64> {
    let mut threads = BTreeMap::new();
    for thread in std::fs::read_dir("/proc/self/task").expect("Linux").flatten() {
        let read = |name: &str| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let spent: u64 = read("schedstat").split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        *threads.entry(read("comm").trim().to_owned()).or_default() += spent;
    }
    threads
}

fn furniture(skus: usize) -> Vec<Command> {
    let created_at = Timestamp(0);
    let location = Location {
        code: LocationCode::new("AUS").expect("a code"),
        name: "Austin".into(),
        address: Address { country: "US".into(), ..Address::default() },
        coordinates: None,
        time_zone: "America/Chicago".into(),
        cutoff_minute: 900,
        working_days: vec![0, 1, 2, 3, 4],
        handling_days: 1,
        priority: 1,
        kind: LocationKind::Warehouse,
        active: true,
        version: 0,
        created_at,
    };
    let payment = PaymentPolicy {
        timing: PaymentTiming::Invoice,
        backorder: BackorderPayment::Now,
        window_ms: 0,
        gateway: "manual".into(),
        single_capture: SingleCapture::FirstShipment,
        multicapture: true,
        overcapture_percent: 0,
        on_expiry: domain::catalog::OnExpiry::Reauthorize,
    };
    let channel = Channel {
        code: ChannelCode::new("web").expect("a code"),
        name: "Web".into(),
        kind: ChannelKind::Web,
        locations: Vec::new(),
        buffer: Buffer::None,
        on_shortage: Shortage::Reject,
        payment,
        sourcing: Vec::new(),
        mail: None,
        active: true,
        version: 0,
        created_at,
    };
    let mut commands: Vec<Command> =
        vec![catalog::Command::CreateLocation(location).into(), catalog::Command::CreateChannel(channel).into()];
    for at in 0..skus {
        let item = Item {
            sku: sku(at),
            name: "Thing".into(),
            kind: ItemKind::Stocked,
            barcode: None,
            unit_cost: None,
            weight_grams: None,
            backorder_cap: BackorderCap::None,
            on_shortage: None,
            available_from: None,
            metadata: Default::default(),
            status: ItemStatus::Active,
            version: 0,
            created_at,
        };
        commands.push(catalog::Command::CreateItem(item).into());
        let lines = vec![ReceiptLine { sku: sku(at), quantity: Quantity::new(10_000_000) }];
        commands.push(stock::Command::ReceiveStock { location: LocationCode::new("AUS").expect("a code"), reference: None, lines }.into());
    }
    commands
}

fn sku(at: usize) -> Sku {
    Sku::new(format!("SKU-{at}")).expect("a code")
}

fn place(at: usize, skus: usize) -> Command {
    let line = |at: usize, units| order::PlaceLine {
        external_id: None,
        sku: sku(at % skus),
        quantity: Quantity::new(units),
        unit_price: Amount::new(1200),
        discount: Amount::ZERO,
        tax: Amount::ZERO,
        total: None,
    };
    let place = order::PlaceOrder {
        channel: ChannelCode::new("web").expect("a code"),
        external_id: Some(format!("B-{at}").into()),
        content: None,
        origin: Origin::Live,
        placed_at: None,
        currency: Currency::USD,
        prices_include_tax: false,
        on_shortage: None,
        hold_owner: None,
        priority: 0,
        customer: None,
        ship_to: None,
        lines: vec![line(at * 7, 1), line(at * 13 + 1, 2)],
        charges: Vec::new(),
        total: None,
        payment_token: None,
        payments: Vec::new(),
        note: None,
        notify: false,
        metadata: Default::default(),
    };
    order::Command::PlaceOrder(Box::new(place)).into()
}
