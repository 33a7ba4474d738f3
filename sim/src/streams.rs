//! What was really put into the streams, and what has become of it.

use std::collections::BTreeMap;

use millstream_kinesis::kpl::Aggregator;
use millstream_kinesis::testing::FakeKinesis;
use millstream_kinesis::{HashKey, HashKeyRange, Position, PutEntry, SequenceNumber, ShardId};

use crate::names::{lease_key, stream_name};

/// The world's time 0, in milliseconds since the epoch.
pub(crate) const EPOCH_MS: i64 = 1_700_000_000_000;

/// A user record.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) key: usize,
    pub(crate) position: Position,
    pub(crate) arrival_ms: i64,
    pub(crate) put_ms: u64,
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// To be processed.
    Wanted,
    /// Older than the initial position: need not be processed.
    Skipped,
    Processed,
}

#[derive(Debug)]
pub(crate) struct OneShard {
    /// The number of its stream.
    stream: usize,
    id: ShardId,
    /// The keys of their leases, as those of its children.
    pub(crate) parents: Vec<String>,
    pub(crate) children: Vec<String>,
    range: HashKeyRange,
    /// By number, in the order of their positions.
    pub(crate) records: Vec<usize>,
    /// What arrives before need not be processed.
    wanted_since_ms: i64,
}

impl OneShard {
    fn is_open(&self) -> bool {
        self.children.is_empty()
    }
}

/// The truth. A record's data is its number. The records of a key are all in one stream.
#[derive(Debug)]
pub(crate) struct Streams {
    count: usize,
    /// By the key of the lease.
    pub(crate) shards: BTreeMap<String, OneShard>,
    pub(crate) records: Vec<Record>,
    /// The numbers of each key's records.
    pub(crate) keys: Vec<Vec<usize>>,
}

impl Streams {
    pub(crate) fn new(count: usize, shards: u32, keys: usize) -> Self {
        let (shards_of_each, keys) = (HashKeyRange::split(shards), vec![Vec::new(); keys]);
        let mut streams = Streams { count, shards: BTreeMap::new(), records: Vec::new(), keys };
        for stream in 0..count {
            for (number, range) in shards_of_each.iter().enumerate() {
                streams.open(stream, format!("shardId-{number:012}").into(), Vec::new(), *range);
            }
        }
        streams
    }

    /// The key of the new shard's lease.
    fn open(&mut self, stream: usize, id: ShardId, parents: Vec<String>, range: HashKeyRange) -> String {
        let key = lease_key(stream_name(stream), &id, self.count > 1);
        let (children, records) = (Vec::new(), Vec::new());
        let shard = OneShard { stream, id, parents, children, range, records, wanted_since_ms: 0 };
        self.shards.insert(key.clone(), shard);
        key
    }

    pub(crate) fn open_shards(&self) -> Vec<String> {
        self.shards.iter().filter(|(_, shard)| shard.is_open()).map(|(lease, _)| lease.clone()).collect()
    }

    fn shard_of(&self, key: usize) -> String {
        let hash = HashKey::of_partition_key(&name_of(key));
        let takes =
            |shard: &OneShard| shard.is_open() && shard.stream == key % self.count && shard.range.contains(hash);
        let found = self.shards.iter().find(|(_, shard)| takes(shard));
        found.map(|(lease, _)| lease.clone()).expect("the open shards have all hash keys")
    }

    /// Puts a record of each of these keys; `aggregates`: those of one shard in one aggregated record.
    pub(crate) fn put(&mut self, fake: &FakeKinesis, now_ms: u64, keys: &[usize], aggregates: bool) {
        let mut by_shard: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for key in keys {
            by_shard.entry(self.shard_of(*key)).or_default().push(*key);
        }
        fake.set_clock_ms(EPOCH_MS + now_ms as i64);
        for (shard, keys) in by_shard {
            let (stream, id) = self.place(&shard);
            let mut aggregator = Aggregator::new(1 << 20);
            for (sub, key) in keys.into_iter().enumerate() {
                let number = self.records.len();
                let entry = PutEntry::new(name_of(key), (number as u64).to_le_bytes().to_vec());
                if aggregates {
                    aggregator.add(entry);
                    self.note(&shard, key, None, sub as u64, now_ms);
                } else {
                    let sequence = fake.put(stream, &id, entry);
                    self.note(&shard, key, Some(sequence), 0, now_ms);
                }
            }
            if let Some(entry) = aggregator.finish() {
                let sequence = fake.put(stream, &id, entry);
                for number in self.shards[&shard].records.iter().rev() {
                    let position = &mut self.records[*number].position;
                    position.sequence = sequence.clone();
                    if position.sub == 0 {
                        break;
                    }
                }
            }
        }
    }

