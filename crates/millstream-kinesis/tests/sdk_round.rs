//! The AWS SDK for Rust against the local service: the round that the SDKs of other languages do in
//! `tests/conformance/sdk`, over plain HTTP/1.1 and by TLS, where the protocol is negotiated.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_kinesis::primitives::{Blob, DateTime};
use aws_sdk_kinesis::types::{
    PutRecordsRequestEntry, Record, ShardFilter, ShardFilterType, ShardIteratorType, StartingPosition, StreamStatus,
    SubscribeToShardEventStream,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use millstream_local::{LocalConfig, LocalService};

const STREAM: &str = "orders";
const LOW: &str = "shardId-000000000000";
const HIGH: &str = "shardId-000000000001";
/// Where the second of two shards begins.
const HALF: u128 = 1 << 127;

#[tokio::test]
async fn the_sdk_does_its_round_over_http() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    round(&client(&service.endpoint(), Builder::new().build_http())).await;
}

#[tokio::test]
async fn the_sdk_does_its_round_over_tls() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let trust = TrustStore::empty().with_pem_certificate(service.ca_pem());
    let tls = TlsContext::builder().with_trust_store(trust).build().unwrap();
    let http = Builder::new().tls_provider(Provider::rustls(CryptoMode::Ring)).tls_context(tls).build_https();
    round(&client(&service.tls_endpoint(), http)).await;
}

fn client(endpoint: &str, http: SharedHttpClient) -> Client {
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(endpoint)
        .http_client(http);
    Client::from_conf(config.build())
}

async fn round(kinesis: &Client) {
    kinesis.create_stream().stream_name(STREAM).shard_count(2).send().await.unwrap();
    let summary = kinesis.describe_stream_summary().stream_name(STREAM).send().await.unwrap();
    let summary = summary.stream_description_summary().unwrap();
    assert_eq!((summary.stream_status(), summary.open_shard_count()), (&StreamStatus::Active, 2));

    let latest = iterator(kinesis, LOW, ShardIteratorType::Latest, None, None).await;
    let first = put(kinesis, "a", 0).await;
    let entry = |data: &str, hash_key: u128| {
        let entry = PutRecordsRequestEntry::builder().partition_key("key").data(Blob::new(data));
        entry.explicit_hash_key(hash_key.to_string()).build().unwrap()
    };
    let entries = vec![entry("b", 1), entry("c", 2), entry("z", HALF)];
    let several = kinesis.put_records().stream_name(STREAM).set_records(Some(entries)).send().await.unwrap();
    let shards: Vec<_> = several.records().iter().map(|record| record.shard_id().unwrap()).collect();
    assert_eq!((several.failed_record_count(), shards), (Some(0), vec![LOW, LOW, HIGH]));

    let start = iterator(kinesis, LOW, ShardIteratorType::TrimHorizon, None, None).await;
    let (records, _) = read(kinesis, start).await;
    assert_eq!(texts(&records), "abc");
    assert_eq!(records[0].sequence_number(), first);
    let second = Some(records[1].sequence_number());
    let arrived = records[0].approximate_arrival_timestamp();
    for (kind, sequence, time, expected) in [
        (ShardIteratorType::AtSequenceNumber, second, None, "bc"),
        (ShardIteratorType::AfterSequenceNumber, second, None, "c"),
        (ShardIteratorType::AtTimestamp, None, arrived, "abc"),
    ] {
        let start = iterator(kinesis, LOW, kind.clone(), sequence, time).await;
        assert_eq!(texts(&read(kinesis, start).await.0), expected, "{kind}");
    }
    assert_eq!(texts(&read(kinesis, latest).await.0), "abc");

    let border = (HALF / 2).to_string();
    kinesis.split_shard().stream_name(STREAM).shard_to_split(LOW).new_starting_hash_key(border).send().await.unwrap();
    let start = iterator(kinesis, LOW, ShardIteratorType::TrimHorizon, None, None).await;
    let (records, children) = read(kinesis, start).await;
    assert_eq!((texts(&records), children.len()), ("abc".to_owned(), 2));
    let above = put(kinesis, "d", HALF / 2).await;
    assert!(above > first);
    let merge = kinesis.merge_shards().stream_name(STREAM).shard_to_merge(&children[1]);
    merge.adjacent_shard_to_merge(HIGH).send().await.unwrap();
    let open = ShardFilter::builder().r#type(ShardFilterType::AtLatest).build().unwrap();
    let open = kinesis.list_shards().stream_name(STREAM).shard_filter(open).send().await.unwrap();
    let open: Vec<_> = open.shards().iter().map(|shard| shard.shard_id()).collect();
    assert_eq!(open, [children[0].as_str(), "shardId-000000000004"]);

    subscribe(kinesis, summary.stream_arn(), &children).await;

    kinesis.delete_stream().stream_name(STREAM).send().await.unwrap();
    let error = kinesis.describe_stream_summary().stream_name(STREAM).send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error}");
}

