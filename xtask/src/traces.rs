//! The suite `traces`: the real binary sends to a collector that reads with OpenTelemetry's own definitions.

use anyhow::{Context, Result, bail};
use std::process::Command;

pub fn run() -> Result<()> {
    let (python, root) = (crate::peers::python()?, crate::root());
    // As the suite `rust` builds it; by itself, a build would choose other features and make everything again.
    let build = ["test", "--workspace", "--test", "tools", "--no-run", "--quiet"];
    done(Command::new(env!("CARGO")).args(build).current_dir(&root))?;
    let folder = root.join("target/peers/traces");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let mail_server = root.join("crates/server/tests/mail/smtpd.py");
    let binary = root.join("target/debug/quartermaster");
    done(Command::new(python).arg(root.join("xtask/traces/traces.py")).arg(binary).arg(&folder).arg(mail_server))
}

fn done(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} could not be run"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
