//! What a case needs of its gateways, as it now stands.

use super::{Action, Payment, PaymentState, RefundStatus, query};
use crate::catalog::{BackorderPayment, OnExpiry, PaymentPolicy, PaymentTiming, SingleCapture};
use crate::event::Event;
use crate::event::payment::{
    AuthorizationExpiring, CaptureRequested, EffectStuck, PaymentAuthorized, PaymentCaptured, PaymentClaimed, PaymentExpired,
    PaymentRequested,
};
use crate::event::payment::{RefundRequested, VoidRequested};
use crate::fulfillment::FulfillmentState;
use crate::id::{EffectId, PaymentId, RefundId};
use crate::limits::{EFFECT_STUCK_AFTER_MS, ORDER_PAYMENTS_MAX, PAYMENT_WINDOW_MS_DEFAULT};
use crate::money::Amount;
use crate::order::{AllocationStatus, Case, OrderStatus, Origin};
use crate::quantity::Quantity;
use crate::settle::Context;
use crate::state::State;
use crate::time::{HOUR_MS, Timestamp};

/// Why an order is held whose authorization ran out.
pub const AUTHORIZATION_EXPIRED: &str = "authorization_expired";

/// One step: the first thing that is missing. Asked again after each, until nothing is.
pub(crate) fn react(state: &State, cx: &Context, case: &Case) -> Vec<Event> {
    if case.order.origin == Origin::Import || !case.effects.is_empty() {
        return Vec::new();
    }
    let Some(channel) = state.catalog.channels.get(&case.order.channel) else { return Vec::new() };
    if case.order.is_closed() {
        return void_rest(state, case).or_else(|| give_back(state, case)).into_iter().collect();
    }
    if case.payments.is_empty() && !case.order.claimed_payments.is_empty() {
        return claim(state, cx, case, &channel.payment);
    }
    let step = request(state, cx, case, &channel.payment);
    step.or_else(|| capture(state, case, &channel.payment)).or_else(|| give_back(state, case)).into_iter().collect()
}

fn next_effect(state: &State) -> EffectId {
    EffectId(state.counters().effect + 1)
}

pub(super) fn next_payment(case: &Case) -> PaymentId {
    PaymentId { order: case.order.id, n: u16::try_from(case.payments.len() + 1).expect("bounded by ORDER_PAYMENTS_MAX") }
}

fn claim(state: &State, cx: &Context, case: &Case, policy: &PaymentPolicy) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut effect = state.counters().effect;
    for (at, claim) in case.order.claimed_payments.iter().enumerate() {
        let n = u16::try_from(at + 1).expect("bounded by ORDER_PAYMENTS_MAX");
        let payment = PaymentId { order: case.order.id, n };
        let asked = claim.gateway != super::MANUAL_GATEWAY;
        effect += u64::from(asked);
        let claimed = PaymentClaimed {
            payment,
            effect: asked.then_some(EffectId(effect)),
            gateway: claim.gateway.clone(),
            reference: claim.reference.clone(),
            amount: claim.amount,
            captured: claim.captured,
            multicapture: policy.multicapture,
            overcapture_percent: policy.overcapture_percent,
            expires_at: claim.expires_at,
        };
        events.push(claimed.into());
        if !asked {
            events.push(confirmed(state, cx, payment, claim));
        }
    }
    events
}

fn confirmed(state: &State, cx: &Context, payment: PaymentId, claim: &crate::order::ClaimedPayment) -> Event {
    let (amount, reference) = (claim.amount, claim.reference.clone());
    if claim.captured {
        PaymentCaptured { payment, effect: None, amount, reference }.into()
    } else {
        let (expires_at, warn_at) = (claim.expires_at, warn_at(state, cx, claim.expires_at));
        PaymentAuthorized { payment, effect: None, amount, reference, expires_at, warn_at }.into()
    }
}

/// The shop's warning time before the end, but not before half of the authorization's life.
pub(super) fn warn_at(state: &State, cx: &Context, expires_at: Option<Timestamp>) -> Option<Timestamp> {
    let ends = expires_at?;
    let early = i64::from(state.catalog.settings().authorization_warning_hours) * HOUR_MS;
    let half = ends.0.saturating_sub(cx.now.0).max(0) / 2;
    Some(Timestamp(ends.0 - early.min(half)))
}

