//! A fleet in virtual time: the real coordinators on a table in memory, with their requests to DynamoDB counted.

use std::collections::BTreeMap;

use millstream_kinesis::{Checkpoint, HashKeyRange, InitialPosition, Position, Shard, ShardId};
use millstream_lease::{Action, Coordinator, CoordinatorConfig, Event, Heartbeat, MemoryLeaseStore, execute};

/// What a call takes, in milliseconds.
const CALL_MS: u64 = 5;
/// After so long everybody has his share.
const SETTLED_MS: u64 = 120_000;
/// The longest interval of an idle worker is a minute.
const WINDOW_MS: u64 = 120_000;
const DAY_MS: u64 = 86_400_000;
/// Of a lease: its key, an owner of 50 characters, a sequence number, two hash keys, and their names.
const LEASE_BYTES: u64 = 420;
/// Of a worker's entry in the row of all sessions.
const SESSION_BYTES: u64 = 90;

/// A fleet that is to be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fleet {
    pub(super) leases: u64,
    pub(super) workers: u64,
    /// Leases whose shards have records all the time.
    pub(super) active: u64,
    pub(super) checkpoint_interval_ms: u64,
    pub(super) failover_ms: u64,
    pub(super) heartbeat: Heartbeat,
}

/// What was counted, as of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) requests: u64,
    /// Write request units: one a KiB written.
    pub(super) writes: u64,
    /// Read request units: one each 4 KiB read consistently, half of that otherwise.
    pub(super) reads: u64,
}

enum Happening {
    Step(Event),
    Call(Action),
}

struct World {
    fleet: Fleet,
    store: MemoryLeaseStore,
    workers: Vec<Worker>,
    agenda: BTreeMap<(u64, u64), (usize, Happening)>,
    planned: u64,
    now_ms: u64,
    usage: Usage,
}

struct Worker {
    name: String,
    coordinator: Coordinator,
    /// The tick that counts; older ones are void.
    tick_ms: u64,
    reads: Vec<String>,
}

/// Lets the fleet run, and counts what it asks of DynamoDB once everybody has his share.
pub(super) async fn count(fleet: Fleet) -> Usage {
    let mut world = World {
        fleet,
        store: MemoryLeaseStore::new(),
        workers: Vec::new(),
        agenda: BTreeMap::new(),
        planned: 0,
        now_ms: 0,
        usage: Usage::default(),
    };
    for number in 0..fleet.workers {
        let mut config = CoordinatorConfig::new(format!("worker-{number:04}"), InitialPosition::TrimHorizon);
        config.checkpoint_interval_ms = fleet.checkpoint_interval_ms;
        (config.failover_ms, config.heartbeat) = (fleet.failover_ms, fleet.heartbeat);
        let (name, coordinator) = (config.worker_id.clone(), Coordinator::new(config, number));
        world.workers.push(Worker { name, coordinator, tick_ms: u64::MAX, reads: Vec::new() });
        // Workers do not start in the same instant.
        world.plan(number * 37 % 1_000, world.workers.len() - 1, Happening::Step(Event::Tick));
    }
    world.run(SETTLED_MS).await;
    world.usage = Usage::default();
    world.run(SETTLED_MS + WINDOW_MS).await;
    let a_day = |count: u64| count * DAY_MS / WINDOW_MS;
    let Usage { requests, writes, reads } = world.usage;
    Usage { requests: a_day(requests), writes: a_day(writes), reads: a_day(reads) }
}

impl World {
    fn plan(&mut self, at_ms: u64, worker: usize, happening: Happening) {
        self.planned += 1;
        self.agenda.insert((at_ms, self.planned), (worker, happening));
    }

