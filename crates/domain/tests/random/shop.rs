//! Steps, turned into commands about what is there.

use super::step::Step;
use crate::story::{World, place, sku};
use domain::catalog::{Buffer, ItemKind, PaymentTiming, Shortage};
use domain::command::{Command, catalog, count, fulfillment, order, payment, purchasing, returns, stock, transfer};
use domain::event::purchasing::ReceivedUnits;
use domain::event::stock::Bucket;
use domain::fulfillment::Shipment;
use domain::id::{
    ChannelCode, CountId, FulfillmentId, HoldId, LineId, LocationCode, OrderId, PurchaseOrderId, ReceiptId, ReturnId, Sku, SupplierCode,
    TransferId,
};
use domain::money::Amount;
use domain::payment::{Action, Outcome};
use domain::purchasing::{OrderAmount, Policy, Source};
use domain::quantity::Quantity;
use domain::returns::Disposition;
use domain::stock::ReceiptLine;
use domain::{Rejection, Transaction};

const SKUS: [&str; 5] = ["MUG", "TEA", "POT", "SET", "WRAP"];
const LOCATIONS: [&str; 2] = ["AUS", "BER"];
const CHANNELS: [&str; 4] = ["web", "shop", "market", "invoice"];
const OWNERS: [&str; 3] = ["cart-1", "cart-2", "cart-3"];
const BUCKETS: [Bucket; 4] = [Bucket::OnHand, Bucket::Damaged, Bucket::QualityControl, Bucket::Quarantine];

fn name(at: u8) -> Sku {
    sku(SKUS[usize::from(at) % SKUS.len()])
}

fn site(at: u8) -> LocationCode {
    LocationCode::new(LOCATIONS[usize::from(at) % LOCATIONS.len()]).unwrap()
}

fn disposition(at: u8) -> Disposition {
    [Disposition::Restock, Disposition::Damaged, Disposition::Scrap][usize::from(at) % 3]
}

fn units(n: u32) -> Quantity {
    Quantity::new(n)
}

/// One of those that were given out so far; the first, when there is none.
fn nth(at: u8, count: u64) -> u64 {
    1 + u64::from(at) % count.max(1)
}

/// Two locations, three stocked items, a kit and a service; four channels that are paid in different ways; a supplier.
pub fn open() -> World {
    let mut world = World::new();
    for line in [
        "channel shop timing=placement buffer=1",
        "channel market kind=marketplace timing=placement multicapture=no",
        "channel invoice timing=invoice backorder=on_allocation",
        "supplier send 0",
    ] {
        world.act(&line.split_whitespace().collect::<Vec<_>>()).unwrap();
    }
    world.run(catalog::Command::CreateItem(crate::story::item("POT", ItemKind::Stocked))).unwrap();
    for at in ["MUG", "TEA", "POT", "MUG@BER", "TEA@BER"] {
        world.act(&["receive", at, "8"]).unwrap();
    }
    world
}

impl World {
    /// What a step comes to: a transaction, a refusal, or nothing, when it is about something that is not there.
    pub fn step(&mut self, step: &Step) -> Option<Result<Transaction, Rejection>> {
        let command = match step {
            Step::Wait { minutes } => {
                self.pass(i64::from(*minutes) * 60_000);
                return None;
            }
            Step::Place { .. } | Step::Edit { .. } | Step::Cancel { .. } | Step::OnHold { .. } | Step::Resource { .. } => {
                self.on_order(step)
            }
            Step::Gateway { .. } | Step::Pay { .. } | Step::Refund { .. } => self.on_payment(step)?,
            Step::Work { .. } | Step::ShortPick { .. } | Step::Return { .. } | Step::AboutReturn { .. } => self.on_work(step)?,
            Step::Retire { .. } | Step::Location { .. } | Step::Channel { .. } => self.on_catalog(step)?,
            Step::Buy { .. } | Step::AboutPurchase { .. } | Step::Policy { .. } | Step::Transfer { .. } | Step::AboutTransfer { .. } => {
                self.on_supply(step)
            }
            Step::Hold { .. }
            | Step::AboutHold { .. }
            | Step::Receive { .. }
            | Step::Reverse { .. }
            | Step::Adjust { .. }
            | Step::Move { .. }
            | Step::Safety { .. }
            | Step::Count { .. }
            | Step::Counted { .. }
            | Step::AboutCount { .. }
            | Step::Blind { .. } => self.on_stock(step),
        };
        Some(self.run(command))
    }

