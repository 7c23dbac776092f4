//! How facts about money change a case.

use super::{Action, Effect, Payment, PaymentState, Refund, RefundStatus};
use crate::event::Event;
use crate::event::payment::{PaymentAuthorized, PaymentClaimed, PaymentRequested, RefundRequested};
use crate::id::{EffectId, PaymentId, RefundId};
use crate::order::{Case, Timer, TimerKind};
use crate::time::Timestamp;

/// The number that an event used up.
pub(crate) fn effect_of(event: &Event) -> Option<EffectId> {
    match event {
        Event::PaymentRequested(event) => Some(event.effect),
        Event::PaymentClaimed(event) => event.effect,
        Event::CaptureRequested(event) => Some(event.effect),
        Event::VoidRequested(event) => Some(event.effect),
        Event::RefundRequested(event) => Some(event.effect),
        _ => None,
    }
}

pub(crate) fn apply(case: &mut Case, now: Timestamp, event: &Event) {
    match event {
        Event::PaymentRequested(event) => requested(case, now, event),
        Event::PaymentClaimed(event) => claimed(case, now, event),
        Event::PaymentAuthorized(event) => authorized(case, event),
        Event::CaptureRequested(event) => {
            let action = Action::Capture { payment: event.payment, amount: event.amount };
            case.effects.push(Effect::new(event.effect, action, now));
        }
        Event::PaymentCaptured(event) => {
            done(case, event.effect);
            let payment = payment_mut(case, event.payment);
            payment.captured += event.amount;
            payment.status = PaymentState::Captured;
            payment.failure = None;
            if event.reference.is_some() && payment.reference.is_none() {
                payment.reference.clone_from(&event.reference);
            }
            let whole = payment.captured >= payment.authorized || !payment.multicapture;
            stop(case, &TimerKind::PaymentWindow);
            if whole {
                stop_expiry(case, event.payment);
            }
        }
        Event::CaptureFailed(event) => {
            done(case, Some(event.effect));
            payment_mut(case, event.payment).failure = Some(event.message.clone());
        }
        Event::VoidRequested(event) => {
            let action = Action::Void { payment: event.payment };
            case.effects.push(Effect::new(event.effect, action, now));
        }
        Event::PaymentVoided(event) => end(case, event.payment, event.effect, PaymentState::Voided),
        Event::PaymentFailed(event) => {
            payment_mut(case, event.payment).failure = Some(event.message.clone());
            end(case, event.payment, event.effect, PaymentState::Failed);
        }
        Event::PaymentWindowEnded(_) => stop(case, &TimerKind::PaymentWindow),
        Event::AuthorizationExpiring(event) => {
            payment_mut(case, event.payment).expiring = true;
            stop(case, &TimerKind::AuthorizationWarning(event.payment));
        }
        Event::EffectStuck(event) => {
            for effect in case.effects.iter_mut().filter(|effect| effect.id == event.effect) {
                effect.stuck = true;
            }
        }
        Event::PaymentExpired(event) => expired(case, event.payment),
        Event::RefundRequested(event) => refund_requested(case, now, event),
        Event::RefundCompleted(event) => {
            done(case, event.effect);
            refund_mut(case, event.refund).status = RefundStatus::Refunded;
            let payment = payment_mut(case, event.payment);
            payment.refunded += event.amount;
            if payment.refunded >= payment.captured {
                payment.status = PaymentState::Refunded;
            }
        }
        Event::RefundFailed(event) => {
            done(case, Some(event.effect));
            let refund = refund_mut(case, event.refund);
            refund.status = RefundStatus::Failed;
            refund.failure = Some(event.message.clone());
        }
        _ => {}
    }
}

fn authorized(case: &mut Case, event: &PaymentAuthorized) {
    done(case, event.effect);
    let payment = payment_mut(case, event.payment);
    payment.status = PaymentState::Authorized;
    payment.authorized = event.amount;
    payment.failure = None;
    if event.reference.is_some() {
        payment.reference.clone_from(&event.reference);
    }
    payment.expires_at = event.expires_at;
    stop(case, &TimerKind::PaymentWindow);
    if let Some(at) = event.expires_at {
        case.timers.push(Timer { at, kind: TimerKind::AuthorizationExpiry(event.payment) });
    }
    if let Some(at) = event.warn_at {
        case.timers.push(Timer { at, kind: TimerKind::AuthorizationWarning(event.payment) });
    }
}

