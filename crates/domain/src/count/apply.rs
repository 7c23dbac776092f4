//! How events change counts; the adjustment that a count brings is stock's.

use super::{BookEntry, Count, CountStatus, Counted};
use crate::event::Event;
use crate::id::CountId;
use crate::limits::COUNT_BOOK_MAX;
use crate::state::State;
use crate::stock;
use crate::time::Timestamp;

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::CountOpened(event) => {
            let counters = state.counters_mut();
            counters.count = counters.count.max(event.count.id.0);
            index(state, &event.count);
            state.counts.insert(event.count.id, event.count.clone());
        }
        Event::CountRecorded(event) => {
            let count = changed(state, event.count);
            for recorded in &event.lines {
                let line = count.lines.iter_mut().find(|line| line.sku == recorded.sku).expect("decide looked the line up");
                line.counted = Some(Counted { quantity: recorded.counted, at: recorded.counted_at, expected: recorded.expected });
            }
        }
        Event::CountPosted(event) => close(state, event.count, now, CountStatus::Posted),
        Event::CountCanceled(event) => close(state, event.count, now, CountStatus::Canceled),
        _ if state.counting.is_empty() => {}
        moving => keep_book(state, now, moving),
    }
}

/// What moves under the eyes of those who count is written down, so that a count means the time at which it was made.
fn keep_book(state: &mut State, now: Timestamp, event: &Event) {
    for moved in stock::movements(event) {
        let key = (moved.sku, moved.location);
        let Some(ids) = state.counting.get(&key) else { continue };
        let expected = moved.level.on_hand - moved.level.picked;
        for id in ids {
            let count = state.counts.get_mut(id).expect("indexed counts are there");
            let line = count.lines.iter_mut().find(|line| line.sku == key.0).expect("indexed by its lines");
            if line.book.last().is_some_and(|last| last.expected == expected) {
                continue;
            }
            line.book.push(BookEntry { at: now, expected });
            if line.book.len() > COUNT_BOOK_MAX {
                line.book.remove(0);
            }
        }
    }
}

/// Puts an open count into the index of levels that are counted.
pub(crate) fn index(state: &mut State, count: &Count) {
    if count.status == CountStatus::Open {
        for line in &count.lines {
            state.counting.entry((line.sku.clone(), count.location.clone())).or_default().insert(count.id);
        }
    }
}

fn unindex(state: &mut State, count: &Count) {
    for line in &count.lines {
        let key = (line.sku.clone(), count.location.clone());
        if let Some(ids) = state.counting.get_mut(&key) {
            ids.remove(&count.id);
            if ids.is_empty() {
                state.counting.remove(&key);
            }
        }
    }
}

fn changed(state: &mut State, id: CountId) -> &mut Count {
    let count = state.counts.get_mut(&id).expect("decide looked the count up");
    count.version += 1;
    count
}

fn close(state: &mut State, id: CountId, now: Timestamp, status: CountStatus) {
    let open = state.counts.shared(&id).expect("decide looked the count up");
    unindex(state, &open);
    let count = changed(state, id);
    count.status = status;
    count.closed_at = Some(now);
    count.lines.iter_mut().for_each(|line| line.book.clear());
}
