//! Asked of alerts.

use crate::id::AlertId;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Acknowledge { alert: AlertId },
}
