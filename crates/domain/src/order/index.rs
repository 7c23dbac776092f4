//! Indexes over cases: who waits for what, who holds what, which timers run, which effects are outstanding.

use super::{Case, Order, Origin, fold};
use crate::event::Event;
use crate::id::{ChannelCode, DeliveryId, EffectId, OrderId};
use crate::limits::BACKORDERS_PER_TURN;
use crate::state::{State, TimerOwner};
use crate::stock::LevelKey;
use crate::table::{Lookup, Table};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Claims of open orders on levels, the best first: higher priority, then older.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Claims {
    /// By channel: one that keeps stock back must not stand before others.
    backordered: Lookup<LevelKey, BTreeMap<ChannelCode, BTreeSet<ClaimKey>>>,
    allocated: Lookup<LevelKey, BTreeSet<ClaimKey>>,
}

pub type ClaimKey = (Reverse<i16>, OrderId);

/// Which levels an order waits at, and of which it has units: each key once.
#[derive(Debug, Default, PartialEq)]
struct Claimed {
    backordered: Vec<LevelKey>,
    allocated: Vec<LevelKey>,
}

impl Claimed {
    fn of(order: &Order) -> Self {
        let mut claimed = Self::default();
        for part in order.parts() {
            let key = |location: &crate::id::LocationCode| (part.sku.clone(), location.clone());
            claimed.backordered.extend(part.backorders.iter().map(|claim| key(&claim.location)));
            claimed.allocated.extend(part.allocations.iter().map(|claim| key(&claim.location)));
        }
        for keys in [&mut claimed.backordered, &mut claimed.allocated] {
            keys.sort_unstable();
            keys.dedup();
        }
        claimed
    }
}

impl Claims {
    /// Orders that wait at a level, first served first, of the channels that `serves` answers for.
    ///
    /// `serves` is asked again before each order, so that a channel which has used up its share is passed over as a whole.
    pub fn waiting(&self, key: &LevelKey, mut serves: impl FnMut(&ChannelCode) -> bool) -> impl Iterator<Item = OrderId> {
        let channels = self.backordered.get(key).into_iter().flatten();
        let mut queues: Vec<_> = channels.map(|(channel, claims)| (channel, claims.iter().peekable())).collect();
        std::iter::from_fn(move || {
            queues.retain(|(channel, _)| serves(channel));
            let first = queues.iter_mut().filter_map(|(_, queue)| queue.peek().copied()).min()?;
            let queue = queues.iter_mut().find_map(|(_, queue)| (queue.peek() == Some(&first)).then_some(queue))?;
            queue.next().map(|(_, order)| *order)
        })
    }

    /// Units at a level that are served before a claim of this rank, if few enough orders wait there to look at.
    pub(crate) fn ahead(&self, cases: &Table<OrderId, Case>, key: &LevelKey, rank: ClaimKey) -> Option<u32> {
        let mut units = 0u32;
        let mut looked = 0;
        for (_, claims) in self.backordered.get(key).into_iter().flatten() {
            for (_, order) in claims.range(..rank) {
                looked += 1;
                if looked > BACKORDERS_PER_TURN {
                    return None;
                }
                let case = cases.get(order).expect("claims name open cases");
                let parts = case.order.parts().filter(|part| part.sku == key.0).flat_map(|part| &part.backorders);
                let there = parts.filter(|claim| claim.location == key.1).map(|claim| claim.quantity.get());
                units = there.fold(units, u32::saturating_add);
            }
        }
        Some(units)
    }

    /// Orders with units of a level, least worthy first: lowest priority, then youngest.
    pub fn losing(&self, key: &LevelKey) -> impl Iterator<Item = OrderId> {
        self.allocated.get(key).into_iter().flatten().rev().map(|(_, order)| *order)
    }

    /// The claims of these cases and no others.
    pub(crate) fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        let mut claims = Self::default();
        cases.for_each(|case| claims.add(&case.order.channel, claim_of(&case.order), Claimed::of(&case.order)));
        claims
    }

    fn add(&mut self, channel: &ChannelCode, claim: ClaimKey, claimed: Claimed) {
        for key in claimed.backordered {
            let channels = self.backordered.at(key);
            match channels.get_mut(channel) {
                Some(claims) => claims.insert(claim),
                None => channels.entry(channel.clone()).or_default().insert(claim),
            };
        }
        for key in claimed.allocated {
            self.allocated.at(key).insert(claim);
        }
    }

    fn remove(&mut self, channel: &ChannelCode, claim: ClaimKey, claimed: &Claimed) {
        for key in &claimed.backordered {
            let Some(channels) = self.backordered.get_mut(key) else { continue };
            if let Some(claims) = channels.get_mut(channel) {
                claims.remove(&claim);
                if claims.is_empty() {
                    channels.remove(channel);
                }
            }
            if channels.is_empty() {
                self.backordered.remove(key);
            }
        }
        for key in &claimed.allocated {
            let Some(claims) = self.allocated.get_mut(key) else { continue };
            claims.remove(&claim);
            if claims.is_empty() {
                self.allocated.remove(key);
            }
        }
    }
}

pub(crate) fn claim_of(order: &Order) -> ClaimKey {
    (Reverse(order.priority), order.id)
}

