//! Work without a bound that a change left behind: levels whose policies have to be looked at again, and queues whose promises do.
//!
//! It is derived and never written down. After a restart everything that might be left stands here; what turns out to be done brings no event.

use crate::command::{Command, order, purchasing, stock};
use crate::id::{LocationCode, SupplierCode};
use crate::limits::{BACKORDERS_PER_TURN, EXPIRIES_PER_TURN, REVIEWS_AT_ONCE, REVIEWS_PER_TURN};
use crate::order::ClaimKey;
use crate::purchasing::{Policy, Source};
use crate::state::State;
use crate::stock::LevelKey;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// Levels whose replenishment has to be looked at again.
    review: BTreeSet<LevelKey>,
    /// Levels where promises have to be made again, to those who wait behind the claim; `None`: behind the first turn's worth.
    promises: BTreeMap<LevelKey, Option<ClaimKey>>,
}

impl Backlog {
    pub fn is_empty(&self) -> bool {
        self.review.is_empty() && self.promises.is_empty()
    }

    pub(crate) fn review(&mut self, key: LevelKey) {
        self.review.insert(key);
    }

    pub(crate) fn promise(&mut self, key: LevelKey) {
        self.promises.insert(key, None);
    }
}

impl State {
    /// There is work that [`State::due`] has not told yet.
    pub fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// What a supplier, or a location that others are replenished from, is to its policies has changed.
    pub(crate) fn review_policies(&mut self, concerns: impl Fn(&Source) -> bool) {
        let policies = self.purchasing.policies.sorted();
        let concerned = policies.into_iter().filter(|(_, policy)| concerns(&policy.source)).map(|(key, _)| key.clone());
        self.backlog.review.extend(concerned.collect::<Vec<_>>());
    }

    pub(crate) fn review_supplier(&mut self, code: &SupplierCode) {
        self.review_policies(|source| source.supplier() == Some(code));
        let places = self.catalog.locations.sorted();
        let drafts = places.into_iter().filter_map(|(place, _)| self.purchasing.drafts.get(&(code.clone(), place.clone())).copied());
        self.touched.drafts.extend(drafts);
    }

    pub(crate) fn review_location(&mut self, code: &LocationCode) {
        self.review_policies(|source| matches!(source, Source::SourceLocation(from) if from == code));
    }

    /// A policy was put in order: what it adds to, and what it draws on.
    pub(crate) fn review_policy(&mut self, policy: &Policy) {
        if let Source::SourceLocation(from) = &policy.source {
            self.touched.levels.insert((policy.sku.clone(), from.clone()));
        }
    }

    /// The first who wait at a level were promised anew; the others follow turn by turn.
    pub(crate) fn promise_the_rest(&mut self, key: &LevelKey) {
        if self.claims.waiting(key, |_| true).nth(BACKORDERS_PER_TURN).is_some() {
            self.backlog.promise(key.clone());
        }
    }

    /// A command that only looks again was decided: what it looks at is touched, and leaves the backlog.
    pub(crate) fn looked_again(&mut self, looked: Looked) {
        match looked {
            Looked::Levels(keys) => {
                for key in keys {
                    self.backlog.review.remove(&key);
                    self.touched.levels.insert(key);
                }
            }
            // A delivery may have moved since: then the queue is gone through once more.
            Looked::Queue(key, from) if self.backlog.promises.get(&key) == Some(&from) => {
                match crate::order::promised_up_to(self, &key, from) {
                    Some(last) => self.backlog.promises.insert(key, Some(last)),
                    None => self.backlog.promises.remove(&key),
                };
            }
            Looked::Queue(..) | Looked::Nothing => {}
        }
    }
}

/// What a command looks at again without saying so in an event.
pub(crate) enum Looked {
    Levels(Vec<LevelKey>),
    Queue(LevelKey, Option<ClaimKey>),
    Nothing,
}

impl Looked {
    pub fn of(command: &Command) -> Self {
        match command {
            Command::Stock(stock::Command::FillBackorders { sku, location }) => Self::Levels(vec![(sku.clone(), location.clone())]),
            Command::Purchasing(purchasing::Command::ReviewPolicies { levels }) => Self::Levels(levels.clone()),
            Command::Order(order::Command::PromiseAgain { sku, location, after }) => Self::Queue((sku.clone(), location.clone()), *after),
            _ => Self::Nothing,
        }
    }
}

/// A bounded part of what is left.
pub(crate) fn due(state: &State) -> Vec<Command> {
    let backlog = &state.backlog;
    let mut commands: Vec<Command> = Vec::new();
    let levels: Vec<LevelKey> = backlog.review.iter().take(REVIEWS_PER_TURN).cloned().collect();
    let reviews = levels.chunks(REVIEWS_AT_ONCE).map(|levels| purchasing::Command::ReviewPolicies { levels: levels.to_vec() }.into());
    commands.extend(reviews);
    let queues = backlog.promises.iter().take(EXPIRIES_PER_TURN);
    let again = queues.map(|((sku, location), after)| {
        order::Command::PromiseAgain { sku: sku.clone(), location: location.clone(), after: *after }.into()
    });
    commands.extend(again);
    commands
}
