//! Trading: customers order, the warehouse works, suppliers deliver; each acts on the events it sees.

use super::Speed;
use super::sample::{Order, Sample};
use anyhow::{Result, bail};
use domain::catalog::Shortage;
use domain::command::{Command, fulfillment, order, purchasing, returns};
use domain::event::purchasing::ReceivedUnits;
use domain::fulfillment::Shipment;
use domain::id::{ChannelCode, FulfillmentId, LineId, LocationCode, OrderId, PurchaseOrderId, ReturnId};
use domain::money::{Amount, Currency};
use domain::order::{Buyer, Origin, ShipTo};
use domain::purchasing::PurchaseOrder;
use domain::quantity::Quantity;
use domain::returns::Disposition;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use domain::{Event, Image, State};
use engine::Reply;
use serde_json::{Value, json};
use server::shop::Shop;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// How long the shop goes on after the last order.
const AFTERWARDS_MS: i64 = 12 * DAY_MS;
const LOOK: Duration = Duration::from_millis(2);
const LINE_EVERY: Duration = Duration::from_millis(500);
/// Where the output is no terminal.
const LINE_ELSEWHERE_EVERY: Duration = Duration::from_secs(10);
/// Steps in which the clock goes while somebody watches.
const SLICE: Duration = Duration::from_millis(250);
/// How long the clock waits for gateways.
const GATEWAY_WAIT: Duration = Duration::from_secs(5);
/// Transactions that one look at the log takes.
const STEP: usize = 500;

enum Act {
    Cancel(OrderId),
    Pick(FulfillmentId),
    Ship(FulfillmentId),
    Deliver(FulfillmentId),
    Supply(PurchaseOrderId),
    Return(OrderId),
    TakeBack(ReturnId),
}

#[derive(Default)]
struct Counts {
    orders: u64,
    rejected: u64,
    declined: u64,
    canceled: u64,
    backordered: u64,
    shipped: u64,
    delivered: u64,
    completed: u64,
    returns: u64,
    purchase_orders: u64,
    received: u64,
    late_suppliers: u64,
    events: u64,
}

pub struct Trade {
    shop: Arc<Shop>,
    time: Arc<AtomicI64>,
    speed: Speed,
    orders: VecDeque<Order>,
    agenda: BTreeMap<(Timestamp, u64), Act>,
    entries: u64,
    cursor: u64,
    counts: Counts,
    /// Names of the orders that are placed.
    placed: BTreeSet<SmolStr>,
    /// Somebody sees the line.
    watched: bool,
    terminal: bool,
    started: Instant,
    printed: Instant,
}

/// One in `many`, always the same ones.
fn chance(text: &str, many: u64) -> bool {
    number(text).is_multiple_of(many)
}

/// The same number for the same text each time: chance without a die.
fn number(text: &str) -> u64 {
    text.bytes().fold(14_695_981_039_346_656_037, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)) >> 20
}

impl Trade {
    pub fn new(shop: Arc<Shop>, time: Arc<AtomicI64>, speed: Speed, sample: Sample) -> Self {
        // From the first event on: replenishment began when the shop was furnished.
        let cursor = 0;
        let (started, printed) = (Instant::now(), Instant::now());
        Self {
            shop,
            time,
            speed,
            orders: sample.orders.into(),
            agenda: BTreeMap::new(),
            entries: 0,
            cursor,
            counts: Counts::default(),
            placed: BTreeSet::new(),
            watched: false,
            terminal: std::io::stdout().is_terminal(),
            started,
            printed,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.time.load(Ordering::Relaxed))
    }

    /// Trades until nothing is left to do; with somebody who watches, the shop then stays open and works on what they order.
    pub async fn run(&mut self, headless: bool) -> Result<()> {
        self.watched = !headless;
        let ends = self.orders.back().map_or(self.now(), |order| order.at).plus_ms(AFTERWARDS_MS);
        let mut told = false;
        loop {
            self.listen().await?;
            self.settle_outside().await?;
            let next_order = self.orders.front().map(|order| order.at);
            let next_act = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let next = next_order.into_iter().chain(next_act).min().filter(|at| self.watched || *at <= ends);
            if next_order.is_none() && self.watched && !told {
                told = true;
                println!("\nAll orders of the sample are traded. The shop stays open and works on what you order; Ctrl-C ends it.");
            }
            let Some(at) = next else {
                if headless {
                    return Ok(());
                }
                self.pass(self.now().plus_ms(DAY_MS)).await?;
                continue;
            };
            if !self.pass(at).await? {
                continue;
            }
            if next_act == Some(at) {
                if let Some((_, act)) = self.agenda.pop_first() {
                    self.act(act).await?;
                }
            } else {
                self.place().await?;
            }
        }
    }

