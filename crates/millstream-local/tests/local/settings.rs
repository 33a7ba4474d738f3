//! Settings of streams and of the account: what they do, and that they are there after a restart.

use std::time::Duration;

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST, data_of, word};

const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const FIRST: &str = "shardId-000000000000";
const HOUR: Duration = Duration::from_secs(3600);

async fn start(config: LocalConfig) -> (LocalService, Client) {
    let service = LocalService::start(config).await.unwrap();
    let client = Client::connect(&service.endpoint(), EAST).await;
    (service, client)
}

async fn with_stream(shards: u32) -> (LocalService, Client) {
    let (service, mut client) = start(LocalConfig::default()).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": shards})).await;
    (service, client)
}

async fn summary(client: &mut Client) -> Value {
    let answer = client.ok("DescribeStreamSummary", json!({"StreamName": "s"})).await;
    answer["StreamDescriptionSummary"].clone()
}

async fn texts(client: &mut Client, shard: &str) -> Vec<String> {
    let iterator = client.iterator("s", shard, "TRIM_HORIZON").await;
    let (records, _) = client.drain(iterator, 100).await;
    records.iter().map(|record| String::from_utf8(data_of(record)).unwrap()).collect()
}

/// The id of the one stream: nothing but the metadata tells it.
fn stream_id(home: &std::path::Path) -> String {
    let streams: Value = serde_json::from_slice(&std::fs::read(home.join("kinesis/streams.json")).unwrap()).unwrap();
    word(&streams[0]["id"])
}

#[tokio::test]
async fn all_settings_are_there_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let (service, mut client) = start(config.clone()).await;
    let create = json!({"StreamName": "s", "ShardCount": 2, "Tags": {"team": "blue", "empty": ""}});
    client.ok("CreateStream", create).await;
    assert!(summary(&mut client).await.get("StreamId").is_none());
    let id = stream_id(home.path());
    let policy = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let committed = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
    client.ok("AddTagsToStream", json!({"StreamId": id, "Tags": {"team": "red", "größe": "XL"}})).await;
    client.ok("IncreaseStreamRetentionPeriod", json!({"StreamARN": ARN, "RetentionPeriodHours": 48})).await;
    client.ok("UpdateMaxRecordSize", json!({"StreamARN": ARN, "MaxRecordSizeInKiB": 2048})).await;
    let key = json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"});
    client.ok("StartStreamEncryption", key).await;
    let metrics = json!({"StreamName": "s", "ShardLevelMetrics": ["ALL"]});
    client.ok("EnableEnhancedMonitoring", metrics).await;
    let fewer = json!({"StreamName": "s", "ShardLevelMetrics": ["IncomingBytes", "OutgoingBytes"]});
    let fewer = client.ok("DisableEnhancedMonitoring", fewer).await;
    assert_eq!(fewer["CurrentShardLevelMetrics"].as_array().unwrap().len(), 7);
    assert_eq!(fewer["DesiredShardLevelMetrics"].as_array().unwrap().len(), 5);
    client.ok("PutResourcePolicy", json!({"ResourceARN": ARN, "Policy": policy})).await;
    client.ok("UpdateAccountSettings", committed).await;
    client.ok("UpdateStreamMode", json!({"StreamARN": ARN, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}})).await;
    let warm = client.ok("UpdateStreamWarmThroughput", json!({"StreamName": "s", "WarmThroughputMiBps": 100})).await;
    assert_eq!(warm["WarmThroughput"], json!({"TargetMiBps": 100, "CurrentMiBps": 100}));
    let consumer = json!({"StreamARN": ARN, "ConsumerName": "c", "Tags": {"a": "b"}});
    let consumer = client.ok("RegisterStreamConsumer", consumer).await["Consumer"].clone();

    let before = summary(&mut client).await;
    service.shutdown().await;
    let (_service, mut client) = start(config).await;
    assert_eq!(summary(&mut client).await, before);
    for (member, value) in [
        ("RetentionPeriodHours", json!(48)),
        ("MaxRecordSizeInKiB", json!(2048)),
        ("EncryptionType", json!("KMS")),
        ("KeyId", json!("alias/aws/kinesis")),
        ("StreamModeDetails", json!({"StreamMode": "ON_DEMAND"})),
        ("ConsumerCount", json!(1)),
        ("OpenShardCount", json!(2)),
        ("StreamStatus", json!("ACTIVE")),
    ] {
        assert_eq!(before[member], value, "{member}");
    }
    let tags = client.ok("ListTagsForStream", json!({"StreamName": "s", "Limit": 2})).await;
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    assert_eq!(tags, json!({"Tags": [tag("empty", ""), tag("größe", "XL")], "HasMoreTags": true}));
    let rest = json!({"StreamName": "s", "ExclusiveStartTagKey": "größe"});
    let rest = client.ok("ListTagsForStream", rest).await;
    assert_eq!(rest, json!({"Tags": [tag("team", "red")], "HasMoreTags": false}));
    assert_eq!(client.ok("GetResourcePolicy", json!({"ResourceARN": ARN})).await, json!({"Policy": policy}));
    let account = client.ok("DescribeAccountSettings", json!({})).await;
    assert_eq!(account["MinimumThroughputBillingCommitment"]["Status"], json!("ENABLED"));
    let arn = consumer["ConsumerARN"].clone();
    let found = client.ok("DescribeStreamConsumer", json!({"ConsumerARN": arn})).await["ConsumerDescription"].clone();
    assert_eq!(found["ConsumerARN"], arn);
    assert_eq!(found["StreamARN"], json!(ARN));
    let tags = client.ok("ListTagsForResource", json!({"ResourceARN": arn})).await;
    assert_eq!(tags, json!({"Tags": [tag("a", "b")]}));
}

