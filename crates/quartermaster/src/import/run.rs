//! What was classified goes through the engine like everything else: in order, durable, and once.

use super::classify::{History, Line, Unit};
use super::mapping::Mapping;
use anyhow::{Context, Result, bail};
use domain::Command;
use domain::catalog::{
    Address, BackorderCap, BackorderPayment, Buffer, Channel, ChannelKind, Item, ItemKind, ItemStatus, Location, LocationKind,
    PaymentPolicy, PaymentTiming, Shortage, SingleCapture,
};
use domain::command::{catalog, order, returns, stock};
use domain::event::stock::Bucket;
use domain::id::{ChannelCode, LocationCode, Sku};
use domain::money::{Amount, Currency};
use domain::order::{Buyer, Origin};
use domain::quantity::Quantity;
use domain::returns::Disposition;
use domain::time::Timestamp;
use engine::{Engine, Idempotency, Options, Reply, Submission};
use indicatif::{ProgressBar, ProgressStyle};
use server::vault::Vault;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// Commands under way; replies come in the order of their commands.
const WINDOW: usize = 4096;
/// Lines of one opening balance.
const OPENING_LINES: usize = 400;
const UNSET: Timestamp = Timestamp(0);

struct Pipe<'a> {
    engine: &'a Engine,
    replies: Receiver<Vec<(u64, Reply)>>,
    digest: &'a str,
    sent: u64,
    answered: u64,
    bar: ProgressBar,
    refused: Vec<String>,
}

pub fn run(folder: &Path, mapping: &Mapping, digest: &str, history: History) -> Result<()> {
    let (send, replies) = channel();
    let options = Options {
        on_replies: Box::new(move |batch| {
            // The importer may have given up.
            let _ = send.send(batch);
        }),
        ..Options::new(folder)
    };
    let engine = Engine::open(options)?;
    let vault = Vault::open(folder)?;
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {per_sec} {eta} left").context("a sound template")?;
    let bar = ProgressBar::new(history.units.len() as u64).with_style(style);
    let mut pipe = Pipe { engine: &engine, replies, digest, sent: 0, answered: 0, bar, refused: Vec::new() };
    let started = Instant::now();
    let location = LocationCode::new(&mapping.location)?;
    furnish(&mut pipe, mapping, &location, &history)?;
    let units = history.units.len();
    for (at, unit) in history.units.iter().enumerate() {
        pipe.submit(command(mapping, &vault, &location, unit)?, &format!("unit {at}"))?;
        pipe.bar.inc(1);
    }
    pipe.drain(0)?;
    pipe.bar.finish_and_clear();
    for refused in pipe.refused.iter().take(10) {
        println!("refused: {refused}");
    }
    let refused = pipe.refused.len();
    drop(pipe);
    engine.stop();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{units} orders, returns and adjustments in {seconds:.1} s ({:.0} rows a second), {refused} refused",
        history.rows as f64 / seconds
    );
    prove(folder, &history)
}

