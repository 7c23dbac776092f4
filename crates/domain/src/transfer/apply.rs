//! How events change transfers, and what levels expect of them. The units themselves are stock's.

use super::{Transfer, TransferLine, TransferStatus, TransferStep};
use crate::event::Event;
use crate::event::transfer::TransferShipped;
use crate::id::TransferId;
use crate::state::{State, TimerOwner};
use crate::stock::{self, Expected, ExpectedSource};
use crate::time::Timestamp;

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::TransferCreated(event) => {
            let transfer = event.transfer.clone();
            let counters = state.counters_mut();
            counters.transfer = counters.transfer.max(transfer.id.0);
            index(state, &transfer);
            let (id, lines) = (transfer.id, transfer.lines.clone());
            state.transfers.all.insert(id, transfer);
            expect(state, id, &lines);
        }
        Event::TransferAmended(event) => change(state, event.transfer, |transfer| {
            let mut gone = std::mem::replace(&mut transfer.lines, event.lines.clone());
            transfer.expected_on = event.expected_on;
            gone.retain(|line| transfer.line(&line.sku).is_none());
            gone
        }),
        Event::TransferShipped(event) => shipped(state, now, event),
        Event::TransferReceived(event) => change(state, event.transfer, |transfer| {
            for units in &event.lines {
                let line = line_mut(transfer, &units.sku);
                line.received += units.accepted + units.damaged;
                line.damaged += units.damaged;
            }
            let all = transfer.lines.iter().all(|line| line.in_transit().is_zero());
            step(transfer, now, if all { TransferStep::ReceiveAll } else { TransferStep::ReceivePart });
            Vec::new()
        }),
        Event::TransferClosedLost(event) => change(state, event.transfer, |transfer| {
            for units in &event.lines {
                line_mut(transfer, &units.sku).lost += units.quantity;
            }
            step(transfer, now, TransferStep::CloseLost);
            Vec::new()
        }),
        Event::TransferCanceled(event) => change(state, event.transfer, |transfer| {
            step(transfer, now, TransferStep::Cancel);
            Vec::new()
        }),
        Event::TransferLate(event) => change(state, event.transfer, |transfer| {
            transfer.late_since = Some(event.late_at);
            Vec::new()
        }),
        _ => {}
    }
}

fn shipped(state: &mut State, now: Timestamp, event: &TransferShipped) {
    change(state, event.transfer, |transfer| {
        let lines = event
            .lines
            .iter()
            .map(|units| TransferLine { shipped: units.quantity, ..TransferLine::wanted(units.sku.clone(), units.quantity) });
        let mut gone = std::mem::replace(&mut transfer.lines, lines.collect());
        gone.retain(|line| transfer.line(&line.sku).is_none());
        step(transfer, now, TransferStep::Ship);
        transfer.shipped_at = Some(now);
        (transfer.expected_on, transfer.late_at) = (event.expected_on, event.late_at);
        transfer.carrier.clone_from(&event.carrier);
        transfer.tracking_number.clone_from(&event.tracking_number);
        gone
    });
}

fn line_mut<'a>(transfer: &'a mut Transfer, sku: &crate::id::Sku) -> &'a mut TransferLine {
    transfer.lines.iter_mut().find(|line| line.sku == *sku).expect("decide found the line")
}

fn step(transfer: &mut Transfer, now: Timestamp, step: TransferStep) {
    transfer.status = transfer.status.after(step).expect("decide asked the table");
    match transfer.status {
        TransferStatus::Draft | TransferStatus::Shipped => {}
        TransferStatus::Received | TransferStatus::Canceled => transfer.closed_at = Some(now),
    }
}

/// Changes a transfer, its indexes and what levels expect of it; `change` gives lines that are gone.
fn change(state: &mut State, id: TransferId, change: impl FnOnce(&mut Transfer) -> Vec<TransferLine>) {
    let before = state.transfers.all.shared(&id).expect("decide looked the transfer up");
    unindex(state, &before);
    let transfer = state.transfers.all.get_mut(&id).expect("present above");
    let mut lines = change(transfer);
    transfer.version += 1;
    if transfer.is_late_at().is_none() {
        transfer.late_since = None;
    }
    lines.extend(transfer.lines.iter().cloned());
    let after = state.transfers.all.shared(&id).expect("present above");
    index(state, &after);
    state.touched.transfers.insert(id);
    expect(state, id, &lines);
}

fn expect(state: &mut State, id: TransferId, lines: &[TransferLine]) {
    let transfer = state.transfers.all.shared(&id).expect("just changed");
    for line in lines {
        let kept = transfer.line(&line.sku);
        let (quantity, draft) = match transfer.status {
            TransferStatus::Draft => (kept.map(|kept| kept.quantity), true),
            TransferStatus::Shipped => (kept.map(TransferLine::in_transit), false),
            TransferStatus::Received | TransferStatus::Canceled => (None, false),
        };
        let (source, expected_on) = (ExpectedSource::Transfer(id), transfer.expected_on);
        let expected = Expected { source, quantity: quantity.unwrap_or_default(), expected_on, draft };
        stock::expect(state, &line.sku, &transfer.to, expected);
    }
}

/// Puts a transfer into the indexes.
pub(crate) fn index(state: &mut State, transfer: &Transfer) {
    if transfer.automatic && transfer.status == TransferStatus::Draft {
        state.transfers.drafts.insert((transfer.from.clone(), transfer.to.clone()), transfer.id);
    }
    if let Some(at) = timer(transfer) {
        state.timers.insert((at, TimerOwner::Transfer(transfer.id)));
    }
}

fn unindex(state: &mut State, transfer: &Transfer) {
    let key = (transfer.from.clone(), transfer.to.clone());
    if state.transfers.drafts.get(&key) == Some(&transfer.id) {
        state.transfers.drafts.remove(&key);
    }
    if let Some(at) = timer(transfer) {
        state.timers.remove(&(at, TimerOwner::Transfer(transfer.id)));
    }
}

pub(crate) fn timer(transfer: &Transfer) -> Option<Timestamp> {
    transfer.is_late_at().filter(|_| transfer.late_since.is_none())
}
