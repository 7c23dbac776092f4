//! Where an order is sourced: locations ranked by the channel's rules, then taken from in that order.

use super::{Line, LineKind, ShipTo};
use crate::catalog::{Buffer, Channel, Location, LocationKind, SourcingRule};
use crate::event::order::{Candidate, Sourcing};
use crate::id::{LocationCode, Sku};
use crate::quantity::Quantity;
use crate::state::State;
use std::collections::BTreeMap;
use std::ops::Range;

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

/// The takes of one line, which stand together: plans go line by line.
pub(crate) fn of_line(takes: &[Take], line: usize) -> &[Take] {
    let from = takes.partition_point(|take| take.line < line);
    let count = takes[from..].partition_point(|take| take.line == line);
    &takes[from..from + count]
}

/// Parts that ship together: a whole kit, or one part alone.
struct Piece {
    line: usize,
    /// Which of [`Demand::parts`] it consists of.
    parts: Range<usize>,
    wanted: u32,
}

struct PiecePart {
    /// Index of the part within its line.
    part: usize,
    /// Index of its SKU within [`Demand::skus`].
    sku: usize,
    /// Units of it in one unit of the piece.
    per: u32,
}

/// What is wanted, with each SKU named once and numbered: planning counts in plain arrays.
struct Demand<'a> {
    skus: Vec<&'a Sku>,
    parts: Vec<PiecePart>,
    pieces: Vec<Piece>,
}

impl<'a> Demand<'a> {
    fn of(lines: &'a [Line]) -> Self {
        let mut skus: Vec<&Sku> = lines.iter().flat_map(|line| &line.parts).map(|part| &part.sku).collect();
        skus.sort_unstable();
        skus.dedup();
        let mut demand = Self { skus, parts: Vec::with_capacity(lines.len()), pieces: Vec::with_capacity(lines.len()) };
        for (at, line) in lines.iter().enumerate() {
            match line.kind {
                LineKind::Service => {}
                LineKind::Stocked | LineKind::Kit { split_kit: false } => {
                    let from = demand.parts.len();
                    for (index, part) in line.parts.iter().enumerate() {
                        demand.part(index, &part.sku, part.per_unit.get());
                    }
                    let wanted = (line.ordered - line.canceled).get();
                    demand.pieces.push(Piece { line: at, parts: from..demand.parts.len(), wanted });
                }
                LineKind::Kit { split_kit: true } => {
                    for (index, part) in line.parts.iter().enumerate() {
                        let from = demand.parts.len();
                        demand.part(index, &part.sku, 1);
                        let wanted = (part.ordered - part.canceled).get();
                        demand.pieces.push(Piece { line: at, parts: from..from + 1, wanted });
                    }
                }
            }
        }
        demand
    }

    fn part(&mut self, part: usize, sku: &Sku, per: u32) {
        let sku = self.skus.binary_search(&sku).expect("every SKU of the lines was collected");
        self.parts.push(PiecePart { part, sku, per });
    }
}

/// What one location may give of each SKU, and how much of each the channel may sell in all; by the numbers of [`Demand::skus`].
fn units(parts: &[PiecePart], wanted: u32, free: &[u32], budget: &[u32]) -> u32 {
    parts.iter().map(|part| free[part.sku].min(budget[part.sku]) / part.per).min().unwrap_or(0).min(wanted)
}

fn take(parts: &[PiecePart], units: u32, free: &mut [u32], budget: &mut [u32]) {
    for part in parts {
        free[part.sku] -= units * part.per;
        budget[part.sku] -= units * part.per;
    }
}

/// Locations that a channel sells from, in the order of their codes.
pub(crate) fn locations<'a>(state: &'a State, channel: &Channel) -> Vec<&'a Location> {
    let codes = if channel.locations.is_empty() { state.catalog.locations.sorted_keys() } else { channel.locations.clone() };
    let mut found: Vec<&Location> = codes.iter().filter_map(|code| state.catalog.locations.get(code)).collect();
    found.retain(|location| location.active && location.kind != LocationKind::Supplier);
    found.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    found.dedup_by(|a, b| a.code == b.code);
    found
}

