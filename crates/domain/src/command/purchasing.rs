//! Asked of the purchasing room.

#[derive(Debug, Clone, PartialEq)]
pub enum Command {}
