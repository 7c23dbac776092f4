//! Asked of the count room.

#[derive(Debug, Clone, PartialEq)]
pub enum Command {}
