//! An order as clients read it.

use crate::vault::Vault;
use domain::fulfillment::Fulfillment;
use domain::order::{Case, Line, Promise, PromiseSource};
use domain::payment::{authorized, balance_due, captured, refunded};
use serde_json::{Value, json};

/// With the customer's data opened, for those who may see it.
pub fn order_view(case: &Case, vault: &Vault) -> Value {
    let order = &case.order;
    let customer = order.customer.as_ref().map(|buyer| {
        let mut view = buyer.details.as_ref().and_then(|sealed| vault.open_sealed::<Value>(sealed)).unwrap_or_else(|| json!({}));
        view["id"] = json!(buyer.id);
        view
    });
    let ship_to = order.ship_to.as_ref().map(|to| {
        let mut view = to.details.as_ref().and_then(|sealed| vault.open_sealed::<Value>(sealed)).unwrap_or_else(|| json!({}));
        view["country"] = json!(to.country);
        view["region"] = json!(to.region);
        view
    });
    let note = order.note.as_ref().and_then(|sealed| vault.open_sealed::<String>(sealed));
    let late = |line: &&Line| line.parts.iter().any(|part| !part.open().is_zero());
    let promised = order.lines.iter().filter(late).filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).max();
    json!({
        "id": order.id, "object": "order", "number": order.number, "version": order.version, "channel": order.channel,
        "external_id": order.external_id, "origin": order.origin, "status": order.status, "status_reason": order.status_reason,
        "payment_status": order.payment_status, "allocation_status": order.allocation_status,
        "fulfillment_status": order.fulfillment_status, "currency": order.currency, "prices_include_tax": order.prices_include_tax,
        "on_shortage": order.on_shortage, "priority": order.priority, "total": order.total, "canceled_amount": order.canceled_amount,
        "authorized": authorized(case), "captured": captured(case), "refunded": refunded(case), "balance_due": balance_due(case),
        "promised_ship_by": promised, "customer": customer, "ship_to": ship_to, "note": note, "notify": order.notify,
        "lines": order.lines.iter().map(line_view).collect::<Vec<_>>(),
        "charges": order.charges,
        "payments": case.payments,
        "refunds": case.refunds,
        "fulfillments": case.fulfillments.iter().map(fulfillment_view).collect::<Vec<_>>(),
        "returns": case.returns,
        "metadata": order.metadata, "created_at": order.created_at, "updated_at": order.updated_at, "closed_at": order.closed_at,
    })
}

fn line_view(line: &Line) -> Value {
    let (ship_by, source) = match &line.promise {
        Some(promise) => (json!(promise.ship_by), json!(source(promise))),
        None => (Value::Null, Value::Null),
    };
    let mut view = json!({
        "id": line.id, "external_id": line.external_id, "sku": line.sku, "name": line.name, "ordered": line.ordered,
        "allocated": line.allocated(), "backordered": line.backordered(), "shipped": line.shipped(), "canceled": line.canceled,
        "returned": line.returned(), "unit_price": line.unit_price, "discount": line.discount, "tax": line.tax, "total": line.total,
        "promised_ship_by": ship_by, "promise_source": source,
    });
    let is_kit = line.parts.len() > 1 || line.parts.first().is_some_and(|part| part.sku != line.sku);
    if is_kit {
        view["components"] = json!(line.parts);
    } else if let Some(part) = line.parts.first() {
        view["allocations"] = json!(part.allocations);
        view["backorders"] = json!(part.backorders);
    }
    view
}

fn source(promise: &Promise) -> String {
    match &promise.source {
        PromiseSource::Stock(location) => location.to_string(),
        PromiseSource::PurchaseOrder(id) => id.to_string(),
        PromiseSource::Transfer(id) => id.to_string(),
        PromiseSource::AvailableFrom => "available_from".to_owned(),
        PromiseSource::LeadTime => "lead_time".to_owned(),
    }
}

pub fn fulfillment_view(work: &Fulfillment) -> Value {
    let mut view = serde_json::to_value(work).expect("entities serialize");
    view["object"] = json!("fulfillment");
    view["order"] = json!(work.id.order);
    view
}
