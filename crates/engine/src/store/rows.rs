//! Tables of the store, and the rows that each transaction adds.

use super::{IDEMPOTENCY_MS, idempotency, is_live};
use crate::frame::{Cursor, EngineRecord, Pending};
use domain::id::OrderId;
use domain::order::Case;
use domain::stock::movements;
use domain::{Event, Image};
use rusqlite::{Connection, params};
use serde::Serialize;

pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entities(
    kind TEXT NOT NULL, key TEXT NOT NULL, live INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entities_live ON entities(kind, key) WHERE live = 1;
CREATE TABLE IF NOT EXISTS orders(
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, channel TEXT NOT NULL, external_id TEXT, status TEXT NOT NULL,
    payment_status TEXT NOT NULL, allocation_status TEXT NOT NULL, fulfillment_status TEXT NOT NULL, origin TEXT NOT NULL,
    customer INTEGER, created_at INTEGER NOT NULL, promised_by TEXT, live INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS orders_external ON orders(external_id, channel) WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_live ON orders(id) WHERE live = 1;
CREATE INDEX IF NOT EXISTS orders_customer ON orders(customer) WHERE customer IS NOT NULL;
CREATE TABLE IF NOT EXISTS finds(term TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY(term, kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger(
    seq INTEGER NOT NULL, line INTEGER NOT NULL, sku TEXT NOT NULL, location TEXT NOT NULL, kind TEXT NOT NULL, quantity INTEGER NOT NULL,
    subject TEXT NOT NULL, time INTEGER NOT NULL, actor TEXT NOT NULL, level TEXT NOT NULL, PRIMARY KEY(sku, location, seq, line)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS case_events(
    order_id INTEGER NOT NULL, seq INTEGER NOT NULL, first_seq INTEGER NOT NULL, PRIMARY KEY(order_id, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency(
    key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, first_seq INTEGER NOT NULL, expires INTEGER NOT NULL, rejection TEXT, images TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursors(subscription INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS idempotency_expires ON idempotency(expires);
";

/// The ledger, the events of cases and the keys of one transaction.
pub fn append(connection: &Connection, pending: &Pending) -> rusqlite::Result<()> {
    let committed = &pending.committed;
    let time = committed.time.0;
    for record in &pending.records {
        if let EngineRecord::Cursors { cursors } = record {
            cursors.iter().try_for_each(|cursor| put_cursor(connection, cursor))?;
        }
        let Some((key, rejection)) = idempotency(record) else { continue };
        let rejection = rejection.map(|rejection| serde_json::to_string(rejection).expect("rejections serialize"));
        let sql =
            "INSERT OR REPLACE INTO idempotency(key, body_hash, first_seq, expires, rejection, images) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let row = params![key.key, key.body, committed.first_seq, time + IDEMPOTENCY_MS, rejection, shown(&pending.images)];
        connection.prepare_cached(sql)?.execute(row)?;
    }
    for (seq, recorded) in (committed.first_seq + pending.records.len() as u64..).zip(&committed.events) {
        follow_cursor(connection, &recorded.event)?;
        if let Some(order) = recorded.subject.order() {
            let sql = "INSERT OR REPLACE INTO case_events(order_id, seq, first_seq) VALUES (?1, ?2, ?3)";
            connection.prepare_cached(sql)?.execute(params![order.0, seq, committed.first_seq])?;
        }
        for (line, movement) in movements(&recorded.event).into_iter().enumerate() {
            let sql = "INSERT OR REPLACE INTO ledger(seq, line, sku, location, kind, quantity, subject, time, actor, level)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            let level = serde_json::to_string(&movement.level).expect("levels serialize");
            connection.prepare_cached(sql)?.execute(params![
                seq,
                line,
                movement.sku.as_str(),
                movement.location.as_str(),
                movement.kind.as_str(),
                movement.quantity,
                recorded.subject.text().as_str(),
                time,
                committed.actor,
                level
            ])?;
        }
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
fn follow_cursor(connection: &Connection, event: &Event) -> rusqlite::Result<()> {
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

/// What an answer is rendered from: `[kind, key, body]`, cases without body since they fold from their events.
fn shown(images: &[Image]) -> String {
    let rows = images.iter().filter_map(|image| match image {
        Image::Counters(..) | Image::Subject(..) | Image::Level(..) => None,
        Image::Case(..) => Some((image.kind(), image.key(), None)),
        _ => Some((image.kind(), image.key(), Some(image))),
    });
    serde_json::to_string(&rows.collect::<Vec<_>>()).expect("entities serialize")
}

/// The name of a unit variant, as JSON and lists show it.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(_) | Err(_) => String::new(),
    }
}

pub fn put_order(connection: &Connection, id: OrderId, case: &Case) -> rusqlite::Result<()> {
    let order = &case.order;
    let body = serde_json::to_string(case).expect("cases serialize");
    let open = !order.is_closed();
    let promised = order.lines.iter().filter(|line| open && line.parts.iter().any(|part| !part.open().is_zero()));
    let promised = promised.filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).min();
    let sql = "INSERT OR REPLACE INTO orders(id, number, channel, external_id, status, payment_status, allocation_status,
                   fulfillment_status, origin, customer, created_at, promised_by, live, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    connection.prepare_cached(sql)?.execute(params![
        id.0,
        order.number.as_str(),
        order.channel.as_str(),
        order.external_id.as_deref(),
        name(&order.status),
        name(&order.payment_status),
        name(&order.allocation_status),
        name(&order.fulfillment_status),
        name(&order.origin),
        order.customer.as_ref().map(|buyer| buyer.id.0),
        order.created_at.0,
        promised.map(|day| day.to_string()),
        is_live(case),
        body
    ])?;
    for (term, kind) in terms(case) {
        let sql = "INSERT OR REPLACE INTO finds(term, kind, id) VALUES (?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute(params![term, kind, id.text().as_str()])?;
    }
    Ok(())
}

/// What a case is found by besides its id: mail (hashed) and tracking numbers.
fn terms(case: &Case) -> Vec<(&str, &'static str)> {
    let mut terms = Vec::new();
    if let Some(mail) = case.order.customer.as_ref().and_then(|buyer| buyer.email_fingerprint.as_ref()) {
        terms.push((mail.0.as_str(), "email"));
    }
    for shipment in case.fulfillments.iter().filter_map(|work| work.shipment.as_ref()) {
        terms.extend(shipment.tracking_number.as_deref().map(|number| (number, "tracking")));
        terms.extend(shipment.parcels.iter().filter_map(|parcel| parcel.tracking_number.as_deref()).map(|number| (number, "tracking")));
    }
    terms
}
