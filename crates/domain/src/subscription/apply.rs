//! How events change subscriptions.

use super::{Status, Subscription};
use crate::event::Event;
use crate::id::SubscriptionId;
use crate::state::State;
use crate::time::Timestamp;

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::SubscriptionCreated(created) => {
            let subscription = created.subscription.clone();
            let counters = state.counters_mut();
            counters.subscription = counters.subscription.max(subscription.id.0);
            state.subscriptions.insert(subscription.id, subscription);
        }
        Event::SubscriptionUpdated(updated) => change(state, now, updated.subscription, |subscription| {
            subscription.name.clone_from(&updated.name);
            subscription.filter.clone_from(&updated.filter);
            subscription.webhook.clone_from(&updated.webhook);
            subscription.personal_data = updated.personal_data;
            subscription.history = updated.history;
            subscription.stalled_after_s = updated.stalled_after_s;
        }),
        Event::SubscriptionPaused(paused) => change(state, now, paused.subscription, |subscription| {
            subscription.status = Status::Paused;
            subscription.status_reason = Some(paused.reason.clone());
        }),
        Event::SubscriptionResumed(resumed) => change(state, now, resumed.subscription, |subscription| {
            subscription.status = Status::Active;
            subscription.status_reason = None;
            subscription.incarnation = resumed.incarnation;
        }),
        Event::SubscriptionDisabled(disabled) => change(state, now, disabled.subscription, |subscription| {
            subscription.status = Status::Disabled;
            subscription.status_reason = Some(disabled.reason.clone());
        }),
        Event::SubscriptionRewound(rewound) => change(state, now, rewound.subscription, |subscription| {
            subscription.generation = rewound.generation;
            subscription.after = rewound.after;
        }),
        Event::SubscriptionSecretRotated(rotated) => change(state, now, rotated.subscription, |subscription| {
            let webhook = subscription.webhook.as_mut().expect("decide gives secrets to webhooks alone");
            webhook.secrets.clone_from(&rotated.secrets);
        }),
        Event::SubscriptionDeleted(deleted) => {
            state.subscriptions.remove(&deleted.subscription);
        }
        _ => {}
    }
}

fn change(state: &mut State, now: Timestamp, id: SubscriptionId, change: impl FnOnce(&mut Subscription)) {
    let subscription = state.subscriptions.get_mut(&id).expect("decide looked the subscription up");
    change(subscription);
    subscription.updated_at = now;
    subscription.version += 1;
}
