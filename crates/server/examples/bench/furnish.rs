//! A shop to measure: one location, one channel, many SKUs with more stock than can be sold.

use domain::Command;
use domain::command::order::{Command as OrderCommand, PlaceLine, PlaceOrder};
use domain::command::{catalog, stock};
use domain::id::Sku;
use domain::money::{Amount, Currency};
use domain::order::Origin;
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;
use serde_json::{Value, json};

/// SKUs of every shop that is measured.
pub const SKUS: usize = 10_000;
/// SKUs that orders over HTTP name.
pub const SKUS_OVER_HTTP: usize = 200;
const UNITS_EACH: u32 = 10_000_000;
const RECEIPT_LINES: usize = 500;

pub fn sku(at: usize) -> Sku {
    format!("SKU-{at}").parse().expect("a code")
}

/// What makes the shop, in order.
pub fn commands() -> Vec<Command> {
    let read = |value: Value| value.to_string();
    let location = json!({"code": "AUS", "name": "Austin", "address": {"country": "US"}, "time_zone": "UTC", "cutoff_minute": 900,
        "working_days": [0, 1, 2, 3, 4, 5, 6], "handling_days": 1, "priority": 1, "kind": "warehouse", "active": true, "version": 0,
        "created_at": "2026-01-01T00:00:00Z"});
    let payment = json!({"timing": "invoice", "backorder": "now", "window_ms": 0, "gateway": "manual", "single_capture": "first_shipment",
        "multicapture": true});
    let channel = json!({"code": "web", "name": "Web", "kind": "web", "locations": [], "buffer": "none", "on_shortage": "reject",
        "payment": payment, "sourcing": [], "active": true, "version": 0, "created_at": "2026-01-01T00:00:00Z"});
    let mut commands: Vec<Command> = vec![
        catalog::Command::CreateLocation(serde_json::from_str(&read(location)).expect("a location")).into(),
        catalog::Command::CreateChannel(serde_json::from_str(&read(channel)).expect("a channel")).into(),
    ];
    for at in 0..SKUS {
        let item = json!({"sku": format!("SKU-{at}"), "name": "Thing", "kind": "stocked", "backorder_cap": "none", "status": "active",
            "version": 0, "created_at": "2026-01-01T00:00:00Z"});
        commands.push(catalog::Command::CreateItem(serde_json::from_str(&read(item)).expect("an item")).into());
    }
    for from in (0..SKUS).step_by(RECEIPT_LINES) {
        let lines = (from..from + RECEIPT_LINES).map(|at| ReceiptLine { sku: sku(at), quantity: Quantity::new(UNITS_EACH) }).collect();
        commands.push(stock::Command::ReceiveStock { location: "AUS".parse().expect("a code"), reference: None, lines }.into());
    }
    commands
}

/// An order of two lines.
pub fn order(skus: [usize; 2], external_id: Option<String>) -> PlaceOrder {
    let line = |at: usize| PlaceLine {
        external_id: None,
        sku: sku(at),
        quantity: Quantity::ONE,
        unit_price: Amount::new(1200),
        discount: Amount::ZERO,
        tax: Amount::ZERO,
        total: None,
    };
    PlaceOrder {
        channel: "web".parse().expect("a code"),
        external_id: external_id.map(Into::into),
        content: None,
        origin: Origin::Live,
        placed_at: None,
        currency: Currency::USD,
        prices_include_tax: false,
        on_shortage: None,
        hold_owner: None,
        priority: 0,
        customer: None,
        ship_to: None,
        lines: skus.map(line).into(),
        charges: Vec::new(),
        total: None,
        payment_token: None,
        payments: Vec::new(),
        note: None,
        notify: false,
        metadata: Default::default(),
    }
}

pub fn place(skus: [usize; 2], external_id: Option<String>) -> Command {
    OrderCommand::PlaceOrder(Box::new(order(skus, external_id))).into()
}
