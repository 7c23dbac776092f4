//! Adjustments: stock is not what it was thought to be.

use crate::command::stock::{AdjustStock, Change};
use crate::event::Event;
use crate::event::stock::{AdjustedLine, StockAdjusted};
use crate::id::AdjustmentId;
use crate::limits;
use crate::quantity::Quantity;
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::{Level, LevelAfter, ReceiptLine};
use smol_str::SmolStr;

/// The reason of adjustments that open the books: they count as opening, not as adjusted.
pub const OPENING_BALANCE: &str = "opening_balance";

pub(super) fn adjust(state: &State, command: AdjustStock) -> Result<Vec<Event>, Rejection> {
    let AdjustStock { location, reason, reference, count, occurred_at, lines } = command;
    if reason.is_empty() || reason.len() > limits::TEXT_BYTES_MAX {
        return Err(Rejection::invalid("reason", format!("must have 1 to {} bytes, for example \"shrinkage\"", limits::TEXT_BYTES_MAX)));
    }
    let named: Vec<ReceiptLine> = lines.iter().map(|line| ReceiptLine { sku: line.sku.clone(), quantity: Quantity::ONE }).collect();
    super::decide::check_place(state, &location, &named)?;
    let mut missing = Vec::new();
    let mut adjusted = Vec::with_capacity(lines.len());
    for line in lines {
        let key = (line.sku.clone(), location.clone());
        let level = state.stock.levels.get(&key).cloned().unwrap_or_else(|| Level::new(line.sku.clone(), location.clone()));
        let current = line.bucket.unavailable().map_or(level.on_hand, |bucket| level.unavailable.of(bucket));
        if let Some(expected) = line.if_quantity.filter(|expected| *expected != current) {
            return Err(Rejection::QuantityMismatch { sku: SmolStr::new(line.sku.as_str()), expected, current });
        }
        let delta = match line.change {
            Change::Delta(delta) => delta,
            Change::SetTo(_) if line.if_quantity.is_none() => {
                return Err(Rejection::invalid("if_quantity", "is required with set_to: the quantity that you believe to be there"));
            }
            Change::SetTo(target) => target.signed() - current.signed(),
        };
        if delta == 0 {
            continue;
        }
        if delta.unsigned_abs() > u64::from(limits::QUANTITY_MAX) {
            return Err(Rejection::invalid("delta", format!("must be within ± {}", limits::QUANTITY_MAX)));
        }
        let after = current.checked_add_signed(delta).filter(|after| after.get() <= limits::ON_HAND_MAX);
        if after.is_none() {
            let needed = Quantity::new(u32::try_from(delta.unsigned_abs()).unwrap_or(u32::MAX));
            return Err(Rejection::QuantityMismatch { sku: SmolStr::new(line.sku.as_str()), expected: needed, current });
        }
        if delta < 0 && line.bucket.unavailable().is_none() {
            let units = Quantity::new(u32::try_from(-delta).expect("bounded above"));
            missing.push((key, units));
        }
        adjusted.push(AdjustedLine { sku: line.sku, bucket: line.bucket, delta, level: LevelAfter::default() });
    }
    if adjusted.is_empty() {
        return Ok(Vec::new());
    }
    let mut events = super::take_all(state, &missing)?;
    let adjustment = AdjustmentId(state.counters().adjustment + 1);
    events.push(StockAdjusted { adjustment, location, reason, reference, count, occurred_at, lines: adjusted }.into());
    Ok(events)
}
