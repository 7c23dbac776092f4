//! What may be done to counts.

use super::{BookEntry, Count, CountLine, CountStatus};
use crate::catalog::check_version;
use crate::command::count::{Command, CountedLine};
use crate::event::Event;
use crate::event::count::{CountCanceled, CountOpened, CountPosted, CountRecorded, RecordedLine, Variance};
use crate::event::stock::{AdjustedLine, Bucket, StockAdjusted};
use crate::id::{AdjustmentId, CountId, LocationCode, Sku};
use crate::limits;
use crate::memory::Fetch;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::stock::{self, LevelAfter, LevelKey, ReceiptLine};
use smol_str::SmolStr;

/// The reason of adjustments that counts bring.
pub const CYCLE_COUNT: &str = "cycle_count";

pub fn decide(state: &State, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::OpenCount { location, skus, reference } => open(state, cx, location, skus, reference),
        Command::RecordCount { count, lines, expected_version } => {
            let known = find(state, count, expected_version)?;
            record(cx, known, lines)
        }
        Command::PostCount { count, approve, expected_version } => {
            let known = find(state, count, expected_version)?;
            post(state, known, approve)
        }
        Command::CancelCount { count, expected_version } => {
            find(state, count, expected_version)?;
            Ok(vec![CountCanceled { count }.into()])
        }
    }
}

fn find(state: &State, id: CountId, expected: Option<u64>) -> Result<&Count, Rejection> {
    let count = state.counts.get(&id).ok_or_else(|| state.missing(Fetch::Count(id), "count"))?;
    check_version(expected, count.version)?;
    match count.status {
        CountStatus::Open => Ok(count),
        CountStatus::Posted | CountStatus::Canceled => Err(Rejection::wrong_status("count", id, count.status, "open")),
    }
}

fn open(state: &State, cx: &Context, location: LocationCode, skus: Vec<Sku>, reference: Option<SmolStr>) -> Result<Vec<Event>, Rejection> {
    let named: Vec<ReceiptLine> = skus.iter().map(|sku| ReceiptLine { sku: sku.clone(), quantity: Quantity::ONE }).collect();
    stock::check_place(state, &location, &named)?;
    if reference.as_ref().is_some_and(|text| text.len() > limits::TEXT_BYTES_MAX) {
        return Err(Rejection::invalid("reference", format!("has at most {} bytes", limits::TEXT_BYTES_MAX)));
    }
    let count = Count {
        id: CountId(state.counters().count + 1),
        status: CountStatus::Open,
        lines: skus
            .into_iter()
            .map(|sku| {
                let expected = on_the_shelf(state, &sku, &location);
                CountLine { sku, counted: None, book: vec![BookEntry { at: cx.now, expected }] }
            })
            .collect(),
        location,
        reference,
        created_at: cx.now,
        closed_at: None,
        version: 1,
    };
    Ok(vec![CountOpened { count }.into()])
}

fn on_the_shelf(state: &State, sku: &Sku, location: &LocationCode) -> Quantity {
    state.stock.level(sku, location).map_or(Quantity::ZERO, |level| level.on_hand - level.picked)
}

fn record(cx: &Context, count: &Count, lines: Vec<CountedLine>) -> Result<Vec<Event>, Rejection> {
    if lines.is_empty() {
        return Err(Rejection::invalid("lines", "send what was counted"));
    }
    let mut recorded: Vec<RecordedLine> = Vec::with_capacity(lines.len());
    for (at, line) in lines.into_iter().enumerate() {
        let known = count.lines.iter().find(|known| known.sku == line.sku);
        let known = known.ok_or_else(|| Rejection::not_found("line", &line.sku))?;
        if recorded.iter().any(|other| other.sku == line.sku) {
            return Err(Rejection::invalid("lines", format!("{} stands twice", line.sku)));
        }
        if line.counted.get() > limits::ON_HAND_MAX {
            return Err(Rejection::invalid(format!("lines[{at}].counted"), format!("must be at most {}", limits::ON_HAND_MAX)));
        }
        let counted_at = line.counted_at.unwrap_or(cx.now);
        if counted_at > cx.now {
            return Err(Rejection::invalid(format!("lines[{at}].counted_at"), "must not be in the future"));
        }
        let expected = known.expected_at(counted_at).ok_or_else(|| {
            let problem = "must not be before the count was opened, nor more than 1,000 movements ago; count again";
            Rejection::invalid(format!("lines[{at}].counted_at"), problem)
        })?;
        recorded.push(RecordedLine { sku: line.sku, counted: line.counted, counted_at, expected });
    }
    Ok(vec![CountRecorded { count: count.id, lines: recorded }.into()])
}

/// The variance is posted as a delta, so that what moved since the count is not undone.
fn post(state: &State, count: &Count, approve: bool) -> Result<Vec<Event>, Rejection> {
    let counted = count.lines.iter().filter_map(|line| Some((&line.sku, line.counted?)));
    let variances: Vec<Variance> = counted.clone().map(|(sku, counted)| Variance { sku: sku.clone(), units: counted.variance() }).collect();
    if variances.is_empty() {
        return Err(Rejection::invalid("lines", "nothing was counted yet; record what was found first"));
    }
    let off: u64 = variances.iter().map(|variance| variance.units.unsigned_abs()).sum();
    if let Some(most) = state.catalog.settings().count_approval_units
        && !approve
        && off > u64::from(most.get())
    {
        let problem = format!("the count is off by {off} units in all; above {most} it needs approval");
        return Err(Rejection::ConfirmationNeeded { field: SmolStr::new_static("approve"), problem: SmolStr::new(problem) });
    }
    let occurred_at = counted.map(|(_, counted)| counted.at).max();
    let mut missing = Vec::new();
    let mut lines = Vec::new();
    for variance in variances.iter().filter(|variance| variance.units != 0) {
        missing.extend(lost(state, count, variance)?);
        lines.push(AdjustedLine { sku: variance.sku.clone(), bucket: Bucket::OnHand, delta: variance.units, level: LevelAfter::default() });
    }
    let mut events = stock::take_all(state, &missing)?;
    if !lines.is_empty() {
        let adjustment = AdjustmentId(state.counters().adjustment + 1);
        let (location, reference) = (count.location.clone(), count.reference.clone());
        let reason = SmolStr::new_static(CYCLE_COUNT);
        events.push(StockAdjusted { adjustment, location, reason, reference, count: Some(count.id), occurred_at, lines }.into());
    }
    events.push(CountPosted { count: count.id, variances }.into());
    Ok(events)
}

/// Units that are missing, to be taken from those who counted on them.
fn lost(state: &State, count: &Count, variance: &Variance) -> Result<Option<(LevelKey, Quantity)>, Rejection> {
    let current = state.stock.level(&variance.sku, &count.location).map(|level| level.on_hand).unwrap_or_default();
    let after = current.checked_add_signed(variance.units).filter(|after| after.get() <= limits::ON_HAND_MAX);
    if after.is_none() {
        let expected = Quantity::new(u32::try_from(variance.units.unsigned_abs()).unwrap_or(u32::MAX));
        return Err(Rejection::QuantityMismatch { sku: SmolStr::new(variance.sku.as_str()), expected, current });
    }
    let units = Quantity::new(u32::try_from(-variance.units.min(0)).expect("no more than is on hand"));
    Ok((!units.is_zero()).then(|| ((variance.sku.clone(), count.location.clone()), units)))
}