/// Asks for what is owed and not yet secured, once; after a failure a person or the customer tries again.
fn request(state: &State, cx: &Context, case: &Case, policy: &PaymentPolicy) -> Option<Event> {
    let missing = query::worth(case) - (query::capturable(case) - query::refunded(case));
    if missing.get() <= 0 || case.payments.len() >= ORDER_PAYMENTS_MAX || waits_for_a_person(case) {
        return None;
    }
    let failed = case.payments.iter().rev().find(|payment| payment.status != PaymentState::Voided);
    let waits = failed.is_some_and(|payment| match payment.status {
        PaymentState::Requested | PaymentState::Failed => true,
        PaymentState::Authorized | PaymentState::Captured | PaymentState::Refunded | PaymentState::Voided | PaymentState::Expired => false,
    });
    let capture_now = match policy.timing {
        PaymentTiming::CaptureAtShipment => false,
        PaymentTiming::CaptureAtPlacement => true,
        PaymentTiming::Invoice | PaymentTiming::Outside => return None,
    };
    let early = policy.backorder == BackorderPayment::Now;
    if waits || (!early && case.order.allocation_status != AllocationStatus::Full) {
        return None;
    }
    Some(requested(state, cx, case, policy, (missing, capture_now), case.order.payment_token.clone()))
}

/// The authorization ran out, and the channel wants somebody to decide: to pay again, to release, or to cancel.
pub(crate) fn waits_for_a_person(case: &Case) -> bool {
    case.order.status == OrderStatus::OnHold && case.order.status_reason.as_deref() == Some(AUTHORIZATION_EXPIRED)
}

pub(super) fn requested(
    state: &State,
    cx: &Context,
    case: &Case,
    policy: &PaymentPolicy,
    (amount, capture_now): (Amount, bool),
    token: Option<smol_str::SmolStr>,
) -> Event {
    let window_ms = if policy.window_ms > 0 { policy.window_ms } else { PAYMENT_WINDOW_MS_DEFAULT };
    // An order that was secured once is not canceled by the clock: its work may be under way.
    let again = case.payments.iter().any(|payment| payment.status == PaymentState::Expired);
    let asked = PaymentRequested {
        payment: next_payment(case),
        effect: next_effect(state),
        gateway: policy.gateway.clone(),
        token,
        amount,
        capture_now,
        multicapture: policy.multicapture,
        overcapture_percent: policy.overcapture_percent,
        window_ends_at: (!again).then(|| cx.now.plus_ms(window_ms)),
    };
    asked.into()
}

/// Captures what is to be captured at once, and what has shipped. A capture that failed is left to a person.
fn capture(state: &State, case: &Case, policy: &PaymentPolicy) -> Option<Event> {
    let payment = case.payments.iter().find(|payment| can_capture(payment) && payment.failure.is_none())?;
    capture_of(state, case, policy, payment)
}

/// Asks again for what the gateway refused to capture.
pub(super) fn capture_again(state: &State, case: &Case, policy: &PaymentPolicy) -> Option<Event> {
    let payment = case.payments.iter().find(|payment| can_capture(payment) && payment.failure.is_some())?;
    capture_of(state, case, policy, payment)
}

fn can_capture(payment: &Payment) -> bool {
    match payment.status {
        PaymentState::Authorized => true,
        PaymentState::Captured | PaymentState::Refunded => payment.may_capture_more(),
        PaymentState::Requested | PaymentState::Failed | PaymentState::Voided | PaymentState::Expired => false,
    }
}

fn capture_of(state: &State, case: &Case, policy: &PaymentPolicy, payment: &Payment) -> Option<Event> {
    let left = payment.authorized - payment.captured;
    let most = payment.capturable() - payment.captured;
    // What was canceled while the gateway was asked is not owed any more.
    let amount = if payment.capture_now { left.min(query::balance_due(case)) } else { most.min(wanted(case, policy)) };
    (amount.get() > 0).then(|| CaptureRequested { payment: payment.id, effect: next_effect(state), amount }.into())
}

/// What shipments have earned beyond what is captured.
fn wanted(case: &Case, policy: &PaymentPolicy) -> Amount {
    let shipped_any = case.fulfillments.iter().any(|work| work.shipped_at.is_some());
    if !shipped_any {
        return Amount::ZERO;
    }
    let kept = query::captured(case) - query::refunded(case);
    let everything = case.order.parts().all(|part| part.open().is_zero());
    if everything {
        return query::worth(case) - kept;
    }
    if !policy.multicapture {
        return match policy.single_capture {
            SingleCapture::FirstShipment => query::worth(case) - kept,
            SingleCapture::LastShipment => Amount::ZERO,
        };
    }
    let goods: Amount = case.order.lines.iter().map(|line| line.total.portion(line.shipped().get(), line.ordered.get())).sum();
    let charges: Amount = case.order.charges.iter().map(|charge| charge.total).sum();
    // What was given back of it was earned once, and is not to be captured again.
    (goods + charges - query::given_back(case)).min(query::worth(case)) - kept
}

