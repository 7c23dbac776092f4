//! The edge: HTTP, the bus, connectors and the vault around the engine. The only crate that knows an async runtime.

pub mod app;
pub mod bus;
pub mod connectors;
pub mod http;
pub mod keys;
pub mod shop;
pub mod vault;
mod waiting;
pub mod web;
