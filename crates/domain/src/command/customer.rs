//! Asked of the customer room.

#[derive(Debug, Clone, PartialEq)]
pub enum Command {}
