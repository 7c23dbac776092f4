//! Holds: stock reserved for a cart, always with an end.

use super::{Hold, HoldLine, HoldStatus, LevelAfter};
use crate::catalog::{Channel, ItemKind, LocationKind};
use crate::command::stock::{CreateHold, WantedLine};
use crate::event::Event;
use crate::event::stock::{HeldLine, HoldCreated, HoldExpired, HoldExtended, HoldReleased, Shorted};
use crate::id::{HoldId, LocationCode, Sku};
use crate::limits;
use crate::memory::Fetch;
use crate::order;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use std::collections::BTreeMap;

pub(super) fn create(state: &State, cx: &Context, command: CreateHold) -> Result<Vec<Event>, Rejection> {
    let CreateHold { owner, channel, ttl_ms, lines } = command;
    check_ttl(ttl_ms)?;
    if owner.is_empty() || owner.len() > limits::TEXT_BYTES_MAX {
        return Err(Rejection::invalid("owner", format!("must have 1 to {} bytes", limits::TEXT_BYTES_MAX)));
    }
    if lines.is_empty() || lines.len() > limits::STOCK_LINES_MAX {
        return Err(Rejection::invalid("lines", format!("send 1 to {}", limits::STOCK_LINES_MAX)));
    }
    let sells = match &channel {
        Some(code) => Some(state.catalog.channels.get(code).ok_or_else(|| Rejection::not_found("channel", code))?),
        None => None,
    };
    let mut free: BTreeMap<(Sku, LocationCode), u32> = BTreeMap::new();
    let mut budget: BTreeMap<Sku, u32> = BTreeMap::new();
    let (mut held, mut short) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        if line.quantity.is_zero() || line.quantity.get() > limits::QUANTITY_MAX {
            return Err(Rejection::invalid(format!("lines[{at}].quantity"), format!("must be 1 to {}", limits::QUANTITY_MAX)));
        }
        let mut missing = 0;
        for (sku, units) in expand(state, line)? {
            let places = places(state, sells, line.location.as_ref())?;
            fill_supply(state, sells, &sku, &mut free, &mut budget);
            let left = take(&sku, units, &places, &mut free, &mut budget, &mut held);
            missing = missing.max(left);
        }
        if missing > 0 {
            short.push(Shorted {
                index: u16::try_from(at).expect("bounded by STOCK_LINES_MAX"),
                external_id: None,
                sku: line.sku.clone(),
                wanted: line.quantity,
                available: line.quantity.saturating_sub(Quantity::new(missing)),
                restock_expected_on: None,
            });
        }
    }
    if !short.is_empty() {
        return Err(Rejection::InsufficientStock { order: None, lines: short });
    }
    let hold = HoldId(state.counters().hold + 1);
    let lines = merged(held);
    Ok(vec![HoldCreated { hold, owner, channel, expires_at: cx.now.plus_ms(ttl_ms), lines }.into()])
}

/// Components of a kit, or the SKU itself.
fn expand(state: &State, line: &WantedLine) -> Result<Vec<(Sku, u32)>, Rejection> {
    let item = state.catalog.items.get(&line.sku).ok_or_else(|| Rejection::not_found("item", &line.sku))?;
    match &item.kind {
        ItemKind::Stocked => Ok(vec![(line.sku.clone(), line.quantity.get())]),
        ItemKind::Service => Err(Rejection::invalid("sku", format!("{} is a service; it needs no hold", line.sku))),
        ItemKind::Kit { components, .. } => {
            let units = |quantity: Quantity| quantity.checked_mul(line.quantity.get()).map(Quantity::get);
            let parts = components.iter().map(|part| Some((part.sku.clone(), units(part.quantity)?))).collect::<Option<Vec<_>>>();
            parts.ok_or_else(|| Rejection::invalid("lines", "are too many units"))
        }
    }
}

fn places(state: &State, channel: Option<&Channel>, named: Option<&LocationCode>) -> Result<Vec<LocationCode>, Rejection> {
    if let Some(code) = named {
        state.catalog.locations.get(code).ok_or_else(|| Rejection::not_found("location", code))?;
        return Ok(vec![code.clone()]);
    }
    let mut known: Vec<_> = match channel {
        Some(channel) => order::locations(state, channel),
        None => {
            let all = state.catalog.locations.sorted().into_iter().map(|(_, location)| location.as_ref());
            all.filter(|location| location.active && location.kind != LocationKind::Supplier).collect()
        }
    };
    known.sort_by(|a, b| a.priority.cmp(&b.priority).then_with(|| a.code.cmp(&b.code)));
    Ok(known.into_iter().map(|location| location.code.clone()).collect())
}

