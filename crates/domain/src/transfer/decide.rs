//! What may be done about transfers.

use super::{Transfer, TransferLine, TransferStatus, TransferStep};
use crate::catalog::check_version;
use crate::command::transfer::{ArrivedUnits, Command, TransferUnits};
use crate::event::Event;
use crate::event::transfer::{
    ArrivedUnits as Arrived, LostUnits, ShippedUnits, TransferAmended, TransferCanceled, TransferClosedLost, TransferCreated, TransferLate,
    TransferReceived, TransferShipped,
};
use crate::id::{LocationCode, TransferId};
use crate::limits;
use crate::memory::Fetch;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::{LevelAfter, ReceiptLine, check_expected, check_place, check_room};
use crate::time::{Date, Timestamp};
use jiff::tz::TimeZone;
use smol_str::SmolStr;

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::CreateTransfer { from, to, reference, expected_on, lines } => {
            create(state, cx, (from, to), (reference, expected_on), lines)
        }
        Command::AmendTransfer { transfer, lines, expected_on, expected_version } => {
            let known = find(state, transfer, expected_version)?;
            if known.status != TransferStatus::Draft {
                return Err(Rejection::wrong_status("transfer", transfer, known.status, "draft"));
            }
            let expected_on = expected_on.or(known.expected_on);
            let lines = wanted(state, &known.to, known.lines.clone(), lines)?;
            Ok(vec![TransferAmended { transfer, lines, expected_on }.into()])
        }
        Command::ShipTransfer { transfer, lines, expected_on, carrier, tracking_number, expected_version } => {
            let known = may(state, transfer, expected_version, TransferStep::Ship, "draft")?;
            check_texts(&[("carrier", &carrier), ("tracking_number", &tracking_number)])?;
            let sent = if lines.is_empty() { drafted(known) } else { lines };
            let mut shipped = ship(state, known, sent, expected_on)?;
            (shipped.carrier, shipped.tracking_number) = (carrier, tracking_number);
            Ok(vec![shipped.into()])
        }
        Command::ReceiveTransfer { transfer, lines, expected_version } => {
            receive(state, may(state, transfer, expected_version, TransferStep::ReceivePart, "shipped")?, lines)
        }
        Command::CloseLost { transfer, reason, expected_version } => {
            let known = may(state, transfer, expected_version, TransferStep::CloseLost, "shipped")?;
            check_texts(&[("reason", &reason)])?;
            Ok(vec![TransferClosedLost { transfer, reason, lines: in_transit(known) }.into()])
        }
        Command::CancelTransfer { transfer, reason, expected_version } => {
            may(state, transfer, expected_version, TransferStep::Cancel, "draft; what is in transit is received, or closed as lost")?;
            check_texts(&[("reason", &Some(reason.clone()))])?;
            Ok(vec![TransferCanceled { transfer, reason }.into()])
        }
        Command::NoticeLate { transfer } => Ok(late(cx, find(state, transfer, None)?)),
    }
}

fn find(state: &State, id: TransferId, expected: Option<u64>) -> Result<&Transfer, Rejection> {
    let transfer = state.transfers.all.get(&id).ok_or_else(|| state.missing(Fetch::Transfer(id), "transfer"))?;
    check_version(expected, transfer.version)?;
    Ok(transfer)
}

fn may<'a>(
    state: &'a State,
    id: TransferId,
    expected: Option<u64>,
    step: TransferStep,
    needed: &'static str,
) -> Result<&'a Transfer, Rejection> {
    let transfer = find(state, id, expected)?;
    match transfer.status.after(step) {
        Some(_) => Ok(transfer),
        None => Err(Rejection::wrong_status("transfer", id, transfer.status, needed)),
    }
}

fn check_texts(texts: &[(&str, &Option<SmolStr>)]) -> Result<(), Rejection> {
    match texts.iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.len() > limits::TEXT_BYTES_MAX)) {
        Some((field, _)) => Err(Rejection::invalid(field, format!("has at most {} bytes", limits::TEXT_BYTES_MAX))),
        None => Ok(()),
    }
}

fn create(
    state: &State,
    cx: &Context,
    (from, to): (LocationCode, LocationCode),
    (reference, expected_on): (Option<SmolStr>, Option<Date>),
    lines: Vec<TransferUnits>,
) -> Result<Vec<Event>, Rejection> {
    if from == to {
        return Err(Rejection::invalid("to", "must be another location than \"from\""));
    }
    check_texts(&[("reference", &reference)])?;
    let lines = wanted(state, &from, Vec::new(), lines)?;
    let named: Vec<ReceiptLine> = lines.iter().map(|line| ReceiptLine { sku: line.sku.clone(), quantity: line.quantity }).collect();
    check_place(state, &to, &named)?;
    for line in &lines {
        check_expected(state, &line.sku, &to)?;
    }
    let transfer = draft(TransferId(state.counters().transfer + 1), (from, to), lines, cx.now);
    Ok(vec![TransferCreated { transfer: Transfer { reference, expected_on, ..transfer } }.into()])
}

