//! Disks that are torn, damaged, full or in the way: what fails, and what goes on.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use millstream_local::{Fsync, LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST, data_of, word};

const FIRST: &str = "shardId-000000000000";
const SECOND: &str = "shardId-000000000001";
/// Explicit hash keys of the first shard of two and of the second.
const LOW: &str = "0";
const HIGH: &str = "340282366920938463463374607431768211455";

async fn start(home: &Path) -> (LocalService, Client) {
    let config = LocalConfig { data_dir: Some(home.to_owned()), ..LocalConfig::default() };
    let service = LocalService::start(config).await.unwrap();
    let client = Client::connect(&service.endpoint(), EAST).await;
    (service, client)
}

/// A stream of two shards, each with one record.
async fn started(home: &Path) -> (LocalService, Client) {
    let (service, mut client) = start(home).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 2})).await;
    put(&mut client, LOW, b"first").await;
    put(&mut client, HIGH, b"other").await;
    (service, client)
}

fn entry(hash_key: &str, data: &[u8]) -> Value {
    let data = base64_simd::STANDARD.encode_to_string(data);
    json!({"StreamName": "s", "PartitionKey": "k", "Data": data, "ExplicitHashKey": hash_key})
}

async fn put(client: &mut Client, hash_key: &str, data: &[u8]) -> String {
    word(&client.ok("PutRecord", entry(hash_key, data)).await["SequenceNumber"])
}

async fn read(client: &mut Client, shard: &str) -> Vec<Vec<u8>> {
    let iterator = client.iterator("s", shard, "TRIM_HORIZON").await;
    client.drain(iterator, 1000).await.0.iter().map(data_of).collect()
}

/// The reads of a shard go on to what cannot be read, and fail there.
async fn read_fails(client: &mut Client, shard: &str) {
    let mut iterator = client.iterator("s", shard, "TRIM_HORIZON").await;
    loop {
        let answer = client.kinesis("GetRecords", &json!({"ShardIterator": iterator}).to_string()).await;
        if answer.status != 200 {
            assert_eq!(answer.error().0, "InternalFailure");
            return;
        }
        let read: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_ne!(read["MillisBehindLatest"], json!(0), "all of it was read");
        iterator = word(&read["NextShardIterator"]);
    }
}

/// The directory of a shard of the only stream.
fn shard_directory(home: &Path, number: u32) -> PathBuf {
    let kinesis = fs::read_dir(home.join("kinesis")).unwrap();
    let stream = kinesis.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    stream.join(number.to_string())
}

/// The segments of a shard, oldest first.
fn segments(home: &Path, number: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(shard_directory(home, number)).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "segment")).collect();
    segments.sort();
    segments
}

fn only_segment(home: &Path, number: u32) -> PathBuf {
    let mut segments = segments(home, number);
    assert_eq!(segments.len(), 1);
    segments.remove(0)
}

/// Fills the shard of low hash keys until it has another segment.
async fn fill_segment(client: &mut Client, home: &Path) {
    let before = segments(home, 0).len();
    for _ in 0..40 {
        put(client, LOW, &vec![7; 1024 * 1024]).await;
        if segments(home, 0).len() > before {
            return;
        }
    }
    panic!("40 MiB are one segment");
}

#[tokio::test]
async fn a_torn_record_is_cut_and_the_shard_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (service, mut client) = started(home.path()).await;
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    service.shutdown().await;

    let segment = only_segment(home.path(), 0);
    let whole = fs::metadata(&segment).unwrap().len();
    OpenOptions::new().append(true).open(&segment).unwrap().write_all(&[60, 0, 0, 0, 1, 2, 3]).unwrap();
    let (_service, mut client) = start(home.path()).await;
    assert_eq!(fs::metadata(&segment).unwrap().len(), whole);
    put(&mut client, LOW, b"second").await;
    // The iterator is older than this server.
    let (records, _) = client.drain(iterator, 10).await;
    assert_eq!(records.iter().map(data_of).collect::<Vec<_>>(), [b"first".to_vec(), b"second".to_vec()]);
}

