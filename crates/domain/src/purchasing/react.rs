//! Replenishment: what follows from the inventory position of a level.

use super::{Auto, Cutoff, OrderAmount, Policy, PurchaseLine, PurchaseOrder, PurchaseOrderStatus, Source, Supplier, dispatch};
use crate::command::Command;
use crate::event::Event;
use crate::event::purchasing::{
    PurchaseOrderAmended, PurchaseOrderCanceled, PurchaseOrderCreated, PurchaseOrderPostponed, PurchaseOrderSent, ReplenishmentTriggered,
};
use crate::id::{LocationCode, PurchaseOrderId};
use crate::limits::{EXPIRIES_PER_TURN, QUANTITY_MAX};
use crate::quantity::Quantity;
use crate::settle::Context;
use crate::state::{State, TimerOwner};
use crate::stock::{ExpectedSource, Level, LevelKey};
use crate::time::{Date, Timestamp};
use jiff::tz::TimeZone;

pub(crate) fn react(state: &State, cx: &Context, key: &LevelKey) -> Vec<Event> {
    let Some(level) = state.stock.levels.get(key) else { return Vec::new() };
    let policy = wanting(state, key);
    let supplier = policy.and_then(|policy| match &policy.source {
        Source::Supplier(code) => state.purchasing.suppliers.get(code).map(|supplier| (policy, supplier)),
        Source::SourceLocation(_) => None,
    });
    let draft = supplier.and_then(|(policy, supplier)| {
        let key = (supplier.code.clone(), policy.location.clone());
        state.purchasing.drafts.get(&key).and_then(|id| state.purchasing.orders.get(id))
    });
    if let Some(stray) = stray(state, level, draft.map(|draft| draft.id)) {
        return take_out(stray, key);
    }
    let Some((policy, supplier)) = supplier else { return Vec::new() };
    let position = level.inventory_position() + level.drafted().signed();
    if position <= policy.reorder_point.signed() {
        return order(state, cx, (policy, supplier), level, draft, position);
    }
    let needless = level.inventory_position() > policy.reorder_point.signed();
    draft.filter(|_| needless).map(|draft| take_out(draft, key)).unwrap_or_default()
}

/// The policy by which a level is replenished now: active, of an item that is sold, and more than an alert.
pub(crate) fn wanting<'a>(state: &'a State, key: &LevelKey) -> Option<&'a Policy> {
    let policy = state.purchasing.policies.get(key).filter(|policy| policy.active)?;
    (!state.closed.items.contains(&key.0) && auto_of(state, policy) != Auto::Alert).then_some(policy)
}

/// A draft that replenishment made for the level, other than the one that its policy adds to now.
fn stray<'a>(state: &'a State, level: &Level, kept: Option<PurchaseOrderId>) -> Option<&'a PurchaseOrder> {
    let drafts = level.expected.iter().filter(|expected| expected.draft).filter_map(|expected| match expected.source {
        ExpectedSource::PurchaseOrder(id) => Some(id),
        ExpectedSource::Transfer(_) => None,
    });
    let strays = drafts.filter(|id| Some(*id) != kept).filter_map(|id| state.purchasing.orders.get(&id));
    strays.into_iter().find(|order| order.automatic)
}

/// What a policy may do by itself. Of an inactive supplier or location nothing is ordered: somebody has to be told.
pub(crate) fn auto_of(state: &State, policy: &Policy) -> Auto {
    let auto = match &policy.source {
        Source::Supplier(code) => state.purchasing.suppliers.get(code).filter(|supplier| supplier.active).map(|supplier| supplier.auto),
        Source::SourceLocation(code) => {
            let location = state.catalog.locations.get(code).filter(|location| location.active);
            location.map(|_| policy.auto.unwrap_or(Auto::Draft))
        }
    };
    auto.unwrap_or(Auto::Alert)
}

