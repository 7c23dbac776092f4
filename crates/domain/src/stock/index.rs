//! Indexes over levels and holds.

use super::{Hold, HoldStatus, LevelKey, Stock};
use crate::id::HoldId;
use crate::state::{State, TimerOwner};

impl Stock {
    pub(crate) fn index_level(&mut self, key: &LevelKey) {
        self.locations_of.at(key.0.clone()).insert(key.1.clone());
    }
}

impl State {
    pub(crate) fn index_hold(&mut self, hold: &Hold) {
        if hold.status != HoldStatus::Active {
            return;
        }
        self.stock.holds_by_owner.at(hold.owner.clone()).insert(hold.id);
        for line in &hold.lines {
            self.stock.holds_by_level.at((line.sku.clone(), line.location.clone())).insert(hold.id);
        }
        self.timers.insert((hold.expires_at, TimerOwner::Hold(hold.id)));
    }

    pub(crate) fn unindex_hold(&mut self, hold: &Hold) {
        if let Some(holds) = self.stock.holds_by_owner.get_mut(&hold.owner) {
            holds.remove(&hold.id);
            if holds.is_empty() {
                self.stock.holds_by_owner.remove(&hold.owner);
            }
        }
        for line in &hold.lines {
            let key: LevelKey = (line.sku.clone(), line.location.clone());
            if let Some(holds) = self.stock.holds_by_level.get_mut(&key) {
                holds.remove(&hold.id);
                if holds.is_empty() {
                    self.stock.holds_by_level.remove(&key);
                }
            }
        }
        self.timers.remove(&(hold.expires_at, TimerOwner::Hold(hold.id)));
    }

    /// Changes a hold and keeps its indexes true.
    ///
    /// # Panics
    /// When there is no such hold: `decide` looked it up.
    pub(crate) fn change_hold(&mut self, id: HoldId, change: impl FnOnce(&mut Hold)) {
        let before = self.stock.holds.shared(&id).expect("decide looked the hold up");
        self.unindex_hold(&before);
        let hold = self.stock.holds.get_mut(&id).expect("present above");
        change(hold);
        hold.version += 1;
        let after = self.stock.holds.shared(&id).expect("present above");
        self.index_hold(&after);
    }
}
