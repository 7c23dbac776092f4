//! What may be done to a subscription.

use super::{Filter, Kind, Secret, Status, Subscription, Webhook};
use crate::command::subscription::{Change, Command, CreateSubscription};
use crate::event::Event;
use crate::event::subscription::{
    SubscriptionCreated, SubscriptionDeleted, SubscriptionDisabled, SubscriptionPaused, SubscriptionResumed, SubscriptionRewound,
    SubscriptionSecretRotated, SubscriptionUpdated,
};
use crate::id::SubscriptionId;
use crate::limits::{
    SEALED_BYTES_MAX, SUBSCRIPTION_FILTERS_MAX, SUBSCRIPTIONS_MAX, TEXT_BYTES_MAX, WEBHOOK_CONCURRENCY_MAX, WEBHOOK_OVERLAP_MS_MAX,
    WEBHOOK_SECRETS_MAX, WEBHOOK_TIMEOUT_MS_MAX, WEBHOOK_TIMEOUT_MS_MIN, WEBHOOK_URL_BYTES_MAX,
};
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::text::Sealed;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::CreateSubscription(create) => self::create(state, cx, *create),
        Command::UpdateSubscription { subscription, change, expected_version } => {
            update(find(state, subscription, expected_version)?, *change)
        }
        Command::PauseSubscription { subscription, reason, expected_version } => {
            let known = find(state, subscription, expected_version)?;
            text("reason", &reason)?;
            match known.status {
                Status::Active | Status::Disabled => Ok(vec![SubscriptionPaused { subscription, reason }.into()]),
                Status::Paused => Ok(Vec::new()),
            }
        }
        Command::ResumeSubscription { subscription, incarnation, expected_version } => {
            let known = find(state, subscription, expected_version)?;
            match known.status {
                Status::Active if known.incarnation == incarnation => Ok(Vec::new()),
                Status::Active | Status::Paused | Status::Disabled => Ok(vec![SubscriptionResumed { subscription, incarnation }.into()]),
            }
        }
        Command::DisableSubscription { subscription, reason } => {
            let known = find(state, subscription, None)?;
            text("reason", &reason)?;
            match known.status {
                Status::Active => Ok(vec![SubscriptionDisabled { subscription, reason }.into()]),
                Status::Paused | Status::Disabled => Ok(Vec::new()),
            }
        }
        Command::DeleteSubscription { subscription, expected_version } => {
            find(state, subscription, expected_version)?;
            Ok(vec![SubscriptionDeleted { subscription }.into()])
        }
        Command::RewindSubscription { subscription, after, expected_version } => {
            let generation = find(state, subscription, expected_version)?.generation + 1;
            Ok(vec![SubscriptionRewound { subscription, after, generation }.into()])
        }
        Command::RotateSecret { subscription, secret, overlap_ms, expected_version } => {
            rotate(find(state, subscription, expected_version)?, cx, secret, overlap_ms)
        }
    }
}

fn find(state: &State, id: SubscriptionId, expected_version: Option<u64>) -> Result<&Subscription, Rejection> {
    let known = state.subscriptions.get(&id).ok_or_else(|| Rejection::not_found("subscription", id))?;
    match expected_version {
        Some(expected) if expected != known.version => Err(Rejection::VersionMismatch { expected, current: known.version }),
        Some(_) | None => Ok(known),
    }
}

fn create(state: &State, cx: &Context, create: CreateSubscription) -> Result<Vec<Event>, Rejection> {
    let CreateSubscription { name, kind, filter, webhook, personal_data, history, stalled_after_s, after, incarnation } = create;
    if state.subscriptions.len() >= SUBSCRIPTIONS_MAX {
        return Err(Rejection::invalid("subscription", format!("there are {SUBSCRIPTIONS_MAX} already; delete one first")));
    }
    check(kind, &name, &filter, webhook.as_ref(), personal_data)?;
    check_patience(stalled_after_s)?;
    if webhook.as_ref().is_some_and(|webhook| webhook.secrets.is_empty()) {
        return Err(Rejection::invalid("secret", "is missing: a webhook is signed"));
    }
    let subscription = Subscription {
        id: SubscriptionId(state.counters().subscription + 1),
        name,
        kind,
        filter,
        webhook,
        personal_data,
        history,
        stalled_after_s,
        status: Status::Active,
        status_reason: None,
        after,
        generation: 0,
        incarnation,
        created_at: cx.now,
        updated_at: cx.now,
        version: 1,
    };
    Ok(vec![SubscriptionCreated { subscription }.into()])
}

fn update(known: &Subscription, change: Change) -> Result<Vec<Event>, Rejection> {
    let Change { name, filter, mut webhook, personal_data, history, stalled_after_s } = change;
    check(known.kind, &name, &filter, webhook.as_ref(), personal_data)?;
    check_patience(stalled_after_s)?;
    if let (Some(after), Some(before)) = (&mut webhook, &known.webhook) {
        after.secrets.clone_from(&before.secrets);
    }
    let same = known.name == name
        && known.filter == filter
        && known.webhook == webhook
        && (known.personal_data, known.history, known.stalled_after_s) == (personal_data, history, stalled_after_s);
    if same {
        return Ok(Vec::new());
    }
    let subscription = known.id;
    Ok(vec![SubscriptionUpdated { subscription, name, filter, webhook, personal_data, history, stalled_after_s }.into()])
}

