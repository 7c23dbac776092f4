//! Asked of the transfer room.

#[derive(Debug, Clone, PartialEq)]
pub enum Command {}
