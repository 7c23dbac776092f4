//! Subscriptions that do not move on: an alert is raised, and cleared when they do.

use super::page::collect;
use super::{Entry, Filter};
use crate::alerting::edge;
use crate::shop::Shop;
use domain::alert::Condition;
use domain::subscription::{Kind, Status};
use engine::ReadError;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Without a step forward for so long while something waits, unless the subscription says otherwise: who is called should answer, who
/// fetches may do so once a day.
const WEBHOOK_S: u32 = 300;
const READER_S: u32 = 86_400;

#[derive(Default)]
struct Watch {
    /// With where each stood when it was told.
    told: BTreeMap<SmolStr, Option<Place>>,
    /// Where each stood when this process first saw it.
    first: BTreeMap<SmolStr, Place>,
}

/// Generation and sequence of a cursor.
type Place = (u64, u64);

enum Seen {
    Moves,
    /// Since a restart nothing has happened that would tell.
    Unknown,
    Stalled,
}

/// Looks at all subscriptions until the shop closes.
pub async fn run(shop: Arc<Shop>) {
    let told = shop.query(domain::alert::raised_by_edge).await.unwrap_or_default().into_iter();
    let told = told.filter_map(|condition| match condition {
        Condition::SubscriptionStalled { subscription } => Some(subscription),
        _ => None,
    });
    let mut watch = Watch { told: told.map(|name| (name, None)).collect(), ..Watch::default() };
    loop {
        if !shop.engine.timers_suspended() {
            watch.turn(&shop).await;
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl Watch {
    async fn turn(&mut self, shop: &Arc<Shop>) {
        let mut gone: BTreeSet<SmolStr> = self.told.keys().cloned().collect();
        for entry in shop.bus.list() {
            let name = entry.id.text();
            gone.remove(&name);
            let seen = match self.look(shop, &entry).await {
                Ok(seen) => seen,
                Err(error) => {
                    tracing::warn!("whether {name} is stalled could not be seen: {error}");
                    continue;
                }
            };
            match (seen, self.told.contains_key(&name)) {
                (Seen::Stalled, false) => {
                    if raise(shop, &entry).await {
                        let cursor = entry.cursor();
                        self.told.insert(name, Some((cursor.generation, cursor.sequence)));
                    }
                }
                (Seen::Moves, true) => drop(gone.insert(name)),
                (Seen::Stalled | Seen::Unknown, true) | (Seen::Moves | Seen::Unknown, false) => {}
            }
        }
        for name in gone {
            if edge::clear(shop, "bus", Condition::SubscriptionStalled { subscription: name.clone() }).await {
                self.told.remove(&name);
            }
        }
    }

    async fn look(&mut self, shop: &Arc<Shop>, entry: &Arc<Entry>) -> Result<Seen, ReadError> {
        let (subscription, cursor) = (entry.subscription(), entry.cursor());
        let place = (cursor.generation, cursor.sequence);
        let first = *self.first.entry(entry.id.text()).or_insert(place);
        match subscription.status {
            // By a person, who knows.
            Status::Paused => return Ok(Seen::Moves),
            Status::Disabled => return Ok(Seen::Stalled),
            Status::Active => {}
        }
        let patience = subscription.stalled_after_s.unwrap_or(match subscription.kind {
            Kind::Webhook => WEBHOOK_S,
            Kind::Pull | Kind::Sse => READER_S,
        });
        let patience = Duration::from_secs(u64::from(patience));
        let old = |time: i64| shop.now().0.saturating_sub(time) >= i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        if cursor.parked.iter().any(|parked| old(parked.since)) {
            return Ok(Seen::Stalled);
        }
        let progress = entry.progress();
        if shop.engine.durable() <= cursor.sequence {
            return Ok(Seen::Moves);
        }
        if progress.moved.elapsed() < patience {
            return Ok(if place == first { Seen::Unknown } else { Seen::Moves });
        }
        let oldest = match subscription.kind {
            Kind::Webhook => progress.oldest,
            // It has not come since.
            Kind::Pull | Kind::Sse if self.told.get(&entry.id.text()) == Some(&Some(place)) => return Ok(Seen::Stalled),
            Kind::Pull | Kind::Sse => oldest(shop, entry, cursor.generation, cursor.sequence).await?,
        };
        Ok(if oldest.is_some_and(old) { Seen::Stalled } else { Seen::Moves })
    }
}

/// Time of the first event after the cursor that the subscription hears; what it does not hear is passed over.
async fn oldest(shop: &Arc<Shop>, entry: &Entry, generation: u64, after: u64) -> Result<Option<i64>, ReadError> {
    let found = collect(shop, &Filter::of(&entry.subscription()), after, 1, Duration::ZERO).await?;
    let up_to = found.events.first().map_or(found.looked, |event| event.seq - 1);
    entry.skip(generation, after, up_to);
    Ok(found.events.first().map(|event| event.time))
}

async fn raise(shop: &Arc<Shop>, entry: &Entry) -> bool {
    let standing = entry.standing(shop);
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let numbers = [
        ("lag_events", number(standing.lag.events)),
        ("lag_seconds", standing.lag.seconds),
        ("parked", number(standing.cursor.parked.len() as u64)),
    ];
    let note = standing.subscription.status_reason.as_deref().map(str::to_owned).or(standing.last_error);
    let condition = Condition::SubscriptionStalled { subscription: entry.id.text() };
    edge::raise(shop, "bus", condition, &numbers, note.as_deref()).await
}
