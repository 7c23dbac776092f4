//! `docs/openapi.json`: generated from the handlers, checked in; a test of the server refuses it when it is stale.

use anyhow::{Context, Result, bail};
use std::process::Command;

/// Has the test that compares write instead.
///
/// # Errors
/// When the server does not build, or the file cannot be written.
pub fn write() -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--quiet", "--test", "api", "--", "the_description_is_checked_in"])
        .env("QUARTERMASTER_WRITE_OPENAPI", "1")
        .current_dir(crate::root())
        .status()
        .context("cargo could not be run")?;
    if !status.success() {
        bail!("docs/openapi.json could not be written");
    }
    println!("wrote docs/openapi.json");
    Ok(())
}
