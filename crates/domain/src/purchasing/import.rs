//! Purchase orders that were sent before the shop came here: the supplier knows them, nothing is sent again.

use super::decide::check_stocked;
use super::react::{end_of, zone_of};
use super::{PurchaseLine, PurchaseOrder, PurchaseOrderStatus};
use crate::command::purchasing::OpenLine;
use crate::event::Event;
use crate::event::purchasing::PurchaseOrderCreated;
use crate::id::{LocationCode, PurchaseOrderId, SupplierCode};
use crate::limits;
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::check_expected;
use crate::time::Timestamp;
use jiff::tz::TimeZone;
use smol_str::SmolStr;

/// It comes in acknowledged, or partially received: what is open counts as incoming from now on.
pub(super) fn import(
    state: &State,
    cx: &Context,
    (supplier, location): (SupplierCode, LocationCode),
    (reference, ordered_at): (Option<SmolStr>, Option<Timestamp>),
    lines: Vec<OpenLine>,
) -> Result<Vec<Event>, Rejection> {
    let known = state.purchasing.suppliers.get(&supplier).ok_or_else(|| Rejection::not_found("supplier", &supplier))?;
    state.catalog.locations.get(&location).ok_or_else(|| Rejection::not_found("location", &location))?;
    if ordered_at.is_some_and(|at| at > cx.now) {
        return Err(Rejection::invalid("ordered_at", "lies in the future"));
    }
    let lines = open_lines(state, &zone_of(state, &location), lines)?;
    for line in &lines {
        check_expected(state, &line.sku, &location)?;
    }
    let received = lines.iter().any(|line| !line.received.is_zero());
    let purchase_order = PurchaseOrder {
        id: PurchaseOrderId(state.counters().purchase_order + 1),
        currency: known.currency,
        lines,
        supplier,
        location,
        status: if received { PurchaseOrderStatus::PartiallyReceived } else { PurchaseOrderStatus::Acknowledged },
        automatic: false,
        reference,
        send_at: None,
        dispatch: None,
        sent_at: Some(ordered_at.unwrap_or(cx.now)),
        late_since: None,
        created_at: cx.now,
        version: 1,
    };
    Ok(vec![PurchaseOrderCreated { purchase_order }.into()])
}

fn open_lines(state: &State, zone: &TimeZone, sent: Vec<OpenLine>) -> Result<Vec<PurchaseLine>, Rejection> {
    if sent.is_empty() || sent.len() > limits::STOCK_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("send 1 to {}", limits::STOCK_LINES_MAX)));
    }
    let mut lines: Vec<PurchaseLine> = Vec::with_capacity(sent.len());
    for line in sent {
        check_stocked(state, &line.sku)?;
        if line.ordered.is_zero() || line.ordered.get() > limits::QUANTITY_MAX {
            return Err(Rejection::invalid("lines", format!("{}: a quantity is 1 to {}", line.sku, limits::QUANTITY_MAX)));
        }
        if lines.iter().any(|known| known.sku == line.sku) {
            return Err(Rejection::invalid("lines", format!("{} stands twice; add the quantities up", line.sku)));
        }
        let cost = state.catalog.items.get(&line.sku).and_then(|item| item.unit_cost).map_or(Amount::ZERO, |cost| cost.amount);
        lines.push(PurchaseLine {
            sku: line.sku,
            ordered: line.ordered,
            received: line.received,
            canceled: Quantity::ZERO,
            unit_cost: line.unit_cost.unwrap_or(cost),
            expected_on: line.expected_on,
            late_at: line.expected_on.map(|day| end_of(day, zone)),
        });
    }
    if lines.iter().all(|line| line.open().is_zero()) {
        return Err(Rejection::invalid("lines", "nothing is open: the order is received"));
    }
    Ok(lines)
}
