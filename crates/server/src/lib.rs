//! The edge: HTTP, the bus, connectors and the vault around the engine. The only crate that knows an async runtime.

pub mod alerting;
pub mod app;
pub mod audit;
pub mod bus;
pub mod config;
pub mod connectors;
pub mod http;
pub mod keys;
pub mod mail;
pub mod outbound;
pub mod shop;
pub mod status_link;
pub mod status_page;
pub mod suppliers;
pub mod traces;
pub mod vault;
mod waiting;
pub mod web;
