//! What an earlier run of the program has cut, by its own records.

use std::collections::BTreeMap;

use millstream_kinesis::{Position, ShardId, ShardRange};

use crate::buffer::CutId;

/// Of a consumer that reads one stream. Reading goes on behind all of this, whatever the lease table says; the checkpoints wait until the open cuts are processed.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Up to where each shard's records were processed.
    pub processed: BTreeMap<ShardId, Position>,
    /// The cuts that were not, the oldest first, each with its ranges. The first is cut 0, to be reported as one of
    /// [`Consumer::cut`](crate::Consumer::cut), whose first cut comes behind them.
    pub open: Vec<Vec<ShardRange>>,
}

impl History {
    /// By shard, its last record that was cut, and where each open cut ends.
    pub(crate) fn by_shard(&self) -> BTreeMap<ShardId, (Position, Vec<(CutId, Position)>)> {
        let processed = self.processed.iter().map(|(shard, to)| (shard.clone(), (to.clone(), Vec::new())));
        let mut shards: BTreeMap<_, (Position, Vec<_>)> = processed.collect();
        for (cut, range) in (0..).zip(&self.open).flat_map(|(cut, ranges)| ranges.iter().map(move |range| (cut, range)))
        {
            let (last, open) = shards.entry(range.shard.clone()).or_insert_with(|| (range.to.clone(), Vec::new()));
            last.clone_from(&range.to);
            open.push((cut, range.to.clone()));
        }
        shards
    }
}
