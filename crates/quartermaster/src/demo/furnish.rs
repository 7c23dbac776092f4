//! The shop of the demo: three locations, four suppliers, stock for some days, and a policy for each SKU.

use super::sample::{Product, Sample};
use anyhow::{Result, bail};
use domain::catalog::{
    Address, BackorderCap, BackorderPayment, Buffer, Channel, ChannelKind, Item, ItemKind, ItemStatus, Location, LocationKind,
    PaymentPolicy, PaymentTiming, Shortage, SingleCapture, SourcingRule, UnitCost,
};
use domain::command::{catalog, purchasing, stock};
use domain::id::{ChannelCode, LocationCode, Sku, SupplierCode};
use domain::money::{Amount, Currency};
use domain::purchasing::{Auto, Cutoff, DispatchVia, OrderAmount, Policy, Source, Supplier};
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;
use domain::time::Timestamp;
use domain::{Command, State};
use engine::Reply;
use server::shop::Shop;
use std::sync::Arc;

/// Code, name, city, priority; the first gets most of the stock and all replenishment.
const LOCATIONS: [(&str, &str, &str, u16); 3] =
    [("LON", "London warehouse", "London", 1), ("MAN", "Manchester warehouse", "Manchester", 2), ("BRS", "Bristol store", "Bristol", 3)];
/// Code, name, lead time in days, and the hour of a working day at which the orders of the day go out.
const SUPPLIERS: [(&str, &str, u16, u16); 4] = [
    ("NORTH", "North Giftware", 2, 16),
    ("HARBOR", "Harbor Imports", 4, 12),
    ("PAPER", "Paper & Craft", 1, 17),
    ("GLASS", "Glassworks", 3, 11),
];
const UNSET: Timestamp = Timestamp(0);
/// Commands that wait for one durable frame together.
const TOGETHER: usize = 500;

/// Units of a SKU that a location opens with. At the first, most are stocked up, some are about to be ordered, and few are nearly gone.
fn opening(location: usize, product: &Product, days: u16) -> Quantity {
    let levels = Levels::of(product, days);
    let fate = product.sku.as_str().bytes().fold(0, |sum: u32, byte| sum * 31 % 1_009 + u32::from(byte)) % 20;
    Quantity::new(match (location, fate) {
        (0, 0) => levels.daily,
        (0, 1..=4) => levels.reorder_point + 1,
        (0, _) => levels.order_up_to,
        (_, _) => levels.daily,
    })
}

/// When and up to what a SKU is ordered.
struct Levels {
    daily: u32,
    reorder_point: u32,
    order_up_to: u32,
}

impl Levels {
    /// Enough for the lead time and a usual order beyond it, so that few have to wait.
    fn of(product: &Product, days: u16) -> Self {
        let (_, _, lead, _) = SUPPLIERS[supplier_for(&product.sku)];
        let daily = product.sold.div_ceil(u32::from(days)).max(1);
        let usual = product.sold.div_ceil(product.orders.max(1)).max(1);
        let reorder_point = daily * (u32::from(lead) + 1) + usual;
        Self { daily, reorder_point, order_up_to: reorder_point + (daily * 4).max(usual * 2) }
    }
}

/// The demo's shop stands there, whole: policies come last.
pub fn is_furnished(state: &State) -> bool {
    let places = LOCATIONS.iter().all(|(code, ..)| LocationCode::new(code).is_ok_and(|code| state.catalog.locations.contains(&code)));
    places && !state.purchasing.policies.is_empty()
}

pub async fn furnish(shop: &Arc<Shop>, sample: &Sample) -> Result<()> {
    let mut commands = places();
    commands.extend(SUPPLIERS.iter().map(|supplier| purchasing::Command::CreateSupplier(supplier_of(supplier)).into()));
    all(shop, commands).await?;
    all(shop, sample.products.values().map(|product| catalog::Command::CreateItem(item(product)).into()).collect()).await?;
    let stocked: Vec<&Product> = sample.products.values().filter(|product| !product.service).collect();
    let mut receipts = Vec::new();
    for (at, (code, ..)) in LOCATIONS.iter().enumerate() {
        for products in stocked.chunks(200) {
            let lines =
                products.iter().map(|product| ReceiptLine { sku: product.sku.clone(), quantity: opening(at, product, sample.days) });
            let (location, reference) = (LocationCode::new(code)?, Some("opening".into()));
            receipts.push(stock::Command::ReceiveStock { location, reference, lines: lines.collect() }.into());
        }
    }
    all(shop, receipts).await?;
    let policies = stocked.iter().map(|product| {
        let policy = policy(product, sample.days)?;
        Ok(purchasing::Command::SetPolicy { policy, expected_version: None }.into())
    });
    all(shop, policies.collect::<Result<_>>()?).await?;
    Ok(())
}