    /// Lets time go on to `at`, in small steps while somebody watches. `false` when something has come up before.
    async fn pass(&mut self, at: Timestamp) -> Result<bool> {
        loop {
            if self.watched && self.printed.elapsed() > self.line_every() {
                self.print_line().await;
            }
            let ahead = at.0 - self.now().0;
            // At full speed the clock jumps; without anything to jump to, it goes as the wall's.
            let idle = self.agenda.is_empty() && self.orders.is_empty();
            let factor = match self.speed {
                Speed::Times(factor) => i64::from(factor),
                Speed::Max if idle => 1,
                Speed::Max => return Ok(self.arrive(at)),
            };
            let slice_ms = i64::try_from(SLICE.as_millis()).unwrap_or(250) * factor;
            if ahead <= slice_ms {
                tokio::time::sleep(Duration::from_micros(u64::try_from(ahead.max(0) * 1000 / factor).unwrap_or(0))).await;
                return Ok(self.arrive(at));
            }
            tokio::time::sleep(SLICE).await;
            self.arrive(self.now().plus_ms(slice_ms));
            self.listen().await?;
            if self.agenda.first_key_value().is_some_and(|((planned, _), _)| *planned < at) {
                return Ok(false);
            }
        }
    }

    fn arrive(&self, at: Timestamp) -> bool {
        self.time.fetch_max(at.0, Ordering::Relaxed);
        true
    }

    fn plan(&mut self, from: Timestamp, after_ms: i64, act: Act) {
        self.entries += 1;
        self.agenda.insert((from.plus_ms(after_ms), self.entries), act);
    }

    /// Goes on where a shop that was kept stands: what is placed is placed, what was done is done.
    pub async fn resume(&mut self) -> Result<()> {
        self.listen().await?;
        let now = self.now();
        self.agenda = self.agenda.split_off(&(now, 0));
        let placed = std::mem::take(&mut self.placed);
        self.orders.retain(|order| !placed.contains(order.invoice.as_str()));
        Ok(())
    }