/// Plans without writing. `hold_owner`'s own holds count as free: they are consumed at placement.
pub(crate) fn plan(state: &State, channel: &Channel, ship_to: Option<&ShipTo>, hold_owner: Option<&str>, lines: &[Line]) -> Plan {
    let demand = Demand::of(lines);
    let locations = locations(state, channel);
    let mut supply: Vec<Vec<u32>> = locations.iter().map(|location| free(state, location, hold_owner, &demand)).collect();
    let mut budget = budget(channel, &supply, demand.skus.len());
    let mut ranked: Vec<(Candidate, usize)> = Vec::with_capacity(locations.len());
    for (at, location) in locations.iter().enumerate() {
        let units = alone(&demand, &supply[at], &budget);
        let ranks = ranks(channel, location, ship_to, units);
        ranked.push((Candidate { location: location.code.clone(), units: Quantity::new(units), ranks }, at));
    }
    ranked.sort_by(|(a, _), (b, _)| a.ranks.cmp(&b.ranks).then_with(|| a.location.cmp(&b.location)));

    let mut takes = Vec::with_capacity(demand.parts.len());
    let mut short = BTreeMap::new();
    for piece in &demand.pieces {
        let (parts, mut wanted) = (&demand.parts[piece.parts.clone()], piece.wanted);
        for (candidate, at) in &ranked {
            let free = &mut supply[*at];
            let units = units(parts, wanted, free, &budget);
            if units == 0 {
                continue;
            }
            take(parts, units, free, &mut budget);
            wanted -= units;
            for PiecePart { part, per, .. } in parts {
                let quantity = Quantity::new(units * per);
                takes.push(Take { line: piece.line, part: *part, location: candidate.location.clone(), quantity });
            }
        }
        if wanted > 0 {
            short.extend(parts.iter().map(|part| ((piece.line, part.part), Quantity::new(wanted * part.per))));
        }
    }
    let winner = ranked.first().map(|(candidate, _)| candidate.location.clone());
    let sourcing = explain(channel, ranked.into_iter().map(|(candidate, _)| candidate).collect(), &takes, short.is_empty());
    Plan { takes, short, winner, sourcing }
}

/// Units of each SKU that a location may give.
fn free(state: &State, location: &Location, hold_owner: Option<&str>, demand: &Demand) -> Vec<u32> {
    let of = |sku: &&Sku| {
        let Some(level) = state.stock.level(sku, &location.code) else { return 0 };
        let own = own_held(state, hold_owner, sku, &location.code);
        (level.unclaimed() + own).saturating_sub(level.safety_stock).get()
    };
    demand.skus.iter().map(of).collect()
}

/// Units of each SKU that the channel may sell over all its locations.
fn budget(channel: &Channel, supply: &[Vec<u32>], skus: usize) -> Vec<u32> {
    let total = |sku: usize| supply.iter().fold(0u32, |sum, free| sum.saturating_add(free[sku]));
    (0..skus).map(total).map(|total| total.saturating_sub(kept_back(channel.buffer, total))).collect()
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
fn alone(demand: &Demand, free: &[u32], budget: &[u32]) -> u32 {
    let (mut free, mut budget) = (free.to_vec(), budget.to_vec());
    let mut sum = 0u32;
    for piece in &demand.pieces {
        let parts = &demand.parts[piece.parts.clone()];
        let taken = units(parts, piece.wanted, &free, &budget);
        take(parts, taken, &mut free, &mut budget);
        sum = sum.saturating_add(taken);
    }
    sum
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
    let mut used: Vec<&str> = Vec::new();
    for take in takes {
        if !used.contains(&take.location.as_str()) {
            used.push(take.location.as_str());
        }
    }
    used.sort_unstable();
    let names = rules(channel).iter().map(|rule| match rule {
        SourcingRule::SameCountry => "same_country",
        SourcingRule::SameRegion => "same_region",
        SourcingRule::Prefer { .. } => "prefer",
        SourcingRule::Priority => "priority",
        SourcingRule::FewestSplits => "fewest_splits",
        SourcingRule::Nearest => "nearest",
    });
    let Some(first) = candidates.first() else {
        return Sourcing { candidates, decision: "the channel has no active location".into() };
    };
    let mut text = String::with_capacity(96);
    if used.is_empty() {
        text.extend(["nothing is there; ", first.location.as_str(), " ranks first by "]);
        join(&mut text, names, ", ");
    } else {
        join(&mut text, used.into_iter(), " + ");
        text.push_str(if complete { " ships everything; ranked by " } else { " ships what is there; ranked by " });
        join(&mut text, names, ", ");
        if rules(channel).last() != Some(&SourcingRule::Priority) {
            text.push_str(", then priority");
        }
    }
    Sourcing { candidates, decision: text.into() }
}

fn join<'a>(text: &mut String, words: impl Iterator<Item = &'a str>, between: &str) {
    for (at, word) in words.enumerate() {
        text.push_str(if at > 0 { between } else { "" });
        text.push_str(word);
    }
}
