//! Random operations on the simulated disk with crashes at random writes. What survives is what
//! was acknowledged, plus at most what was on its way, whole; and a store with a deliberate
//! mistake does not pass.
//!
//! `CRASH_SEEDS=10000` runs more seeds, `CRASH_SEED=17` a single one.

mod crash_world;
mod plain;

use crash_world::World;
use storage_engine::recovery::Sabotage;

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
}

#[test]
fn what_was_acknowledged_survives_any_crash() {
    if let Some(seed) = number("CRASH_SEED") {
        return World::new(seed, None).run();
    }
    let seeds = number("CRASH_SEEDS").unwrap_or(200);
    let (mut crashes, mut removed) = (0, 0);
    for seed in 0..seeds {
        let mut world = World::new(seed, None);
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
        if let Err(cause) = run {
            eprintln!("failed: CRASH_SEED={seed}");
            std::panic::resume_unwind(cause);
        }
        crashes += world.crashes;
        removed += world.removed;
    }
    println!("{seeds} seeds, {crashes} crashes, {removed} segments compacted");
    assert!(crashes >= seeds / 2, "the simulator hardly ever crashed");
}

#[test]
fn rot_below_the_mark_is_noticed_and_contained() {
    for seed in number("CRASH_SEED").map_or(0..number("CRASH_SEEDS").unwrap_or(200), |s| s..s + 1) {
        let mut world = World::new(seed, None);
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.run_shortly();
            world.rot();
        }));
        if let Err(cause) = run {
            eprintln!("failed: CRASH_SEED={seed}");
            std::panic::resume_unwind(cause);
        }
    }
}

/// A mistake must show within this many seeds.
const SEEDS_TO_NOTICE: u64 = 300;

fn is_noticed(sabotage: Sabotage) {
    let noticed = (0..SEEDS_TO_NOTICE).find(|seed| {
        let mut world = World::new(*seed, Some(sabotage));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run())).is_err()
    });
    assert!(
        noticed.is_some(),
        "{sabotage:?} was not noticed in {SEEDS_TO_NOTICE} seeds"
    );
}

#[test]
fn a_skipped_checksum_is_noticed() {
    let noticed = (0..SEEDS_TO_NOTICE).find(|seed| {
        let mut world = World::new(*seed, Some(Sabotage::SkipChecksum));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.run_shortly();
            world.rot();
        }))
        .is_err()
    });
    assert!(noticed.is_some(), "rotten octets were served unnoticed");
}

#[test]
fn an_answer_before_the_sync_is_noticed() {
    is_noticed(Sabotage::ReplyBeforeSync);
}

#[test]
fn a_segment_removed_too_early_is_noticed() {
    is_noticed(Sabotage::RemoveTooEarly);
}

#[test]
fn a_cut_tail_that_comes_back_is_noticed() {
    is_noticed(Sabotage::ForgetTheCut);
}
