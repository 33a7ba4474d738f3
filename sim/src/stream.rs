//! What was really put into the stream, and what has become of it.

use std::collections::BTreeMap;

use millstream_kinesis::kpl::Aggregator;
use millstream_kinesis::testing::FakeKinesis;
use millstream_kinesis::{HashKey, HashKeyRange, Position, PutEntry, SequenceNumber, ShardId};

use crate::server::STREAM;

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

#[derive(Debug, Default)]
pub(crate) struct OneShard {
    pub(crate) parents: Vec<ShardId>,
    pub(crate) children: Vec<ShardId>,
    pub(crate) range: Option<HashKeyRange>,
    /// By number, in the order of their positions.
    pub(crate) records: Vec<usize>,
    /// What arrives before need not be processed.
    wanted_since_ms: i64,
}

/// The truth. A record's data is its number.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) shards: BTreeMap<String, OneShard>,
    pub(crate) records: Vec<Record>,
    /// The numbers of each key's records.
    pub(crate) keys: Vec<Vec<usize>>,
}

impl Stream {
    pub(crate) fn new(shards: u32, keys: usize) -> Self {
        let mut stream = Stream { keys: vec![Vec::new(); keys], ..Stream::default() };
        for range in HashKeyRange::split(shards) {
            stream.open(format!("shardId-{:012}", stream.shards.len()), Vec::new(), range);
        }
        stream
    }

    fn open(&mut self, id: String, parents: Vec<ShardId>, range: HashKeyRange) {
        self.shards.insert(id, OneShard { parents, range: Some(range), ..OneShard::default() });
    }

    pub(crate) fn open_shards(&self) -> Vec<String> {
        let open = self.shards.iter().filter(|(_, shard)| shard.children.is_empty());
        open.map(|(id, _)| id.clone()).collect()
    }

    fn shard_of(&self, key: usize) -> String {
        let hash = HashKey::of_partition_key(&name_of(key));
        let takes =
            |shard: &OneShard| shard.children.is_empty() && shard.range.is_some_and(|range| range.contains(hash));
        let found = self.shards.iter().find(|(_, shard)| takes(shard));
        found.map(|(id, _)| id.clone()).expect("the open shards have all hash keys")
    }

    /// Puts a record of each of these keys; `aggregates`: those of one shard in one aggregated record.
    pub(crate) fn put(&mut self, fake: &FakeKinesis, now_ms: u64, keys: &[usize], aggregates: bool) {
        let mut by_shard: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for key in keys {
            by_shard.entry(self.shard_of(*key)).or_default().push(*key);
        }
        fake.set_clock_ms(EPOCH_MS + now_ms as i64);
        for (shard, keys) in by_shard {
            let id = ShardId::from(shard.as_str());
            let mut aggregator = Aggregator::new(1 << 20);
            for (sub, key) in keys.into_iter().enumerate() {
                let number = self.records.len();
                let entry = PutEntry::new(name_of(key), (number as u64).to_le_bytes().to_vec());
                if aggregates {
                    aggregator.add(entry);
                    self.note(&shard, key, None, sub as u64, now_ms);
                } else {
                    let sequence = fake.put(STREAM, &id, entry);
                    self.note(&shard, key, Some(sequence), 0, now_ms);
                }
            }
            if let Some(entry) = aggregator.finish() {
                let sequence = fake.put(STREAM, &id, entry);
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

    pub(crate) fn split(&mut self, fake: &FakeKinesis, shard: &str) {
        let children = fake.split(STREAM, &shard.into());
        self.resharded(&[shard], &children);
    }

    /// Merges a shard with its neighbour above, if there is one that is open.
    pub(crate) fn merge(&mut self, fake: &FakeKinesis, lower: &str) -> Option<String> {
        let end = self.shards[lower].range?.end;
        let is_next = |shard: &OneShard| {
            shard.children.is_empty()
                && shard.range.is_some_and(|range| end < range.start && range.start.value() == end.value() + 1)
        };
        let upper = self.shards.iter().find(|(_, shard)| is_next(shard))?.0.clone();
        let child = fake.merge(STREAM, &lower.into(), &upper.as_str().into());
        self.resharded(&[lower, &upper], &[child]);
        Some(upper)
    }

    fn resharded(&mut self, parents: &[&str], children: &[ShardId]) {
        let ranges: Vec<HashKeyRange> = parents.iter().filter_map(|parent| self.shards[*parent].range).collect();
        let (start, end) = (ranges[0].start, ranges[ranges.len() - 1].end);
        let middle = start.value() + (end.value() - start.value()) / 2;
        for (at, child) in children.iter().enumerate() {
            let range = match (children.len(), at) {
                (1, _) => HashKeyRange { start, end },
                (_, 0) => HashKeyRange { start, end: HashKey::new(middle) },
                _ => HashKeyRange { start: HashKey::new(middle + 1), end },
            };
            let parents = parents.iter().map(|parent| ShardId::from(*parent)).collect();
            self.open(child.as_str().to_owned(), parents, range);
        }
        for parent in parents {
            self.shards.get_mut(*parent).expect("a shard").children = children.to_vec();
        }
    }

    /// What came before to this shard, and to those it was made of, need not be processed.
    pub(crate) fn skip_before(&mut self, shard: &str, arrival_ms: i64) {
        let mut line = vec![shard.to_owned()];
        while let Some(id) = line.pop() {
            let Some(shard) = self.shards.get_mut(&id) else { continue };
            shard.wanted_since_ms = arrival_ms;
            line.extend(shard.parents.iter().map(|parent| parent.as_str().to_owned()));
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
