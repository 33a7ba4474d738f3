use std::collections::{BTreeMap, BTreeSet};

use millstream_kinesis::{Shard, ShardId};
use millstream_lease::Lease;

use crate::status::ShardStatus;

/// The second answer after the goal was set was asked for after it: one may have been under way.
const TIPS: u64 = 2;

/// Whether all that had arrived at a moment was read. Pure: no clock, no IO.
#[derive(Debug)]
pub(super) struct Goal {
    /// In milliseconds since the Unix epoch.
    pub(super) until_ms: i64,
    /// The shards that were open then, or were read later on, and are not known to be done.
    open: BTreeSet<ShardId>,
    done: BTreeSet<ShardId>,
    /// How often the tip of each shard had been reached.
    tips: BTreeMap<ShardId, u64>,
    /// Shards that had a lease: it goes when their children are read.
    leased: BTreeSet<ShardId>,
}

impl Goal {
    /// `shards`: what the stream has now; `status`: what is read of it.
    pub(super) fn new(until_ms: i64, shards: &[Shard], status: &[ShardStatus]) -> Self {
        let open = shards.iter().filter(|shard| !shard.is_closed()).map(|shard| shard.id.clone());
        Self {
            until_ms,
            open: open.collect(),
            done: BTreeSet::new(),
            tips: status.iter().map(|status| (status.shard.clone(), status.tips)).collect(),
            leased: BTreeSet::new(),
        }
    }

    /// Whether nothing is left, provided that a cut takes nothing now.
    pub(super) fn is_reached(&mut self, leases: &[Lease], status: &[ShardStatus]) -> bool {
        let leases: BTreeMap<ShardId, &Lease> =
            leases.iter().map(|lease| (ShardId::from(lease.key.as_str()), lease)).collect();
        let status: BTreeMap<&ShardId, &ShardStatus> = status.iter().map(|status| (&status.shard, status)).collect();
        self.open.extend(leases.keys().filter(|shard| !self.done.contains(*shard)).cloned());
        let is_done = |shard: &ShardId| match leases.get(shard) {
            Some(lease) if lease.is_ended() => true,
            Some(_) => status.get(shard).is_some_and(|status| {
                let tips = self.tips.get(shard).copied().unwrap_or(0) + TIPS;
                !status.ended && (status.is_past || status.tips >= tips)
            }),
            None => self.leased.contains(shard),
        };
        let done: Vec<ShardId> = self.open.iter().filter(|shard| is_done(shard)).cloned().collect();
        self.open.retain(|shard| !done.contains(shard));
        self.done.extend(done);
        self.leased.extend(leases.into_keys());
        self.open.is_empty()
    }
}
