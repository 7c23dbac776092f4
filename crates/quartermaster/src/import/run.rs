//! Puts what was read into a folder: a window of commands under way, each answered when it is durable.

use super::command::{Known, bucket_name};
use super::imported::Imported;
use super::mapping::{Kind, Mapping};
use super::proof::{Kinds, Moved};
use super::table::Row;
use super::unit::Unit;
use anyhow::{Context, Result, bail};
use domain::catalog::{
    Address, BackorderCap, BackorderPayment, Buffer, Channel, ChannelKind, Item, ItemKind, ItemStatus, Location, LocationKind,
    PaymentPolicy, PaymentTiming, Shortage, SingleCapture,
};
use domain::command::{catalog, stock};
use domain::event::stock::Bucket;
use domain::id::{ChannelCode, LocationCode, Sku};
use domain::purchasing::PurchaseOrder;
use domain::stock::{Level, OPENING_BALANCE};
use domain::time::Timestamp;
use domain::{Command, Rejection, State};
use engine::{Engine, Idempotency, OpenError, Options, Reply, Submission};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

/// Rows under way; replies come in the order of their commands.
const ROWS_UNDER_WAY: usize = 20_000;
const COMMANDS_UNDER_WAY: usize = 4096;
/// Lines of one opening balance.
const OPENING_LINES: usize = 400;
/// Asked last, of all locations.
const PRIORITY_LAST: u16 = 10_000;
const UNSET: Timestamp = Timestamp(0);
pub const ACTOR: &str = "import";

/// An engine with a queue of commands whose replies are awaited in order.
pub struct Pipe {
    pub engine: Engine,
    replies: Receiver<Vec<(u64, Reply)>>,
    under_way: VecDeque<Sent>,
    rows_under_way: usize,
    run: String,
    tokens: u64,
    pub done: u64,
}

struct Sent {
    rows: Vec<Row>,
    /// As in [`Unit::follows`].
    follows: Option<u64>,
    what: String,
    moved: Moved,
}

impl Sent {
    fn refused(self, why: Why) -> Outcome {
        match self.follows {
            Some(line) => Outcome::Half(line, why),
            None => Outcome::Refused(self.rows, why, Some((self.what, self.moved))),
        }
    }
}

/// What became of commands since the last look.
pub enum Outcome {
    /// Rows that are in.
    Done(u64),
    /// With the id of the thing and what it would have moved.
    Refused(Vec<Row>, Why, Option<(String, Moved)>),
    /// A later step of the row on this line.
    Half(u64, Why),
}

/// Why something did not come in.
pub enum Why {
    Rules(Rejection),
    Ours(String),
}

impl Pipe {
    pub fn open(folder: &Path) -> Result<Self> {
        let (send, replies) = channel();
        let options = Options {
            on_replies: Box::new(move |batch| {
                // The importer may have given up.
                let _ = send.send(batch);
            }),
            ..Options::new(folder)
        };
        let engine = Engine::open(options).map_err(|error| match error {
            OpenError::Locked(folder) => anyhow::anyhow!(
                "a server or another command has {folder}. Stop it, run the import again, and start it after; or send the rows to the running \
                 server with POST /v1/items/bulk, /v1/adjustments/bulk or /v1/orders/bulk"
            ),
            OpenError::Folder(..) | OpenError::Log(_) | OpenError::Store(_) | OpenError::Start(_) => error.into(),
        })?;
        // Keys of another run must not answer for this one: what it refused may be right by now.
        let run = engine.durable().to_string();
        Ok(Self { engine, replies, under_way: VecDeque::new(), rows_under_way: 0, run, tokens: 0, done: 0 })
    }

    /// Sends a unit's command, with the unit's id and digest as key, to stand in the log for good.
    pub fn unit(&mut self, unit: Unit, command: Command, outcomes: &mut Vec<Outcome>) -> Result<()> {
        let key = Imported::key(&unit.id, &self.run);
        let moved = super::proof::moved(&unit);
        let idempotency = Some(Idempotency { key, body: unit.digest });
        self.send(command, idempotency, Sent { rows: unit.rows, follows: unit.follows, what: unit.id, moved }, outcomes)
    }

