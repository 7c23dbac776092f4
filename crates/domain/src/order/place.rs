//! Placement: everything about an order is decided at once, with the numbers that decided it.

use super::index::claim_of;
use super::promise::Promises;
use super::sourcing::{self, Plan, Take, of_line};
use super::{AllocationStatus, Charge, FulfillmentStatus, Line, LineKind, Order, OrderStatus, Origin, Part, PaymentStatus, check};
use crate::catalog::{BackorderCap, Channel, ChannelKind, Item, ItemKind, ItemStatus, Shortage};
use crate::command::order::{PlaceCharge, PlaceLine, PlaceOrder};
use crate::event::Event;
use crate::event::order::{
    BackorderedLine, CanceledLine, OrderAllocated, OrderBackordered, OrderCanceled, OrderImported, OrderPlaced, OrderRejected,
};
use crate::event::stock::{HeldLine, HoldConsumed, Shorted, StockAllocated, StockBackordered, StockLine, StockShorted};
use crate::id::{ChargeId, LineId, LocationCode, OrderId, Sku};
use crate::limits;
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::{FIRST_ORDER_NUMBER, State};
use crate::stock::LevelAfter;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::collections::BTreeMap;

pub(crate) fn place(state: &State, cx: &Context, command: PlaceOrder) -> Result<Vec<Event>, Rejection> {
    check_repeat(state, &command)?;
    if let Some(buyer) = &command.customer {
        state.customer_here(buyer.id)?;
    }
    preview(state, cx, command)
}

fn check_repeat(state: &State, command: &PlaceOrder) -> Result<(), Rejection> {
    if let Some(external_id) = &command.external_id
        && let Some(order) = state.order_by_external_id(&command.channel, external_id)
    {
        let same = state.case(order)?.order.content == command.content;
        return Err(if same {
            Rejection::OrderRepeated { order }
        } else {
            Rejection::OrderExists { order, external_id: external_id.clone() }
        });
    }
    Ok(())
}

/// History goes down on hand at once; nothing else follows.
pub(crate) fn import(state: &State, cx: &Context, command: PlaceOrder, location: LocationCode) -> Result<Vec<Event>, Rejection> {
    check_repeat(state, &command)?;
    if command.origin != Origin::Import || command.placed_at.is_none() {
        return Err(Rejection::invalid("placed_at", "history needs the time at which it was placed"));
    }
    state.catalog.locations.get(&location).ok_or_else(|| Rejection::not_found("location", &location))?;
    let channel = state.catalog.channels.get(&command.channel).ok_or_else(|| Rejection::not_found("channel", &command.channel))?;
    let order = build(state, cx, channel, OrderId(state.counters().order + 1), command)?;
    let mut demand: BTreeMap<&Sku, u64> = BTreeMap::new();
    for part in order.parts() {
        *demand.entry(&part.sku).or_default() += u64::from(part.ordered.get());
    }
    for (sku, wanted) in demand {
        let free = state.stock.level(sku, &location).map(|level| level.unclaimed()).unwrap_or_default();
        if wanted > u64::from(free.get()) {
            let wanted = Quantity::new(u32::try_from(wanted).unwrap_or(u32::MAX));
            let (index, external_id, restock_expected_on) = (0, None, None);
            let short = Shorted { index, external_id, sku: sku.clone(), wanted, available: free, restock_expected_on };
            return Err(Rejection::InsufficientStock { order: None, lines: vec![short] });
        }
    }
    let units = order.lines.iter().enumerate().flat_map(|(at, line)| {
        let location = &location;
        line.parts.iter().enumerate().map(move |(index, part)| (at, index, location.clone(), part.ordered))
    });
    let lines = lines_of(&order, units);
    Ok(vec![Box::new(OrderImported { order, location, lines }).into()])
}

/// The events of a placement, `order.placed` first, without looking at repeats.
///
/// # Errors
/// As placing does.
pub fn preview(state: &State, cx: &Context, command: PlaceOrder) -> Result<Vec<Event>, Rejection> {
    let channel = state.catalog.channels.get(&command.channel).ok_or_else(|| Rejection::not_found("channel", &command.channel))?;
    if !channel.active {
        return Err(Rejection::wrong_status("channel", &command.channel, "inactive", "active"));
    }
    let id = OrderId(state.counters().order + 1);
    let order = build(state, cx, channel, id, command)?;
    let plan = sourcing::plan(state, channel, order.ship_to.as_ref(), order.hold_owner.as_deref(), &order.lines);
    Ok(settle_plan(state, cx, channel, order, plan))
}

