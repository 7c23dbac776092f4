//! What a batch of transactions leaves in the store: each thing once, as it was after the last of them.

use super::key::ImageKey;
use super::{ADJUSTMENT, IDEMPOTENCY_MS, idempotency, json};
use crate::frame::{Cursor, EngineRecord, Pending};
use domain::id::OrderId;
use domain::order::Case;
use domain::{Event, Image};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::sync::Arc;

/// Most expired keys that one write removes.
const EXPIRED_MAX: usize = 8192;

/// What one write does to an order.
#[derive(Default)]
pub struct OrderWrite {
    case: Option<Arc<Case>>,
    /// First sequences of its transactions, with blanks between them.
    history: String,
    last: Option<u64>,
    /// Its first event is among them: there is no row yet.
    begun: bool,
}

/// The orders of a batch by id, so that new ones are appended, and everything else.
pub struct Touched {
    pub orders: BTreeMap<OrderId, OrderWrite>,
    pub entities: FxHashMap<ImageKey, Image>,
}

impl Touched {
    pub fn of(batch: &[Pending]) -> Self {
        let mut touched = Self { orders: BTreeMap::new(), entities: FxHashMap::default() };
        for pending in batch {
            for image in pending.images.iter() {
                if let Image::Case(id, Some(case)) = image {
                    touched.orders.entry(*id).or_default().case = Some(case.clone());
                } else {
                    touched.entities.insert(ImageKey::of(image), image.clone());
                }
            }
            for recorded in &pending.committed.events {
                let Some(id) = recorded.subject.order() else { continue };
                let order = touched.orders.entry(id).or_default();
                order.begun |= recorded.subject_seq == 1;
                order.happened(pending.committed.first_seq);
            }
        }
        touched
    }
}

impl OrderWrite {
    fn happened(&mut self, first_seq: u64) {
        if self.last != Some(first_seq) {
            self.last = Some(first_seq);
            let blank = if self.history.is_empty() { "" } else { " " };
            write!(self.history, "{blank}{first_seq}").expect("a text takes all that is written");
        }
    }
}

/// Statements about orders, prepared once for all of a batch.
struct OrderStatements<'a> {
    insert: CachedStatement<'a>,
    update: CachedStatement<'a>,
    enliven: CachedStatement<'a>,
    retire: CachedStatement<'a>,
    find: CachedStatement<'a>,
}

/// # Errors
/// When the file cannot be written.
pub fn put_orders(connection: &Connection, orders: &BTreeMap<OrderId, OrderWrite>, text: &mut String) -> rusqlite::Result<()> {
    let insert = "INSERT INTO orders(id, channel, external_id, status, payment_status, allocation_status, fulfillment_status,
                      origin, customer, created_at, promised_by, history, body)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let update = "UPDATE orders SET status = ?2, payment_status = ?3, allocation_status = ?4, fulfillment_status = ?5, promised_by = ?6,
                      history = history || ' ' || ?7, body = ?8 WHERE id = ?1";
    let mut statements = OrderStatements {
        insert: connection.prepare_cached(insert)?,
        update: connection.prepare_cached(update)?,
        enliven: connection.prepare_cached("INSERT OR IGNORE INTO live(id) VALUES (?1)")?,
        retire: connection.prepare_cached("DELETE FROM live WHERE id = ?1")?,
        find: connection.prepare_cached("INSERT OR IGNORE INTO finds(term, kind, id) VALUES (?1, ?2, ?3)")?,
    };
    for (id, order) in orders {
        match &order.case {
            Some(case) => statements.put(*id, order, case, text)?,
            None => {
                let sql = "UPDATE orders SET history = history || ' ' || ?2 WHERE id = ?1";
                connection.prepare_cached(sql)?.execute(params![id.0, order.history])?;
            }
        }
    }
    Ok(())
}

