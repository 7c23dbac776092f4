//! Every dependency may be shipped under a license that `deny.toml` allows.

use anyhow::{Context, Result};
use serde_json::Value;
use std::process::Command;

/// # Errors
/// When the dependencies or `deny.toml` cannot be read.
pub fn faults(root: &std::path::Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("deny.toml")).context("deny.toml can't be read")?;
    let allowed = allowed(&text);
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--locked"]).current_dir(root).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON: is Cargo.lock up to date?")?;
    let packages = metadata["packages"].as_array().into_iter().flatten().filter(|package| !package["source"].is_null());
    let faults = packages.filter_map(|package| {
        let (name, license) = (package["name"].as_str().unwrap_or_default(), package["license"].as_str().unwrap_or_default());
        (!may_ship(license, &allowed)).then(|| format!("Cargo.lock: {name} is under \"{license}\", which deny.toml does not allow"))
    });
    Ok(faults.collect())
}

fn allowed(deny: &str) -> Vec<&str> {
    let list = deny.split_once("[licenses]").and_then(|(_, rest)| rest.split_once('[')).and_then(|(_, rest)| rest.split_once(']'));
    list.map_or("", |(list, _)| list).split(',').map(|entry| entry.trim().trim_matches('"')).filter(|entry| !entry.is_empty()).collect()
}

/// An SPDX expression of alternatives (`OR`, formerly `/`), each of which may ask for several (`AND`); parentheses hold alternatives.
fn may_ship(expression: &str, allowed: &[&str]) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    // Alternatives bind weaker than `AND`, except in parentheses: there all parts have to be allowed one by one.
    if expression.contains('(') {
        return flat.split(" AND ").all(|part| may_ship(part.trim(), allowed));
    }
    flat.split(" OR ").any(|choice| choice.split(" AND ").all(|part| allowed.contains(&part.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_license_is_allowed_by_any_of_its_alternatives() {
        let allowed = ["MIT", "Unicode-3.0"];
        for (expression, may) in [
            ("MIT", true),
            ("MIT OR GPL-3.0", true),
            ("Apache-2.0/MIT", true),
            ("MIT AND Unicode-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("GPL-3.0", false),
            ("", false),
        ] {
            assert_eq!(may_ship(expression, &allowed), may, "{expression}");
        }
    }
}