    fn order(&self, at: u8) -> OrderId {
        OrderId(nth(at, self.state.counters().order))
    }

    fn on_order(&self, step: &Step) -> Command {
        let line = |order: OrderId, at: u8| LineId { order, n: u16::from(at) + 1 };
        match step {
            Step::Place { channel, lines, shortage, owner, urgent } => {
                let external_id = format!("W-{}", self.log.len());
                let mut wanted = place(&external_id, &["via", CHANNELS[usize::from(*channel) % CHANNELS.len()]]);
                wanted.lines = lines
                    .iter()
                    .map(|(at, n)| order::PlaceLine {
                        external_id: None,
                        sku: name(*at),
                        quantity: units(*n),
                        unit_price: Amount::new(333),
                        discount: Amount::ZERO,
                        tax: Amount::new(7),
                        total: None,
                    })
                    .collect();
                let (kind, total) = ("shipping".into(), None);
                wanted.charges = vec![order::PlaceCharge { kind, amount: Amount::new(500), tax: Amount::ZERO, total }];
                wanted.on_shortage =
                    [None, Some(Shortage::Reject), Some(Shortage::Backorder), Some(Shortage::Split), Some(Shortage::Partial)]
                        [usize::from(*shortage)];
                wanted.hold_owner = OWNERS.get(usize::from(*owner)).map(|owner| (*owner).into());
                wanted.priority = if *urgent { 10 } else { 0 };
                order::Command::PlaceOrder(Box::new(wanted)).into()
            }
            Step::Edit { order, line: at, units: n } => {
                let order = self.order(*order);
                let set = vec![order::EditLine { line: line(order, *at), quantity: units(*n), discount: None, tax: None }];
                order::Command::EditOrder(order::EditOrder { order, expected_version: None, set, add: Vec::new() }).into()
            }
            Step::Cancel { order, line: at, units: n } => {
                let order = self.order(*order);
                let lines = at.iter().map(|at| order::CancelLine { line: line(order, *at), quantity: units(*n) }).collect();
                order::Command::CancelOrder { order, reason: "customer".into(), lines, expected_version: None }.into()
            }
            Step::OnHold { order, on: true } => {
                order::Command::HoldOrder { order: self.order(*order), reason: "check".into(), expected_version: None }.into()
            }
            Step::OnHold { order, on: false } => order::Command::ReleaseOrder { order: self.order(*order), expected_version: None }.into(),
            Step::Resource { order } => {
                order::Command::ResourceOrder { order: self.order(*order), from: None, expected_version: None }.into()
            }
            other => unreachable!("{other:?} is not about an order"),
        }
    }

    fn on_payment(&self, step: &Step) -> Option<Command> {
        Some(match step {
            Step::Gateway { order, effect, answer } => {
                // Among those that wait for an answer: of all orders, the others have nothing to say.
                let waiting: Vec<_> = self.state.effects().collect();
                let (effect, order) = *waiting.get((usize::from(*order) + usize::from(*effect)) % waiting.len().max(1))?;
                let action = &self.state.case(order).ok()?.effects.iter().find(|known| known.id == effect)?.action;
                payment::Command::RecordEffect { effect, order, outcome: outcome(action, *answer, self.now) }.into()
            }
            Step::Pay { order, by_hand: true } => {
                payment::Command::MarkPaid { order: self.order(*order), amount: None, reference: None }.into()
            }
            Step::Pay { order, by_hand: false } => payment::Command::RetryPayment { order: self.order(*order), token: None }.into(),
            Step::Refund { order, line, units: n, amount } => {
                let order = self.order(*order);
                let wanted = payment::RefundWanted { line: LineId { order, n: u16::from(*line) + 1 }, quantity: units(*n) };
                let lines = if amount.is_some() { Vec::new() } else { vec![wanted] };
                let (charges, payment, reason) = (Amount::ZERO, None, None);
                payment::Command::RefundOrder(payment::RefundOrder {
                    order,
                    lines,
                    charges,
                    amount: amount.map(Amount::new),
                    payment,
                    reason,
                })
                .into()
            }
            other => unreachable!("{other:?} is not about money"),
        })
    }

