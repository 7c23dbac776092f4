//! What may be done to stock.

use super::{ReceiptLine, adjust, hold};
use crate::catalog::{ItemKind, LocationKind};
use crate::command::stock::Command;
use crate::event::Event;
use crate::event::stock::{Bucket, ReceiptReversed, ReceivedLine, SafetyStockSet, StockMoved, StockReceived};
use crate::id::{LocationCode, MoveId, ReceiptId, Sku};
use crate::limits;
use crate::memory::Fetch;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::LevelAfter;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::ReceiveStock { location, reference, lines } => receive(state, location, reference, lines),
        Command::ReverseReceipt { receipt, reason } => reverse(state, receipt, reason),
        Command::AdjustStock(command) => adjust::adjust(state, command),
        Command::MoveStock { location, reason, from, to, lines } => {
            check_place(state, &location, &lines)?;
            move_stock(state, StockMoved { mov: MoveId(state.counters().mov + 1), location, reason, from, to, lines: stamped(lines) })
        }
        Command::SetSafetyStock { sku, location, safety_stock } => {
            let line = ReceiptLine { sku: sku.clone(), quantity: Quantity::ONE };
            check_place(state, &location, &[line])?;
            if safety_stock.get() > limits::QUANTITY_MAX {
                return Err(Rejection::invalid("safety_stock", format!("must be at most {}", limits::QUANTITY_MAX)));
            }
            Ok(vec![SafetyStockSet { sku, location, safety_stock, level: LevelAfter::default() }.into()])
        }
        Command::CreateHold(command) => hold::create(state, cx, command),
        Command::ExtendHold { hold, ttl_ms } => hold::extend(state, cx, hold, ttl_ms),
        Command::ReleaseHold { hold } => hold::release(state, hold),
        Command::ExpireHold { hold } => Ok(hold::expire(state, cx, hold)),
        Command::FillBackorders { .. } => Ok(Vec::new()),
    }
}

fn stamped(lines: Vec<ReceiptLine>) -> Vec<ReceivedLine> {
    lines.into_iter().map(|line| ReceivedLine { sku: line.sku, quantity: line.quantity, level: LevelAfter::default() }).collect()
}

/// The location is there, and each line names a stocked item once with a sound quantity.
pub(crate) fn check_place(state: &State, location: &LocationCode, lines: &[ReceiptLine]) -> Result<(), Rejection> {
    let known = state.catalog.locations.get(location).ok_or_else(|| Rejection::not_found("location", location))?;
    if !known.active || known.kind == LocationKind::Supplier {
        return Err(Rejection::wrong_status("location", location, "inactive or a supplier's", "an active place of your own"));
    }
    if lines.is_empty() || lines.len() > limits::STOCK_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("send 1 to {}", limits::STOCK_LINES_MAX)));
    }
    let mut skus: Vec<&Sku> = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        check_stocked(state, &line.sku)?;
        if line.quantity.is_zero() || line.quantity.get() > limits::QUANTITY_MAX {
            return Err(Rejection::invalid(format!("lines[{at}].quantity"), format!("must be 1 to {}", limits::QUANTITY_MAX)));
        }
        skus.push(&line.sku);
    }
    skus.sort_unstable();
    match skus.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Rejection::invalid("lines", format!("{} stands twice; add the quantities up", pair[0]))),
        None => Ok(()),
    }
}

pub(crate) fn check_stocked(state: &State, sku: &Sku) -> Result<(), Rejection> {
    let item = state.catalog.items.get(sku).ok_or_else(|| Rejection::not_found("item", sku))?;
    match item.kind {
        ItemKind::Stocked => Ok(()),
        ItemKind::Kit { .. } | ItemKind::Service => {
            Err(Rejection::invalid("sku", format!("{sku} is not stocked itself; a kit is stocked as its components, a service never")))
        }
    }
}

