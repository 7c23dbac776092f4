//! What a customer should hear of, noted event by event and told once all is quiet.

use super::Topic;
use crate::catalog::ChannelMail;
use crate::event::Event;
use crate::event::notification::NotificationRequested;
use crate::event::order::PromiseChanged;
use crate::id::{CustomerId, NotificationId, OrderId};
use crate::limits::ORDER_NOTIFICATIONS_MAX;
use crate::order::{Case, Origin};
use crate::state::State;
use std::collections::BTreeSet;

/// Remembers what an event means to a customer. Costs a match where it means nothing.
pub(crate) fn note(state: &mut State, event: &Event) {
    let Some((order, topic)) = topic(event) else { return };
    if !listens(state, order) {
        return;
    }
    match topic {
        Some(topic) => {
            state.touched.news.entry(order).or_default().insert(topic);
        }
        // The store front that placed it has heard already that it was refused.
        None => {
            state.touched.news.remove(&order);
        }
    }
}

fn topic(event: &Event) -> Option<(OrderId, Option<Topic>)> {
    Some(match event {
        Event::OrderPlaced(event) => (event.order.id, Some(Topic::OrderConfirmed)),
        Event::OrderRejected(event) => (event.order, None),
        Event::OrderBackordered(event) => (event.order, Some(Topic::OrderBackordered)),
        Event::OrderCanceled(event) => (event.order, Some(Topic::OrderCanceled)),
        Event::PromiseChanged(event) if is_another_day(event) => (event.order, Some(Topic::PromiseChanged)),
        Event::PaymentFailed(event) => (event.payment.order, Some(Topic::PaymentFailed)),
        Event::CaptureFailed(event) => (event.payment.order, Some(Topic::PaymentFailed)),
        Event::RefundCompleted(event) => (event.refund.order, Some(Topic::Refunded { refund: event.refund })),
        Event::Shipped(event) => (event.fulfillment.order, Some(Topic::Shipped { fulfillment: event.fulfillment })),
        Event::Delivered(event) => (event.fulfillment.order, Some(Topic::Delivered { fulfillment: event.fulfillment })),
        Event::ReturnApproved(event) => (event.id.order?, Some(Topic::ReturnApproved { r#return: event.id })),
        // Everything else happens behind the counter.
        _ => return None,
    })
}

/// A promise may come to lean on something else and keep its day; nobody needs to hear of that.
fn is_another_day(event: &PromiseChanged) -> bool {
    let day = |promise: &Option<crate::order::Promise>| promise.as_ref().map(|promise| promise.ship_by);
    event.lines.iter().any(|line| day(&line.before) != day(&line.after))
}

fn mail_of<'a>(state: &'a State, case: &Case) -> Option<&'a ChannelMail> {
    state.catalog.channels.get(&case.order.channel)?.mail.as_deref()
}

fn listens(state: &State, order: OrderId) -> bool {
    let Some(case) = state.cases.get(&order) else { return false };
    let addressed = case.order.customer.as_ref().is_some_and(|buyer| buyer.email_fingerprint.is_some());
    addressed && case.order.notify && case.order.origin == Origin::Live && mail_of(state, case).is_some()
}

/// One mail about all that a transaction brought about, less what channel and customer do not want.
pub(crate) fn request(state: &State, order: OrderId, news: &BTreeSet<Topic>) -> Option<Event> {
    let case = state.cases.get(&order)?;
    let mail = mail_of(state, case)?;
    let buyer = case.order.customer.as_ref()?;
    let customer = state.customers.get(&heir(state, buyer.id));
    if case.notifications.len() >= ORDER_NOTIFICATIONS_MAX || customer.is_some_and(|customer| customer.erased_at.is_some()) {
        return None;
    }
    let unwanted = |topic: &Topic| {
        let kind = topic.kind();
        mail.opt_outs.contains(&kind) || customer.is_some_and(|customer| customer.mail_opt_outs.contains(&kind))
    };
    let closed = case.order.is_closed();
    // When the whole order is off, its dates do not matter any more.
    let stale = |topic: &Topic| match topic {
        Topic::OrderBackordered | Topic::PromiseChanged => closed,
        Topic::OrderConfirmed
        | Topic::OrderCanceled
        | Topic::PaymentFailed
        | Topic::Shipped { .. }
        | Topic::Delivered { .. }
        | Topic::Refunded { .. }
        | Topic::ReturnApproved { .. } => false,
    };
    let topics: Vec<Topic> = news.iter().filter(|topic| !unwanted(topic) && !stale(topic)).copied().collect();
    let n = u16::try_from(case.notifications.len() + 1).expect("bounded above");
    (!topics.is_empty()).then(|| NotificationRequested { notification: NotificationId { order, n }, topics }.into())
}

/// Who a customer has become.
fn heir(state: &State, mut id: CustomerId) -> CustomerId {
    while let Some(next) = state.customers.get(&id).and_then(|customer| customer.merged_into) {
        id = next;
    }
    id
}
