//! Asked of alerts.

use crate::alert::{AlertStatus, Condition, Destination};
use crate::id::AlertId;
use crate::time::Date;
use smol_str::SmolStr;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Acknowledge {
        alert: AlertId,
    },
    /// From the edge: what the rules cannot see ([`crate::alert::Raiser::Edge`]). Raising what is raised changes nothing.
    RaiseAlert {
        condition: Condition,
        numbers: BTreeMap<SmolStr, i64>,
        /// In words; never personal data.
        note: Option<SmolStr>,
    },
    /// From the edge: the condition ended. Clearing what is not raised changes nothing.
    ClearAlert {
        condition: Condition,
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
