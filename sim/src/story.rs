//! One story from beginning to end: a stream with a past, trouble, quiet, and an orderly end.

use millstream_kinesis::InitialPosition;

use crate::agenda::Whom;
use crate::mutant::Mutant;
use crate::settings::{BEFORE_MS, Settings};
use crate::world::{Happening, World};

const TROUBLE_MS: u64 = 150_000;
/// After the last fault every shard is read within this time: a handoff that waits for its timeout and the failover time, and
/// three generations of shards.
const QUIET_MS: u64 = 90_000;
/// The same in a led fleet: a leader's lock is good for two minutes after its death, and a lease that no leader assigns is taken
/// after one. And with several streams: one that could not be found is looked for again after a minute.
const LONG_QUIET_MS: u64 = 300_000;
const END_MS: u64 = 100_000;

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The rule that was broken, and how.
    pub violation: Option<String>,
    /// Equal for equal stories.
    pub digest: u64,
    /// Records put.
    pub records: usize,
    /// Records processed once more.
    pub repeated: u64,
    /// Calls to the table and to Kinesis.
    pub calls: u64,
    /// Questions for pushed records.
    pub pushes: u64,
    /// Leases taken.
    pub takes: u64,
    /// Handoffs asked for.
    pub handoffs: u64,
}

/// Tells it.
pub fn tell(settings: Settings, mutant: Option<Mutant>, prints: bool) -> Outcome {
    let mut world = World::new(settings, mutant, prints);
    world.plan(0, Whom::Nobody, Happening::Put);
    world.plan(BEFORE_MS / 2, Whom::All, Happening::Trouble);
    world.run_until(BEFORE_MS);
    if let InitialPosition::AtTimestamp(ms) = world.settings.initial {
        world.streams.begins_at(ms);
    }
    for _ in 0..world.settings.workers {
        world.join();
    }
    world.run_until(BEFORE_MS + TROUBLE_MS);
    world.calm_down();
    let calm_ms = world.now_ms;
    let quiet_ms = if world.settings.is_led || world.settings.streams > 1 { LONG_QUIET_MS } else { QUIET_MS };
    world.run_until(calm_ms + 30_000);
    world.agenda.retain(|happening| !matches!(happening, Happening::Put));
    world.run_until(calm_ms + quiet_ms);
    if world.oracle.violation.is_none() {
        let rows = world.server.all_rows();
        let living = world.living();
        let names: Vec<&str> = living.iter().map(|number| world.names[*number].as_str()).collect();
        world.oracle.check_owned(&world.streams, &rows, &names);
        world.oracle.check_complete(&world.streams, &rows);
    }
    world.stop_all();
    world.run_until(calm_ms + quiet_ms + END_MS);
    if world.oracle.violation.is_none() {
        let rows = world.server.all_rows();
        world.oracle.check_released(&rows, &world.server.fleet);
        world.oracle.check_repeated(world.settings.is_faulty);
        world.oracle.check_complete(&world.streams, &rows);
    }
    Outcome {
        violation: world.oracle.violation.take(),
        digest: world.trace.digest(),
        records: world.streams.records.len(),
        repeated: world.oracle.repeated,
        calls: world.calls,
        pushes: world.pushes,
        takes: world.oracle.takes,
        handoffs: world.oracle.handoffs,
    }
}
