//! `cargo xtask test`: every suite, one after another, and a table at the end.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::time::Instant;

struct Suite {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<()>,
}

const SUITES: &[Suite] = &[
    Suite { name: "rust", about: "unit, story, engine, crash and HTTP tests; docs/openapi.json is what the handlers say", run: rust },
    Suite { name: "asyncapi", about: "docs/asyncapi.json is what the types of the events say", run: crate::asyncapi::check },
    Suite { name: "peers", about: "the independent programs that tests talk to are there", run: peers },
    Suite { name: "mail", about: "customers, suppliers and staff are written to over a real mail server", run: mail },
    Suite { name: "bus", about: "independent programs read what the bus says, and the receivers in the docs run", run: crate::bus::run },
    Suite {
        name: "traces",
        about: "an independent collector reads the spans of the real binary, and a dead one harms nobody",
        run: crate::traces::run,
    },
    Suite { name: "browser", about: "the dashboard in a real browser: live, acted on, accessible", run: browser },
    Suite { name: "demo", about: "the demo trades two days and proves its numbers", run: demo },
];

/// # Errors
/// When a suite failed, after all have run.
pub fn run(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| SUITES.iter().all(|suite| suite.name != **name)) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("there is no suite \"{unknown}\"; choose from {}", known.join(", "));
    }
    let mut table = Vec::new();
    for suite in SUITES.iter().filter(|suite| names.is_empty() || names.contains(&suite.name)) {
        println!("── {}: {}", suite.name, suite.about);
        let started = Instant::now();
        let result = (suite.run)();
        if let Err(error) = &result {
            println!("{error:#}");
        }
        table.push((suite.name, result.is_ok(), started.elapsed().as_secs()));
    }
    println!("\n{:<12} {:<8} seconds", "suite", "result");
    for (name, passed, seconds) in &table {
        println!("{name:<12} {:<8} {seconds}", if *passed { "passed" } else { "FAILED" });
    }
    match table.iter().filter(|(_, passed, _)| !passed).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} suites failed", table.len()),
    }
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(crate::root()).status().context("cargo could not be run")?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}

/// Prints a table with each budget beside what was measured, or with `--json` one object; its ratios are from one run.
///
/// # Errors
/// When the benchmark cannot be built or run.
pub fn bench(arguments: &[&str]) -> Result<()> {
    if arguments.iter().any(|argument| argument.split(',').any(|part| part == "postgres")) {
        crate::peers::postgres()?;
    }
    let bench = ["run", "--release", "--quiet", "--package", "server", "--example", "bench", "--"];
    cargo(&[&bench[..], arguments].concat())
}

/// Many events to twenty webhooks, of which three are bad; one JSON object.
///
/// # Errors
/// When the benchmark cannot be built or run.
pub fn bench_bus(arguments: &[&str]) -> Result<()> {
    let bench = ["run", "--release", "--quiet", "--package", "server", "--example", "bench_bus", "--"];
    cargo(&[&bench[..], arguments].concat())
}

fn rust() -> Result<()> {
    cargo(&["test", "--workspace", "--quiet", "--no-fail-fast"])
}

/// The tests find aiosmtpd by the variable; without it they fail.
fn mail() -> Result<()> {
    let python = crate::peers::python()?;
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--workspace", "--quiet", "--test", "mail"]).env("QUARTERMASTER_TEST_PYTHON", python);
    let status = command.current_dir(crate::root()).status().context("cargo could not be run")?;
    if !status.success() {
        bail!("the mail tests failed");
    }
    Ok(())
}

/// Fetched before they are needed, so that a registry that does not answer is told from a test that fails.
fn peers() -> Result<()> {
    println!("python: {}", crate::peers::python()?.display());
    println!("node: {}", crate::peers::node_modules()?.display());
    println!("chromium: {}", crate::peers::chromium()?.display());
    Ok(())
}

/// The release binary is built here: the demo is what a user runs first, as they run it.
fn demo() -> Result<()> {
    cargo(&["build", "--release", "--quiet", "--package", "quartermaster"])?;
    let binary = crate::root().join("target/release/quartermaster");
    let output = Command::new(binary)
        .args(["demo", "--headless", "--speed", "max", "--days", "2", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::inherit())
        .output()
        .context("the demo could not be run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the demo ended with {}:\n{text}", output.status);
    }
    let last = text.lines().last().context("the demo printed nothing")?;
    let summary: serde_json::Value = serde_json::from_str(last).with_context(|| format!("not a summary: {last}"))?;
    for key in ["orders", "shipped", "purchase_orders"] {
        if summary[key].as_u64().is_none_or(|count| count == 0) {
            bail!("the demo's summary has no {key}: {last}");
        }
    }
    if summary["verified"] != true {
        bail!("the demo's numbers do not verify: {last}");
    }
    println!("{last}");
    Ok(())
}

/// The scripts start the binary that the tests have built on free ports, each with a shop of its own.
fn browser() -> Result<()> {
    cargo(&["test", "--workspace", "--no-run", "--quiet"])?;
    let (modules, chromium) = (crate::peers::node_modules()?, crate::peers::chromium()?);
    for script in ["live.mjs", "acts.mjs", "pages.mjs"] {
        println!("{script}");
        let status = Command::new("node")
            .arg(crate::root().join("xtask/browser").join(script))
            .env("NODE_PATH", &modules)
            .env("CHROMIUM", &chromium)
            .env("QUARTERMASTER", crate::root().join("target/debug/quartermaster"))
            .status()
            .context("node could not be run")?;
        if !status.success() {
            bail!("{script} failed");
        }
    }
    Ok(())
}
