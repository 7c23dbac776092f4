//! Bounds of what an order carries along.

use super::Line;
use crate::catalog::check_metadata;
use crate::command::order::{EditLine, EditOrder, PlaceOrder};
use crate::limits::{AMOUNT_MAX, SEALED_BYTES_MAX, TEXT_BYTES_MAX};
use crate::rejection::Rejection;
use crate::text::Sealed;
use smol_str::SmolStr;

/// Texts are bounded, and the metadata.
pub(super) fn texts(command: &PlaceOrder) -> Result<(), Rejection> {
    text("external_id", command.external_id.as_ref())?;
    text("hold_owner", command.hold_owner.as_ref())?;
    text("payment_token", command.payment_token.as_ref())?;
    for (at, line) in command.lines.iter().enumerate() {
        text(&format!("lines[{at}].external_id"), line.external_id.as_ref())?;
    }
    for (at, charge) in command.charges.iter().enumerate() {
        text(&format!("charges[{at}].kind"), Some(&charge.kind))?;
    }
    for (at, payment) in command.payments.iter().enumerate() {
        text(&format!("payments[{at}].gateway"), Some(&payment.gateway))?;
        text(&format!("payments[{at}].reference"), payment.reference.as_ref())?;
        if payment.amount.get() <= 0 || payment.amount.get() > AMOUNT_MAX {
            return Err(Rejection::invalid(format!("payments[{at}].amount"), format!("must be 1 to {AMOUNT_MAX}")));
        }
    }
    let sealed = [command.note.as_ref(), command.customer.as_ref().and_then(|buyer| buyer.details.as_ref())];
    let address = command.ship_to.as_ref().and_then(|to| to.details.as_ref());
    let long = |sealed: &&Sealed| sealed.0.len() > SEALED_BYTES_MAX;
    if sealed.into_iter().flatten().chain(address).any(|sealed| long(&sealed)) {
        return Err(Rejection::invalid(
            "note",
            format!("note, customer and address have at most {SEALED_BYTES_MAX} bytes each when sealed"),
        ));
    }
    check_metadata(&command.metadata)
}

fn text(field: &str, text: Option<&SmolStr>) -> Result<(), Rejection> {
    match text {
        Some(text) if text.is_empty() || text.len() > TEXT_BYTES_MAX => {
            Err(Rejection::invalid(field, format!("must have 1 to {TEXT_BYTES_MAX} bytes")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Each line is set once, with amounts that a line can have; what is added is called by a text as it would be in a new order.
pub(super) fn edit(command: &EditOrder) -> Result<(), Rejection> {
    for (at, line) in command.add.iter().enumerate() {
        text(&format!("add[{at}].external_id"), line.external_id.as_ref())?;
    }
    for (at, EditLine { line, discount, tax, .. }) in command.set.iter().enumerate() {
        if command.set[..at].iter().any(|other| other.line == *line) {
            return Err(Rejection::invalid("lines", format!("{line} stands twice")));
        }
        for (field, amount) in [("discount", discount), ("tax", tax)] {
            if amount.is_some_and(|amount| amount.is_negative() || amount.get() > AMOUNT_MAX) {
                return Err(Rejection::invalid(format!("lines[{at}].{field}"), format!("must be 0 to {AMOUNT_MAX}")));
            }
        }
    }
    Ok(())
}

/// A line is worth nothing at least.
pub(super) fn edited(lines: &[Line]) -> Result<(), Rejection> {
    match lines.iter().find(|line| line.total.is_negative()) {
        Some(line) => Err(Rejection::invalid("lines", format!("the discount of {} is larger than the line", line.id))),
        None => Ok(()),
    }
}
