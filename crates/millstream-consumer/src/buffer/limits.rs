//! How much a cut may take, and of which shard.

use millstream_kinesis::RecordBlock;

/// What a cut may take at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutLimits {
    /// Records.
    pub records: u64,
    /// Bytes of the records' data. A single record is taken even where it has more.
    pub bytes: u64,
}

impl Default for CutLimits {
    fn default() -> Self {
        CutLimits { records: u64::MAX, bytes: u64::MAX }
    }
}

impl CutLimits {
    /// How many of the block's first records are within the limits.
    pub(super) fn fit(self, block: &RecordBlock) -> usize {
        let within = block.len().min(usize::try_from(self.records).unwrap_or(usize::MAX));
        let offsets = block.data().offsets();
        let begin = offsets.first().copied().unwrap_or_default();
        let end_of = |offset: &i64| u64::try_from(offset - begin).unwrap_or(u64::MAX);
        // One offset more than records: the first is the begin, which always fits.
        within.min(offsets.partition_point(|offset| end_of(offset) <= self.bytes).saturating_sub(1))
    }

    /// What is left of them after this was taken.
    pub(super) fn without(self, taken: &RecordBlock) -> Self {
        CutLimits {
            records: self.records.saturating_sub(taken.len() as u64),
            bytes: self.bytes.saturating_sub(taken.byte_len() as u64),
        }
    }
}

/// Deals `amount` out so that every shard gets what it has queued or an equal share. Where there is less than one for
/// each, the longest queues come first.
pub(super) fn shares(amount: u64, queued: &[u64]) -> Vec<u64> {
    let mut shortest_first: Vec<usize> = (0..queued.len()).collect();
    shortest_first.sort_by_key(|&shard| queued[shard]);
    let (mut shares, mut left) = (vec![0; queued.len()], amount);
    for (done, shard) in shortest_first.into_iter().enumerate() {
        let share = queued[shard].min(left / (queued.len() - done) as u64);
        shares[shard] = share;
        left -= share;
    }
    shares
}
