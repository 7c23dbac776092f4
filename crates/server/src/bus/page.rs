//! Pages of the log, as subscribers read it: from any sequence, filtered, waited for.

use super::availability;
use super::{Filter, Outgoing};
use crate::shop::Shop;
use domain::Image;
use domain::id::{ChannelCode, OrderId};
use engine::{EventRow, ReadError, Reader};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Transactions that one look at the log reads: some hundred events.
const STEP: usize = 32;
/// And for a stream that takes all there is: on a busy machine each look waits for its turn, and few of them must keep up.
const STREAM_STEP: usize = 512;
/// Bytes of the log after which a look reads no further: what every slow reader may hold.
const STEP_BYTES: usize = 256 << 10;
/// Longest wait for something new, below the time limit of a request.
pub const WAIT_MAX: Duration = Duration::from_secs(25);
/// Orders whose channel is remembered; beyond, all are forgotten and looked up again.
const CHANNELS_MAX: usize = 50_000;

/// What a look at the log saw.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub events: Vec<Arc<Outgoing>>,
    /// Up to which sequence it looked.
    pub looked: u64,
}

/// Which channel an order belongs to: no event but the first of an order says it.
#[derive(Default)]
pub struct Channels(Mutex<HashMap<OrderId, ChannelCode>>);

impl Channels {
    fn of(&self, reader: &Reader, row: &EventRow) -> Result<Option<ChannelCode>, ReadError> {
        let (kind, id) = row.subject.split_once('/').unwrap_or((&row.subject, ""));
        match kind {
            "order" => match id.parse::<OrderId>() {
                Ok(id) => self.of_order(reader, row, id),
                Err(_) => Ok(None),
            },
            "channel" => Ok(ChannelCode::new(id).ok()),
            "hold" => Ok(match reader.entity("hold", id)? {
                Some(Image::Hold(_, Some(hold))) => hold.channel.clone(),
                _ => None,
            }),
            _ => Ok(None),
        }
    }

    fn of_order(&self, reader: &Reader, row: &EventRow, id: OrderId) -> Result<Option<ChannelCode>, ReadError> {
        if let Some(known) = self.known().get(&id) {
            return Ok(Some(known.clone()));
        }
        let begun = matches!(row.kind.as_str(), "order.placed.v1" | "order.imported.v1");
        let channel = match begun.then(|| serde_json::from_str::<Begun>(&row.data).ok()).flatten() {
            Some(begun) => Some(begun.order.channel),
            None => reader.case(id)?.map(|case| case.order.channel.clone()),
        };
        if let Some(channel) = &channel {
            let mut known = self.known();
            if known.len() >= CHANNELS_MAX {
                known.clear();
            }
            known.insert(id, channel.clone());
        }
        Ok(channel)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<OrderId, ChannelCode>> {
        self.0.lock().expect("no thread panics with the channels")
    }
}

#[derive(Deserialize)]
struct Begun {
    order: BegunOrder,
}

#[derive(Deserialize)]
struct BegunOrder {
    channel: ChannelCode,
}

/// The next events after a sequence, of whatever kind; only `looked` moves when there are engine records alone.
///
/// # Errors
/// When the log cannot be read.
pub async fn next(shop: &Arc<Shop>, after: u64, with_channels: bool) -> Result<Page, ReadError> {
    look(shop, after, STEP, with_channels).await
}

async fn look(shop: &Arc<Shop>, after: u64, step: usize, with_channels: bool) -> Result<Page, ReadError> {
    let bus = shop.clone();
    shop.read(move |reader| {
        let (rows, looked) = reader.events_within(after, step, STEP_BYTES)?;
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let channel = if with_channels { bus.bus.channels.of(reader, &row)? } else { None };
            let incarnation = bus.engine.incarnation_of(row.seq);
            events.push(Arc::new(Outgoing::new(row, incarnation).in_channel(channel)));
        }
        Ok(Page { events, looked })
    })
    .await
}

/// Up to `limit` events that match, from after a sequence on; waits for the first when there is none.
///
/// # Errors
/// When the log cannot be read.
pub async fn collect(shop: &Arc<Shop>, filter: &Filter, after: u64, limit: usize, wait: Duration) -> Result<Page, ReadError> {
    let until = Instant::now() + wait.min(WAIT_MAX);
    let mut found = Page { events: Vec::new(), looked: after };
    loop {
        let page = next(shop, found.looked, filter.needs_channels()).await?;
        let mut matching: Vec<_> = page.events.iter().filter(|event| filter.matches(event)).cloned().collect();
        if filter.wants_availability() {
            matching.extend(availability::changed(shop, filter, &page.events).await);
        }
        let room = limit - found.events.len();
        if matching.len() > room {
            cut(&mut matching, room);
            found.looked = matching.last().map_or(found.looked, |event| event.seq);
            found.events.extend(matching);
            return Ok(found);
        }
        found.events.extend(matching);
        let moved = page.looked > found.looked;
        found.looked = page.looked;
        if found.events.len() >= limit {
            return Ok(found);
        }
        if moved {
            continue;
        }
        if !found.events.is_empty() || Instant::now() >= until {
            return Ok(found);
        }
        let mut durable = shop.durable.clone();
        // Time up or something new: either way it looks again.
        let _ = tokio::time::timeout_at(until, durable.wait_for(|seq| *seq > page.looked)).await;
    }
}