impl OrderStatements<'_> {
    fn put(&mut self, id: OrderId, write: &OrderWrite, case: &Case, text: &mut String) -> rusqlite::Result<()> {
        let updated = !write.begun && self.update(id, write, case, text)?;
        if !updated {
            self.insert(id, write, case, text)?;
        }
        match case.may_leave() {
            true if write.begun => {}
            true => drop(self.retire.execute([id.0])?),
            false => drop(self.enliven.execute([id.0])?),
        }
        for (term, kind) in terms(case) {
            self.find.execute(params![term, kind, id.0])?;
        }
        Ok(())
    }

    fn insert(&mut self, id: OrderId, write: &OrderWrite, case: &Case, text: &mut String) -> rusqlite::Result<()> {
        let order = &case.order;
        self.insert.execute(params![
            id.0,
            order.channel.as_str(),
            order.external_id.as_deref(),
            name(&order.status).as_str(),
            name(&order.payment_status).as_str(),
            name(&order.allocation_status).as_str(),
            name(&order.fulfillment_status).as_str(),
            name(&order.origin).as_str(),
            order.customer.as_ref().map(|buyer| buyer.id.0),
            order.created_at.0,
            promised_by(case).as_deref(),
            write.history,
            json(text, case)
        ])?;
        Ok(())
    }

    /// `false` when there is no row. What an order is found by never changes.
    fn update(&mut self, id: OrderId, write: &OrderWrite, case: &Case, text: &mut String) -> rusqlite::Result<bool> {
        let order = &case.order;
        let changed = self.update.execute(params![
            id.0,
            name(&order.status).as_str(),
            name(&order.payment_status).as_str(),
            name(&order.allocation_status).as_str(),
            name(&order.fulfillment_status).as_str(),
            promised_by(case).as_deref(),
            write.history,
            json(text, case)
        ])?;
        Ok(changed > 0)
    }
}

/// What is neither an order nor a level.
///
/// # Errors
/// When the file cannot be written.
pub fn put_entities<'a>(connection: &Connection, images: impl Iterator<Item = &'a Image>, text: &mut String) -> rusqlite::Result<()> {
    for image in images.filter(|image| !matches!(image, Image::Level(..))) {
        if image.is_gone() {
            let sql = "DELETE FROM entities WHERE kind = ?1 AND key = ?2";
            connection.prepare_cached(sql)?.execute(params![image.kind(), image.key().as_str()])?;
        } else {
            let sql = "INSERT OR REPLACE INTO entities(kind, key, live, body) VALUES (?1, ?2, ?3, ?4)";
            let (key, body) = (image.key(), json(text, image));
            connection.prepare_cached(sql)?.execute(params![image.kind(), key.as_str(), image.is_live(), body])?;
        }
    }
    Ok(())
}

/// The soonest promise that still has to be kept.
fn promised_by(case: &Case) -> Option<SmolStr> {
    if case.order.is_closed() {
        return None;
    }
    let late = case.order.lines.iter().filter(|line| line.parts.iter().any(|part| !part.open().is_zero()));
    let soonest = late.filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).min()?;
    Some(smol_str::format_smolstr!("{soonest}"))
}

/// The keys that a transaction answers, and where subscriptions stand.
///
/// # Errors
/// When the file cannot be written.
pub fn put_records(connection: &Connection, pending: &Pending) -> rusqlite::Result<()> {
    let committed = &pending.committed;
    for record in &pending.records {
        if let EngineRecord::Cursors { cursors } = record {
            cursors.iter().try_for_each(|cursor| put_cursor(connection, cursor))?;
        }
        let Some((key, rejection)) = idempotency(record) else { continue };
        let rejection = rejection.map(|rejection| serde_json::to_string(rejection).expect("rejections serialize"));
        let sql =
            "INSERT OR REPLACE INTO idempotency(first_seq, key, body_hash, expires, rejection, images) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let expires = committed.time.0 + IDEMPOTENCY_MS;
        let row = params![committed.first_seq, key.key, key.body, expires, rejection, shown(&pending.images)];
        connection.prepare_cached(sql)?.execute(row)?;
    }
    Ok(())
}

