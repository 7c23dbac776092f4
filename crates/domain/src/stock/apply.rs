//! How events change levels, holds and receipts; each stamps the level that it leaves.

use super::{Expected, ExpectedSource, Hold, HoldStatus, Level, LevelAfter, Receipt, ReceiptLine, UnavailableBucket};
use crate::event::Event;
use crate::event::fulfillment::WorkLine;
use crate::event::stock::{Bucket, HeldLine, HoldCreated, StockReceived};
use crate::id::{HoldId, LocationCode, Sku};
use crate::quantity::Quantity;
use crate::state::State;
use crate::time::Timestamp;

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    apply_units(state, now, event);
    apply_transfers(state, event);
    apply_claims(state, event);
    apply_holds(state, now, event);
}

/// What comes, goes, or changes its bucket.
fn apply_units(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::StockReceived(event) => received(state, now, event),
        Event::ReceiptReversed(event) => {
            for line in &mut event.lines {
                line.level = change(state, &line.sku, &event.location, |level| {
                    level.on_hand -= line.quantity;
                    level.flows.received -= line.quantity.signed();
                });
            }
            if let Some(receipt) = state.stock.receipts.get_mut(&event.receipt) {
                receipt.reversed = true;
            }
        }
        Event::StockAdjusted(event) => {
            let counters = state.counters_mut();
            counters.adjustment = counters.adjustment.max(event.adjustment.0);
            let opening = event.reason == super::adjust::OPENING_BALANCE;
            for line in &mut event.lines {
                let (delta, bucket) = (line.delta, line.bucket);
                line.level = change(state, &line.sku, &event.location, |level| adjust(level, bucket, delta, opening));
            }
        }
        Event::StockMoved(event) => {
            let counters = state.counters_mut();
            counters.mov = counters.mov.max(event.mov.0);
            let (from, to) = (event.from, event.to);
            for line in &mut event.lines {
                let units = line.quantity;
                line.level = change(state, &line.sku, &event.location, |level| {
                    from.unavailable().into_iter().for_each(|bucket| *bucket_mut(level, bucket) -= units);
                    to.unavailable().into_iter().for_each(|bucket| *bucket_mut(level, bucket) += units);
                });
            }
        }
        Event::SafetyStockSet(event) => {
            let safety_stock = event.safety_stock;
            event.level = change(state, &event.sku, &event.location, |level| level.safety_stock = safety_stock);
        }
        Event::OrderImported(event) => {
            for line in &mut event.lines {
                let units = line.quantity;
                line.level = change(state, &line.sku, &line.location, |level| {
                    level.on_hand -= units;
                    level.flows.shipped += units.signed();
                });
            }
        }
        Event::PickStarted(event) => work(state, &event.location, &mut event.lines, |level, units| level.picked += units),
        Event::ShortPicked(event) => {
            work(state, &event.location, &mut event.lines, |level, units| level.picked -= units);
            work(state, &event.location, &mut event.put_back, |level, units| level.picked -= units);
        }
        Event::FulfillmentCanceled(event) => work(state, &event.location, &mut event.lines, |level, units| level.picked -= units),
        Event::Shipped(event) => work(state, &event.location, &mut event.lines, |level, units| {
            level.on_hand -= units;
            level.allocated -= units;
            level.picked -= units;
            level.flows.shipped += units.signed();
        }),
        _ => {}
    }
}

/// What travels between locations.
fn apply_transfers(state: &mut State, event: &mut Event) {
    match event {
        Event::TransferShipped(event) => {
            for units in &mut event.lines {
                let quantity = units.quantity;
                units.level = change(state, &units.sku, &event.from, |level| {
                    level.on_hand -= quantity;
                    level.flows.transferred_out += quantity.signed();
                });
            }
        }
        Event::TransferReceived(event) => {
            for units in &mut event.lines {
                let (total, damaged) = (units.accepted + units.damaged, units.damaged);
                units.level = change(state, &units.sku, &event.to, |level| {
                    level.on_hand += total;
                    level.unavailable.damaged += damaged;
                    level.flows.transferred_in += total.signed();
                });
            }
        }
        _ => {}
    }
}

/// What orders claim.
fn apply_claims(state: &mut State, event: &mut Event) {
    match event {
        Event::StockAllocated(event) => {
            let from_backorder = event.from_backorder;
            for line in &mut event.lines {
                let units = line.quantity;
                line.level = change(state, &line.sku, &line.location, |level| {
                    level.allocated += units;
                    if from_backorder {
                        level.backordered -= units;
                    }
                });
            }
        }
        Event::StockBackordered(event) => {
            for line in &mut event.lines {
                let units = line.quantity;
                line.level = change(state, &line.sku, &line.location, |level| level.backordered += units);
            }
        }
        Event::StockReleased(event) => {
            for line in &mut event.lines {
                let (allocated, backordered) = (line.allocated, line.backordered);
                line.level = change(state, &line.sku, &line.location, |level| {
                    level.allocated -= allocated;
                    level.backordered -= backordered;
                });
            }
        }
        _ => {}
    }
}

fn apply_holds(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::HoldCreated(event) => created(state, now, event),
        Event::HoldExtended(event) => {
            let expires_at = event.expires_at;
            state.change_hold(event.hold, |hold| hold.expires_at = expires_at);
        }
        Event::HoldEnded(event) => end_hold(state, event.hold, &mut event.lines, HoldStatus::Released),
        Event::HoldExpired(event) => end_hold(state, event.hold, &mut event.lines, HoldStatus::Expired),
        Event::HoldConsumed(event) => end_hold(state, event.hold, &mut event.lines, HoldStatus::Consumed),
        Event::HoldBroken(event) => broken(state, event.hold, &mut event.lines),
        _ => {}
    }
}