fn rotate(known: &Subscription, cx: &Context, secret: Sealed, overlap_ms: i64) -> Result<Vec<Event>, Rejection> {
    let Some(webhook) = &known.webhook else { return Err(Rejection::invalid("subscription", "is no webhook: it has no secret")) };
    if secret.0.len() > SEALED_BYTES_MAX {
        return Err(Rejection::invalid("secret", "is too long"));
    }
    if !(0..=WEBHOOK_OVERLAP_MS_MAX).contains(&overlap_ms) {
        return Err(Rejection::invalid("overlap_seconds", format!("must be 0 to {}", WEBHOOK_OVERLAP_MS_MAX / 1000)));
    }
    let end = cx.now.plus_ms(overlap_ms);
    let before = webhook.signing(cx.now).map(|old| {
        let expires_at = Some(old.expires_at.map_or(end, |earlier| earlier.min(end)));
        Secret { sealed: old.sealed.clone(), expires_at }
    });
    let mut secrets: Vec<Secret> = std::iter::once(Secret { sealed: secret, expires_at: None }).chain(before).collect();
    secrets.truncate(WEBHOOK_SECRETS_MAX);
    secrets.retain(|secret| secret.expires_at.is_none_or(|end| end > cx.now));
    Ok(vec![SubscriptionSecretRotated { subscription: known.id, secrets }.into()])
}

fn text(field: &str, text: &SmolStr) -> Result<(), Rejection> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return Err(Rejection::invalid(field, format!("must have 1 to {TEXT_BYTES_MAX} bytes")));
    }
    Ok(())
}

fn check(kind: Kind, name: &SmolStr, filter: &Filter, webhook: Option<&Webhook>, personal_data: bool) -> Result<(), Rejection> {
    text("name", name)?;
    check_filter(filter)?;
    match (kind, webhook) {
        (Kind::Webhook, None) => Err(Rejection::invalid("webhook", "is missing: say which url is called")),
        (Kind::Sse | Kind::Pull, Some(_)) => Err(Rejection::invalid("webhook", "is for subscriptions of kind webhook")),
        (Kind::Webhook, Some(webhook)) => check_webhook(webhook, personal_data),
        (Kind::Sse | Kind::Pull, None) => Ok(()),
    }
}

fn check_patience(stalled_after_s: Option<u32>) -> Result<(), Rejection> {
    match stalled_after_s {
        Some(0) => Err(Rejection::invalid("stalled_after_seconds", "must be 1 or more")),
        Some(_) | None => Ok(()),
    }
}

fn check_filter(filter: &Filter) -> Result<(), Rejection> {
    let most = [filter.types.len(), filter.subjects.len(), filter.channels.len()].into_iter().max().unwrap_or(0);
    if most > SUBSCRIPTION_FILTERS_MAX {
        return Err(Rejection::invalid("filter", format!("names at most {SUBSCRIPTION_FILTERS_MAX} types, subjects and channels each")));
    }
    for (field, patterns) in [("filter.types", &filter.types), ("filter.subjects", &filter.subjects)] {
        for pattern in patterns {
            text(field, pattern)?;
            if pattern.strip_suffix('*').unwrap_or(pattern).contains('*') {
                return Err(Rejection::invalid(field, format!("\"{pattern}\": a * stands at the end only")));
            }
        }
    }
    Ok(())
}

fn check_webhook(webhook: &Webhook, personal_data: bool) -> Result<(), Rejection> {
    let secure = webhook.url.starts_with("https://");
    if webhook.url.len() > WEBHOOK_URL_BYTES_MAX || !(secure || webhook.url.starts_with("http://")) {
        let problem = format!("must begin with https:// or http:// and have at most {WEBHOOK_URL_BYTES_MAX} bytes");
        return Err(Rejection::invalid("webhook.url", problem));
    }
    if personal_data && !secure {
        return Err(Rejection::invalid("webhook.url", "must begin with https:// when the subscription has personal_data"));
    }
    if !(1..=WEBHOOK_CONCURRENCY_MAX).contains(&webhook.concurrency) {
        return Err(Rejection::invalid("webhook.concurrency", format!("must be 1 to {WEBHOOK_CONCURRENCY_MAX}")));
    }
    if !(WEBHOOK_TIMEOUT_MS_MIN..=WEBHOOK_TIMEOUT_MS_MAX).contains(&webhook.timeout_ms) {
        let problem = format!("must be {WEBHOOK_TIMEOUT_MS_MIN} to {WEBHOOK_TIMEOUT_MS_MAX}");
        return Err(Rejection::invalid("webhook.timeout_ms", problem));
    }
    Ok(())
}
