//! Stories: lines of `what is done -> event types that follow`, run against real rules, with every invariant after each line.

mod further;

use domain::catalog::{
    Address, BackorderCap, BackorderPayment, Buffer, Channel, ChannelKind, Component, Item, ItemKind, ItemStatus, Location, LocationKind,
    OnExpiry, PaymentPolicy, PaymentTiming, Shortage, SingleCapture,
};
use domain::command::notification::Posted;
use domain::command::{Command, catalog, fulfillment, notification, order, payment, purchasing, returns, stock};
use domain::event::stock::Bucket;
use domain::fulfillment::Shipment;
use domain::id::{
    ChannelCode, CustomerId, DeliveryId, FulfillmentId, HoldId, LineId, LocationCode, NotificationId, OrderId, ReturnId, Sku,
};
use domain::money::{Amount, Currency};
use domain::notification::Failure;
use domain::order::{Buyer, Origin};
use domain::payment::{Action, Outcome};
use domain::quantity::Quantity;
use domain::returns::Disposition;
use domain::stock::ReceiptLine;
use domain::text::Fingerprint;
use domain::time::Timestamp;
use domain::{Context, Rejection, State, Transaction, invariants};
use std::collections::BTreeMap;

/// Monday 2026-11-23, 09:00 UTC.
pub const START: Timestamp = Timestamp(1_795_424_400_000);

/// Due things bring about due things, but not for ever.
const ROUNDS_MAX: usize = 20;

pub struct World {
    pub state: State,
    pub now: Timestamp,
    pub log: Vec<(Timestamp, Transaction)>,
    pub orders: BTreeMap<String, OrderId>,
    /// Buyers have a mail address.
    pub addressed: bool,
}

pub fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

pub fn location(code: &str, priority: u16) -> Location {
    Location {
        code: LocationCode::new(code).unwrap(),
        name: code.into(),
        address: Address { country: if code == "BER" { "DE".into() } else { "US".into() }, ..Address::default() },
        coordinates: None,
        time_zone: "UTC".into(),
        cutoff_minute: 15 * 60,
        working_days: vec![0, 1, 2, 3, 4],
        handling_days: 1,
        priority,
        kind: LocationKind::Warehouse,
        active: true,
        version: 0,
        created_at: START,
    }
}

pub fn channel(code: &str) -> Channel {
    Channel {
        code: ChannelCode::new(code).unwrap(),
        name: code.into(),
        kind: ChannelKind::Web,
        locations: Vec::new(),
        buffer: Buffer::None,
        on_shortage: Shortage::Reject,
        payment: PaymentPolicy {
            timing: PaymentTiming::CaptureAtShipment,
            backorder: BackorderPayment::Now,
            window_ms: 0,
            gateway: "test".into(),
            single_capture: SingleCapture::FirstShipment,
            multicapture: true,
            overcapture_percent: 0,
            on_expiry: OnExpiry::Reauthorize,
        },
        sourcing: Vec::new(),
        mail: None,
        active: true,
        version: 0,
        created_at: START,
    }
}

pub fn item(text: &str, kind: ItemKind) -> Item {
    Item {
        sku: sku(text),
        name: text.into(),
        kind,
        barcode: None,
        unit_cost: None,
        weight_grams: None,
        backorder_cap: BackorderCap::Unlimited,
        on_shortage: None,
        available_from: None,
        metadata: Default::default(),
        status: ItemStatus::Active,
        version: 0,
        created_at: START,
    }
}

impl World {
    /// MUG and TEA are stocked, SET is a kit of one MUG and two TEA, WRAP is a service; AUS comes before BER.
    pub fn new() -> Self {
        let mut world = Self { state: State::default(), now: START, log: Vec::new(), orders: BTreeMap::new(), addressed: false };
        world.run(catalog::Command::CreateLocation(location("AUS", 1))).unwrap();
        world.run(catalog::Command::CreateLocation(location("BER", 2))).unwrap();
        world.run(catalog::Command::CreateChannel(channel("web"))).unwrap();
        for stocked in ["MUG", "TEA"] {
            world.run(catalog::Command::CreateItem(item(stocked, ItemKind::Stocked))).unwrap();
        }
        let part = |text: &str, quantity| Component { sku: sku(text), quantity: Quantity::new(quantity) };
        let kit = ItemKind::Kit { components: vec![part("MUG", 1), part("TEA", 2)], split_kit: false };
        world.run(catalog::Command::CreateItem(item("SET", kit))).unwrap();
        world.run(catalog::Command::CreateItem(item("WRAP", ItemKind::Service))).unwrap();
        world
    }