    fn on_work(&self, step: &Step) -> Option<Command> {
        let work_of = |order: u8, work: u8| {
            let order = self.order(order);
            let count = self.state.case(order).ok()?.fulfillments.len();
            (count > 0).then(|| FulfillmentId { order, n: u16::from(work) % u16::try_from(count).unwrap() + 1 })
        };
        Some(match step {
            Step::Work { order, work, verb } => {
                let fulfillment = work_of(*order, *work)?;
                let shipment = Shipment {
                    carrier: Some("UPS".into()),
                    tracking_number: verb.is_multiple_of(2).then(|| "1Z".into()),
                    ..Shipment::default()
                };
                match verb {
                    0 => fulfillment::Command::StartPick { fulfillment },
                    1 => fulfillment::Command::Pack { fulfillment },
                    2 | 3 => fulfillment::Command::Ship { fulfillment, shipment },
                    4 => fulfillment::Command::Deliver { fulfillment, delivered_at: None },
                    5 => fulfillment::Command::RequestCancel { fulfillment, reason: "customer".into() },
                    6 => fulfillment::Command::AcceptCancel { fulfillment },
                    _ => fulfillment::Command::DeclineCancel { fulfillment, reason: None },
                }
                .into()
            }
            Step::ShortPick { order, work, line, units: n } => {
                let fulfillment = work_of(*order, *work)?;
                fulfillment::Command::ShortPick { fulfillment, missing: vec![(u16::from(*line), units(*n))] }.into()
            }
            Step::Return { order, line, units: n } => {
                let order = self.order(*order);
                returns::Command::Request { order, lines: vec![(LineId { order, n: u16::from(*line) + 1 }, units(*n))], reason: None }
                    .into()
            }
            Step::AboutReturn { order, n, verb, units: arrived, disposition: what } => {
                let order = self.order(*order);
                let count = self.state.case(order).ok()?.returns.len();
                let n = (count > 0).then(|| u16::from(*n) % u16::try_from(count).unwrap() + 1)?;
                let id = ReturnId { order: Some(order), n: n.into() };
                match verb {
                    0 => returns::Command::Approve { id },
                    1 => returns::Command::Reject { id, reason: "worn".into() },
                    2 => returns::Command::Close { id },
                    _ => {
                        let lines = vec![returns::Arrived { index: 0, disposition: disposition(*what), quantity: units(*arrived) }];
                        returns::Command::Receive { id, location: site(*arrived as u8), lines }
                    }
                }
                .into()
            }
            other => unreachable!("{other:?} is not about the warehouse"),
        })
    }

