//! What changed, in words that a page can wait for: `order/ord_1`, `stock/MUG`, `alert`.

use domain::{Event, Image};
use engine::Pending;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

/// Changes that are remembered one by one; who was away for longer hears that anything may have changed.
const CHANGES_MAX: usize = 4096;

/// Words of the last changes, with the sequence that brought them.
#[derive(Default)]
pub struct Topics {
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    changes: VecDeque<(u64, SmolStr)>,
    /// Changes up to here are forgotten.
    forgotten: u64,
}

/// What a page waits for: words, each for itself or for all that begins with it and a slash.
#[derive(Debug, Clone)]
pub struct Watch(Vec<String>);

impl Watch {
    /// `words` separated by spaces.
    pub fn new(words: &str) -> Self {
        Self(words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    fn wants(&self, topic: &str) -> bool {
        self.0.iter().any(|word| topic == word || topic.strip_prefix(word.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }
}

impl Topics {
    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().expect("no thread panics with the topics")
    }

    /// Anything may have changed up to here.
    pub fn all(&self, seq: u64) {
        let mut ring = self.ring();
        ring.changes.clear();
        ring.forgotten = seq;
    }

    pub fn touch<'a>(&self, transactions: impl Iterator<Item = &'a Pending>, last: u64) {
        let mut topics = BTreeSet::new();
        for pending in transactions {
            topics.extend(pending.images.iter().filter_map(topic));
            topics.extend(pending.committed.events.iter().filter_map(|recorded| of_event(&recorded.event)));
        }
        topics.insert(SmolStr::new_static("event"));
        let mut ring = self.ring();
        for topic in topics {
            ring.changes.push_back((last, topic));
            if ring.changes.len() > CHANGES_MAX
                && let Some((seq, _)) = ring.changes.pop_front()
            {
                ring.forgotten = seq;
            }
        }
    }

    /// Whether something that `watch` waits for may have changed after `seq`.
    pub fn changed(&self, watch: &Watch, seq: u64) -> bool {
        let ring = self.ring();
        if seq < ring.forgotten {
            return true;
        }
        ring.changes.iter().rev().take_while(|(at, _)| *at > seq).any(|(_, topic)| watch.wants(topic))
    }
}

fn topic(image: &Image) -> Option<SmolStr> {
    Some(match image {
        Image::Case(id, _) => format_smolstr!("order/{id}"),
        Image::Level((sku, _), _) | Image::Policy((sku, _), _) => format_smolstr!("stock/{sku}"),
        Image::Item(sku, _) => format_smolstr!("stock/{sku}"),
        Image::PurchaseOrder(id, _) => format_smolstr!("purchase_order/{id}"),
        Image::Transfer(id, _) => format_smolstr!("transfer/{id}"),
        Image::Count(id, _) => format_smolstr!("count/{id}"),
        Image::Alert(..) => SmolStr::new_static("alert"),
        Image::Supplier(..) => SmolStr::new_static("supplier"),
        Image::Location(..) | Image::Channel(..) | Image::Settings(..) => SmolStr::new_static("settings"),
        Image::Subscription(..) => SmolStr::new_static("subscription"),
        Image::Return(..) => SmolStr::new_static("return"),
        Image::Hold(..) | Image::Receipt(..) | Image::Customer(..) | Image::Key(..) | Image::Counters(..) | Image::Subject(..) => {
            return None;
        }
    })
}

/// Replenishment says things that leave no image of their own.
fn of_event(event: &Event) -> Option<SmolStr> {
    match event {
        Event::ReplenishmentTriggered(event) => Some(format_smolstr!("stock/{}", event.sku)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_hears_of_its_own_things_only() {
        let watch = Watch::new("order/ord_1 stock alert");
        for (topic, wanted) in
            [("order/ord_1", true), ("order/ord_12", false), ("stock/MUG", true), ("alert", true), ("purchase_order/po_1", false)]
        {
            assert_eq!(watch.wants(topic), wanted, "{topic}");
        }
    }

    #[test]
    fn who_was_away_too_long_hears_that_anything_may_have_changed() {
        let topics = Topics::default();
        topics.all(10);
        assert!(topics.changed(&Watch::new("order/ord_1"), 9));
        assert!(!topics.changed(&Watch::new("order/ord_1"), 10));
    }
}
