//! A leader of the KCL 3, as far as its workers see it: it assigns what is expired or unowned to those that report, and
//! evens out their shares by handoffs (KCL `LeaseAssignmentManager`, by counts).

use std::collections::BTreeMap;

use millstream_lease::fleet::{Fleet, FleetWorker, LeaderLock, Utilisation};
use millstream_lease::migration::ClientVersion;
use millstream_lease::{Lease, LeaseStore};

use super::world::{Happening, World};

const RUN_INTERVAL: u64 = 20_000;
const BALANCE_EVERY: u64 = 3;
const FAILOVER: u64 = 10_000;
const HANDOFF_TIMEOUT: u64 = 30_000 + FAILOVER;
const ROW_IS_VALID_FOR: u64 = 60_000;

#[derive(Default)]
pub(super) struct Leader {
    /// It stands still until then, with all its threads.
    pub(super) silent_until: u64,
    row_written: u64,
    runs: u64,
    /// When each worker last wrote its row.
    rows: BTreeMap<String, u64>,
    /// Each lease's counter, and since when it and a pending handoff are as they are.
    seen: BTreeMap<String, (u64, u64)>,
    handoffs: BTreeMap<String, u64>,
}

impl World {
    pub(super) fn lead(&mut self) {
        self.plan(RUN_INTERVAL, Happening::Lead);
        let now = self.now;
        let table = self.table();
        let Some(leader) = self.leader.as_mut().filter(|leader| now >= leader.silent_until) else { return };
        leader.row_written = now;
        leader.runs += 1;
        let workers: Vec<String> = leader.live(now).cloned().collect();
        let mut load: BTreeMap<String, Vec<Lease>> = workers.iter().map(|name| (name.clone(), Vec::new())).collect();
        let mut free = Vec::new();
        for lease in table.into_iter().filter(|lease| !lease.is_ended()) {
            let is_free = leader.is_expired(&lease, now) || lease.owner.is_none();
            match lease.owner.as_ref().and_then(|owner| load.get_mut(owner)) {
                Some(leases) if !is_free => leases.push(lease),
                _ if is_free => free.push(lease),
                _ => {}
            }
        }
        let balances = leader.runs.is_multiple_of(BALANCE_EVERY);
        for lease in free {
            let Some(next) = least(&load) else { return };
            self.say(format!("leader assigns {} to {next}", lease.key));
            self.runtime.block_on(self.store.take(&lease, &next)).unwrap();
            load.entry(next).or_default().push(lease);
        }
        while let (true, Some(next)) = (balances, least(&load)) {
            let most = load.iter().max_by_key(|(_, leases)| leases.len()).map(|(name, _)| name.clone()).unwrap();
            if load[&most].len() < load[&next].len() + 2 {
                return;
            }
            let lease = load.get_mut(&most).and_then(Vec::pop).unwrap();
            if lease.checkpoint_owner.is_none() {
                self.say(format!("leader wants {} to go from {most} to {next}", lease.key));
                let asked = self.runtime.block_on(self.store.request_handoff(&lease, &next)).unwrap();
                self.handoffs += usize::from(asked);
            }
            load.entry(next).or_default().push(lease);
        }
    }

    pub(super) fn fleet(&self) -> Fleet {
        let leader = self.leader.as_ref().unwrap();
        let row = |id: &str, written: u64, is_ours| FleetWorker {
            id: id.to_owned(),
            age_s: (self.now - written) / 1_000,
            is_ours,
            support: 1,
            is_in_legacy_table: false,
            utilisation: Some(Utilisation::new()),
        };
        let mut workers = vec![row("java", leader.row_written, false)];
        workers.extend(leader.rows.iter().map(|(id, written)| row(id, *written, true)));
        let lock = LeaderLock {
            owner: "java".to_owned(),
            version: leader.row_written.to_string(),
            duration_ms: 120_000,
            is_released: false,
        };
        Fleet { workers, client_version: Some(ClientVersion::V3x), lock: Some(lock), ..Fleet::default() }
    }

    pub(super) fn report(&mut self, name: &str) {
        let now = self.now;
        self.leader.as_mut().unwrap().rows.insert(name.to_owned(), now);
    }

    pub(super) fn retire(&mut self, name: &str) {
        self.leader.as_mut().unwrap().rows.remove(name);
    }
}

impl Leader {
    fn live(&self, now: u64) -> impl Iterator<Item = &String> {
        self.rows.iter().filter(move |(_, written)| now - **written <= ROW_IS_VALID_FOR).map(|(name, _)| name)
    }

    /// By the leader's own clock; a handoff that takes too long counts too.
    fn is_expired(&mut self, lease: &Lease, now: u64) -> bool {
        let (counter, since) = self.seen.entry(lease.key.clone()).or_insert((lease.counter, now));
        if *counter != lease.counter {
            (*counter, *since) = (lease.counter, now);
        }
        let is_unmoved = now - *since >= FAILOVER;
        if lease.checkpoint_owner.is_none() {
            self.handoffs.remove(&lease.key);
            return is_unmoved;
        }
        now - *self.handoffs.entry(lease.key.clone()).or_insert(now) >= HANDOFF_TIMEOUT
    }
}

fn least(load: &BTreeMap<String, Vec<Lease>>) -> Option<String> {
    load.iter().min_by_key(|(_, leases)| leases.len()).map(|(name, _)| name.clone())
}