    /// The application starts at this time (milliseconds since the epoch): what comes before need not be processed.
    pub(crate) fn begins_at(&mut self, ms: i64) {
        for shard in self.shards.keys().cloned().collect::<Vec<_>>() {
            self.skip_before(&shard, ms);
        }
    }

    fn note(&mut self, shard: &str, key: usize, sequence: Option<SequenceNumber>, sub: u64, now_ms: u64) {
        let number = self.records.len();
        let position = Position { sequence: sequence.unwrap_or_else(|| 0.into()), sub };
        let arrival_ms = EPOCH_MS + now_ms as i64;
        let wanted_since_ms = self.shards.get(shard).map_or(0, |shard| shard.wanted_since_ms);
        let fate = if arrival_ms < wanted_since_ms { Fate::Skipped } else { Fate::Wanted };
        self.records.push(Record { key, position, arrival_ms, put_ms: now_ms, fate });
        self.keys[key].push(number);
        self.shards.get_mut(shard).expect("a shard").records.push(number);
    }

    /// A shard's stream, and its id there.
    fn place(&self, shard: &str) -> (&'static str, ShardId) {
        let shard = &self.shards[shard];
        (stream_name(shard.stream), shard.id.clone())
    }

    pub(crate) fn split(&mut self, fake: &FakeKinesis, shard: &str) {
        let (stream, id) = self.place(shard);
        let children = fake.split(stream, &id);
        self.resharded(&[shard], &children);
    }

    /// Merges a shard with its neighbour above, if there is one that is open.
    pub(crate) fn merge(&mut self, fake: &FakeKinesis, lower: &str) -> Option<String> {
        let OneShard { stream: of, range: HashKeyRange { end, .. }, .. } = self.shards[lower];
        let is_next = |shard: &OneShard| {
            let start = shard.range.start;
            shard.is_open() && shard.stream == of && end < start && start.value() == end.value() + 1
        };
        let upper = self.shards.iter().find(|(_, shard)| is_next(shard))?.0.clone();
        let ((stream, low), (_, high)) = (self.place(lower), self.place(&upper));
        let child = fake.merge(stream, &low, &high);
        self.resharded(&[lower, &upper], &[child]);
        Some(upper)
    }

    fn resharded(&mut self, parents: &[&str], children: &[ShardId]) {
        let (first, last) = (&self.shards[parents[0]], &self.shards[parents[parents.len() - 1]]);
        let (stream, start, end) = (first.stream, first.range.start, last.range.end);
        let middle = start.value() + (end.value() - start.value()) / 2;
        let mut leases = Vec::new();
        for (at, child) in children.iter().enumerate() {
            let range = match (children.len(), at) {
                (1, _) => HashKeyRange { start, end },
                (_, 0) => HashKeyRange { start, end: HashKey::new(middle) },
                _ => HashKeyRange { start: HashKey::new(middle + 1), end },
            };
            let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
            leases.push(self.open(stream, child.clone(), parents, range));
        }
        for parent in parents {
            self.shards.get_mut(*parent).expect("a shard").children.clone_from(&leases);
        }
    }

    /// What came before to this shard, and to those it was made of, need not be processed.
    pub(crate) fn skip_before(&mut self, shard: &str, arrival_ms: i64) {
        let mut line = vec![shard.to_owned()];
        while let Some(id) = line.pop() {
            let Some(shard) = self.shards.get_mut(&id) else { continue };
            shard.wanted_since_ms = arrival_ms;
            line.extend(shard.parents.iter().cloned());
            for number in &shard.records {
                let record = &mut self.records[*number];
                if record.arrival_ms < arrival_ms && record.fate == Fate::Wanted {
                    record.fate = Fate::Skipped;
                }
            }
        }
    }
}

fn name_of(key: usize) -> String {
    format!("key-{key}")
}
