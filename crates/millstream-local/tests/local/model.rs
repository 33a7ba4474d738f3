//! Random puts, splits, merges, scalings, reads, restarts and hours against a model in memory: nothing is lost, doubled or out of order.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST, data_of, word};

const SEEDS: std::ops::Range<u64> = 0..12;
const STEPS: usize = 120;
/// The retention period, and how much the clock is put ahead at a time.
const RETENTION_HOURS: u64 = 24;
const LEAP_HOURS: u64 = 13;

/// xorshift64*: enough to choose steps by.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

#[derive(Clone)]
struct ModelShard {
    start: u128,
    end: u128,
    parents: Vec<usize>,
    closed: bool,
    /// What the clock had been put ahead when it was closed.
    closed_hours: u64,
    /// Sequence number, partition key, data.
    records: Vec<(String, String, Vec<u8>)>,
    /// What the clock had been put ahead when each was put.
    hours: Vec<u64>,
}

impl ModelShard {
    fn new(start: u128, end: u128, parents: Vec<usize>) -> Self {
        Self { start, end, parents, closed: false, closed_hours: 0, records: Vec::new(), hours: Vec::new() }
    }

    fn close(&mut self, hours: u64) {
        self.closed = true;
        self.closed_hours = hours;
    }

    /// The first record that has not expired.
    fn horizon(&self, hours: u64) -> usize {
        self.hours.partition_point(|put| hours - put >= RETENTION_HOURS)
    }

    /// Closed for so long that no record is left.
    fn is_gone(&self, hours: u64) -> bool {
        self.closed && hours - self.closed_hours >= RETENTION_HOURS
    }
}

/// A reader in the middle of a shard.
struct Reader {
    shard: usize,
    next: usize,
    iterator: String,
}

struct World {
    random: Random,
    service: Option<LocalService>,
    client: Client,
    shards: Vec<ModelShard>,
    readers: Vec<Reader>,
    last_sequence: BTreeMap<usize, String>,
    /// What the clock has been put ahead.
    hours: u64,
}

fn shard_id(number: usize) -> String {
    format!("shardId-{number:012}")
}

async fn start(home: Option<&Path>) -> (LocalService, Client) {
    let config = LocalConfig { data_dir: home.map(Path::to_owned), ..LocalConfig::default() };
    let service = LocalService::start(config).await.unwrap();
    let client = Client::connect(&service.endpoint(), EAST).await;
    (service, client)
}

impl World {
    async fn put(&mut self) {
        let count = 1 + self.random.below(40);
        let mut entries = Vec::new();
        let mut sent = Vec::new();
        for _ in 0..count {
            let key = format!("key {}", self.random.below(1 << 20));
            let size = if self.random.below(30) == 0 { 70_000 } else { self.random.below(300) };
            let data: Vec<u8> = (0..size).map(|_| self.random.below(256) as u8).collect();
            let hash = (u128::from(self.random.below(u64::MAX)) << 97) | u128::from(self.random.below(u64::MAX));
            let encoded = base64_simd::STANDARD.encode_to_string(&data);
            entries.push(json!({"PartitionKey": key, "Data": encoded, "ExplicitHashKey": hash.to_string()}));
            sent.push((hash, key, data));
        }
        let answer = self.client.ok("PutRecords", json!({"StreamName": "s", "Records": entries})).await;
        for (outcome, (hash, key, data)) in answer["Records"].as_array().unwrap().iter().zip(sent) {
            let at = self.shards.iter().position(|shard| !shard.closed && shard.start <= hash && hash <= shard.end);
            let at = at.unwrap();
            assert_eq!(word(&outcome["ShardId"]), shard_id(at));
            let sequence = word(&outcome["SequenceNumber"]);
            for before in self.shards[at].parents.iter().chain([&at]) {
                assert!(self.last_sequence.get(before).is_none_or(|last| *last < sequence), "{sequence} does not grow");
            }
            self.last_sequence.insert(at, sequence.clone());
            self.shards[at].records.push((sequence, key, data));
            self.shards[at].hours.push(self.hours);
        }
    }

    async fn split(&mut self) {
        let at = self.random.below(self.shards.len() as u64) as usize;
        let ModelShard { start, end, closed, .. } = self.shards[at].clone();
        let middle = start + (end - start) / (2 + u128::from(self.random.below(5)));
        let request =
            json!({"StreamName": "s", "ShardToSplit": shard_id(at), "NewStartingHashKey": middle.to_string()});
        if closed {
            assert_eq!(self.client.fails("SplitShard", request).await.0, "InvalidArgumentException");
            return;
        }
        self.client.ok("SplitShard", request).await;
        self.shards[at].close(self.hours);
        for (start, end) in [(start, middle - 1), (middle, end)] {
            self.shards.push(ModelShard::new(start, end, vec![at]));
        }
    }

