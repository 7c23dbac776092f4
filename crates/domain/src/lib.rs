//! The rules of the shop: pure, synchronous, without clock, randomness, floats or IO.
//!
//! The doors: [`State::settle`] decides a command and lets every room answer until nothing is left to say; [`State::apply`]
//! folds what was recorded; [`State::due`] tells what time has made due.

pub mod access;
pub mod alert;
mod backlog;
pub mod catalog;
pub mod command;
pub mod count;
pub mod customer;
pub mod event;
pub mod fulfillment;
pub mod id;
pub mod invariants;
pub mod limits;
mod memory;
pub mod money;
pub mod notification;
pub mod order;
pub mod payment;
pub mod purchasing;
pub mod quantity;
pub mod rejection;
pub mod returns;
mod settle;
pub mod state;
pub mod stock;
pub mod subscription;
pub mod table;
pub mod text;
pub mod time;
pub mod transfer;

pub use command::Command;
pub use event::{Event, Recorded, Subject};
pub use memory::Fetch;
pub use rejection::Rejection;
pub use settle::{Context, Transaction};
pub use state::{Image, State};