async fn all(shop: &Arc<Shop>, commands: Vec<Command>) -> Result<()> {
    let mut commands = commands.into_iter().peekable();
    while commands.peek().is_some() {
        let together: Vec<_> = commands.by_ref().take(TOGETHER).map(|command| tokio::spawn(submit(shop.clone(), command))).collect();
        for task in together {
            task.await??;
        }
    }
    Ok(())
}

async fn submit(shop: Arc<Shop>, command: Command) -> Result<()> {
    match shop.submit(command, "demo".to_owned(), None).await {
        Ok(Reply::Done { .. }) => Ok(()),
        Ok(other) => bail!("the demo's shop can't be furnished: {other:?}"),
        Err(busy) => bail!("the demo's shop can't be furnished: {busy:?}"),
    }
}

fn places() -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for (code, name, city, priority) in LOCATIONS {
        let address = Address { city: Some(city.into()), country: "GB".into(), ..Address::default() };
        let location = Location {
            code: LocationCode::new(code).expect("a sound code"),
            name: name.into(),
            address,
            coordinates: None,
            time_zone: "Europe/London".into(),
            cutoff_minute: 15 * 60,
            working_days: vec![0, 1, 2, 3, 4, 5],
            handling_days: 1,
            priority,
            kind: if code == "BRS" { LocationKind::Store } else { LocationKind::Warehouse },
            active: true,
            version: 0,
            created_at: UNSET,
        };
        commands.push(catalog::Command::CreateLocation(location).into());
    }
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
        code: ChannelCode::new("web").expect("a sound code"),
        name: "Web shop".into(),
        kind: ChannelKind::Web,
        locations: Vec::new(),
        buffer: Buffer::None,
        on_shortage: Shortage::Split,
        payment,
        sourcing: vec![SourcingRule::Priority],
        mail: None,
        active: true,
        version: 0,
        created_at: UNSET,
    };
    commands.push(catalog::Command::CreateChannel(channel).into());
    commands
}

fn supplier_of((code, name, lead_time_days, hour): &(&str, &str, u16, u16)) -> Supplier {
    let cutoff = Some(Cutoff { minute: hour * 60, weekdays: vec![0, 1, 2, 3, 4], time_zone: "Europe/London".into() });
    Supplier {
        code: SupplierCode::new(code).expect("a sound code"),
        name: (*name).into(),
        email: None,
        lead_time_days: *lead_time_days,
        currency: Currency::GBP,
        order_minimum: Amount::ZERO,
        dispatch: DispatchVia::None,
        webhook: None,
        auto: Auto::Send,
        cutoff,
        active: true,
        metadata: Default::default(),
        version: 0,
        created_at: UNSET,
    }
}

fn item(product: &Product) -> Item {
    Item {
        sku: product.sku.clone(),
        name: product.name.as_str().into(),
        kind: if product.service { ItemKind::Service } else { ItemKind::Stocked },
        barcode: None,
        unit_cost: Some(UnitCost { amount: Amount::new(product.price * 2 / 5), currency: Currency::GBP }),
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

/// A supplier for a SKU, the same each time.
fn supplier_for(sku: &Sku) -> usize {
    sku.as_str().bytes().map(usize::from).sum::<usize>() % SUPPLIERS.len()
}

fn policy(product: &Product, days: u16) -> Result<Policy> {
    let (code, ..) = SUPPLIERS[supplier_for(&product.sku)];
    let levels = Levels::of(product, days);
    Ok(Policy {
        sku: product.sku.clone(),
        location: LocationCode::new(LOCATIONS[0].0)?,
        source: Source::Supplier(SupplierCode::new(code)?),
        auto: None,
        reorder_point: Quantity::new(levels.reorder_point),
        amount: OrderAmount::OrderUpTo(Quantity::new(levels.order_up_to)),
        moq: Quantity::new(6),
        multiple: Quantity::new(6),
        lead_time_days: None,
        unit_cost: Amount::new(product.price * 2 / 5),
        active: true,
        version: 0,
    })
}
