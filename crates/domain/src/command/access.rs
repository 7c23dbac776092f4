//! Asked of the access room.

#[derive(Debug, Clone, PartialEq)]
pub enum Command {}
