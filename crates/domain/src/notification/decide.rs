//! What carriers report about what goes out, and what people send again.

use super::{Delivery, DeliveryStatus, DeliveryStep, Failure, Notification};
use crate::command::notification::{Command, Posted};
use crate::event::Event;
use crate::event::notification::{
    EffectStarted, NotificationDeferred, NotificationFailed, NotificationInDoubt, NotificationRequested, NotificationSent,
    NotificationSuppressed,
};
use crate::id::{DeliveryId, NotificationId};
use crate::limits::{DELIVERY_MS_MAX, ORDER_NOTIFICATIONS_MAX};
use crate::purchasing;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Start { of } => {
            let delivery = find(state, of)?;
            let may = delivery.status.after(DeliveryStep::Start).is_some() && delivery.due_at() <= cx.now;
            let started = EffectStarted { effect: of, attempt: delivery.attempts.saturating_add(1) };
            Ok(if may { vec![started.into()] } else { Vec::new() })
        }
        Command::Record { of, posted } => {
            let delivery = find(state, of)?;
            let posted = give_up(delivery, cx, posted);
            // Told twice, or told after it was over: nothing new.
            if delivery.status.after(step(&posted)).is_none() {
                return Ok(Vec::new());
            }
            match of {
                DeliveryId::Notification(id) => Ok(vec![recorded(delivery, cx, id, posted)]),
                DeliveryId::PurchaseOrder(id) => purchasing::dispatch_recorded(state, cx, id, posted),
            }
        }
        Command::Resend { of } => resend(state, of),
    }
}

fn find(state: &State, of: DeliveryId) -> Result<&Delivery, Rejection> {
    match of {
        DeliveryId::Notification(id) => Ok(&notification(state, id)?.delivery),
        DeliveryId::PurchaseOrder(id) => purchasing::dispatch_of(state, id),
    }
}

fn notification(state: &State, id: NotificationId) -> Result<&Notification, Rejection> {
    let case = state.case(id.order)?;
    let found = case.notifications.iter().find(|notification| notification.id == id);
    found.ok_or_else(|| Rejection::not_found("notification", id))
}

fn step(posted: &Posted) -> DeliveryStep {
    match posted {
        Posted::Sent { .. } => DeliveryStep::Send,
        Posted::Later(_) => DeliveryStep::Defer,
        Posted::Refused(_) => DeliveryStep::Fail,
        Posted::InDoubt(_) => DeliveryStep::Doubt,
        Posted::Suppressed(_) => DeliveryStep::Suppress,
    }
}

/// A temporary failure that has lasted too long is final.
fn give_up(delivery: &Delivery, cx: &Context, posted: Posted) -> Posted {
    let late = cx.now.plus_ms(delivery.pause_ms()) > delivery.requested_at.plus_ms(DELIVERY_MS_MAX);
    match posted {
        Posted::Later(failure) if late => Posted::Refused(failure),
        Posted::Sent { .. } | Posted::Later(_) | Posted::Refused(_) | Posted::InDoubt(_) | Posted::Suppressed(_) => posted,
    }
}

fn recorded(delivery: &Delivery, cx: &Context, notification: NotificationId, posted: Posted) -> Event {
    match posted {
        Posted::Sent { reference } => NotificationSent { notification, reference }.into(),
        Posted::Later(failure) => {
            let retry_at = cx.now.plus_ms(delivery.pause_ms());
            NotificationDeferred { notification, failure: short(failure), retry_at }.into()
        }
        Posted::Refused(failure) => NotificationFailed { notification, failure: short(failure) }.into(),
        Posted::InDoubt(failure) => NotificationInDoubt { notification, failure: short(failure) }.into(),
        Posted::Suppressed(failure) => NotificationSuppressed { notification, failure: short(failure) }.into(),
    }
}

/// Other people's words, bounded.
pub(crate) fn short(failure: Failure) -> Failure {
    let most = crate::limits::TEXT_BYTES_MAX;
    if failure.message.len() <= most {
        return failure;
    }
    let mut end = most;
    while !failure.message.is_char_boundary(end) {
        end -= 1;
    }
    Failure { message: failure.message[..end].into(), ..failure }
}

fn resend(state: &State, of: DeliveryId) -> Result<Vec<Event>, Rejection> {
    let delivery = find(state, of)?;
    match delivery.status {
        DeliveryStatus::Failed | DeliveryStatus::InDoubt | DeliveryStatus::Suppressed | DeliveryStatus::Sent => {}
        DeliveryStatus::Requested | DeliveryStatus::Started | DeliveryStatus::Deferred => {
            return Err(Rejection::wrong_status("notification", of, delivery.status, "sent, failed, in_doubt or suppressed"));
        }
    }
    match of {
        DeliveryId::Notification(id) => {
            let case = state.case(id.order)?;
            if case.notifications.len() >= ORDER_NOTIFICATIONS_MAX {
                return Err(Rejection::invalid("notification", format!("an order has at most {ORDER_NOTIFICATIONS_MAX} mails")));
            }
            let n = u16::try_from(case.notifications.len() + 1).expect("bounded above");
            let (notification, topics) = (NotificationId { order: id.order, n }, notification(state, id)?.topics.clone());
            Ok(vec![NotificationRequested { notification, topics }.into()])
        }
        DeliveryId::PurchaseOrder(id) => purchasing::dispatch_again(state, id),
    }
}
