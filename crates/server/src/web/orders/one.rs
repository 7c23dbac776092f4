//! One order: lines with their stock and promise, money, work, and a timeline in which each event names its cause and its actor.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::show::{self, Badge};
use super::super::tell;
use super::super::visit::{Frame, Visit};
use askama::Template;
use domain::Event;
use domain::event::order::Sourcing;
use domain::fulfillment::FulfillmentState;
use domain::id::OrderId;
use domain::money::Currency;
use domain::notification::DeliveryStatus;
use domain::order::{Case, Line, OrderStatus, PaymentStatus};
use domain::payment::{PaymentState, RefundStatus, authorized, balance_due, captured, refunded};
use domain::returns::ReturnStatus;
use domain::time::Timestamp;
use engine::EventRow;
use serde_json::Value;
use std::sync::Arc;

/// Lines of a fulfillment that its order shows; its own page has them all.
const WORK_LINES_MAX: usize = 8;

struct LineView {
    sku: String,
    href: String,
    name: String,
    ordered: String,
    price: String,
    total: String,
    /// Where its units are: `2 allocated`, `1 shipped`.
    parts: Vec<(Badge, String)>,
    promise: String,
    late: bool,
    source: String,
}

struct Work {
    id: String,
    href: String,
    location: String,
    badge: Badge,
    lines: Vec<(String, String)>,
    more: usize,
    detail: String,
    tracking: Option<(String, Option<String>)>,
    asked_back: bool,
}

struct MoneyRow {
    id: String,
    badge: Badge,
    amount: String,
    detail: String,
}

