//! A copy of the shop that goes its own way: customers ask as they did, the warehouse and the suppliers work by the clock.

use super::changes::Changes;
use super::later::Later;
use super::measure::Measure;
use anyhow::Result;
use domain::command::{catalog, fulfillment, order, purchasing, returns, stock};
use domain::event::purchasing::ReceivedUnits;
use domain::fulfillment::Shipment;
use domain::id::{FulfillmentId, OrderId, PurchaseOrderId};
use domain::order::{ClaimedPayment, Order, Origin};
use domain::purchasing::{Policy, PurchaseOrder, PurchaseOrderStatus};
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;
use domain::time::{HOUR_MS, Timestamp};
use domain::{Command, Context, Event, State};
use std::collections::BTreeMap;

/// Rounds of what is due at one instant.
const ROUNDS_MAX: usize = 10_000;
/// Hour of the day, in UTC, at which suppliers deliver.
const DELIVERY_MINUTE: u16 = 12 * 60;

enum Act {
    Ship(FulfillmentId),
    Supply(PurchaseOrderId),
}

pub struct World {
    state: State,
    now: Timestamp,
    changes: Changes,
    /// Suppliers and policies that count from the beginning, though the log makes them later.
    later: Later,
    pub measure: Measure,
    agenda: BTreeMap<(Timestamp, u64), Act>,
    entries: u64,
    ship_after_ms: i64,
    /// Orders and purchase orders of the log with what they are here.
    orders: BTreeMap<OrderId, OrderId>,
    purchase_orders: BTreeMap<PurchaseOrderId, PurchaseOrderId>,
    /// Things of the log that were refused here.
    pub skipped: u64,
}

impl World {
    pub fn new(state: State, ship_after_ms: i64, changes: Changes, later: Later) -> Self {
        let measure = Measure::new(&state);
        let (agenda, orders, purchase_orders) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { state, now: Timestamp(0), changes, later, measure, agenda, entries: 0, ship_after_ms, orders, purchase_orders, skipped: 0 }
    }

    /// Makes the changes, and plans for what is under way already.
    pub fn begin(&mut self, now: Timestamp) -> Result<()> {
        self.now = now;
        let suppliers: Vec<_> = self.state.purchasing.suppliers.sorted().into_iter().map(|(_, supplier)| supplier.clone()).collect();
        for changed in suppliers.iter().filter_map(|supplier| self.changes.supplier(supplier)).collect::<Vec<_>>() {
            self.must(purchasing::Command::UpdateSupplier { supplier: changed, expected_version: None })?;
        }
        for supplier in self.later.suppliers.values().cloned().collect::<Vec<_>>() {
            let supplier = self.changes.supplier(&supplier).unwrap_or(supplier);
            self.must(purchasing::Command::CreateSupplier(supplier))?;
        }
        let there: Vec<Policy> = self.state.purchasing.policies.sorted().into_iter().map(|(_, policy)| (**policy).clone()).collect();
        let mut codes = self.state.purchasing.suppliers.sorted_keys().into_iter();
        let only = codes.next().filter(|_| codes.next().is_none());
        let counted: Vec<Policy> = there.iter().cloned().chain(self.later.possible(&self.state)).collect();
        for policy in self.changes.policies(counted, only.as_ref(), &self.later)? {
            if !there.contains(&policy) {
                self.must(purchasing::Command::SetPolicy { policy, expected_version: None })?;
            }
        }
        let open: Vec<PurchaseOrder> = self.state.purchasing.orders.sorted().into_iter().map(|(_, order)| (**order).clone()).collect();
        for order in open.iter().filter(|order| !order.status.is_over() && order.status != PurchaseOrderStatus::Draft) {
            self.expect(order.id);
        }
        let released = self.state.cases.sorted().into_iter().flat_map(|(_, case)| &case.fulfillments);
        let waiting: Vec<FulfillmentId> = released.filter(|work| !work.status.is_over()).map(|work| work.id).collect();
        waiting.into_iter().for_each(|id| self.plan(self.ship_after_ms, Act::Ship(id)));
        self.due()
    }

    /// A change that the user asked for must be possible.
    fn must(&mut self, command: impl Into<Command>) -> Result<()> {
        self.settle(command.into()).map_err(|detail| {
            anyhow::anyhow!("the change is refused: {detail} If it is made after the replay begins, begin later with --from.")
        })
    }

    fn plan(&mut self, after_ms: i64, act: Act) {
        self.entries += 1;
        self.agenda.insert((self.now.plus_ms(after_ms), self.entries), act);
    }

    /// Lets time pass: what was planned happens, what is due is done.
    pub fn advance(&mut self, to: Timestamp) -> Result<()> {
        loop {
            let planned = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let timer = self.state.next_timer();
            let Some(at) = planned.into_iter().chain(timer).min().filter(|at| *at <= to) else { break };
            self.now = self.now.max(at);
            if planned == Some(at) {
                if let Some((_, act)) = self.agenda.pop_first() {
                    self.act(act);
                }
            } else if !self.timers() {
                // A timer that can't be rung would ring for ever.
                break;
            }
            self.due()?;
        }
        self.now = self.now.max(to);
        Ok(())
    }

