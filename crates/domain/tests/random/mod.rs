//! Random commands against the rules: whatever is asked, in whatever order, the invariants hold, a refusal changes nothing, time comes to rest, the
//! log folds to the same state, and money is taken and given back for what it should be. What fails is shrunk to the fewest steps.

mod finish;
mod money;
mod shop;
mod step;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use step::Step;

/// Steps of a run at most.
const LONGEST: usize = 60;
/// Runs of each test, the same ones every time: what passed once passes again. With PROPTEST_CASES there are so many, and others each time.
const RUNS: u32 = 1000;

fn config() -> Config {
    let more = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let rng_seed = if more.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) };
    Config { cases: more.unwrap_or(RUNS), rng_seed, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() }
}

/// All that State holds, as text.
fn all(world: &crate::story::World) -> Vec<String> {
    world.state.images().iter().map(|image| serde_json::to_string(image).unwrap()).collect()
}

fn walk(steps: &[Step]) -> crate::story::World {
    let mut world = shop::open();
    for step in steps {
        // Invariants are asked after each transaction, wherever it came from.
        let _ = world.step(step);
        world.pass(0);
        money::check(&world);
    }
    world
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_is_asked_the_invariants_hold_and_the_log_folds_to_the_same(steps in step::steps(LONGEST)) {
        walk(&steps).replays();
    }

    #[test]
    fn a_restart_loses_nothing_and_brings_nothing_about(steps in step::steps(LONGEST / 2)) {
        let mut world = shop::open();
        for step in &steps {
            let _ = world.step(step);
            world.pass(0);
            world.restart();
            prop_assert_eq!(world.pass(0).len(), 0, "a start brings something about after {:?}", step);
        }
        world.replays();
    }

    #[test]
    fn a_refusal_changes_nothing(steps in step::steps(LONGEST / 2)) {
        let mut world = shop::open();
        for step in &steps {
            let before = all(&world);
            if let Some(Err(rejection)) = world.step(step) {
                prop_assert_eq!(before, all(&world), "{:?} was refused with {:?}", step, rejection);
            }
            world.pass(0);
        }
    }

    #[test]
    fn every_order_comes_to_an_end_when_everybody_does_their_part(steps in step::steps(LONGEST)) {
        finish::finish(walk(&steps));
    }
}
