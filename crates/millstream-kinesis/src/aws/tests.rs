//! The SDK client against a few bytes of HTTP: what is sent, what comes back, and what an error becomes.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::kinesis::MAX_READERS;
use super::*;
use crate::{HashKey, Kinesis, KinesisError, PutEntry, PutOutcome, ReadFrom, ShardId};

/// Answers one request after the other with these statuses and bodies; gives back the requests' bodies.
async fn serve(answers: Vec<(u16, &'static str)>) -> (String, JoinHandle<Vec<String>>) {
    let in_json =
        |(status, body): (u16, &'static str)| (status, "application/x-amz-json-1.1", body.as_bytes().to_vec());
    let (endpoint, served) = serve_bytes(answers.into_iter().map(in_json).collect()).await;
    let texts = async move {
        let bodies = served.await.unwrap();
        bodies.into_iter().map(|body| String::from_utf8_lossy(&body).into_owned()).collect()
    };
    (endpoint, tokio::spawn(texts))
}

/// The same, with media types.
async fn serve_bytes(answers: Vec<(u16, &'static str, Vec<u8>)>) -> (String, JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        for (status, media_type, body) in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_complete(&request) {
                assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
            }
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n");
            socket.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
            socket.write_all(&body).await.unwrap();
            let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
            requests.push(request.split_off(end + 4));
        }
        requests
    });
    (endpoint, served)
}

fn is_complete(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let (head, body) = (String::from_utf8_lossy(&request[..end]), &request[end + 4..]);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    body.len() >= length.unwrap().unwrap()
}

async fn connect(endpoint: &str) -> AwsKinesis {
    let settings = AwsSettings {
        region: "us-east-1".into(),
        kinesis_endpoint: Some(endpoint.into()),
        credentials: CredentialsSource::Static {
            access_key: "AKID".into(),
            secret_key: "hidden".into(),
            session_token: None,
        },
        ..AwsSettings::default()
    };
    AwsKinesis::connect(&settings).await.unwrap()
}

fn shard() -> ShardId {
    "shardId-000000000000".into()
}

