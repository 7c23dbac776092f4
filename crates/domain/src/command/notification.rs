//! Asked of what goes out: by the connectors that carry it, and by people who send it again.

use crate::id::DeliveryId;
use crate::notification::Failure;
use smol_str::SmolStr;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Made durable before anything is said to the other side. No event: somebody else has it, or it is over.
    Start {
        of: DeliveryId,
    },
    Record {
        of: DeliveryId,
        posted: Posted,
    },
    /// A person sends again what failed or is in doubt.
    Resend {
        of: DeliveryId,
    },
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Posted {
    /// The other side took it.
    Sent { reference: SmolStr },
    /// The other side refused it for now.
    Later(Failure),
    /// It is refused for good.
    Refused(Failure),
    /// No answer came: it may have arrived.
    InDoubt(Failure),
    /// There is nobody to send it to.
    Suppressed(Failure),
}
