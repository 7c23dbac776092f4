//! Sums over the payments of a case.

use super::{Payment, PaymentState, Refund, RefundStatus};
use crate::catalog::PaymentTiming;
use crate::money::Amount;
use crate::order::{Case, Line, Origin, PaymentStatus};
use crate::quantity::Quantity;
use crate::state::State;

/// Authorized and neither captured nor voided nor expired, plus what was captured.
pub fn authorized(case: &Case) -> Amount {
    case.payments.iter().map(|payment| secured(payment, payment.authorized)).sum()
}

/// As [`authorized`], with what gateways capture beyond it.
pub(crate) fn capturable(case: &Case) -> Amount {
    case.payments.iter().map(|payment| secured(payment, payment.capturable())).sum()
}

/// What a payment has brought in, or may still bring in up to `most`. What was captured once by a gateway that captures once is all there is.
fn secured(payment: &Payment, most: Amount) -> Amount {
    match payment.status {
        PaymentState::Authorized => most,
        PaymentState::Captured | PaymentState::Refunded if payment.may_capture_more() => most.max(payment.captured),
        PaymentState::Captured | PaymentState::Refunded => payment.captured,
        PaymentState::Requested | PaymentState::Failed | PaymentState::Voided | PaymentState::Expired => Amount::ZERO,
    }
}

pub fn captured(case: &Case) -> Amount {
    case.payments.iter().map(|payment| payment.captured).sum()
}

pub fn refunded(case: &Case) -> Amount {
    case.payments.iter().map(|payment| payment.refunded).sum()
}

/// What the customer still has to pay; negative when money has to go back. History was settled where it came from.
pub fn balance_due(case: &Case) -> Amount {
    if case.order.origin == Origin::Import {
        return Amount::ZERO;
    }
    worth(case) - (captured(case) - refunded(case))
}

/// What the order is to bring in: what is owed less what was given back for other reasons than a cancellation, never below nothing. Units that
/// were given back and then canceled are not owed in the first place: they count once.
pub(crate) fn worth(case: &Case) -> Amount {
    (case.order.owed() - given_back(case)).max(Amount::ZERO)
}

/// Given back for units and charges that are still owed in themselves.
pub(crate) fn given_back(case: &Case) -> Amount {
    given(case).map(|refund| refund.amount).sum::<Amount>() - given_and_canceled(case)
}

/// Money beyond what the order is to bring in that nobody has been asked to give back.
pub(crate) fn excess(case: &Case) -> Amount {
    let asked: Amount = case.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed).map(|refund| refund.amount).sum();
    captured(case) - asked - worth(case)
}

fn given(case: &Case) -> impl Iterator<Item = &Refund> {
    case.refunds.iter().filter(|refund| !refund.of_excess && refund.status != RefundStatus::Failed)
}

/// Given back for units of which there are no more than those that are canceled.
fn given_and_canceled(case: &Case) -> Amount {
    let of_line = |line: &Line| {
        let (mut units, mut amount) = (Quantity::ZERO, Amount::ZERO);
        for refunded in given(case).flat_map(|refund| &refund.lines).filter(|refunded| refunded.line == line.id) {
            units += refunded.quantity;
            amount += refunded.amount;
        }
        let both = (units + line.canceled).saturating_sub(line.ordered).min(units);
        amount.portion(both.get(), units.get())
    };
    case.order.lines.iter().map(of_line).sum()
}

/// Enough is authorized or captured for the work of the warehouse to begin.
pub(crate) fn is_secured(state: &State, case: &Case) -> bool {
    if case.order.origin == Origin::Import {
        return false;
    }
    let owed = worth(case);
    if owed.get() <= 0 {
        return true;
    }
    let timing = state.catalog.channels.get(&case.order.channel).map(|channel| channel.payment.timing);
    let invoiced = timing == Some(PaymentTiming::Invoice) && case.order.claimed_payments.is_empty();
    invoiced || capturable(case) - refunded(case) >= owed
}

pub(crate) fn status(case: &Case) -> PaymentStatus {
    let (captured, refunded) = (captured(case), refunded(case));
    if captured.get() > 0 {
        return if refunded >= captured {
            PaymentStatus::Refunded
        } else if refunded.get() > 0 {
            PaymentStatus::PartiallyRefunded
        } else if captured >= worth(case) {
            PaymentStatus::Captured
        } else {
            PaymentStatus::PartiallyCaptured
        };
    }
    let any = |wanted: PaymentState| case.payments.iter().any(|payment| payment.status == wanted);
    if any(PaymentState::Authorized) {
        return PaymentStatus::Authorized;
    }
    if any(PaymentState::Requested) {
        return PaymentStatus::Pending;
    }
    match case.payments.last().map(|payment| payment.status) {
        Some(PaymentState::Failed) => PaymentStatus::Failed,
        Some(PaymentState::Voided) => PaymentStatus::Voided,
        Some(PaymentState::Expired) => PaymentStatus::Expired,
        Some(PaymentState::Requested | PaymentState::Authorized | PaymentState::Captured | PaymentState::Refunded) | None => {
            PaymentStatus::None
        }
    }
}
