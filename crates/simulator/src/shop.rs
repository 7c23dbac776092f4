//! The shop that is simulated: two locations, a few SKUs with a kit and a service, two channels, a supplier with policies.

use domain::catalog::{
    Address, BackorderCap, BackorderPayment, Buffer, Channel, ChannelKind, Component, Item, ItemKind, ItemStatus, Location, LocationKind,
    OnExpiry, PaymentPolicy, PaymentTiming, Shortage, SingleCapture,
};
use domain::command::order::{PlaceLine, PlaceOrder};
use domain::command::{Command, catalog, order, purchasing};
use domain::id::{ChannelCode, CodeMalformed, LocationCode, Sku, SupplierCode};
use domain::money::{Amount, Currency};
use domain::order::Origin;
use domain::purchasing::{Auto, DispatchVia, OrderAmount, Policy, Source, Supplier};
use domain::quantity::Quantity;
use domain::time::Timestamp;

pub const SKUS: &[&str] = &["MUG", "TEA", "SET", "WRAP"];
/// Those that stand on a shelf.
pub const STOCKED: &[&str] = &["MUG", "TEA"];
pub const PLACES: &[&str] = &["AUS", "BER"];
pub const CHANNELS: &[&str] = &["web", "shop"];
const EPOCH: Timestamp = Timestamp(0);

/// # Errors
/// Never: the codes are sound.
pub fn furniture() -> Result<Vec<Command>, CodeMalformed> {
    let mut commands: Vec<Command> = Vec::new();
    for (code, priority) in PLACES.iter().zip(1..) {
        commands.push(catalog::Command::CreateLocation(location(code, priority)?).into());
    }
    for code in CHANNELS {
        commands.push(catalog::Command::CreateChannel(channel(code)?).into());
    }
    let part = |sku: &str, units| Ok::<_, CodeMalformed>(Component { sku: Sku::new(sku)?, quantity: Quantity::new(units) });
    for sku in SKUS {
        let kind = match *sku {
            "SET" => ItemKind::Kit { components: vec![part("MUG", 1)?, part("TEA", 2)?], split_kit: false },
            "WRAP" => ItemKind::Service,
            _ => ItemKind::Stocked,
        };
        commands.push(catalog::Command::CreateItem(item(sku, kind)?).into());
    }
    commands.push(purchasing::Command::CreateSupplier(supplier()?).into());
    for sku in STOCKED {
        commands.push(purchasing::Command::SetPolicy { policy: policy(sku)?, expected_version: None }.into());
    }
    Ok(commands)
}

fn location(code: &str, priority: u16) -> Result<Location, CodeMalformed> {
    Ok(Location {
        code: LocationCode::new(code)?,
        name: code.into(),
        address: Address { country: "US".into(), ..Address::default() },
        coordinates: None,
        time_zone: "America/Chicago".into(),
        cutoff_minute: 900,
        working_days: vec![0, 1, 2, 3, 4],
        handling_days: 1,
        priority,
        kind: LocationKind::Warehouse,
        active: true,
        version: 0,
        created_at: EPOCH,
    })
}

fn channel(code: &str) -> Result<Channel, CodeMalformed> {
    let web = code == "web";
    let payment = PaymentPolicy {
        timing: if web { PaymentTiming::CaptureAtShipment } else { PaymentTiming::CaptureAtPlacement },
        backorder: if web { BackorderPayment::Now } else { BackorderPayment::OnAllocation },
        window_ms: 0,
        gateway: "test".into(),
        single_capture: SingleCapture::FirstShipment,
        multicapture: web,
        overcapture_percent: 0,
        on_expiry: OnExpiry::Reauthorize,
    };
    Ok(Channel {
        code: ChannelCode::new(code)?,
        name: code.into(),
        kind: ChannelKind::Web,
        locations: Vec::new(),
        buffer: if web { Buffer::None } else { Buffer::Units(Quantity::new(1)) },
        on_shortage: Shortage::Reject,
        payment,
        sourcing: Vec::new(),
        mail: None,
        active: true,
        version: 0,
        created_at: EPOCH,
    })
}

fn item(sku: &str, kind: ItemKind) -> Result<Item, CodeMalformed> {
    Ok(Item {
        sku: Sku::new(sku)?,
        name: sku.into(),
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
        created_at: EPOCH,
    })
}

fn supplier() -> Result<Supplier, CodeMalformed> {
    Ok(Supplier {
        code: SupplierCode::new("ACME")?,
        name: "Acme".into(),
        email: None,
        dispatch: DispatchVia::None,
        webhook: None,
        lead_time_days: 7,
        currency: Currency::USD,
        order_minimum: Amount::ZERO,
        auto: Auto::Send,
        cutoff: None,
        active: true,
        metadata: Default::default(),
        version: 0,
        created_at: EPOCH,
    })
}

fn policy(sku: &str) -> Result<Policy, CodeMalformed> {
    Ok(Policy {
        sku: Sku::new(sku)?,
        location: LocationCode::new("AUS")?,
        source: Source::Supplier(SupplierCode::new("ACME")?),
        auto: None,
        reorder_point: Quantity::new(5),
        amount: OrderAmount::OrderUpTo(Quantity::new(30)),
        moq: Quantity::ONE,
        multiple: Quantity::ONE,
        lead_time_days: None,
        unit_cost: Amount::new(100),
        active: true,
        version: 0,
    })
}

/// An order as a client sends it: `lines` are SKU and units.
///
/// # Errors
/// When a code is malformed.
pub fn order(
    channel: &str,
    external_id: &str,
    lines: &[(&str, u32)],
    on_shortage: Option<Shortage>,
    hold_owner: Option<&str>,
) -> Result<Command, CodeMalformed> {
    let line = |(sku, units): &(&str, u32)| {
        Ok(PlaceLine {
            external_id: None,
            sku: Sku::new(sku)?,
            quantity: Quantity::new(*units),
            unit_price: Amount::new(1000),
            discount: Amount::ZERO,
            tax: Amount::ZERO,
            total: None,
        })
    };
    let place = PlaceOrder {
        channel: ChannelCode::new(channel)?,
        external_id: Some(external_id.into()),
        content: Some(format!("{lines:?}").into()),
        origin: Origin::Live,
        placed_at: None,
        currency: Currency::USD,
        prices_include_tax: false,
        on_shortage,
        hold_owner: hold_owner.map(Into::into),
        priority: 0,
        customer: None,
        ship_to: None,
        lines: lines.iter().map(line).collect::<Result<_, CodeMalformed>>()?,
        charges: Vec::new(),
        total: None,
        payment_token: None,
        payments: Vec::new(),
        note: None,
        notify: true,
        metadata: Default::default(),
    };
    Ok(order::Command::PlaceOrder(Box::new(place)).into())
}