fn settle_plan(state: &State, cx: &Context, channel: &Channel, mut order: Order, mut plan: Plan) -> Vec<Event> {
    let id = order.id;
    let shorts = shorted(state, &order, &plan);
    let capped = exceeds_cap(state, channel, &order, &plan);
    let empty = order.on_shortage == Shortage::Partial && nothing_is_there(&order.lines, &plan);
    let policy = if capped || empty { Shortage::Reject } else { order.on_shortage };
    if policy == Shortage::Partial {
        leave_parts_of_canceled_kits(&order.lines, &mut plan);
    }
    let Some(winner) = plan.winner.clone().filter(|_| plan.short.is_empty() || policy != Shortage::Reject) else {
        let nothing_to_take = order.lines.iter().all(|line| line.parts.is_empty());
        if !nothing_to_take {
            return rejected(order, plan, shorts);
        }
        return placed(order, plan, Vec::new());
    };
    let mut events = consumed(state, &order);
    let allocated = lines_of(&order, plan.takes.iter().map(|take| (take.line, take.part, take.location.clone(), take.quantity)));
    if !allocated.is_empty() {
        events.push(StockAllocated { order: id, from_backorder: false, lines: allocated }.into());
    }
    let shorted_event = (!shorts.is_empty()).then(|| Event::from(StockShorted { order: id, lines: shorts }));
    events.extend(shorted_event);
    if policy == Shortage::Partial && !plan.short.is_empty() {
        events.push(cancel_short(&order, &plan));
    } else {
        let short = plan.short.iter().map(|((line, part), quantity)| (*line, *part, winner.clone(), *quantity));
        let backordered = lines_of(&order, short);
        if !backordered.is_empty() {
            events.push(StockBackordered { order: id, lines: backordered }.into());
        }
    }
    promise_lines(state, cx, &mut order, &plan, policy, &winner);
    let waiting: Vec<BackorderedLine> = if policy == Shortage::Partial { Vec::new() } else { waiting(state, &order, &plan, &winner) };
    events.push(match waiting.is_empty() {
        true => OrderAllocated { order: id }.into(),
        false => OrderBackordered { order: id, lines: waiting }.into(),
    });
    placed(order, plan, events)
}

/// The placement first, then what it brings about.
fn placed(order: Order, plan: Plan, mut events: Vec<Event>) -> Vec<Event> {
    events.insert(0, Box::new(OrderPlaced { order, sourcing: Some(plan.sourcing) }).into());
    events
}

fn rejected(order: Order, plan: Plan, lines: Vec<Shorted>) -> Vec<Event> {
    let id = order.id;
    let shorted = StockShorted { order: id, lines }.into();
    let reason = SmolStr::new_static("insufficient_stock");
    placed(order, plan, vec![shorted, OrderRejected { order: id, reason }.into()])
}

/// The owner's holds end with the order: what it needs is allocated from them.
fn consumed(state: &State, order: &Order) -> Vec<Event> {
    let holds = order.hold_owner.as_deref().into_iter().flat_map(|owner| state.stock.holds_of(owner));
    holds
        .map(|hold| {
            let lines = hold.lines.iter().map(|line| HeldLine { line: line.clone(), level: LevelAfter::default() }).collect();
            HoldConsumed { hold: hold.id, order: order.id, lines }.into()
        })
        .collect()
}

pub(super) fn lines_of(order: &Order, units: impl Iterator<Item = (usize, usize, LocationCode, Quantity)>) -> Vec<StockLine> {
    units
        .map(|(line, part, location, quantity)| StockLine {
            line: order.lines[line].id,
            part: u16::try_from(part).expect("kits have few parts"),
            sku: order.lines[line].parts[part].sku.clone(),
            location,
            quantity,
            level: LevelAfter::default(),
        })
        .collect()
}

/// Line units that a plan does not cover.
fn short_units(lines: &[Line], short: &BTreeMap<(usize, usize), Quantity>) -> BTreeMap<usize, Quantity> {
    let mut units: BTreeMap<usize, Quantity> = BTreeMap::new();
    for ((at, part), quantity) in short {
        let per_unit = lines[*at].parts[*part].per_unit.get();
        let short = Quantity::new(quantity.get().div_ceil(per_unit));
        let known = units.entry(*at).or_default();
        *known = (*known).max(short);
    }
    units
}

