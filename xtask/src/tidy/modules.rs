//! Files that no `mod` reaches, and names that say nothing.

use super::Source;

const EMPTY_NAMES: &[&str] = &["common", "utils", "util", "helpers", "misc"];

pub fn dead(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let stem = file.trim_end_matches(".rs");
        let name = if stem == "mod" { folder.rsplit('/').next().unwrap_or("") } else { stem };
        if EMPTY_NAMES.contains(&name) {
            faults.push(format!("{}: \"{name}\" says nothing; name what it tells", source.path));
        }
        let is_root =
            ["lib", "main", "build"].contains(&stem) || ["/tests", "/benches", "/bin", "/examples"].iter().any(|end| folder.ends_with(end));
        if !is_root && !is_declared(sources, folder, stem, name) {
            faults.push(format!("{}: no module declares it; take it out or use it", source.path));
        }
    }
    faults
}

fn is_declared(sources: &[Source], folder: &str, stem: &str, name: &str) -> bool {
    let home = if stem == "mod" { folder.rsplit_once('/').map_or("", |(parent, _)| parent) } else { folder };
    let declaration = format!("mod {name};");
    let declares = |source: &&Source| {
        source.text.lines().any(|line| {
            line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ").trim_start_matches("pub ") == declaration
        })
    };
    let at_home = |source: &&Source| {
        let (other, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let root_of_folder = other == home && (["lib.rs", "main.rs", "mod.rs"].contains(&file) || other.ends_with("/tests"));
        root_of_folder || source.path == format!("{home}.rs")
    };
    sources.iter().filter(at_home).any(|source| declares(&source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_file_without_a_module_is_dead() {
        let alive =
            [source("crates/a/src/lib.rs", "pub mod b;\n"), source("crates/a/src/b/mod.rs", "mod c;\n"), source("crates/a/src/b/c.rs", "")];
        assert!(dead(&alive).is_empty());
        let dying = [source("crates/a/src/lib.rs", ""), source("crates/a/src/b.rs", "")];
        assert_eq!(dead(&dying).len(), 1);
    }
}