    pub fn run(&mut self, command: impl Into<Command>) -> Result<Transaction, Rejection> {
        let cx = Context { now: self.now, actor: "story".into() };
        let transaction = self.state.settle(&cx, command.into())?;
        invariants::check(&self.state).unwrap_or_else(|broken| panic!("{broken}\nafter {transaction:#?}"));
        self.log.push((self.now, transaction.clone()));
        Ok(transaction)
    }

    /// The log, read back from its text, folds to the same state.
    pub fn replays(&self) {
        let mut again = State::default();
        for (time, transaction) in &self.log {
            for recorded in &transaction.events {
                let text = serde_json::to_string(recorded).unwrap();
                let read: domain::Recorded = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                assert!(again.apply(*time, &read), "stamps differ: {text}");
            }
            again.end_replay();
        }
        let text = |state: &State| state.images().iter().map(|image| serde_json::to_string(image).unwrap()).collect::<Vec<_>>();
        let (state, fold) = (text(&self.state), text(&again));
        let differs = state.iter().zip(&fold).find(|(left, right)| left != right);
        assert!(differs.is_none() && state.len() == fold.len(), "the fold differs: {differs:#?}");
    }

    /// Memory as it is after a start: from what was stored, not from what happened.
    pub fn restart(&mut self) {
        let mut again = State::default();
        self.state.images().into_iter().for_each(|image| again.load(image));
        self.state = again;
    }

