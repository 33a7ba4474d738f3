use std::collections::BTreeMap;

use millstream_kinesis::{Checkpoint, InitialPosition, Shard, ShardId};
use millstream_lease::Lease;

/// Where reading goes on: an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Where shards start that have no place of their own.
    pub initial: InitialPosition,
    /// The moment that `LATEST` means, in milliseconds since the epoch.
    pub latest_since_ms: Option<i64>,
    /// Up to where each shard was taken; no shard means that all start at the initial position.
    pub shards: BTreeMap<ShardId, Checkpoint>,
}

impl Places {
    /// A lease for each shard that the stream still has.
    pub(super) fn leases(&self, listed: &[Shard]) -> Vec<Lease> {
        let lease = |shard: &Shard| {
            let mut lease = Lease::of_shard(shard, self.shards.get(&shard.id)?.clone());
            lease.latest_since_ms = self.latest_since_ms.filter(|_| lease.checkpoint == Checkpoint::Latest);
            // As its reader has left it: its children are there, and some may be read already.
            let children = listed.iter().filter(|child| lease.is_ended() && child.parents.contains(&shard.id));
            lease.children = children.map(|child| child.id.clone()).collect();
            Some(lease)
        };
        listed.iter().filter_map(lease).collect()
    }

    /// The shards that were not read to their end, and are there no more.
    pub(super) fn lost(&self, listed: &[Shard]) -> Vec<ShardId> {
        let is_lost = |(shard, at): &(&ShardId, &Checkpoint)| {
            **at != Checkpoint::ShardEnd && !listed.iter().any(|listed| listed.id == **shard)
        };
        self.shards.iter().filter(is_lost).map(|(shard, _)| shard.clone()).collect()
    }
}