/// All events that match among the next ones after a sequence; waits for the first when there is none.
///
/// # Errors
/// When the log cannot be read.
pub async fn follow(shop: &Arc<Shop>, filter: &Filter, after: u64) -> Result<Page, ReadError> {
    let until = Instant::now() + WAIT_MAX;
    let mut looked = after;
    loop {
        let mut page = look(shop, looked, STREAM_STEP, filter.needs_channels()).await?;
        let changed = if filter.wants_availability() { availability::changed(shop, filter, &page.events).await } else { Vec::new() };
        page.events.retain(|event| filter.matches(event));
        page.events.extend(changed);
        if !page.events.is_empty() || Instant::now() >= until {
            page.events.sort_by_key(|event| (event.seq, event.nth));
            return Ok(page);
        }
        if page.looked == looked {
            let mut durable = shop.durable.clone();
            // Time up or something new: either way it looks again.
            let _ = tokio::time::timeout_at(until, durable.wait_for(|seq| *seq > page.looked)).await;
        }
        looked = page.looked;
    }
}

/// Steps that one search for a subject takes before others have their turn.
const SEARCH_STEPS: usize = 50;

/// What a search for the next event of a subject came to.
#[derive(Debug)]
pub enum Found {
    Event(Arc<Outgoing>),
    /// It has to go on from here.
    NotYet {
        looked: u64,
    },
    /// There is none up to where it was to look.
    Nothing,
}

/// The first event of a subject that matches, after a sequence and up to another.
///
/// # Errors
/// When the log or store cannot be read.
pub async fn next_of(shop: &Arc<Shop>, filter: &Filter, subject: &str, after: u64, up_to: u64) -> Result<Found, ReadError> {
    let first = |events: Vec<Arc<Outgoing>>| {
        let wanted =
            |event: &Arc<Outgoing>| (after + 1..=up_to).contains(&event.seq) && *event.subject == *subject && filter.matches(event);
        events.into_iter().find(wanted)
    };
    if let Some(order) = subject.strip_prefix("order/").and_then(|id| id.parse::<OrderId>().ok()) {
        let found = first(timeline(shop, order).await?);
        return Ok(found.map_or(Found::Nothing, Found::Event));
    }
    let mut looked = after;
    for _ in 0..SEARCH_STEPS {
        if looked >= up_to {
            return Ok(Found::Nothing);
        }
        let page = next(shop, looked, filter.needs_channels()).await?;
        if let Some(event) = first(page.events) {
            return Ok(Found::Event(event));
        }
        if page.looked <= looked {
            return Ok(Found::Nothing);
        }
        looked = page.looked;
    }
    Ok(Found::NotYet { looked })
}

async fn timeline(shop: &Arc<Shop>, order: OrderId) -> Result<Vec<Arc<Outgoing>>, ReadError> {
    let bus = shop.clone();
    shop.read(move |reader| {
        let channel = reader.case(order)?.map(|case| case.order.channel.clone());
        let outgoing = |row: EventRow| {
            let incarnation = bus.engine.incarnation_of(row.seq);
            Arc::new(Outgoing::new(row, incarnation).in_channel(channel.clone()))
        };
        Ok(reader.timeline(order)?.into_iter().map(outgoing).collect())
    })
    .await
}

/// The first `room` events, and what was made from the last of them; at least one, so that everybody gets on.
fn cut(events: &mut Vec<Arc<Outgoing>>, room: usize) {
    events.sort_by_key(|event| (event.seq, event.nth));
    let last = events[room.max(1) - 1].seq;
    events.retain(|event| event.seq <= last);
}

/// Why a cursor cannot be gone on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// It is no cursor.
    Malformed,
    /// It names what this log never had, or lost when it was restored; both went the same way up to `fork`.
    Gone { fork: u64 },
}

/// A sequence, or an event's id (`1-4821`), as a place in this log.
///
/// # Errors
/// When it is neither, or beyond what this log has in common with the one that the cursor is from.
pub fn place(shop: &Shop, text: &str) -> Result<u64, Lost> {
    let durable = shop.engine.durable();
    let (incarnation, seq) = match text.split_once('-') {
        Some((incarnation, seq)) => (Some(incarnation.parse::<u64>().map_err(|_| Lost::Malformed)?), seq),
        None => (None, text),
    };
    let seq: u64 = seq.parse().map_err(|_| Lost::Malformed)?;
    if let Some(fork) = incarnation.and_then(|life| shop.engine.fork_of(life)).filter(|fork| seq > *fork) {
        return Err(Lost::Gone { fork });
    }
    if seq > durable || incarnation.is_some_and(|life| life > shop.engine.incarnation()) {
        return Err(Lost::Gone { fork: durable.min(seq) });
    }
    Ok(seq)
}
