use std::sync::Arc;

use bytes::Bytes;

use super::fake::refused;
use crate::{
    BlockBuilder, ChildShard, GetRecords, HashKey, HashKeyRange, KinesisError, ReadFrom, SequenceNumber, Shard, ShardId,
};

/// A shard and the records in it.
#[derive(Debug)]
pub(super) struct FakeShard {
    pub(super) shard: Shard,
    pub(super) children: Vec<ChildShard>,
    records: Vec<Stored>,
}

#[derive(Debug)]
struct Stored {
    data: Bytes,
    partition_key: String,
    sequence: SequenceNumber,
    arrival_ms: i64,
}

impl FakeShard {
    pub(super) fn new(number: usize, parents: Vec<ShardId>, hash_range: HashKeyRange, first: SequenceNumber) -> Self {
        FakeShard {
            shard: Shard { id: format!("shardId-{number:012}").into(), parents, hash_range, first, last: None },
            children: Vec::new(),
            records: Vec::new(),
        }
    }

    pub(super) fn takes(&self, key: HashKey) -> bool {
        !self.shard.is_closed() && self.shard.hash_range.contains(key)
    }

    pub(super) fn as_child(&self) -> ChildShard {
        ChildShard { id: self.shard.id.clone(), parents: self.shard.parents.clone(), hash_range: self.shard.hash_range }
    }

    pub(super) fn push(&mut self, data: Bytes, partition_key: String, sequence: SequenceNumber, arrival_ms: i64) {
        self.records.push(Stored { data, partition_key, sequence, arrival_ms });
    }

    /// As [`Self::index`], unless the place is none of this shard.
    pub(super) fn open(&self, at: &ReadFrom) -> Result<usize, KinesisError> {
        match at {
            ReadFrom::At(sequence) | ReadFrom::After(sequence) if *sequence < self.shard.first => {
                Err(refused(&format!("StartingSequenceNumber {sequence} did not come from this stream.")))
            }
            _ => Ok(self.index(at)),
        }
    }

    /// The index of the first record that an iterator meets.
    fn index(&self, at: &ReadFrom) -> usize {
        match at {
            ReadFrom::TrimHorizon => 0,
            ReadFrom::Latest => self.records.len(),
            ReadFrom::AtTimestamp(ms) => self.first_where(|record| record.arrival_ms >= *ms),
            ReadFrom::At(sequence) => self.first_where(|record| record.sequence >= *sequence),
            ReadFrom::After(sequence) => self.first_where(|record| record.sequence > *sequence),
        }
    }

    fn first_where(&self, meets: impl Fn(&Stored) -> bool) -> usize {
        self.records.iter().position(meets).unwrap_or(self.records.len())
    }

    /// An answer, and the index to go on at unless the shard's end is reached.
    pub(super) fn read(&self, stream: &str, start: usize, limit: usize, now_ms: i64) -> (GetRecords, Option<usize>) {
        let end = self.records.len().min(start.saturating_add(limit));
        let mut builder = BlockBuilder::new(Arc::from(stream), self.shard.id.clone());
        for record in &self.records[start.min(end)..end] {
            let Stored { data, partition_key, sequence, arrival_ms } = record;
            builder.push(data, partition_key, sequence.as_str(), 0, *arrival_ms);
        }
        let rest = self.records.get(end);
        let ended = rest.is_none() && self.shard.is_closed();
        let answer = GetRecords {
            block: builder.finish(),
            next: None,
            millis_behind: rest.map_or(0, |record| (now_ms - record.arrival_ms).max(1)),
            children: if ended { self.children.clone() } else { Vec::new() },
        };
        (answer, (!ended).then_some(end))
    }
}