/// Changes a level, counts its version and tells how it stands.
pub(crate) fn change(state: &mut State, sku: &Sku, location: &LocationCode, change: impl FnOnce(&mut Level)) -> LevelAfter {
    let key = (sku.clone(), location.clone());
    let level = state.level_at(&key);
    change(level);
    level.version += 1;
    debug_assert!(level.picked <= level.allocated);
    let (after, waits) = (level.snapshot(), !level.backordered.is_zero());
    if waits {
        state.fillable.insert(key);
    } else if !state.fillable.is_empty() {
        state.fillable.remove(&key);
    }
    after
}

fn work(state: &mut State, location: &LocationCode, lines: &mut [WorkLine], apply: impl Fn(&mut Level, Quantity)) {
    for line in lines.iter_mut().filter(|line| line.part.is_some()) {
        let units = line.quantity;
        line.level = change(state, &line.sku, location, |level| apply(level, units));
    }
}

fn received(state: &mut State, now: Timestamp, event: &mut StockReceived) {
    let counters = state.counters_mut();
    counters.receipt = counters.receipt.max(event.receipt.0);
    for line in &mut event.lines {
        let units = line.quantity;
        line.level = change(state, &line.sku, &event.location, |level| {
            level.on_hand += units;
            level.flows.received += units.signed();
        });
    }
    let lines = event.lines.iter().map(|line| ReceiptLine { sku: line.sku.clone(), quantity: line.quantity }).collect();
    let receipt = Receipt {
        id: event.receipt,
        location: event.location.clone(),
        reference: event.reference.clone(),
        purchase_order: event.purchase_order,
        lines,
        reversed: false,
        created_at: now,
    };
    state.stock.receipts.insert(event.receipt, receipt);
}

fn adjust(level: &mut Level, bucket: Bucket, delta: i64, opening: bool) {
    let moved = |quantity: Quantity| quantity.checked_add_signed(delta).expect("decide checked the bound");
    level.on_hand = moved(level.on_hand);
    if let Some(bucket) = bucket.unavailable() {
        let units = bucket_mut(level, bucket);
        *units = moved(*units);
    }
    if opening {
        level.flows.opening += delta;
    } else {
        level.flows.adjusted += delta;
    }
}

fn bucket_mut(level: &mut Level, bucket: UnavailableBucket) -> &mut Quantity {
    match bucket {
        UnavailableBucket::Damaged => &mut level.unavailable.damaged,
        UnavailableBucket::QualityControl => &mut level.unavailable.quality_control,
        UnavailableBucket::Quarantine => &mut level.unavailable.quarantine,
    }
}

/// Replaces what a source still brings to a level; soonest first, undated last.
pub(crate) fn expect(state: &mut State, sku: &Sku, location: &LocationCode, expected: Expected) {
    let level = state.level_mut(sku, location);
    level.version += 1;
    level.expected.retain(|other| other.source != expected.source);
    if !expected.quantity.is_zero() {
        level.expected.push(expected);
    }
    let key = |entry: &Expected| -> (bool, Option<crate::time::Date>, ExpectedSource) {
        (entry.expected_on.is_none(), entry.expected_on, entry.source)
    };
    level.expected.sort_by_key(key);
    state.touched.expected.insert((sku.clone(), location.clone()));
}

fn created(state: &mut State, now: Timestamp, event: &mut HoldCreated) {
    let counters = state.counters_mut();
    counters.hold = counters.hold.max(event.hold.0);
    for held in &mut event.lines {
        let units = held.line.quantity;
        held.level = change(state, &held.line.sku, &held.line.location, |level| level.held += units);
    }
    let hold = Hold {
        id: event.hold,
        owner: event.owner.clone(),
        channel: event.channel.clone(),
        status: HoldStatus::Active,
        lines: event.lines.iter().map(|held| held.line.clone()).collect(),
        expires_at: event.expires_at,
        created_at: now,
        version: 1,
    };
    state.index_hold(&hold);
    state.stock.holds.insert(event.hold, hold);
}

fn end_hold(state: &mut State, hold: HoldId, lines: &mut [HeldLine], status: HoldStatus) {
    for held in lines {
        let units = held.line.quantity;
        held.level = change(state, &held.line.sku, &held.line.location, |level| level.held -= units);
    }
    state.change_hold(hold, |hold| hold.status = status);
}

fn broken(state: &mut State, id: HoldId, lines: &mut [HeldLine]) {
    for held in lines.iter_mut() {
        let units = held.line.quantity;
        held.level = change(state, &held.line.sku, &held.line.location, |level| level.held -= units);
    }
    state.change_hold(id, |hold| {
        for held in lines.iter() {
            let same = hold.lines.iter_mut().find(|line| line.sku == held.line.sku && line.location == held.line.location);
            same.expect("a hold is broken where it holds").quantity -= held.line.quantity;
        }
        hold.lines.retain(|line| !line.quantity.is_zero());
        if hold.lines.is_empty() {
            hold.status = HoldStatus::Broken;
        }
    });
}

/// Units that come back, fit for sale or not.
pub(crate) fn take_back(
    state: &mut State,
    sku: &Sku,
    location: &LocationCode,
    units: Quantity,
    bucket: Option<UnavailableBucket>,
) -> LevelAfter {
    change(state, sku, location, |level| {
        level.on_hand += units;
        level.flows.returned += units.signed();
        if let Some(bucket) = bucket {
            *bucket_mut(level, bucket) += units;
        }
    })
}