/// Events after which an order may claim other levels than before. The rest change quantities and statuses, and cost no look at the claims;
/// debug builds look all the same.
fn moves_claims(event: &Event) -> bool {
    matches!(
        event,
        Event::StockAllocated(_)
            | Event::StockBackordered(_)
            | Event::StockReleased(_)
            | Event::OrderEdited(_)
            | Event::ShortPicked(_)
            | Event::Shipped(_)
            | Event::FulfillmentCanceled(_)
    )
}

/// What the indexes say of a case, to bring them from one version to the next.
struct Indexed {
    frees_external_id: bool,
    claimed: Option<Claimed>,
    timer: Option<Timestamp>,
    effects: Vec<EffectId>,
    outgoing: Vec<DeliveryId>,
}

impl Indexed {
    fn of(case: &Case, claims: bool) -> Self {
        Self {
            frees_external_id: case.order.frees_external_id(),
            claimed: claims.then(|| Claimed::of(&case.order)),
            timer: first_timer(case),
            effects: case.effects.iter().map(|effect| effect.id).collect(),
            outgoing: case.outgoing().map(|notification| DeliveryId::Notification(notification.id)).collect(),
        }
    }
}

impl State {
    /// Folds an event into its case and keeps the indexes true; most events change few of them.
    ///
    /// # Panics
    /// When the case is not in memory: `decide` looked it up.
    pub(crate) fn fold_case(&mut self, id: OrderId, now: Timestamp, event: &Event) {
        self.touched.cases.insert(id);
        let claims = moves_claims(event);
        let case = self.cases.get_mut(&id).expect("decide looked the case up");
        let before = Indexed::of(case, claims || cfg!(debug_assertions));
        fold(case, now, event);
        let after = Indexed::of(case, claims || cfg!(debug_assertions));
        let (claim, imported) = (claim_of(&case.order), case.order.origin == Origin::Import);
        debug_assert!(claims || before.claimed == after.claimed, "{} moves claims", event.type_name());
        if before.frees_external_id != after.frees_external_id
            && let Some(external_id) = &case.order.external_id
        {
            self.externals.remove(&(case.order.channel.clone(), external_id.clone()));
        }
        if before.claimed != after.claimed {
            before.claimed.iter().for_each(|claimed| self.claims.remove(&case.order.channel, claim, claimed));
            after.claimed.into_iter().for_each(|claimed| self.claims.add(&case.order.channel, claim, claimed));
        }
        if before.timer != after.timer || before.effects != after.effects {
            self.unindex_timers(id, before.timer, &before.effects);
            if !imported {
                self.index_timers(id, after.timer, &after.effects);
            }
        }
        if before.outgoing != after.outgoing {
            before.outgoing.iter().for_each(|delivery| {
                self.outbox.remove(delivery);
            });
            self.outbox.extend(after.outgoing);
        }
    }

    pub(crate) fn index_case(&mut self, case: &Case) {
        let order = &case.order;
        if let (Some(external_id), false) = (&order.external_id, order.frees_external_id()) {
            self.externals.insert((order.channel.clone(), external_id.clone()), order.id);
        }
        let Indexed { frees_external_id: _, claimed, timer, effects, outgoing } = Indexed::of(case, true);
        claimed.into_iter().for_each(|claimed| self.claims.add(&order.channel, claim_of(order), claimed));
        if order.origin == Origin::Live {
            self.index_timers(order.id, timer, &effects);
        }
        self.outbox.extend(outgoing);
    }

    pub(crate) fn unindex_case(&mut self, case: &Case) {
        let order = &case.order;
        if let (Some(external_id), false) = (&order.external_id, order.frees_external_id()) {
            self.externals.remove(&(order.channel.clone(), external_id.clone()));
        }
        let Indexed { frees_external_id: _, claimed, timer, effects, outgoing } = Indexed::of(case, true);
        outgoing.iter().for_each(|delivery| {
            self.outbox.remove(delivery);
        });
        claimed.iter().for_each(|claimed| self.claims.remove(&order.channel, claim_of(order), claimed));
        self.unindex_timers(order.id, timer, &effects);
    }

    fn index_timers(&mut self, order: OrderId, timer: Option<Timestamp>, effects: &[EffectId]) {
        self.timers.extend(timer.map(|at| (at, TimerOwner::Case(order))));
        self.effects.extend(effects.iter().map(|effect| (*effect, order)));
    }

    fn unindex_timers(&mut self, order: OrderId, timer: Option<Timestamp>, effects: &[EffectId]) {
        if let Some(at) = timer {
            self.timers.remove(&(at, TimerOwner::Case(order)));
        }
        for effect in effects {
            self.effects.remove(effect);
        }
    }

    /// Whose timers have come due, oldest first.
    pub(crate) fn timers_due(&self, now: Timestamp) -> impl Iterator<Item = &TimerOwner> {
        self.timers.iter().take_while(move |(at, _)| *at <= now).map(|(_, owner)| owner)
    }
}

/// One entry a case: when its first timer has rung, the next takes its place.
pub(crate) fn first_timer(case: &Case) -> Option<Timestamp> {
    case.timers.iter().map(|timer| timer.at).min()
}
