#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use millstream_engine::BatchListener;
use serde_json::json;

use super::*;
use crate::History;
use crate::history::{LastError, Receiver};
use crate::status::{StatusSource, StreamStatus};
use crate::testing::{application, batch, output, stream};

struct Fixed;

#[async_trait::async_trait]
impl StatusSource for Fixed {
    async fn status(&self) -> Option<StreamStatus> {
        Some(stream(100))
    }
}

/// Three batches: one has succeeded, one has failed, one waits.
fn feed() -> Feed {
    let feed = Feed::new(History::new(application(), 10));
    feed.streaming_started(900);
    for (time_ms, failure) in [(1000, None), (1500, Some("Traceback: no threes"))] {
        let mut info = batch(time_ms, [3, 4]);
        info.inputs[0].metadata = "words/shard 0: 1..2\nwords/shard 1: 5..9".to_owned();
        feed.batch_submitted(&info);
        info.processing_start_ms = Some(time_ms + 30);
        feed.batch_started(&info);
        info.outputs[0] = output(time_ms, Some(time_ms + 30), Some(time_ms + 70), failure);
        info.processing_end_ms = Some(time_ms + 80);
        info.failure = failure.map(|text| format!("batch: {text}"));
        feed.batch_completed(&info);
    }
    feed.batch_submitted(&batch(2000, [1, 0]));
    feed
}

async fn ask(feed: &Feed, path: &str) -> Result<Value, NotFound> {
    let board = Board::new(vec![Arc::new(Fixed)]);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path: Vec<&str> = path.split('/').collect();
    answer(feed, &board, &path, query, 3000).await
}

async fn streaming(feed: &Feed, path: &str) -> Value {
    ask(feed, &format!("applications/local-1/streaming/{path}")).await.unwrap()
}

#[tokio::test]
async fn the_program_is_the_only_application() {
    let feed = feed();
    let all = ask(&feed, "applications").await.unwrap();
    assert_eq!((&all[0]["id"], &all[0]["name"]), (&json!("local-1"), &json!("counts \"words\"")));
    let attempt = &all[0]["attempts"][0];
    assert_eq!(attempt["startTime"], "1970-01-01T00:00:00.500GMT");
    assert_eq!((&attempt["duration"], &attempt["completed"]), (&json!(2500), &json!(false)));
    assert_eq!(ask(&feed, "applications/local-1").await.unwrap(), all[0]);
    assert_eq!(ask(&feed, "applications/other").await, Err(NotFound("unknown app: other".to_owned())));
    assert_eq!(ask(&feed, "version").await.unwrap()["spark"], "4.3.0");
}

#[tokio::test]
async fn statistics_have_sparks_fields() {
    let statistics = streaming(&feed(), "statistics").await;
    let expected = json!({
        "startTime": "1970-01-01T00:00:00.900GMT",
        "batchDuration": 500,
        "numReceivers": 1,
        "numActiveReceivers": 1,
        "numInactiveReceivers": 0,
        "numTotalCompletedBatches": 2,
        "numRetainedCompletedBatches": 2,
        "numActiveBatches": 1,
        "numProcessedRecords": 14,
        "numReceivedRecords": 14,
        "avgInputRate": 10.0,
        "avgSchedulingDelay": 20,
        "avgProcessingTime": 50,
        "avgTotalDelay": 70,
    });
    assert_eq!(statistics, expected);
}

#[tokio::test]
async fn nothing_is_averaged_before_the_first_batch() {
    let feed = Feed::new(History::new(application(), 10));
    let statistics = streaming(&feed, "statistics").await;
    assert_eq!(statistics["numTotalCompletedBatches"], 0);
    assert!(!statistics.as_object().unwrap().keys().any(|name| name.starts_with("avg")), "{statistics}");
    assert_eq!(streaming(&feed, "batches").await, json!([]));
    assert_eq!(streaming(&feed, "receivers").await[0]["eventRates"], json!([]));
}

