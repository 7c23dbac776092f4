//! A payment gateway that declines, answers late, twice or never. The same question always gets the same answer.

use crate::random::Random;
use domain::id::{EffectId, OrderId};
use domain::payment::{Action, Outcome};
use domain::time::{HOUR_MS, Timestamp};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Vendor {
    /// Verdicts by the effect's id, the idempotency key of the question.
    verdicts: BTreeMap<EffectId, (OrderId, Outcome)>,
}

impl Vendor {
    /// Decides once; asked again, it remembers.
    pub fn answer(&mut self, random: &mut Random, effect: EffectId, order: OrderId, action: &Action, now: Timestamp) -> Outcome {
        let kind = random.below(100);
        let hours = i64::from(random.units(1, 200));
        let verdict = || match kind {
            0..8 => Outcome::Declined { code: "card_declined".into(), message: "no".into() },
            8..12 => Outcome::Failed { code: "gateway_down".into(), message: "no".into() },
            12..30 => yes(action, Some(now.plus_ms(hours * HOUR_MS))),
            _ => yes(action, None),
        };
        self.verdicts.entry(effect).or_insert_with(|| (order, verdict())).1.clone()
    }

    /// An answer that was given before, for telling it twice.
    pub fn again(&self, random: &mut Random) -> Option<(EffectId, OrderId, Outcome)> {
        let known: Vec<_> = self.verdicts.iter().collect();
        random.pick(&known).map(|(effect, (order, outcome))| (**effect, *order, outcome.clone()))
    }
}

/// What was asked for, done.
pub fn yes(action: &Action, expires_at: Option<Timestamp>) -> Outcome {
    let reference = "ref".into();
    match action {
        Action::Authorize { amount, .. } | Action::Verify { amount, .. } => Outcome::Authorized { amount: *amount, reference, expires_at },
        Action::Capture { amount, .. } => Outcome::Captured { amount: *amount, reference },
        Action::Refund { amount, .. } => Outcome::Refunded { amount: *amount, reference },
        Action::Void { .. } => Outcome::Voided,
    }
}
