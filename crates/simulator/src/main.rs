//! `simulator --seed S --steps N`: lives one history again. Without a seed: `--seeds N` of them, from `--from` on.

use std::process::ExitCode;

const STEPS: u64 = 300;
const USAGE: &str = "usage: simulator [--seed S | --from S --seeds N] [--steps N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| -> Option<u64> {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse().ok()
    };
    let known = ["--seed", "--steps", "--from", "--seeds"];
    if arguments.chunks(2).any(|pair| !known.contains(&pair[0].as_str()) || value(&pair[0]).is_none()) {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    }
    let steps = value("--steps").unwrap_or(STEPS);
    let (first, count) = match value("--seed") {
        Some(seed) => (seed, 1),
        None => (value("--from").unwrap_or(1), value("--seeds").unwrap_or(1)),
    };
    for seed in first..first.saturating_add(count) {
        match simulator::run(seed, steps) {
            Ok(summary) => println!("seed {seed}: {summary:?}"),
            Err(error) => {
                eprintln!("{error}\nagain: cargo run -p simulator -- --seed {seed} --steps {steps}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
