//! The world around the shop: clients, a warehouse, a supplier, a gateway, time, and a machine that fails.

use crate::disk::{self, Fault};
use crate::machine::Machine;
use crate::oracle::{self, Answer, Oracle};
use crate::random::Random;
use crate::shop::{self, CHANNELS, PLACES, SKUS, STOCKED};
use crate::vendor::Vendor;
use domain::catalog::Shortage;
use domain::command::{Command, order, payment, stock};
use domain::event::stock::Bucket;
use domain::id::{HoldId, LocationCode, OrderId, Sku};
use domain::quantity::Quantity;
use domain::rejection::Class;
use domain::stock::ReceiptLine;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use domain::{Event, invariants};
use engine::Reply;
use std::path::Path;

/// Monday 2026-11-23, 09:00 UTC.
const START: Timestamp = Timestamp(1_795_424_400_000);
/// Between two looks of the oracle, in steps.
const ORACLE_EVERY: u64 = 25;
/// How long a key keeps its answer.
const KEY_MS: i64 = 24 * HOUR_MS;
/// Most orders that clients send at once.
const BURST_MAX: u32 = 6;

/// What a simulation came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    pub orders: usize,
    pub starts: u32,
    pub power_losses: u32,
    /// Requests that were asked a second time and compared.
    pub repeats: u64,
    pub refused: u64,
    /// Of State, alive and folded from empty.
    pub state_hash: String,
}

pub struct World {
    pub(crate) random: Random,
    pub(crate) machine: Machine,
    pub(crate) oracle: Oracle,
    pub(crate) vendor: Vendor,
    /// What was asked under each key, in the order of the keys.
    asked: Vec<(String, Command)>,
    names: u64,
    steps: u64,
    pub(crate) summary: Summary,
}

impl World {
    /// A furnished shop on an empty disk below `home`.
    ///
    /// # Errors
    /// When the machine does not start.
    pub fn new(seed: u64, home: &Path) -> Result<Self, String> {
        let machine = Machine::new(home, START)?;
        let (random, oracle, vendor) = (Random::new(seed), Oracle::default(), Vendor::default());
        let (asked, summary) = (Vec::new(), Summary::default());
        let mut world = Self { random, machine, oracle, vendor, asked, names: 0, steps: 0, summary };
        for command in shop::furniture().map_err(|error| error.to_string())? {
            world.request(command)?;
        }
        for sku in STOCKED {
            world.receive(sku, "AUS", 20)?;
        }
        Ok(world)
    }

    /// Something happens; then everything that must hold is asked.
    ///
    /// # Errors
    /// With the first thing that does not hold.
    pub fn step(&mut self) -> Result<(), String> {
        match self.random.below(100) {
            0..24 => self.place_some()?,
            24..30 => self.repeat()?,
            30..36 => self.hold()?,
            36..40 => self.cancel()?,
            40..56 => self.vendor_answers()?,
            56..74 => self.work()?,
            74..80 => self.stock_moves()?,
            80..85 => self.supplier_delivers()?,
            85..88 => self.goods_come_back()?,
            88..95 => self.time_passes()?,
            95..97 => self.machine.restart()?,
            _ => self.break_disk(),
        }
        self.machine.quiet()?;
        self.machine.look(invariants::check)??;
        self.steps += 1;
        if self.steps.is_multiple_of(ORACLE_EVERY) { self.oracle_agrees() } else { Ok(()) }
    }

    /// # Errors
    /// When the store tells something else than what was acknowledged.
    pub fn oracle_agrees(&mut self) -> Result<(), String> {
        let reader = self.machine.engine()?.reader().map_err(|error| error.to_string())?;
        self.oracle.agrees(&reader)
    }

    pub(crate) fn request(&mut self, command: impl Into<Command>) -> Result<Reply, String> {
        let mut replies = self.requests(vec![command.into()])?;
        replies.pop().ok_or_else(|| "no reply".to_owned())
    }