/// Everything that decided how much is ordered, without what it is ordered by.
pub(crate) fn triggered(policy: &Policy, level: &Level, position: i64, quantity: Quantity) -> ReplenishmentTriggered {
    ReplenishmentTriggered {
        sku: policy.sku.clone(),
        location: policy.location.clone(),
        source: policy.source.clone(),
        purchase_order: None,
        transfer: None,
        on_hand: level.on_hand,
        unavailable: level.unavailable.total(),
        incoming: level.incoming(),
        drafted: level.drafted(),
        allocated: level.allocated,
        backordered: level.backordered,
        inventory_position: position,
        reorder_point: policy.reorder_point,
        moq: policy.moq,
        multiple: policy.multiple,
        quantity,
    }
}

/// Units that bring the position up: to the level or by quantities, at least the MOQ, in whole multiples.
pub(crate) fn needed(policy: &Policy, position: i64) -> Quantity {
    let wanted = match policy.amount {
        OrderAmount::OrderUpTo(target) => target.signed() - position,
        OrderAmount::ReorderQuantity(quantity) => {
            let missing = policy.reorder_point.signed() + 1 - position;
            let quantity = quantity.signed().max(1);
            missing.div_euclid(quantity).saturating_add(i64::from(missing.rem_euclid(quantity) > 0)) * quantity
        }
    };
    let multiple = policy.multiple.signed().max(1);
    let at_least = wanted.max(policy.moq.signed()).max(1);
    let rounded = at_least.div_euclid(multiple).saturating_add(i64::from(at_least.rem_euclid(multiple) > 0)) * multiple;
    Quantity::new(u32::try_from(rounded.min(i64::from(QUANTITY_MAX))).unwrap_or(QUANTITY_MAX))
}

fn order(
    state: &State,
    cx: &Context,
    (policy, supplier): (&Policy, &Supplier),
    level: &Level,
    draft: Option<&PurchaseOrder>,
    position: i64,
) -> Vec<Event> {
    let quantity = needed(policy, position);
    let id = draft.map_or(PurchaseOrderId(state.counters().purchase_order + 1), |draft| draft.id);
    let mut triggered = triggered(policy, level, position, quantity);
    triggered.purchase_order = Some(id);
    let (ordered, received, canceled) = (quantity, Quantity::ZERO, Quantity::ZERO);
    let line = PurchaseLine {
        sku: policy.sku.clone(),
        ordered,
        received,
        canceled,
        unit_cost: policy.unit_cost,
        expected_on: None,
        late_at: None,
    };
    let mut events: Vec<Event> = vec![triggered.into()];
    let after = match draft {
        Some(draft) => {
            let mut after = draft.clone();
            match after.lines.iter_mut().find(|other| other.sku == line.sku) {
                Some(other) => other.ordered += quantity,
                None => after.lines.push(line),
            }
            events.push(PurchaseOrderAmended { purchase_order: id, lines: after.lines.clone() }.into());
            after
        }
        None => {
            let fresh = PurchaseOrder {
                id,
                supplier: supplier.code.clone(),
                location: policy.location.clone(),
                status: PurchaseOrderStatus::Draft,
                automatic: true,
                currency: supplier.currency,
                lines: vec![line],
                reference: None,
                send_at: supplier.cutoff.as_ref().filter(|_| supplier.sends()).and_then(|cutoff| next_cutoff(cutoff, cx.now)),
                sent_at: None,
                dispatch: None,
                late_since: None,
                created_at: cx.now,
                version: 1,
            };
            events.push(PurchaseOrderCreated { purchase_order: fresh.clone() }.into());
            fresh
        }
    };
    if goes_at_once(supplier, &after) {
        events.extend(sent(state, cx, &after));
    }
    events
}

fn goes_at_once(supplier: &Supplier, order: &PurchaseOrder) -> bool {
    supplier.sends() && supplier.cutoff.is_none() && order.total() >= supplier.order_minimum
}

