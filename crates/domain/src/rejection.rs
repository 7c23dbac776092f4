//! Why a command was refused, as data.

use crate::event::stock::Shorted;
use crate::id::OrderId;
use crate::memory::Fetch;
use crate::money::Amount;
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Why a command was refused. Its serialized members are the members of the problem that a client reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Rejection {
    /// Not in memory, though it exists: the engine fetches it and runs the command again. Never leaves the engine.
    NotLoaded { key: Fetch },
    /// Nothing has this name.
    NotFound { kind: SmolStr, id: SmolStr },
    /// The name is taken.
    AlreadyExists { kind: SmolStr, id: SmolStr },
    /// A field is out of its bounds, or fields contradict each other.
    Invalid { field: SmolStr, problem: SmolStr },
    /// The thing changed since the client read it.
    VersionMismatch { expected: u64, current: u64 },
    /// The thing is in a state in which this cannot be done.
    WrongStatus { kind: SmolStr, id: SmolStr, status: SmolStr, needed: SmolStr },
    /// The channel already has an order of this external id, with the same content.
    OrderRepeated { order: OrderId },
    /// The channel already has an order of this external id, with other content.
    OrderExists { order: OrderId, external_id: SmolStr },
    /// The totals that were sent do not add up.
    TotalMismatch { field: SmolStr, sent: Amount, computed: Amount },
    /// Not enough stock.
    InsufficientStock {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        lines: Vec<Shorted>,
    },
    /// The quantity is not what the client believed.
    QuantityMismatch { sku: SmolStr, expected: Quantity, current: Quantity },
    /// Units are in somebody's hands (picked) and cannot be taken away.
    StockPicked { sku: SmolStr, location: SmolStr, wanted: Quantity, free: Quantity },
    /// Units that orders or carts count on cannot travel.
    StockCommitted { sku: SmolStr, location: SmolStr, wanted: Quantity, free: Quantity },
    /// More than is left to refund.
    RefundTooLarge { wanted: Amount, refundable: Amount },
    /// Something has to be confirmed by the caller first.
    ConfirmationNeeded { field: SmolStr, problem: SmolStr },
}

/// How the edge answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    NotFound,
    Conflict,
    Invalid,
    Precondition,
}

impl Rejection {
    pub fn not_found(kind: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { kind: SmolStr::new_static(kind), id: smol_str::format_smolstr!("{id}") }
    }

    pub fn exists(kind: &'static str, id: impl std::fmt::Display) -> Self {
        Self::AlreadyExists { kind: SmolStr::new_static(kind), id: smol_str::format_smolstr!("{id}") }
    }

    pub fn invalid(field: impl AsRef<str>, problem: impl AsRef<str>) -> Self {
        Self::Invalid { field: SmolStr::new(field), problem: SmolStr::new(problem) }
    }

    pub fn wrong_status(kind: &'static str, id: impl std::fmt::Display, status: impl std::fmt::Debug, needed: &'static str) -> Self {
        Self::WrongStatus {
            kind: SmolStr::new_static(kind),
            id: smol_str::format_smolstr!("{id}"),
            status: snake(&format!("{status:?}")),
            needed: SmolStr::new_static(needed),
        }
    }

