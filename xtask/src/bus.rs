//! The suite `bus`: independent programs read what the real binary says, and the receivers of `docs/webhooks.md` run as they stand there.

use anyhow::{Context, Result, bail};
use std::process::Command;

const DOCS: &str = "docs/webhooks.md";
/// Most lines of a receiver in the docs: it promises ten.
const RECEIVER_LINES_MAX: usize = 10;

pub fn run() -> Result<()> {
    let (python, modules, root) = (crate::peers::python()?, crate::peers::node_modules()?, crate::root());
    // As the suite `rust` builds it; by itself, a build would choose other features and make everything again.
    done(Command::new(env!("CARGO")).args(["test", "--workspace", "--test", "tools", "--no-run", "--quiet"]).current_dir(&root))?;
    let folder = root.join("target/peers/bus");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let docs = std::fs::read_to_string(root.join(DOCS))?;
    for (language, file) in [("python", "receiver.py"), ("javascript", "receiver.mjs")] {
        std::fs::write(folder.join(file), snippet(&docs, language)?)?;
    }
    let binary = root.join("target/debug/quartermaster");
    done(Command::new(python).arg(root.join("xtask/bus/bus.py")).arg(binary).arg(&folder))?;
    let asyncapi = Command::new("node")
        .arg(root.join("xtask/bus/asyncapi.mjs"))
        .arg("docs/asyncapi.json")
        .arg(folder.join("events.json"))
        .env("NODE_PATH", modules)
        .current_dir(&root)
        .status();
    if !asyncapi.context("node could not be run")?.success() {
        bail!("docs/asyncapi.json does not describe what the bus says");
    }
    Ok(())
}

/// The only code of a language in the docs, exactly as it stands.
fn snippet(docs: &str, language: &str) -> Result<String> {
    let opening = format!("```{language}\n");
    let mut found = docs.split(&opening).skip(1).filter_map(|rest| rest.split_once("```").map(|(code, _)| code));
    let (Some(code), None) = (found.next(), found.next()) else { bail!("{DOCS} should have one piece of {language}") };
    let lines = code.lines().count();
    if lines > RECEIVER_LINES_MAX {
        bail!("the {language} receiver in {DOCS} has {lines} lines; it promises {RECEIVER_LINES_MAX}");
    }
    Ok(code.to_owned())
}

fn done(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} could not be run"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_taken_from_the_docs_as_it_stands() {
        assert_eq!(snippet("a\n```python\nx = 1\n```\nb", "python").expect("it is there"), "x = 1\n");
        assert!(snippet("a", "python").is_err());
        assert!(snippet(&format!("```python\n{}```", "x\n".repeat(11)), "python").is_err());
    }
}