    fn send(&mut self, command: Command, idempotency: Option<Idempotency>, sent: Sent, outcomes: &mut Vec<Outcome>) -> Result<()> {
        self.tokens += 1;
        self.rows_under_way += sent.rows.len();
        self.under_way.push_back(sent);
        let submission = Submission { command, actor: ACTOR.to_owned(), idempotency, token: self.tokens };
        if self.engine.submit_waiting(submission).is_err() {
            bail!("the engine stopped: {}", self.engine.failure().unwrap_or_default());
        }
        while self.rows_under_way > ROWS_UNDER_WAY || self.under_way.len() > COMMANDS_UNDER_WAY {
            self.receive(outcomes)?;
        }
        Ok(())
    }

    fn receive(&mut self, outcomes: &mut Vec<Outcome>) -> Result<()> {
        for (_, reply) in self.replies.recv().context("the engine stopped")? {
            let sent = self.under_way.pop_front().context("a reply without a command")?;
            self.rows_under_way -= sent.rows.len();
            match reply {
                Reply::Done { committed, .. } => outcomes.push(match refused(&committed) {
                    Some(rejection) => sent.refused(Why::Rules(rejection)),
                    None => {
                        self.done += u64::from(!sent.rows.is_empty());
                        Outcome::Done(sent.rows.len() as u64)
                    }
                }),
                Reply::Refused { rejection: Rejection::OrderExists { order, external_id }, .. } => {
                    let reason = format!("the channel has an order \"{external_id}\" already ({order}), with other content");
                    outcomes.push(sent.refused(Why::Ours(reason)));
                }
                Reply::Refused { rejection: Rejection::OrderRepeated { .. }, .. } => outcomes.push(Outcome::Done(sent.rows.len() as u64)),
                Reply::Refused { rejection, .. } if sent.rows.is_empty() && sent.follows.is_none() => {
                    bail!("{}: {}", sent.what, rejection.detail())
                }
                Reply::Refused { rejection, .. } => outcomes.push(sent.refused(Why::Rules(rejection))),
                Reply::NoSpace => bail!("the disk is full. Free some space and run the same command again; it goes on where it was"),
                Reply::KeyReused | Reply::OutcomeUnknown => {
                    bail!(
                        "the engine stopped: {}. Run the same command again; it goes on where it was",
                        self.engine.failure().unwrap_or_default()
                    )
                }
            }
        }
        Ok(())
    }

    /// Waits for everything under way.
    pub fn settle(&mut self, outcomes: &mut Vec<Outcome>) -> Result<()> {
        while !self.under_way.is_empty() {
            self.receive(outcomes)?;
        }
        Ok(())
    }

    /// A command that the file does not name: it must not be refused.
    fn must(&mut self, command: impl Into<Command>, what: &str) -> Result<()> {
        let mut outcomes = Vec::new();
        let sent = Sent { rows: Vec::new(), follows: None, what: what.to_owned(), moved: Vec::new() };
        self.send(command.into(), None, sent, &mut outcomes)
    }