    /// Gateways answer in real time: the clock waits for them.
    async fn settle_outside(&mut self) -> Result<()> {
        // A gateway that takes its time must not stop the shop.
        let until = Instant::now() + GATEWAY_WAIT;
        while !self.shop.engine.outstanding().is_empty() && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
            if let Some(why) = self.shop.engine.failure() {
                bail!("the engine stopped: {why}");
            }
        }
        self.listen().await
    }

    /// Everyone reacts to what happened.
    async fn listen(&mut self) -> Result<()> {
        loop {
            let cursor = self.cursor;
            let (events, looked) = self.shop.read(move |reader| reader.events(cursor, STEP)).await?;
            if looked == cursor {
                return Ok(());
            }
            self.cursor = looked;
            for row in events {
                self.counts.events += 1;
                let text = format!("{{\"type\":{},\"data\":{}}}", json!(row.kind), row.data);
                self.hear(Timestamp(row.time), serde_json::from_str(&text)?);
            }
        }
    }

    fn hear(&mut self, at: Timestamp, event: Event) {
        match event {
            Event::FulfillmentReleased(event) => {
                let minutes = 30 + i64::try_from(number(&event.fulfillment.text()) % 180).unwrap_or(0);
                self.plan(at, minutes * MINUTE_MS, Act::Pick(event.fulfillment));
            }
            Event::PickStarted(event) => self.plan(at, HOUR_MS, Act::Ship(event.fulfillment)),
            Event::Shipped(event) => {
                self.counts.shipped += 1;
                self.plan(at, DAY_MS + 6 * HOUR_MS, Act::Deliver(event.fulfillment));
            }
            Event::Delivered(event) => {
                self.counts.delivered += 1;
                if chance(&event.fulfillment.text(), 40) {
                    self.plan(at, 2 * DAY_MS, Act::Return(event.fulfillment.order));
                }
            }
            Event::PurchaseOrderSent(event) => {
                self.counts.purchase_orders += 1;
                // The truck comes in the morning of the day that was told, or two days later.
                let morning = event.expected_on.iter().max().map_or(at, |day| day.at_minute(9 * 60, &jiff::tz::TimeZone::UTC));
                let late = chance(&event.purchase_order.text(), 6);
                self.counts.late_suppliers += u64::from(late);
                let truck = morning.plus_ms(if late { 2 * DAY_MS } else { 0 }).max(at.plus_ms(HOUR_MS));
                self.plan(truck, 0, Act::Supply(event.purchase_order));
            }
            Event::PurchaseOrderReceived(_) => self.counts.received += 1,
            Event::OrderPlaced(event) => {
                self.counts.orders += 1;
                self.placed.extend(event.order.external_id.clone());
                if chance(&event.order.number, 50) {
                    self.plan(at, 20 * MINUTE_MS, Act::Cancel(event.order.id));
                }
            }
            Event::OrderRejected(_) => self.counts.rejected += 1,
            Event::OrderBackordered(_) => self.counts.backordered += 1,
            Event::OrderCanceled(event) if event.closes => self.counts.canceled += 1,
            Event::OrderCompleted(_) => self.counts.completed += 1,
            Event::PaymentFailed(_) => self.counts.declined += 1,
            Event::ReturnRequested(event) => {
                self.counts.returns += 1;
                self.plan(at, 2 * DAY_MS, Act::TakeBack(event.id));
            }
            _ => {}
        }
    }

    /// A refusal is part of trading: an order that went out meanwhile cannot be canceled.
    async fn submit(&self, command: impl Into<Command>, actor: &str) -> Result<()> {
        match self.shop.submit(command.into(), actor.to_owned(), None).await {
            Ok(Reply::Done { .. } | Reply::Refused { .. }) => Ok(()),
            Ok(Reply::KeyReused | Reply::OutcomeUnknown | Reply::NoSpace) | Err(_) => {
                bail!("the shop takes no more commands: {}", self.shop.engine.failure().unwrap_or_default())
            }
        }
    }

    async fn act(&mut self, act: Act) -> Result<()> {
        let warehouse = "demo warehouse";
        match act {
            Act::Cancel(order) => {
                let (reason, lines) = ("customer changed their mind".into(), Vec::new());
                self.submit(order::Command::CancelOrder { order, reason, lines, expected_version: None }, "demo customer").await
            }
            Act::Pick(fulfillment) => self.submit(fulfillment::Command::StartPick { fulfillment }, warehouse).await,
            Act::Ship(fulfillment) => {
                let tracking_number = Some(format!("QM{:09}", number(&fulfillment.text()) % 1_000_000_000).into());
                let shipment = Shipment { carrier: Some("Royal Mail".into()), tracking_number, ..Shipment::default() };
                self.submit(fulfillment::Command::Ship { fulfillment, shipment }, warehouse).await
            }
            Act::Deliver(fulfillment) => {
                self.submit(fulfillment::Command::Deliver { fulfillment, delivered_at: None }, "demo carrier").await
            }
            Act::Supply(order) => self.supply(order).await,
            Act::Return(order) => {
                let lines = vec![(LineId { order, n: 1 }, Quantity::ONE)];
                self.submit(returns::Command::Request { order, lines, reason: Some("unwanted".into()) }, "demo customer").await
            }
            Act::TakeBack(id) => {
                self.submit(returns::Command::Approve { id }, "demo").await?;
                let lines = vec![returns::Arrived { index: 0, disposition: Disposition::Restock, quantity: Quantity::ONE }];
                self.submit(returns::Command::Receive { id, location: LocationCode::new("LON")?, lines }, warehouse).await?;
                self.submit(returns::Command::Close { id }, warehouse).await
            }
        }
    }

    /// One in eight deliveries is a little short; the rest never comes.
    async fn supply(&self, id: PurchaseOrderId) -> Result<()> {
        let Some(order) = self.purchase_order(id).await? else { return Ok(()) };
        let short = chance(&format!("short {id}"), 8);
        let lines = order.lines.iter().filter(|line| !line.open().is_zero()).map(|line| {
            let open = line.open().get();
            let accepted = Quantity::new(if short { open - open / 5 } else { open });
            ReceivedUnits { sku: line.sku.clone(), accepted, damaged: Quantity::ZERO }
        });
        let command = purchasing::Command::Receive { order: id, lines: lines.collect(), confirm_over_receipt: false };
        self.submit(command, "demo warehouse").await?;
        if short {
            self.submit(purchasing::Command::CloseShort { order: id }, "demo").await?;
        }
        Ok(())
    }

    async fn purchase_order(&self, id: PurchaseOrderId) -> Result<Option<Arc<PurchaseOrder>>> {
        Ok(match self.shop.read(move |reader| reader.entity("purchase_order", &id.text())).await? {
            Some(Image::PurchaseOrder(_, order)) => order,
            _ => None,
        })
    }

    async fn place(&mut self) -> Result<()> {
        let Some(sold) = self.orders.pop_front() else { return Ok(()) };
        let names = sold.customer.iter().map(|id| self.shop.vault.fingerprint("external_id", id)).collect::<Vec<_>>();
        let id = self.shop.vault.customer(&server::vault::Buyer { names, words: Vec::new() })?;
        let token = if chance(&sold.invoice, 33) { "tok_decline" } else { "tok_visa" };
        let lines = sold.lines.into_iter().map(|(sku, units, price)| order::PlaceLine {
            external_id: None,
            sku,
            quantity: Quantity::new(units),
            unit_price: Amount::new(price),
            discount: Amount::ZERO,
            tax: Amount::ZERO,
            total: None,
        });
        let place = order::PlaceOrder {
            channel: ChannelCode::new("web")?,
            external_id: Some(sold.invoice.into()),
            content: None,
            origin: Origin::Live,
            placed_at: None,
            currency: Currency::GBP,
            prices_include_tax: true,
            on_shortage: Some(Shortage::Split),
            hold_owner: None,
            priority: 0,
            customer: Some(Buyer { id, details: None, email_fingerprint: None }),
            ship_to: Some(ShipTo { country: sold.country.into(), region: None, coordinates: None, details: None }),
            lines: lines.collect(),
            charges: Vec::new(),
            total: None,
            payment_token: Some(token.into()),
            payments: Vec::new(),
            note: None,
            notify: false,
            metadata: Default::default(),
        };
        self.submit(order::Command::PlaceOrder(Box::new(place)), "demo customer").await
    }

    fn line_every(&self) -> Duration {
        if self.terminal { LINE_EVERY } else { LINE_ELSEWHERE_EVERY }
    }

    async fn print_line(&mut self) {
        self.printed = Instant::now();
        let today = self.now().utc_date();
        let numbers = self.shop.query(move |state| standing(state, today)).await.unwrap_or_default();
        let (open, late, short, on_order) = numbers;
        let Counts { orders, shipped, completed, .. } = self.counts;
        let now = self.now().to_string()[..16].replace('T', " ");
        let line = format!(
            "{now}  orders {orders}  open {open}  late {late}  short {short}  on order {on_order}  shipped {shipped}  completed {completed}"
        );
        if self.terminal {
            print!("\r{line}   ");
        } else {
            println!("{line}");
        }
        // A terminal that is gone shows nothing more.
        let _ = std::io::stdout().flush();
    }

    pub async fn summary(&mut self) -> Result<Value> {
        self.listen().await?;
        let today = self.now().utc_date();
        let (open, late, short, on_order) = self.shop.query(move |state| standing(state, today)).await.unwrap_or_default();
        let counts = &self.counts;
        let seconds = self.started.elapsed().as_secs_f64();
        Ok(json!({
            "orders": counts.orders, "rejected": counts.rejected, "declined": counts.declined, "canceled": counts.canceled,
            "backordered": counts.backordered, "shipped": counts.shipped, "delivered": counts.delivered, "completed": counts.completed,
            "returns": counts.returns, "purchase_orders": counts.purchase_orders, "received": counts.received,
            "late_suppliers": counts.late_suppliers, "open": open, "late": late, "short_skus": short, "units_on_order": on_order,
            "events": counts.events, "seconds": (seconds * 10.0).round() / 10.0,
        }))
    }
}

/// Open orders, late ones, levels that owe units, units on order.
fn standing(state: &State, today: domain::time::Date) -> (u64, u64, u64, u64) {
    let (mut open, mut late, mut short, mut on_order) = (0, 0, 0, 0);
    for (_, case) in state.cases.sorted() {
        let waits = |line: &domain::order::Line| line.parts.iter().any(|part| !part.open().is_zero());
        open += u64::from(!case.order.is_closed());
        let overdue = |line: &&domain::order::Line| line.promise.as_ref().is_some_and(|promise| promise.ship_by < today) && waits(line);
        late += u64::from(!case.order.is_closed() && case.order.lines.iter().any(|line| overdue(&line)));
    }
    for (_, level) in state.stock.levels.sorted() {
        short += u64::from(!level.backordered.is_zero());
        on_order += u64::from(level.incoming().get());
    }
    (open, late, short, on_order)
}