    /// Lets time pass and does what it makes due.
    pub fn pass(&mut self, ms: i64) -> Vec<Transaction> {
        self.now = self.now.plus_ms(ms);
        let mut done = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let before = done.len();
            for command in self.state.due(self.now) {
                let transaction = self.run(command).unwrap();
                done.extend((!transaction.events.is_empty()).then_some(transaction));
            }
            if done.len() == before {
                return done;
            }
        }
        panic!("time makes due what never ends: {:?}", self.state.due(self.now));
    }

    pub fn act(&mut self, words: &[&str]) -> Result<Vec<Transaction>, Rejection> {
        let quantity = |text: &str| Quantity::new(text.parse().unwrap_or_else(|_| panic!("no quantity: {text}")));
        let at = |text: &str| {
            let (name, place) = text.split_once('@').unwrap_or((text, "AUS"));
            (sku(name), LocationCode::new(place).unwrap())
        };
        let one: Command = match words {
            ["receive", place, units] => {
                let (sku, location) = at(place);
                let lines = vec![ReceiptLine { sku, quantity: quantity(units) }];
                stock::Command::ReceiveStock { location, reference: None, lines }.into()
            }
            ["adjust", place, delta] => {
                let (sku, location) = at(place);
                let change = stock::Change::Delta(delta.parse().unwrap());
                let lines = vec![stock::AdjustLine { sku, bucket: Bucket::OnHand, change, if_quantity: None }];
                let (reason, reference, count, occurred_at) = ("shrinkage".into(), None, None, None);
                stock::Command::AdjustStock(stock::AdjustStock { location, reason, reference, count, occurred_at, lines }).into()
            }
            ["adjust", first, a, second, b] => {
                let line = |place: &str, delta: &str| {
                    let change = stock::Change::Delta(delta.parse().unwrap());
                    stock::AdjustLine { sku: at(place).0, bucket: Bucket::OnHand, change, if_quantity: None }
                };
                let (location, lines) = (at(first).1, vec![line(first, a), line(second, b)]);
                let (reason, reference, count, occurred_at) = ("shrinkage".into(), None, None, None);
                stock::Command::AdjustStock(stock::AdjustStock { location, reason, reference, count, occurred_at, lines }).into()
            }
            ["damage", place, units] => {
                let (sku, location) = at(place);
                let lines = vec![ReceiptLine { sku, quantity: quantity(units) }];
                stock::Command::MoveStock { location, reason: None, from: Bucket::OnHand, to: Bucket::Damaged, lines }.into()
            }
            ["safety", place, units] => {
                let (sku, location) = at(place);
                stock::Command::SetSafetyStock { sku, location, safety_stock: quantity(units) }.into()
            }
            ["hold", owner, name, units, rest @ ..] => {
                let word = |name: &str| rest.iter().position(|word| *word == name).map(|at| rest[at + 1]);
                let location = word("at").map(|code| LocationCode::new(code).unwrap());
                let lines = vec![stock::WantedLine { sku: sku(name), quantity: quantity(units), location }];
                let (owner, channel) = ((*owner).into(), Some(ChannelCode::new(word("via").unwrap_or("web")).unwrap()));
                stock::Command::CreateHold(stock::CreateHold { owner, channel, ttl_ms: 60_000, lines }).into()
            }
            ["unhold", n] => stock::Command::ReleaseHold { hold: HoldId(n.parse().unwrap()) }.into(),
            ["place", name, rest @ ..] => {
                let mut command = place(name, rest);
                if self.addressed {
                    let email_fingerprint = Some(Fingerprint("ada".into()));
                    command.customer = Some(Buyer { id: CustomerId(1), details: None, email_fingerprint });
                }
                let transaction = self.run(order::Command::PlaceOrder(Box::new(command)))?;
                self.orders.insert((*name).to_owned(), OrderId(self.state.counters().order));
                return Ok(vec![transaction]);
            }
            ["cancel", name] => {
                let (order, reason) = (self.orders[*name], "customer".into());
                order::Command::CancelOrder { order, reason, lines: Vec::new(), expected_version: None }.into()
            }
            ["cancel", name, line, units] => {
                let (order, reason) = (self.orders[*name], "customer".into());
                let line = LineId { order, n: line.parse().unwrap() };
                let lines = vec![order::CancelLine { line, quantity: quantity(units) }];
                order::Command::CancelOrder { order, reason, lines, expected_version: None }.into()
            }
            ["edit", name, line, units] => {
                let order = self.orders[*name];
                let line = LineId { order, n: line.parse().unwrap() };
                let set = vec![order::EditLine { line, quantity: quantity(units), discount: None, tax: None }];
                order::Command::EditOrder(order::EditOrder { order, expected_version: None, set, add: Vec::new() }).into()
            }
            ["stop", name] => {
                order::Command::HoldOrder { order: self.orders[*name], reason: "check".into(), expected_version: None }.into()
            }
            ["go", name] => order::Command::ReleaseOrder { order: self.orders[*name], expected_version: None }.into(),
            ["gateway", name] => return self.gateway(name, false, None),
            ["gateway", name, seconds] => {
                let expires_at = self.now.plus_ms(seconds.parse::<i64>().unwrap() * 1000);
                return self.gateway(name, false, Some(expires_at));
            }
            ["decline", name] => return self.gateway(name, true, None),
            ["retry", name] => payment::Command::RetryPayment { order: self.orders[*name], token: None }.into(),
            ["paid", name] => payment::Command::MarkPaid { order: self.orders[*name], amount: None, reference: None }.into(),
            ["refund", name, line, units] => {
                let order = self.orders[*name];
                let lines = vec![payment::RefundWanted { line: LineId { order, n: line.parse().unwrap() }, quantity: quantity(units) }];
                let (charges, amount, payment, reason) = (Amount::ZERO, None, None, None);
                payment::Command::RefundOrder(payment::RefundOrder { order, lines, charges, amount, payment, reason }).into()
            }
            [verb @ ("pick" | "pack" | "ship" | "deliver" | "recall" | "accept" | "refuse"), name, n] => {
                let fulfillment = FulfillmentId { order: self.orders[*name], n: n.parse().unwrap() };
                let shipment = Shipment { carrier: Some("UPS".into()), ..Shipment::default() };
                match *verb {
                    "pick" => fulfillment::Command::StartPick { fulfillment },
                    "pack" => fulfillment::Command::Pack { fulfillment },
                    "ship" => fulfillment::Command::Ship { fulfillment, shipment },
                    "deliver" => fulfillment::Command::Deliver { fulfillment, delivered_at: None },
                    "recall" => fulfillment::Command::RequestCancel { fulfillment, reason: "customer".into() },
                    "accept" => fulfillment::Command::AcceptCancel { fulfillment },
                    _ => fulfillment::Command::DeclineCancel { fulfillment, reason: None },
                }
                .into()
            }
            ["shortpick", name, n, line, units] => {
                let fulfillment = FulfillmentId { order: self.orders[*name], n: n.parse().unwrap() };
                let missing = vec![(line.parse().unwrap(), quantity(units))];
                fulfillment::Command::ShortPick { fulfillment, missing }.into()
            }
            ["supplier", auto, minimum] => {
                let supplier = domain::purchasing::Supplier {
                    code: domain::id::SupplierCode::new("ACME").unwrap(),
                    name: "Acme".into(),
                    email: Some("orders@acme.example".into()),
                    lead_time_days: 7,
                    currency: Currency::USD,
                    order_minimum: Amount::new(minimum.parse().unwrap()),
                    dispatch: if *auto == "mail" { domain::purchasing::DispatchVia::Mail } else { domain::purchasing::DispatchVia::None },
                    webhook: None,
                    auto: if *auto == "draft" { domain::purchasing::Auto::Draft } else { domain::purchasing::Auto::Send },
                    cutoff: (*auto == "cutoff").then(|| domain::purchasing::Cutoff {
                        minute: 12 * 60,
                        weekdays: vec![0, 1, 2, 3, 4],
                        time_zone: "UTC".into(),
                    }),
                    active: true,
                    metadata: Default::default(),
                    version: 0,
                    created_at: START,
                };
                purchasing::Command::CreateSupplier(supplier).into()
            }
            ["policy", place, point, target] => {
                let (sku, location) = at(place);
                let policy = domain::purchasing::Policy {
                    sku,
                    location,
                    source: domain::purchasing::Source::Supplier(domain::id::SupplierCode::new("ACME").unwrap()),
                    auto: None,
                    reorder_point: quantity(point),
                    amount: domain::purchasing::OrderAmount::OrderUpTo(quantity(target)),
                    moq: Quantity::new(1),
                    multiple: Quantity::new(6),
                    lead_time_days: None,
                    unit_cost: Amount::new(100),
                    active: true,
                    version: 0,
                };
                purchasing::Command::SetPolicy { policy, expected_version: None }.into()
            }
            ["arrive", po, name, accepted, damaged] => {
                let (accepted, damaged) = (quantity(accepted), quantity(damaged));
                let lines = vec![domain::event::purchasing::ReceivedUnits { sku: sku(name), accepted, damaged }];
                let order = domain::id::PurchaseOrderId(po.parse().unwrap());
                purchasing::Command::Receive { order, lines, confirm_over_receipt: false }.into()
            }
            [verb @ ("send" | "short" | "drop"), po] => {
                let order = domain::id::PurchaseOrderId(po.parse().unwrap());
                match *verb {
                    "send" => purchasing::Command::SendPurchaseOrder { order },
                    "short" => purchasing::Command::CloseShort { order },
                    _ => purchasing::Command::Cancel { order, reason: "no need".into() },
                }
                .into()
            }
            ["return", name, line, units] => {
                let order = self.orders[*name];
                let lines = vec![(LineId { order, n: line.parse().unwrap() }, quantity(units))];
                returns::Command::Request { order, lines, reason: None }.into()
            }
            [verb @ ("approve" | "deny" | "finish"), name, n] => {
                let id = ReturnId { order: Some(self.orders[*name]), n: n.parse().unwrap() };
                match *verb {
                    "approve" => returns::Command::Approve { id },
                    "deny" => returns::Command::Reject { id, reason: "worn".into() },
                    _ => returns::Command::Close { id },
                }
                .into()
            }
            ["back", name, n, units, what] => {
                let id = ReturnId { order: Some(self.orders[*name]), n: n.parse().unwrap() };
                let disposition = disposition(what);
                let lines = vec![returns::Arrived { index: 0, disposition, quantity: quantity(units) }];
                returns::Command::Receive { id, location: LocationCode::new("AUS").unwrap(), lines }.into()
            }
            ["blind", name, units, what] => {
                let (location, lines) = (LocationCode::new("AUS").unwrap(), vec![(sku(name), quantity(units), disposition(what))]);
                let (external_id, reason, occurred_at) = (None, None, None);
                returns::Command::ReceiveBlind(returns::BlindReturn { location, external_id, reason, occurred_at, lines }).into()
            }
            [verb @ ("start" | "sent" | "busy" | "refused" | "doubt" | "again"), what, rest @ ..] => {
                let of = match rest {
                    [n] => DeliveryId::Notification(NotificationId { order: self.orders[*what], n: n.parse().unwrap() }),
                    _ => DeliveryId::PurchaseOrder(domain::id::PurchaseOrderId(what.parse().unwrap())),
                };
                let failure = || Failure { code: "451".into(), message: "try later".into() };
                let posted = match *verb {
                    "start" => return Ok(vec![self.run(notification::Command::Start { of })?]),
                    "again" => return Ok(vec![self.run(notification::Command::Resend { of })?]),
                    "sent" => Posted::Sent { reference: "id".into() },
                    "busy" => Posted::Later(failure()),
                    "refused" => Posted::Refused(failure()),
                    _ => Posted::InDoubt(failure()),
                };
                notification::Command::Record { of, posted }.into()
            }
            ["wait", seconds] => return Ok(self.pass(seconds.parse::<i64>().unwrap() * 1000)),
            other => return self.act_further(other),
        };
        Ok(vec![self.run(one)?])
    }

    /// Answers every outstanding effect of an order.
    fn gateway(&mut self, name: &str, decline: bool, expires_at: Option<Timestamp>) -> Result<Vec<Transaction>, Rejection> {
        let order = self.orders[name];
        let mut done = Vec::new();
        for effect in self.state.case(order)?.effects.clone() {
            let reference = "ref".into();
            let outcome = match effect.action {
                _ if decline => Outcome::Declined { code: "card_declined".into(), message: "no".into() },
                Action::Authorize { amount, .. } => Outcome::Authorized { amount, reference, expires_at },
                Action::Verify { amount, .. } => Outcome::Authorized { amount, reference, expires_at: None },
                Action::Capture { amount, .. } => Outcome::Captured { amount, reference },
                Action::Refund { amount, .. } => Outcome::Refunded { amount, reference },
                Action::Void { .. } => Outcome::Voided,
            };
            done.push(self.run(payment::Command::RecordEffect { effect: effect.id, order, outcome })?);
        }
        Ok(done)
    }

    /// Runs a story and compares each line with what follows from it.
    pub fn tell(&mut self, story: &str) {
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (step, expected) = line.split_once("->").unwrap_or((line, "*"));
            let words: Vec<&str> = step.split_whitespace().collect();
            let got = match self.act(&words) {
                Ok(transactions) => {
                    let events = transactions.iter().flat_map(|transaction| &transaction.events);
                    let names = events.map(|recorded| recorded.event.type_name().trim_end_matches(".v1"));
                    // Each order that changed sums up last; stories tell what led there.
                    names.filter(|name| *name != "order.updated").collect::<Vec<_>>().join(" ")
                }
                Err(rejection) => format!("! {}", rejection.code()),
            };
            let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(expected == "*" || expected == got, "\nin      {line}\nwanted  {expected}\ngot     {got}\n");
        }
        self.replays();
    }
}