#[tokio::test]
async fn what_has_expired_is_gone_and_stays_gone() {
    let (service, mut client) = with_stream(1).await;
    for text in ["one", "two"] {
        client.put("s", "k", text.as_bytes()).await;
    }
    let old = client.put("s", "k", b"three").await.1;
    service.clock().advance(23 * HOUR);
    client.put("s", "k", b"four").await;
    assert_eq!(texts(&mut client, FIRST).await, ["one", "two", "three", "four"]);
    // Opened before the records expire, used after.
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    service.clock().advance(HOUR - Duration::from_secs(60));
    let fresh = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let expired = client.fails("GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(expired.0, "ExpiredIteratorException");
    service.clock().advance(Duration::from_secs(90));
    let (records, _) = client.drain(fresh, 100).await;
    assert_eq!(records.iter().map(data_of).collect::<Vec<_>>(), [b"four".to_vec()]);
    let at = json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": old});
    let at = word(&client.ok("GetShardIterator", at).await["ShardIterator"]);
    assert_eq!(client.drain(at, 100).await.0.len(), 1);

    client.ok("IncreaseStreamRetentionPeriod", json!({"StreamName": "s", "RetentionPeriodHours": 72})).await;
    assert_eq!(texts(&mut client, FIRST).await, ["four"]);
    service.clock().advance(60 * HOUR);
    client.put("s", "k", b"five").await;
    assert_eq!(texts(&mut client, FIRST).await, ["four", "five"]);
    client.ok("DecreaseStreamRetentionPeriod", json!({"StreamName": "s", "RetentionPeriodHours": 24})).await;
    assert_eq!(texts(&mut client, FIRST).await, ["five"]);
    service.clock().advance(25 * HOUR);
    assert_eq!(texts(&mut client, FIRST).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_horizon_lies_in_the_middle_of_a_long_log() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let (service, mut client) = start(config).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    let large = vec![b'x'; 40_000];
    for _ in 0..20 {
        client.put("s", "old", &large).await;
    }
    service.clock().advance(20 * HOUR);
    for _ in 0..20 {
        client.put("s", "new", &large).await;
    }
    service.clock().advance(5 * HOUR);
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let (records, last) = client.drain(iterator, 3).await;
    assert_eq!(records.len(), 20);
    assert!(records.iter().all(|record| record["PartitionKey"] == json!("new")));
    assert_eq!(last["MillisBehindLatest"], json!(0));
}

#[tokio::test]
async fn a_closed_shard_vanishes_when_its_records_have_expired() {
    let (service, mut client) = with_stream(1).await;
    client.put("s", "k", b"parent").await;
    client
        .ok("UpdateShardCount", json!({"StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}))
        .await;
    let shards = async |client: &mut Client, filter: &str| {
        let request = json!({"StreamName": "s", "ShardFilter": {"Type": filter}});
        let answer = client.ok("ListShards", request).await;
        answer["Shards"].as_array().unwrap().iter().map(|shard| word(&shard["ShardId"])).collect::<Vec<_>>()
    };
    let children = ["shardId-000000000001", "shardId-000000000002"];
    assert_eq!(shards(&mut client, "FROM_TRIM_HORIZON").await.len(), 3);
    assert_eq!(shards(&mut client, "AT_TRIM_HORIZON").await, [FIRST]);
    service.clock().advance(25 * HOUR);
    assert_eq!(shards(&mut client, "FROM_TRIM_HORIZON").await, children);
    assert_eq!(shards(&mut client, "AT_TRIM_HORIZON").await, children);
    let all = client.ok("DescribeStream", json!({"StreamName": "s"})).await;
    assert_eq!(all["StreamDescription"]["Shards"][0]["ShardId"], json!(children[0]));
    assert_eq!(all["StreamDescription"]["Shards"][0]["ParentShardId"], json!(FIRST));
    let gone = json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "TRIM_HORIZON"});
    assert_eq!(client.fails("GetShardIterator", gone).await.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn scaling_leaves_even_shards_whose_lineage_can_be_read_in_order() {
    let (_service, mut client) = with_stream(2).await;
    let mut put = Vec::new();
    for (round, target) in [(0, 3), (1, 6), (2, 4), (3, 4), (4, 2)] {
        for nth in 0..30 {
            let text = format!("{round}-{nth}");
            client.put("s", &text, text.as_bytes()).await;
            put.push(text);
        }
        let request = json!({"StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"});
        let answer = client.ok("UpdateShardCount", request).await;
        assert_eq!((&answer["TargetShardCount"], &answer["StreamARN"]), (&json!(target), &json!(ARN)));
        let listed = client.ok("ListShards", json!({"StreamName": "s", "ShardFilter": {"Type": "AT_LATEST"}})).await;
        let mut ranges: Vec<(u128, u128)> = listed["Shards"].as_array().unwrap().iter().map(range).collect();
        ranges.sort_unstable();
        assert_eq!(ranges.len(), target);
        assert_eq!((ranges[0].0, ranges[target - 1].1), (0, u128::MAX));
        assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
        let widths: Vec<u128> = ranges.iter().map(|(start, end)| end - start).collect();
        assert!(widths.iter().max().unwrap() - widths.iter().min().unwrap() < 10, "{widths:?}");
    }
    let all = client.ok("ListShards", json!({"StreamName": "s"})).await;
    let all = all["Shards"].as_array().unwrap();
    let sequence = |shard: &Value, end: &str| word(&shard["SequenceNumberRange"][end]);
    let mut read = Vec::new();
    for shard in all {
        for parent in ["ParentShardId", "AdjacentParentShardId"] {
            let Some(parent) = all.iter().find(|other| other["ShardId"] == shard[parent]) else { continue };
            assert!(sequence(parent, "EndingSequenceNumber") < sequence(shard, "StartingSequenceNumber"));
        }
        read.extend(texts(&mut client, shard["ShardId"].as_str().unwrap()).await);
    }
    put.sort();
    read.sort();
    assert_eq!(read, put);
    let far = json!({"StreamName": "s", "TargetShardCount": 5, "ScalingType": "UNIFORM_SCALING"});
    let error = client.fails("UpdateShardCount", far).await;
    assert_eq!(error.0, "LimitExceededException");
}

fn range(shard: &Value) -> (u128, u128) {
    let key = |name: &str| shard["HashKeyRange"][name].as_str().unwrap().parse().unwrap();
    (key("StartingHashKey"), key("EndingHashKey"))
}

#[tokio::test]
async fn a_larger_record_is_taken_once_the_stream_allows_it() {
    let (_service, mut client) = with_stream(1).await;
    let data = base64_simd::STANDARD.encode_to_string(vec![0; 1024 * 1024 + 1]);
    let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": data});
    assert_eq!(client.fails("PutRecord", put.clone()).await.0, "ValidationException");
    client.ok("UpdateMaxRecordSize", json!({"StreamARN": ARN, "MaxRecordSizeInKiB": 1025})).await;
    client.ok("PutRecord", put.clone()).await;
    client.ok("UpdateMaxRecordSize", json!({"StreamARN": ARN, "MaxRecordSizeInKiB": 1024})).await;
    assert_eq!(client.fails("PutRecord", put).await.0, "ValidationException");
}

#[tokio::test]
async fn records_are_marked_from_the_start_of_encryption_to_its_stop() {
    let (service, mut client) = with_stream(1).await;
    client.put("s", "k", b"plain").await;
    service.clock().advance(Duration::from_secs(1));
    let key = json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "alias/key"});
    client.ok("StartStreamEncryption", key.clone()).await;
    let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": ""});
    assert_eq!(client.ok("PutRecord", put.clone()).await["EncryptionType"], json!("KMS"));
    let batch = json!({"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": ""}]});
    assert_eq!(client.ok("PutRecords", batch.clone()).await["EncryptionType"], json!("KMS"));
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let (records, _) = client.drain(iterator, 10).await;
    let kinds: Vec<_> = records.iter().map(|record| record.get("EncryptionType").and_then(Value::as_str)).collect();
    assert_eq!(kinds, [None, Some("KMS"), Some("KMS")]);
    client.ok("StopStreamEncryption", key).await;
    assert_eq!(client.ok("PutRecord", put).await.get("EncryptionType"), None);
    assert_eq!(client.ok("PutRecords", batch).await["EncryptionType"], json!("NONE"));
}

#[tokio::test]
async fn limits_count_what_is_open() {
    let (_service, mut client) = with_stream(3).await;
    let on_demand = json!({"StreamName": "od", "StreamModeDetails": {"StreamMode": "ON_DEMAND"}});
    client.ok("CreateStream", on_demand).await;
    let scale = json!({"StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"});
    client.ok("UpdateShardCount", scale).await;
    let limits = client.ok("DescribeLimits", json!({})).await;
    assert_eq!((&limits["OpenShardCount"], &limits["OnDemandStreamCount"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn tags_and_policies_of_a_stream_and_of_a_consumer_are_apart() {
    let (_service, mut client) = with_stream(1).await;
    let register = json!({"StreamARN": ARN, "ConsumerName": "c"});
    let consumer = word(&client.ok("RegisterStreamConsumer", register).await["Consumer"]["ConsumerARN"]);
    let policy = |name: &str| json!({"Statement": [{"Sid": name}]}).to_string();
    for (arn, name) in [(ARN, "stream"), (&*consumer, "consumer")] {
        client.ok("TagResource", json!({"ResourceARN": arn, "Tags": {"kind": name, "other": ""}})).await;
        client.ok("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["other", "none"]})).await;
        assert_eq!(client.ok("GetResourcePolicy", json!({"ResourceARN": arn})).await["Policy"], json!("{}"));
        client.ok("PutResourcePolicy", json!({"ResourceARN": arn, "Policy": policy(name)})).await;
    }
    for (arn, name) in [(ARN, "stream"), (&*consumer, "consumer")] {
        let tags = client.ok("ListTagsForResource", json!({"ResourceARN": arn})).await;
        assert_eq!(tags["Tags"], json!([{"Key": "kind", "Value": name}]));
        assert_eq!(client.ok("GetResourcePolicy", json!({"ResourceARN": arn})).await["Policy"], json!(policy(name)));
        client.ok("DeleteResourcePolicy", json!({"ResourceARN": arn})).await;
        let again = client.fails("DeleteResourcePolicy", json!({"ResourceARN": arn})).await;
        assert_eq!(again.1, format!("No resource policy found for resource ARN {arn}."));
    }
    let many: serde_json::Map<_, _> = (0..50).map(|nth| (format!("tag {nth}"), json!("v"))).collect();
    let error = client.fails("AddTagsToStream", json!({"StreamName": "s", "Tags": many})).await;
    assert!(error.1.ends_with("cannot have more than 50 tags associated with it."), "{error:?}");
}

#[tokio::test]
async fn a_stream_on_demand_may_distribute_records_without_keys() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let on_demand = json!({"StreamMode": "ON_DEMAND"});
    client.ok("CreateStream", json!({"StreamName": "s", "StreamModeDetails": on_demand})).await;
    let summary = client.ok("DescribeStreamSummary", json!({"StreamName": "s"})).await;
    let summary = &summary["StreamDescriptionSummary"];
    assert_eq!(summary["RecordDistributionStrategy"], json!("USER_PARTITION_KEY"));
    let keyless = json!({"StreamName": "s", "Records": [{"Data": ""}]});
    assert_eq!(client.fails("PutRecords", keyless.clone()).await.0, "ValidationException");

    let arn = summary["StreamARN"].clone();
    let auto = json!({"StreamARN": arn, "RecordDistributionStrategy": "AUTO"});
    client.ok("UpdateStreamRecordDistributionStrategy", auto).await;
    client.ok("PutRecords", keyless).await;
    let records = vec![json!({"PartitionKey": "k", "Data": "", "ExplicitHashKey": "0"}); 400];
    let answer = client.ok("PutRecords", json!({"StreamName": "s", "Records": records})).await;
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    for record in answer["Records"].as_array().unwrap() {
        *counts.entry(word(&record["ShardId"])).or_default() += 1;
    }
    assert!(counts.len() == 4 && counts.values().all(|count| (90..=110).contains(count)), "{counts:?}");

    let mut keys = Vec::new();
    for shard in counts.keys() {
        let iterator = client.iterator("s", shard, "TRIM_HORIZON").await;
        keys.extend(client.drain(iterator, 1000).await.0.iter().map(|record| record.get("PartitionKey").cloned()));
    }
    assert_eq!((keys.len(), keys.iter().filter(|key| key.is_none()).count()), (401, 1));
}