fn shorted(state: &State, order: &Order, plan: &Plan) -> Vec<Shorted> {
    let mut lines = short_lines(&order.lines, &plan.short);
    for line in &mut lines {
        line.restock_expected_on = next_expected(state, &line.sku, plan);
    }
    lines
}

/// What is missing of each line, without the dates of what is on its way.
pub(super) fn short_lines(lines: &[Line], short: &BTreeMap<(usize, usize), Quantity>) -> Vec<Shorted> {
    short_units(lines, short)
        .into_iter()
        .map(|(at, short)| Shorted {
            index: u16::try_from(at).expect("bounded by ORDER_LINES_MAX"),
            external_id: lines[at].external_id.clone(),
            sku: lines[at].sku.clone(),
            wanted: lines[at].ordered,
            available: lines[at].ordered.saturating_sub(short),
            restock_expected_on: None,
        })
        .collect()
}

fn next_expected(state: &State, sku: &Sku, plan: &Plan) -> Option<crate::time::Date> {
    let levels = plan.sourcing.candidates.iter().filter_map(|candidate| state.stock.level(sku, &candidate.location));
    levels.filter_map(|level| level.next_incoming()?.expected_on).min()
}

/// Not one unit of any goods can ship: there is no part of the order to keep.
fn nothing_is_there(lines: &[Line], plan: &Plan) -> bool {
    let short = short_units(lines, &plan.short);
    let goods = || lines.iter().enumerate().filter(|(_, line)| !line.parts.is_empty());
    goods().next().is_some() && goods().all(|(at, line)| short.get(&at).is_some_and(|short| *short >= line.ordered))
}

/// Kits that are canceled for want of one component need none of the others.
fn leave_parts_of_canceled_kits(lines: &[Line], plan: &mut Plan) {
    for (at, short) in short_units(lines, &plan.short) {
        for (index, part) in lines[at].parts.iter().enumerate() {
            let mut left = part.per_unit.checked_mul((lines[at].ordered - short).get()).expect("part of what was ordered");
            for take in plan.takes.iter_mut().filter(|take| (take.line, take.part) == (at, index)) {
                take.quantity = take.quantity.min(left);
                left -= take.quantity;
            }
        }
    }
    plan.takes.retain(|take| !take.quantity.is_zero());
}

/// `partial`: what is there ships, the rest is canceled in whole line units.
fn cancel_short(order: &Order, plan: &Plan) -> Event {
    let mut amount = Amount::ZERO;
    let lines = short_units(&order.lines, &plan.short)
        .into_iter()
        .map(|(at, quantity)| {
            let line = &order.lines[at];
            amount += line.total.portion(quantity.get(), line.ordered.get());
            CanceledLine { line: line.id, quantity }
        })
        .collect();
    OrderCanceled { order: order.id, reason: "insufficient_stock".into(), lines, closes: false, amount }.into()
}

fn exceeds_cap(state: &State, channel: &Channel, order: &Order, plan: &Plan) -> bool {
    if order.on_shortage == Shortage::Partial {
        return false;
    }
    let sold_already = channel.kind == ChannelKind::Marketplace;
    let mut short: BTreeMap<&Sku, u64> = BTreeMap::new();
    for ((line, part), quantity) in &plan.short {
        *short.entry(&order.lines[*line].parts[*part].sku).or_default() += u64::from(quantity.get());
    }
    short.into_iter().any(|(sku, wanted)| {
        let Some(item) = state.catalog.items.get(sku) else { return false };
        let levels = || plan.sourcing.candidates.iter().filter_map(|candidate| state.stock.level(sku, &candidate.location));
        let waiting: u64 = levels().map(|level| u64::from(level.backordered.get())).sum();
        let most = u64::from(limits::BACKORDERED_MAX);
        let cap = match item.backorder_cap {
            BackorderCap::None => 0,
            BackorderCap::Limit(cap) => u64::from(cap.get()),
            BackorderCap::UpToIncoming => levels().map(|level| u64::from(level.incoming().get())).sum(),
            BackorderCap::Unlimited => most,
        };
        waiting + wanted > if sold_already { most } else { cap.min(most) }
    })
}

