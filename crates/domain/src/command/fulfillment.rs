//! Asked of the warehouse.

use crate::fulfillment::Shipment;
use crate::id::FulfillmentId;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    StartPick {
        fulfillment: FulfillmentId,
    },
    /// Units that are not where they should be, by index of the fulfillment's line.
    ShortPick {
        fulfillment: FulfillmentId,
        missing: Vec<(u16, Quantity)>,
    },
    Pack {
        fulfillment: FulfillmentId,
    },
    /// From released, picking or packed: what was not said is implied.
    Ship {
        fulfillment: FulfillmentId,
        shipment: Shipment,
    },
    Deliver {
        fulfillment: FulfillmentId,
        delivered_at: Option<Timestamp>,
    },
    /// Released work is canceled at once; work under way is asked for.
    RequestCancel {
        fulfillment: FulfillmentId,
        reason: SmolStr,
    },
    AcceptCancel {
        fulfillment: FulfillmentId,
    },
    DeclineCancel {
        fulfillment: FulfillmentId,
        reason: Option<SmolStr>,
    },
}
