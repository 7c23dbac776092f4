//! `docs/asyncapi.json`: AsyncAPI 3 of what the bus says and hears, generated from the sources of the events, checked in, refused when stale.
//!
//! Events are described by the Rust types that are written to the log; requests by `docs/openapi.json`. Nothing is told twice.

mod document;
mod schema;
mod sources;

use anyhow::{Context, Result, bail};

const PATH: &str = "docs/asyncapi.json";

fn generated() -> Result<String> {
    let document = document::document()?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

pub fn write() -> Result<()> {
    std::fs::write(crate::root().join(PATH), generated()?)?;
    println!("wrote {PATH}");
    Ok(())
}

pub fn check() -> Result<()> {
    let checked_in =
        std::fs::read_to_string(crate::root().join(PATH)).context("docs/asyncapi.json is missing; run cargo xtask asyncapi")?;
    if checked_in != generated()? {
        bail!("{PATH} is stale; run `cargo xtask asyncapi` and commit the result");
    }
    println!("{PATH} is up to date");
    Ok(())
}