/// A closed order keeps no authorization that it will not use.
fn void_rest(state: &State, case: &Case) -> Option<Event> {
    // After a failed capture a balance is due, and the authorization is what is left to ask for it.
    let due = |payment: &Payment| payment.failure.is_some() && query::balance_due(case).get() > 0;
    let idle = |payment: &&Payment| payment.status == PaymentState::Authorized && payment.captured.is_zero() && !due(payment);
    let payment = case.payments.iter().find(idle)?;
    Some(VoidRequested { payment: payment.id, effect: next_effect(state) }.into())
}

/// Money beyond what is owed goes back; each refund that failed is left to a person.
fn give_back(state: &State, case: &Case) -> Option<Event> {
    let failed = case.refunds.iter().any(|refund| refund.status == RefundStatus::Failed);
    let excess = query::excess(case);
    if failed || excess.get() <= 0 {
        return None;
    }
    let payment = case.payments.iter().rev().find(|payment| payment.captured > payment.refunded)?;
    let amount = excess.min(payment.captured - payment.refunded);
    let refund = next_refund(case, 0);
    let reason = Some(smol_str::SmolStr::new_static("canceled"));
    let (lines, charges, effect) = (Vec::new(), Amount::ZERO, next_effect(state));
    Some(RefundRequested { refund, payment: payment.id, effect, amount, of_excess: true, reason, lines, charges }.into())
}

pub(super) fn next_refund(case: &Case, further: usize) -> RefundId {
    let n = u16::try_from(case.refunds.len() + 1 + further).expect("few refunds");
    RefundId { order: case.order.id, n }
}

/// The gateway is asked to capture or void: its answer decides what becomes of the authorization, and ends the timer.
pub(crate) fn is_asked(case: &Case, payment: PaymentId) -> bool {
    case.effects.iter().any(|effect| match effect.action {
        Action::Capture { payment: of, .. } | Action::Void { payment: of } => of == payment,
        Action::Authorize { .. } | Action::Refund { .. } | Action::Verify { .. } => false,
    })
}

/// The authorization ran out. By policy what is still needed is asked for anew, or the order is held until a person decides.
pub(crate) fn authorization_expired(state: &State, case: &Case, payment: PaymentId) -> Vec<Event> {
    let ends = !is_asked(case, payment) && case.payments.iter().any(|candidate| candidate.id == payment && can_capture(candidate));
    if !ends {
        return Vec::new();
    }
    let mut events: Vec<Event> = vec![PaymentExpired { payment }.into()];
    let held = state.catalog.channels.get(&case.order.channel).is_some_and(|channel| channel.payment.on_expiry == OnExpiry::Hold);
    let reason = smol_str::SmolStr::new_static(AUTHORIZATION_EXPIRED);
    if held && case.order.status == OrderStatus::Open {
        events.extend(crate::order::hold(case, &reason));
    } else {
        // What has not begun waits for the new authorization.
        let released = case.fulfillments.iter().filter(|work| work.status == FulfillmentState::Released);
        events.extend(released.map(|work| crate::order::canceled(work, &reason)));
    }
    events
}

/// The authorization runs out soon; its warning rings once.
pub(crate) fn authorization_expiring(case: &Case, payment: PaymentId) -> Vec<Event> {
    let known = case.payments.iter().find(|candidate| candidate.id == payment);
    known.and_then(|known| Some(AuthorizationExpiring { payment, expires_at: known.expires_at? }.into())).into_iter().collect()
}

/// Outside actions that have been outstanding for too long, each told once.
pub(crate) fn effects_stuck(case: &Case, now: Timestamp) -> Vec<Event> {
    let order = case.order.id;
    let stuck = case.effects.iter().filter(|effect| !effect.stuck && effect.asked_at.plus_ms(EFFECT_STUCK_AFTER_MS) <= now);
    stuck.map(|effect| EffectStuck { order, effect: effect.id, asked_at: effect.asked_at }.into()).collect()
}

/// Units of a line that may be refunded: shipped or canceled, at most what was ordered.
pub(super) fn refundable_units(case: &Case, line: &crate::order::Line) -> Quantity {
    let refunded: Quantity = case
        .refunds
        .iter()
        .filter(|refund| refund.status != RefundStatus::Failed)
        .flat_map(|refund| &refund.lines)
        .filter(|refund| refund.line == line.id)
        .map(|refund| refund.quantity)
        .sum();
    line.ordered.saturating_sub(line.canceled).saturating_sub(refunded)
}
