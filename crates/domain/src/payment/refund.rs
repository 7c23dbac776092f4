//! Refunds that a person asks for: lines with their tax, order charges, or a free amount.

use super::react::{next_refund, refundable_units};
use super::{RefundLine, RefundStatus};
use crate::catalog::check_amount;
use crate::command::payment::RefundOrder;
use crate::event::Event;
use crate::event::payment::RefundRequested;
use crate::id::{EffectId, PaymentId};
use crate::money::Amount;
use crate::order::Case;
use crate::rejection::Rejection;
use crate::state::State;

/// What a refund would give back, and from which payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPreview {
    pub lines: Vec<RefundLine>,
    pub charges: Amount,
    /// Lines, charges and the free amount together.
    pub amount: Amount,
    pub payments: Vec<(PaymentId, Amount)>,
    /// What could be refunded at most.
    pub refundable: Amount,
}

/// # Errors
/// When a line has too few units left, nothing is named, or more is wanted than was captured.
pub fn preview_refund(case: &Case, command: &RefundOrder) -> Result<RefundPreview, Rejection> {
    let mut lines = Vec::new();
    for wanted in &command.lines {
        let line = case.order.line(wanted.line).filter(|line| line.id == wanted.line);
        let line = line.ok_or_else(|| Rejection::not_found("line", wanted.line))?;
        let left = refundable_units(case, line);
        if wanted.quantity.is_zero() || wanted.quantity > left {
            let problem = format!("{} of {} can't be refunded: {left} are left", wanted.quantity, line.sku);
            return Err(Rejection::invalid("lines", problem));
        }
        let part = |amount: Amount| amount.portion(wanted.quantity.get(), line.ordered.get());
        lines.push(RefundLine { line: line.id, quantity: wanted.quantity, amount: part(line.total), tax: part(line.tax) });
    }
    let extra = command.amount.unwrap_or(Amount::ZERO);
    // Within bounds, so that their sum is none that an amount can't hold.
    check_amount("charges", command.charges)?;
    check_amount("amount", extra)?;
    let charges: Amount = case.order.charges.iter().map(|charge| charge.total).sum();
    let given: Amount = live(case).map(|refund| refund.charges).sum();
    if command.charges > charges - given {
        return Err(Rejection::RefundTooLarge { wanted: command.charges, refundable: charges - given });
    }
    let amount = lines.iter().map(|line| line.amount).sum::<Amount>() + command.charges + extra;
    let (payments, refundable) = sources(case, command.payment, amount);
    if amount.is_zero() {
        return Err(Rejection::invalid("lines", "name lines, charges or an amount to refund"));
    }
    if amount > refundable {
        return Err(Rejection::RefundTooLarge { wanted: amount, refundable });
    }
    Ok(RefundPreview { lines, charges: command.charges, amount, payments, refundable })
}

fn live(case: &Case) -> impl Iterator<Item = &super::Refund> {
    case.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed)
}

/// The latest payment pays back first, unless one is named.
fn sources(case: &Case, named: Option<PaymentId>, amount: Amount) -> (Vec<(PaymentId, Amount)>, Amount) {
    let (mut left, mut refundable, mut payments) = (amount, Amount::ZERO, Vec::new());
    for payment in case.payments.iter().rev().filter(|payment| named.is_none_or(|id| id == payment.id)) {
        let asked: Amount = live(case).filter(|refund| refund.payment == payment.id).map(|refund| refund.amount).sum();
        let free = payment.captured - asked;
        if free.get() <= 0 {
            continue;
        }
        refundable += free;
        let taken = free.min(left);
        if taken.get() > 0 {
            payments.push((payment.id, taken));
            left -= taken;
        }
    }
    (payments, refundable)
}

pub(super) fn refund(state: &State, case: &Case, command: RefundOrder) -> Result<Vec<Event>, Rejection> {
    let preview = preview_refund(case, &command)?;
    let (mut lines, mut charges) = (preview.lines, preview.charges);
    let mut effect = state.counters().effect;
    let mut events = Vec::new();
    for (at, (payment, amount)) in preview.payments.into_iter().enumerate() {
        effect += 1;
        let requested = RefundRequested {
            refund: next_refund(case, at),
            payment,
            effect: EffectId(effect),
            amount,
            of_excess: false,
            reason: command.reason.clone(),
            lines: std::mem::take(&mut lines),
            charges: std::mem::take(&mut charges),
        };
        events.push(requested.into());
    }
    Ok(events)
}
