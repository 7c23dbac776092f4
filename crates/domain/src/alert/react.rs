//! Which conditions hold, as a level, a case or a purchase order now stands.

use super::Condition;
use crate::catalog::ChannelKind;
use crate::event::Event;
use crate::event::alert::{AlertCleared, AlertRaised};
use crate::id::{AlertId, PurchaseOrderId, TransferId};
use crate::notification::DeliveryStatus;
use crate::order::{Case, Origin, PaymentStatus};
use crate::payment;
use crate::purchasing::{self, Auto};
use crate::state::State;
use crate::stock::LevelKey;
use smol_str::SmolStr;
use std::collections::BTreeMap;

type Numbers = BTreeMap<SmolStr, i64>;

/// Raises what holds and is not open, clears what is open and holds no more. `numbers` are asked for only when something is raised: nearly
/// always nothing is.
fn compare<const N: usize>(state: &State, conditions: [(Condition, bool); N], numbers: impl Fn() -> Numbers) -> Vec<Event> {
    let mut events = Vec::new();
    if state.open_alerts.is_empty() && conditions.iter().all(|(_, holds)| !holds) {
        return events;
    }
    let mut next = state.counters().alert;
    for (condition, holds) in conditions {
        match (holds, state.open_alerts.get(&condition)) {
            (true, None) => {
                next += 1;
                events.push(AlertRaised { alert: AlertId(next), condition, numbers: numbers(), note: None }.into());
            }
            (false, Some(alert)) => events.push(AlertCleared { alert: *alert }.into()),
            (true, Some(_)) | (false, None) => {}
        }
    }
    events
}

/// A level without a policy is nobody's to fill: only a policy says that stock is meant to be there.
pub(crate) fn react(state: &State, key: &LevelKey) -> Vec<Event> {
    let Some(level) = state.stock.levels.get(key) else { return Vec::new() };
    let policy = state.purchasing.policies.get(key).filter(|policy| policy.active && !state.closed.items.contains(&key.0));
    if policy.is_none() && state.open_alerts.is_empty() {
        return Vec::new();
    }
    let available = level.available();
    let out = policy.is_some() && available.is_zero();
    let low = policy.is_some_and(|policy| !out && available <= policy.reorder_point);
    let due = policy.is_some_and(|policy| {
        let alerts = purchasing::auto_of(state, policy) == Auto::Alert;
        alerts && level.inventory_position() + level.drafted().signed() <= policy.reorder_point.signed()
    });
    let numbers = || {
        let mut numbers = Numbers::from([
            ("available".into(), available.signed()),
            ("incoming".into(), level.incoming().signed()),
            ("inventory_position".into(), level.inventory_position()),
        ]);
        numbers.extend(policy.map(|policy| ("reorder_point".into(), policy.reorder_point.signed())));
        numbers
    };
    let of = || key.clone();
    let conditions = [
        (of(), low, (|(sku, location)| Condition::LowStock { sku, location }) as fn(LevelKey) -> Condition),
        (of(), out, |(sku, location)| Condition::OutOfStock { sku, location }),
        (of(), due, |(sku, location)| Condition::ReplenishmentDue { sku, location }),
    ];
    compare(state, conditions.map(|(key, holds, condition)| (condition(key), holds)), numbers)
}

pub(crate) fn react_case(state: &State, case: &Case) -> Vec<Event> {
    if case.order.origin == Origin::Import {
        return Vec::new();
    }
    let order = case.order.id;
    let open = !case.order.is_closed();
    let failed = open && case.order.payment_status == PaymentStatus::Failed;
    // Once authorized, a failure is a capture that failed; the money stays due, closed or not.
    let lost = |payment: &payment::Payment| payment.authorized.get() > 0 && payment.failure.is_some();
    let capture = case.payments.iter().any(lost) && payment::balance_due(case).get() > 0;
    let ran_out = case.order.payment_status == PaymentStatus::Expired || payment::waits_for_a_person(case);
    let expiring = open && (ran_out || case.payments.iter().any(|payment| payment.expiring));
    let marketplace = || state.catalog.channels.get(&case.order.channel).is_some_and(|channel| channel.kind == ChannelKind::Marketplace);
    let oversold = open && case.order.parts().any(|part| !part.backorders.is_empty()) && marketplace();
    let stuck = case.effects.iter().any(|effect| effect.stuck);
    let late = open && case.order.late_since.is_some();
    let in_doubt = open && !case.notifications.is_empty() && mail_in_doubt(case);
    if state.open_alerts.is_empty() && ![failed, capture, expiring, oversold, stuck, late, in_doubt].contains(&true) {
        return Vec::new();
    }
    let numbers = || {
        let mut numbers =
            Numbers::from([("total".into(), case.order.total.get()), ("balance_due".into(), payment::balance_due(case).get())]);
        numbers.extend(case.order.late_since.map(|at| ("late_since_ms".into(), at.0)));
        numbers
    };
    let conditions = [
        (Condition::PaymentFailed { order }, failed),
        (Condition::CaptureFailed { order }, capture),
        (Condition::AuthorizationExpiring { order }, expiring),
        (Condition::Oversold { order }, oversold),
        (Condition::EffectStuck { order }, stuck),
        (Condition::LateOrder { order }, late),
        (Condition::MailInDoubt { order }, in_doubt),
    ];
    compare(state, conditions, numbers)
}

pub(crate) fn react_purchase_order(state: &State, id: PurchaseOrderId) -> Vec<Event> {
    let Some(order) = state.purchasing.orders.get(&id) else { return Vec::new() };
    let open = || order.lines.iter().map(|line| line.open().signed()).sum();
    let late_since = order.late_since.map_or(0, |at| at.0);
    let numbers = || Numbers::from([("open_units".into(), open()), ("late_since_ms".into(), late_since)]);
    compare(state, [(Condition::SupplierLate { purchase_order: id }, order.late_since.is_some())], numbers)
}

pub(crate) fn react_transfer(state: &State, id: TransferId) -> Vec<Event> {
    let Some(transfer) = state.transfers.all.get(&id) else { return Vec::new() };
    let in_transit = || transfer.lines.iter().map(|line| line.in_transit().signed()).sum();
    let late_since = transfer.late_since.map_or(0, |at| at.0);
    let numbers = || Numbers::from([("in_transit".into(), in_transit()), ("late_since_ms".into(), late_since)]);
    compare(state, [(Condition::TransferLate { transfer: id }, transfer.late_since.is_some())], numbers)
}

/// Until a person has sent it again.
fn mail_in_doubt(case: &Case) -> bool {
    case.notifications.iter().enumerate().any(|(at, mail)| {
        let again = case.notifications[at + 1..].iter().any(|later| later.topics == mail.topics);
        mail.delivery.status == DeliveryStatus::InDoubt && !again
    })
}

/// Raises or clears the alert about a purchase order that did not go out.
pub(crate) fn dispatch(state: &State, purchase_order: PurchaseOrderId, failed: bool) -> Option<Event> {
    compare(state, [(Condition::DispatchFailed { purchase_order }, failed)], Numbers::new).pop()
}