/// Forgets keys whose time is up, oldest first; those that remain go with the next writes.
///
/// # Errors
/// When the file cannot be written.
pub fn forget_keys(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    let oldest = "SELECT expires FROM idempotency ORDER BY first_seq LIMIT 1";
    let oldest: Option<i64> = connection.prepare_cached(oldest)?.query_row([], |row| row.get(0)).optional()?;
    if oldest.is_some_and(|expires| expires < now) {
        let sql = "DELETE FROM idempotency
                   WHERE first_seq IN (SELECT first_seq FROM idempotency ORDER BY first_seq LIMIT ?2) AND expires < ?1";
        connection.prepare_cached(sql)?.execute(params![now, EXPIRED_MAX])?;
    }
    Ok(())
}

fn put_cursor(connection: &Connection, cursor: &Cursor) -> rusqlite::Result<()> {
    let body = serde_json::to_string(cursor).expect("cursors serialize");
    let sql = "INSERT OR REPLACE INTO cursors(subscription, body) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![cursor.subscription.0, body])?;
    Ok(())
}

/// A subscription begins somewhere, is rewound, and ends.
///
/// # Errors
/// When the file cannot be written.
pub fn follow_cursor(connection: &Connection, event: &Event) -> rusqlite::Result<()> {
    match event {
        Event::SubscriptionCreated(created) => {
            let begun = &created.subscription;
            put_cursor(connection, &Cursor::after(begun.id, begun.generation, begun.after))
        }
        Event::SubscriptionRewound(rewound) => {
            put_cursor(connection, &Cursor::after(rewound.subscription, rewound.generation, rewound.after))
        }
        Event::SubscriptionDeleted(deleted) => {
            connection.prepare_cached("DELETE FROM cursors WHERE subscription = ?1")?.execute([deleted.subscription.0])?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// An adjustment is an event and no entity: it is listed, and found by its id, by where it stands in the log.
///
/// # Errors
/// When the file cannot be written.
pub fn note_adjustment(connection: &Connection, seq: u64, event: &Event) -> rusqlite::Result<()> {
    if let Event::StockAdjusted(adjusted) = event {
        for term in ["", adjusted.adjustment.text().as_str()] {
            let sql = "INSERT OR IGNORE INTO finds(term, kind, id) VALUES (?1, ?2, ?3)";
            connection.prepare_cached(sql)?.execute(params![term, ADJUSTMENT, seq])?;
        }
    }
    Ok(())
}

/// What an answer is rendered from: `[kind, key, body]`, cases without body since they fold from their events.
fn shown(images: &[Image]) -> String {
    let rows = images.iter().filter_map(|image| match image {
        Image::Counters(..) | Image::Subject(..) | Image::Level(..) => None,
        Image::Case(..) => Some((image.kind(), image.key(), None)),
        _ => Some((image.kind(), image.key(), Some(image))),
    });
    crate::json::to_string(&rows.collect::<Vec<_>>()).expect("entities serialize")
}

/// The name of a unit variant, as JSON and lists show it.
fn name(value: &impl Serialize) -> SmolStr {
    struct Named<'a, T>(&'a T);
    impl<T: Serialize> Display for Named<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(f)
        }
    }
    smol_str::format_smolstr!("{}", Named(value))
}

/// What a case is found by besides its id: mail (hashed), tracking numbers, and that it has a refund or a return.
fn terms(case: &Case) -> Vec<(&str, &'static str)> {
    let mut terms = Vec::new();
    if !case.refunds.is_empty() {
        terms.push(("", "refund"));
    }
    if !case.returns.is_empty() {
        terms.push(("", "return"));
    }
    if let Some(mail) = case.order.customer.as_ref().and_then(|buyer| buyer.email_fingerprint.as_ref()) {
        terms.push((mail.0.as_str(), "email"));
    }
    for shipment in case.fulfillments.iter().filter_map(|work| work.shipment.as_ref()) {
        terms.extend(shipment.tracking_number.as_deref().map(|number| (number, "tracking")));
        terms.extend(shipment.parcels.iter().filter_map(|parcel| parcel.tracking_number.as_deref()).map(|number| (number, "tracking")));
    }
    terms
}