    async fn merge(&mut self) {
        let mut open: Vec<usize> = (0..self.shards.len()).filter(|at| !self.shards[*at].closed).collect();
        open.sort_by_key(|at| self.shards[*at].start);
        if open.len() < 2 {
            return;
        }
        let at = self.random.below(open.len() as u64 - 1) as usize;
        let (low, high) = (open[at], open[at + 1]);
        let request = json!({"StreamName": "s", "ShardToMerge": shard_id(low), "AdjacentShardToMerge": shard_id(high)});
        self.client.ok("MergeShards", request).await;
        let (start, end) = (self.shards[low].start, self.shards[high].end);
        self.shards[low].close(self.hours);
        self.shards[high].close(self.hours);
        self.shards.push(ModelShard::new(start, end, vec![low, high]));
    }

    /// Scales to any count in reach. Which shards come and go is taken from the list and checked to fit together.
    async fn scale(&mut self) {
        let open = self.shards.iter().filter(|shard| !shard.closed).count() as u64;
        let (least, most) = (open.div_ceil(2), (open * 2).min(open.max(9)));
        let target = least + self.random.below(most - least + 1);
        let request = json!({"StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"});
        assert_eq!(self.client.ok("UpdateShardCount", request).await["CurrentShardCount"], json!(open));
        let listed = self.client.ok("ListShards", json!({"StreamName": "s"})).await;
        for shard in listed["Shards"].as_array().unwrap() {
            let number: usize = word(&shard["ShardId"])[8..].parse().unwrap();
            let key = |name: &str| word(&shard["HashKeyRange"][name]).parse().unwrap();
            let closed = shard["SequenceNumberRange"].get("EndingSequenceNumber").is_some();
            if let Some(known) = self.shards.get_mut(number) {
                assert!(!known.is_gone(self.hours), "shard {number} is still listed");
                if closed && !known.closed {
                    known.close(self.hours);
                }
                continue;
            }
            let parents = ["ParentShardId", "AdjacentParentShardId"].into_iter().filter_map(|name| shard.get(name));
            let parents: Vec<usize> = parents.map(|id| word(id)[8..].parse().unwrap()).collect();
            assert!(!parents.is_empty() && parents.iter().all(|parent| self.shards[*parent].closed));
            let (start, end) = (key("StartingHashKey"), key("EndingHashKey"));
            let mut new = ModelShard::new(start, end, parents);
            if closed {
                new.close(self.hours);
            }
            self.shards.push(new);
        }
        let mut ranges: Vec<_> =
            self.shards.iter().filter(|shard| !shard.closed).map(|shard| (shard.start, shard.end)).collect();
        ranges.sort_unstable();
        assert_eq!(ranges.len() as u64, target);
        assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
        assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, u128::MAX));
    }

    async fn open_reader(&mut self) {
        let shard = self.random.below(self.shards.len() as u64) as usize;
        let horizon = self.shards[shard].horizon(self.hours);
        let records = &self.shards[shard].records;
        let mut request = json!({"StreamName": "s", "ShardId": shard_id(shard)});
        if self.shards[shard].is_gone(self.hours) {
            request["ShardIteratorType"] = json!("TRIM_HORIZON");
            assert_eq!(self.client.fails("GetShardIterator", request).await.0, "ResourceNotFoundException");
            return;
        }
        let at = self.random.below(records.len() as u64 + 1) as usize;
        let next = match (self.random.below(5), records.get(at)) {
            (0, _) => {
                request["ShardIteratorType"] = json!("LATEST");
                records.len()
            }
            (1, Some((sequence, ..))) => {
                request["ShardIteratorType"] = json!("AT_SEQUENCE_NUMBER");
                request["StartingSequenceNumber"] = json!(sequence);
                at
            }
            (2, Some((sequence, ..))) => {
                request["ShardIteratorType"] = json!("AFTER_SEQUENCE_NUMBER");
                request["StartingSequenceNumber"] = json!(sequence);
                at + 1
            }
            (3, _) => {
                // Between the last two times that the clock was put ahead, or before anything was put.
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
                request["ShardIteratorType"] = json!("AT_TIMESTAMP");
                request["Timestamp"] = json!(now + (self.hours as f64 - LEAP_HOURS as f64 / 2.0) * 3600.0);
                self.shards[shard].hours.partition_point(|put| *put < self.hours)
            }
            _ => {
                request["ShardIteratorType"] = json!("TRIM_HORIZON");
                0
            }
        };
        let iterator = word(&self.client.ok("GetShardIterator", request).await["ShardIterator"]);
        // A place that has expired moves to the horizon.
        self.readers.push(Reader { shard, next: next.max(horizon), iterator });
    }

    async fn read(&mut self) {
        if self.readers.is_empty() {
            return;
        }
        let at = self.random.below(self.readers.len() as u64) as usize;
        let limit = 1 + self.random.below(60) as usize;
        let reader = &mut self.readers[at];
        let read = self.client.ok("GetRecords", json!({"ShardIterator": reader.iterator, "Limit": limit})).await;
        let shard = &self.shards[reader.shard];
        let records = read["Records"].as_array().unwrap();
        let expected = &shard.records[reader.next..shard.records.len().min(reader.next + limit)];
        let found: Vec<_> = records.iter().map(triple).collect();
        assert!(
            found == expected,
            "shard {} from {}: {} records, not {}",
            reader.shard,
            reader.next,
            found.len(),
            expected.len()
        );
        reader.next += found.len();
        let at_tip = reader.next == shard.records.len();
        if at_tip {
            assert_eq!(read["MillisBehindLatest"], json!(0));
        }
        match read.get("NextShardIterator") {
            Some(next) => {
                assert!(!(shard.closed && at_tip), "the end of shard {} is not shown", reader.shard);
                reader.iterator = word(next);
            }
            None => {
                assert!(shard.closed && at_tip, "shard {} ends early", reader.shard);
                let children =
                    (0..self.shards.len()).filter(|child| self.shards[*child].parents.contains(&reader.shard));
                let shown = read["ChildShards"].as_array().unwrap().iter().map(|child| word(&child["ShardId"]));
                assert!(shown.eq(children.map(shard_id)));
                self.readers.remove(at);
            }
        }
    }

    async fn restart(&mut self, home: &Path) {
        self.service.take().unwrap().shutdown().await;
        let (service, client) = start(Some(home)).await;
        service.clock().advance(Duration::from_secs(self.hours * 3600));
        self.service = Some(service);
        self.client = client;
    }

    /// Records expire, and so do all iterators.
    fn leap(&mut self) {
        self.service.as_ref().unwrap().clock().advance(Duration::from_secs(LEAP_HOURS * 3600));
        self.hours += LEAP_HOURS;
        self.readers.clear();
    }

    async fn read_everything(&mut self) {
        for number in 0..self.shards.len() {
            let shard = &self.shards[number];
            if shard.is_gone(self.hours) {
                continue;
            }
            let expected = &shard.records[shard.horizon(self.hours)..];
            let iterator = self.client.iterator("s", &shard_id(number), "TRIM_HORIZON").await;
            let (records, _) = self.client.drain(iterator, 10_000).await;
            let found: Vec<_> = records.iter().map(triple).collect();
            assert!(found == expected, "shard {number} at the end");
        }
    }
}

