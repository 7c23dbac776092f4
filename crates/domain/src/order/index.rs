//! Indexes over cases: who waits for what, who holds what, which timers run, which effects are outstanding.

use super::{Case, Origin};
use crate::id::{DeliveryId, LocationCode, OrderId, Sku};
use crate::state::{State, TimerOwner};
use crate::stock::LevelKey;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Claims of open orders on levels, the best first: higher priority, then older.
#[derive(Debug, Default, Clone)]
pub struct Claims {
    backordered: BTreeMap<LevelKey, BTreeSet<ClaimKey>>,
    allocated: BTreeMap<LevelKey, BTreeSet<ClaimKey>>,
}

pub type ClaimKey = (Reverse<i16>, OrderId);

impl Claims {
    /// Orders that wait at a level, first served first.
    pub fn waiting(&self, key: &LevelKey) -> impl Iterator<Item = OrderId> {
        self.backordered.get(key).into_iter().flatten().map(|(_, order)| *order)
    }

    /// Orders with units of a level, least worthy first: lowest priority, then youngest.
    pub fn losing(&self, key: &LevelKey) -> impl Iterator<Item = OrderId> {
        self.allocated.get(key).into_iter().flatten().rev().map(|(_, order)| *order)
    }

    fn keys(case: &Case) -> (BTreeSet<LevelKey>, BTreeSet<LevelKey>) {
        let (mut backordered, mut allocated) = (BTreeSet::new(), BTreeSet::new());
        let key = |sku: &Sku, location: &LocationCode| (sku.clone(), location.clone());
        for part in case.order.lines.iter().flat_map(|line| &line.parts) {
            backordered.extend(part.backorders.iter().map(|claim| key(&part.sku, &claim.location)));
            allocated.extend(part.allocations.iter().map(|claim| key(&part.sku, &claim.location)));
        }
        (backordered, allocated)
    }

    fn add(&mut self, case: &Case) {
        let claim = (Reverse(case.order.priority), case.order.id);
        let (backordered, allocated) = Self::keys(case);
        for key in backordered {
            self.backordered.entry(key).or_default().insert(claim);
        }
        for key in allocated {
            self.allocated.entry(key).or_default().insert(claim);
        }
    }

    fn remove(&mut self, case: &Case) {
        let claim = (Reverse(case.order.priority), case.order.id);
        let (backordered, allocated) = Self::keys(case);
        for (index, keys) in [(&mut self.backordered, backordered), (&mut self.allocated, allocated)] {
            for key in keys {
                if let Some(claims) = index.get_mut(&key) {
                    claims.remove(&claim);
                    if claims.is_empty() {
                        index.remove(&key);
                    }
                }
            }
        }
    }
}

impl State {
    pub(crate) fn index_case(&mut self, case: &Case) {
        let order = &case.order;
        if let (Some(external_id), false) = (&order.external_id, order.frees_external_id()) {
            self.externals.insert((order.channel.clone(), external_id.clone()), order.id);
        }
        self.claims.add(case);
        self.index_timers(case);
        self.outbox.extend(case.outgoing().map(|notification| DeliveryId::Notification(notification.id)));
    }

    pub(crate) fn unindex_case(&mut self, case: &Case) {
        let order = &case.order;
        if let (Some(external_id), false) = (&order.external_id, order.frees_external_id()) {
            self.externals.remove(&(order.channel.clone(), external_id.clone()));
        }
        self.claims.remove(case);
        self.unindex_timers(case);
    }

    /// Brings the indexes from one version of a case to the next; most events change few of them.
    pub(crate) fn reindex_case(&mut self, before: &Case, after: &Case) {
        if before.order.frees_external_id() != after.order.frees_external_id()
            && let Some(external_id) = &before.order.external_id
        {
            self.externals.remove(&(before.order.channel.clone(), external_id.clone()));
        }
        if before.order.lines != after.order.lines || before.order.priority != after.order.priority {
            self.claims.remove(before);
            self.claims.add(after);
        }
        if before.timers != after.timers || before.effects != after.effects {
            self.unindex_timers(before);
            self.index_timers(after);
        }
        if before.notifications != after.notifications {
            for notification in before.outgoing() {
                self.outbox.remove(&DeliveryId::Notification(notification.id));
            }
            self.outbox.extend(after.outgoing().map(|notification| DeliveryId::Notification(notification.id)));
        }
    }

    fn index_timers(&mut self, case: &Case) {
        if case.order.origin == Origin::Import {
            return;
        }
        for timer in &case.timers {
            self.timers.insert((timer.at, TimerOwner::Case(case.order.id)));
        }
        self.effects.extend(case.effects.iter().map(|effect| (effect.id, case.order.id)));
    }

    fn unindex_timers(&mut self, case: &Case) {
        for timer in &case.timers {
            self.timers.remove(&(timer.at, TimerOwner::Case(case.order.id)));
        }
        for effect in &case.effects {
            self.effects.remove(&effect.id);
        }
    }

    /// Whose timers have come due, oldest first.
    pub(crate) fn timers_due(&self, now: Timestamp) -> impl Iterator<Item = &TimerOwner> {
        self.timers.iter().take_while(move |(at, _)| *at <= now).map(|(_, owner)| owner)
    }
}