/// Promises, from the claims as they will be.
fn promise_lines(state: &State, cx: &Context, order: &mut Order, plan: &Plan, policy: Shortage, winner: &LocationCode) {
    let short: Vec<Take> = match policy {
        Shortage::Partial => Vec::new(),
        Shortage::Reject | Shortage::Backorder | Shortage::Split => {
            let short = plan.short.iter();
            short.map(|((line, part), quantity)| Take { line: *line, part: *part, location: winner.clone(), quantity: *quantity }).collect()
        }
    };
    let mut promises = Promises::at(state, cx.now, claim_of(order));
    for (at, line) in order.lines.iter_mut().enumerate() {
        let (takes, short) = (of_line(&plan.takes, at), of_line(&short, at));
        line.promise = promises.planned(line, takes, short);
        line.ships_from = promises.ships_from(line, takes, short);
    }
}

fn waiting(state: &State, order: &Order, plan: &Plan, winner: &LocationCode) -> Vec<BackorderedLine> {
    short_units(&order.lines, &plan.short)
        .into_iter()
        .map(|(at, quantity)| {
            let line = &order.lines[at];
            let skus = line.parts.iter().map(|part| &part.sku);
            let days = skus.filter_map(|sku| state.stock.level(sku, winner)?.next_incoming()?.expected_on);
            BackorderedLine { line: line.id, quantity, expected_on: days.max() }
        })
        .collect()
}

fn build(state: &State, cx: &Context, channel: &Channel, id: OrderId, command: PlaceOrder) -> Result<Order, Rejection> {
    check::texts(&command)?;
    let count = command.lines.len();
    if count == 0 || count > limits::ORDER_LINES_MAX {
        let problem = format_smolstr!("has {count} lines; send 1 to {}", limits::ORDER_LINES_MAX);
        return Err(Rejection::invalid("lines", problem));
    }
    if command.charges.len() > limits::ORDER_CHARGES_MAX {
        return Err(Rejection::invalid("charges", format_smolstr!("send at most {}", limits::ORDER_CHARGES_MAX)));
    }
    if command.payments.len() > limits::ORDER_PAYMENTS_MAX {
        return Err(Rejection::invalid("payments", format_smolstr!("send at most {}", limits::ORDER_PAYMENTS_MAX)));
    }
    let mut strictest = command.on_shortage.unwrap_or(channel.on_shortage);
    let mut lines = Vec::with_capacity(count);
    for (at, line) in command.lines.into_iter().enumerate() {
        let item = state.catalog.items.get(&line.sku).ok_or_else(|| Rejection::not_found("item", &line.sku))?;
        if item.status == ItemStatus::Retired && command.origin == Origin::Live {
            return Err(Rejection::wrong_status("item", &line.sku, item.status, "active"));
        }
        strictest = strictest.min(item.on_shortage.unwrap_or(strictest));
        let n = u16::try_from(at + 1).expect("bounded by ORDER_LINES_MAX");
        lines.push(build_line(LineId { order: id, n }, item, line, at, command.prices_include_tax)?);
    }
    if channel.kind == ChannelKind::Marketplace {
        strictest = Shortage::Backorder;
    }
    let charges = build_charges(id, command.charges, command.prices_include_tax)?;
    let total = lines.iter().map(|line| line.total).chain(charges.iter().map(|charge| charge.total)).sum();
    check_total(|| "total".into(), command.total, total)?;
    Ok(Order {
        id,
        number: (FIRST_ORDER_NUMBER + id.0).to_smolstr(),
        version: 0,
        channel: command.channel,
        external_id: command.external_id,
        content: command.content,
        origin: command.origin,
        status: OrderStatus::Open,
        payment_status: PaymentStatus::None,
        allocation_status: AllocationStatus::None,
        fulfillment_status: FulfillmentStatus::Unfulfilled,
        status_reason: None,
        currency: command.currency,
        prices_include_tax: command.prices_include_tax,
        on_shortage: strictest,
        hold_owner: command.hold_owner,
        priority: command.priority,
        customer: command.customer,
        ship_to: command.ship_to,
        lines,
        charges,
        total,
        canceled_amount: Amount::ZERO,
        complete_after_days: state.catalog.settings().complete_after_days,
        late_since: None,
        announced: None,
        note: command.note,
        notify: command.notify,
        payment_token: command.payment_token,
        claimed_payments: command.payments,
        metadata: command.metadata,
        created_at: command.placed_at.filter(|_| command.origin == Origin::Import).unwrap_or(cx.now),
        updated_at: cx.now,
        closed_at: None,
    })
}