    fn timers(&mut self) -> bool {
        let before = self.state.next_timer();
        for command in self.state.due(self.now) {
            self.tried(command);
        }
        self.state.next_timer() != before
    }

    /// Backorders that can be filled, until nothing more follows.
    fn due(&mut self) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            let mut changed = false;
            for command in self.state.due(self.now) {
                changed |= self.settle_counting(command).unwrap_or(0) > 0;
            }
            if !changed {
                return Ok(());
            }
        }
        anyhow::bail!("the replay does not come to rest at {}", self.now)
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Ship(fulfillment) => {
                let shipment = Shipment::default();
                self.tried(fulfillment::Command::Ship { fulfillment, shipment }.into());
                self.tried(fulfillment::Command::Deliver { fulfillment, delivered_at: None }.into());
            }
            Act::Supply(id) => {
                let Some(order) = self.state.purchasing.orders.get(&id).filter(|order| !order.status.is_over()) else { return };
                let today = self.now.utc_date();
                let due = order.lines.iter().filter(|line| !line.open().is_zero() && line.expected_on.is_none_or(|day| day <= today));
                let lines: Vec<ReceivedUnits> =
                    due.map(|line| ReceivedUnits { sku: line.sku.clone(), accepted: line.open(), damaged: Quantity::ZERO }).collect();
                if !lines.is_empty() {
                    self.tried(purchasing::Command::Receive { order: id, lines, confirm_over_receipt: true }.into());
                }
            }
        }
    }

    /// Something of the log happens here as well, as far as it comes from outside.
    pub fn outside(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::OrderPlaced(placed) if placed.order.origin == Origin::Live => self.place(&placed.order),
            Event::OrderCanceled(canceled) if canceled.closes && canceled.reason != "insufficient_stock" => {
                if let Some(order) = self.orders.get(&canceled.order).copied() {
                    let (reason, lines) = (canceled.reason.clone(), Vec::new());
                    // It may have shipped here before it was canceled there.
                    let _ = self.settle(order::Command::CancelOrder { order, reason, lines, expected_version: None }.into());
                }
            }
            Event::StockReceived(received) if received.purchase_order.is_none() => {
                let lines = received.lines.iter().map(|line| ReceiptLine { sku: line.sku.clone(), quantity: line.quantity }).collect();
                let (location, reference) = (received.location.clone(), received.reference.clone());
                self.tried(stock::Command::ReceiveStock { location, reference, lines }.into());
            }
            Event::StockAdjusted(adjusted) => {
                let lines = adjusted.lines.iter().map(|line| stock::AdjustLine {
                    sku: line.sku.clone(),
                    bucket: line.bucket,
                    change: stock::Change::Delta(line.delta),
                    if_quantity: None,
                });
                let command = stock::AdjustStock {
                    location: adjusted.location.clone(),
                    reason: adjusted.reason.clone(),
                    reference: None,
                    count: None,
                    occurred_at: None,
                    lines: lines.collect(),
                };
                self.tried(stock::Command::AdjustStock(command).into());
            }
            Event::ReturnReceived(back) => {
                let lines = back.lines.iter().map(|units| (units.sku.clone(), units.quantity, units.disposition)).collect();
                let (location, external_id) = (back.location.clone(), None);
                let blind = returns::BlindReturn { location, external_id, reason: None, occurred_at: None, lines };
                self.tried(returns::Command::ReceiveBlind(blind).into());
            }
            Event::SafetyStockSet(set) => {
                let (sku, location, safety_stock) = (set.sku.clone(), set.location.clone(), set.safety_stock);
                self.tried(stock::Command::SetSafetyStock { sku, location, safety_stock }.into());
            }
            other => self.outside_catalog(other)?,
        }
        self.due()
    }

    fn outside_catalog(&mut self, event: &Event) -> Result<()> {
        let command: Command = match event {
            Event::ItemCreated(event) => catalog::Command::CreateItem(event.item.clone()).into(),
            Event::ItemUpdated(event) => catalog::Command::UpdateItem { item: event.item.clone(), expected_version: None }.into(),
            Event::LocationCreated(event) => catalog::Command::CreateLocation(event.location.clone()).into(),
            Event::ChannelCreated(event) => catalog::Command::CreateChannel(event.channel.clone()).into(),
            Event::ChannelUpdated(event) => {
                catalog::Command::UpdateChannel { channel: event.channel.clone(), expected_version: None }.into()
            }
            Event::SupplierCreated(event) if self.later.suppliers.contains_key(&event.supplier.code) => return Ok(()),
            Event::SupplierCreated(event) => {
                let supplier = self.changes.supplier(&event.supplier).unwrap_or_else(|| event.supplier.clone());
                purchasing::Command::CreateSupplier(supplier).into()
            }
            Event::PolicySet(event) => {
                let key = (event.policy.sku.clone(), event.policy.location.clone());
                let policy = self.changes.changed(&key, event.policy.clone())?;
                purchasing::Command::SetPolicy { policy, expected_version: None }.into()
            }
            Event::PurchaseOrderCreated(event) if !event.purchase_order.automatic => {
                self.bought(&event.purchase_order);
                return Ok(());
            }
            Event::PurchaseOrderSent(event) => match self.purchase_orders.get(&event.purchase_order) {
                Some(order) => purchasing::Command::SendPurchaseOrder { order: *order }.into(),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        self.tried(command);
        Ok(())
    }

    /// A person's purchase order; those that follow from policies follow here by themselves.
    fn bought(&mut self, known: &PurchaseOrder) {
        let before = self.state.counters().purchase_order;
        let (supplier, location, reference) = (known.supplier.clone(), known.location.clone(), known.reference.clone());
        let command = if known.status == PurchaseOrderStatus::Draft {
            let lines = known.lines.iter().map(|line| purchasing::WantedLine {
                sku: line.sku.clone(),
                quantity: line.ordered,
                unit_cost: Some(line.unit_cost),
            });
            purchasing::Command::CreatePurchaseOrder { supplier, location, reference, lines: lines.collect() }
        } else {
            let lines = known.lines.iter().map(|line| purchasing::OpenLine {
                sku: line.sku.clone(),
                ordered: line.ordered,
                received: line.received,
                unit_cost: Some(line.unit_cost),
                expected_on: line.expected_on,
            });
            purchasing::Command::ImportPurchaseOrder { supplier, location, reference, ordered_at: None, lines: lines.collect() }
        };
        self.tried(command.into());
        let id = PurchaseOrderId(before + 1);
        if self.state.purchasing.orders.contains(&id) {
            self.purchase_orders.insert(known.id, id);
            if known.status != PurchaseOrderStatus::Draft {
                self.expect(id);
            }
        }
    }

    /// The same order, paid, so that nothing but stock decides when it ships.
    fn place(&mut self, known: &Order) {
        let lines = known.lines.iter().filter_map(|line| {
            let quantity = self.changes.units(&line.sku, line.ordered);
            let (unit_price, zero) = (line.unit_price, domain::money::Amount::ZERO);
            (!quantity.is_zero()).then(|| order::PlaceLine {
                external_id: None,
                sku: line.sku.clone(),
                quantity,
                unit_price,
                discount: zero,
                tax: zero,
                total: None,
            })
        });
        let lines: Vec<order::PlaceLine> = lines.collect();
        if lines.is_empty() {
            return;
        }
        let worth = lines.iter().filter_map(|line| line.unit_price.checked_mul(line.quantity.get())).sum();
        let paid = ClaimedPayment {
            gateway: domain::payment::MANUAL_GATEWAY.into(),
            reference: None,
            captured: true,
            amount: worth,
            expires_at: None,
        };
        let place = order::PlaceOrder {
            channel: known.channel.clone(),
            external_id: None,
            content: None,
            origin: Origin::Live,
            placed_at: None,
            currency: known.currency,
            prices_include_tax: true,
            on_shortage: Some(known.on_shortage),
            hold_owner: None,
            priority: known.priority,
            customer: None,
            ship_to: known.ship_to.clone(),
            lines,
            charges: Vec::new(),
            total: None,
            payment_token: None,
            payments: Some(paid).filter(|paid| !paid.amount.is_zero()).into_iter().collect(),
            note: None,
            notify: false,
            metadata: Default::default(),
        };
        let id = OrderId(self.state.counters().order + 1);
        self.tried(order::Command::PlaceOrder(Box::new(place)).into());
        self.orders.insert(known.id, id);
    }

    fn expect(&mut self, id: PurchaseOrderId) {
        let Some(order) = self.state.purchasing.orders.get(&id) else { return };
        let mut days: Vec<_> = order.lines.iter().filter(|line| !line.open().is_zero()).map(|line| line.expected_on).collect();
        days.sort_unstable();
        days.dedup();
        for day in days {
            let at = day.map_or(self.now, |day| day.at_minute(DELIVERY_MINUTE, &jiff::tz::TimeZone::UTC));
            // What is overdue, or wanted today, comes within the hour.
            self.plan((at.0 - self.now.0).max(HOUR_MS), Act::Supply(id));
        }
    }

    fn tried(&mut self, command: Command) {
        if self.settle(command).is_err() {
            self.skipped += 1;
        }
    }

    fn settle(&mut self, command: Command) -> Result<(), String> {
        self.settle_counting(command).map(|_| ())
    }

    /// How many events there were, or why it was refused.
    fn settle_counting(&mut self, command: Command) -> Result<usize, String> {
        let cx = Context { now: self.now, actor: "whatif".into() };
        let transaction = self.state.settle(&cx, command).map_err(|rejection| rejection.detail())?;
        // Nothing is stored: what was touched is forgotten, and what is over leaves memory.
        for image in self.state.take_images() {
            self.state.evict(&image);
        }
        for recorded in &transaction.events {
            self.measure.hear(self.now, &recorded.event);
            match &recorded.event {
                Event::FulfillmentReleased(event) => self.plan(self.ship_after_ms, Act::Ship(event.fulfillment)),
                Event::PurchaseOrderSent(event) => self.expect(event.purchase_order),
                _ => {}
            }
        }
        Ok(transaction.events.len())
    }
}
