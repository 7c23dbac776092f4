//! Asked of the alert room.

#[derive(Debug, Clone, PartialEq)]
pub enum Command {}