/// A draft whose supplier is served otherwise now: it goes out at once, or waits for another cutoff.
pub(crate) fn react_draft(state: &State, cx: &Context, id: PurchaseOrderId) -> Vec<Event> {
    let drafts = state.purchasing.orders.get(&id).filter(|order| order.automatic && order.status == PurchaseOrderStatus::Draft);
    let served = drafts.and_then(|order| Some((order, state.purchasing.suppliers.get(&order.supplier)?)));
    let Some((order, supplier)) = served.filter(|(_, supplier)| supplier.sends()) else { return Vec::new() };
    if goes_at_once(supplier, order) {
        return sent(state, cx, order);
    }
    let next = supplier.cutoff.as_ref().and_then(|cutoff| next_cutoff(cutoff, cx.now)).filter(|at| order.send_at != Some(*at));
    next.map(|send_at| PurchaseOrderPostponed { purchase_order: id, send_at }.into()).into_iter().collect()
}

/// With the days on which the lines are expected.
pub(super) fn sent(state: &State, cx: &Context, order: &PurchaseOrder) -> Vec<Event> {
    let lead = state.purchasing.suppliers.get(&order.supplier).map_or(0, |supplier| supplier.lead_time_days);
    let zone = zone_of(state, &order.location);
    let today = cx.now.date_in(&zone);
    let days = order.lines.iter().map(|line| {
        let policy = state.purchasing.policies.get(&(line.sku.clone(), order.location.clone()));
        today.plus_days(policy.and_then(|policy| policy.lead_time_days).unwrap_or(lead))
    });
    let expected_on: Vec<Date> = days.collect();
    let late_at = expected_on.iter().map(|day| end_of(*day, &zone)).collect();
    let sent = PurchaseOrderSent { purchase_order: order.id, expected_on, late_at }.into();
    std::iter::once(sent).chain(dispatch::requested(state, order)).collect()
}

/// Where the units arrive.
pub(super) fn zone_of(state: &State, location: &LocationCode) -> TimeZone {
    let zone = state.catalog.locations.get(location).and_then(|location| TimeZone::get(&location.time_zone).ok());
    zone.unwrap_or(TimeZone::UTC)
}

pub(super) fn end_of(day: Date, zone: &TimeZone) -> Timestamp {
    day.plus_days(1).at_minute(0, zone)
}

/// The need is gone before the draft was sent.
fn take_out(draft: &PurchaseOrder, (sku, _): &LevelKey) -> Vec<Event> {
    if draft.lines.iter().all(|line| line.sku != *sku) {
        return Vec::new();
    }
    let lines: Vec<PurchaseLine> = draft.lines.iter().filter(|line| line.sku != *sku).cloned().collect();
    if lines.is_empty() {
        return vec![PurchaseOrderCanceled { purchase_order: draft.id, reason: "not needed any more".into() }.into()];
    }
    vec![PurchaseOrderAmended { purchase_order: draft.id, lines }.into()]
}

/// The first cutoff after `now`, within two weeks.
pub(super) fn next_cutoff(cutoff: &Cutoff, now: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get(&cutoff.time_zone).unwrap_or(TimeZone::UTC);
    let today = now.date_in(&zone);
    let days = (0..=14).map(|days| today.plus_days(days)).filter(|day| cutoff.weekdays.contains(&day.weekday()));
    days.map(|day| day.at_minute(cutoff.minute, &zone)).find(|at| *at > now)
}

pub(crate) fn due(state: &State, now: Timestamp) -> Vec<Command> {
    use crate::command::purchasing::Command as Purchasing;
    let orders = state.timers_due(now).filter_map(|owner| match owner {
        TimerOwner::PurchaseOrder(order) => state.purchasing.orders.get(order),
        TimerOwner::Hold(_) | TimerOwner::Case(_) | TimerOwner::Transfer(_) => None,
    });
    let commands = orders.take(EXPIRIES_PER_TURN).map(|order| match order.status {
        PurchaseOrderStatus::Draft => Purchasing::SendAtCutoff { order: order.id }.into(),
        PurchaseOrderStatus::Sent
        | PurchaseOrderStatus::Acknowledged
        | PurchaseOrderStatus::PartiallyReceived
        | PurchaseOrderStatus::Received
        | PurchaseOrderStatus::ClosedShort
        | PurchaseOrderStatus::Canceled => Purchasing::NoticeLate { order: order.id }.into(),
    });
    commands.collect()
}