    /// Stable name, for example `insufficient_stock`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLoaded { .. } => "not_loaded",
            Self::NotFound { .. } => "not_found",
            Self::AlreadyExists { .. } => "already_exists",
            Self::Invalid { .. } => "invalid",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::WrongStatus { .. } => "wrong_status",
            Self::OrderRepeated { .. } => "order_repeated",
            Self::OrderExists { .. } => "order_exists",
            Self::TotalMismatch { .. } => "total_mismatch",
            Self::InsufficientStock { .. } => "insufficient_stock",
            Self::QuantityMismatch { .. } => "quantity_mismatch",
            Self::StockPicked { .. } => "stock_picked",
            Self::StockCommitted { .. } => "stock_committed",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::ConfirmationNeeded { .. } => "confirmation_needed",
        }
    }

    pub fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } => Class::NotFound,
            Self::Invalid { .. } | Self::TotalMismatch { .. } => Class::Invalid,
            Self::VersionMismatch { .. } => Class::Precondition,
            Self::NotLoaded { .. }
            | Self::AlreadyExists { .. }
            | Self::WrongStatus { .. }
            | Self::OrderRepeated { .. }
            | Self::OrderExists { .. }
            | Self::InsufficientStock { .. }
            | Self::QuantityMismatch { .. }
            | Self::StockPicked { .. }
            | Self::StockCommitted { .. }
            | Self::RefundTooLarge { .. }
            | Self::ConfirmationNeeded { .. } => Class::Conflict,
        }
    }

    /// A few words for people.
    pub fn title(&self) -> &'static str {
        match self {
            Self::NotLoaded { .. } => "Not in memory",
            Self::NotFound { .. } => "Not found",
            Self::AlreadyExists { .. } => "Already exists",
            Self::Invalid { .. } => "Invalid request",
            Self::VersionMismatch { .. } => "Changed since it was read",
            Self::WrongStatus { .. } => "Not possible in this status",
            Self::OrderRepeated { .. } => "Order already placed",
            Self::OrderExists { .. } => "External id already used",
            Self::TotalMismatch { .. } => "Totals do not add up",
            Self::InsufficientStock { .. } => "Not enough stock",
            Self::QuantityMismatch { .. } => "Quantity is not what was expected",
            Self::StockPicked { .. } => "Units are already picked",
            Self::StockCommitted { .. } => "Units are committed",
            Self::RefundTooLarge { .. } => "Refund too large",
            Self::ConfirmationNeeded { .. } => "Confirmation needed",
        }
    }

    /// What happened and what to do next.
    pub fn detail(&self) -> String {
        match self {
            Self::NotLoaded { key } => format!("{key} is not in memory; try again."),
            Self::NotFound { kind, id } => format!("There is no {kind} \"{id}\". Check the spelling, or create it first."),
            Self::AlreadyExists { kind, id } => {
                let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
                format!("There is already {article} {kind} \"{id}\". Update it, or choose another name.")
            }
            Self::Invalid { field, problem } => format!("{field}: {problem}."),
            Self::VersionMismatch { expected, current } => {
                format!("You have version {expected}, but it is now version {current}. Read it again and repeat your change.")
            }
            Self::WrongStatus { kind, id, status, needed } => format!("The {kind} {id} is {status}; this needs it to be {needed}."),
            Self::OrderRepeated { order } => format!("This order was placed before as {order}."),
            Self::OrderExists { order, external_id } => {
                format!(
                    "The channel already has an order \"{external_id}\" ({order}) with other content. Use another external_id, or edit that order."
                )
            }
            Self::TotalMismatch { field, sent, computed } => {
                format!("{field} says {sent}, but its parts add up to {computed} (minor units). Correct the parts or the total.")
            }
            Self::InsufficientStock { lines, .. } => shortage_detail(lines),
            Self::QuantityMismatch { sku, expected, current } => {
                format!("You expected {expected} of {sku}, but there are {current}. Read the stock again and repeat.")
            }
            Self::StockPicked { sku, location, wanted, free } => format!(
                "{wanted} of {sku} at {location} are asked for, but only {free} are not picked. Short-pick the fulfillments that hold the rest first."
            ),
            Self::StockCommitted { sku, location, wanted, free } => format!(
                "{wanted} of {sku} at {location} are asked for, but only {free} are neither allocated, held nor unavailable. Ship fewer, or free some first."
            ),
            Self::RefundTooLarge { wanted, refundable } => {
                format!("{wanted} is more than the {refundable} that can still be refunded (minor units).")
            }
            Self::ConfirmationNeeded { field, problem } => format!("{problem}. Send \"{field}\": true to do it all the same."),
        }
    }
}

fn shortage_detail(lines: &[Shorted]) -> String {
    let mut text = String::new();
    for line in lines.iter().take(5) {
        text.push_str(&format!("{} of {} {} are available. ", line.available, line.wanted, line.sku));
    }
    if lines.len() > 5 {
        text.push_str(&format!("So it is for {} more lines. ", lines.len() - 5));
    }
    text.push_str("Lower the quantity or send on_shortage \"split\".");
    text
}

/// `PartiallyCaptured` reads `partially_captured`.
fn snake(camel: &str) -> SmolStr {
    let mut text = String::with_capacity(camel.len() + 4);
    for (at, letter) in camel.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    SmolStr::new(text)
}