fn receive(state: &State, location: LocationCode, reference: Option<SmolStr>, lines: Vec<ReceiptLine>) -> Result<Vec<Event>, Rejection> {
    check_place(state, &location, &lines)?;
    for line in &lines {
        check_room(state, &line.sku, &location, line.quantity)?;
    }
    let receipt = ReceiptId(state.counters().receipt + 1);
    Ok(vec![StockReceived { receipt, location, reference, purchase_order: None, lines: stamped(lines) }.into()])
}

/// The units fit on hand.
pub(crate) fn check_room(state: &State, sku: &Sku, location: &LocationCode, units: Quantity) -> Result<(), Rejection> {
    let there = state.stock.level(sku, location).map_or(0, |level| level.on_hand.get());
    if u64::from(there) + u64::from(units.get()) > u64::from(limits::ON_HAND_MAX) {
        return Err(Rejection::invalid("lines", format!("{sku} would exceed {} on hand", limits::ON_HAND_MAX)));
    }
    Ok(())
}

/// A level lists a bounded number of deliveries: one more of another source than those that it lists.
pub(crate) fn check_expected(state: &State, sku: &Sku, location: &LocationCode) -> Result<(), Rejection> {
    let listed = state.stock.level(sku, location).map_or(0, |level| level.expected.len());
    if listed >= limits::EXPECTED_PER_LEVEL_MAX {
        let most = limits::EXPECTED_PER_LEVEL_MAX;
        return Err(Rejection::invalid(
            "lines",
            format!("{most} open deliveries bring {sku} to {location} already; receive or close some"),
        ));
    }
    Ok(())
}

fn reverse(state: &State, id: ReceiptId, reason: Option<SmolStr>) -> Result<Vec<Event>, Rejection> {
    let receipt = state.stock.receipts.get(&id).ok_or_else(|| state.missing(Fetch::Receipt(id), "receipt"))?;
    if receipt.reversed {
        return Err(Rejection::wrong_status("receipt", id, "reversed", "not reversed yet"));
    }
    if let Some(order) = receipt.purchase_order {
        return Err(Rejection::wrong_status("receipt", id, "part of a purchase order", "a receipt of its own; adjust the stock instead"))
            .map_err(|rejection| note_order(rejection, order));
    }
    let wanted: Vec<_> = receipt.lines.iter().map(|line| ((line.sku.clone(), receipt.location.clone()), line.quantity)).collect();
    let mut events = super::take_all(state, &wanted)?;
    let lines = stamped(receipt.lines.clone());
    events.push(ReceiptReversed { receipt: id, location: receipt.location.clone(), reason, lines }.into());
    Ok(events)
}

fn note_order(rejection: Rejection, order: crate::id::PurchaseOrderId) -> Rejection {
    match rejection {
        Rejection::WrongStatus { kind, id, status: _, needed } => {
            Rejection::WrongStatus { kind, id, status: smol_str::format_smolstr!("part of {order}"), needed }
        }
        other => other,
    }
}

fn move_stock(state: &State, moved: StockMoved) -> Result<Vec<Event>, Rejection> {
    if moved.from == moved.to {
        return Err(Rejection::invalid("to", "must differ from \"from\""));
    }
    let mut wanted = Vec::new();
    for line in &moved.lines {
        let key = (line.sku.clone(), moved.location.clone());
        let there = state.stock.level(&line.sku, &moved.location).ok_or_else(|| Rejection::not_found("stock level", &line.sku))?;
        match moved.from.unavailable() {
            Some(bucket) if there.unavailable.of(bucket) < line.quantity => {
                let current = there.unavailable.of(bucket);
                return Err(Rejection::QuantityMismatch { sku: SmolStr::new(line.sku.as_str()), expected: line.quantity, current });
            }
            Some(_) => {}
            None => wanted.push((key, line.quantity)),
        }
    }
    let mut events = super::take_all(state, &wanted)?;
    debug_assert!(moved.from != Bucket::OnHand || moved.to != Bucket::OnHand);
    events.push(moved.into());
    Ok(events)
}
