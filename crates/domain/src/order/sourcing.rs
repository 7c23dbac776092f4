//! Where an order is sourced: locations ranked by the channel's rules, then taken from in that order.

use super::{Line, LineKind, ShipTo};
use crate::catalog::{Buffer, Channel, Location, LocationKind, SourcingRule};
use crate::event::order::{Candidate, Sourcing};
use crate::id::{LocationCode, Sku};
use crate::quantity::Quantity;
use crate::state::State;
use smol_str::format_smolstr;
use std::collections::BTreeMap;

/// Units of one part taken from one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Take {
    pub line: usize,
    pub part: usize,
    pub location: LocationCode,
    pub quantity: Quantity,
}

/// What sourcing found.
#[derive(Debug)]
pub(crate) struct Plan {
    pub takes: Vec<Take>,
    /// Units of each part that nobody has, by (line, part).
    pub short: BTreeMap<(usize, usize), Quantity>,
    /// Where backorders go; `None` when the channel has no location.
    pub winner: Option<LocationCode>,
    pub sourcing: Sourcing,
}

/// Parts that ship together: a whole kit, or one part alone.
struct Piece {
    line: usize,
    /// Index of the part and units of it in one unit of the piece.
    parts: Vec<(usize, Sku, u32)>,
    wanted: u32,
}

/// What may be taken, and how much of each SKU the channel may sell in all.
#[derive(Clone)]
struct Supply {
    free: BTreeMap<(Sku, LocationCode), u32>,
    budget: BTreeMap<Sku, u32>,
}

impl Supply {
    fn units(&self, piece: &Piece, location: &LocationCode) -> u32 {
        let of_part = |(_, sku, per): &(usize, Sku, u32)| {
            let free = self.free.get(&(sku.clone(), location.clone())).copied().unwrap_or(0);
            free.min(self.budget.get(sku).copied().unwrap_or(0)) / per
        };
        piece.parts.iter().map(of_part).min().unwrap_or(0).min(piece.wanted)
    }

    fn take(&mut self, piece: &Piece, location: &LocationCode, units: u32) {
        for (_, sku, per) in &piece.parts {
            let taken = units * per;
            *self.free.get_mut(&(sku.clone(), location.clone())).expect("units() found it") -= taken;
            *self.budget.get_mut(sku).expect("units() found it") -= taken;
        }
    }
}

/// Locations that a channel sells from, in the order of their codes.
pub(crate) fn locations<'a>(state: &'a State, channel: &Channel) -> Vec<&'a Location> {
    let codes = if channel.locations.is_empty() { state.catalog.locations.sorted_keys() } else { channel.locations.clone() };
    let mut found: Vec<&Location> = codes.iter().filter_map(|code| state.catalog.locations.get(code)).collect();
    found.retain(|location| location.active && location.kind != LocationKind::Supplier);
    found.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    found
}

/// Plans without writing. `hold_owner`'s own holds count as free: they are consumed at placement.
pub(crate) fn plan(state: &State, channel: &Channel, ship_to: Option<&ShipTo>, hold_owner: Option<&str>, lines: &[Line]) -> Plan {
    let pieces = pieces(lines);
    let locations = locations(state, channel);
    let mut supply = supply(state, channel, &locations, hold_owner, &pieces);
    let mut ranked: Vec<(Candidate, &Location)> = locations
        .iter()
        .map(|location| {
            let units = alone(&supply, &pieces, &location.code);
            let ranks = ranks(channel, location, ship_to, units);
            (Candidate { location: location.code.clone(), units: Quantity::new(units), ranks }, *location)
        })
        .collect();
    ranked.sort_by(|(a, _), (b, _)| a.ranks.cmp(&b.ranks).then_with(|| a.location.cmp(&b.location)));

    let mut takes = Vec::new();
    let mut short = BTreeMap::new();
    for mut piece in pieces {
        for (_, location) in &ranked {
            let units = supply.units(&piece, &location.code);
            if units == 0 {
                continue;
            }
            supply.take(&piece, &location.code, units);
            piece.wanted -= units;
            for (part, _, per) in &piece.parts {
                let quantity = Quantity::new(units * per);
                takes.push(Take { line: piece.line, part: *part, location: location.code.clone(), quantity });
            }
        }
        if piece.wanted > 0 {
            short.extend(piece.parts.iter().map(|(part, _, per)| ((piece.line, *part), Quantity::new(piece.wanted * per))));
        }
    }
    let winner = ranked.first().map(|(candidate, _)| candidate.location.clone());
    let sourcing = explain(channel, ranked.into_iter().map(|(candidate, _)| candidate).collect(), &takes, short.is_empty());
    Plan { takes, short, winner, sourcing }
}

fn pieces(lines: &[Line]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        match line.kind {
            LineKind::Service => {}
            LineKind::Stocked | LineKind::Kit { split_kit: false } => pieces.push(Piece {
                line: at,
                parts: line.parts.iter().enumerate().map(|(index, part)| (index, part.sku.clone(), part.per_unit.get())).collect(),
                wanted: (line.ordered - line.canceled).get(),
            }),
            LineKind::Kit { split_kit: true } => pieces.extend(line.parts.iter().enumerate().map(|(index, part)| Piece {
                line: at,
                parts: vec![(index, part.sku.clone(), 1)],
                wanted: (part.ordered - part.canceled).get(),
            })),
        }
    }
    pieces
}

