//! Asked of returns.

use crate::id::{LineId, LocationCode, OrderId, ReturnId, Sku};
use crate::quantity::Quantity;
use crate::returns::Disposition;
use crate::time::Timestamp;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Request {
        order: OrderId,
        lines: Vec<(LineId, Quantity)>,
        reason: Option<SmolStr>,
    },
    Approve {
        id: ReturnId,
    },
    Reject {
        id: ReturnId,
        reason: SmolStr,
    },
    /// What arrived of a line of the return, by its index, with what becomes of the units.
    Receive {
        id: ReturnId,
        location: LocationCode,
        lines: Vec<Arrived>,
    },
    Close {
        id: ReturnId,
    },
    /// Goods that come back without an order.
    ReceiveBlind(BlindReturn),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    pub index: u16,
    pub disposition: Disposition,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BlindReturn {
    pub location: LocationCode,
    pub external_id: Option<SmolStr>,
    pub reason: Option<SmolStr>,
    pub occurred_at: Option<Timestamp>,
    pub lines: Vec<(Sku, Quantity, Disposition)>,
}
