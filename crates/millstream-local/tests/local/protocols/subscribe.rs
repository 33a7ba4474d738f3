//! SubscribeToShard: event streams over HTTP/1.1 and HTTP/2.

use std::time::{Duration, Instant};

use millstream_local::{Fault, FaultKind, LocalConfig, LocalService};
use serde_json::{Value, json};

use super::events::{Broken, Events};
use crate::support::{CBOR, Client, EAST, JSON, cbor, data_of, word};

const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const FIRST: &str = "shardId-000000000000";
const SECOND: Duration = Duration::from_secs(1);

struct Setup {
    service: LocalService,
    client: Client,
    consumer: String,
}

/// A stream `s` of one shard and a consumer `c`.
async fn setup(config: LocalConfig) -> Setup {
    let service = LocalService::start(config).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    let consumer = client.ok("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "c"})).await;
    Setup { service, client, consumer: word(&consumer["Consumer"]["ConsumerARN"]) }
}

impl Setup {
    fn request(&self, position: Value) -> Value {
        json!({"ConsumerARN": self.consumer, "ShardId": FIRST, "StartingPosition": position})
    }

    /// The events after the initial response.
    async fn subscribe(&self, position: Value) -> Events {
        let mut events = Events::http1(&self.service.endpoint(), JSON, &self.request(position)).await;
        let initial = events.next().await.unwrap().unwrap();
        assert_eq!((initial.kind.as_str(), initial.json()), ("initial-response", json!({})));
        events
    }

    async fn refused(&mut self, position: Value) -> (String, String) {
        let request = self.request(position);
        self.client.fails("SubscribeToShard", request).await
    }
}

fn numbers(event: &Value) -> Vec<String> {
    event["Records"].as_array().unwrap().iter().map(|record| word(&record["SequenceNumber"])).collect()
}

#[tokio::test]
async fn records_are_pushed_over_both_versions_of_http() {
    let mut setup = setup(LocalConfig::default()).await;
    let (_, before) = setup.client.put("s", "k", b"before").await;
    let other = setup.client.ok("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "d"})).await;
    let from_horizon = json!({"ConsumerARN": other["Consumer"]["ConsumerARN"], "ShardId": FIRST, "StartingPosition": {"Type": "TRIM_HORIZON"}});
    let mut all = Events::http2(&setup.service.endpoint(), JSON, &from_horizon).await;
    assert_eq!(all.next().await.unwrap().unwrap().kind, "initial-response");
    let first = all.event().await;
    assert_eq!(numbers(&first), [before.as_str()]);
    assert_eq!(first["ContinuationSequenceNumber"], json!(before));

    let mut latest = setup.subscribe(json!({"Type": "LATEST"})).await;
    let idle = latest.event().await;
    assert_eq!((&idle["Records"], &idle["MillisBehindLatest"]), (&json!([]), &json!(0)));
    assert!(word(&idle["ContinuationSequenceNumber"]) >= before);
    let mut seen = Vec::new();
    for nth in 0..20u8 {
        let (_, number) = setup.client.put("s", "k", &[nth]).await;
        for events in [&mut latest, &mut all] {
            let event = events.event().await;
            assert_eq!(numbers(&event), [number.as_str()]);
            assert_eq!(data_of(&event["Records"][0]), [nth]);
            assert_eq!(
                (&event["ContinuationSequenceNumber"], &event["MillisBehindLatest"]),
                (&json!(number), &json!(0))
            );
        }
        seen.push(number);
    }
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn every_starting_position_starts_there() {
    let mut setup = setup(LocalConfig::default()).await;
    let mut put = Vec::new();
    let mut arrived = Vec::new();
    for nth in 0..4u8 {
        put.push(setup.client.put("s", "k", &[nth]).await.1);
        setup.service.clock().advance(10 * SECOND);
    }
    let iterator = setup.client.iterator("s", FIRST, "TRIM_HORIZON").await;
    for record in setup.client.drain(iterator, 10).await.0 {
        arrived.push(record["ApproximateArrivalTimestamp"].as_f64().unwrap());
    }
    for (position, first) in [
        (json!({"Type": "TRIM_HORIZON"}), 0),
        (json!({"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": put[1]}), 1),
        (json!({"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": put[1]}), 2),
        (json!({"Type": "AT_TIMESTAMP", "Timestamp": arrived[3]}), 3),
        (json!({"Type": "AT_TIMESTAMP", "Timestamp": arrived[1] + 0.5}), 2),
    ] {
        setup.service.clock().advance(5 * SECOND);
        let event = setup.subscribe(position.clone()).await.event().await;
        assert_eq!(numbers(&event), put[first..], "{position}");
    }
    // What an idle stream says serves to go on.
    setup.service.clock().advance(5 * SECOND);
    let idle = setup.subscribe(json!({"Type": "LATEST"})).await.event().await;
    let (_, next) = setup.client.put("s", "k", b"next").await;
    setup.service.clock().advance(5 * SECOND);
    let after = json!({"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": idle["ContinuationSequenceNumber"]});
    assert_eq!(numbers(&setup.subscribe(after).await.event().await), [next.as_str()]);
}

#[tokio::test]
async fn events_are_in_the_format_of_the_request() {
    let mut setup = setup(LocalConfig::default()).await;
    let (_, number) = setup.client.put("s", "k", b"\x00\xff").await;
    let request = setup.request(json!({"Type": "TRIM_HORIZON"}));
    let mut events = Events::http2(&setup.service.endpoint(), CBOR, &request).await;
    let initial = events.next().await.unwrap().unwrap();
    assert_eq!((initial.content_type.as_str(), initial.payload.as_slice()), (CBOR, &b"\xbf\xff"[..]));
    let event = events.next().await.unwrap().unwrap();
    assert_eq!((event.kind.as_str(), event.content_type.as_str()), ("SubscribeToShardEvent", CBOR));
    let event = cbor::decode(&mut event.payload.as_slice());
    assert_eq!(event["Records"][0]["Data"], json!({"bytes": "AP8="}));
    assert!(event["Records"][0]["ApproximateArrivalTimestamp"]["ms"].is_u64());
    assert_eq!(event["ContinuationSequenceNumber"], json!(number));
}

#[tokio::test]
async fn a_subscription_lasts_five_minutes_and_says_when_it_is_idle() {
    let mut setup = setup(LocalConfig::default()).await;
    let mut events = setup.subscribe(json!({"Type": "LATEST"})).await;
    let first = events.event().await;
    for _ in 0..59 {
        setup.service.clock().advance(5 * SECOND);
        let idle = events.event().await;
        assert_eq!((&idle["Records"], &idle["MillisBehindLatest"]), (&json!([]), &json!(0)));
        assert_eq!(idle["ContinuationSequenceNumber"], first["ContinuationSequenceNumber"]);
    }
    let (_, number) = setup.client.put("s", "k", b"late").await;
    assert_eq!(numbers(&events.event().await), [number.as_str()]);
    setup.service.clock().advance(5 * SECOND);
    assert!(events.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_later_call_takes_over() {
    let mut setup = setup(LocalConfig::default()).await;
    let latest = json!({"Type": "LATEST"});
    let mut first = setup.subscribe(latest.clone()).await;
    first.event().await;
    setup.service.clock().advance(4 * SECOND);
    let (exception, message) = setup.refused(latest.clone()).await;
    assert_eq!(exception, "ResourceInUseException");
    assert_eq!(message, "Another active subscription exists for this consumer: 000000000000:s:shardId-000000000000:c");
    setup.service.clock().advance(SECOND);
    let mut second = setup.subscribe(latest).await;
    let mut end = first.next().await.unwrap().unwrap();
    if end.kind == "SubscribeToShardEvent" {
        end = first.next().await.unwrap().unwrap();
    }
    assert_eq!(end.kind, "ResourceInUseException");
    assert!(first.next().await.unwrap().is_none());
    second.event().await;
    let (_, number) = setup.client.put("s", "k", b"x").await;
    assert_eq!(numbers(&second.event().await), [number.as_str()]);
}

#[tokio::test]
async fn the_end_of_a_shard_names_its_children() {
    let mut setup = setup(LocalConfig::default()).await;
    let mut events = setup.subscribe(json!({"Type": "LATEST"})).await;
    events.event().await;
    let (_, number) = setup.client.put("s", "k", b"last").await;
    assert_eq!(numbers(&events.event().await), [number.as_str()]);
    let split = json!({"StreamName": "s", "ShardToSplit": FIRST, "NewStartingHashKey": "10"});
    setup.client.ok("SplitShard", split).await;
    let end = events.event().await;
    assert_eq!(end["ChildShards"][0]["ParentShards"], json!([FIRST]));
    assert_eq!(end["ChildShards"].as_array().unwrap().len(), 2);
    assert_eq!((&end["MillisBehindLatest"], end.get("ContinuationSequenceNumber")), (&json!(0), None));
    assert!(events.next().await.unwrap().is_none());
    // As does a subscription that begins after it.
    setup.service.clock().advance(5 * SECOND);
    let mut events = setup.subscribe(json!({"Type": "TRIM_HORIZON"})).await;
    let event = events.event().await;
    assert_eq!((numbers(&event), event["ChildShards"].as_array().map(Vec::len)), (vec![number], Some(2)));
    assert!(events.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_subscription_ends_with_its_consumer_and_its_stream() {
    let mut setup = setup(LocalConfig::default()).await;
    let mut events = setup.subscribe(json!({"Type": "LATEST"})).await;
    events.event().await;
    setup.client.ok("DeregisterStreamConsumer", json!({"ConsumerARN": setup.consumer})).await;
    let end = events.next().await.unwrap().unwrap();
    assert_eq!(end.kind, "ResourceNotFoundException");
    assert_eq!(end.json()["message"], json!(format!("Consumer {}, account 000000000000 not found.", setup.consumer)));
    assert!(events.next().await.unwrap().is_none());
    assert_eq!(setup.refused(json!({"Type": "LATEST"})).await.0, "ResourceNotFoundException");

    let again = setup.client.ok("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "again"})).await;
    setup.consumer = word(&again["Consumer"]["ConsumerARN"]);
    let mut events = setup.subscribe(json!({"Type": "LATEST"})).await;
    events.event().await;
    setup.client.ok("DeleteStream", json!({"StreamName": "s", "EnforceConsumerDeletion": true})).await;
    let end = events.next().await.unwrap().unwrap();
    assert_eq!(
        (end.kind.as_str(), &end.json()["message"]),
        ("ResourceNotFoundException", &json!("Stream s under account 000000000000 not found."))
    );
    assert!(events.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_subscription_needs_an_active_consumer_and_a_shard() {
    let config = LocalConfig { state_delay: 600 * SECOND, ..LocalConfig::default() };
    let service = LocalService::start(config).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    service.clock().advance(600 * SECOND);
    let consumer = client.ok("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "c"})).await;
    let consumer = word(&consumer["Consumer"]["ConsumerARN"]);
    let mut setup = Setup { service, client, consumer };
    let (exception, message) = setup.refused(json!({"Type": "LATEST"})).await;
    let secs = setup.consumer.rsplit(':').next().unwrap();
    let expected = format!(
        "Consumer c with creation timestamp {secs} under stream: s, account 000000000000 is not in ACTIVE status."
    );
    assert_eq!((exception.as_str(), message), ("ResourceInUseException", expected));
    setup.service.clock().advance(600 * SECOND);
    setup.subscribe(json!({"Type": "LATEST"})).await.event().await;

    let other = json!({"ConsumerARN": setup.consumer, "ShardId": "shardId-000000000009", "StartingPosition": {"Type": "LATEST"}});
    let error = setup.client.fails("SubscribeToShard", other).await;
    let expected = "Shard shardId-000000000009 in stream s under account 000000000000 does not exist";
    assert_eq!(error, ("ResourceNotFoundException".to_owned(), expected.to_owned()));
    let wrong = json!({"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": "0"});
    assert!(setup.refused(wrong).await.1.starts_with("StartingSequenceNumber 0 used in SubscribeToShard on shard"));
}

#[tokio::test]
async fn a_slow_client_is_waited_for_and_loses_nothing() {
    let mut setup = setup(LocalConfig::default()).await;
    let events = setup.subscribe(json!({"Type": "LATEST"})).await;
    // More than all buffers on the way hold together.
    let data = base64_simd::STANDARD.encode_to_string(vec![9; 250_000]);
    let mut put = Vec::new();
    for _ in 0..40 {
        let record = json!({"PartitionKey": "k", "Data": data});
        let records = setup.client.ok("PutRecords", json!({"StreamName": "s", "Records": vec![record; 3]})).await;
        put.extend(records["Records"].as_array().unwrap().iter().map(|record| word(&record["SequenceNumber"])));
    }
    let mut events = events;
    let mut seen = Vec::new();
    while seen.len() < put.len() {
        let event = events.event().await;
        let size: usize = event["Records"].as_array().unwrap().iter().map(|record| data_of(record).len()).sum();
        assert!(size <= 1024 * 1024);
        seen.extend(numbers(&event));
    }
    assert_eq!(seen, put);
}

#[tokio::test]
async fn a_subscriber_is_sent_two_mebibytes_a_second_where_quotas_are_enforced() {
    let mut setup = setup(LocalConfig { enforce_limits: true, ..LocalConfig::default() }).await;
    let data = base64_simd::STANDARD.encode_to_string(vec![9; 1_000_000]);
    for _ in 0..2 {
        setup.client.ok("PutRecord", json!({"StreamName": "s", "PartitionKey": "k", "Data": data})).await;
        setup.service.clock().advance(SECOND);
    }
    let mut events = setup.subscribe(json!({"Type": "TRIM_HORIZON"})).await;
    assert_eq!(numbers(&events.event().await).len(), 1);
    let start = Instant::now();
    assert_eq!(numbers(&events.event().await).len(), 1);
    // What is under way when the first is here was sent a little earlier.
    assert!(start.elapsed() > Duration::from_millis(300), "{:?}", start.elapsed());
    // The rest ends when the clock says so, not before.
    setup.client.put("s", "k", b"small").await;
    setup.service.clock().advance(SECOND);
    assert_eq!(numbers(&events.event().await).len(), 1);
}

#[tokio::test]
async fn shutdown_ends_subscriptions_and_a_restart_serves_them() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let mut setup = setup(config.clone()).await;
    let mut events = setup.subscribe(json!({"Type": "LATEST"})).await;
    events.event().await;
    let (_, number) = setup.client.put("s", "k", b"x").await;
    assert_eq!(numbers(&events.event().await), [number.as_str()]);
    let start = Instant::now();
    setup.service.shutdown().await;
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
    assert!(events.next().await.unwrap().is_none());

    let service = LocalService::start(config).await.unwrap();
    let client = Client::connect(&service.endpoint(), EAST).await;
    let setup = Setup { service, client, consumer: setup.consumer };
    let event = setup.subscribe(json!({"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": number})).await.event().await;
    assert_eq!(numbers(&event), [number.as_str()]);
}

#[tokio::test]
async fn a_fault_stops_a_stream_in_the_middle() {
    let mut setup = setup(LocalConfig::default()).await;
    setup.service.faults().inject(Fault {
        operation: Some("SubscribeToShard".to_owned()),
        stream: Some("s".to_owned()),
        times: Some(2),
        ..Fault::new(FaultKind::StopEventStream { after: 2 })
    });
    let mut events = setup.subscribe(json!({"Type": "LATEST"})).await;
    events.event().await;
    setup.client.put("s", "k", b"x").await;
    assert!(matches!(events.next().await, Err(Broken)));
    setup.service.clock().advance(5 * SECOND);
    let request = setup.request(json!({"Type": "LATEST"}));
    let mut events = Events::http2(&setup.service.endpoint(), JSON, &request).await;
    events.next().await.unwrap();
    events.event().await;
    assert!(matches!(events.next().await, Err(Broken)));
}
