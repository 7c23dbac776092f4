//! Webhooks: a thread of its own calls the endpoints, one pump each. It yields the processor to whoever takes orders.

mod call;
mod parked;
mod pump;

pub use call::{Called, Message, Outcome, call, span, wall_ms};

use super::feed::Feed;
use super::{Outgoing, secret};
use crate::outbound::{Dialer, Signer, Target};
use crate::shop::Shop;
use domain::command::subscription::Command;
use domain::subscription::{Kind, Status, Subscription};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How far deliveries stand back: the share of a contended processor is about a thirtieth. At 10, which is a tenth, orders beside them came to 0.73
/// and 0.78 of those without.
const NICENESS: i32 = 15;
/// A pump that panicked is not started again before.
const PANIC_PAUSE: Duration = Duration::from_secs(5);

/// Calls an endpoint once, now, with an event that is in no log; its id and what came of it. `None` when there is no address to call.
pub async fn try_out(shop: &Shop, subscription: &Subscription) -> Option<(String, Called)> {
    let webhook = subscription.webhook.as_ref()?;
    let target = Target::parse(&webhook.url)?;
    let open = |sealed| shop.vault.open_secret(sealed).and_then(|text| secret::parse(&text).ok());
    let secrets: Vec<Vec<u8>> = webhook.signing(shop.now()).filter_map(|secret| open(&secret.sealed)).collect();
    let signer = Signer::new(secrets.iter().map(Vec::as_slice));
    let event = Outgoing::test(subscription, shop.now(), shop.engine.durable(), &format!("test-{}", wall_ms()));
    let message = Message { id: &event.id, body: event.body(None), signer: &signer, traceparent: None };
    let timeout = Duration::from_millis(webhook.timeout_ms.into());
    let (called, _) = call(&Dialer::new(shop.bus.allows_private()), &target, &message, timeout, None).await;
    Some((event.id, called))
}

/// What all pumps share.
pub struct Wire {
    pub shop: Arc<Shop>,
    pub dialer: Dialer,
    pub feed: Feed,
}

/// The running deliveries.
pub struct Deliveries {
    stop: watch::Sender<bool>,
    thread: std::thread::JoinHandle<()>,
}

/// Starts to call endpoints.
///
/// # Errors
/// When there can be no further thread.
pub fn start(shop: Arc<Shop>) -> std::io::Result<Deliveries> {
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().on_thread_start(stand_back).build()?;
    let thread = std::thread::Builder::new().name("bus".into()).spawn(move || {
        stand_back();
        let dialer = Dialer::new(shop.bus.allows_private());
        let wire = Arc::new(Wire { shop, dialer, feed: Feed::default() });
        runtime.block_on(manage(wire, stopped));
        // Calls under way are cut off: what was not answered is delivered again, with the same id.
        runtime.shutdown_timeout(Duration::from_secs(1));
    })?;
    Ok(Deliveries { stop, thread })
}

impl Deliveries {
    /// Ends all calls; those that were not answered are made again after the next start.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let ended = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the deliveries did not end well");
        }
    }
}

/// Lets orders have the processor first. Only this thread, and those it starts.
pub fn stand_back() {
    engine::priority::stand_back(NICENESS);
}

/// One pump for each active webhook, as they come and go.
async fn manage(wire: Arc<Wire>, mut stopped: watch::Receiver<bool>) {
    pause_after_restore(&wire.shop).await;
    let (mut changes, mut pumps, mut running) = (wire.shop.bus.changes(), JoinSet::new(), BTreeMap::new());
    loop {
        for entry in wire.shop.bus.list() {
            let subscription = entry.subscription();
            let wanted = subscription.kind == Kind::Webhook && subscription.status == Status::Active;
            if wanted && !running.contains_key(&entry.id) {
                let id = entry.id;
                running.insert(id, pumps.spawn(pump::run(wire.clone(), entry)));
            }
        }
        tokio::select! {
            _ = stopped.changed() => return,
            _ = changes.changed() => {}
            Some(ended) = pumps.join_next_with_id(), if !pumps.is_empty() => {
                let (task, panicked) = match ended {
                    Ok((task, ())) => (task, false),
                    Err(error) => (error.id(), error.is_panic()),
                };
                if panicked {
                    tracing::error!("deliveries to an endpoint panicked; they go on from its cursor");
                    tokio::time::sleep(PANIC_PAUSE).await;
                }
                running.retain(|_, handle: &mut tokio::task::AbortHandle| handle.id() != task);
            }
        }
    }
}

/// In a restored shop nobody outside is called before a person says so.
async fn pause_after_restore(shop: &Arc<Shop>) {
    let incarnation = shop.engine.incarnation();
    for entry in shop.bus.list() {
        let known = entry.subscription();
        if known.kind == Kind::Webhook && known.status == Status::Active && known.incarnation < incarnation {
            let reason = "restored from a backup; resume it when the endpoint may be called again".into();
            let pause = Command::PauseSubscription { subscription: known.id, reason, expected_version: None };
            if shop.submit(pause.into(), "bus".into(), None).await.is_err() {
                tracing::warn!("{} could not be paused after the restore", known.id);
            }
        }
    }
}