#[tokio::test]
async fn a_segment_that_cannot_be_opened_fails_its_shard_alone_until_it_can() {
    let home = tempfile::tempdir().unwrap();
    let (service, _) = started(home.path()).await;
    // After this nothing is in memory.
    service.shutdown().await;
    let (_service, mut client) = start(home.path()).await;
    let segment = only_segment(home.path(), 0);
    let away = segment.with_extension("away");
    for in_its_place in [None, Some(())] {
        fs::rename(&segment, &away).unwrap();
        if in_its_place.is_some() {
            fs::create_dir(&segment).unwrap();
        }
        let both = json!({"StreamName": "s", "Records": [entry(LOW, b"lost"), entry(HIGH, b"kept")]});
        let answer = client.ok("PutRecords", both).await;
        assert_eq!(answer["FailedRecordCount"], json!(1));
        assert_eq!(answer["Records"][0]["ErrorCode"], json!("InternalFailure"));
        assert_eq!(answer["Records"][1]["ShardId"], json!(SECOND));
        assert_eq!(client.fails("PutRecord", entry(LOW, b"lost")).await.0, "InternalFailure");
        read_fails(&mut client, FIRST).await;
        if in_its_place.is_some() {
            fs::remove_dir(&segment).unwrap();
        }
        fs::rename(&away, &segment).unwrap();
    }
    put(&mut client, LOW, b"second").await;
    assert_eq!(read(&mut client, FIRST).await, [b"first".to_vec(), b"second".to_vec()]);
    assert_eq!(read(&mut client, SECOND).await, [b"other".to_vec(), b"kept".to_vec(), b"kept".to_vec()]);
}

#[tokio::test]
async fn a_full_disk_fails_its_shard_alone() {
    let home = tempfile::tempdir().unwrap();
    let (service, _) = started(home.path()).await;
    // After this no segment is open.
    service.shutdown().await;
    let (service, mut client) = start(home.path()).await;
    let segment = only_segment(home.path(), 0);
    let away = segment.with_extension("away");
    fs::rename(&segment, &away).unwrap();
    // Every write to it says that there is no space left.
    std::os::unix::fs::symlink("/dev/full", &segment).unwrap();
    assert_eq!(client.fails("PutRecord", entry(LOW, b"lost")).await.0, "InternalFailure");
    put(&mut client, HIGH, b"kept").await;
    assert_eq!(read(&mut client, SECOND).await, [b"other".to_vec(), b"kept".to_vec()]);
    fs::remove_file(&segment).unwrap();
    fs::rename(&away, &segment).unwrap();
    service.shutdown().await;
    let (_service, mut client) = start(home.path()).await;
    put(&mut client, LOW, b"second").await;
    assert_eq!(read(&mut client, FIRST).await, [b"first".to_vec(), b"second".to_vec()]);
}

#[tokio::test]
async fn a_damaged_segment_fails_the_reads_of_it_alone() {
    let home = tempfile::tempdir().unwrap();
    let (service, mut client) = started(home.path()).await;
    fill_segment(&mut client, home.path()).await;
    let after = put(&mut client, LOW, b"after").await;
    service.shutdown().await;

    let complete = segments(home.path(), 0).remove(0);
    let mut bytes = fs::read(&complete).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&complete, bytes).unwrap();
    let (_service, mut client) = start(home.path()).await;
    read_fails(&mut client, FIRST).await;
    let behind = json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "AT_SEQUENCE_NUMBER",
        "StartingSequenceNumber": after});
    let iterator = word(&client.ok("GetShardIterator", behind).await["ShardIterator"]);
    let (records, _) = client.drain(iterator, 10).await;
    assert_eq!(records.iter().map(data_of).collect::<Vec<_>>(), [b"after"]);
    put(&mut client, LOW, b"more").await;
    assert_eq!(read(&mut client, SECOND).await, [b"other"]);
}