pub struct ReturnView {
    pub id: String,
    pub badge: Badge,
    pub lines: String,
    pub detail: String,
    /// What can be done to it: verb, path, whether the warehouse does it.
    pub steps: Vec<(&'static str, String, bool)>,
}

pub struct Told {
    pub seq: u64,
    pub name: String,
    pub detail: String,
    pub at: String,
    pub full: String,
    pub actor: String,
    /// Sequence and name of the event that brought it about.
    pub cause: Option<(u64, String)>,
}

struct Candidate {
    location: String,
    units: String,
    ranks: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    frame: Frame,
    id: String,
    number: String,
    badges: Vec<Badge>,
    about: String,
    reason: String,
    as_of: Option<String>,
    actions: Vec<(&'static str, String, bool)>,
    lines: Vec<LineView>,
    /// How many more lines there are than the page shows.
    hidden: usize,
    charges: Vec<(String, String)>,
    totals: Vec<(&'static str, String, bool)>,
    works: Vec<Work>,
    payments: Vec<MoneyRow>,
    refunds: Vec<MoneyRow>,
    returns: Vec<ReturnView>,
    mails: Vec<MoneyRow>,
    customer: Vec<String>,
    ship_to: Vec<String>,
    note: String,
    facts: Vec<(&'static str, String)>,
    decision: String,
    candidates: Vec<Candidate>,
    told: Vec<Told>,
}

pub async fn page(visit: Visit) -> Answer {
    let id: OrderId = visit.segment("id", "order")?;
    let as_of = visit.query.maybe("as_of", "Sequence")?.map(|seq| visit.recorded(seq)).transpose()?;
    let (case, events) = match as_of {
        None => (visit.case(id).await?, visit.read(move |reader| reader.timeline(id)).await?),
        Some(seq) => {
            let past = visit.read(move |reader| Ok((reader.case_as_of(id, seq)?, reader.timeline(id)?))).await?;
            let case = past.0.ok_or_else(|| Fault::not_found("order", &format!("{id} as of {seq}")))?;
            (Arc::new(case), past.1)
        }
    };
    let events: Vec<EventRow> = events.into_iter().filter(|event| as_of.is_none_or(|seq| event.seq <= seq)).collect();
    let live = as_of.is_none();
    let frame = visit.frame(format!("Order {}", case.order.number), "orders", if live { format!("order/{id}") } else { String::new() });
    visit.show(&view(&visit, frame, &case, &events, as_of))
}

fn view(visit: &Visit, frame: Frame, case: &Case, events: &[EventRow], as_of: Option<u64>) -> OrderPage {
    let (order, now) = (&case.order, visit.time());
    let mut badges = vec![show::order_status(order.status), show::payment_status(order.payment_status)];
    badges.extend([show::allocation_status(order.allocation_status), show::fulfillment_status(order.fulfillment_status)]);
    let shown = show::lines_shown(visit.query.some("all").is_some(), order.lines.len());
    let placed = events.iter().find_map(|event| sourcing(event, &case.order.id));
    let (decision, candidates) = placed.map_or_else(Default::default, |sourcing| candidates(case, sourcing));
    OrderPage {
        id: order.id.to_string(),
        number: order.number.to_string(),
        badges,
        about: format!("Placed {} over {}", show::moment(order.created_at), order.channel),
        reason: order.status_reason.as_deref().unwrap_or_default().replace('_', " "),
        as_of: as_of.map(|seq| seq.to_string()),
        actions: if as_of.is_none() { actions(&frame, case) } else { Vec::new() },
        lines: order.lines.iter().take(shown).map(|line| line_view(case, line, now)).collect(),
        hidden: order.lines.len() - shown,
        charges: order.charges.iter().map(|charge| (show::words(&charge.kind), show::money(charge.total, order.currency))).collect(),
        totals: totals(case),
        works: case.fulfillments.iter().map(|work| work_view(work, now)).collect(),
        payments: payments(case, now),
        refunds: refunds(case, now),
        mails: mails(case, now),
        returns: case.returns.iter().map(|back| return_view(back, now)).collect(),
        customer: personal(visit, order.customer.as_ref().and_then(|buyer| buyer.details.as_ref()), &["name", "email", "phone"]),
        ship_to: ship_to(visit, case),
        note: order.note.as_ref().and_then(|sealed| visit.shop().vault.open_sealed(sealed)).unwrap_or_default(),
        facts: facts(case),
        decision,
        candidates,
        told: told(events, order.currency),
        frame,
    }
}

/// What may be done now; what the rules would refuse anyway is left out.
fn actions(frame: &Frame, case: &Case) -> Vec<(&'static str, String, bool)> {
    let (order, may) = (&case.order, frame.may);
    let path = |verb: &str| format!("/orders/{}/{verb}", order.id);
    let open = !order.is_closed();
    let left = order
        .lines
        .iter()
        .any(|line| line.parts.iter().any(|part| !part.open().is_zero()) || line.parts.is_empty() && line.canceled < line.ordered);
    let failed = matches!(order.payment_status, PaymentStatus::Failed | PaymentStatus::Expired | PaymentStatus::Voided)
        || case.payments.iter().any(|payment| payment.status == PaymentState::Authorized && payment.failure.is_some());
    let started = case.fulfillments.iter().any(|work| {
        matches!(
            work.status,
            FulfillmentState::Picking | FulfillmentState::Packed | FulfillmentState::Shipped | FulfillmentState::Delivered
        )
    });
    let shipped = order.lines.iter().any(|line| !line.shipped().is_zero());
    let refundable = captured(case) > refunded(case);
    let mut actions = Vec::new();
    let mut offer = |wanted: bool, label: &'static str, verb: &str, main: bool| {
        if wanted {
            actions.push((label, path(verb), main));
        }
    };
    offer(may.operate && order.status == OrderStatus::OnHold, "Release", "release", true);
    offer(may.sell && open && failed, "Try payment again", "pay", true);
    // What is authorized is captured when it ships: paying it beside would take it twice.
    let unpaid = balance_due(case).get() > 0 && domain::payment::authorized(case) < case.order.owed();
    offer(may.operate && open && unpaid && case.effects.is_empty(), "Mark paid", "mark-paid", false);
    offer(may.operate && order.status == OrderStatus::Open, "Hold", "hold", false);
    offer(may.operate && open && !started, "Edit", "edit", false);
    offer(may.operate && refundable, "Refund", "refund", false);
    offer(may.sell && shipped, "Return", "return", false);
    offer(may.sell && open && left, "Cancel", "cancel", false);
    actions
}

fn line_view(case: &Case, line: &Line, now: Timestamp) -> LineView {
    let order = &case.order;
    let units = |quantity: domain::quantity::Quantity| quantity.get().to_string();
    let mut parts = Vec::new();
    let mut part = |quantity: domain::quantity::Quantity, tone: &'static str, icon: &'static str, label: &'static str| {
        if !quantity.is_zero() {
            parts.push((Badge { tone, icon, label }, units(quantity)));
        }
    };
    part(line.allocated(), "info", "full", "allocated");
    part(line.backordered(), "warn", "half", "backordered");
    part(line.shipped(), "ok", "truck", "shipped");
    part(line.canceled, "idle", "cross", "canceled");
    part(line.returned(), "idle", "back", "returned");
    let waits = line.parts.iter().any(|part| !part.open().is_zero());
    let promise = line.promise.as_ref();
    LineView {
        sku: line.sku.to_string(),
        href: show::stock_path(line.sku.as_str()),
        name: line.name.to_string(),
        ordered: units(line.ordered),
        price: show::money(line.unit_price, order.currency),
        total: show::money(line.total, order.currency),
        parts,
        promise: promise.map_or_else(String::new, |promise| show::day(promise.ship_by)),
        late: waits && !order.is_closed() && promise.is_some_and(|promise| promise.ship_by < now.utc_date()),
        source: promise.map_or_else(String::new, |promise| tell::source(&promise.source)),
    }
}

fn totals(case: &Case) -> Vec<(&'static str, String, bool)> {
    let order = &case.order;
    let text = |amount| show::money(amount, order.currency);
    let mut rows = vec![("Total", text(order.total), true)];
    let mut add = |label, amount: domain::money::Amount| {
        if !amount.is_zero() {
            rows.push((label, text(amount), false));
        }
    };
    add("Canceled", order.canceled_amount);
    add("Authorized", authorized(case));
    add("Captured", captured(case));
    add("Refunded", refunded(case));
    rows.push(("Balance due", text(balance_due(case)), true));
    rows
}

fn work_view(work: &domain::fulfillment::Fulfillment, now: Timestamp) -> Work {
    let detail = match (work.delivered_at, work.shipped_at) {
        (Some(at), _) => format!("delivered {}", show::moment(at)),
        (None, Some(at)) => format!("shipped {}", show::moment(at)),
        (None, None) if work.status.is_over() => String::new(),
        (None, None) => format!("released {} ago", show::age(work.created_at, now)),
    };
    let shipment = work.shipment.as_ref();
    let number = shipment.and_then(|shipment| shipment.tracking_number.as_ref());
    let url = shipment.and_then(|shipment| shipment.tracking_url.as_ref()).filter(|url| url.starts_with("https://"));
    let carrier = shipment.and_then(|shipment| shipment.carrier.as_deref()).unwrap_or_default();
    Work {
        id: work.id.to_string(),
        href: format!("/fulfillment/{}", work.id),
        location: work.location.to_string(),
        badge: show::work_state(work.status),
        lines: work.lines.iter().take(WORK_LINES_MAX).map(|line| (line.quantity.to_string(), line.sku.to_string())).collect(),
        more: work.lines.len().saturating_sub(WORK_LINES_MAX),
        detail,
        tracking: number.map(|number| (format!("{carrier} {number}").trim().to_owned(), url.map(ToString::to_string))),
        asked_back: work.cancel_requested,
    }
}

fn payments(case: &Case, now: Timestamp) -> Vec<MoneyRow> {
    let badge = |tone, icon, label| Badge { tone, icon, label };
    let rows = case.payments.iter().map(|payment| {
        let state = match payment.status {
            PaymentState::Requested => badge("warn", "clock", "Requested"),
            PaymentState::Authorized => badge("info", "half", "Authorized"),
            PaymentState::Captured if payment.may_capture_more() => badge("info", "half", "Captured in part"),
            PaymentState::Captured => badge("ok", "check", "Captured"),
            PaymentState::Refunded => badge("idle", "back", "Refunded"),
            PaymentState::Failed => badge("bad", "alert", "Failed"),
            PaymentState::Voided => badge("idle", "cross", "Voided"),
            PaymentState::Expired => badge("bad", "clock", "Expired"),
        };
        let mut detail = vec![payment.gateway.to_string()];
        detail.extend(payment.reference.as_ref().map(ToString::to_string));
        detail.extend(payment.failure.as_ref().map(|why| why.replace('_', " ")));
        if payment.status == PaymentState::Authorized {
            detail.extend(payment.expires_at.map(|at| format!("until {}", show::moment(at))));
        }
        if payment.status == PaymentState::Captured && payment.may_capture_more() {
            detail.push(format!("of {}", show::money(payment.authorized, case.order.currency)));
        }
        detail.push(show::age(payment.created_at, now));
        MoneyRow {
            id: payment.id.to_string(),
            badge: state,
            amount: show::money(standing(payment), case.order.currency),
            detail: detail.join(" · "),
        }
    });
    rows.collect()
}

/// The amount that the badge speaks of.
fn standing(payment: &domain::payment::Payment) -> domain::money::Amount {
    match payment.status {
        PaymentState::Captured => payment.captured,
        PaymentState::Refunded => payment.refunded,
        PaymentState::Authorized => payment.authorized,
        PaymentState::Requested | PaymentState::Failed | PaymentState::Voided | PaymentState::Expired => payment.amount,
    }
}

fn refunds(case: &Case, now: Timestamp) -> Vec<MoneyRow> {
    let rows = case.refunds.iter().map(|refund| {
        let badge = match refund.status {
            RefundStatus::Requested => Badge { tone: "warn", icon: "clock", label: "Requested" },
            RefundStatus::Refunded => Badge { tone: "ok", icon: "check", label: "Refunded" },
            RefundStatus::Failed => Badge { tone: "bad", icon: "alert", label: "Failed" },
        };
        let why = refund.failure.as_ref().or(refund.reason.as_ref()).map_or_else(String::new, |why| why.replace('_', " "));
        let detail = [why, show::age(refund.created_at, now)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
        MoneyRow { id: refund.id.to_string(), badge, amount: show::money(refund.amount, case.order.currency), detail }
    });
    rows.collect()
}

fn mails(case: &Case, now: Timestamp) -> Vec<MoneyRow> {
    let badge = |tone, icon, label| Badge { tone, icon, label };
    let rows = case.notifications.iter().rev().map(|mail| {
        let state = match mail.delivery.status {
            DeliveryStatus::Requested => badge("idle", "clock", "To be sent"),
            DeliveryStatus::Started => badge("info", "half", "Being sent"),
            DeliveryStatus::Deferred => badge("warn", "clock", "Tried again later"),
            DeliveryStatus::Sent => badge("ok", "check", "Sent"),
            DeliveryStatus::Failed => badge("bad", "alert", "Failed"),
            DeliveryStatus::InDoubt => badge("warn", "alert", "In doubt"),
            DeliveryStatus::Suppressed => badge("idle", "dash", "Not sent"),
        };
        let topics: Vec<String> = mail.topics.iter().map(|topic| show::words(topic.kind().as_str())).collect();
        let why = mail.delivery.failure.as_ref().map(|failure| failure.message.to_string());
        let at = Some(show::age(mail.delivery.ended_at.unwrap_or(mail.delivery.requested_at), now));
        let detail = [why, at].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        MoneyRow { id: mail.id.to_string(), badge: state, amount: topics.join(", "), detail }
    });
    rows.collect()
}

pub fn return_view(back: &domain::returns::Return, now: Timestamp) -> ReturnView {
    let path = |verb: &str| format!("/returns/{}/{verb}", back.id);
    let (badge, steps) = match back.status {
        ReturnStatus::Requested => (
            Badge { tone: "warn", icon: "ring", label: "Requested" },
            vec![("Approve", path("approve"), false), ("Reject", path("reject"), false)],
        ),
        ReturnStatus::Approved => (Badge { tone: "info", icon: "half", label: "Approved" }, vec![("Receive", path("receive"), true)]),
        ReturnStatus::Received => (
            Badge { tone: "info", icon: "full", label: "Received" },
            vec![("Receive more", path("receive"), true), ("Close", path("close"), true)],
        ),
        ReturnStatus::Closed => (Badge { tone: "ok", icon: "check", label: "Closed" }, Vec::new()),
        ReturnStatus::Rejected => (Badge { tone: "idle", icon: "cross", label: "Rejected" }, Vec::new()),
    };
    let lines: Vec<String> =
        back.lines.iter().map(|line| format!("{} × {} ({} arrived)", line.quantity, line.sku, line.arrived())).collect();
    let detail = format!("{} · {}", back.reason.as_deref().unwrap_or("no reason given").replace('_', " "), show::age(back.created_at, now));
    ReturnView { id: back.id.to_string(), badge, lines: lines.join(", "), detail, steps }
}

fn personal(visit: &Visit, sealed: Option<&domain::text::Sealed>, names: &[&str]) -> Vec<String> {
    let opened = sealed.and_then(|sealed| visit.shop().vault.open_sealed::<Value>(sealed)).unwrap_or(Value::Null);
    names.iter().filter_map(|name| opened[*name].as_str()).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

pub fn ship_to(visit: &Visit, case: &Case) -> Vec<String> {
    let Some(to) = &case.order.ship_to else { return Vec::new() };
    let mut lines = personal(visit, to.details.as_ref(), &["name", "company", "line1", "line2"]);
    let place = personal(visit, to.details.as_ref(), &["postal_code", "city"]).join(" ");
    lines.extend(Some(place).filter(|place| !place.is_empty()));
    lines.push(
        [to.region.as_deref().unwrap_or_default(), to.country.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
    );
    lines
}

fn facts(case: &Case) -> Vec<(&'static str, String)> {
    let order = &case.order;
    let mut facts = vec![("Id", order.id.to_string()), ("Version", order.version.to_string())];
    facts.extend(order.external_id.as_ref().map(|id| ("External id", id.to_string())));
    facts.push(("When short", format!("{:?}", order.on_shortage).to_lowercase()));
    if order.priority != 0 {
        facts.push(("Priority", order.priority.to_string()));
    }
    facts
}

/// The reasoning that stands in the placement.
fn sourcing(event: &EventRow, _order: &OrderId) -> Option<Sourcing> {
    if event.kind != "order.placed.v1" {
        return None;
    }
    let data: Value = serde_json::from_str(&event.data).ok()?;
    serde_json::from_value(data.get("sourcing")?.clone()).ok()
}

fn candidates(case: &Case, sourcing: Sourcing) -> (String, Vec<Candidate>) {
    let used = |code: &domain::id::LocationCode| {
        case.fulfillments.iter().any(|work| work.location == *code)
            || case.order.parts().any(|part| part.allocations.iter().any(|allocation| allocation.location == *code))
    };
    let rows = sourcing.candidates.iter().map(|candidate| Candidate {
        location: candidate.location.to_string(),
        units: candidate.units.to_string(),
        ranks: candidate.ranks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" · "),
        chosen: used(&candidate.location),
    });
    (sourcing.decision.to_string(), rows.collect())
}

/// Events with their causes by name, the newest first.
pub fn told(events: &[EventRow], currency: Currency) -> Vec<Told> {
    let name_of = |seq: u64| events.iter().find(|event| event.seq == seq).map(|event| show::event_name(&event.kind));
    let rows = events.iter().rev().map(|row| {
        let at = Timestamp(row.time);
        Told {
            seq: row.seq,
            name: show::event_name(&row.kind),
            detail: parse(row).map_or_else(String::new, |event| tell::detail(&event, currency)),
            at: show::second(at),
            full: at.to_string(),
            actor: row.actor.clone(),
            cause: row.cause.and_then(|seq| Some((seq, name_of(seq)?))),
        }
    });
    rows.collect()
}

/// The event of a row, when this version knows it.
pub fn parse(row: &EventRow) -> Option<Event> {
    serde_json::from_str(&format!("{{\"type\":\"{}\",\"data\":{}}}", row.kind, row.data)).ok()
}