/// What the file does not say: where and through which channel. What is there already stays as it is.
fn furnish(pipe: &mut Pipe, mapping: &Mapping, location: &LocationCode, history: &History) -> Result<()> {
    let (place, channel) = places(mapping, location)?;
    let known = pipe.engine.query({
        let (location, channel) = (location.clone(), channel.code.clone());
        move |state| (state.catalog.locations.contains(&location), state.catalog.channels.contains(&channel))
    });
    let (known_location, known_channel) = known.context("the engine has stopped")?;
    if !known_location {
        pipe.submit(catalog::Command::CreateLocation(place).into(), "location")?;
    }
    if !known_channel {
        pipe.submit(catalog::Command::CreateChannel(channel).into(), "channel")?;
    }
    let skus: Vec<Sku> = history.items.keys().cloned().collect();
    let known = pipe.engine.query(move |state| skus.into_iter().filter(|sku| state.catalog.items.contains(sku)).collect::<Vec<_>>());
    let known = known.context("the engine has stopped")?;
    for (sku, (name, service)) in history.items.iter().filter(|(sku, _)| !known.contains(sku)) {
        pipe.submit(catalog::Command::CreateItem(item(sku, name, *service)).into(), &format!("item {sku}"))?;
    }
    let lines: Vec<(&Sku, &i64)> = history.opening.iter().collect();
    for (at, lines) in lines.chunks(OPENING_LINES).enumerate() {
        let lines = lines.iter().map(|(sku, units)| stock::AdjustLine {
            sku: (*sku).clone(),
            bucket: Bucket::OnHand,
            change: stock::Change::Delta(**units),
            if_quantity: None,
        });
        let (reason, reference) = ("opening_balance".into(), Some(pipe.digest.into()));
        let (location, lines) = (location.clone(), lines.collect());
        let opening = stock::AdjustStock { location, reason, reference, count: None, occurred_at: None, lines };
        pipe.submit(stock::Command::AdjustStock(opening).into(), &format!("opening {at}"))?;
    }
    Ok(())
}

impl Pipe<'_> {
    /// The name makes it happen once, however often the import is run.
    fn submit(&mut self, command: Command, name: &str) -> Result<()> {
        let key = format!("import {} {name}", self.digest);
        let idempotency = Some(Idempotency { key, body: self.digest.to_owned() });
        self.sent += 1;
        let submission = Submission { command, actor: "import".to_owned(), idempotency, token: self.sent };
        if self.engine.submit_waiting(submission).is_err() {
            bail!("the engine stopped: {}", self.engine.failure().unwrap_or_default());
        }
        self.drain(WINDOW)
    }

    fn drain(&mut self, under_way: usize) -> Result<()> {
        while self.sent - self.answered > under_way as u64 {
            let batch = self.replies.recv().context("the engine stopped")?;
            self.answered += batch.len() as u64;
            for (_, reply) in batch {
                match reply {
                    Reply::Done { .. } => {}
                    Reply::Refused { rejection: domain::Rejection::OrderRepeated { .. }, .. } => {}
                    Reply::Refused { rejection, .. } => self.refused.push(rejection.detail()),
                    Reply::KeyReused | Reply::OutcomeUnknown | Reply::NoSpace => {
                        bail!("the import stopped: {}. Run it again; it goes on where it was", self.engine.failure().unwrap_or_default())
                    }
                }
            }
        }
        Ok(())
    }
}

fn command(mapping: &Mapping, vault: &Vault, location: &LocationCode, unit: &Unit) -> Result<Command> {
    Ok(match unit {
        Unit::Order { name, at, customer, country, lines } => {
            let mut metadata = domain::text::Metadata::new();
            metadata.extend(country.as_ref().map(|country| ("country".into(), country.as_str().into())));
            let customer = match customer {
                Some(id) => {
                    let name = vault.fingerprint(if id.contains('@') { "email" } else { "external_id" }, id);
                    Some(Buyer { id: vault.customer(std::slice::from_ref(&name))?, details: None, email_fingerprint: Some(name) })
                }
                None => None,
            };
            let place = order::PlaceOrder {
                channel: ChannelCode::new(&mapping.channel)?,
                external_id: Some(name.as_str().into()),
                content: None,
                origin: Origin::Import,
                placed_at: Some(*at),
                currency: currency(mapping)?,
                prices_include_tax: true,
                on_shortage: None,
                hold_owner: None,
                priority: 0,
                customer,
                ship_to: None,
                lines: lines.iter().map(place_line).collect(),
                charges: Vec::new(),
                total: None,
                payment_token: None,
                payments: Vec::new(),
                note: None,
                notify: false,
                metadata,
            };
            order::Command::ImportOrder { order: Box::new(place), location: location.clone() }.into()
        }
        Unit::Return { name, at, lines } => {
            let lines = lines.iter().map(|line| (line.sku.clone(), Quantity::new(line.quantity), Disposition::Restock)).collect();
            let (location, reason) = (location.clone(), Some("canceled invoice".into()));
            let blind = returns::BlindReturn { location, external_id: Some(name.as_str().into()), reason, occurred_at: Some(*at), lines };
            returns::Command::ReceiveBlind(blind).into()
        }
        Unit::Adjustment { row, at, sku, delta, reason } => {
            let change = stock::Change::Delta(*delta);
            let lines = vec![stock::AdjustLine { sku: sku.clone(), bucket: Bucket::OnHand, change, if_quantity: None }];
            let (location, reason, reference) = (location.clone(), reason.as_str().into(), Some(format!("line {row}").into()));
            stock::Command::AdjustStock(stock::AdjustStock { location, reason, reference, count: None, occurred_at: Some(*at), lines })
                .into()
        }
    })
}

