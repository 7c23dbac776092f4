//! Levels, their ledger, receipts, adjustments and moves.

use super::call::{Answer, Call, Done, cursor_of, field, list, object};
use super::catalog::{entities, entity_body};
use super::problem::Problem;
use super::text::Text;
use domain::command::stock::{AdjustLine, AdjustStock, Change, Command};
use domain::event::stock::Bucket;
use domain::id::{AdjustmentId, ChannelCode, LocationCode, ReceiptId, Sku};
use domain::quantity::Quantity;
use domain::stock::{Level, ReceiptLine, Sellable, sellable, why_not};
use domain::time::Timestamp;
use domain::{Event, Image};
use engine::EventRow;
use serde::Deserialize;
use serde_json::{Value, json};

/// Most SKUs of one availability request.
const SKUS_MAX: usize = 500;

pub fn level_view(level: &Level) -> Value {
    let next = level.next_incoming().map(|next| json!({"quantity": next.quantity, "expected_on": next.expected_on}));
    json!({
        "location": level.location, "version": level.version, "on_hand": level.on_hand, "allocated": level.allocated,
        "picked": level.picked, "held": level.held, "unavailable": level.unavailable, "safety_stock": level.safety_stock,
        "available": level.available(), "backordered": level.backordered, "incoming": level.incoming(), "next_incoming": next,
        "inventory_position": level.inventory_position(),
    })
}

pub async fn stock_get(call: Call) -> Result<Answer, Problem> {
    let sku: Sku = call.segment("sku")?;
    entity_body(&call, "item", sku.to_string()).await?;
    if let Some(as_of) = call.query::<String>("as_of")? {
        return stock_as_of(&call, sku, as_of).await;
    }
    let wanted = sku.clone();
    let found = call
        .shop
        .query(move |state| {
            let levels = state.stock.locations_of(&wanted).filter_map(|location| state.stock.level(&wanted, location));
            levels.map(level_view).collect::<Vec<_>>()
        })
        .await;
    let levels = found.ok_or_else(Problem::outcome_unknown)?;
    Ok(Answer::ok(json!({"object": "stock", "sku": sku, "sequence": call.shop.engine.durable().to_string(), "levels": levels})))
}

/// A sequence that the log has, or the last one at a time.
pub async fn sequence(call: &Call, text: &str) -> Result<u64, Problem> {
    if let Ok(seq) = text.parse() {
        let newest = call.shop.engine.durable();
        let beyond = || Problem::bad_field("as_of", format!("{seq} lies beyond the end of the log; the newest sequence is {newest}"));
        return if seq <= newest { Ok(seq) } else { Err(beyond()) };
    }
    let time =
        Timestamp::parse(text).map_err(|_| Problem::bad_field("as_of", "must be a sequence, or a time like 2026-11-24T09:30:00Z"))?;
    call.read(move |reader| reader.seq_at(time.0)).await
}

async fn stock_as_of(call: &Call, sku: Sku, text: String) -> Result<Answer, Problem> {
    let seq = sequence(call, &text).await?;
    let wanted = sku.to_string();
    let rows = call.read(move |reader| reader.levels_as_of(&wanted, seq)).await?;
    let levels = rows.into_iter().map(|row| {
        let mut level: Value = serde_json::from_str(&row.level).unwrap_or_else(|_| json!({}));
        level["location"] = json!(row.location);
        level
    });
    let levels: Vec<Value> = levels.collect();
    Ok(Answer::ok(json!({"object": "stock", "sku": sku, "sequence": seq.to_string(), "levels": levels})))
}

