//! Requests and answers in CBOR, as the AWS SDKs for Java have them.

use crate::support::{CBOR, Client, EAST, cbor};
use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const FIRST: &str = "shardId-000000000000";

/// The status and the answer; an empty answer is null.
async fn call(client: &mut Client, operation: &str, request: &Value) -> (u16, Value) {
    let answer = client.send_as(CBOR, &format!("Kinesis_20131202.{operation}"), &cbor::encode(request)).await;
    assert!(answer.headers.contains("content-type: application/x-amz-cbor-1.1\r\n"), "{}", answer.headers);
    let mut body = answer.body.as_slice();
    let decoded = if body.is_empty() { Value::Null } else { cbor::decode(&mut body) };
    assert!(body.is_empty(), "{operation} {request}");
    (answer.status, decoded)
}

async fn ok(client: &mut Client, operation: &str, request: Value) -> Value {
    let (status, answer) = call(client, operation, &request).await;
    assert_eq!(status, 200, "{operation} {request}: {answer}");
    answer
}

#[tokio::test]
async fn blobs_are_bytes_and_times_are_milliseconds() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    assert_eq!(ok(&mut client, "CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await, Value::Null);
    let data = |bytes: &[u8]| json!({"bytes": base64_simd::STANDARD.encode_to_string(bytes)});
    let long = vec![0xff; 300];
    let put = json!({"StreamName": "s", "PartitionKey": "k\u{fc}\n", "Data": data(&[0, 255, 34])});
    let put = ok(&mut client, "PutRecord", put).await;
    assert_eq!(put["ShardId"], json!(FIRST));
    let records = json!([{"PartitionKey": "a", "Data": data(b"")}, {"PartitionKey": "b", "Data": data(&long)}]);
    let several = ok(&mut client, "PutRecords", json!({"StreamName": "s", "Records": records})).await;
    assert_eq!((&several["FailedRecordCount"], &several["EncryptionType"]), (&json!(0), &json!("NONE")));

    let iterator = json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = ok(&mut client, "GetShardIterator", iterator).await["ShardIterator"].clone();
    let read = ok(&mut client, "GetRecords", json!({"ShardIterator": iterator})).await;
    let records = read["Records"].as_array().unwrap();
    let found: Vec<_> = records.iter().map(|record| (&record["PartitionKey"], &record["Data"])).collect();
    let expected = [(json!("k\u{fc}\n"), data(&[0, 255, 34])), (json!("a"), data(b"")), (json!("b"), data(&long))];
    assert_eq!(found, expected.iter().map(|(key, data)| (key, data)).collect::<Vec<_>>());
    assert_eq!(records[0]["SequenceNumber"], put["SequenceNumber"]);
    assert_eq!(records[2]["SequenceNumber"], several["Records"][1]["SequenceNumber"]);
    let arrived = records[0]["ApproximateArrivalTimestamp"]["ms"].as_u64().unwrap();

    // A time of a request is in milliseconds too.
    let at = |ms: u64| {
        let request = json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "AT_TIMESTAMP"});
        let Value::Object(mut request) = request else { unreachable!() };
        request.insert("Timestamp".to_owned(), json!({"ms": ms}));
        Value::from(request)
    };
    let iterator = ok(&mut client, "GetShardIterator", at(arrived)).await["ShardIterator"].clone();
    let read = ok(&mut client, "GetRecords", json!({"ShardIterator": iterator, "Limit": 1})).await;
    assert_eq!(read["Records"][0]["SequenceNumber"], put["SequenceNumber"]);
    let (status, error) = call(&mut client, "GetShardIterator", &at(arrived + 3_600_000)).await;
    assert_eq!((status, &error["__type"]), (400, &json!("InvalidArgumentException")));
}

#[tokio::test]
async fn every_answer_says_the_same_in_both_formats() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 2, "Tags": {"a": "b", "c": "d"}})).await;
    for nth in 0..20 {
        client.put("s", &format!("key \"{nth}\""), &[nth; 100]).await;
    }
    client.ok("SplitShard", json!({"StreamName": "s", "ShardToSplit": FIRST, "NewStartingHashKey": "9"})).await;
    let consumer = client.ok("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "c"})).await;
    let consumer = &consumer["Consumer"]["ConsumerARN"];
    client.ok("PutResourcePolicy", json!({"ResourceARN": ARN, "Policy": r#"{"Statement": [{}]}"#})).await;
    client.ok("UpdateAccountSettings", json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}})).await;
    let ended = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let key = json!({"StreamName": "s", "KeyId": "k", "EncryptionType": "KMS"});
    client.ok("StartStreamEncryption", key).await;
    for (operation, request) in [
        ("DescribeAccountSettings", json!({})),
        ("DescribeLimits", json!({})),
        ("DescribeStream", json!({"StreamName": "s"})),
        ("DescribeStreamConsumer", json!({"ConsumerARN": consumer})),
        ("DescribeStreamSummary", json!({"StreamARN": ARN})),
        ("DisableEnhancedMonitoring", json!({"StreamName": "s", "ShardLevelMetrics": ["IteratorAgeMilliseconds"]})),
        ("GetRecords", json!({"ShardIterator": ended})),
        ("GetResourcePolicy", json!({"ResourceARN": ARN})),
        ("ListShards", json!({"StreamName": "s", "MaxResults": 4})),
        ("ListStreamConsumers", json!({"StreamARN": ARN})),
        ("ListStreams", json!({"Limit": 1})),
        ("ListTagsForResource", json!({"ResourceARN": ARN})),
        ("ListTagsForStream", json!({"StreamName": "s"})),
    ] {
        let in_json = client.ok(operation, request.clone()).await;
        assert_eq!(cbor::in_json(ok(&mut client, operation, request).await), in_json, "{operation}");
    }
    let ended = client.iterator("s", FIRST, "LATEST").await;
    let read = ok(&mut client, "GetRecords", json!({"ShardIterator": ended})).await;
    assert_eq!(read["ChildShards"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn refusals_are_in_cbor() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let missing = "Stream none under account 000000000000 not found.";
    let cases = [
        ("DescribeStream", json!({"StreamName": "none"}), "ResourceNotFoundException", missing),
        (
            "DescribeStream",
            json!({"StreamName": 7}),
            "SerializationException",
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
        ),
        (
            "PutRecord",
            json!({"StreamName": "s", "Data": "text"}),
            "SerializationException",
            "class java.lang.String can not be converted to a Blob",
        ),
        (
            "PutRecord",
            json!({"StreamName": {"bytes": "AAAA"}}),
            "SerializationException",
            "class java.nio.HeapByteBuffer can not be converted to an String",
        ),
        ("PutRecords", json!({"Records": [[]]}), "SerializationException", "Start of list found where not expected"),
        ("PutRecords", json!({"Records": 1}), "SerializationException", "Expected list or null"),
        (
            "CreateQueue",
            json!({}),
            "UnknownOperationException",
            "CreateQueue is not supported by this service: it has streams, not queues or channels",
        ),
    ];
    for (operation, request, exception, message) in cases {
        let (status, error) = call(&mut client, operation, &request).await;
        // AWS writes this one large where nothing of the request was understood.
        let key = if exception == "SerializationException" { "Message" } else { "message" };
        assert_eq!((status, error), (400, json!({"__type": exception, key: message})), "{operation} {request}");
    }
    let answer = client.send_as(CBOR, "Kinesis_20131202.ListStreams", b"\xbf\x61").await;
    assert_eq!(answer.body, b"\xbf\x66__type\x76SerializationException\xff");
}
