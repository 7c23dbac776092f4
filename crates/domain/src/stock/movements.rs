//! The stock ledger: every change of a level, read off the events alone.

use super::LevelAfter;
use crate::event::Event;
use crate::id::{LocationCode, Sku};
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub sku: Sku,
    pub location: LocationCode,
    pub kind: MovementKind,
    /// Units, signed as they change what `kind` names.
    pub quantity: i64,
    /// The level after it.
    pub level: LevelAfter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    Received,
    ReceiptReversed,
    Adjusted,
    Moved,
    SafetyStock,
    Allocated,
    Backordered,
    Released,
    Picked,
    Unpicked,
    Shipped,
    Held,
    HoldEnded,
    Returned,
    TransferredOut,
    TransferredIn,
}

impl MovementKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::ReceiptReversed => "receipt_reversed",
            Self::Adjusted => "adjusted",
            Self::Moved => "moved",
            Self::SafetyStock => "safety_stock",
            Self::Allocated => "allocated",
            Self::Backordered => "backordered",
            Self::Released => "released",
            Self::Picked => "picked",
            Self::Unpicked => "unpicked",
            Self::Shipped => "shipped",
            Self::Held => "held",
            Self::HoldEnded => "hold_ended",
            Self::Returned => "returned",
            Self::TransferredOut => "transferred_out",
            Self::TransferredIn => "transferred_in",
        }
    }
}

/// What an event moved, in the order of its lines. Empty for most events.
pub fn movements(event: &Event) -> Vec<Movement> {
    use MovementKind as Kind;
    let row = |sku: &Sku, location: &LocationCode, kind, quantity: i64, level: &LevelAfter| Movement {
        sku: sku.clone(),
        location: location.clone(),
        kind,
        quantity,
        level: *level,
    };
    let held = |lines: &[crate::event::stock::HeldLine], kind, sign: i64| {
        let rows = lines.iter().map(|held| row(&held.line.sku, &held.line.location, kind, sign * held.line.quantity.signed(), &held.level));
        rows.collect::<Vec<_>>()
    };
    let work = |location: &LocationCode, lines: &[crate::event::fulfillment::WorkLine], kind, sign: i64| {
        let goods = lines.iter().filter(|line| line.part.is_some() && !line.quantity.is_zero());
        goods.map(|line| row(&line.sku, location, kind, sign * line.quantity.signed(), &line.level)).collect::<Vec<_>>()
    };
    let received = |location: &LocationCode, lines: &[crate::event::stock::ReceivedLine], kind, sign: i64| {
        lines.iter().map(|line| row(&line.sku, location, kind, sign * line.quantity.signed(), &line.level)).collect::<Vec<_>>()
    };
    let claimed = |lines: &[crate::event::stock::StockLine], kind| {
        lines.iter().map(|line| row(&line.sku, &line.location, kind, line.quantity.signed(), &line.level)).collect::<Vec<_>>()
    };
    match event {
        Event::StockReceived(e) => received(&e.location, &e.lines, Kind::Received, 1),
        Event::ReceiptReversed(e) => received(&e.location, &e.lines, Kind::ReceiptReversed, -1),
        Event::StockMoved(e) => received(&e.location, &e.lines, Kind::Moved, 1),
        Event::StockAdjusted(e) => {
            e.lines.iter().map(|line| row(&line.sku, &e.location, Kind::Adjusted, line.delta, &line.level)).collect()
        }
        Event::SafetyStockSet(e) => vec![row(&e.sku, &e.location, Kind::SafetyStock, e.safety_stock.signed(), &e.level)],
        Event::StockAllocated(e) => claimed(&e.lines, Kind::Allocated),
        Event::OrderImported(e) => {
            e.lines.iter().map(|line| row(&line.sku, &line.location, Kind::Shipped, -line.quantity.signed(), &line.level)).collect()
        }
        Event::StockBackordered(e) => claimed(&e.lines, Kind::Backordered),
        Event::StockReleased(e) => {
            let units = |allocated: Quantity, backordered: Quantity| -(allocated.signed() + backordered.signed());
            let rows = e.lines.iter();
            rows.map(|line| row(&line.sku, &line.location, Kind::Released, units(line.allocated, line.backordered), &line.level)).collect()
        }
        Event::PickStarted(e) => work(&e.location, &e.lines, Kind::Picked, 1),
        Event::ShortPicked(e) => {
            let mut rows = work(&e.location, &e.lines, Kind::Unpicked, -1);
            rows.extend(work(&e.location, &e.put_back, Kind::Unpicked, -1));
            rows
        }
        Event::FulfillmentCanceled(e) => work(&e.location, &e.lines, Kind::Unpicked, -1),
        Event::Shipped(e) => work(&e.location, &e.lines, Kind::Shipped, -1),
        Event::HoldCreated(e) => held(&e.lines, Kind::Held, 1),
        Event::HoldEnded(e) => held(&e.lines, Kind::HoldEnded, -1),
        Event::HoldExpired(e) => held(&e.lines, Kind::HoldEnded, -1),
        Event::HoldConsumed(e) => held(&e.lines, Kind::HoldEnded, -1),
        Event::HoldBroken(e) => held(&e.lines, Kind::HoldEnded, -1),
        Event::ReturnReceived(e) => {
            let kept = e.lines.iter().filter(|units| units.disposition != crate::returns::Disposition::Scrap);
            kept.map(|units| row(&units.sku, &e.location, Kind::Returned, units.quantity.signed(), &units.level)).collect()
        }
        Event::TransferShipped(e) => {
            e.lines.iter().map(|units| row(&units.sku, &e.from, Kind::TransferredOut, -units.quantity.signed(), &units.level)).collect()
        }
        Event::TransferReceived(e) => {
            let units = |units: &crate::event::transfer::ArrivedUnits| (units.accepted + units.damaged).signed();
            e.lines.iter().map(|line| row(&line.sku, &e.to, Kind::TransferredIn, units(line), &line.level)).collect()
        }
        _ => Vec::new(),
    }
}