async fn subscribe(kinesis: &Client, arn: &str, children: &[String]) {
    let consumer = kinesis.register_stream_consumer().stream_arn(arn).consumer_name("fan-out").send().await.unwrap();
    let consumer = consumer.consumer().unwrap().consumer_arn();
    let from = |shard: &str, kind| {
        let position = StartingPosition::builder().r#type(kind).build().unwrap();
        kinesis.subscribe_to_shard().consumer_arn(consumer).shard_id(shard).starting_position(position).send()
    };
    let mut pushed = Vec::new();
    let mut ended = Vec::new();
    let mut subscribed = from(LOW, ShardIteratorType::TrimHorizon).await.unwrap();
    while let Some(event) = subscribed.event_stream.recv().await.unwrap() {
        let SubscribeToShardEventStream::SubscribeToShardEvent(event) = event else { panic!("{event:?}") };
        pushed.extend_from_slice(event.records());
        ended.extend(event.child_shards().iter().map(|child| child.shard_id().to_owned()));
    }
    assert_eq!((texts(&pushed).as_str(), ended.as_slice()), ("abc", children));

    // What is put while the stream is open arrives on it.
    let mut live = from("shardId-000000000004", ShardIteratorType::Latest).await.unwrap();
    let refused = from("shardId-000000000004", ShardIteratorType::Latest).await.unwrap_err().into_service_error();
    assert!(refused.is_resource_in_use_exception(), "{refused}");
    let number = put(kinesis, "live", HALF).await;
    loop {
        let event = live.event_stream.recv().await.unwrap().unwrap();
        if let [record] = event.as_subscribe_to_shard_event().unwrap().records() {
            assert_eq!((record.sequence_number(), record.data().as_ref()), (number.as_str(), &b"live"[..]));
            break;
        }
    }
    kinesis.deregister_stream_consumer().consumer_arn(consumer).send().await.unwrap();
    let end = live.event_stream.recv().await.unwrap_err().into_service_error();
    assert!(end.is_resource_not_found_exception(), "{end}");
}

async fn put(kinesis: &Client, data: &str, hash_key: u128) -> String {
    let put = kinesis.put_record().stream_name(STREAM).partition_key("key").explicit_hash_key(hash_key.to_string());
    put.data(Blob::new(data)).send().await.unwrap().sequence_number().to_owned()
}

async fn iterator(
    kinesis: &Client,
    shard: &str,
    kind: ShardIteratorType,
    sequence: Option<&str>,
    time: Option<&DateTime>,
) -> Option<String> {
    let request = kinesis.get_shard_iterator().stream_name(STREAM).shard_id(shard).shard_iterator_type(kind);
    let request = request.set_starting_sequence_number(sequence.map(str::to_owned)).set_timestamp(time.copied());
    request.send().await.unwrap().shard_iterator
}

/// Records up to the tip of a shard, or to its end: then also the ids of its children.
async fn read(kinesis: &Client, mut iterator: Option<String>) -> (Vec<Record>, Vec<String>) {
    let mut records = Vec::new();
    loop {
        let read = kinesis.get_records().set_shard_iterator(iterator).limit(2).send().await.unwrap();
        records.extend_from_slice(read.records());
        if read.next_shard_iterator.is_none() || read.records().is_empty() {
            let children = read.child_shards().iter().map(|child| child.shard_id().to_owned());
            return (records, children.collect());
        }
        iterator = read.next_shard_iterator;
    }
}

fn texts(records: &[Record]) -> String {
    records.iter().map(|record| String::from_utf8_lossy(record.data().as_ref())).collect()
}