#[tokio::test]
async fn marks_that_are_lost_or_wrong_lose_no_record() {
    let home = tempfile::tempdir().unwrap();
    let (service, mut client) = started(home.path()).await;
    fill_segment(&mut client, home.path()).await;
    let last = put(&mut client, LOW, b"after").await;
    let all = read(&mut client, FIRST).await;
    service.shutdown().await;
    let marks: Vec<PathBuf> = segments(home.path(), 0).iter().map(|path| path.with_extension("marks")).collect();
    assert!(fs::metadata(&marks[0]).unwrap().len() > 32);
    let garbage: Vec<u8> = (0..=255).collect();
    for content in [None, Some(&garbage[..])] {
        for path in &marks {
            match content {
                None => drop(fs::remove_file(path)),
                Some(bytes) => fs::write(path, bytes).unwrap(),
            }
        }
        let (service, mut client) = start(home.path()).await;
        let mut found = read(&mut client, FIRST).await;
        found.truncate(all.len());
        assert!(found == all);
        assert!(last < put(&mut client, LOW, b"more").await);
        service.shutdown().await;
        let (service, mut client) = start(home.path()).await;
        let mut found = read(&mut client, FIRST).await;
        found.truncate(all.len());
        assert!(found == all);
        service.shutdown().await;
    }
}

#[tokio::test]
async fn a_shard_whose_directory_is_no_directory_does_not_stop_the_server() {
    let home = tempfile::tempdir().unwrap();
    let (service, _) = started(home.path()).await;
    service.shutdown().await;
    let directory = shard_directory(home.path(), 0);
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "in the way").unwrap();
    let (_service, mut client) = start(home.path()).await;
    read_fails(&mut client, FIRST).await;
    assert_eq!(client.fails("PutRecord", entry(LOW, b"lost")).await.0, "InternalFailure");
    assert_eq!(read(&mut client, SECOND).await, [b"other"]);
    put(&mut client, HIGH, b"more").await;
}

#[tokio::test]
async fn the_journal_brings_back_what_the_disk_has_lost() {
    let home = tempfile::tempdir().unwrap();
    let (service, mut client) = started(home.path()).await;
    put(&mut client, LOW, b"second").await;
    put(&mut client, LOW, b"third").await;
    service.shutdown().await;
    // As after a power loss: the segments did not reach the disk in full, and nobody said that they had.
    fs::remove_file(home.path().join("journal/CLEAN")).unwrap();
    let torn = only_segment(home.path(), 0);
    OpenOptions::new().write(true).open(&torn).unwrap().set_len(50).unwrap();
    fs::remove_dir_all(shard_directory(home.path(), 1)).unwrap();
    for _ in 0..2 {
        let (service, mut client) = start(home.path()).await;
        assert_eq!(
            read(&mut client, FIRST).await,
            [b"first".to_vec(), b"second".to_vec(), b"third".to_vec()],
            "a second start finds the same"
        );
        assert_eq!(read(&mut client, SECOND).await, [b"other"]);
        service.shutdown().await;
    }
}

#[tokio::test]
async fn expired_segments_leave_the_disk_and_sequence_numbers_grow_on() {
    let home = tempfile::tempdir().unwrap();
    let (service, mut client) = started(home.path()).await;
    fill_segment(&mut client, home.path()).await;
    let before = put(&mut client, LOW, b"before").await;
    service.clock().advance(std::time::Duration::from_secs(25 * 3600));
    let size = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let left: u64 = size(&shard_directory(home.path(), 0));
        if left == 0 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{left} bytes are left");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(read(&mut client, FIRST).await, Vec::<Vec<u8>>::new());
    service.shutdown().await;
    let (_service, mut client) = start(home.path()).await;
    assert!(before < put(&mut client, LOW, b"anew").await);
    assert_eq!(read(&mut client, FIRST).await, [b"anew"]);
}

#[tokio::test]
async fn every_way_to_sync_keeps_records_over_a_restart_and_a_change_of_the_way() {
    let home = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for fsync in [Fsync::None, Fsync::Always, Fsync::Batch, Fsync::None, Fsync::Batch] {
        let config = LocalConfig { data_dir: Some(home.path().to_owned()), fsync, ..LocalConfig::default() };
        let service = LocalService::start(config).await.unwrap();
        let mut client = Client::connect(&service.endpoint(), EAST).await;
        if expected.is_empty() {
            client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 2})).await;
        }
        for nth in 0..3 {
            let text = format!("{fsync:?} {nth} {}", expected.len()).into_bytes();
            put(&mut client, LOW, &text).await;
            expected.push(text);
        }
        assert_eq!(read(&mut client, FIRST).await, expected);
        service.shutdown().await;
    }
}