    fn on_stock(&self, step: &Step) -> Command {
        let one = |at: u8, n: u32| vec![ReceiptLine { sku: name(at), quantity: units(n) }];
        let counters = self.state.counters();
        match step {
            Step::Hold { owner, sku: at, units: n, location } => {
                let lines = vec![stock::WantedLine { sku: name(*at), quantity: units(*n), location: location.map(site) }];
                let (owner, channel) = (OWNERS[usize::from(*owner)].into(), Some(ChannelCode::new("shop").unwrap()));
                stock::Command::CreateHold(stock::CreateHold { owner, channel, ttl_ms: 900_000, lines })
            }
            Step::AboutHold { hold, extend } => {
                let hold = HoldId(nth(*hold, counters.hold));
                if *extend { stock::Command::ExtendHold { hold, ttl_ms: 600_000 } } else { stock::Command::ReleaseHold { hold } }
            }
            Step::Receive { sku, location, units: n } => {
                stock::Command::ReceiveStock { location: site(*location), reference: None, lines: one(*sku, *n) }
            }
            Step::Reverse { receipt } => {
                stock::Command::ReverseReceipt { receipt: ReceiptId(nth(*receipt, counters.receipt)), reason: None }
            }
            Step::Adjust { sku, location, delta } => {
                let lines = vec![stock::AdjustLine {
                    sku: name(*sku),
                    bucket: Bucket::OnHand,
                    change: stock::Change::Delta(*delta),
                    if_quantity: None,
                }];
                let (reason, reference, count, occurred_at) = ("shrinkage".into(), None, None, None);
                stock::Command::AdjustStock(stock::AdjustStock { location: site(*location), reason, reference, count, occurred_at, lines })
            }
            Step::Move { sku, location, units: n, from, to } => {
                let (from, to) = (BUCKETS[usize::from(*from)], BUCKETS[usize::from(*to)]);
                stock::Command::MoveStock { location: site(*location), reason: None, from, to, lines: one(*sku, *n) }
            }
            Step::Safety { sku, location, units: n } => {
                stock::Command::SetSafetyStock { sku: name(*sku), location: site(*location), safety_stock: units(*n) }
            }
            Step::Count { sku, location } => {
                return count::Command::OpenCount { location: site(*location), skus: vec![name(*sku)], reference: None }.into();
            }
            Step::Counted { count, sku, units: n } => {
                let lines = vec![count::CountedLine { sku: name(*sku), counted: units(*n), counted_at: None }];
                return count::Command::RecordCount { count: CountId(nth(*count, counters.count)), lines, expected_version: None }.into();
            }
            Step::AboutCount { count, post } => {
                let count = CountId(nth(*count, counters.count));
                return match post {
                    true => count::Command::PostCount { count, approve: true, expected_version: None }.into(),
                    false => count::Command::CancelCount { count, expected_version: None }.into(),
                };
            }
            Step::Blind { sku, location, units: n, disposition: what } => {
                let (external_id, reason, occurred_at) = (None, None, None);
                let lines = vec![(name(*sku), units(*n), disposition(*what))];
                return returns::Command::ReceiveBlind(returns::BlindReturn {
                    location: site(*location),
                    external_id,
                    reason,
                    occurred_at,
                    lines,
                })
                .into();
            }
            other => unreachable!("{other:?} is not about stock"),
        }
        .into()
    }

    fn on_supply(&self, step: &Step) -> Command {
        let counters = self.state.counters();
        match step {
            Step::Transfer { sku: at, from, to, units: n } => {
                let lines = vec![transfer::TransferUnits { sku: name(*at), quantity: units(*n) }];
                transfer::Command::CreateTransfer { from: site(*from), to: site(*to), reference: None, expected_on: None, lines }.into()
            }
            Step::AboutTransfer { transfer, verb, sku: at, accepted, damaged } => {
                let (transfer, expected_version) = (TransferId(nth(*transfer, counters.transfer)), None);
                let (carrier, tracking_number, expected_on) = (None, None, None);
                match verb {
                    0 | 1 => {
                        let lines = Vec::new();
                        transfer::Command::ShipTransfer { transfer, lines, expected_on, carrier, tracking_number, expected_version }
                    }
                    2 => {
                        let lines = vec![transfer::ArrivedUnits { sku: name(*at), accepted: units(*accepted), damaged: units(*damaged) }];
                        transfer::Command::ReceiveTransfer { transfer, lines, expected_version }
                    }
                    _ if *damaged == 0 => transfer::Command::CloseLost { transfer, reason: None, expected_version },
                    _ => transfer::Command::CancelTransfer { transfer, reason: "no need".into(), expected_version },
                }
                .into()
            }
            Step::Buy { sku: at, location, units: n } => {
                let lines = vec![purchasing::WantedLine { sku: name(*at), quantity: units(*n), unit_cost: None }];
                let supplier = SupplierCode::new("ACME").unwrap();
                purchasing::Command::CreatePurchaseOrder { supplier, location: site(*location), reference: None, lines }.into()
            }
            Step::AboutPurchase { order, verb, sku: at, accepted, damaged, day } => {
                let order = PurchaseOrderId(nth(*order, counters.purchase_order));
                match verb {
                    0 => purchasing::Command::SendPurchaseOrder { order },
                    1 => {
                        let expected_on = self.now.date_in(&jiff::tz::TimeZone::UTC).plus_days(u16::from(*day));
                        purchasing::Command::Acknowledge {
                            order,
                            reference: None,
                            lines: vec![purchasing::ExpectedLine { sku: name(*at), expected_on }],
                        }
                    }
                    2 | 3 => {
                        let lines = vec![ReceivedUnits { sku: name(*at), accepted: units(*accepted), damaged: units(*damaged) }];
                        purchasing::Command::Receive { order, lines, confirm_over_receipt: *verb == 3 }
                    }
                    4 => purchasing::Command::CloseShort { order },
                    _ => purchasing::Command::Cancel { order, reason: "no need".into() },
                }
                .into()
            }
            Step::Policy { sku: at, location, point, more, on } => {
                let policy = Policy {
                    sku: name(*at),
                    location: site(*location),
                    source: Source::Supplier(SupplierCode::new("ACME").unwrap()),
                    auto: None,
                    reorder_point: units(*point),
                    amount: OrderAmount::OrderUpTo(units(*point + *more)),
                    moq: Quantity::ONE,
                    multiple: units(1 + *more % 3),
                    lead_time_days: None,
                    unit_cost: Amount::new(100),
                    active: *on,
                    version: 0,
                };
                purchasing::Command::SetPolicy { policy, expected_version: None }.into()
            }
            other => unreachable!("{other:?} is not about supply"),
        }
    }