fn fill_supply(
    state: &State,
    channel: Option<&Channel>,
    sku: &Sku,
    free: &mut BTreeMap<(Sku, LocationCode), u32>,
    budget: &mut BTreeMap<Sku, u32>,
) {
    if budget.contains_key(sku) {
        return;
    }
    let mut total = 0u32;
    for location in state.stock.locations_of(sku) {
        let available = state.stock.level(sku, location).map_or(0, |level| level.available().get());
        free.insert((sku.clone(), location.clone()), available);
        let sold_from = channel.is_none_or(|channel| channel.locations.is_empty() || channel.locations.contains(location));
        total = total.saturating_add(if sold_from { available } else { 0 });
    }
    let kept = channel.map_or(0, |channel| order::kept_back(channel.buffer, total));
    budget.insert(sku.clone(), total - kept);
}

/// One place that has all of it, otherwise each in turn. Returns what is missing.
fn take(
    sku: &Sku,
    units: u32,
    places: &[LocationCode],
    free: &mut BTreeMap<(Sku, LocationCode), u32>,
    budget: &mut BTreeMap<Sku, u32>,
    held: &mut Vec<HoldLine>,
) -> u32 {
    let budget = budget.get_mut(sku).expect("filled before");
    let mut left = units;
    let whole = places.iter().find(|place| free.get(&(sku.clone(), (*place).clone())).is_some_and(|free| *free >= units));
    for place in whole.into_iter().chain(places) {
        let Some(there) = free.get_mut(&(sku.clone(), place.clone())) else { continue };
        let taken = left.min(*there).min(*budget);
        if taken == 0 {
            continue;
        }
        *there -= taken;
        *budget -= taken;
        left -= taken;
        held.push(HoldLine { sku: sku.clone(), location: place.clone(), quantity: Quantity::new(taken) });
    }
    left
}

/// One line per SKU and location.
fn merged(held: Vec<HoldLine>) -> Vec<HeldLine> {
    let mut sums: BTreeMap<(Sku, LocationCode), Quantity> = BTreeMap::new();
    for line in held {
        *sums.entry((line.sku, line.location)).or_default() += line.quantity;
    }
    let lines = sums.into_iter().map(|((sku, location), quantity)| HoldLine { sku, location, quantity });
    lines.map(|line| HeldLine { line, level: LevelAfter::default() }).collect()
}

fn check_ttl(ttl_ms: i64) -> Result<(), Rejection> {
    if (limits::HOLD_TTL_MS_MIN..=limits::HOLD_TTL_MS_MAX).contains(&ttl_ms) {
        return Ok(());
    }
    let (min, max) = (limits::HOLD_TTL_MS_MIN / 1000, limits::HOLD_TTL_MS_MAX / 1000);
    Err(Rejection::invalid("ttl_seconds", format!("must be {min} to {max}")))
}

fn active(state: &State, id: HoldId) -> Result<&Hold, Rejection> {
    let hold = state.stock.holds.get(&id).ok_or_else(|| state.missing(Fetch::Hold(id), "hold"))?;
    if hold.status == HoldStatus::Active { Ok(hold) } else { Err(Rejection::wrong_status("hold", id, hold.status, "active")) }
}

fn lines(hold: &Hold) -> Vec<HeldLine> {
    hold.lines.iter().map(|line| HeldLine { line: line.clone(), level: LevelAfter::default() }).collect()
}

pub(super) fn extend(state: &State, cx: &Context, id: HoldId, ttl_ms: i64) -> Result<Vec<Event>, Rejection> {
    check_ttl(ttl_ms)?;
    active(state, id)?;
    Ok(vec![HoldExtended { hold: id, expires_at: cx.now.plus_ms(ttl_ms) }.into()])
}

pub(super) fn release(state: &State, id: HoldId) -> Result<Vec<Event>, Rejection> {
    Ok(vec![HoldReleased { hold: id, lines: lines(active(state, id)?) }.into()])
}

pub(super) fn expire(state: &State, cx: &Context, id: HoldId) -> Vec<Event> {
    match active(state, id) {
        Ok(hold) if hold.expires_at <= cx.now => vec![HoldExpired { hold: id, lines: lines(hold) }.into()],
        Ok(_) | Err(_) => Vec::new(),
    }
}
