//! Asked of stock levels and holds.

use crate::event::stock::Bucket;
use crate::id::{ChannelCode, CountId, HoldId, LocationCode, ReceiptId, Sku};
use crate::quantity::Quantity;
use crate::stock::ReceiptLine;
use crate::time::Timestamp;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    ReceiveStock {
        location: LocationCode,
        reference: Option<SmolStr>,
        lines: Vec<ReceiptLine>,
    },
    ReverseReceipt {
        receipt: ReceiptId,
        reason: Option<SmolStr>,
    },
    AdjustStock(AdjustStock),
    MoveStock {
        location: LocationCode,
        reason: Option<SmolStr>,
        from: Bucket,
        to: Bucket,
        lines: Vec<ReceiptLine>,
    },
    SetSafetyStock {
        sku: Sku,
        location: LocationCode,
        safety_stock: Quantity,
    },
    CreateHold(CreateHold),
    ExtendHold {
        hold: HoldId,
        ttl_ms: i64,
    },
    ReleaseHold {
        hold: HoldId,
    },
    /// From `due`: its time has come.
    ExpireHold {
        hold: HoldId,
    },
    /// From `due`: give what became available to those who wait.
    FillBackorders {
        sku: Sku,
        location: LocationCode,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct AdjustStock {
    pub location: LocationCode,
    pub reason: SmolStr,
    pub reference: Option<SmolStr>,
    pub count: Option<CountId>,
    pub occurred_at: Option<Timestamp>,
    pub lines: Vec<AdjustLine>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AdjustLine {
    pub sku: Sku,
    pub bucket: Bucket,
    pub change: Change,
    /// The quantity that the client believes to be there; required with [`Change::SetTo`].
    pub if_quantity: Option<Quantity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Delta(i64),
    SetTo(Quantity),
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateHold {
    pub owner: SmolStr,
    pub channel: Option<ChannelCode>,
    pub ttl_ms: i64,
    /// `location` asks for units there; without, the channel's sourcing chooses.
    pub lines: Vec<WantedLine>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WantedLine {
    pub sku: Sku,
    pub quantity: Quantity,
    pub location: Option<LocationCode>,
}