    fn on_catalog(&self, step: &Step) -> Option<Command> {
        Some(
            match step {
                Step::Retire { sku: at } => catalog::Command::RetireItem { sku: name(*at), expected_version: None },
                Step::Location { location: at, active } => {
                    let mut location = self.state.catalog.locations.get(&site(*at))?.clone();
                    location.active = *active;
                    catalog::Command::UpdateLocation { location, expected_version: None }
                }
                Step::Channel { channel: at, change } => {
                    let code = ChannelCode::new(CHANNELS[usize::from(*at) % CHANNELS.len()]).unwrap();
                    let mut channel = self.state.catalog.channels.get(&code)?.clone();
                    match change {
                        0 => channel.locations = vec![site(0)],
                        1 => channel.locations = vec![site(1)],
                        2 => channel.locations = Vec::new(),
                        3 => channel.buffer = Buffer::Units(units(3)),
                        4 => channel.payment.timing = PaymentTiming::CaptureAtPlacement,
                        _ => channel.payment.timing = PaymentTiming::CaptureAtShipment,
                    }
                    catalog::Command::UpdateChannel { channel, expected_version: None }
                }
                other => unreachable!("{other:?} is not about the catalog"),
            }
            .into(),
        )
    }
}

/// An answer by which every gateway does what it was asked.
pub const YES: u8 = 7;

/// Gateways say yes most of the time.
pub fn outcome(action: &Action, answer: u8, now: domain::time::Timestamp) -> Outcome {
    let reference = "ref".into();
    match (answer, action) {
        (0, _) => Outcome::Declined { code: "card_declined".into(), message: "no".into() },
        (1, Action::Capture { .. } | Action::Refund { .. } | Action::Void { .. }) => {
            Outcome::Failed { code: "gone".into(), message: "nobody knows it".into() }
        }
        (2, Action::Authorize { amount, .. }) => {
            Outcome::Authorized { amount: *amount, reference, expires_at: Some(now.plus_ms(7 * 86_400_000)) }
        }
        (_, Action::Authorize { amount, .. } | Action::Verify { amount, .. }) => {
            Outcome::Authorized { amount: *amount, reference, expires_at: None }
        }
        (_, Action::Capture { amount, .. }) => Outcome::Captured { amount: *amount, reference },
        (_, Action::Refund { amount, .. }) => Outcome::Refunded { amount: *amount, reference },
        (_, Action::Void { .. }) => Outcome::Voided,
    }
}