#[tokio::test]
async fn batches_come_newest_first_by_status_and_page() {
    let feed = feed();
    let ids =
        |answer: Value| answer.as_array().unwrap().iter().map(|batch| batch["batchId"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(streaming(&feed, "batches").await), [2000, 1500, 1000]);
    assert_eq!(ids(streaming(&feed, "batches?status=completed").await), [1500, 1000]);
    assert_eq!(ids(streaming(&feed, "batches?status=QUEUED&status=PROCESSING").await), [2000]);
    assert_eq!(ids(streaming(&feed, "batches?offset=1&length=1").await), [1500]);
    assert_eq!(ids(streaming(&feed, "batches?offset=9").await), [0; 0]);
    let queued = json!({
        "batchId": 2000,
        "batchTime": "1970-01-01T00:00:02.000GMT",
        "status": "QUEUED",
        "batchDuration": 500,
        "inputSize": 1,
        "numActiveOutputOps": 0,
        "numCompletedOutputOps": 0,
        "numFailedOutputOps": 0,
        "numTotalOutputOps": 1,
    });
    assert_eq!(streaming(&feed, "batches/2000").await, queued);
    let failed = streaming(&feed, "batches/1500").await;
    assert_eq!((&failed["status"], &failed["numFailedOutputOps"]), (&json!("COMPLETED"), &json!(1)));
    assert_eq!(failed["firstFailureReason"], "Traceback: no threes");
    assert_eq!([&failed["schedulingDelay"], &failed["processingTime"], &failed["totalDelay"]], [20, 50, 70]);
}

#[tokio::test]
async fn output_operations_and_inputs_of_a_batch_are_told() {
    let feed = feed();
    let operations = streaming(&feed, "batches/1500/operations").await;
    let expected = json!({
        "outputOpId": 0,
        "name": "pprint at words.py:7",
        "description": "pprint at words.py:7",
        "startTime": "1970-01-01T00:00:01.530GMT",
        "endTime": "1970-01-01T00:00:01.570GMT",
        "duration": 40,
        "failureReason": "Traceback: no threes",
        "jobIds": [],
    });
    assert_eq!(operations, json!([expected]));
    assert_eq!(streaming(&feed, "batches/1500/operations/0").await, expected);
    let inputs = streaming(&feed, "batches/1500/inputs").await;
    assert_eq!(inputs[0]["origins"], json!(["words/shard 0: 1..2", "words/shard 1: 5..9"]));
    assert_eq!((&inputs[0]["streamName"], &inputs[1]["numRecords"]), (&json!("Kinesis words"), &json!(4)));
    for (path, message) in [
        ("batches/1", "unknown batch: 1"),
        ("batches/x/operations", "unknown batch: x"),
        ("batches/1500/operations/1", "unknown output operation: 1"),
        ("receivers/2", "unknown receiver: 2"),
    ] {
        let answer = ask(&feed, &format!("applications/local-1/streaming/{path}")).await;
        assert_eq!(answer, Err(NotFound(message.to_owned())));
    }
    assert!(ask(&feed, "applications/local-1/jobs").await.unwrap_err().0.contains("docs/dashboard.md"));
}

#[tokio::test]
async fn receivers_are_told_with_the_rate_of_each_batch() {
    let feed = feed();
    let last_error = LastError { time_ms: 1200, message: "lost".to_owned(), error: "Traceback: gone".to_owned() };
    let receiver = Receiver { name: "Kinesis".to_owned(), is_active: false, last_error: Some(last_error) };
    feed.receiver_changed(0, receiver);
    let receivers = streaming(&feed, "receivers").await;
    assert_eq!(receivers[0]["eventRates"], json!([[1000, 6.0], [1500, 6.0], [2000, 2.0]]));
    assert_eq!(receivers[0]["isActive"], false);
    assert_eq!(receivers[0]["lastErrorTime"], "1970-01-01T00:00:01.200GMT");
    assert_eq!(receivers[0]["lastErrorMessage"], "lost");
    assert_eq!(receivers[1].get("isActive"), None, "a queue has no receiver");
    assert_eq!(streaming(&feed, "receivers/1").await["avgEventRate"], json!((8.0 + 8.0 + 0.0) / 3.0));
}

#[tokio::test]
async fn shards_and_leases_are_told() {
    let feed = feed();
    let shards = ask(&feed, "applications/local-1/shards").await.unwrap();
    assert_eq!(shards[1]["shardId"], "shardId-000000000001");
    assert_eq!(shards[1]["parentShardIds"], json!(["shardId-000000000000"]));
    assert_eq!(shards[1]["endingHashKey"], "340282366920938463463374607431768211455");
    assert_eq!(shards[1]["reading"]["millisBehindLatest"], 1500);
    assert_eq!(shards[1]["reading"]["queuedRecords"], 7);
    assert_eq!(shards[1]["reading"]["throttledReads"], 3);
    assert_eq!(shards[1]["reading"]["recordsReadAgain"], 2);
    assert_eq!(shards[2]["reading"], json!(null));
    let leases = ask(&feed, "applications/local-1/leases").await.unwrap();
    let owners: Vec<_> = leases.as_array().unwrap().iter().map(|lease| (&lease["owner"], &lease["isOwn"])).collect();
    let (none, here, there) = (json!(null), json!("here:1"), json!("there:2"));
    assert_eq!(owners, [(&none, &json!(false)), (&here, &json!(true)), (&there, &json!(false))]);
}