/// A line that an edit adds.
pub(super) fn line(state: &State, id: LineId, sent: PlaceLine, includes_tax: bool) -> Result<Line, Rejection> {
    let item = state.catalog.items.get(&sent.sku).ok_or_else(|| Rejection::not_found("item", &sent.sku))?;
    if item.status == ItemStatus::Retired {
        return Err(Rejection::wrong_status("item", &sent.sku, item.status, "active"));
    }
    build_line(id, item, sent, usize::from(id.n) - 1, includes_tax)
}

fn build_line(id: LineId, item: &Item, sent: PlaceLine, at: usize, includes_tax: bool) -> Result<Line, Rejection> {
    let quantity = sent.quantity.get();
    if quantity == 0 || quantity > limits::QUANTITY_MAX {
        return Err(Rejection::invalid(format!("lines[{at}].quantity"), format!("must be 1 to {}", limits::QUANTITY_MAX)));
    }
    for (field, amount) in [("unit_price", sent.unit_price), ("discount", sent.discount), ("tax", sent.tax)] {
        if amount.is_negative() || amount.get() > limits::AMOUNT_MAX {
            return Err(Rejection::invalid(format!("lines[{at}].{field}"), format!("must be 0 to {}", limits::AMOUNT_MAX)));
        }
    }
    let goods = sent.unit_price.checked_mul(quantity).filter(|goods| goods.get() <= limits::AMOUNT_MAX);
    let goods = goods.ok_or_else(|| Rejection::invalid(format!("lines[{at}].unit_price"), "is too large for this quantity"))?;
    let total = goods - sent.discount + if includes_tax { Amount::ZERO } else { sent.tax };
    if total.is_negative() {
        return Err(Rejection::invalid(format!("lines[{at}].discount"), "is larger than the line"));
    }
    check_total(|| format_smolstr!("lines[{at}].total"), sent.total, total)?;
    let (kind, parts) = parts(item, sent.quantity);
    Ok(Line {
        id,
        external_id: sent.external_id,
        sku: sent.sku,
        name: item.name.clone(),
        kind,
        ordered: sent.quantity,
        canceled: Quantity::ZERO,
        unit_price: sent.unit_price,
        discount: sent.discount,
        tax: sent.tax,
        total,
        parts,
        promise: None,
        ships_from: None,
    })
}

fn parts(item: &Item, ordered: Quantity) -> (LineKind, Vec<Part>) {
    let part = |sku: &Sku, per_unit: Quantity| Part {
        sku: sku.clone(),
        per_unit,
        ordered: per_unit.checked_mul(ordered.get()).unwrap_or(Quantity::new(u32::MAX)),
        allocations: Vec::new(),
        backorders: Vec::new(),
        shipped: Quantity::ZERO,
        canceled: Quantity::ZERO,
        returned: Quantity::ZERO,
    };
    match &item.kind {
        ItemKind::Stocked => (LineKind::Stocked, vec![part(&item.sku, Quantity::ONE)]),
        ItemKind::Service => (LineKind::Service, Vec::new()),
        ItemKind::Kit { components, split_kit } => {
            let parts = components.iter().map(|component| part(&component.sku, component.quantity)).collect();
            (LineKind::Kit { split_kit: *split_kit }, parts)
        }
    }
}

fn build_charges(order: OrderId, sent: Vec<PlaceCharge>, includes_tax: bool) -> Result<Vec<Charge>, Rejection> {
    let mut charges = Vec::with_capacity(sent.len());
    for (at, charge) in sent.into_iter().enumerate() {
        if charge.amount.get().abs() > limits::AMOUNT_MAX || charge.tax.get().abs() > limits::AMOUNT_MAX {
            return Err(Rejection::invalid(format!("charges[{at}].amount"), format!("must be within ± {}", limits::AMOUNT_MAX)));
        }
        let total = charge.amount + if includes_tax { Amount::ZERO } else { charge.tax };
        check_total(|| format_smolstr!("charges[{at}].total"), charge.total, total)?;
        let n = u16::try_from(at + 1).expect("bounded by ORDER_CHARGES_MAX");
        charges.push(Charge { id: ChargeId { order, n }, kind: charge.kind, amount: charge.amount, tax: charge.tax, total });
    }
    Ok(charges)
}

fn check_total(field: impl Fn() -> SmolStr, sent: Option<Amount>, computed: Amount) -> Result<(), Rejection> {
    match sent {
        Some(sent) if sent != computed => Err(Rejection::TotalMismatch { field: field(), sent, computed }),
        Some(_) | None => Ok(()),
    }
}
