//! How facts about mail change a case.

use super::{Delivery, DeliveryStep, Notification};
use crate::event::Event;
use crate::id::{DeliveryId, NotificationId};
use crate::order::Case;
use crate::state::State;
use crate::time::Timestamp;

/// After every other room: what was noted stands on what the event left behind.
pub(crate) fn apply(state: &mut State, event: &Event) {
    super::note(state, event);
}

pub(crate) fn fold(case: &mut Case, now: Timestamp, event: &Event) {
    match event {
        Event::NotificationRequested(event) => {
            let delivery = Delivery::new(now);
            case.notifications.push(Notification { id: event.notification, topics: event.topics.clone(), delivery });
        }
        Event::EffectStarted(event) => match event.effect {
            DeliveryId::Notification(id) => {
                let delivery = delivery_mut(case, id);
                delivery.step(DeliveryStep::Start, now);
                delivery.attempts = event.attempt;
            }
            DeliveryId::PurchaseOrder(_) => {}
        },
        Event::NotificationSent(event) => {
            let delivery = delivery_mut(case, event.notification);
            delivery.step(DeliveryStep::Send, now);
            delivery.failure = None;
            delivery.reference = Some(event.reference.clone());
        }
        Event::NotificationDeferred(event) => {
            let delivery = delivery_mut(case, event.notification);
            delivery.fail(DeliveryStep::Defer, now, event.failure.clone());
            delivery.retry_at = Some(event.retry_at);
        }
        Event::NotificationFailed(event) => {
            delivery_mut(case, event.notification).fail(DeliveryStep::Fail, now, event.failure.clone());
        }
        Event::NotificationInDoubt(event) => {
            delivery_mut(case, event.notification).fail(DeliveryStep::Doubt, now, event.failure.clone());
        }
        Event::NotificationSuppressed(event) => {
            delivery_mut(case, event.notification).fail(DeliveryStep::Suppress, now, event.failure.clone());
        }
        _ => {}
    }
}

fn delivery_mut(case: &mut Case, id: NotificationId) -> &mut Delivery {
    let notification = case.notifications.iter_mut().find(|notification| notification.id == id);
    &mut notification.expect("its request came first").delivery
}
