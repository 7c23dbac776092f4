//! Subscriptions: who outside hears what, and how.

mod delivery;
mod reading;

pub use delivery::{attempts, backfill, dead_letters, discard, redeliver, test_send};
pub use reading::{ack, fetch, stream};

use super::call::{Answer, Call, Done, list};
use super::problem::Problem;
use crate::bus::page::{Lost, place};
use crate::bus::{Entry, Standing, is_named};
use crate::outbound::is_public;
use crate::shop::Shop;
use crate::vault::Vault;
use axum::http::{StatusCode, Uri};
use domain::Image;
use domain::command::subscription::{Change, Command, CreateSubscription};
use domain::id::SubscriptionId;
use domain::subscription::{Filter, Kind, Secret, Subscription, Webhook};
use domain::text::Sealed;
use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;
use std::net::IpAddr;
use std::sync::Arc;

/// Calls under way at once to an endpoint that names no other number.
const CONCURRENCY: u16 = 4;
/// Longest wait for an answer of an endpoint that names no other.
const TIMEOUT_MS: u32 = 15_000;
/// How long a replaced secret signs along when nothing else is said.
const OVERLAP_S: i64 = 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: SmolStr,
    kind: Option<Kind>,
    #[serde(default)]
    filter: Filter,
    webhook: Option<WebhookBody>,
    #[serde(default)]
    personal_data: bool,
    #[serde(default)]
    history: bool,
    stalled_after_seconds: Option<u32>,
    start: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookBody {
    url: SmolStr,
    concurrency: Option<u16>,
    timeout_ms: Option<u32>,
    secret: Option<String>,
}

/// Where a subscription stands and what it is; secrets are shown by those who made them, once.
pub fn view(call: &Call, standing: &Standing) -> Value {
    let Standing { subscription, cursor, lag, circuit, last_error } = standing;
    let webhook = subscription.webhook.as_ref().map(|webhook| {
        let secrets: Vec<Value> = webhook.secrets.iter().map(|secret| json!({"expires_at": secret.expires_at})).collect();
        json!({"url": webhook.url, "concurrency": webhook.concurrency, "timeout_ms": webhook.timeout_ms, "secrets": secrets})
    });
    let name = |seq: u64| cursor_text(call, seq);
    json!({
        "id": subscription.id, "object": "subscription", "name": subscription.name, "kind": subscription.kind,
        "filter": subscription.filter, "webhook": webhook, "personal_data": subscription.personal_data, "history": subscription.history,
        "stalled_after_seconds": subscription.stalled_after_s, "status": subscription.status, "status_reason": subscription.status_reason,
        "cursor": name(cursor.sequence), "lag": lag, "circuit": circuit, "last_error": last_error,
        "failing_since": cursor.failing_since.map(Timestamp), "parked": cursor.parked.len(),
        "backfills": cursor.backfills.iter().map(|left| json!({"next": name(left.next), "to": name(left.to)})).collect::<Vec<_>>(),
        "created_at": subscription.created_at, "updated_at": subscription.updated_at, "version": subscription.version,
    })
}

/// A place in the log as clients get it: the id of the event there.
pub fn cursor_text(call: &Call, seq: u64) -> String {
    format!("{}-{seq}", call.shop.engine.incarnation_of(seq))
}

/// A place in the log as clients name it.
pub fn place_of(call: &Call, field: &str, text: &str) -> Result<u64, Problem> {
    place(&call.shop, text).map_err(|lost| match lost {
        Lost::Malformed => Problem::bad_field(field, "must be a sequence or an event's id, like \"4821\" or \"1-4821\""),
        Lost::Gone { fork } => Problem::cursor_gone(text, &cursor_text(call, fork)),
    })
}

/// `beginning`, `now`, a time, a sequence or an event's id.
async fn start(call: &Call, field: &str, text: &str) -> Result<u64, Problem> {
    match text {
        "beginning" => Ok(0),
        "now" => Ok(call.shop.engine.durable()),
        time if time.contains('T') => {
            let wrong = |_| Problem::bad_field(field, "must be beginning, now, a time like 2026-11-24T09:30:00Z, or an event's id");
            let time = Timestamp::parse(time).map_err(wrong)?;
            // What happened at that very moment is still to come.
            Ok(call.shop.read(move |reader| reader.seq_at(time.0.saturating_sub(1))).await?)
        }
        text => place(&call.shop, text).map_err(|lost| match lost {
            Lost::Malformed => {
                Problem::bad_field(field, "must be beginning, now, a time like 2026-11-24T09:30:00Z, or an event's id like 1-4821")
            }
            Lost::Gone { fork } => Problem::cursor_gone(text, &cursor_text(call, fork)),
        }),
    }
}

