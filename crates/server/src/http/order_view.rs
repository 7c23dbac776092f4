//! An order as clients read it.

use crate::vault::Vault;
use domain::catalog::Shortage;
use domain::fulfillment::Fulfillment;
use domain::id::{ChannelCode, LineId, OrderId, Sku};
use domain::money::{Amount, Currency};
use domain::notification::Notification;
use domain::order::{
    Allocation, AllocationStatus, Backorder, Case, Charge, FulfillmentStatus, Line, OrderStatus, Origin, Part, PaymentStatus, Promise,
    PromiseSource,
};
use domain::payment::{Payment, Refund, authorized, balance_due, captured, refunded};
use domain::quantity::Quantity;
use domain::returns::Return;
use domain::text::{Metadata, Sealed};
use domain::time::{Date, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// Borrows the case and goes straight to bytes: every order that is placed is answered with one.
#[derive(Serialize)]
pub struct OrderView<'a> {
    id: OrderId,
    object: &'static str,
    number: &'a str,
    version: u64,
    channel: &'a ChannelCode,
    external_id: Option<&'a str>,
    origin: Origin,
    status: OrderStatus,
    status_reason: Option<&'a str>,
    payment_status: PaymentStatus,
    allocation_status: AllocationStatus,
    fulfillment_status: FulfillmentStatus,
    currency: Currency,
    prices_include_tax: bool,
    on_shortage: Shortage,
    priority: i16,
    total: Amount,
    canceled_amount: Amount,
    authorized: Amount,
    captured: Amount,
    refunded: Amount,
    balance_due: Amount,
    promised_ship_by: Option<Date>,
    late_since: Option<Timestamp>,
    customer: Option<Value>,
    ship_to: Option<Value>,
    note: Option<String>,
    notify: bool,
    #[serde(serialize_with = "lines")]
    lines: &'a [Line],
    charges: &'a [Charge],
    payments: &'a [Payment],
    refunds: &'a [Refund],
    #[serde(serialize_with = "fulfillments")]
    fulfillments: &'a [Fulfillment],
    returns: &'a [Return],
    notifications: &'a [Notification],
    metadata: &'a Metadata,
    created_at: Timestamp,
    updated_at: Timestamp,
    closed_at: Option<Timestamp>,
}

impl<'a> OrderView<'a> {
    /// With the customer's data opened, for those who may see it.
    pub fn new(case: &'a Case, vault: &Vault) -> Self {
        Self::of(case, Some(vault))
    }

    fn of(case: &'a Case, vault: Option<&Vault>) -> Self {
        let order = &case.order;
        let late = |line: &&Line| line.parts.iter().any(|part| !part.open().is_zero());
        let promised = order.lines.iter().filter(late).filter_map(|line| line.promise.as_ref()).map(|promise| promise.ship_by).max();
        let customer = order.customer.as_ref().map(|buyer| {
            let mut view = opened(vault, buyer.details.as_ref());
            view["id"] = json!(buyer.id);
            view
        });
        let ship_to = order.ship_to.as_ref().map(|to| {
            let mut view = opened(vault, to.details.as_ref());
            view["country"] = json!(to.country);
            view["region"] = json!(to.region);
            view
        });
        Self {
            id: order.id,
            object: "order",
            number: &order.number,
            version: order.version,
            channel: &order.channel,
            external_id: order.external_id.as_deref(),
            origin: order.origin,
            status: order.status,
            status_reason: order.status_reason.as_deref(),
            payment_status: order.payment_status,
            allocation_status: order.allocation_status,
            fulfillment_status: order.fulfillment_status,
            currency: order.currency,
            prices_include_tax: order.prices_include_tax,
            on_shortage: order.on_shortage,
            priority: order.priority,
            total: order.total,
            canceled_amount: order.canceled_amount,
            authorized: authorized(case),
            captured: captured(case),
            refunded: refunded(case),
            balance_due: balance_due(case),
            promised_ship_by: promised,
            late_since: order.late_since,
            customer,
            ship_to,
            note: order.note.as_ref().and_then(|sealed| vault?.open_sealed::<String>(sealed)),
            notify: order.notify,
            lines: &order.lines,
            charges: &order.charges,
            payments: &case.payments,
            refunds: &case.refunds,
            fulfillments: &case.fulfillments,
            returns: &case.returns,
            notifications: &case.notifications,
            metadata: &order.metadata,
            created_at: order.created_at,
            updated_at: order.updated_at,
            closed_at: order.closed_at,
        }
    }
}

/// Without what only the vault can open.
pub fn order_view_sealed(case: &Case) -> Value {
    serde_json::to_value(OrderView::of(case, None)).expect("entities serialize")
}

/// As [`OrderView`], for lists and what is changed before it is sent.
pub fn order_view(case: &Case, vault: &Vault) -> Value {
    serde_json::to_value(OrderView::new(case, vault)).expect("entities serialize")
}

/// What was sealed, or an empty object once the customer is erased.
fn opened(vault: Option<&Vault>, sealed: Option<&Sealed>) -> Value {
    let view = sealed.and_then(|sealed| vault?.open_sealed::<Value>(sealed));
    view.filter(Value::is_object).unwrap_or_else(|| json!({}))
}

#[derive(Serialize)]
struct LineView<'a> {
    id: LineId,
    external_id: Option<&'a str>,
    sku: &'a Sku,
    name: &'a str,
    ordered: Quantity,
    allocated: Quantity,
    backordered: Quantity,
    shipped: Quantity,
    canceled: Quantity,
    returned: Quantity,
    unit_price: Amount,
    discount: Amount,
    tax: Amount,
    total: Amount,
    promised_ship_by: Option<Date>,
    promise_source: Option<String>,
    ships_from: Option<Timestamp>,
    /// Of a kit.
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<&'a [Part]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocations: Option<&'a [Allocation]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backorders: Option<&'a [Backorder]>,
}

fn lines<S: Serializer>(lines: &[Line], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lines.iter().map(line_view))
}

fn line_view(line: &Line) -> LineView<'_> {
    let is_kit = line.parts.len() > 1 || line.parts.first().is_some_and(|part| part.sku != line.sku);
    let only = line.parts.first().filter(|_| !is_kit);
    LineView {
        id: line.id,
        external_id: line.external_id.as_deref(),
        sku: &line.sku,
        name: &line.name,
        ordered: line.ordered,
        allocated: line.allocated(),
        backordered: line.backordered(),
        shipped: line.shipped(),
        canceled: line.canceled,
        returned: line.returned(),
        unit_price: line.unit_price,
        discount: line.discount,
        tax: line.tax,
        total: line.total,
        promised_ship_by: line.promise.as_ref().map(|promise| promise.ship_by),
        promise_source: line.promise.as_ref().map(source),
        ships_from: line.ships_from,
        components: is_kit.then_some(line.parts.as_slice()),
        allocations: only.map(|part| part.allocations.as_slice()),
        backorders: only.map(|part| part.backorders.as_slice()),
    }
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

#[derive(Serialize)]
struct FulfillmentView<'a> {
    object: &'static str,
    order: OrderId,
    #[serde(flatten)]
    work: &'a Fulfillment,
}

fn fulfillments<S: Serializer>(work: &[Fulfillment], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(work.iter().map(|work| FulfillmentView { object: "fulfillment", order: work.id.order, work }))
}

pub fn fulfillment_view(work: &Fulfillment) -> Value {
    serde_json::to_value(FulfillmentView { object: "fulfillment", order: work.id.order, work }).expect("entities serialize")
}
