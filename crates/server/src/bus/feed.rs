//! Pages of the log that several endpoints read at about the same place are read and rendered once.

use super::page::{self, Page};
use crate::shop::Shop;
use engine::ReadError;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Most pages that are kept, and about how many bytes they take.
const PAGES_MAX: usize = 64;
const BYTES_MAX: usize = 16 << 20;

struct Kept {
    after: u64,
    page: Page,
    with_channels: bool,
    bytes: usize,
}

/// The last pages that anybody read.
#[derive(Default)]
pub struct Feed {
    kept: Mutex<VecDeque<Kept>>,
}

impl Feed {
    /// The events after a sequence, at least one step of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn after(&self, shop: &Arc<Shop>, after: u64, with_channels: bool) -> Result<Page, ReadError> {
        let mut kept = self.kept.lock().await;
        let has = |kept: &&Kept| kept.after <= after && after < kept.page.looked && (kept.with_channels || !with_channels);
        if let Some(found) = kept.iter().find(has) {
            let events = found.page.events.iter().filter(|event| event.seq > after).cloned().collect();
            return Ok(Page { events, looked: found.page.looked });
        }
        let page = page::next(shop, after, with_channels).await?;
        if page.looked > after {
            let bytes = page.events.iter().map(|event| event.size()).sum();
            kept.push_back(Kept { after, page: page.clone(), with_channels, bytes });
            while kept.len() > PAGES_MAX || kept.iter().map(|kept| kept.bytes).sum::<usize>() > BYTES_MAX {
                kept.pop_front();
            }
        }
        Ok(page)
    }
}