/// What was captured stays; the rest can be captured no more.
fn expired(case: &mut Case, id: PaymentId) {
    let payment = payment_mut(case, id);
    if payment.captured.is_zero() {
        end(case, id, None, PaymentState::Expired);
    } else {
        (payment.authorized, payment.overcapture_percent) = (payment.captured, 0);
        stop_expiry(case, id);
    }
}

fn stop_expiry(case: &mut Case, payment: PaymentId) {
    payment_mut(case, payment).expiring = false;
    stop(case, &TimerKind::AuthorizationWarning(payment));
    stop(case, &TimerKind::AuthorizationExpiry(payment));
}

fn requested(case: &mut Case, now: Timestamp, event: &PaymentRequested) {
    case.payments.push(Payment {
        id: event.payment,
        gateway: event.gateway.clone(),
        token: event.token.clone(),
        reference: None,
        status: PaymentState::Requested,
        amount: event.amount,
        authorized: crate::money::Amount::ZERO,
        captured: crate::money::Amount::ZERO,
        refunded: crate::money::Amount::ZERO,
        capture_now: event.capture_now,
        multicapture: event.multicapture,
        overcapture_percent: event.overcapture_percent,
        failure: None,
        expires_at: None,
        expiring: false,
        created_at: now,
    });
    let action = Action::Authorize { payment: event.payment, amount: event.amount };
    case.effects.push(Effect::new(event.effect, action, now));
    stop(case, &TimerKind::PaymentWindow);
    if let Some(at) = event.window_ends_at {
        case.timers.push(Timer { at, kind: TimerKind::PaymentWindow });
    }
}

fn claimed(case: &mut Case, now: Timestamp, event: &PaymentClaimed) {
    case.payments.push(Payment {
        id: event.payment,
        gateway: event.gateway.clone(),
        token: None,
        reference: event.reference.clone(),
        status: PaymentState::Requested,
        amount: event.amount,
        authorized: crate::money::Amount::ZERO,
        captured: crate::money::Amount::ZERO,
        refunded: crate::money::Amount::ZERO,
        capture_now: event.captured,
        multicapture: event.multicapture,
        overcapture_percent: event.overcapture_percent,
        failure: None,
        expires_at: event.expires_at,
        expiring: false,
        created_at: now,
    });
    if let Some(id) = event.effect {
        let action = Action::Verify { payment: event.payment, amount: event.amount };
        case.effects.push(Effect::new(id, action, now));
    }
}

fn refund_requested(case: &mut Case, now: Timestamp, event: &RefundRequested) {
    case.refunds.push(Refund {
        id: event.refund,
        payment: event.payment,
        amount: event.amount,
        of_excess: event.of_excess,
        status: RefundStatus::Requested,
        reason: event.reason.clone(),
        failure: None,
        lines: event.lines.clone(),
        charges: event.charges,
        created_at: now,
    });
    let action = Action::Refund { payment: event.payment, refund: event.refund, amount: event.amount };
    case.effects.push(Effect::new(event.effect, action, now));
}

fn end(case: &mut Case, payment: PaymentId, effect: Option<EffectId>, status: PaymentState) {
    done(case, effect);
    payment_mut(case, payment).status = status;
    stop_expiry(case, payment);
}

fn done(case: &mut Case, effect: Option<EffectId>) {
    case.effects.retain(|outstanding| Some(outstanding.id) != effect);
}

fn stop(case: &mut Case, kind: &TimerKind) {
    case.timers.retain(|timer| timer.kind != *kind);
}

fn payment_mut(case: &mut Case, id: PaymentId) -> &mut Payment {
    case.payments.iter_mut().find(|payment| payment.id == id).expect("its request came first")
}

fn refund_mut(case: &mut Case, id: RefundId) -> &mut Refund {
    case.refunds.iter_mut().find(|refund| refund.id == id).expect("its request came first")
}
