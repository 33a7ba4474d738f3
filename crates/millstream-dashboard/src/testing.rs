//! What the tests of this crate share.

use millstream_engine::{BatchInfo, BatchTime, InputInfo, OutputInfo};

use crate::status::{LeaseStatus, ReadingStatus, ShardStatus, StreamStatus};
use crate::{Application, Input};

/// A program with batches of 500 ms, a Kinesis stream and a queue.
pub(crate) fn application() -> Application {
    let input = |name: &str, has_receiver| Input { name: name.to_owned(), has_receiver };
    Application {
        id: "local-1".to_owned(),
        name: "counts \"words\"".to_owned(),
        user: "nobody".to_owned(),
        spark_version: "4.3.0".to_owned(),
        started_ms: 500,
        batch_ms: 500,
        inputs: vec![input("Kinesis words", true), input("queue", false)],
    }
}

/// A batch that was cut, 10 ms after its time.
pub(crate) fn batch(time_ms: u64, records: [u64; 2]) -> BatchInfo {
    let inputs =
        records.into_iter().enumerate().map(|(id, records)| InputInfo { id, records, metadata: String::new() });
    BatchInfo {
        time: BatchTime::from_millis(time_ms),
        inputs: inputs.collect(),
        submission_ms: time_ms + 10,
        processing_start_ms: None,
        processing_end_ms: None,
        outputs: vec![output(time_ms, None, None, None)],
        failure: None,
    }
}

/// A batch's only output operation.
pub(crate) fn output(time_ms: u64, start_ms: Option<u64>, end_ms: Option<u64>, failure: Option<&str>) -> OutputInfo {
    let name = "pprint at words.py:7".to_owned();
    OutputInfo {
        time: BatchTime::from_millis(time_ms),
        id: 0,
        name,
        start_ms,
        end_ms,
        failure: failure.map(str::to_owned),
    }
}

/// A stream whose shard 0 was split into 1, which this worker has read so many records of, and 2, which another worker has.
pub(crate) fn stream(records_read: u64) -> StreamStatus {
    let shard = |number: u32, parents: &[&str], owner: Option<&str>, reading| ShardStatus {
        shard: format!("shardId-00000000000{number}"),
        parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
        hash_keys: Some((0, u128::MAX)),
        has_ended: owner.is_none(),
        lease: Some(LeaseStatus {
            state: match (owner, &reading) {
                (None, _) => "ended",
                (_, None) => "elsewhere",
                (_, Some(_)) => "reading",
            },
            owner: owner.map(str::to_owned),
            checkpoint: if owner.is_some() { "49".to_owned() } else { "SHARD_END".to_owned() },
            ..LeaseStatus::default()
        }),
        reading,
    };
    let reading = ReadingStatus {
        position: "50".to_owned(),
        behind_ms: 1500,
        queued: 7,
        records_read,
        bytes_read: records_read * 10,
        records_given: records_read - 7,
        bytes_given: (records_read - 7) * 10,
        throttles: 3,
        records_again: 2,
        has_ended: false,
    };
    let split = ["shardId-000000000000"];
    StreamStatus {
        application: "word-count".to_owned(),
        stream: "words".to_owned(),
        worker: "here:1".to_owned(),
        shards: vec![
            shard(0, &[], None, None),
            shard(1, &split, Some("here:1"), Some(reading)),
            shard(2, &split, Some("there:2"), None),
        ],
        error: None,
    }
}
