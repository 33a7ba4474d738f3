//! How a large fleet behaves: real coordinators on one table, without records. Calls take their time and never fail.

use std::collections::BTreeMap;
use std::fmt;

use millstream_kinesis::{HashKeyRange, InitialPosition, Shard, ShardId};
use millstream_lease::assignment::AssignmentConfig;
use millstream_lease::{Action, Coordinator, CoordinatorConfig, Event, Lease};

use crate::agenda::{Agenda, Whom};
use crate::dice::Dice;
use crate::server::Server;

const SCAN_MS: u64 = 1_000;
const FAILOVER_MS: u64 = 10_000;

enum Happening {
    Tick(usize),
    Call(usize, Box<Action>),
}

struct Fleet {
    workers: Vec<Option<Coordinator>>,
    /// The tick that counts; older ones are void.
    ticks: Vec<u64>,
    shards: Vec<Shard>,
    server: Server,
    agenda: Agenda<Happening>,
    dice: Dice,
    now_ms: u64,
    requests: BTreeMap<&'static str, u64>,
}

/// What was measured.
#[derive(Debug)]
pub struct Growth {
    leases: u64,
    workers: u64,
    /// Until each worker had its share of a new table.
    start_ms: u64,
    start: BTreeMap<&'static str, u64>,
    /// In ten seconds in which nothing changes.
    quiet: BTreeMap<&'static str, u64>,
    /// After a third of the workers had died, until each lease had a living owner, and none of them was further from the
    /// average than what the KCL balances.
    recovery_ms: u64,
    /// Until each of them had its share, to the lease.
    even_ms: u64,
    recovery: BTreeMap<&'static str, u64>,
    /// Kibibytes of this process for each worker and lease, the model's table included.
    kib: u64,
}

impl Growth {
    /// How many scans of each worker it took after the failover time until all was balanced again.
    pub fn rounds(&self) -> u64 {
        self.recovery_ms.saturating_sub(FAILOVER_MS).div_ceil(SCAN_MS)
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} leases, {} workers", self.leases, self.workers)?;
        writeln!(f, "  balanced on a new table after {:.1} s: {:?}", self.start_ms as f64 / 1e3, self.start)?;
        writeln!(f, "  ten quiet seconds: {:?}", self.quiet)?;
        writeln!(
            f,
            "  a third died: balanced after {:.1} s, which is {} scans after the failover time; even after {:.1} s: {:?}",
            self.recovery_ms as f64 / 1e3,
            self.rounds(),
            self.even_ms as f64 / 1e3,
            self.recovery
        )?;
        write!(f, "  memory: {} KiB a worker, {} bytes a worker and lease", self.kib, self.kib * 1024 / self.leases)
    }
}

/// Lets so many workers share so many leases.
pub fn measure(leases: u64, workers: u64) -> Growth {
    let before_kib = resident_kib();
    let mut fleet = Fleet::new(leases, workers);
    for _ in 0..workers {
        fleet.join();
    }
    let start_ms = fleet.run_until(Fleet::is_even);
    let start = std::mem::take(&mut fleet.requests);
    let end_ms = fleet.now_ms + 10_000;
    fleet.run(end_ms);
    let quiet = std::mem::take(&mut fleet.requests);
    let kib = (resident_kib() - before_kib) / workers;
    for worker in fleet.workers.iter_mut().step_by(3) {
        *worker = None;
    }
    let recovery_ms = fleet.run_until(Fleet::is_balanced);
    let even_ms = recovery_ms + fleet.run_until(Fleet::is_even);
    Growth { leases, workers, start_ms, start, quiet, recovery_ms, even_ms, recovery: fleet.requests, kib }
}

impl Fleet {
    fn new(leases: u64, workers: u64) -> Self {
        let shard = |(number, hash_range)| Shard {
            id: ShardId::from(format!("shardId-{number:012}")),
            parents: Vec::new(),
            hash_range,
            first: 1.into(),
            last: None,
        };
        Fleet {
            workers: Vec::new(),
            ticks: Vec::new(),
            shards: HashKeyRange::split(leases as u32).into_iter().enumerate().map(shard).collect(),
            server: Server::new(1, 1, None),
            agenda: Agenda::new(),
            dice: Dice::new(workers),
            now_ms: 0,
            requests: BTreeMap::new(),
        }
    }

