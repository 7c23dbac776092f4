//! The rules of the shop.
pub mod id;
pub mod limits;
pub mod money;
pub mod quantity;
pub mod table;
pub mod text;
pub mod time;