/// xorshift64*: enough to choose bytes by.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    /// Flips, cuts, doubles or fills a part of a file.
    fn damage(&mut self, path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let (at, length) = (self.below(bytes.len()), 1 + self.below(200));
        let part = at..(at + length).min(bytes.len());
        match self.below(4) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes.truncate(at),
            2 => bytes.extend_from_within(part),
            _ => bytes[part].fill(0),
        }
        fs::write(path, bytes).unwrap();
    }
}

#[tokio::test]
async fn whatever_is_damaged_the_server_starts_and_shows_nothing_that_was_not_put() {
    let original = tempfile::tempdir().unwrap();
    let (service, mut client) = started(original.path()).await;
    let mut put_records = vec![b"first".to_vec()];
    for nth in 0..200 {
        put_records.push(format!("{nth} ").into_bytes().repeat(1 + nth * 7));
        put(&mut client, LOW, put_records.last().unwrap()).await;
    }
    service.shutdown().await;
    for seed in 1..40 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let home = tempfile::tempdir().unwrap();
        copy(original.path(), home.path());
        let segment = only_segment(home.path(), 0);
        let marks = segment.with_extension("marks");
        if seed % 3 == 0 {
            fs::remove_file(home.path().join("journal/CLEAN")).unwrap();
            random.damage(&home.path().join("journal/0"));
        }
        random.damage(if seed % 2 == 0 { &segment } else { &marks });
        let (_service, mut client) = start(home.path()).await;
        let mut iterator = Some(client.iterator("s", FIRST, "TRIM_HORIZON").await);
        let mut found = Vec::new();
        while let Some(next) = iterator {
            let answer = client.kinesis("GetRecords", &json!({"ShardIterator": next}).to_string()).await;
            if answer.status != 200 {
                assert_eq!(answer.error().0, "InternalFailure");
                break;
            }
            let read: Value = serde_json::from_slice(&answer.body).unwrap();
            found.extend(read["Records"].as_array().unwrap().iter().map(data_of));
            iterator = (read["MillisBehindLatest"] != json!(0)).then(|| word(&read["NextShardIterator"]));
        }
        // What is shown is what was put, in its order, with or without a gap.
        let mut left = put_records.iter();
        assert!(found.iter().all(|record| left.any(|put| put == record)), "seed {seed}: {} records", found.len());
        if seed % 2 == 1 {
            assert_eq!(found.len(), put_records.len(), "seed {seed}: marks save time only");
        }
        assert_eq!(read(&mut client, SECOND).await, [b"other"]);
        put(&mut client, LOW, b"more").await;
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn what_has_just_been_put_is_read_without_the_disk_and_what_is_older_with_it() {
    let home = tempfile::tempdir().unwrap();
    let (_service, mut client) = started(home.path()).await;
    let segment = only_segment(home.path(), 0);
    let away = segment.with_extension("away");
    fs::rename(&segment, &away).unwrap();
    assert_eq!(read(&mut client, FIRST).await, [b"first"]);
    // Another shard's records take their place in memory.
    for _ in 0..17 {
        put(&mut client, HIGH, &vec![7; 1024 * 1024]).await;
    }
    read_fails(&mut client, FIRST).await;
    fs::rename(&away, &segment).unwrap();
    put(&mut client, LOW, b"second").await;
    // The first is found on the disk, the second in memory.
    assert_eq!(read(&mut client, FIRST).await, [b"first".to_vec(), b"second".to_vec()]);
    // So are the first of many that do not fit there.
    let others = read(&mut client, SECOND).await;
    assert_eq!(others.iter().map(Vec::len).collect::<Vec<_>>(), [vec![5], vec![1024 * 1024; 17]].concat());
}
