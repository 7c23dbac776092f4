//! `docs/openapi.json`: generated from the handlers, checked in, refused when stale.

use anyhow::{Context, Result, bail};
use std::process::Command;

const PATH: &str = "docs/openapi.json";

fn generated() -> Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "quartermaster", "--", "openapi"])
        .current_dir(crate::root())
        .output()
        .context("quartermaster could not be run")?;
    if !output.status.success() {
        bail!("quartermaster openapi failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

pub fn write() -> Result<()> {
    std::fs::write(crate::root().join(PATH), generated()?)?;
    println!("wrote {PATH}");
    Ok(())
}

pub fn check() -> Result<()> {
    let checked_in = std::fs::read_to_string(crate::root().join(PATH)).context("docs/openapi.json is missing; run cargo xtask openapi")?;
    if checked_in != generated()? {
        bail!("{PATH} is stale; run `cargo xtask openapi` and commit the result");
    }
    println!("{PATH} is up to date");
    Ok(())
}
