//! Asked of payments.

use crate::id::{EffectId, LineId, OrderId, PaymentId};
use crate::money::Amount;
use crate::payment::Outcome;
use crate::quantity::Quantity;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A connector tells what an outside action came to. Telling it twice changes nothing.
    RecordEffect {
        effect: EffectId,
        order: OrderId,
        outcome: Outcome,
    },
    /// Tries to pay again, maybe with another token, after a failure or an expiry.
    RetryPayment {
        order: OrderId,
        token: Option<SmolStr>,
    },
    /// Paid by bank transfer, cash, invoice: recorded by a person.
    MarkPaid {
        order: OrderId,
        amount: Option<Amount>,
        reference: Option<SmolStr>,
    },
    RefundOrder(RefundOrder),
}

#[derive(Debug, Clone, PartialEq)]
pub struct RefundOrder {
    pub order: OrderId,
    pub lines: Vec<RefundWanted>,
    /// Part of the order charges (with tax) to give back.
    pub charges: Amount,
    /// A free amount on top, without lines.
    pub amount: Option<Amount>,
    /// Which payment pays back; by default the latest captured first.
    pub payment: Option<PaymentId>,
    pub reason: Option<SmolStr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RefundWanted {
    pub line: LineId,
    pub quantity: Quantity,
}