    /// Asks at once, each under a key of its own, and remembers the first answers.
    fn requests(&mut self, commands: Vec<Command>) -> Result<Vec<Reply>, String> {
        let first = self.asked.len();
        let asked: Vec<_> = commands.into_iter().zip(first..).map(|(command, n)| (command, format!("key{n}"))).collect();
        self.asked.extend(asked.iter().map(|(command, key)| (key.clone(), command.clone())));
        let replies = self.machine.ask(&asked)?;
        for ((command, key), reply) in asked.iter().zip(&replies) {
            self.heard(command, key, reply)?;
        }
        Ok(replies)
    }

    fn heard(&mut self, command: &Command, key: &str, reply: &Reply) -> Result<(), String> {
        let kept = match reply {
            Reply::Done { .. } => true,
            Reply::Refused { rejection, .. } => {
                self.summary.refused += 1;
                match rejection.class() {
                    Class::Conflict | Class::Precondition => true,
                    Class::NotFound | Class::Invalid => false,
                }
            }
            Reply::KeyReused | Reply::OutcomeUnknown | Reply::NoSpace => return Err(format!("{key}: {reply:?} to {command:?}")),
        };
        if kept {
            self.oracle.answers.insert(key.to_owned(), Answer { text: oracle::text(reply), at: self.machine.now().0 });
        }
        let (Command::Order(order::Command::PlaceOrder(place)), Reply::Done { committed, .. }) = (command, reply) else { return Ok(()) };
        let id = committed.events.iter().find_map(|recorded| match &recorded.event {
            Event::OrderPlaced(placed) => Some(placed.order.id),
            _ => None,
        });
        let name = place.external_id.as_deref().unwrap_or_default().to_owned();
        self.oracle.placed.entry(name).or_default().push(id.ok_or("an order without a placement")?);
        Ok(())
    }

    fn place_some(&mut self) -> Result<(), String> {
        // With a fault to come, one at a time: how a burst falls into frames is not the seed's to say.
        let armed = disk::plan(&self.machine.plan).fault.is_some();
        let count = if armed || self.random.chance(60) { 1 } else { self.random.units(2, BURST_MAX) };
        let mut commands = Vec::new();
        for _ in 0..count {
            commands.push(self.order()?);
        }
        self.requests(commands).map(drop)
    }

    fn order(&mut self) -> Result<Command, String> {
        self.names += 1;
        // Now and then a client forgets its key, but not its own name for the order.
        let name = if self.random.chance(5) { self.random.below(self.names) } else { self.names };
        let mut lines = Vec::new();
        for _ in 0..self.random.units(1, 3) {
            let sku = self.random.pick(SKUS).copied().unwrap_or("MUG");
            lines.push((sku, self.random.units(1, 4)));
        }
        let policies = [None, Some(Shortage::Backorder), Some(Shortage::Split), Some(Shortage::Partial)];
        let on_shortage = self.random.pick(&policies).copied().flatten();
        let owner = if self.random.chance(20) { Some(format!("cart{}", self.random.below(3))) } else { None };
        let channel = self.random.pick(CHANNELS).copied().unwrap_or("web");
        shop::order(channel, &format!("W-{name}"), &lines, on_shortage, owner.as_deref()).map_err(|error| error.to_string())
    }

    /// The same key again: the same body gets the first answer, another body is refused.
    fn repeat(&mut self) -> Result<(), String> {
        let Some((key, command)) = self.random.pick(&self.asked).cloned() else { return Ok(()) };
        let Some(first) = self.oracle.answers.get(&key).cloned() else { return Ok(()) };
        if self.machine.now().0 - first.at >= KEY_MS {
            return Ok(());
        }
        self.summary.repeats += 1;
        if self.random.chance(20) {
            let other = stock::Command::ReleaseHold { hold: HoldId(u64::MAX) };
            let replies = self.machine.ask(&[(other.into(), key.clone())])?;
            return match replies.first() {
                Some(Reply::KeyReused) => Ok(()),
                other => Err(format!("{key} with another body got {other:?}")),
            };
        }
        let replies = self.machine.ask(&[(command, key.clone())])?;
        let again = replies.first().map(oracle::text).unwrap_or_default();
        if again == first.text { Ok(()) } else { Err(format!("{key} was answered\n{}\nand then\n{again}", first.text)) }
    }