pub fn place(name: &str, words: &[&str]) -> order::PlaceOrder {
    let mut lines = Vec::new();
    let mut on_shortage = None;
    let mut hold_owner = None;
    let mut priority = 0;
    let mut channel = "web";
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "reject" => on_shortage = Some(Shortage::Reject),
            "backorder" => on_shortage = Some(Shortage::Backorder),
            "split" => on_shortage = Some(Shortage::Split),
            "partial" => on_shortage = Some(Shortage::Partial),
            "urgent" => priority = 10,
            "via" => channel = words.next().unwrap(),
            "by" => hold_owner = words.next().map(|owner| (*owner).into()),
            text => lines.push(order::PlaceLine {
                external_id: None,
                sku: sku(text),
                quantity: Quantity::new(words.next().unwrap().parse().unwrap()),
                unit_price: Amount::new(1000),
                discount: Amount::ZERO,
                tax: Amount::ZERO,
                total: None,
            }),
        }
    }
    order::PlaceOrder {
        channel: ChannelCode::new(channel).unwrap(),
        external_id: Some(name.into()),
        content: Some(format!("{words:?}{lines:?}").into()),
        origin: Origin::Live,
        placed_at: None,
        currency: Currency::USD,
        prices_include_tax: false,
        on_shortage,
        hold_owner,
        priority,
        customer: None,
        ship_to: None,
        lines,
        charges: Vec::new(),
        total: None,
        payment_token: None,
        payments: Vec::new(),
        note: None,
        notify: true,
        metadata: Default::default(),
    }
}

fn disposition(word: &str) -> Disposition {
    match word {
        "restock" => Disposition::Restock,
        "damaged" => Disposition::Damaged,
        _ => Disposition::Scrap,
    }
}

/// A story in a shop of its own.
pub fn check(story: &str) {
    World::new().tell(story);
}