fn place_line(line: &Line) -> order::PlaceLine {
    order::PlaceLine {
        external_id: None,
        sku: line.sku.clone(),
        quantity: Quantity::new(line.quantity),
        unit_price: Amount::new(line.price),
        discount: Amount::ZERO,
        tax: Amount::ZERO,
        total: None,
    }
}

fn currency(mapping: &Mapping) -> Result<Currency> {
    Currency::parse(&mapping.currency).with_context(|| format!("\"{}\" is no currency like \"GBP\"", mapping.currency))
}

fn places(mapping: &Mapping, code: &LocationCode) -> Result<(Location, Channel)> {
    let location = Location {
        code: code.clone(),
        name: code.as_str().into(),
        address: Address { country: "GB".into(), ..Address::default() },
        coordinates: None,
        time_zone: mapping.time_zone.as_str().into(),
        cutoff_minute: 15 * 60,
        working_days: vec![0, 1, 2, 3, 4],
        handling_days: 1,
        priority: 1,
        kind: LocationKind::Warehouse,
        active: true,
        version: 0,
        created_at: UNSET,
    };
    let payment = PaymentPolicy {
        timing: PaymentTiming::Outside,
        backorder: BackorderPayment::Now,
        window_ms: 0,
        gateway: "manual".into(),
        single_capture: SingleCapture::FirstShipment,
        multicapture: false,
    };
    let channel = Channel {
        code: ChannelCode::new(&mapping.channel)?,
        name: mapping.channel.as_str().into(),
        kind: ChannelKind::Web,
        locations: vec![code.clone()],
        buffer: Buffer::None,
        on_shortage: Shortage::Reject,
        payment,
        sourcing: Vec::new(),
        mail: None,
        active: true,
        version: 0,
        created_at: UNSET,
    };
    Ok((location, channel))
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

/// For each SKU and class of row, the ledger's quantity is the file's.
fn prove(folder: &Path, history: &History) -> Result<()> {
    let store = rusqlite::Connection::open_with_flags(folder.join("store.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sql =
        "SELECT sku, sum(CASE kind WHEN 'shipped' THEN -quantity ELSE 0 END), sum(CASE kind WHEN 'returned' THEN quantity ELSE 0 END),
                   sum(CASE kind WHEN 'adjusted' THEN quantity ELSE 0 END) FROM ledger WHERE actor = 'import' GROUP BY sku";
    let mut statement = store.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut differing = 0;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let sku: String = row.get(0)?;
        let ledger: [i64; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
        let sku = Sku::new(&sku)?;
        let mut file = history.classes.get(&sku).copied().unwrap_or_default();
        file[2] += history.opening.get(&sku).copied().unwrap_or(0);
        seen += 1;
        if file != ledger {
            differing += 1;
            println!("{sku}: the file has {file:?} (sold, returned, adjusted with opening), the ledger {ledger:?}");
        }
    }
    println!("ledger against file: {seen} SKUs, {differing} differ");
    if differing > 0 || seen < history.classes.len() {
        bail!("the ledger differs from the file; was something else imported into this folder?");
    }
    Ok(())
}