pub async fn level_list(call: Call) -> Result<Answer, Problem> {
    let limit = call.limit()?;
    let after = call.after()?;
    let mut images = call.read(move |reader| reader.list("level", &after, limit + 1)).await?;
    let has_more = images.len() > limit;
    images.truncate(limit);
    let last = images.last().map(|image| cursor_of(&image.key()));
    let rows = images.iter().filter_map(|image| match image {
        Image::Level(_, Some(level)) => {
            let mut view = level_view(level);
            view["sku"] = json!(level.sku);
            view["object"] = json!("stock_level");
            Some(view)
        }
        _ => None,
    });
    Ok(Answer::ok(list(rows.collect(), has_more, last)))
}

pub async fn ledger(call: Call) -> Result<Answer, Problem> {
    let sku: Sku = call.segment("sku")?;
    let limit = call.limit()?;
    let before = call.query::<u64>("cursor")?.unwrap_or(u64::MAX);
    let location = call.query::<String>("location")?;
    let wanted = sku.to_string();
    let mut rows = call.read(move |reader| reader.ledger(&wanted, location.as_deref(), before, limit + 1)).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|row| row.seq.to_string());
    let data = rows.into_iter().map(|row| {
        json!({
            "sequence": row.seq.to_string(), "sku": row.sku, "location": row.location, "kind": row.kind, "quantity": row.quantity,
            "subject": row.subject, "time": Timestamp(row.time), "actor": row.actor,
            "level": serde_json::from_str::<Value>(&row.level).unwrap_or(Value::Null),
        })
    });
    Ok(Answer::ok(list(data.collect(), has_more, last)))
}

pub async fn why(call: Call) -> Result<Answer, Problem> {
    let sku: Sku = call.segment("sku")?;
    let code: ChannelCode = field("channel", &call.query::<String>("channel")?.unwrap_or_default())?;
    let (wanted, of) = (sku.clone(), code.clone());
    let found = call.shop.query(move |state| {
        let channel = state.catalog.channels.get(&of)?;
        Some((sellable(state, channel, &wanted), why_not(state, channel, &wanted)))
    });
    let found = found.await.ok_or_else(Problem::outcome_unknown)?;
    let (available, reasons) = found.ok_or_else(|| Problem::not_found("channel", code.as_str()))?;
    let available = available.ok_or_else(|| Problem::not_found("item", sku.as_str()))?;
    Ok(Answer::ok(json!({"object": "why", "sku": sku, "channel": code, "available": units(available), "reasons": reasons})))
}

/// `null` is unlimited.
fn units(sellable: Sellable) -> Value {
    match sellable {
        Sellable::Units(quantity) => json!(quantity),
        Sellable::Unlimited => Value::Null,
    }
}

