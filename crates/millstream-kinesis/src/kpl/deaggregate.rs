use bytes::Bytes;
use md5::{Digest, Md5};
use prost::Message;

use super::proto::AggregatedRecord;
use super::{DIGEST_LEN, MAGIC};
use crate::block::BlockBuilder;
use crate::{HashKey, HashKeyRange, RecordBlock};

/// What [`deaggregate`] made of a block.
#[derive(Debug, Clone)]
pub struct Deaggregated {
    /// The user records.
    pub block: RecordBlock,
    /// How many user records were left out because their aggregate does not belong to the shard.
    pub dropped: u64,
}

/// Takes apart the aggregated records of a block, as KCL's `AggregatorUtil` does.
///
/// Data that only look aggregated (too short, wrong MD5, broken protobuf) pass through unchanged.
/// With a hash key range, an aggregate of which any user record lies outside is left out as a whole and counted:
/// after a reshard, that is how the KCL sees to it that each record is processed by one shard only.
/// A block without aggregates is returned without a copy.
pub fn deaggregate(raw: &RecordBlock, range: Option<&HashKeyRange>) -> Deaggregated {
    let mut dropped = 0;
    if !raw.data().iter().any(|data| data.starts_with(&MAGIC)) {
        let block = raw.clone();
        return Deaggregated { block, dropped };
    }
    let mut builder = BlockBuilder::new(raw.stream().clone(), raw.shard().clone());
    for (index, record) in raw.iter().enumerate() {
        let Some(aggregate) = Aggregate::open(&raw.data().share(index)) else {
            let (sub, arrival) = (record.sub, record.arrival_ms);
            builder.push(record.data, record.partition_key, record.sequence, sub, arrival);
            continue;
        };
        if range.is_some_and(|range| !aggregate.is_within(range)) {
            dropped += aggregate.users.len() as u64;
            continue;
        }
        let keys: Vec<_> = aggregate.keys.iter().map(|key| builder.known_key(key)).collect();
        for (sub, user) in aggregate.users.iter().enumerate() {
            let key = keys[user.key];
            builder.push_known(&user.data, key, record.sequence, sub as u64, record.arrival_ms);
        }
    }
    let block = builder.finish();
    Deaggregated { block, dropped }
}

/// An aggregated record that was checked to be one: every index is within its table.
struct Aggregate {
    keys: Vec<String>,
    users: Vec<User>,
}

struct User {
    key: usize,
    explicit_hash_key: Option<HashKey>,
    data: Bytes,
}

impl Aggregate {
    fn open(data: &Bytes) -> Option<Self> {
        let sealed = data.strip_prefix(&MAGIC)?;
        let (message, digest) = sealed.split_at_checked(sealed.len().checked_sub(DIGEST_LEN)?)?;
        if Md5::digest(message).as_slice() != digest {
            return None;
        }
        let message = AggregatedRecord::decode(data.slice_ref(message)).ok()?;
        let hash_keys: Vec<HashKey> =
            message.explicit_hash_key_table.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
        let keys = message.partition_key_table;
        let users = message.records.into_iter().map(|record| {
            let key = usize::try_from(record.partition_key_index?).ok()?;
            let explicit_hash_key = match record.explicit_hash_key_index {
                Some(index) => Some(*hash_keys.get(usize::try_from(index).ok()?)?),
                None => None,
            };
            (key < keys.len()).then_some(User { key, explicit_hash_key, data: record.data? })
        });
        let users = users.collect::<Option<_>>()?;
        Some(Aggregate { keys, users })
    }