    async fn run(&mut self, end_ms: u64) {
        let mut processed_ms = self.now_ms;
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= end_ms) {
            let ((time, _), (worker, happening)) = entry.remove_entry();
            self.now_ms = time;
            if self.now_ms >= processed_ms + 1_000 {
                processed_ms = self.now_ms;
                self.process();
            }
            match happening {
                Happening::Step(Event::Tick) if self.workers[worker].tick_ms != time && time > 1_000 => {}
                Happening::Step(event) => self.step(worker, event),
                Happening::Call(action) => {
                    if let Some(event) = self.call(worker, &action).await {
                        self.step(worker, event);
                    }
                }
            }
        }
        self.now_ms = end_ms;
    }

    /// Something is processed of each active shard.
    fn process(&mut self) {
        let sequence = u128::from(self.now_ms);
        for worker in 0..self.workers.len() {
            let reads = self.workers[worker].reads.iter();
            let active = reads.filter(|key| number_of(key) < self.fleet.active);
            for key in active.cloned().collect::<Vec<_>>() {
                let checkpoint = Checkpoint::At(Position { sequence: sequence.into(), sub: 0 });
                self.step(worker, Event::Processed { key, checkpoint });
            }
        }
    }

    fn step(&mut self, number: usize, event: Event) {
        let (now_ms, worker) = (self.now_ms, &mut self.workers[number]);
        let actions = worker.coordinator.step(event, now_ms);
        let wake_ms = worker.coordinator.next_wake(now_ms).max(now_ms + 1);
        let is_earlier = wake_ms != u64::MAX && wake_ms != worker.tick_ms;
        if is_earlier {
            worker.tick_ms = wake_ms;
        }
        for action in &actions {
            match action {
                Action::StartReading { key, .. } => worker.reads.push(key.clone()),
                Action::StopReading { key, .. } => worker.reads.retain(|read| read != key),
                _ => {}
            }
        }
        if is_earlier {
            self.plan(wake_ms, number, Happening::Step(Event::Tick));
        }
        for action in actions {
            match action {
                Action::StartReading { .. } | Action::StopReading { drain: false, .. } | Action::Done => {}
                // Nothing is ever in flight.
                Action::StopReading { key, .. } => self.plan(now_ms, number, Happening::Step(Event::Drained { key })),
                action => self.plan(now_ms + CALL_MS, number, Happening::Call(action)),
            }
        }
    }

    async fn call(&mut self, number: usize, action: &Action) -> Option<Event> {
        let Fleet { leases, workers, .. } = self.fleet;
        let (table_bytes, sessions_bytes) = (leases * LEASE_BYTES, workers * SESSION_BYTES + 100);
        let usage = &mut self.usage;
        match action {
            // Listing is free of charge.
            Action::ListShards { stream } => {
                return Some(Event::ShardsListed { stream: stream.clone(), shards: shards(leases) });
            }
            // At most 1 MiB an answer.
            Action::Scan => {
                usage.requests += table_bytes.div_ceil(1 << 20);
                usage.reads += table_bytes.div_ceil(4_096);
            }
            // The lease table, not consistently, and the state table of older fleets, which is not there.
            Action::LookAtFleet => {
                usage.requests += table_bytes.div_ceil(1 << 20) + 1;
                usage.reads += table_bytes.div_ceil(8_192);
            }
            Action::WriteSession(_) => {
                usage.requests += 1;
                usage.writes += sessions_bytes.div_ceil(1_024);
            }
            _ => {
                usage.requests += 1;
                usage.writes += 1;
            }
        }
        Some(execute(&self.store, &self.workers[number].name, action).await?.event)
    }
}

fn shards(count: u64) -> Vec<Shard> {
    let shard = |number| Shard {
        id: ShardId::from(format!("shardId-{number:012}")),
        parents: Vec::new(),
        hash_range: HashKeyRange::ALL,
        first: 1u128.into(),
        last: None,
    };
    (0..count).map(shard).collect()
}

fn number_of(key: &str) -> u64 {
    key.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn counted(heartbeat: Heartbeat, active: u64, checkpoint_interval_ms: u64) -> Usage {
        let failover_ms = 10_000;
        count(Fleet { leases: 100, workers: 4, active, checkpoint_interval_ms, failover_ms, heartbeat }).await
    }

    #[tokio::test]
    async fn renewals_are_those_of_the_configuration_and_sessions_spare_them() {
        let renewing = counted(Heartbeat::Lease, 0, 10_000).await;
        // 100 leases each 4 s, as far as a window shows it.
        assert!((2_140_000..2_180_000).contains(&renewing.writes), "{renewing:?}");
        let spared = counted(Heartbeat::Worker, 0, 10_000).await;
        assert!(spared.requests * 17 <= renewing.writes, "{spared:?}");
        assert_eq!(spared, counted(Heartbeat::Worker, 0, 10_000).await, "a count is the same each time");
    }

    #[tokio::test]
    async fn a_checkpoint_is_a_renewal_too() {
        // They come sooner than renewals, which so are not needed: 100 leases each 3 s.
        let active = counted(Heartbeat::Lease, 100, 3_000).await;
        assert!((2_860_000..2_890_000).contains(&active.writes), "{active:?}");
        let idle = counted(Heartbeat::Worker, 0, 10_000).await;
        let active = counted(Heartbeat::Worker, 100, 10_000).await;
        let checkpoints = active.writes - idle.writes;
        assert!((860_000..870_000).contains(&checkpoints), "100 leases each 10 s: {checkpoints}");
    }
}