    fn join(&mut self) {
        let number = self.workers.len();
        let mut config = CoordinatorConfig::new(format!("worker-{number:03}"), InitialPosition::TrimHorizon);
        (config.scan_interval_ms, config.failover_ms, config.joins_fleet) = (SCAN_MS, FAILOVER_MS, false);
        self.workers.push(Some(Coordinator::new(config, self.dice.next())));
        self.ticks.push(u64::MAX);
        // Workers do not start in the same instant.
        let start_ms = self.dice.between(0, SCAN_MS);
        self.ticks[number] = start_ms;
        self.agenda.plan(start_ms, Whom::Nobody, Happening::Tick(number));
    }

    /// How long it took; at most ten minutes.
    fn run_until(&mut self, condition: fn(&Self) -> bool) -> u64 {
        let start_ms = self.now_ms;
        while !condition(self) && self.now_ms < start_ms + 600_000 {
            self.run(self.now_ms + 100);
        }
        self.now_ms - start_ms
    }

    fn run(&mut self, end_ms: u64) {
        while let Some((time, happening)) = self.agenda.next(end_ms) {
            self.now_ms = time;
            match happening {
                Happening::Tick(worker) if self.ticks[worker] == time => self.step(worker, Event::Tick),
                Happening::Tick(_) => {}
                Happening::Call(worker, action) => {
                    let answer = self.answer(worker, &action);
                    self.step(worker, answer);
                }
            }
        }
        self.now_ms = end_ms;
    }

    fn step(&mut self, number: usize, event: Event) {
        let Some(worker) = &mut self.workers[number] else { return };
        let actions = worker.step(event, self.now_ms);
        let wake_ms = worker.next_wake(self.now_ms);
        for action in actions {
            if !matches!(action, Action::StartReading { .. } | Action::StopReading { drain: false, .. }) {
                let at_ms = self.now_ms + self.dice.between(2, 40);
                self.agenda.plan(at_ms, Whom::Nobody, Happening::Call(number, Box::new(action)));
            }
        }
        if wake_ms != u64::MAX && wake_ms != self.ticks[number] {
            self.ticks[number] = wake_ms.max(self.now_ms + 1);
            self.agenda.plan(self.ticks[number], Whom::Nobody, Happening::Tick(number));
        }
    }

    fn answer(&mut self, number: usize, action: &Action) -> Event {
        if let Action::StopReading { key, .. } = action {
            // Nothing is ever in flight.
            return Event::Drained { key: key.clone() };
        }
        let name = match action {
            Action::Scan => "scan",
            Action::ListShards { .. } => "list_shards",
            Action::Create(_) => "create",
            Action::Renew(_) => "renew",
            Action::Take(_) => "take",
            Action::RequestHandoff { .. } => "request_handoff",
            Action::CompleteHandoff(_) => "complete_handoff",
            _ => "other",
        };
        *self.requests.entry(name).or_default() += 1;
        if let Action::ListShards { stream } = action {
            return Event::ShardsListed { stream: stream.clone(), shards: self.shards.clone() };
        }
        let (table, name) = (self.server.table.clone(), format!("worker-{number:03}"));
        let action = action.clone();
        let answer =
            self.server.wait(Box::pin(async move { millstream_lease::execute(&*table, &name, &action).await }));
        answer.map_or(Event::Tick, |answer| answer.event)
    }

    /// Whether each living worker has its share, to the lease, and nobody else has any.
    fn is_even(&self) -> bool {
        let Some(shares) = self.shares() else { return false };
        let (most, least) = (shares.iter().max(), shares.iter().min());
        most.zip(least).is_some_and(|(most, least)| most - least <= 1)
    }

    /// Whether living workers have all leases, and none of them is further from the average than what the KCL balances.
    fn is_balanced(&self) -> bool {
        let Some(shares) = self.shares() else { return false };
        let threshold = f64::from(AssignmentConfig::default().rebalance_threshold_percent) / 100.0;
        let average = shares.iter().sum::<u64>() as f64 / shares.len() as f64;
        shares.iter().all(|share| (*share as f64 - average).abs() <= average * threshold)
    }

    /// How many leases each living worker has. `None`: some have another owner, or none, or are missing.
    fn shares(&self) -> Option<Vec<u64>> {
        let rows: Vec<Lease> = self.server.all_rows();
        let living = (0..self.workers.len()).filter(|worker| self.workers[*worker].is_some());
        let mut shares: BTreeMap<String, u64> = living.map(|worker| (format!("worker-{worker:03}"), 0)).collect();
        for row in &rows {
            *row.actual_owner().and_then(|owner| shares.get_mut(owner))? += 1;
        }
        (rows.len() == self.shards.len()).then(|| shares.into_values().collect())
    }
}

/// What this process has in memory.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
