//! Holds: stock reserved for a cart, always with an end.

use super::{Hold, HoldLine, HoldStatus, LevelAfter};
use crate::catalog::{Channel, Component, ItemKind, ItemStatus, LocationKind};
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
    let mut supply = Supply { state, channel: sells, free: BTreeMap::new(), budget: BTreeMap::new() };
    let (mut held, mut short) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        if line.quantity.is_zero() || line.quantity.get() > limits::QUANTITY_MAX {
            return Err(Rejection::invalid(format!("lines[{at}].quantity"), format!("must be 1 to {}", limits::QUANTITY_MAX)));
        }
        let places = places(state, sells, line.location.as_ref(), at)?;
        let mut missing = 0;
        for piece in pieces(state, line)? {
            supply.look_at(&piece);
            missing = missing.max(supply.take(&piece, &places, &mut held));
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

/// What has to be held at one location together: a SKU, a whole kit, or one component of a kit that may be split.
struct Piece {
    /// SKU and units of it in one piece.
    parts: Vec<(Sku, u32)>,
    wanted: u32,
    /// Pieces in one unit of the line.
    per_line: u32,
}

fn pieces(state: &State, line: &WantedLine) -> Result<Vec<Piece>, Rejection> {
    let item = state.catalog.items.get(&line.sku).ok_or_else(|| Rejection::not_found("item", &line.sku))?;
    if item.status == ItemStatus::Retired {
        return Err(Rejection::wrong_status("item", &line.sku, item.status, "active"));
    }
    let wanted = line.quantity.get();
    let of = |part: &Component| (part.sku.clone(), part.quantity.get());
    let countable = |part: &Component| part.quantity.checked_mul(wanted).map(Quantity::get);
    match &item.kind {
        ItemKind::Stocked => Ok(vec![Piece { parts: vec![(line.sku.clone(), 1)], wanted, per_line: 1 }]),
        ItemKind::Service => Err(Rejection::invalid("sku", format!("{} is a service; it needs no hold", line.sku))),
        ItemKind::Kit { components, .. } if components.iter().any(|part| countable(part).is_none()) => {
            Err(Rejection::invalid("lines", "are too many units"))
        }
        ItemKind::Kit { components, split_kit: false } => {
            Ok(vec![Piece { parts: components.iter().map(of).collect(), wanted, per_line: 1 }])
        }
        ItemKind::Kit { components, split_kit: true } => {
            let single = |part: &Component| {
                let (sku, per_line) = of(part);
                Piece { parts: vec![(sku, 1)], wanted: wanted * per_line, per_line }
            };
            Ok(components.iter().map(single).collect())
        }
    }
}

/// Where a line may be held: at the location that it names, or anywhere that the channel sells from.
fn places(state: &State, channel: Option<&Channel>, named: Option<&LocationCode>, at: usize) -> Result<Vec<LocationCode>, Rejection> {
    let mut known: Vec<_> = match channel {
        Some(channel) => order::locations(state, channel),
        None => {
            let all = state.catalog.locations.sorted().into_iter().map(|(_, location)| location.as_ref());
            all.filter(|location| location.active && location.kind != LocationKind::Supplier).collect()
        }
    };
    if let Some(code) = named {
        state.catalog.locations.get(code).ok_or_else(|| Rejection::not_found("location", code))?;
        if !known.iter().any(|location| location.code == *code) {
            let problem = format!("{code} is no place that is sold from here");
            return Err(Rejection::invalid(format!("lines[{at}].location"), problem));
        }
        return Ok(vec![code.clone()]);
    }
    known.sort_by(|a, b| a.priority.cmp(&b.priority).then_with(|| a.code.cmp(&b.code)));
    Ok(known.into_iter().map(|location| location.code.clone()).collect())
}

/// What may still be held, and how much of each SKU the channel may sell in all.
struct Supply<'a> {
    state: &'a State,
    channel: Option<&'a Channel>,
    free: BTreeMap<(Sku, LocationCode), u32>,
    budget: BTreeMap<Sku, u32>,
}

impl Supply<'_> {
    fn look_at(&mut self, piece: &Piece) {
        for (sku, _) in &piece.parts {
            if self.budget.contains_key(sku) {
                continue;
            }
            let mut total = 0u32;
            for location in self.state.stock.locations_of(sku) {
                let available = self.state.stock.level(sku, location).map_or(0, |level| level.available().get());
                self.free.insert((sku.clone(), location.clone()), available);
                total = total.saturating_add(available);
            }
            let budget = self.channel.map_or(total, |channel| super::query::units(self.state, channel, sku).get());
            self.budget.insert(sku.clone(), budget);
        }
    }

    fn units(&self, piece: &Piece, place: &LocationCode) -> u32 {
        let of_part = |(sku, per): &(Sku, u32)| {
            let free = self.free.get(&(sku.clone(), place.clone())).copied().unwrap_or(0);
            free.min(self.budget.get(sku).copied().unwrap_or(0)) / per
        };
        piece.parts.iter().map(of_part).min().unwrap_or(0)
    }

    /// One place that has all of it, otherwise each in turn. Returns how many units of the line are missing.
    fn take(&mut self, piece: &Piece, places: &[LocationCode], held: &mut Vec<HoldLine>) -> u32 {
        let mut left = piece.wanted;
        let whole = places.iter().find(|place| self.units(piece, place) >= left);
        for place in whole.into_iter().chain(places) {
            let taken = left.min(self.units(piece, place));
            if taken == 0 {
                continue;
            }
            left -= taken;
            for (sku, per) in &piece.parts {
                let units = taken * per;
                *self.free.get_mut(&(sku.clone(), place.clone())).expect("units() found it") -= units;
                *self.budget.get_mut(sku).expect("units() found it") -= units;
                held.push(HoldLine { sku: sku.clone(), location: place.clone(), quantity: Quantity::new(units) });
            }
        }
        left.div_ceil(piece.per_line)
    }
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
