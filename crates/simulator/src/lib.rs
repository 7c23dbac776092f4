//! Makes trouble: a seeded world of clients, clock, disk and vendors around the real engine and the real rules.
//!
//! One seed is one history. Whatever it does: what was acknowledged is there exactly once and is answered the same again, nothing
//! is sold that never came, every invariant holds after every step, and when the trouble ends, everything comes to its end.

mod disk;
mod machine;
mod oracle;
mod random;
mod settle;
mod shop;
mod vendor;
mod warehouse;
mod world;

pub use world::{Summary, World};

use std::path::Path;

/// Lives one history to its end.
///
/// # Errors
/// With what went wrong; the same seed goes wrong the same way.
pub fn run(seed: u64, steps: u64) -> Result<Summary, String> {
    let wrong = |at: &str, error: String| format!("seed {seed}, {at}: {error}");
    // Memory is quicker to sync, and a power loss is made by hand anyway.
    let memory = Path::new("/dev/shm");
    let home = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let home = home.map_err(|error| wrong("before the first step", error.to_string()))?;
    let mut world = World::new(seed, home.path()).map_err(|error| wrong("at the opening", error))?;
    for step in 0..steps {
        world.step().map_err(|error| wrong(&format!("step {step}"), error))?;
    }
    world.heal().map_err(|error| wrong("while healing", error))?;
    world.settle().map_err(|error| wrong("at the end", error))?;
    world.prove().map_err(|error| wrong("at the proof", error))
}
