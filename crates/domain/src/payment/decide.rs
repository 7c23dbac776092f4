//! What gateways answered, and what people ask about money.

use super::{Action, Effect, Outcome, query, react, refund};
use crate::command::payment::Command;
use crate::event::Event;
use crate::event::payment::{
    CaptureFailed, PaymentAuthorized, PaymentCaptured, PaymentClaimed, PaymentFailed, PaymentVoided, RefundCompleted, RefundFailed,
};
use crate::limits::ORDER_PAYMENTS_MAX;
use crate::money::Amount;
use crate::order::Case;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::RecordEffect { effect, order, outcome } => {
            let case = state.case(order)?;
            let outstanding = case.effects.iter().find(|outstanding| outstanding.id == effect);
            Ok(outstanding.map(|effect| record(state, cx, case, effect, outcome)).unwrap_or_default())
        }
        Command::RetryPayment { order, token } => retry(state, cx, state.case(order)?, token),
        Command::MarkPaid { order, amount, reference } => mark_paid(state.case(order)?, amount, reference),
        Command::RefundOrder(command) => refund::refund(state, state.case(command.order)?, command),
    }
}

fn record(state: &State, cx: &Context, case: &Case, effect: &Effect, outcome: Outcome) -> Vec<Event> {
    let id = effect.id;
    let some = Some(id);
    match (&effect.action, outcome) {
        (Action::Authorize { payment, .. }, Outcome::Authorized { amount, reference, expires_at }) => {
            let warn_at = react::warn_at(state, cx, expires_at);
            vec![PaymentAuthorized { payment: *payment, effect: some, amount, reference: Some(reference), expires_at, warn_at }.into()]
        }
        (Action::Authorize { payment, .. } | Action::Capture { payment, .. }, Outcome::Captured { amount, reference }) => {
            vec![PaymentCaptured { payment: *payment, effect: some, amount, reference: Some(reference) }.into()]
        }
        (Action::Verify { payment, amount }, Outcome::Authorized { .. } | Outcome::Captured { .. }) => {
            verified(state, cx, case, (*payment, *amount, id))
        }
        (Action::Void { payment }, Outcome::Voided) => vec![PaymentVoided { payment: *payment, effect: some }.into()],
        (Action::Refund { payment, refund, .. }, Outcome::Refunded { amount, reference }) => {
            vec![RefundCompleted { refund: *refund, payment: *payment, effect: some, amount, reference: Some(reference) }.into()]
        }
        (action, Outcome::Declined { code, message } | Outcome::Failed { code, message }) => vec![failed(action, id, code, message)],
        (action, outcome @ (Outcome::Authorized { .. } | Outcome::Captured { .. } | Outcome::Voided | Outcome::Refunded { .. })) => {
            let message = smol_str::format_smolstr!("the gateway answered {outcome:?} to another question");
            vec![failed(action, id, SmolStr::new_static("unexpected_answer"), message)]
        }
    }
}

fn verified(
    state: &State,
    cx: &Context,
    case: &Case,
    (payment, amount, effect): (crate::id::PaymentId, Amount, crate::id::EffectId),
) -> Vec<Event> {
    let claimed = case.payments.iter().find(|candidate| candidate.id == payment).expect("its claim came first");
    let (effect, reference) = (Some(effect), claimed.reference.clone());
    if claimed.capture_now {
        vec![PaymentCaptured { payment, effect, amount, reference }.into()]
    } else {
        let (expires_at, warn_at) = (claimed.expires_at, react::warn_at(state, cx, claimed.expires_at));
        vec![PaymentAuthorized { payment, effect, amount, reference, expires_at, warn_at }.into()]
    }
}

fn failed(action: &Action, effect: crate::id::EffectId, code: SmolStr, message: SmolStr) -> Event {
    match action {
        Action::Authorize { payment, .. } | Action::Verify { payment, .. } => {
            PaymentFailed { payment: *payment, effect: Some(effect), code, message }.into()
        }
        Action::Capture { payment, amount } => CaptureFailed { payment: *payment, effect, amount: *amount, code, message }.into(),
        // An authorization that cannot be voided runs out by itself.
        Action::Void { payment } => PaymentVoided { payment: *payment, effect: Some(effect) }.into(),
        Action::Refund { payment, refund, .. } => RefundFailed { refund: *refund, payment: *payment, effect, code, message }.into(),
    }
}

fn retry(state: &State, cx: &Context, case: &Case, token: Option<SmolStr>) -> Result<Vec<Event>, Rejection> {
    if case.order.is_closed() && query::balance_due(case).get() <= 0 {
        return Err(Rejection::wrong_status("order", case.order.id, case.order.status, "one with a balance due"));
    }
    if !case.effects.is_empty() {
        return Err(Rejection::wrong_status(
            "order",
            case.order.id,
            "being_paid",
            "done with the payment under way; read it again shortly",
        ));
    }
    if case.payments.len() >= ORDER_PAYMENTS_MAX {
        return Err(Rejection::invalid("payments", format!("an order has at most {ORDER_PAYMENTS_MAX} payments")));
    }
    let channel = state.catalog.channels.get(&case.order.channel).expect("channels are never removed");
    if let Some(capture) = react::capture_again(state, case, &channel.payment) {
        return Ok(vec![capture]);
    }
    let missing = query::worth(case) - (query::capturable(case) - query::refunded(case));
    if missing.get() <= 0 {
        return Err(Rejection::wrong_status("order", case.order.id, case.order.payment_status, "unpaid"));
    }
    let capture_now = channel.payment.timing == crate::catalog::PaymentTiming::CaptureAtPlacement;
    let token = token.or_else(|| case.order.payment_token.clone());
    Ok(vec![react::requested(state, cx, case, &channel.payment, (missing, capture_now), token)])
}

fn mark_paid(case: &Case, amount: Option<Amount>, reference: Option<SmolStr>) -> Result<Vec<Event>, Rejection> {
    let due = query::balance_due(case);
    let amount = amount.unwrap_or(due);
    if amount.get() <= 0 || amount > due {
        return Err(Rejection::invalid("amount", format!("must be 1 to {due}, the balance due (minor units)")));
    }
    if !case.effects.is_empty() {
        return Err(Rejection::wrong_status(
            "order",
            case.order.id,
            "being_paid",
            "done with the payment under way; read it again shortly",
        ));
    }
    let payment = react::next_payment(case);
    let claimed = PaymentClaimed {
        payment,
        effect: None,
        gateway: SmolStr::new_static(super::MANUAL_GATEWAY),
        reference: reference.clone(),
        amount,
        captured: true,
        multicapture: false,
        overcapture_percent: 0,
        expires_at: None,
    };
    Ok(vec![claimed.into(), PaymentCaptured { payment, effect: None, amount, reference }.into()])
}
