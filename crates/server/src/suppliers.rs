//! Purchase orders that are posted to a supplier's webhook, signed as Standard Webhooks has it.
//!
//! Unlike a mail, a post has an id by which the supplier knows it again: what is in doubt is posted again with the same id.

use crate::connectors::webhook::{Posted as Answer, Poster};
use crate::mail::{Letters, failure, record, tell};
use crate::outbound::Signer;
use crate::shop::Shop;
use domain::command::notification::{Command, Posted};
use domain::id::DeliveryId;
use domain::notification::DeliveryStatus;
use domain::purchasing::DispatchVia;
use domain::time::{SECOND_MS, Timestamp};
use engine::Reply;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Most orders that are looked at in one turn; they go out one after another.
const LOOK_MAX: usize = 64;
/// Longest and shortest time between two looks.
const LOOK_LAST: Duration = Duration::from_secs(60);
const LOOK_FIRST: Duration = Duration::from_millis(200);

/// What is posted, and where.
pub struct Parcel {
    pub url: String,
    /// Bytes of the key, not its text.
    pub secret: Vec<u8>,
    pub body: String,
}

/// Posts what is outstanding until `stop` says so.
pub async fn run(shop: Arc<Shop>, mut stop: watch::Receiver<bool>) {
    let letters = Letters::new(shop.clone(), None);
    let poster = Poster::new(shop.bus.allows_private());
    let mut durable = shop.durable.clone();
    for begun in shop.engine.letters(DispatchVia::Webhook, Timestamp(i64::MAX), usize::MAX) {
        if begun.delivery.status == DeliveryStatus::Started {
            record(&shop, begun.of, Posted::Later(failure("interrupted", "the server stopped before an answer was recorded".to_owned())))
                .await;
        }
    }
    while !*stop.borrow() {
        durable.mark_unchanged();
        for letter in shop.engine.letters(DispatchVia::Webhook, shop.now(), LOOK_MAX) {
            if *stop.borrow() {
                return;
            }
            if letter.delivery.status != DeliveryStatus::Started {
                post(&shop, &letters, &poster, letter.of).await;
            }
        }
        let next = shop.engine.next_letter(DispatchVia::Webhook);
        let wait = next.map_or(LOOK_LAST, |at| Duration::from_millis(u64::try_from(at.0 - shop.now().0).unwrap_or(0)));
        tokio::select! {
            () = tokio::time::sleep(wait.clamp(LOOK_FIRST, LOOK_LAST)) => {}
            changed = durable.changed() => if changed.is_err() { return },
            _ = stop.changed() => {}
        }
        tokio::time::sleep(LOOK_FIRST).await;
    }
}

async fn post(shop: &Shop, letters: &Letters, poster: &Poster, of: DeliveryId) {
    let parcel = match letters.parcel(of).await {
        Ok(parcel) => parcel,
        Err(posted) => return record(shop, of, posted).await,
    };
    match shop.submit(Command::Start { of }.into(), "supplier".to_owned(), None).await {
        Ok(Reply::Done { committed, .. }) if !committed.events.is_empty() => {}
        Ok(_) | Err(_) => return,
    }
    let id = of.to_string();
    let timestamp_s = shop.now().0 / SECOND_MS;
    let span = shop.traces.as_ref().map(|traces| traces.outside("purchase order post", [("quartermaster.delivery", id.clone())]));
    let mut headers = vec![
        ("webhook-id", id.clone()),
        ("webhook-timestamp", timestamp_s.to_string()),
        ("webhook-signature", Signer::new([parcel.secret.as_slice()]).sign(&id, timestamp_s, parcel.body.as_bytes())),
    ];
    headers.extend(span.as_ref().map(|span| ("traceparent", span.traceparent())));
    let posted = match poster.post(&parcel.url, &headers, parcel.body).await {
        Answer::Taken { .. } => Posted::Sent { reference: id.into() },
        Answer::Later { code, message } | Answer::InDoubt { code, message } => Posted::Later(failure(&code, message)),
        Answer::Refused { code, message } => Posted::Refused(failure(&code, message)),
    };
    if let Some(span) = span {
        tell(&span, &posted);
    }
    record(shop, of, posted).await;
}
