//! The test gateway: no money moves, and every way a payment can go is walked by its token.
//!
//! | token | what happens |
//! |---|---|
//! | none, or any other | approved |
//! | `tok_decline` | the authorization is declined |
//! | `tok_decline_capture` | authorized, but the capture is declined |
//! | `tok_slow` | every answer takes five seconds |
//! | `tok_timeout` | acts, but the first answer is lost; asked again with the same key it tells what it did |
//! | `tok_expire` | the authorization runs out after a minute |
//!
//! An amount that ends in 13 cents is declined, too, for those who cannot choose a token.

use super::{Asked, Gateway, Unclear};
use domain::id::EffectId;
use domain::money::Amount;
use domain::payment::{Action, Outcome};
use domain::time::{MINUTE_MS, Timestamp};
use engine::Outstanding;
use smol_str::format_smolstr;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SLOW: Duration = Duration::from_secs(5);
/// Keys whose first answer was lost, at most this many.
const LOST_MAX: usize = 10_000;

pub struct TestGateway {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    lost: Mutex<BTreeSet<EffectId>>,
}

impl TestGateway {
    pub const NAME: &'static str = "test";

    pub fn new(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self { clock, lost: Mutex::new(BTreeSet::new()) }
    }

    fn loses_this_answer(&self, effect: EffectId) -> bool {
        let mut lost = self.lost.lock().expect("no thread panics with the lock");
        if lost.len() >= LOST_MAX {
            lost.pop_first();
        }
        lost.insert(effect)
    }

    fn decide(&self, work: &Outstanding, token: &str) -> Outcome {
        let reference = work.payment.reference.clone().unwrap_or_else(|| format_smolstr!("test_{}", work.effect.id));
        let declined = |code: &str| Outcome::Declined { code: code.into(), message: "the card was declined".into() };
        match work.effect.action {
            Action::Authorize { amount, .. } if token == "tok_decline" || ends_in_13(amount) => declined("card_declined"),
            Action::Authorize { amount, .. } => {
                let expires_at = (token == "tok_expire").then(|| (self.clock)().plus_ms(MINUTE_MS));
                Outcome::Authorized { amount, reference, expires_at }
            }
            Action::Capture { .. } if token == "tok_decline_capture" => declined("insufficient_funds"),
            Action::Capture { amount, .. } => Outcome::Captured { amount, reference },
            Action::Void { .. } => Outcome::Voided,
            Action::Refund { amount, .. } => Outcome::Refunded { amount, reference },
            Action::Verify { amount, .. } => Outcome::Authorized { amount, reference, expires_at: None },
        }
    }
}

fn ends_in_13(amount: Amount) -> bool {
    amount.get() % 100 == 13
}

impl Gateway for TestGateway {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn ask<'a>(&'a self, work: &'a Outstanding) -> Asked<'a> {
        Box::pin(async move {
            let token = work.payment.token.as_deref().unwrap_or_default();
            if token == "tok_slow" {
                tokio::time::sleep(SLOW).await;
            }
            if token == "tok_timeout" && self.loses_this_answer(work.effect.id) {
                return Err(Unclear("the answer was lost on the way".to_owned()));
            }
            Ok(self.decide(work, token))
        })
    }
}