    fn hold(&mut self) -> Result<(), String> {
        if self.random.chance(30) {
            let last = self.machine.look(|state| state.counters().hold)?;
            let hold = HoldId(self.random.below(last) + 1);
            return self.request(stock::Command::ReleaseHold { hold }).map(drop);
        }
        let sku = self.random.pick(SKUS).copied().unwrap_or("MUG");
        let line = stock::WantedLine { sku: code(sku)?, quantity: Quantity::new(self.random.units(1, 4)), location: None };
        let (owner, ttl_ms) = (format!("cart{}", self.random.below(3)).into(), i64::from(self.random.units(1, 7200)) * SECOND_MS);
        self.request(stock::Command::CreateHold(stock::CreateHold { owner, channel: None, ttl_ms, lines: vec![line] })).map(drop)
    }

    fn cancel(&mut self) -> Result<(), String> {
        let last = self.machine.look(|state| state.counters().order)?;
        let order = OrderId(self.random.below(last) + 1);
        let (reason, lines, expected_version) = ("customer".into(), Vec::new(), None);
        self.request(order::Command::CancelOrder { order, reason, lines, expected_version }).map(drop)
    }

    fn vendor_answers(&mut self) -> Result<(), String> {
        let outstanding = self.machine.engine()?.outstanding();
        let told = if self.random.chance(10) {
            self.vendor.again(&mut self.random)
        } else {
            let asked = self.random.pick(&outstanding).cloned();
            let now = self.machine.now();
            asked.map(|asked| {
                let outcome = self.vendor.answer(&mut self.random, asked.effect.id, asked.order, &asked.effect.action, now);
                (asked.effect.id, asked.order, outcome)
            })
        };
        let Some((effect, order, outcome)) = told else { return Ok(()) };
        self.request(payment::Command::RecordEffect { effect, order, outcome }).map(drop)
    }

    pub(crate) fn receive(&mut self, sku: &str, place: &str, units: u32) -> Result<(), String> {
        let location = LocationCode::new(place).map_err(|error| error.to_string())?;
        let lines = vec![ReceiptLine { sku: code(sku)?, quantity: Quantity::new(units) }];
        if let Reply::Done { .. } = self.request(stock::Command::ReceiveStock { location, reference: None, lines })? {
            self.oracle.arrived(sku, i64::from(units));
        }
        Ok(())
    }

    fn stock_moves(&mut self) -> Result<(), String> {
        let sku = self.random.pick(STOCKED).copied().unwrap_or("MUG");
        let place = self.random.pick(PLACES).copied().unwrap_or("AUS");
        let units = self.random.units(1, 6);
        if self.random.chance(60) {
            return self.receive(sku, place, units);
        }
        let (delta, location) = (-i64::from(units), LocationCode::new(place).map_err(|error| error.to_string())?);
        let change = stock::Change::Delta(delta);
        let lines = vec![stock::AdjustLine { sku: code(sku)?, bucket: Bucket::OnHand, change, if_quantity: None }];
        let (reason, reference, count, occurred_at) = ("shrinkage".into(), None, None, None);
        let adjust = stock::AdjustStock { location, reason, reference, count, occurred_at, lines };
        if let Reply::Done { .. } = self.request(stock::Command::AdjustStock(adjust))? {
            self.oracle.arrived(sku, delta);
        }
        Ok(())
    }

    fn time_passes(&mut self) -> Result<(), String> {
        let spans = [SECOND_MS, MINUTE_MS, 31 * MINUTE_MS, 3 * HOUR_MS, 26 * HOUR_MS, 9 * DAY_MS];
        let span = self.random.pick(&spans).copied().unwrap_or(SECOND_MS);
        self.machine.turn_clock(span);
        self.machine.quiet()
    }

    fn break_disk(&mut self) {
        let percent = self.random.below(100);
        let fault = match self.random.below(5) {
            0 => Fault::Full { times: 1 },
            1 => Fault::LostBefore,
            2 => Fault::KeptAfter,
            _ => Fault::PowerLoss { percent },
        };
        disk::plan(&self.machine.plan).fault = Some(fault);
    }
}

pub(crate) fn code(sku: &str) -> Result<Sku, String> {
    Sku::new(sku).map_err(|error| error.to_string())
}
