//! Where subscriptions stand goes to the engine: all that moved in one record, at most one a second, none when nothing moves.

use super::Entry;
use crate::shop::Shop;
use engine::{Cursor, Reply};
use std::sync::Arc;
use std::time::Duration;

/// What a crash may cost: events of so long are delivered again, with the same ids.
const EVERY: Duration = Duration::from_secs(1);

pub async fn run(shop: Arc<Shop>) {
    loop {
        shop.bus.dirty.notified().await;
        flush(&shop).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// Records what moved, and waits until it is durable. Returns whether all is.
pub async fn flush(shop: &Arc<Shop>) -> bool {
    let moved: Vec<(Arc<Entry>, Cursor)> =
        shop.bus.list().into_iter().filter_map(|entry| entry.take_unrecorded().map(|cursor| (entry, cursor))).collect();
    if moved.is_empty() {
        return true;
    }
    let cursors = moved.iter().map(|(_, cursor)| cursor.clone()).collect();
    if let Ok(Reply::Done { .. }) = shop.record_cursors(cursors).await {
        return true;
    }
    moved.iter().for_each(|(entry, _)| entry.keep_unrecorded());
    shop.bus.dirty.notify_one();
    false
}
