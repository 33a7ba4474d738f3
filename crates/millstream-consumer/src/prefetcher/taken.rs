use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use millstream_kinesis::{RecordBlock, ShardId, ShardRange};

use crate::buffer::{CutLimits, ShardInput};

/// About what a record takes beside its data, as a row with its shard, stream, key and numbers.
const ROW_BYTES: u64 = 160;

/// The next records of one shard.
#[derive(Clone, Debug)]
pub struct TakenRange {
    /// Where they are.
    pub range: ShardRange,
    /// Whether the range's `records` are all that lie within: not where it ends at a record that was found ahead.
    pub is_counted: bool,
    /// The bytes of their data that was read.
    pub bytes: u64,
    /// The records themselves; none where there are too many to be kept.
    pub blocks: Vec<RecordBlock>,
}

/// What several cuts in a row have given, as one.
#[derive(Debug)]
pub(super) struct Gathered {
    shards: BTreeMap<ShardId, TakenRange>,
    records: u64,
    bytes: u64,
    keep_bytes: u64,
}

impl Gathered {
    pub(super) fn new(keep_bytes: u64) -> Self {
        Self { shards: BTreeMap::new(), records: 0, bytes: 0, keep_bytes }
    }

    /// Adds the next cut, and returns its bytes. Each shard's part goes on where its last one ended.
    pub(super) fn add(&mut self, inputs: Vec<ShardInput>) -> u64 {
        let before = self.bytes;
        for ShardInput { range, blocks } in inputs {
            let bytes = blocks.iter().map(|block| block.byte_len() as u64).sum();
            self.records += range.records;
            self.bytes += bytes;
            match self.shards.entry(range.shard.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(TakenRange { range, is_counted: true, bytes, blocks });
                }
                Entry::Occupied(mut entry) => {
                    let taken = entry.get_mut();
                    taken.range.to = range.to;
                    taken.range.records += range.records;
                    taken.bytes += bytes;
                    taken.blocks.extend(blocks);
                }
            }
        }
        if self.is_large() {
            self.shards.values_mut().for_each(|taken| taken.blocks.clear());
        }
        self.bytes - before
    }

    /// What is left of the limits.
    pub(super) fn rest_of(&self, limits: CutLimits) -> CutLimits {
        CutLimits {
            records: limits.records.saturating_sub(self.records),
            bytes: limits.bytes.saturating_sub(self.bytes),
        }
    }

    pub(super) fn is_full(&self, limits: CutLimits) -> bool {
        self.records >= limits.records || self.bytes >= limits.bytes
    }

    /// Whether there are too many records to be kept.
    pub(super) fn is_large(&self) -> bool {
        self.bytes + self.records * ROW_BYTES > self.keep_bytes
    }

    /// Lets the part of a shard end where `range` does, at a record that was found ahead.
    pub(super) fn extend(&mut self, range: ShardRange) {
        let ShardRange { shard, to, .. } = range.clone();
        let taken =
            self.shards.entry(shard).or_insert(TakenRange { range, is_counted: false, bytes: 0, blocks: Vec::new() });
        taken.range.to = to;
        taken.is_counted = false;
        taken.blocks.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// In shard order.
    pub(super) fn into_ranges(self) -> Vec<TakenRange> {
        self.shards.into_values().collect()
    }
}
