//! Outside actions: what the case waits for is done and recorded, again after a crash, with the same key.

pub mod smtp;
pub mod test_gateway;
pub mod webhook;

use crate::shop::Shop;
use crate::traces::Span;
use domain::command::payment::Command;
use domain::id::EffectId;
use domain::payment::{Action, Outcome};
use engine::Outstanding;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Most actions under way at once.
const CONCURRENT_MAX: usize = 64;
/// Pauses between tries of one action: doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_LAST: Duration = Duration::from_secs(300);

/// A gateway could not be asked, or its answer got lost: the same key is asked again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unclear(pub String);

pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Outcome, Unclear>> + Send + 'a>>;

/// Somebody who moves money. Asked twice with the same effect id, it acts once.
pub trait Gateway: Send + Sync {
    /// As channels name it.
    fn name(&self) -> &'static str;
    fn ask<'a>(&'a self, work: &'a Outstanding) -> Asked<'a>;
}

/// What came of it, without the words of the other side.
fn tell(span: &Span, answer: &Result<Outcome, Unclear>) {
    let word = match answer {
        Ok(Outcome::Authorized { .. }) => "authorized",
        Ok(Outcome::Captured { .. }) => "captured",
        Ok(Outcome::Voided) => "voided",
        Ok(Outcome::Refunded { .. }) => "refunded",
        // A decision of the gateway, not a fault.
        Ok(Outcome::Declined { .. }) => "declined",
        Ok(Outcome::Failed { .. }) => return span.fail("failed"),
        Err(Unclear(_)) => return span.fail("unclear"),
    };
    span.note("quartermaster.outcome", word);
}

struct Runner {
    shop: Arc<Shop>,
    gateways: BTreeMap<&'static str, Arc<dyn Gateway>>,
    under_way: Mutex<BTreeSet<EffectId>>,
    slots: Arc<Semaphore>,
}

/// Works on what is outstanding until the shop closes.
pub async fn run(shop: Arc<Shop>, gateways: Vec<Arc<dyn Gateway>>) {
    let mut durable = shop.durable.clone();
    let runner = Arc::new(Runner {
        shop,
        gateways: gateways.into_iter().map(|gateway| (gateway.name(), gateway)).collect(),
        under_way: Mutex::new(BTreeSet::new()),
        slots: Arc::new(Semaphore::new(CONCURRENT_MAX)),
    });
    loop {
        durable.mark_unchanged();
        for work in runner.shop.engine.outstanding() {
            let Ok(slot) = runner.slots.clone().acquire_owned().await else { return };
            if runner.under_way.lock().expect("no thread panics with the lock").insert(work.effect.id) {
                let runner = runner.clone();
                tokio::spawn(async move {
                    runner.bring_to_an_end(&work).await;
                    runner.under_way.lock().expect("no thread panics with the lock").remove(&work.effect.id);
                    drop(slot);
                });
            }
        }
        if durable.changed().await.is_err() {
            return;
        }
    }
}

impl Runner {
    async fn bring_to_an_end(&self, work: &Outstanding) {
        let outcome = match self.gateways.get(work.payment.gateway.as_str()) {
            Some(gateway) => self.ask_until_clear(gateway.as_ref(), work).await,
            None => Outcome::Failed {
                code: "unknown_gateway".into(),
                message: format!("no gateway \"{}\" is configured; change the channel, or mark the order as paid", work.payment.gateway)
                    .into(),
            },
        };
        let mut pause = PAUSE_FIRST;
        loop {
            let command = Command::RecordEffect { effect: work.effect.id, order: work.order, outcome: outcome.clone() };
            match self.shop.submit(command.into(), format!("gateway:{}", work.payment.gateway), None).await {
                Ok(_) => return,
                Err(_) if self.shop.engine.failure().is_some() => return,
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(PAUSE_LAST);
        }
    }

    async fn ask_until_clear(&self, gateway: &dyn Gateway, work: &Outstanding) -> Outcome {
        let mut pause = PAUSE_FIRST;
        loop {
            let span = self.span(work);
            let answer = gateway.ask(work).await;
            if let Some(span) = span {
                tell(&span, &answer);
            }
            match answer {
                Ok(outcome) => return outcome,
                Err(Unclear(why)) => tracing::warn!("{} of {} is unclear, asking again: {why}", work.effect.id, work.number),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_LAST);
        }
    }

    /// Of one call to a gateway.
    fn span(&self, work: &Outstanding) -> Option<Span> {
        let name = match work.effect.action {
            Action::Authorize { .. } => "payment authorize",
            Action::Capture { .. } => "payment capture",
            Action::Void { .. } => "payment void",
            Action::Refund { .. } => "payment refund",
            Action::Verify { .. } => "payment verify",
        };
        let attributes = [
            ("quartermaster.gateway", work.payment.gateway.to_string()),
            ("quartermaster.order", work.order.to_string()),
            ("quartermaster.effect", work.effect.id.to_string()),
        ];
        self.shop.traces.as_ref().map(|traces| traces.outside(name, attributes))
    }
}
