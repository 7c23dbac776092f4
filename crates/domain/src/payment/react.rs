//! What a case needs of its gateways, as it now stands.

use super::{Action, Payment, PaymentState, RefundStatus, query};
use crate::catalog::{BackorderPayment, PaymentPolicy, PaymentTiming, SingleCapture};
use crate::event::Event;
use crate::event::payment::{CaptureRequested, PaymentAuthorized, PaymentCaptured, PaymentClaimed, PaymentExpired, PaymentRequested};
use crate::event::payment::{RefundRequested, VoidRequested};
use crate::id::{EffectId, PaymentId, RefundId};
use crate::limits::{ORDER_PAYMENTS_MAX, PAYMENT_WINDOW_MS_DEFAULT};
use crate::money::Amount;
use crate::order::{AllocationStatus, Case, Origin};
use crate::quantity::Quantity;
use crate::settle::Context;
use crate::state::State;

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
        return claim(state, case, &channel.payment);
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

fn claim(state: &State, case: &Case, policy: &PaymentPolicy) -> Vec<Event> {
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
            expires_at: claim.expires_at,
        };
        events.push(claimed.into());
        if !asked {
            events.push(confirmed(payment, claim));
        }
    }
    events
}

fn confirmed(payment: PaymentId, claim: &crate::order::ClaimedPayment) -> Event {
    let (amount, reference) = (claim.amount, claim.reference.clone());
    if claim.captured {
        PaymentCaptured { payment, effect: None, amount, reference }.into()
    } else {
        PaymentAuthorized { payment, effect: None, amount, reference, expires_at: claim.expires_at }.into()
    }
}

/// Asks for what is owed and not yet secured, once; after a failure a person or the customer tries again.
fn request(state: &State, cx: &Context, case: &Case, policy: &PaymentPolicy) -> Option<Event> {
    let missing = query::worth(case) - (query::authorized(case) - query::refunded(case));
    if missing.get() <= 0 || case.payments.len() >= ORDER_PAYMENTS_MAX {
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

pub(super) fn requested(
    state: &State,
    cx: &Context,
    case: &Case,
    policy: &PaymentPolicy,
    (amount, capture_now): (Amount, bool),
    token: Option<smol_str::SmolStr>,
) -> Event {
    let window_ms = if policy.window_ms > 0 { policy.window_ms } else { PAYMENT_WINDOW_MS_DEFAULT };
    let asked = PaymentRequested {
        payment: next_payment(case),
        effect: next_effect(state),
        gateway: policy.gateway.clone(),
        token,
        amount,
        capture_now,
        multicapture: policy.multicapture,
        window_ends_at: Some(cx.now.plus_ms(window_ms)),
    };
    asked.into()
}

/// Captures what is to be captured at once, and what has shipped.
fn capture(state: &State, case: &Case, policy: &PaymentPolicy) -> Option<Event> {
    let open = |payment: &&Payment| match payment.status {
        PaymentState::Authorized => payment.failure.is_none(),
        PaymentState::Captured => payment.multicapture && payment.captured < payment.authorized && payment.failure.is_none(),
        PaymentState::Requested | PaymentState::Refunded | PaymentState::Failed | PaymentState::Voided | PaymentState::Expired => false,
    };
    let payment = case.payments.iter().find(open)?;
    let left = payment.authorized - payment.captured;
    let amount = if payment.capture_now { left } else { left.min(wanted(case, policy)) };
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
    (goods + charges).min(query::worth(case)) - kept
}

/// A closed order keeps no authorization that it will not use.
fn void_rest(state: &State, case: &Case) -> Option<Event> {
    let idle = |payment: &&Payment| payment.status == PaymentState::Authorized && payment.captured.is_zero();
    let payment = case.payments.iter().find(idle)?;
    Some(VoidRequested { payment: payment.id, effect: next_effect(state) }.into())
}

/// Money beyond what is owed goes back; each refund that failed is left to a person.
fn give_back(state: &State, case: &Case) -> Option<Event> {
    let failed = case.refunds.iter().any(|refund| refund.status == RefundStatus::Failed);
    let asked: Amount = case.refunds.iter().filter(|refund| refund.of_excess).map(|refund| refund.amount).sum();
    let excess = query::captured(case) - case.order.owed() - asked;
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

/// The authorization ran out: what is not captured is asked for anew, if it is still needed.
pub(crate) fn authorization_expired(_state: &State, _cx: &Context, case: &Case, payment: PaymentId) -> Vec<Event> {
    let runs_out = |candidate: &&Payment| candidate.id == payment && candidate.status == PaymentState::Authorized;
    let busy = case.effects.iter().any(|effect| match effect.action {
        Action::Capture { payment: of, .. } | Action::Void { payment: of } => of == payment,
        Action::Authorize { .. } | Action::Refund { .. } | Action::Verify { .. } => false,
    });
    if busy {
        return Vec::new();
    }
    case.payments.iter().find(runs_out).map(|payment| PaymentExpired { payment: payment.id }.into()).into_iter().collect()
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