/// A name is looked up when it is called; an address that is not public is refused here.
fn endpoint(shop: &Shop, url: &str) -> Result<(), Problem> {
    let sound =
        url.parse::<Uri>().ok().filter(|uri| uri.host().is_some() && !uri.authority().is_some_and(|all| all.as_str().contains('@')));
    let Some(uri) = sound else {
        return Err(Problem::bad_field("webhook.url", "must be a URL with a host, without user and password"));
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let private = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| !is_public(address));
    if private && !shop.bus.allows_private() {
        let problem = format!("{host} is no public address; start the server with --allow-private-webhooks to call it");
        return Err(Problem::bad_field("webhook.url", problem));
    }
    Ok(())
}

/// A pattern that no event has would wait for ever.
fn check_types(filter: &Filter) -> Result<(), Problem> {
    let known = || domain::Event::TYPES.iter().copied().chain(["availability.changed.v1"]);
    match filter.types.iter().find(|pattern| !known().any(|kind| is_named(pattern, kind))) {
        None => Ok(()),
        Some(pattern) => {
            let problem = format!("no event has a type like \"{pattern}\"; /docs/asyncapi.json lists them: order.placed, stock.*, …");
            Err(Problem::bad_field("filter.types", problem))
        }
    }
}

impl WebhookBody {
    /// With a new secret, or the one that was sent.
    fn into_webhook(self, shop: &Shop) -> Result<Webhook, Problem> {
        endpoint(shop, &self.url)?;
        let sealed = fresh_secret(&shop.vault, self.secret.as_deref(), "webhook.secret")?;
        Ok(Webhook {
            url: self.url,
            concurrency: self.concurrency.unwrap_or(CONCURRENCY),
            timeout_ms: self.timeout_ms.unwrap_or(TIMEOUT_MS),
            secrets: vec![Secret { sealed, expires_at: None }],
        })
    }

    /// What is left out stays as it was.
    fn over(self, shop: &Shop, before: &Webhook) -> Result<Webhook, Problem> {
        endpoint(shop, &self.url)?;
        if self.secret.is_some() {
            return Err(Problem::bad_field("webhook.secret", "is changed with rotate-secret"));
        }
        Ok(Webhook {
            url: self.url,
            concurrency: self.concurrency.unwrap_or(before.concurrency),
            timeout_ms: self.timeout_ms.unwrap_or(before.timeout_ms),
            secrets: Vec::new(),
        })
    }
}

fn fresh_secret(vault: &Vault, sent: Option<&str>, field: &str) -> Result<Sealed, Problem> {
    let secret = match sent {
        Some(text) => crate::bus::secret::parse(text).map_err(|problem| Problem::bad_field(field, problem))?,
        None => crate::bus::secret::fresh().map_err(Problem::internal)?,
    };
    vault.seal_secret(&crate::bus::secret::text(&secret)).map_err(Problem::internal)
}

pub(super) fn entry(call: &Call) -> Result<Arc<Entry>, Problem> {
    let id: SubscriptionId = call.segment("id")?;
    call.shop.bus.entry(id).ok_or_else(|| Problem::not_found("subscription", &id.text()))
}