pub async fn availability(call: Call) -> Result<Answer, Problem> {
    let code: ChannelCode = field("channel", &call.query::<String>("channel")?.unwrap_or_default())?;
    let text = call.query::<String>("sku")?.unwrap_or_default();
    let skus = text.split(',').filter(|sku| !sku.is_empty()).map(|sku| field("sku", sku)).collect::<Result<Vec<Sku>, _>>()?;
    if skus.is_empty() || skus.len() > SKUS_MAX {
        return Err(Problem::bad_field("sku", format!("name 1 to {SKUS_MAX} SKUs, comma separated")));
    }
    let of = code.clone();
    let found = call.shop.query(move |state| {
        let channel = state.catalog.channels.get(&of)?;
        let rows = skus.into_iter().map(|sku| {
            let available = sellable(state, channel, &sku);
            json!({"sku": sku, "known": available.is_some(), "unlimited": available == Some(Sellable::Unlimited),
                   "available": available.map_or(json!(0), units)})
        });
        Some(rows.collect::<Vec<_>>())
    });
    let rows = found.await.ok_or_else(Problem::outcome_unknown)?;
    let rows = rows.ok_or_else(|| Problem::not_found("channel", code.as_str()))?;
    Ok(Answer::ok(json!({"object": "list", "channel": code, "data": rows, "has_more": false, "next_cursor": null})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuantityBody {
    quantity: u32,
}

pub async fn safety_stock(call: Call) -> Result<Answer, Problem> {
    let (sku, location): (Sku, LocationCode) = (call.segment("sku")?, call.segment("location")?);
    let safety_stock = Quantity::new(call.json::<QuantityBody>()?.quantity);
    let done = call.submit(Command::SetSafetyStock { sku: sku.clone(), location: location.clone(), safety_stock }).await?;
    let level = call.shop.query(move |state| state.stock.level(&sku, &location).map(level_view)).await;
    let level = level.flatten().ok_or_else(Problem::outcome_unknown)?;
    Ok(Answer::ok(level).replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsLine {
    sku: Sku,
    quantity: Quantity,
}

fn receipt_lines(lines: Vec<UnitsLine>) -> Vec<ReceiptLine> {
    lines.into_iter().map(|line| ReceiptLine { sku: line.sku, quantity: line.quantity }).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptBody {
    location: LocationCode,
    reference: Option<Text>,
    lines: Vec<UnitsLine>,
}

fn receipt(done: &Done) -> Result<Value, Problem> {
    let found = done.images.iter().find_map(|image| match image {
        Image::Receipt(_, Some(receipt)) => Some(object("receipt", receipt.as_ref())),
        _ => None,
    });
    found.ok_or_else(|| Problem::internal("a receipt left no image"))
}

pub async fn receipt_create(call: Call) -> Result<Answer, Problem> {
    let body: ReceiptBody = call.json()?;
    let reference = body.reference.map(Into::into);
    let done = call.submit(Command::ReceiveStock { location: body.location, reference, lines: receipt_lines(body.lines) }).await?;
    let mut view = receipt(&done)?;
    view["consequences"] = consequences(&done);
    Ok(Answer::created(view).replayed(done.repeated))
}

pub async fn receipt_get(call: Call) -> Result<Answer, Problem> {
    let id: ReceiptId = call.segment("id")?;
    Ok(Answer::ok(entity_body(&call, "receipt", id.to_string()).await?))
}

pub async fn receipt_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Receipt, "receipt")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: Option<Text>,
}

pub async fn receipt_reverse(call: Call) -> Result<Answer, Problem> {
    let (receipt_id, reason) = (call.segment("id")?, call.json::<ReasonBody>()?.reason.map(Into::into));
    let done = call.submit(Command::ReverseReceipt { receipt: receipt_id, reason }).await?;
    Ok(Answer::ok(receipt(&done)?).replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustmentBody {
    location: LocationCode,
    reason: Text,
    reference: Option<Text>,
    occurred_at: Option<Timestamp>,
    lines: Vec<AdjustmentLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustmentLine {
    sku: Sku,
    #[serde(default = "on_hand")]
    bucket: Bucket,
    delta: Option<i64>,
    set_to: Option<u32>,
    if_quantity: Option<u32>,
}

fn on_hand() -> Bucket {
    Bucket::OnHand
}

pub async fn adjustment_create(call: Call) -> Result<Answer, Problem> {
    let body: AdjustmentBody = call.json()?;
    let mut lines = Vec::with_capacity(body.lines.len());
    for (at, line) in body.lines.into_iter().enumerate() {
        let change = match (line.delta, line.set_to) {
            (Some(delta), None) => Change::Delta(delta),
            (None, Some(target)) => Change::SetTo(Quantity::new(target)),
            (None, None) | (Some(_), Some(_)) => {
                return Err(Problem::bad_field(&format!("lines[{at}]"), "send either \"delta\" or \"set_to\" with \"if_quantity\""));
            }
        };
        lines.push(AdjustLine { sku: line.sku, bucket: line.bucket, change, if_quantity: line.if_quantity.map(Quantity::new) });
    }
    let (location, reason, reference) = (body.location, body.reason.into(), body.reference.map(Into::into));
    let command = AdjustStock { location, reason, reference, count: None, occurred_at: body.occurred_at, lines };
    let done = call.submit(Command::AdjustStock(command)).await?;
    let adjusted = done.committed.events.iter().find_map(|recorded| match &recorded.event {
        Event::StockAdjusted(event) => Some(event),
        _ => None,
    });
    let mut view = match adjusted {
        Some(event) => {
            json!({"id": event.adjustment, "status": "posted", "location": event.location, "reason": event.reason, "lines": event.lines})
        }
        None => json!({"id": null, "status": "unchanged"}),
    };
    view["object"] = json!("adjustment");
    view["consequences"] = consequences(&done);
    Ok(Answer::created(view).replayed(done.repeated))
}

/// As the log tells it; what it led to stands in the answer to the request alone.
fn adjusted(event: &EventRow) -> Value {
    let data: Value = serde_json::from_str(&event.data).unwrap_or_else(|_| json!({}));
    json!({
        "object": "adjustment", "id": data["adjustment"], "status": "posted", "location": data["location"], "reason": data["reason"],
        "reference": data["reference"], "lines": data["lines"], "consequences": [], "created_at": Timestamp(event.time),
    })
}

pub async fn adjustment_list(call: Call) -> Result<Answer, Problem> {
    let (limit, before) = (call.limit()?, call.query::<u64>("cursor")?);
    let mut events = call.read(move |reader| reader.adjustments(None, before, limit + 1)).await?;
    let has_more = events.len() > limit;
    events.truncate(limit);
    let last = events.last().map(|event| event.seq.to_string());
    Ok(Answer::ok(list(events.iter().map(adjusted).collect(), has_more, last)))
}

pub async fn adjustment_get(call: Call) -> Result<Answer, Problem> {
    let id: AdjustmentId = call.segment("id")?;
    let events = call.read(move |reader| reader.adjustments(Some(&id.text()), None, 1)).await?;
    events.first().map(adjusted).map(Answer::ok).ok_or_else(|| Problem::not_found("adjustment", &id.text()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveBody {
    location: LocationCode,
    reason: Option<Text>,
    from: Bucket,
    to: Bucket,
    lines: Vec<UnitsLine>,
}

pub async fn move_create(call: Call) -> Result<Answer, Problem> {
    let body: MoveBody = call.json()?;
    let (location, reason, lines) = (body.location, body.reason.map(Into::into), receipt_lines(body.lines));
    let done = call.submit(Command::MoveStock { location, reason, from: body.from, to: body.to, lines }).await?;
    let moved = done.committed.events.iter().find_map(|recorded| match &recorded.event {
        Event::StockMoved(event) => Some(event),
        _ => None,
    });
    let moved = moved.ok_or_else(|| Problem::internal("a move left no event"))?;
    let mut view =
        json!({"id": moved.mov, "object": "move", "location": moved.location, "from": moved.from, "to": moved.to, "lines": moved.lines});
    view["consequences"] = consequences(&done);
    Ok(Answer::created(view).replayed(done.repeated))
}

/// What a change of stock meant to others: broken holds, orders that wait again, orders that need wait no more.
fn consequences(done: &Done) -> Value {
    let mut rows = Vec::new();
    for recorded in &done.committed.events {
        let kind = recorded.event.type_name().trim_end_matches(".v1");
        match &recorded.event {
            Event::HoldBroken(event) => rows.extend(
                event
                    .lines
                    .iter()
                    .map(|held| json!({"type": kind, "hold": event.hold, "sku": held.line.sku, "quantity": held.line.quantity})),
            ),
            Event::StockBackordered(event) => rows.extend(
                event.lines.iter().map(|line| json!({"type": kind, "order": event.order, "sku": line.sku, "quantity": line.quantity})),
            ),
            Event::StockAllocated(event) => rows.extend(
                event.lines.iter().map(|line| json!({"type": kind, "order": event.order, "sku": line.sku, "quantity": line.quantity})),
            ),
            _ => {}
        }
    }
    Value::Array(rows)
}
