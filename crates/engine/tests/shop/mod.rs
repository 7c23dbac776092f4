//! A small shop on a real engine, for tests.

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
use engine::log::Log;
use engine::log::sqlite::SqliteLog;
use engine::{Engine, Idempotency, Options, Reply, Submission};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub struct Shop {
    pub engine: Engine,
    replies: Mutex<Receiver<Vec<(u64, Reply)>>>,
}

impl Shop {
    pub fn open(folder: &Path) -> Self {
        let (send, replies) = channel();
        let options = Options { on_replies: Box::new(move |batch| send.send(batch).unwrap_or(())), ..Options::new(folder) };
        Self { engine: Engine::open(options).unwrap(), replies: Mutex::new(replies) }
    }

    /// With a clock that the test turns, and maybe a disk of so many pages.
    #[allow(dead_code, reason = "each test file is compiled with its own copy")]
    pub fn open_with(folder: &Path, clock: Box<dyn Fn() -> Timestamp + Send>, log_pages_max: Option<u32>) -> Self {
        let (send, replies) = channel();
        let options = Options { clock, on_replies: Box::new(move |batch| send.send(batch).unwrap_or(())), ..Options::new(folder) };
        let engine = match log_pages_max {
            Some(pages) => Engine::open_bounded(options, pages),
            None => Engine::open(options),
        };
        Self { engine: engine.unwrap(), replies: Mutex::new(replies) }
    }

    /// On a disk of the test's own.
    #[allow(dead_code, reason = "each test file is compiled with its own copy")]
    pub fn open_on<L: Log + 'static>(folder: &Path, disk: impl FnOnce(SqliteLog) -> L) -> Self {
        let (send, replies) = channel();
        let options = Options { on_replies: Box::new(move |batch| send.send(batch).unwrap_or(())), ..Options::new(folder) };
        Self { engine: Engine::open_on(options, |log| Ok(disk(log))).unwrap(), replies: Mutex::new(replies) }
    }

    /// Without waiting for the reply. `false` when the queue is full.
    #[allow(dead_code, reason = "each test file is compiled with its own copy")]
    pub fn try_send(&self, command: Command, token: u64) -> bool {
        self.engine.submit(Submission { command, actor: "test".into(), idempotency: None, token }).is_ok()
    }

    /// Without waiting for the reply; keyed with the hash of what it says.
    #[allow(dead_code, reason = "each test file is compiled with its own copy")]
    pub fn send(&self, command: Command, key: Option<&str>, token: u64) {
        let idempotency = key.map(|key| Idempotency { key: key.into(), body: format!("{command:?}") });
        assert!(self.engine.submit(Submission { command, actor: "test".into(), idempotency, token }).is_ok());
    }

    /// Replies that have come, or come within the time; empty when none did.
    #[allow(dead_code, reason = "each test file is compiled with its own copy")]
    pub fn heard(&self, limit: Duration) -> Vec<(u64, Reply)> {
        self.replies.lock().unwrap().recv_timeout(limit).unwrap_or_default()
    }

    /// One command, alone.
    pub fn run(&self, command: impl Into<Command>, key: Option<(&str, &str)>) -> Reply {
        let idempotency = key.map(|(key, body)| Idempotency { key: key.into(), body: body.into() });
        let submission = Submission { command: command.into(), actor: "test".into(), idempotency, token: 7 };
        assert!(self.engine.submit(submission).is_ok());
        loop {
            let batch = self.replies.lock().unwrap().recv().unwrap();
            if let Some((_, reply)) = batch.into_iter().next() {
                return reply;
            }
        }
    }

    pub fn furnish(&self, units: u32) {
        let location = LocationCode::new("AUS").unwrap();
        for command in furniture() {
            assert!(matches!(self.run(command, None), Reply::Done { .. }));
        }
        let lines = vec![ReceiptLine { sku: Sku::new("MUG").unwrap(), quantity: Quantity::new(units) }];
        self.run(stock::Command::ReceiveStock { location, reference: None, lines }, None);
    }
}

pub fn furniture() -> Vec<Command> {
    let created_at = Timestamp(0);
    let address = Address { country: "US".into(), ..Address::default() };
    let location = Location {
        code: LocationCode::new("AUS").unwrap(),
        name: "Austin".into(),
        address,
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
        timing: PaymentTiming::CaptureAtShipment,
        backorder: BackorderPayment::Now,
        window_ms: 0,
        gateway: "test".into(),
        single_capture: SingleCapture::FirstShipment,
        multicapture: true,
        overcapture_percent: 0,
        on_expiry: domain::catalog::OnExpiry::Reauthorize,
    };
    let channel = Channel {
        code: ChannelCode::new("web").unwrap(),
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
    let item = Item {
        sku: Sku::new("MUG").unwrap(),
        name: "Mug".into(),
        kind: ItemKind::Stocked,
        barcode: None,
        unit_cost: None,
        weight_grams: None,
        backorder_cap: BackorderCap::Unlimited,
        on_shortage: None,
        available_from: None,
        metadata: Default::default(),
        status: ItemStatus::Active,
        version: 0,
        created_at,
    };
    vec![
        catalog::Command::CreateLocation(location).into(),
        catalog::Command::CreateChannel(channel).into(),
        catalog::Command::CreateItem(item).into(),
    ]
}

pub fn place(external_id: &str, units: u32) -> Command {
    let line = order::PlaceLine {
        external_id: None,
        sku: Sku::new("MUG").unwrap(),
        quantity: Quantity::new(units),
        unit_price: Amount::new(1000),
        discount: Amount::ZERO,
        tax: Amount::ZERO,
        total: None,
    };
    let place = order::PlaceOrder {
        channel: ChannelCode::new("web").unwrap(),
        external_id: Some(external_id.into()),
        content: Some(units.to_string().into()),
        origin: Origin::Live,
        placed_at: None,
        currency: Currency::USD,
        prices_include_tax: false,
        on_shortage: None,
        hold_owner: None,
        priority: 0,
        customer: None,
        ship_to: None,
        lines: vec![line],
        charges: Vec::new(),
        total: None,
        payment_token: None,
        payments: Vec::new(),
        note: None,
        notify: true,
        metadata: Default::default(),
    };
    order::Command::PlaceOrder(Box::new(place)).into()
}
