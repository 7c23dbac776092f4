//! Which conditions hold, as a level or a case now stands.

use super::Condition;
use crate::catalog::ChannelKind;
use crate::event::Event;
use crate::event::alert::{AlertCleared, AlertRaised};
use crate::id::{AlertId, PurchaseOrderId};
use crate::notification::DeliveryStatus;
use crate::order::{Case, Origin, PaymentStatus};
use crate::payment::PaymentState;
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
                events.push(AlertRaised { alert: AlertId(next), condition, numbers: numbers() }.into());
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
    let (sku, location) = key.clone();
    let policy = state.purchasing.policies.get(key).filter(|policy| policy.active);
    let available = level.available();
    let out = policy.is_some() && available.is_zero();
    let low = policy.is_some_and(|policy| !out && available <= policy.reorder_point);
    let conditions =
        [(Condition::LowStock { sku: sku.clone(), location: location.clone() }, low), (Condition::OutOfStock { sku, location }, out)];
    compare(state, conditions, || {
        let mut numbers = Numbers::from([("available".into(), available.signed()), ("incoming".into(), level.incoming().signed())]);
        numbers.extend(policy.map(|policy| ("reorder_point".into(), policy.reorder_point.signed())));
        numbers
    })
}

pub(crate) fn react_case(state: &State, case: &Case) -> Vec<Event> {
    if case.order.origin == Origin::Import {
        return Vec::new();
    }
    let order = case.order.id;
    let open = !case.order.is_closed();
    let failed = open && case.order.payment_status == PaymentStatus::Failed;
    let lost = |payment: &crate::payment::Payment| payment.status == PaymentState::Authorized && payment.failure.is_some();
    let capture = open && case.payments.iter().any(lost);
    let marketplace = state.catalog.channels.get(&case.order.channel).is_some_and(|channel| channel.kind == ChannelKind::Marketplace);
    let oversold = open && marketplace && case.order.parts().any(|part| !part.backorders.is_empty());
    let in_doubt = open && !case.notifications.is_empty() && mail_in_doubt(case);
    let conditions = [
        (Condition::PaymentFailed { order }, failed),
        (Condition::CaptureFailed { order }, capture),
        (Condition::MailInDoubt { order }, in_doubt),
        (Condition::Oversold { order }, oversold),
    ];
    compare(state, conditions, || Numbers::from([("total".into(), case.order.total.get())]))
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
