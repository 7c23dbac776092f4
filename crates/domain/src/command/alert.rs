//! Asked of alerts.

use crate::alert::{AlertStatus, Destination};
use crate::id::AlertId;
use crate::time::Date;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Acknowledge {
        alert: AlertId,
    },
    /// A destination was told these, as they then stood.
    RecordTold {
        destination: Destination,
        alerts: Vec<(AlertId, AlertStatus)>,
    },
    /// The digest of a day has gone out, or need not.
    RecordDigest {
        day: Date,
    },
}
