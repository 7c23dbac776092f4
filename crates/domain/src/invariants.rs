//! What must hold after every transaction. Asked by tests, the simulator and `verify`.

use crate::id::{LocationCode, Sku};
use crate::order::{Case, Claims, Origin};
use crate::purchasing::PurchaseOrderStatus;
use crate::quantity::Quantity;
use crate::state::{State, TimerOwner};
use crate::stock::{ExpectedSource, HoldStatus, LevelKey};
use crate::transfer::TransferStatus;
use std::collections::{BTreeMap, BTreeSet};

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
    check_expected(state)?;
    check_transfers(state)?;
    check_indexes(state)
}

/// What levels expect is what open purchase orders and transfers say.
fn check_expected(state: &State) -> Result<(), String> {
    let mut said: BTreeMap<LevelKey, BTreeMap<ExpectedSource, (Quantity, bool)>> = BTreeMap::new();
    let mut add = |sku: &Sku, location: &LocationCode, source, quantity: Quantity, draft| {
        if !quantity.is_zero() {
            said.entry((sku.clone(), location.clone())).or_default().insert(source, (quantity, draft));
        }
    };
    for (id, order) in state.purchasing.orders.sorted() {
        let draft = order.status == PurchaseOrderStatus::Draft;
        for line in &order.lines {
            add(&line.sku, &order.location, ExpectedSource::PurchaseOrder(*id), line.open(), draft);
        }
    }
    for (id, transfer) in state.transfers.all.sorted() {
        for line in &transfer.lines {
            let (quantity, draft) = match transfer.status {
                TransferStatus::Draft => (line.quantity, true),
                TransferStatus::Shipped => (line.in_transit(), false),
                TransferStatus::Received | TransferStatus::Canceled => (Quantity::ZERO, false),
            };
            add(&line.sku, &transfer.to, ExpectedSource::Transfer(*id), quantity, draft);
        }
    }
    for (key, level) in state.stock.levels.sorted() {
        let expected: BTreeMap<_, _> = level.expected.iter().map(|entry| (entry.source, (entry.quantity, entry.draft))).collect();
        let of_key = said.remove(key).unwrap_or_default();
        if expected != of_key || expected.len() != level.expected.len() {
            return Err(format!("{}@{}: expects {expected:?}, purchase orders and transfers say {of_key:?}", key.0, key.1));
        }
    }
    said.first_key_value().map_or(Ok(()), |(key, of_key)| Err(format!("{}@{}: {of_key:?} is expected by no level", key.0, key.1)))
}

/// shipped = received + lost + in transit, and what left one level is what transfers say.
fn check_transfers(state: &State) -> Result<(), String> {
    let mut moved: BTreeMap<LevelKey, (i64, i64)> = BTreeMap::new();
    for (id, transfer) in state.transfers.all.sorted() {
        for line in &transfer.lines {
            if line.received + line.lost > line.shipped || line.damaged > line.received {
                return Err(format!("{id}: {} received and {} lost of {} shipped", line.received, line.lost, line.shipped));
            }
            let in_transit = transfer.status == TransferStatus::Shipped;
            if !in_transit && !line.in_transit().is_zero() {
                return Err(format!("{id}: {} of {} in transit, though it is over", line.in_transit(), line.sku));
            }
            moved.entry((line.sku.clone(), transfer.from.clone())).or_default().0 += line.shipped.signed();
            moved.entry((line.sku.clone(), transfer.to.clone())).or_default().1 += line.received.signed();
        }
    }
    // Those that are over leave memory: then the others explain a part.
    let all_here = u64::try_from(state.transfers.all.len()).is_ok_and(|here| here == state.counters().transfer);
    for (key, level) in state.stock.levels.sorted() {
        let said = moved.get(key).copied().unwrap_or_default();
        let flows = (level.flows.transferred_out, level.flows.transferred_in);
        let explained = if all_here { said == flows } else { said.0 <= flows.0 && said.1 <= flows.1 };
        if !explained {
            let flows = &level.flows;
            return Err(format!(
                "{}@{}: {} out and {} in, transfers say {said:?}",
                key.0, key.1, flows.transferred_out, flows.transferred_in
            ));
        }
    }
    Ok(())
}

/// Each timer, effect and claim is indexed once, and nothing else is.
fn check_indexes(state: &State) -> Result<(), String> {
    let mut timers = BTreeSet::new();
    let mut effects = BTreeMap::new();
    let cases = state.cases.sorted();
    let claims = Claims::of(cases.iter().map(|(_, case)| case.as_ref()));
    for (id, hold) in state.stock.holds.sorted() {
        timers.extend((hold.status == HoldStatus::Active).then_some((hold.expires_at, TimerOwner::Hold(*id))));
    }
    for (id, order) in state.purchasing.orders.sorted() {
        timers.extend(crate::purchasing::timer(order).map(|at| (at, TimerOwner::PurchaseOrder(*id))));
    }
    for (id, transfer) in state.transfers.all.sorted() {
        timers.extend(crate::transfer::timer(transfer).map(|at| (at, TimerOwner::Transfer(*id))));
    }
    for (id, case) in cases {
        if case.order.origin == Origin::Live {
            timers.extend(crate::order::first_timer(case).map(|at| (at, TimerOwner::Case(*id))));
            effects.extend(case.effects.iter().map(|effect| (effect.id, *id)));
        }
    }
    if timers != state.timers {
        let differ: Vec<_> = timers.symmetric_difference(&state.timers).collect();
        return Err(format!("timers are not those of the things that wait: {differ:?}"));
    }
    if effects != state.effects {
        return Err(format!("effects are {effects:?}, the index says {:?}", state.effects));
    }
    if claims == state.claims { Ok(()) } else { Err("claims on levels are not those of the open orders".to_owned()) }
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
        if part.returned > part.shipped {
            return Err(format!("{}: {} of {} shipped {} returned", order.id, part.returned, part.shipped, part.sku));
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
