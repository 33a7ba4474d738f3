//! Many workers on one lease table, in virtual time: lost and late calls, crashes, pauses beyond the failover time,
//! splits and merges, workers that come and go. What must never happen is checked by `sim::oracle` at every write; what
//! must be in the end is checked here. One seed is one story: a failure names the seed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sim;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use millstream_kinesis::InitialPosition;
use millstream_lease::Heartbeat;
use sim::world::{Settings, World};

fn settings(seed: u64) -> Settings {
    let initial = if seed.is_multiple_of(3) { InitialPosition::Latest } else { InitialPosition::TrimHorizon };
    Settings {
        seed,
        workers: 1 + seed as usize % 5,
        shards: 1 + seed as usize % 7,
        initial,
        is_faulty: true,
        is_led: false,
        heartbeat: Heartbeat::Lease,
    }
}

/// Ten virtual minutes of trouble, then quiet, then a graceful stop of all.
fn story(settings: Settings) -> Vec<String> {
    let mut world = World::new(settings);
    world.run_until(600_000);
    world.calm_down();
    world.run_until(800_000);
    world.check_at_rest();
    world.shut_down_all();
    world.run_until(900_000);
    world.check_all_released();
    world.into_log()
}

#[test]
fn nothing_is_lost_or_checkpointed_twice() {
    try_seeds(60, false, Heartbeat::Lease);
}

/// The same with one sign of life for all leases of a worker.
#[test]
fn nothing_is_lost_or_checkpointed_twice_with_sessions() {
    try_seeds(60, false, Heartbeat::Worker);
}

/// The same in a fleet of the KCL 3, whose leader also stands still for longer than it is believed to be there.
#[test]
fn nothing_is_lost_or_checkpointed_twice_under_a_leader() {
    try_seeds(40, true, Heartbeat::Lease);
}

fn try_seeds(seeds: u64, is_led: bool, heartbeat: Heartbeat) {
    let seeds = std::env::var("SIM_SEEDS").ok().map_or(seeds, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let settings = Settings { is_led, heartbeat, ..settings(seed) };
        if let Err(failure) = catch_unwind(AssertUnwindSafe(|| story(settings))) {
            eprintln!("the story of SIM_SEED={seed} failed (SIM_LED={}, {heartbeat:?})", u8::from(is_led));
            resume_unwind(failure);
        }
    }
}

/// `SIM_SEED=7 SIM_LED=0 SIM_SESSIONS=0 cargo test one_story -- --nocapture` prints the story of that seed as it happens.
#[test]
fn one_story_is_always_told_alike() {
    let seed = std::env::var("SIM_SEED").ok().map_or(4, |seed| seed.parse().unwrap());
    let is_set = |name| std::env::var(name).is_ok_and(|set| set == "1");
    let heartbeat = if is_set("SIM_SESSIONS") { Heartbeat::Worker } else { Heartbeat::Lease };
    let settings = Settings { is_led: is_set("SIM_LED"), heartbeat, ..settings(seed) };
    let first = story(settings.clone());
    assert!(first.len() > 1_000, "nothing happened");
    assert_eq!(first, story(settings));
}

#[test]
fn without_trouble_a_joining_worker_has_its_share_within_three_scans() {
    let initial = InitialPosition::TrimHorizon;
    let calm = Settings {
        seed: 5,
        workers: 1,
        shards: 4,
        initial,
        is_faulty: false,
        is_led: false,
        heartbeat: Heartbeat::Lease,
    };
    let mut world = World::new(calm);
    world.run_until(20_000);
    assert_eq!(world.shares(), [4]);
    world.join();
    world.run_until(23_500);
    assert_eq!(world.shares(), [2, 2]);
    world.join();
    world.run_until(27_000);
    let mut shares = world.shares();
    shares.sort_unstable();
    assert_eq!(shares, [1, 1, 2]);
    let handoffs = world.handoffs();
    world.run_until(200_000);
    assert_eq!(world.handoffs(), handoffs, "leases wander although all is even");
}

/// The leader's way: a joining worker reports within 10 s, the leader balances each minute.
#[test]
fn a_worker_that_joins_a_led_fleet_is_given_its_share() {
    let initial = InitialPosition::TrimHorizon;
    let mut world = World::new(Settings {
        seed: 5,
        workers: 1,
        shards: 4,
        initial,
        is_faulty: false,
        is_led: true,
        heartbeat: Heartbeat::Lease,
    });
    world.run_until(60_000);
    assert_eq!(world.shares(), [4]);
    world.join();
    world.run_until(130_000);
    assert_eq!(world.shares(), [2, 2]);
    assert_eq!(world.handoffs(), 2);
    world.run_until(300_000);
    assert_eq!(world.handoffs(), 2, "the workers take by themselves what the leader has given");
}

#[test]
fn workers_that_start_together_share_evenly() {
    for seed in 0..20 {
        let workers = 2 + seed as usize % 4;
        let initial = InitialPosition::Latest;
        let mut world = World::new(Settings {
            seed,
            workers,
            shards: 8,
            initial,
            is_faulty: false,
            is_led: false,
            heartbeat: Heartbeat::Lease,
        });
        world.run_until(15_000);
        world.check_at_rest();
        let handoffs = world.handoffs();
        world.run_until(100_000);
        assert_eq!(world.handoffs(), handoffs, "seed {seed}: leases wander although all is even");
    }
}