#[tokio::test]
async fn so_many_read_at_a_time_and_the_others_wait_for_their_turn() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kinesis = Arc::new(connect(&format!("http://{}", listener.local_addr().unwrap())).await);
    let calls: Vec<_> = (0..MAX_READERS + 50)
        .map(|nth| {
            let kinesis = Arc::clone(&kinesis);
            let shard = ShardId::from(format!("shardId-{nth:012}").as_str());
            tokio::spawn(async move { kinesis.get_records("orders", &shard, "iterator", 10).await })
        })
        .collect();
    let mut connections = Vec::new();
    while connections.len() < MAX_READERS {
        connections.push(listener.accept().await.unwrap());
    }
    // All have asked, and nobody is answered.
    let another = timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(another.is_err(), "{MAX_READERS} calls are under way, and one more was made");
    calls.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn records_become_a_block() {
    let (endpoint, _) = serve(vec![(
        200,
        r#"{"Records":[{"SequenceNumber":"495","ApproximateArrivalTimestamp":1700000000.123,"Data":"aGVsbG8=","PartitionKey":"k"},
                       {"SequenceNumber":"496","Data":""}],
            "MillisBehindLatest":42,
            "ChildShards":[{"ShardId":"shardId-000000000001","ParentShards":["shardId-000000000000"],
                            "HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"9"}}]}"#,
    )])
    .await;
    let answer = connect(&endpoint).await.get_records("words", &shard(), "iterator", 10).await.unwrap();
    let first = answer.block.get(0);
    assert_eq!((first.data, first.partition_key, first.sequence), (&b"hello"[..], "k", "495"));
    assert_eq!(answer.block.arrivals(), [1_700_000_000_123, 0]);
    assert_eq!((answer.next, answer.millis_behind), (None, 42));
    assert_eq!(answer.children[0].hash_range.end, HashKey::new(9));
}

const CBOR: &str = "application/x-amz-cbor-1.1";

fn cbor(value: &serde_json::Value) -> Vec<u8> {
    millstream_cbor::to_vec(value).unwrap()
}

#[tokio::test]
async fn records_are_asked_for_in_cbor_and_errors_in_it_are_understood() {
    let error = serde_json::json!({"__type": "ProvisionedThroughputExceededException", "message": "slow down"});
    let answer = serde_json::json!({"Records": [], "MillisBehindLatest": 42, "NextShardIterator": "next"});
    // The SDK asks three times.
    let refused = (400, CBOR, cbor(&error));
    let answers = vec![refused.clone(), refused.clone(), refused, (200, CBOR, cbor(&answer))];
    let (endpoint, served) = serve_bytes(answers).await;
    let kinesis = connect(&endpoint).await;
    let refused = kinesis.get_records("words", &shard(), "iterator", 10).await.unwrap_err();
    assert_eq!(refused, KinesisError::Throttled);
    let answer = kinesis.get_records("words", &shard(), "iterator", 10).await.unwrap();
    assert_eq!((answer.millis_behind, answer.next.as_deref()), (42, Some("next")));
    let wanted = serde_json::json!({"ShardIterator": "iterator", "Limit": 10});
    for request in served.await.unwrap() {
        assert_eq!(millstream_cbor::from_slice::<serde_json::Value>(&request).unwrap(), wanted);
    }
}

#[tokio::test]
async fn a_service_that_knows_no_cbor_is_asked_in_json() {
    let unknown = r#"{"__type":"SerializationException","message":"what is this?"}"#;
    let answer = r#"{"Records":[],"MillisBehindLatest":42}"#;
    let gone = r#"{"__type":"ResourceNotFoundException","message":"no"}"#;
    let (endpoint, served) = serve(vec![(400, unknown), (200, answer), (400, gone)]).await;
    let kinesis = connect(&endpoint).await;
    assert_eq!(kinesis.get_records("words", &shard(), "iterator", 10).await.unwrap().millis_behind, 42);
    let error = kinesis.get_records("words", &shard(), "iterator", 10).await.unwrap_err();
    assert!(matches!(error, KinesisError::StreamNotFound { .. }), "{error}");
    let requests = served.await.unwrap();
    assert_eq!(&requests[1..], [r#"{"ShardIterator":"iterator","Limit":10}"#; 2]);
}

#[tokio::test]
async fn all_pages_of_shards_are_read() {
    let (endpoint, served) = serve(vec![
        (
            200,
            r#"{"NextToken":"more","Shards":[{"ShardId":"s-0","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"9"},
                "SequenceNumberRange":{"StartingSequenceNumber":"1","EndingSequenceNumber":"2"}}]}"#,
        ),
        (
            200,
            r#"{"Shards":[{"ShardId":"s-1","ParentShardId":"s-0","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"4"},
                "SequenceNumberRange":{"StartingSequenceNumber":"3"}}]}"#,
        ),
    ])
    .await;
    let shards = connect(&endpoint).await.list_shards("words").await.unwrap();
    assert!(shards[0].is_closed() && !shards[1].is_closed());
    assert_eq!(shards[1].parents, ["s-0".into()]);
    let requests = served.await.unwrap();
    assert_eq!(requests, [r#"{"StreamName":"words"}"#, r#"{"NextToken":"more"}"#]);
}

#[tokio::test]
async fn each_record_put_has_its_own_outcome() {
    let (endpoint, served) = serve(vec![(
        200,
        r#"{"FailedRecordCount":1,"Records":[{"SequenceNumber":"7","ShardId":"s-0"},
            {"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"slow down"}]}"#,
    )])
    .await;
    let entry = PutEntry { explicit_hash_key: Some(HashKey::MAX), ..PutEntry::new("k", "hello") };
    let entries = [entry, PutEntry::new("k", "")];
    let outcomes = connect(&endpoint).await.put_records("words", &entries).await.unwrap();
    assert!(matches!(&outcomes[0], PutOutcome::Accepted { shard, .. } if shard.as_str() == "s-0"));
    assert!(matches!(&outcomes[1], PutOutcome::Rejected { message, .. } if message == "slow down"));
    let request = served.await.unwrap().remove(0);
    assert!(request.contains(r#""Data":"aGVsbG8=""#), "{request}");
    assert!(request.contains(&HashKey::MAX.to_string()), "{request}");
}

#[tokio::test]
async fn an_iterator_is_asked_for_at_a_time_in_seconds() {
    let (endpoint, served) = serve(vec![(200, r#"{"ShardIterator":"it"}"#)]).await;
    let at = ReadFrom::AtTimestamp(1_700_000_000_500);
    let iterator = connect(&endpoint).await.get_iterator("words", &shard(), &at).await.unwrap();
    assert_eq!(iterator, "it");
    let request = served.await.unwrap().remove(0);
    assert!(request.contains(r#""Timestamp":1700000000.5"#), "{request}");
}

#[tokio::test]
async fn a_missing_stream_is_named_with_its_region() {
    let (endpoint, _) = serve(vec![(400, r#"{"__type":"ResourceNotFoundException","message":"no"}"#)]).await;
    let error = connect(&endpoint).await.list_shards("words").await.unwrap_err();
    let expected = KinesisError::StreamNotFound { stream: "words".into(), region: "us-east-1".into() };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_failing_service_is_asked_three_times() {
    let failure = (500, r#"{"__type":"InternalFailure","message":"oops"}"#);
    let (endpoint, served) = serve(vec![failure; 3]).await;
    let error = connect(&endpoint).await.list_shards("words").await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(served.await.unwrap().len(), 3);
}

#[tokio::test]
async fn nobody_listening_is_unreachable_and_says_where() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = connect(&endpoint).await.list_shards("words").await.unwrap_err();
    assert!(matches!(error, KinesisError::Unreachable { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&endpoint) && text.contains("refused"), "{text}");
    assert!(!text.contains("hidden"), "{text}");
}

#[tokio::test]
async fn malformed_answers_are_errors() {
    for body in [
        "{",
        r#"{"Records":[{"SequenceNumber":"x","Data":""}]}"#,
        r#"{"ChildShards":[{"ShardId":"s"}]}"#,
        r#"{"Records":[{"SequenceNumber":"1","Data":"!"}]}"#,
    ] {
        let (endpoint, _) = serve(vec![(200, body); 3]).await;
        let kinesis = connect(&endpoint).await;
        let answer = kinesis.get_records("words", &shard(), "iterator", 10).await;
        assert!(answer.is_err(), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_refused_before_any_call() {
    let settings = AwsSettings {
        region: "us-east-1".into(),
        kinesis_endpoint: Some("localhost:4567".into()),
        ..AwsSettings::default()
    };
    let error = AwsKinesis::connect(&settings).await.unwrap_err();
    assert!(error.to_string().contains("`localhost:4567` is no URL"), "{error}");
}

#[tokio::test]
async fn a_role_is_assumed_with_its_session_and_external_id() {
    let answer = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId>\
        <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
        <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    let (endpoint, served) = serve(vec![(200, answer)]).await;
    let base = CredentialsSource::Static { access_key: "AKID".into(), secret_key: "s".into(), session_token: None };
    let settings = AwsSettings { region: "us-east-1".into(), credentials: base.clone(), ..AwsSettings::default() };
    let role = CredentialsSource::AssumeRole {
        role_arn: "reader".into(),
        session_name: "millstream".into(),
        external_id: Some("customer-7".into()),
        base: Box::new(base),
    };
    let config = settings.load().await.into_builder().endpoint_url(endpoint).build();
    let provider = role.assume(config).await.credentials_provider().unwrap();
    assert_eq!(provider.provide_credentials().await.unwrap().access_key_id(), "ROLE");
    let request = served.await.unwrap().remove(0);
    for part in ["RoleArn=reader", "RoleSessionName=millstream", "ExternalId=customer-7"] {
        assert!(request.contains(part), "{request}");
    }
}