/// A fresh draft.
pub(super) fn draft(id: TransferId, (from, to): (LocationCode, LocationCode), lines: Vec<TransferLine>, now: Timestamp) -> Transfer {
    Transfer {
        id,
        from,
        to,
        status: TransferStatus::Draft,
        automatic: false,
        lines,
        reference: None,
        carrier: None,
        tracking_number: None,
        expected_on: None,
        late_at: None,
        late_since: None,
        created_at: now,
        shipped_at: None,
        closed_at: None,
        version: 1,
    }
}

/// Lines with quantities set; those at zero go.
fn wanted(
    state: &State,
    place: &LocationCode,
    mut lines: Vec<TransferLine>,
    wanted: Vec<TransferUnits>,
) -> Result<Vec<TransferLine>, Rejection> {
    for (at, units) in wanted.iter().enumerate() {
        if wanted[..at].iter().any(|other| other.sku == units.sku) {
            return Err(Rejection::invalid("lines", format!("{} stands twice; add the quantities up", units.sku)));
        }
    }
    for units in wanted {
        match lines.iter_mut().find(|line| line.sku == units.sku) {
            Some(line) => line.quantity = units.quantity,
            None => lines.push(TransferLine::wanted(units.sku, units.quantity)),
        }
    }
    lines.retain(|line| !line.quantity.is_zero());
    let named: Vec<ReceiptLine> = lines.iter().map(|line| ReceiptLine { sku: line.sku.clone(), quantity: line.quantity }).collect();
    check_place(state, place, &named)?;
    Ok(lines)
}

pub(super) fn drafted(transfer: &Transfer) -> Vec<TransferUnits> {
    transfer.lines.iter().map(|line| TransferUnits { sku: line.sku.clone(), quantity: line.quantity }).collect()
}

/// Only units without a claim travel: what orders and carts count on stays.
pub(super) fn ship(
    state: &State,
    transfer: &Transfer,
    sent: Vec<TransferUnits>,
    expected_on: Option<Date>,
) -> Result<TransferShipped, Rejection> {
    let lines = wanted(state, &transfer.from, Vec::new(), sent)?;
    let there = state.catalog.locations.get(&transfer.to).ok_or_else(|| Rejection::not_found("location", &transfer.to))?;
    for line in &lines {
        let free = state.stock.level(&line.sku, &transfer.from).map(|level| level.unclaimed()).unwrap_or_default();
        if line.quantity > free {
            return Err(Rejection::StockCommitted {
                sku: SmolStr::new(line.sku.as_str()),
                location: SmolStr::new(transfer.from.as_str()),
                wanted: line.quantity,
                free,
            });
        }
    }
    let expected_on = expected_on.or(transfer.expected_on);
    let zone = TimeZone::get(&there.time_zone).unwrap_or(TimeZone::UTC);
    let units = lines.into_iter();
    Ok(TransferShipped {
        transfer: transfer.id,
        from: transfer.from.clone(),
        to: transfer.to.clone(),
        expected_on,
        late_at: expected_on.map(|day| day.plus_days(1).at_minute(0, &zone)),
        carrier: None,
        tracking_number: None,
        lines: units.map(|line| ShippedUnits { sku: line.sku, quantity: line.quantity, level: LevelAfter::default() }).collect(),
    })
}

fn receive(state: &State, transfer: &Transfer, lines: Vec<ArrivedUnits>) -> Result<Vec<Event>, Rejection> {
    if lines.is_empty() {
        return Err(Rejection::invalid("lines", "name what arrived"));
    }
    let mut arrived = Vec::with_capacity(lines.len());
    for (at, units) in lines.into_iter().enumerate() {
        let line = transfer.line(&units.sku).ok_or_else(|| Rejection::not_found("line", &units.sku))?;
        if arrived.iter().any(|other: &Arrived| other.sku == units.sku) {
            return Err(Rejection::invalid("lines", format!("{} stands twice; add the quantities up", units.sku)));
        }
        let most = line.in_transit();
        let total = units.accepted.checked_add(units.damaged).filter(|total| !total.is_zero() && *total <= most);
        total.ok_or_else(|| {
            Rejection::invalid(format!("lines[{at}]"), format!("must be 1 to {most}, what is in transit; adjust for more"))
        })?;
        check_room(state, &units.sku, &transfer.to, most)?;
        arrived.push(Arrived { sku: units.sku, accepted: units.accepted, damaged: units.damaged, level: LevelAfter::default() });
    }
    Ok(vec![TransferReceived { transfer: transfer.id, to: transfer.to.clone(), lines: arrived }.into()])
}

fn in_transit(transfer: &Transfer) -> Vec<LostUnits> {
    let lines = transfer.lines.iter().map(|line| LostUnits { sku: line.sku.clone(), quantity: line.in_transit() });
    lines.filter(|units| !units.quantity.is_zero()).collect()
}

fn late(cx: &Context, transfer: &Transfer) -> Vec<Event> {
    let due = transfer.is_late_at().filter(|at| *at <= cx.now && transfer.late_since.is_none());
    let late = due.map(|late_at| TransferLate { transfer: transfer.id, late_at, lines: in_transit(transfer) });
    late.map(Event::from).into_iter().collect()
}
