//! How events change counts; the adjustment that a count brings is stock's.

use super::{Count, CountStatus, Counted};
use crate::event::Event;
use crate::id::CountId;
use crate::state::State;
use crate::time::Timestamp;

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::CountOpened(event) => {
            let counters = state.counters_mut();
            counters.count = counters.count.max(event.count.id.0);
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
        _ => {}
    }
}

fn changed(state: &mut State, id: CountId) -> &mut Count {
    let count = state.counts.get_mut(&id).expect("decide looked the count up");
    count.version += 1;
    count
}

fn close(state: &mut State, id: CountId, now: Timestamp, status: CountStatus) {
    let count = changed(state, id);
    count.status = status;
    count.closed_at = Some(now);
}
