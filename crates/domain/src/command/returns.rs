//! Asked of the returns room.

#[derive(Debug, Clone, PartialEq)]
pub enum Command {}