    pub fn query<T: Send + 'static>(&self, ask: impl FnOnce(&State) -> T + Send + 'static) -> Result<T> {
        self.engine.query(ask).context("the engine has stopped")
    }

    /// What the folder holds that decides what a row means.
    pub fn known(&self, kind: Kind) -> Result<Known> {
        self.query(move |state| {
            let mut known = Known::default();
            match kind {
                Kind::Items => {
                    known.items.extend(state.catalog.items.sorted().into_iter().map(|(sku, item)| (sku.clone(), (**item).clone())))
                }
                Kind::Suppliers => {
                    let suppliers = state.purchasing.suppliers.sorted();
                    known.suppliers.extend(suppliers.into_iter().map(|(code, supplier)| (code.clone(), (**supplier).clone())));
                }
                Kind::Stock => known.levels.extend(state.stock.levels.sorted().into_iter().flat_map(|(key, level)| buckets(key, level))),
                Kind::Locations => {
                    let locations = state.catalog.locations.sorted();
                    known.locations.extend(locations.into_iter().map(|(code, location)| (code.clone(), (**location).clone())));
                }
                Kind::PurchaseOrders => {
                    let number = |order: &PurchaseOrder| order.reference.as_ref().map_or_else(|| order.id.to_string(), ToString::to_string);
                    let orders = state.purchasing.orders.sorted().into_iter();
                    known.bought.extend(orders.map(|(id, order)| ((order.supplier.clone(), number(order)), *id)));
                }
                Kind::Orders | Kind::Policies => {}
            }
            known
        })
    }

    /// Makes channel and location where they are missing. A location that nobody named comes after those that are there: history stands in it,
    /// and live orders need none. Returns what the user has to know of it.
    pub fn furnish(&mut self, mapping: &Mapping, live: bool) -> Result<Option<String>> {
        if mapping.kind == Kind::Locations {
            return Ok(None);
        }
        let others = self.query(|state| !state.catalog.locations.is_empty())?;
        let (mut sells_from, mut told) = (Vec::new(), None);
        if let Some(code) = &mapping.location {
            let code = LocationCode::new(code)?;
            let asked = code.clone();
            let known = self.query(move |state| state.catalog.locations.contains(&asked))?;
            let aside = mapping.assumes_location && others;
            let needed = !aside || !live;
            if needed && !known {
                self.must(
                    catalog::Command::CreateLocation(location(mapping, code.clone(), if aside { PRIORITY_LAST } else { 1 })),
                    "location",
                )?;
                told = aside
                    .then(|| format!("{code} is made for what is past, as the last of your locations. Name another with --set location=…"));
            }
            if !mapping.assumes_location {
                sells_from.push(code);
            }
        }
        if let (Some(code), Kind::Orders) = (&mapping.channel, mapping.kind) {
            let code = ChannelCode::new(code)?;
            let asked = code.clone();
            if !self.query(move |state| state.catalog.channels.contains(&asked))? {
                self.must(catalog::Command::CreateChannel(channel_of(code, sells_from)), "channel")?;
            }
        }
        Ok(told)
    }

    /// Which of the SKUs of a file move no stock, or that of their components.
    pub fn kinds(&self, seen: &BTreeMap<Sku, (String, bool)>) -> Result<Kinds> {
        let asked: Vec<(Sku, bool)> = seen.iter().map(|(sku, (_, service))| (sku.clone(), *service)).collect();
        self.query(move |state| {
            let mut kinds = Kinds::default();
            for (sku, service) in asked {
                match state.catalog.items.get(&sku).map(|item| &item.kind) {
                    Some(ItemKind::Kit { components, .. }) => {
                        let parts = components.iter().map(|part| (part.sku.clone(), part.quantity.signed())).collect();
                        kinds.kits.insert(sku, parts);
                    }
                    Some(ItemKind::Service) => drop(kinds.services.insert(sku)),
                    None if service => drop(kinds.services.insert(sku)),
                    Some(ItemKind::Stocked) | None => {}
                }
            }
            kinds
        })
    }

    /// Items that orders name and the shop does not know. Returns how many there were.
    pub fn items(&mut self, seen: BTreeMap<Sku, (String, bool)>) -> Result<usize> {
        let known: Vec<Sku> = self.query(|state| state.catalog.items.sorted_keys())?;
        let mut made = 0;
        for (sku, (name, service)) in seen.into_iter().filter(|(sku, _)| known.binary_search(sku).is_err()) {
            self.must(catalog::Command::CreateItem(item(&sku, &name, service)), "item")?;
            made += 1;
        }
        Ok(made)
    }

    /// Opens the books: as many units as are missing at the deepest, beyond what is there and free.
    pub fn opening(&mut self, location: &str, deepest: &BTreeMap<Sku, i64>, reference: &str) -> Result<BTreeMap<Sku, i64>> {
        let location = LocationCode::new(location)?;
        let asked: Vec<(Sku, LocationCode)> = deepest.keys().map(|sku| (sku.clone(), location.clone())).collect();
        let there = self.query(move |state| {
            let free = |key: &(Sku, LocationCode)| state.stock.levels.get(key).map_or(0, |level| level.unclaimed().signed());
            let there = asked.into_iter().map(|key| {
                let units = free(&key);
                (key.0, units)
            });
            there.collect::<Vec<_>>()
        })?;
        let missing = there.into_iter().map(|(sku, free)| {
            let units = deepest[&sku] - free;
            (sku, units)
        });
        let missing: Vec<(Sku, i64)> = missing.filter(|(_, units)| *units > 0).collect();
        for lines in missing.chunks(OPENING_LINES) {
            let lines = lines.iter().map(|(sku, units)| stock::AdjustLine {
                sku: sku.clone(),
                bucket: Bucket::OnHand,
                change: stock::Change::Delta(*units),
                if_quantity: None,
            });
            let (reason, reference) = (OPENING_BALANCE.into(), Some(reference.into()));
            let (location, lines) = (location.clone(), lines.collect());
            let opening = stock::AdjustStock { location, reason, reference, count: None, occurred_at: None, lines };
            self.must(stock::Command::AdjustStock(opening), "opening balance")?;
        }
        Ok(missing.into_iter().collect())
    }
}