fn triple(record: &Value) -> (String, String, Vec<u8>) {
    (word(&record["SequenceNumber"]), word(&record["PartitionKey"]), data_of(record))
}

async fn run(seed: u64, home: Option<&Path>) {
    println!("seed {seed}, {}", if home.is_some() { "on disk" } else { "in memory" });
    let (service, mut client) = start(home).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 2})).await;
    let mut world = World {
        random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        service: Some(service),
        client,
        shards: vec![ModelShard::new(0, (1 << 127) - 1, Vec::new()), ModelShard::new(1 << 127, u128::MAX, Vec::new())],
        readers: Vec::new(),
        last_sequence: BTreeMap::new(),
        hours: 0,
    };
    for _ in 0..STEPS {
        match (world.random.below(21), home) {
            (0..7, _) => world.put().await,
            (7, _) => world.scale().await,
            (8..13, _) => world.read().await,
            (13..16, _) => world.open_reader().await,
            (16, _) => world.split().await,
            (17, _) => world.merge().await,
            (18, _) => world.leap(),
            (_, Some(home)) => world.restart(home).await,
            (_, None) => world.read().await,
        }
    }
    world.read_everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_match_the_model() {
    for seed in SEEDS {
        run(seed, None).await;
        let home = tempfile::tempdir().unwrap();
        run(seed, Some(home.path())).await;
    }
}
