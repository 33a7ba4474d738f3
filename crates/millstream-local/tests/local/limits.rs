//! The quotas of the service, where they are enforced.

use std::time::Duration;

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST, word};

const SHARD: &str = "shardId-000000000000";
const THROTTLED: &str = "ProvisionedThroughputExceededException";

async fn service(enforce_limits: bool) -> (LocalService, Client) {
    let service = LocalService::start(LocalConfig { enforce_limits, ..LocalConfig::default() }).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 2})).await;
    (service, client)
}

/// `count` records of `size` bytes, all for one shard: the first (even) or the second (odd).
fn records(count: usize, size: usize, shard: usize) -> Vec<Value> {
    let data = base64_simd::STANDARD.encode_to_string(vec![b'x'; size]);
    let key = (u128::MAX / 4 * if shard == 0 { 1 } else { 3 }).to_string();
    vec![json!({"Data": data, "PartitionKey": "k", "ExplicitHashKey": key}); count]
}

async fn put(client: &mut Client, records: Vec<Value>) -> Value {
    client.ok("PutRecords", json!({"StreamName": "orders", "Records": records})).await
}

#[tokio::test]
async fn records_beyond_a_shards_throughput_fail_one_by_one() {
    let (service, mut client) = service(true).await;
    // 20 records of 100 KiB: 10 fit into a second.
    let mixed = [records(20, 100 * 1024, 0), records(3, 10, 1)].concat();
    let answer = put(&mut client, mixed).await;
    let results = answer["Records"].as_array().unwrap();
    let failed: Vec<usize> = (0..23).filter(|at| results[*at]["ErrorCode"] == json!(THROTTLED)).collect();
    assert_eq!(answer["FailedRecordCount"], json!(failed.len()));
    assert_eq!(failed, (10..20).collect::<Vec<_>>());
    let message = "Rate exceeded for shard shardId-000000000000 in stream orders under account 000000000000.";
    assert_eq!(results[10]["ErrorMessage"], json!(message));
    let iterator = client.iterator("orders", SHARD, "TRIM_HORIZON").await;
    let (stored, _) = client.drain(iterator, 100).await;
    let numbers = |records: &[Value]| records.iter().map(|record| word(&record["SequenceNumber"])).collect::<Vec<_>>();
    assert_eq!(numbers(&stored), numbers(&results[..10]));

    let one = |shard: usize| {
        let mut record = records(1, 100 * 1024, shard).remove(0);
        record["StreamName"] = json!("orders");
        record
    };
    assert_eq!(client.fails("PutRecord", one(0)).await, (THROTTLED.to_owned(), message.to_owned()));
    client.ok("PutRecord", one(1)).await;
    service.clock().advance(Duration::from_secs(1));
    client.ok("PutRecord", one(0)).await;
}

#[tokio::test]
async fn a_shard_is_read_at_its_throughput() {
    let (service, mut client) = service(true).await;
    for _ in 0..11 {
        assert_eq!(put(&mut client, records(10, 100 * 1024, 0)).await["FailedRecordCount"], json!(0));
        service.clock().advance(Duration::from_secs(1));
    }
    let iterator = client.iterator("orders", SHARD, "TRIM_HORIZON").await;
    let read = json!({"ShardIterator": iterator});
    let full = client.ok("GetRecords", read.clone()).await;
    assert_eq!(full["Records"].as_array().unwrap().len(), 102);
    service.clock().advance(Duration::from_millis(4500));
    assert_eq!(client.fails("GetRecords", read.clone()).await.0, THROTTLED);
    service.clock().advance(Duration::from_millis(600));
    let latest = client.iterator("orders", SHARD, "LATEST").await;
    for _ in 0..5 {
        client.ok("GetRecords", json!({"ShardIterator": latest})).await;
    }
    let error = client.fails("GetRecords", json!({"ShardIterator": latest})).await;
    assert_eq!(error.0, THROTTLED);
    assert!(error.1.starts_with("Rate exceeded for shard shardId-000000000000 in stream orders"), "{}", error.1);
    // The shard's iterators are counted for themselves, and the other shard too.
    client.iterator("orders", "shardId-000000000001", "LATEST").await;
}

#[tokio::test]
async fn calls_and_shards_are_limited_for_the_account() {
    let (service, mut client) = service(true).await;
    let describe = json!({"StreamName": "orders"});
    for _ in 0..10 {
        client.ok("DescribeStream", describe.clone()).await;
    }
    let error = client.fails("DescribeStream", describe.clone()).await;
    assert_eq!(error.0, "LimitExceededException");
    assert_eq!(error.1, "Rate exceeded for stream orders under account 000000000000.");
    service.clock().advance(Duration::from_secs(1));
    client.ok("DescribeStream", describe).await;

    let error = client.fails("CreateStream", json!({"StreamName": "large", "ShardCount": 19_999})).await;
    assert_eq!(error.0, "LimitExceededException");
    assert!(error.1.contains("in us-east-1. Current shard count for the account: 2. Limit: 20000."), "{}", error.1);
    assert!(error.1.contains("would have resulted from this request: 19999."), "{}", error.1);
}

#[tokio::test]
async fn nothing_is_limited_by_default() {
    let (_service, mut client) = service(false).await;
    assert_eq!(put(&mut client, records(30, 100 * 1024, 0)).await["FailedRecordCount"], json!(0));
    let latest = client.iterator("orders", SHARD, "LATEST").await;
    for _ in 0..30 {
        client.ok("GetRecords", json!({"ShardIterator": latest})).await;
        client.ok("DescribeStream", json!({"StreamName": "orders"})).await;
    }
}