/// An order that was recorded and refused is no order that came in.
fn refused(committed: &engine::Committed) -> Option<Rejection> {
    let rejected = committed.events.iter().any(|recorded| matches!(recorded.event, domain::Event::OrderRejected(_)));
    if !rejected {
        return None;
    }
    let lines = committed.events.iter().find_map(|recorded| match &recorded.event {
        domain::Event::StockShorted(event) => Some(event.lines.clone()),
        _ => None,
    });
    Some(Rejection::InsufficientStock { order: None, lines: lines.unwrap_or_default() })
}

fn buckets(key: &(Sku, LocationCode), level: &Level) -> Vec<((Sku, LocationCode, &'static str), u32)> {
    let unavailable = level.unavailable;
    let of = [
        (Bucket::OnHand, level.on_hand),
        (Bucket::Damaged, unavailable.damaged),
        (Bucket::QualityControl, unavailable.quality_control),
        (Bucket::Quarantine, unavailable.quarantine),
    ];
    of.into_iter().map(|(bucket, units)| ((key.0.clone(), key.1.clone(), bucket_name(bucket)), units.get())).collect()
}

/// As it is made where nothing says otherwise.
pub fn location(mapping: &Mapping, code: LocationCode, priority: u16) -> Location {
    Location {
        name: code.as_str().into(),
        code,
        address: Address { country: mapping.country.as_deref().unwrap_or("US").into(), ..Address::default() },
        coordinates: None,
        time_zone: mapping.time_zone.as_str().into(),
        cutoff_minute: 15 * 60,
        working_days: vec![0, 1, 2, 3, 4],
        handling_days: 1,
        priority,
        kind: LocationKind::Warehouse,
        active: true,
        version: 0,
        created_at: UNSET,
    }
}

/// Without locations it sells from every active one.
fn channel_of(code: ChannelCode, locations: Vec<LocationCode>) -> Channel {
    let payment = PaymentPolicy {
        timing: PaymentTiming::Outside,
        backorder: BackorderPayment::Now,
        window_ms: 0,
        gateway: domain::payment::MANUAL_GATEWAY.into(),
        single_capture: SingleCapture::FirstShipment,
        multicapture: false,
        overcapture_percent: 0,
        on_expiry: domain::catalog::OnExpiry::Reauthorize,
    };
    Channel {
        name: code.as_str().into(),
        code,
        kind: ChannelKind::Web,
        locations,
        buffer: Buffer::None,
        on_shortage: Shortage::Split,
        payment,
        sourcing: Vec::new(),
        mail: None,
        active: true,
        version: 0,
        created_at: UNSET,
    }
}

fn item(sku: &Sku, name: &str, service: bool) -> Item {
    Item {
        sku: sku.clone(),
        name: if name.is_empty() { sku.as_str().into() } else { name.into() },
        kind: if service { ItemKind::Service } else { ItemKind::Stocked },
        barcode: None,
        unit_cost: None,
        weight_grams: None,
        backorder_cap: BackorderCap::Unlimited,
        on_shortage: None,
        available_from: None,
        metadata: Default::default(),
        status: ItemStatus::Active,
        version: 0,
        created_at: UNSET,
    }
}