    fn is_within(&self, range: &HashKeyRange) -> bool {
        let hashes: Vec<HashKey> = self.keys.iter().map(|key| HashKey::of_partition_key(key)).collect();
        self.users.iter().all(|user| range.contains(user.explicit_hash_key.unwrap_or(hashes[user.key])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::PutEntry;
    use crate::kpl::Aggregator;
    use crate::kpl::proto::Record;
    use proptest::prelude::*;

    fn raw(records: &[Vec<u8>]) -> RecordBlock {
        let mut builder = BlockBuilder::new("stream".into(), "shard".into());
        for (index, data) in records.iter().enumerate() {
            builder.push(data, "outer", &format!("{}", 100 + index), 0, 5);
        }
        builder.finish()
    }

    fn sealed(message: &[u8]) -> Vec<u8> {
        [&MAGIC, message, Md5::digest(message).as_slice()].concat()
    }

    fn aggregate(entries: &[PutEntry]) -> Vec<u8> {
        let mut aggregator = Aggregator::new(usize::MAX);
        for entry in entries {
            assert_eq!(aggregator.add(entry.clone()), None);
        }
        aggregator.finish().unwrap().data.to_vec()
    }

    fn two() -> Vec<u8> {
        aggregate(&[PutEntry::new("a", "one"), PutEntry::new("b", "two")])
    }

    fn rows(block: &RecordBlock) -> Vec<(&[u8], &str, &str, u64)> {
        block.iter().map(|record| (record.data, record.partition_key, record.sequence, record.sub)).collect()
    }

    /// An aggregate written down byte by byte from the format's description, not by our own encoder.
    #[test]
    fn bytes_of_the_published_format_are_understood() {
        let message = b"\x0a\x02k1\x0a\x02k2\x12\x0242\x1a\x07\x08\x00\x1a\x03abc\x1a\x06\x08\x01\x10\x00\x1a\x00";
        let block = deaggregate(&raw(&[sealed(message)]), None).block;
        assert_eq!(rows(&block), [(&b"abc"[..], "k1", "100", 0), (b"", "k2", "100", 1)]);
    }

    #[test]
    fn plain_records_keep_their_place_among_aggregates() {
        let block = deaggregate(&raw(&[b"x".to_vec(), two(), b"y".to_vec()]), None).block;
        assert_eq!(
            rows(&block),
            [
                (&b"x"[..], "outer", "100", 0),
                (b"one", "a", "101", 0),
                (b"two", "b", "101", 1),
                (b"y", "outer", "102", 0),
            ]
        );
    }

    #[test]
    fn what_only_looks_aggregated_passes_unchanged() {
        let mut bad_digest = two();
        *bad_digest.last_mut().unwrap() ^= 1;
        let message = |records: Vec<Record>, hash_keys: &[&str]| {
            let message = AggregatedRecord {
                partition_key_table: vec!["k".into()],
                explicit_hash_key_table: hash_keys.iter().map(ToString::to_string).collect(),
                records,
            };
            sealed(&message.encode_to_vec())
        };
        let record = |key, hash_key, data: Option<&'static str>| Record {
            partition_key_index: key,
            explicit_hash_key_index: hash_key,
            data: data.map(Bytes::from),
        };
        let cases = [
            MAGIC.to_vec(),
            [&MAGIC[..], &[0; 15]].concat(),
            bad_digest,
            sealed(b"\xff\xff\xff"),
            message(vec![record(Some(1), None, Some("d"))], &[]),
            message(vec![record(Some(u64::MAX), None, Some("d"))], &[]),
            message(vec![record(Some(0), Some(0), Some("d"))], &[]),
            message(vec![record(Some(0), Some(0), Some("d"))], &["no number"]),
            message(vec![record(None, None, Some("d"))], &[]),
            message(vec![record(Some(0), None, None)], &[]),
        ];
        for case in cases {
            let raw = raw(std::slice::from_ref(&case));
            assert_eq!(rows(&deaggregate(&raw, None).block), rows(&raw), "{case:02x?}");
        }
    }

    #[test]
    fn one_record_outside_of_the_shard_drops_its_whole_aggregate_and_is_counted() {
        let range = HashKeyRange { start: HashKey::new(10), end: HashKey::new(20) };
        let entry = |hash: u128| PutEntry {
            explicit_hash_key: Some(HashKey::new(hash)),
            ..PutEntry::new("k", hash.to_string())
        };
        let inside = aggregate(&[entry(10), entry(20)]);
        let astray = aggregate(&[entry(11), entry(12), entry(21)]);
        let result = deaggregate(&raw(&[astray.clone(), inside]), Some(&range));
        assert_eq!(result.dropped, 3);
        assert_eq!(rows(&result.block), [(&b"10"[..], "k", "101", 0), (b"20", "k", "101", 1)]);
        assert_eq!(deaggregate(&raw(&[astray]), None).block.len(), 3);
    }

    #[test]
    fn a_long_key_used_by_many_records_is_stored_once() {
        let key = "k".repeat(10_000);
        let other = "o".repeat(10_000);
        let keys = [&key, &other];
        let entries: Vec<_> = (0..1_000).map(|i| PutEntry::new(keys[i % 2].as_str(), "")).collect();
        let block = deaggregate(&raw(&[aggregate(&entries)]), None).block;
        assert_eq!(block.len(), 1_000);
        assert!(block.footprint() < 100_000, "{}", block.footprint());
    }

    proptest! {
        #[test]
        fn aggregates_come_apart_as_they_were_put_together(
            entries in prop::collection::vec(("\\PC{1,8}", prop::collection::vec(any::<u8>(), 0..40)), 2..40),
        ) {
            let puts: Vec<_> = entries.iter().map(|(key, data)| PutEntry::new(key, data.clone())).collect();
            let block = deaggregate(&raw(&[aggregate(&puts)]), Some(&HashKeyRange::ALL)).block;
            let expected: Vec<_> = entries.iter().enumerate()
                .map(|(sub, (key, data))| (&data[..], key.as_str(), "100", sub as u64)).collect();
            prop_assert_eq!(rows(&block), expected);
        }

        #[test]
        fn arbitrary_messages_never_panic(message in prop::collection::vec(any::<u8>(), 0..200)) {
            deaggregate(&raw(&[sealed(&message), [&MAGIC, &message[..]].concat()]), Some(&HashKeyRange::ALL));
        }

        #[test]
        fn a_changed_byte_never_panics(at in 0usize..40, byte: u8) {
            let mut message = two();
            message.truncate(message.len() - DIGEST_LEN);
            let mut message = message.split_off(MAGIC.len());
            let at = at % message.len();
            message[at] = byte;
            deaggregate(&raw(&[sealed(&message)]), Some(&HashKeyRange::ALL));
        }
    }
}
