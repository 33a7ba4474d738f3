use std::collections::HashMap;
use std::mem;

use bytes::Bytes;
use md5::{Digest, Md5};
use prost::Message;

use super::proto::{AggregatedRecord, Record};
use super::{DIGEST_LEN, MAGIC};
use crate::{HashKey, PutEntry};

/// Puts user records together into aggregated records, as the KPL does.
///
/// All records of one aggregator must belong to one shard: a reader leaves out an aggregate that holds a record of
/// another shard (see [`deaggregate`](super::deaggregate)). So use one aggregator for each shard.
#[derive(Debug)]
pub struct Aggregator {
    max_bytes: usize,
    size: usize,
    entries: Vec<PutEntry>,
}

impl Aggregator {
    /// The most that a record costs in an aggregate besides its data, key and hash key: protobuf tags and lengths.
    pub(super) const RECORD_OVERHEAD: usize = 64;

    /// An aggregator whose aggregates have at most `max_bytes` of data (a record larger than that goes alone, plain).
    pub fn new(max_bytes: usize) -> Self {
        Aggregator { max_bytes, size: 0, entries: Vec::new() }
    }

    /// Adds a record. When it does not fit any more, it starts the next aggregate and the full one is returned.
    pub fn add(&mut self, entry: PutEntry) -> Option<PutEntry> {
        let size = entry.size() + Self::RECORD_OVERHEAD;
        let framing = MAGIC.len() + DIGEST_LEN;
        let full = if self.size + size + framing > self.max_bytes { self.finish() } else { None };
        self.size += size;
        self.entries.push(entry);
        full
    }

    /// What was added since the last aggregate. One record alone stays a plain one.
    pub fn finish(&mut self) -> Option<PutEntry> {
        self.size = 0;
        let mut entries = mem::take(&mut self.entries);
        match entries.len() {
            0 | 1 => entries.pop(),
            _ => Some(aggregate(entries)),
        }
    }
}

fn aggregate(entries: Vec<PutEntry>) -> PutEntry {
    let first = &entries[0];
    let hash_key = first.explicit_hash_key.unwrap_or_else(|| HashKey::of_partition_key(&first.partition_key));
    let mut partition_keys = Table::default();
    let mut hash_keys = Table::default();
    let records = entries
        .into_iter()
        .map(|entry| Record {
            partition_key_index: Some(partition_keys.index(entry.partition_key)),
            explicit_hash_key_index: entry.explicit_hash_key.map(|key| hash_keys.index(key.to_string())),
            data: Some(entry.data),
        })
        .collect();
    let message = AggregatedRecord {
        partition_key_table: partition_keys.texts,
        explicit_hash_key_table: hash_keys.texts,
        records,
    };
    PutEntry {
        data: seal(&message.encode_to_vec()),
        // As the KPL does: the hash key decides the shard, the partition key must only be there.
        partition_key: "a".to_owned(),
        explicit_hash_key: Some(hash_key),
    }
}

fn seal(message: &[u8]) -> Bytes {
    [&MAGIC, message, Md5::digest(message).as_slice()].concat().into()
}

/// Distinct texts, in the order of their first use.
#[derive(Default)]
struct Table {
    texts: Vec<String>,
    indices: HashMap<String, u64>,
}

impl Table {
    fn index(&mut self, text: String) -> u64 {
        let next = self.texts.len() as u64;
        *self.indices.entry(text).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            next
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_alone_stays_plain() {
        let mut aggregator = Aggregator::new(1_000);
        let entry = PutEntry::new("k", "data");
        assert_eq!(aggregator.add(entry.clone()), None);
        assert_eq!(aggregator.finish(), Some(entry));
        assert_eq!(aggregator.finish(), None);
    }

    #[test]
    fn an_aggregate_goes_where_its_first_record_goes() {
        let mut aggregator = Aggregator::new(1_000);
        aggregator.add(PutEntry::new("k", "1"));
        aggregator.add(PutEntry::new("l", "2"));
        let aggregate = aggregator.finish().unwrap();
        assert_eq!(aggregate.explicit_hash_key, Some(HashKey::of_partition_key("k")));
    }

    proptest! {
        #[test]
        fn no_aggregate_is_larger_than_allowed(
            sizes in prop::collection::vec(0usize..300, 1..60), max_bytes in 50usize..1_000,
        ) {
            let mut aggregator = Aggregator::new(max_bytes);
            let mut made = Vec::new();
            for (index, size) in sizes.iter().enumerate() {
                let mut entry = PutEntry::new(format!("key-{index}"), vec![0; *size]);
                entry.explicit_hash_key = (index % 2 == 0).then_some(HashKey::MAX);
                made.extend(aggregator.add(entry));
            }
            made.extend(aggregator.finish());
            for put in made {
                let aggregated = put.data.starts_with(&MAGIC);
                prop_assert!(!aggregated || put.data.len() <= max_bytes);
            }
        }
    }
}