/// As the command left it; with the newest secret when `with_secret`.
fn answer(call: &Call, done: &Done, with_secret: WithSecret) -> Result<Answer, Problem> {
    let left = done.images.iter().find_map(|image| match image {
        Image::Subscription(id, left) => Some((*id, left.clone())),
        _ => None,
    });
    let known = match left {
        Some((_, Some(left))) => left,
        Some((id, None)) => return Ok(Answer::ok(json!({"id": id, "object": "subscription", "deleted": true})).replayed(done.repeated)),
        // Nothing had to change.
        None => entry(call)?.subscription(),
    };
    let entry = call.shop.bus.entry(known.id);
    let mut standing = match &entry {
        Some(entry) => entry.standing(&call.shop),
        None => {
            Entry::new(known.clone(), engine::Cursor::after(known.id, known.generation, known.after), Arc::default()).standing(&call.shop)
        }
    };
    standing.subscription = known.clone();
    let mut body = view(call, &standing);
    if with_secret == WithSecret::Shown {
        body["secret"] = json!(newest_secret(&call.shop.vault, &known));
    }
    Ok(Answer::ok(body).at(known.version).replayed(done.repeated))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WithSecret {
    Shown,
    Hidden,
}

fn newest_secret(vault: &Vault, subscription: &Subscription) -> Option<String> {
    vault.open_secret(&subscription.webhook.as_ref()?.secrets.first()?.sealed)
}

pub async fn subscription_create(call: Call) -> Result<Answer, Problem> {
    let body: Body = call.json()?;
    check_types(&body.filter)?;
    let kind = body.kind.ok_or_else(|| Problem::bad_field("kind", "is missing: pull, sse or webhook"))?;
    let webhook = body.webhook.map(|webhook| webhook.into_webhook(&call.shop)).transpose()?;
    let create = CreateSubscription {
        name: body.name,
        kind,
        filter: body.filter,
        webhook,
        personal_data: body.personal_data,
        history: body.history,
        stalled_after_s: body.stalled_after_seconds,
        after: start(&call, "start", body.start.as_deref().unwrap_or("now")).await?,
        incarnation: call.shop.engine.incarnation(),
    };
    let done = call.submit(Command::CreateSubscription(Box::new(create))).await?;
    let shown = if kind == Kind::Webhook { WithSecret::Shown } else { WithSecret::Hidden };
    Ok(Answer { status: StatusCode::CREATED, ..answer(&call, &done, shown)? })
}

pub async fn subscription_list(call: Call) -> Result<Answer, Problem> {
    let rows = call.shop.bus.standings(&call.shop).iter().map(|standing| view(&call, standing)).collect();
    Ok(Answer::ok(list(rows, false, None)))
}

pub async fn subscription_get(call: Call) -> Result<Answer, Problem> {
    let standing = entry(&call)?.standing(&call.shop);
    Ok(Answer::ok(view(&call, &standing)).at(standing.subscription.version))
}

pub async fn subscription_update(call: Call) -> Result<Answer, Problem> {
    let (body, known): (Body, _) = (call.json()?, entry(&call)?.subscription());
    if body.kind.is_some_and(|kind| kind != known.kind) {
        return Err(Problem::bad_field("kind", "can't change; create another subscription"));
    }
    if body.start.is_some() {
        return Err(Problem::bad_field("start", "is for creation; use rewind"));
    }
    check_types(&body.filter)?;
    let webhook = match (body.webhook, &known.webhook) {
        (Some(webhook), Some(before)) => Some(webhook.over(&call.shop, before)?),
        (Some(webhook), None) => Some(webhook.into_webhook(&call.shop)?),
        (None, _) => None,
    };
    let change = Box::new(Change {
        name: body.name,
        filter: body.filter,
        webhook,
        personal_data: body.personal_data,
        history: body.history,
        stalled_after_s: body.stalled_after_seconds,
    });
    let command = Command::UpdateSubscription { subscription: known.id, change, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?, WithSecret::Hidden)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: Option<SmolStr>,
}

pub async fn subscription_pause(call: Call) -> Result<Answer, Problem> {
    let reason = call.json::<ReasonBody>()?.reason.unwrap_or_else(|| format!("paused by {}", call.key.name).into());
    let command = Command::PauseSubscription { subscription: call.segment("id")?, reason, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?, WithSecret::Hidden)
}

pub async fn subscription_resume(call: Call) -> Result<Answer, Problem> {
    let (subscription, incarnation) = (call.segment("id")?, call.shop.engine.incarnation());
    let command = Command::ResumeSubscription { subscription, incarnation, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?, WithSecret::Hidden)
}

pub async fn subscription_delete(call: Call) -> Result<Answer, Problem> {
    let command = Command::DeleteSubscription { subscription: call.segment("id")?, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?, WithSecret::Hidden)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RewindBody {
    to: String,
}

/// The next event is the first after `to`; forward works, too.
pub async fn subscription_rewind(call: Call) -> Result<Answer, Problem> {
    let after = start(&call, "to", &call.json::<RewindBody>()?.to).await?;
    let command = Command::RewindSubscription { subscription: call.segment("id")?, after, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?, WithSecret::Hidden)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateBody {
    secret: Option<String>,
    overlap_seconds: Option<i64>,
}

pub async fn subscription_rotate(call: Call) -> Result<Answer, Problem> {
    let body: RotateBody = call.json()?;
    let secret = fresh_secret(&call.shop.vault, body.secret.as_deref(), "secret")?;
    let overlap_ms = body.overlap_seconds.unwrap_or(OVERLAP_S).saturating_mul(1000);
    let command = Command::RotateSecret { subscription: call.segment("id")?, secret, overlap_ms, expected_version: call.if_match()? };
    answer(&call, &call.submit(command).await?, WithSecret::Shown)
}
