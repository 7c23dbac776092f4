//! Indexes over cases: who waits for what, who holds what, which timers run, which effects are outstanding.

use super::{Case, Order, Origin, fold};
use crate::event::Event;
use crate::id::{DeliveryId, EffectId, OrderId};
use crate::state::{State, TimerOwner};
use crate::stock::LevelKey;
use crate::table::Lookup;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Claims of open orders on levels, the best first: higher priority, then older.
#[derive(Debug, Default, Clone)]
pub struct Claims {
    backordered: Lookup<LevelKey, BTreeSet<ClaimKey>>,
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
    /// Orders that wait at a level, first served first.
    pub fn waiting(&self, key: &LevelKey) -> impl Iterator<Item = OrderId> {
        self.backordered.get(key).into_iter().flatten().map(|(_, order)| *order)
    }

    /// Orders with units of a level, least worthy first: lowest priority, then youngest.
    pub fn losing(&self, key: &LevelKey) -> impl Iterator<Item = OrderId> {
        self.allocated.get(key).into_iter().flatten().rev().map(|(_, order)| *order)
    }

    fn add(&mut self, claim: ClaimKey, claimed: Claimed) {
        for key in claimed.backordered {
            self.backordered.at(key).insert(claim);
        }
        for key in claimed.allocated {
            self.allocated.at(key).insert(claim);
        }
    }

    fn remove(&mut self, claim: ClaimKey, claimed: &Claimed) {
        for (index, keys) in [(&mut self.backordered, &claimed.backordered), (&mut self.allocated, &claimed.allocated)] {
            for key in keys {
                if let Some(claims) = index.get_mut(key) {
                    claims.remove(&claim);
                    if claims.is_empty() {
                        index.remove(key);
                    }
                }
            }
        }
    }
}

fn claim_of(order: &Order) -> ClaimKey {
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
    timers: Vec<Timestamp>,
    effects: Vec<EffectId>,
    outgoing: Vec<DeliveryId>,
}

impl Indexed {
    fn of(case: &Case, claims: bool) -> Self {
        Self {
            frees_external_id: case.order.frees_external_id(),
            claimed: claims.then(|| Claimed::of(&case.order)),
            timers: case.timers.iter().map(|timer| timer.at).collect(),
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
            before.claimed.iter().for_each(|claimed| self.claims.remove(claim, claimed));
            after.claimed.into_iter().for_each(|claimed| self.claims.add(claim, claimed));
        }
        if before.timers != after.timers || before.effects != after.effects {
            self.unindex_timers(id, &before.timers, &before.effects);
            if !imported {
                self.index_timers(id, &after.timers, &after.effects);
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
        let Indexed { frees_external_id: _, claimed, timers, effects, outgoing } = Indexed::of(case, true);
        claimed.into_iter().for_each(|claimed| self.claims.add(claim_of(order), claimed));
        if order.origin == Origin::Live {
            self.index_timers(order.id, &timers, &effects);
        }
        self.outbox.extend(outgoing);
    }

    pub(crate) fn unindex_case(&mut self, case: &Case) {
        let order = &case.order;
        if let (Some(external_id), false) = (&order.external_id, order.frees_external_id()) {
            self.externals.remove(&(order.channel.clone(), external_id.clone()));
        }
        let Indexed { frees_external_id: _, claimed, timers, effects, outgoing } = Indexed::of(case, true);
        outgoing.iter().for_each(|delivery| {
            self.outbox.remove(delivery);
        });
        claimed.iter().for_each(|claimed| self.claims.remove(claim_of(order), claimed));
        self.unindex_timers(order.id, &timers, &effects);
    }

    fn index_timers(&mut self, order: OrderId, timers: &[Timestamp], effects: &[EffectId]) {
        self.timers.extend(timers.iter().map(|at| (*at, TimerOwner::Case(order))));
        self.effects.extend(effects.iter().map(|effect| (*effect, order)));
    }

    fn unindex_timers(&mut self, order: OrderId, timers: &[Timestamp], effects: &[EffectId]) {
        for at in timers {
            self.timers.remove(&(*at, TimerOwner::Case(order)));
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