fn supply(state: &State, channel: &Channel, locations: &[&Location], hold_owner: Option<&str>, pieces: &[Piece]) -> Supply {
    let mut supply = Supply { free: BTreeMap::new(), budget: BTreeMap::new() };
    for (_, sku, _) in pieces.iter().flat_map(|piece| &piece.parts) {
        if supply.budget.contains_key(sku) {
            continue;
        }
        let mut total = 0u32;
        for location in locations {
            let Some(level) = state.stock.level(sku, &location.code) else { continue };
            let own = own_held(state, hold_owner, sku, &location.code);
            let free = (level.unclaimed() + own).saturating_sub(level.safety_stock).get();
            total = total.saturating_add(free);
            supply.free.insert((sku.clone(), location.code.clone()), free);
        }
        supply.budget.insert(sku.clone(), total.saturating_sub(kept_back(channel.buffer, total)));
    }
    supply
}

/// Units that a channel's buffer keeps from `total`.
pub(crate) fn kept_back(buffer: Buffer, total: u32) -> u32 {
    match buffer {
        Buffer::None => 0,
        Buffer::Units(units) => units.get().min(total),
        Buffer::Percent(percent) => {
            let kept = (u64::from(total) * u64::from(percent)).div_ceil(100);
            u32::try_from(kept).unwrap_or(total).min(total)
        }
    }
}

fn own_held(state: &State, owner: Option<&str>, sku: &Sku, location: &LocationCode) -> Quantity {
    let Some(owner) = owner else { return Quantity::ZERO };
    let lines = state.stock.holds_of(owner).flat_map(|hold| &hold.lines);
    lines.filter(|line| line.sku == *sku && line.location == *location).map(|line| line.quantity).sum()
}

/// Units of the order that a location could ship alone.
fn alone(supply: &Supply, pieces: &[Piece], location: &LocationCode) -> u32 {
    let mut left = supply.clone();
    let mut units = 0u32;
    for piece in pieces {
        let taken = left.units(piece, location);
        if taken > 0 {
            left.take(piece, location, taken);
            units = units.saturating_add(taken);
        }
    }
    units
}

fn rules(channel: &Channel) -> &[SourcingRule] {
    const USUAL: &[SourcingRule] = &[SourcingRule::FewestSplits];
    if channel.sourcing.is_empty() { USUAL } else { &channel.sourcing }
}

fn ranks(channel: &Channel, location: &Location, ship_to: Option<&ShipTo>, units: u32) -> Vec<i64> {
    let mut ranks: Vec<i64> = rules(channel).iter().map(|rule| rank(rule, location, ship_to, units)).collect();
    ranks.push(i64::from(location.priority));
    ranks
}

fn rank(rule: &SourcingRule, location: &Location, ship_to: Option<&ShipTo>, units: u32) -> i64 {
    let far = |matches: bool| i64::from(!matches);
    match rule {
        SourcingRule::SameCountry => far(ship_to.is_some_and(|to| to.country == location.address.country)),
        SourcingRule::SameRegion => {
            far(ship_to
                .is_some_and(|to| to.country == location.address.country && to.region.is_some() && to.region == location.address.region))
        }
        SourcingRule::Prefer { country, region, locations } => {
            let applies = ship_to.is_some_and(|to| to.country == *country && (region.is_none() || to.region == *region));
            let place = locations.iter().position(|code| *code == location.code).filter(|_| applies);
            place.and_then(|at| i64::try_from(at).ok()).unwrap_or(i64::MAX)
        }
        SourcingRule::Priority => i64::from(location.priority),
        SourcingRule::FewestSplits => -i64::from(units),
        SourcingRule::Nearest => match (ship_to.and_then(|to| to.coordinates), location.coordinates) {
            (Some(to), Some(from)) => {
                let (dy, dx) = (i64::from(to.latitude) - i64::from(from.latitude), i64::from(to.longitude) - i64::from(from.longitude));
                dy * dy + dx * dx
            }
            (None, _) | (_, None) => i64::MAX,
        },
    }
}

fn explain(channel: &Channel, candidates: Vec<Candidate>, takes: &[Take], complete: bool) -> Sourcing {
    let mut used: Vec<&str> = takes.iter().map(|take| take.location.as_str()).collect();
    used.dedup();
    used.sort_unstable();
    used.dedup();
    let names: Vec<&str> = rules(channel)
        .iter()
        .map(|rule| match rule {
            SourcingRule::SameCountry => "same_country",
            SourcingRule::SameRegion => "same_region",
            SourcingRule::Prefer { .. } => "prefer",
            SourcingRule::Priority => "priority",
            SourcingRule::FewestSplits => "fewest_splits",
            SourcingRule::Nearest => "nearest",
        })
        .collect();
    let ships = if complete { "everything" } else { "what is there" };
    let decision = match (candidates.first(), used.is_empty()) {
        (None, _) => "the channel has no active location".into(),
        (Some(first), true) => format_smolstr!("nothing is there; {} ranks first by {}", first.location, names.join(", ")),
        (Some(_), false) => format_smolstr!("{} ships {ships}; ranked by {}, then priority", used.join(" + "), names.join(", ")),
    };
    Sourcing { candidates, decision }
}
