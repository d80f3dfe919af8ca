//! Two keepers of one conversation, each of which believes that it is its own: whatever the store loses, refuses or delays.

use std::{env, sync::Arc};

use super::{super::rules::Rules, script, world::World};
use crate::store::{Store, memory::Memory, sqlite::Sqlite};

/// Seeds of a usual run; `KITH_KEEPER_SEEDS` says another number.
const SEEDS: u64 = 1000;
/// Conflicts and unknown outcomes that a seed has on average, at least: a test in which nobody overlaps proves nothing.
const OVERLAPS: u64 = 5;

/// The outcome of one seed: the faults, and the number of conflicts and unknown outcomes.
fn run(seed: u64, rules: Rules, store: Arc<dyn Store>) -> (Vec<String>, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async move {
        let mut world = World::new(store, seed, script::ODDS, rules).await;
        script::play(&mut world).await;
        let overlaps = world.counts.both();
        (world.judge().await, overlaps)
    })
}

/// The first of so many seeds in which a rule that is broken is noticed.
fn noticed(rules: Rules, seeds: u64) -> Option<u64> {
    (0..seeds).find(|seed| !run(*seed, rules, Arc::new(Memory::new())).0.is_empty())
}

#[test]
fn nothing_is_lost_doubled_reordered_or_holed() {
    let seeds = env::var("KITH_KEEPER_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    let first = env::var("KITH_KEEPER_SEED").map_or(0, |seed| seed.parse().expect("a seed"));
    let mut overlaps = 0;
    for seed in first..first + seeds {
        let (wrong, both) = run(seed, Rules::RIGHT, Arc::new(Memory::new()));
        assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
        overlaps += both;
    }
    println!("{overlaps} conflicts and unknown outcomes in {seeds} seeds");
    assert!(overlaps >= OVERLAPS * seeds, "{overlaps} conflicts and unknown outcomes in {seeds} seeds");
}

#[test]
fn nor_on_sqlite() {
    for seed in 0..5 {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Sqlite::open(dir.path()).expect("a store");
        let (wrong, _) = run(seed, Rules::RIGHT, store);
        assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn a_seed_has_the_same_faults_again() {
    let [one, other] = [0, 1].map(|_| run(7, Rules::RIGHT, Arc::new(Memory::new())).1);
    assert_eq!(one, other);
}

#[test]
fn who_does_not_admit_anew_is_noticed() {
    assert!(noticed(Rules { admits_anew: false, ..Rules::RIGHT }, 300).is_some());
}

#[test]
fn who_does_not_judge_changes_anew_is_noticed() {
    assert!(noticed(Rules { judges_anew: false, ..Rules::RIGHT }, 50).is_some());
}

#[test]
fn who_acknowledges_before_they_publish_is_noticed() {
    assert!(noticed(Rules { publishes_first: false, ..Rules::RIGHT }, 300).is_some());
}

#[test]
fn who_keeps_their_memory_after_a_conflict_is_noticed() {
    assert!(noticed(Rules { catches_up: false, ..Rules::RIGHT }, 10).is_some());
}

#[test]
fn who_takes_an_unknown_outcome_for_a_good_one_is_noticed() {
    assert!(noticed(Rules { looks: false, ..Rules::RIGHT }, 50).is_some());
}

#[test]
fn who_answers_from_a_memory_that_is_not_confirmed_is_noticed() {
    assert!(noticed(Rules { confirms: false, ..Rules::RIGHT }, 50).is_some());
}
