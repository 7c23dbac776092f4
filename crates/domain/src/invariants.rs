//! What must hold after every transaction. Asked by tests, the simulator and `verify`.

use crate::id::{LocationCode, Sku};
use crate::order::{Case, Origin};
use crate::quantity::Quantity;
use crate::state::State;
use crate::stock::{HoldStatus, LevelKey};
use std::collections::BTreeMap;

/// Sums of what others claim of a level.
#[derive(Default)]
struct Claimed {
    held: u64,
    allocated: u64,
    picked: u64,
    backordered: u64,
}

/// # Errors
/// With the first thing that does not hold, in words.
pub fn check(state: &State) -> Result<(), String> {
    let claimed = claims(state);
    for (key, level) in state.stock.levels.sorted() {
        let name = format!("{}@{}", key.0, key.1);
        let claimed_of = claimed.get(key).map_or((0, 0, 0, 0), |sum| (sum.held, sum.allocated, sum.picked, sum.backordered));
        let committed = u64::from(level.allocated.get()) + u64::from(level.held.get()) + u64::from(level.unavailable.total().get());
        if committed > u64::from(level.on_hand.get()) {
            return Err(format!("{name}: {committed} committed of {} on hand", level.on_hand));
        }
        if level.picked > level.allocated {
            return Err(format!("{name}: {} picked of {} allocated", level.picked, level.allocated));
        }
        if level.flows.on_hand() != level.on_hand.signed() {
            return Err(format!("{name}: flows say {}, on hand is {}", level.flows.on_hand(), level.on_hand));
        }
        let kept = [level.held, level.allocated, level.picked, level.backordered].map(|quantity| u64::from(quantity.get()));
        if kept != [claimed_of.0, claimed_of.1, claimed_of.2, claimed_of.3] {
            return Err(format!("{name}: held, allocated, picked, backordered are {kept:?}, the claims say {claimed_of:?}"));
        }
    }
    if let Some(key) = claimed.keys().find(|key| !state.stock.levels.contains(key)) {
        return Err(format!("{}@{}: claimed, but there is no level", key.0, key.1));
    }
    for (_, case) in state.cases.sorted() {
        check_case(case)?;
    }
    Ok(())
}

fn claims(state: &State) -> BTreeMap<LevelKey, Claimed> {
    let mut sums: BTreeMap<LevelKey, Claimed> = BTreeMap::new();
    let units = |quantity: Quantity| u64::from(quantity.get());
    let key = |sku: &Sku, location: &LocationCode| (sku.clone(), location.clone());
    for (_, hold) in state.stock.holds.sorted() {
        for line in hold.lines.iter().filter(|_| hold.status == HoldStatus::Active) {
            sums.entry(key(&line.sku, &line.location)).or_default().held += units(line.quantity);
        }
    }
    for (_, case) in state.cases.sorted() {
        for part in case.order.parts() {
            for allocation in &part.allocations {
                let sum = sums.entry(key(&part.sku, &allocation.location)).or_default();
                sum.allocated += units(allocation.quantity);
                sum.picked += units(allocation.picked);
            }
            for backorder in &part.backorders {
                sums.entry(key(&part.sku, &backorder.location)).or_default().backordered += units(backorder.quantity);
            }
        }
    }
    sums
}

fn check_case(case: &Case) -> Result<(), String> {
    let order = &case.order;
    for part in order.parts() {
        let accounted = part.allocated() + part.backordered() + part.shipped + part.canceled;
        if accounted != part.ordered {
            return Err(format!("{}: {} of {} ordered, {accounted} accounted for", order.id, part.sku, part.ordered));
        }
        if part.allocations.iter().any(|claim| claim.picked > claim.released || claim.released > claim.quantity) {
            return Err(format!("{}: {} picked beyond released beyond allocated", order.id, part.sku));
        }
    }
    let parts: i64 = order.lines.iter().map(|line| line.total.get()).chain(order.charges.iter().map(|charge| charge.total.get())).sum();
    if parts != order.total.get() {
        return Err(format!("{}: lines and charges add up to {parts}, the total is {}", order.id, order.total));
    }
    for payment in &case.payments {
        if payment.refunded > payment.captured {
            return Err(format!("{}: refunded {} of {} captured", payment.id, payment.refunded, payment.captured));
        }
    }
    if order.is_closed() && order.origin == Origin::Live && order.parts().any(|part| !part.open().is_zero()) {
        return Err(format!("{}: closed with open units", order.id));
    }
    Ok(())
}
