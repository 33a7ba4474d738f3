//! Consumers with enhanced fan-out, and the states of streams and consumers over time.

use std::time::Duration;

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST, word};

const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const FIRST: &str = "shardId-000000000000";
const SECOND: Duration = Duration::from_secs(1);

async fn start(config: &LocalConfig) -> (LocalService, Client) {
    let service = LocalService::start(config.clone()).await.unwrap();
    let client = Client::connect(&service.endpoint(), EAST).await;
    (service, client)
}

fn slow() -> LocalConfig {
    LocalConfig { state_delay: 600 * SECOND, ..LocalConfig::default() }
}

async fn status(client: &mut Client) -> String {
    let answer = client.ok("DescribeStreamSummary", json!({"StreamName": "s"})).await;
    word(&answer["StreamDescriptionSummary"]["StreamStatus"])
}

#[tokio::test]
async fn consumers_are_found_by_arn_and_by_name_and_come_in_pages() {
    let (_service, mut client) = start(&LocalConfig::default()).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    let mut arns = Vec::new();
    for nth in 0..20 {
        let register = json!({"StreamARN": ARN, "ConsumerName": format!("c{nth:02}")});
        let consumer = client.ok("RegisterStreamConsumer", register).await["Consumer"].clone();
        assert_eq!(consumer["ConsumerStatus"], json!("ACTIVE"));
        let arn = word(&consumer["ConsumerARN"]);
        let (stream, rest) = arn.split_once("/consumer/").unwrap();
        let (name, secs) = rest.split_once(':').unwrap();
        assert_eq!((stream, name), (ARN, format!("c{nth:02}").as_str()));
        assert_eq!(json!(secs.parse::<f64>().unwrap()), consumer["ConsumerCreationTimestamp"]);
        arns.push(arn);
    }
    let full = client.fails("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "more"})).await;
    assert_eq!(full.0, "LimitExceededException");
    let twice = client.fails("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "c07"})).await;
    assert_eq!(twice.0, "ResourceInUseException");

    let mut listed = Vec::new();
    let mut request = json!({"StreamARN": ARN, "MaxResults": 7});
    loop {
        let page = client.ok("ListStreamConsumers", request.clone()).await;
        listed.extend(page["Consumers"].as_array().unwrap().iter().map(|consumer| word(&consumer["ConsumerARN"])));
        let Some(token) = page.get("NextToken") else { break };
        request["NextToken"] = token.clone();
    }
    assert_eq!(listed, arns);

    let by_name = json!({"StreamARN": ARN, "ConsumerName": "c03"});
    let found = client.ok("DescribeStreamConsumer", by_name.clone()).await;
    assert_eq!(found["ConsumerDescription"]["ConsumerARN"], json!(arns[3]));
    let other = json!({"StreamARN": ARN, "ConsumerName": "c03", "ConsumerARN": arns[4]});
    assert_eq!(client.fails("DescribeStreamConsumer", other).await.0, "InvalidArgumentException");
    client.ok("DeregisterStreamConsumer", by_name.clone()).await;
    client.ok("DeregisterStreamConsumer", json!({"ConsumerARN": arns[4]})).await;
    let gone = client.fails("DescribeStreamConsumer", by_name.clone()).await;
    assert_eq!(
        gone,
        ("ResourceNotFoundException".to_owned(), "Consumer c03, account 000000000000 not found.".to_owned())
    );
    assert_eq!(client.fails("DeregisterStreamConsumer", by_name).await.0, "ResourceNotFoundException");
    client.ok("RegisterStreamConsumer", json!({"StreamARN": ARN, "ConsumerName": "c03"})).await;

    assert_eq!(client.fails("DeleteStream", json!({"StreamName": "s"})).await.0, "ResourceInUseException");
    client.ok("DeleteStream", json!({"StreamName": "s", "EnforceConsumerDeletion": true})).await;
    assert_eq!(client.fails("ListStreamConsumers", json!({"StreamARN": ARN})).await.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_stream_goes_through_its_states_one_change_at_a_time() {
    let (service, mut client) = start(&slow()).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    assert_eq!(status(&mut client).await, "CREATING");
    let described = client.ok("DescribeStream", json!({"StreamName": "s"})).await;
    assert_eq!(described["StreamDescription"]["Shards"], json!([]));
    let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": "", "ExplicitHashKey": "0"});
    let error = client.fails("PutRecord", put.clone()).await;
    assert_eq!(error.1, "Stream s under account 000000000000 not found.");
    let iterator = json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "LATEST"});
    assert_eq!(client.fails("GetShardIterator", iterator).await.0, "ResourceNotFoundException");
    let split = json!({"StreamName": "s", "ShardToSplit": FIRST, "NewStartingHashKey": "10"});
    let error = client.fails("SplitShard", split.clone()).await;
    let message = "Stream s under account 000000000000 not ACTIVE, instead in state CREATING";
    assert_eq!(error, ("ResourceInUseException".to_owned(), message.to_owned()));

    service.clock().advance(600 * SECOND);
    assert_eq!(status(&mut client).await, "ACTIVE");
    client.ok("SplitShard", split.clone()).await;
    assert_eq!(status(&mut client).await, "UPDATING");
    let error = client.fails("SplitShard", split).await;
    assert!(error.1.ends_with("not ACTIVE, instead in state UPDATING"), "{error:?}");
    // The parent is open until the stream is ACTIVE again.
    assert_eq!(client.ok("PutRecord", put.clone()).await["ShardId"], json!(FIRST));
    assert_eq!(client.ok("ListShards", json!({"StreamName": "s"})).await["Shards"].as_array().unwrap().len(), 1);
    client.ok("AddTagsToStream", json!({"StreamName": "s", "Tags": {"a": "b"}})).await;
    service.clock().advance(600 * SECOND);
    assert_eq!(client.ok("PutRecord", put.clone()).await["ShardId"], json!("shardId-000000000001"));
    assert_eq!(status(&mut client).await, "ACTIVE");

    client.ok("DeleteStream", json!({"StreamName": "s"})).await;
    assert_eq!(status(&mut client).await, "DELETING");
    let again = json!({"StreamName": "s", "ShardCount": 1});
    assert_eq!(client.fails("CreateStream", again.clone()).await.0, "ResourceInUseException");
    assert_eq!(client.fails("DeleteStream", json!({"StreamName": "s"})).await.0, "ResourceInUseException");
    service.clock().advance(600 * SECOND);
    assert_eq!(client.ok("ListStreams", json!({})).await["StreamNames"], json!([]));
    client.ok("CreateStream", again).await;
}

#[tokio::test]
async fn a_change_under_way_is_finished_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..slow() };
    let (service, mut client) = start(&config).await;
    for stream in ["s", "doomed"] {
        client.ok("CreateStream", json!({"StreamName": stream, "ShardCount": 2})).await;
    }
    service.clock().advance(600 * SECOND);
    let scale = json!({"StreamName": "s", "TargetShardCount": 3, "ScalingType": "UNIFORM_SCALING"});
    client.ok("UpdateShardCount", scale).await;
    client.ok("DeleteStream", json!({"StreamName": "doomed"})).await;
    service.shutdown().await;

    let (service, mut client) = start(&config).await;
    assert_eq!(status(&mut client).await, "CREATING", "the clock of a new server is that of the machine");
    assert_eq!(client.ok("ListStreams", json!({})).await["StreamNames"], json!(["doomed", "s"]));
    service.clock().advance(1200 * SECOND);
    assert_eq!(client.ok("ListStreams", json!({})).await["StreamNames"], json!(["s"]));
    assert_eq!(status(&mut client).await, "ACTIVE");
    let open = json!({"StreamName": "s", "ShardFilter": {"Type": "AT_LATEST"}});
    assert_eq!(client.ok("ListShards", open).await["Shards"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_consumer_goes_through_its_states() {
    let (service, mut client) = start(&slow()).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    let register = |nth: u32| json!({"StreamARN": ARN, "ConsumerName": format!("c{nth}")});
    assert_eq!(client.fails("RegisterStreamConsumer", register(0)).await.0, "ResourceInUseException");
    service.clock().advance(600 * SECOND);
    for nth in 0..5 {
        let consumer = client.ok("RegisterStreamConsumer", register(nth)).await;
        assert_eq!(consumer["Consumer"]["ConsumerStatus"], json!("CREATING"));
    }
    assert_eq!(client.fails("RegisterStreamConsumer", register(5)).await.0, "LimitExceededException");
    service.clock().advance(600 * SECOND);
    let state = async |client: &mut Client| -> Value {
        let found = client.ok("DescribeStreamConsumer", register(0)).await;
        found["ConsumerDescription"]["ConsumerStatus"].clone()
    };
    assert_eq!(state(&mut client).await, json!("ACTIVE"));
    client.ok("DeregisterStreamConsumer", register(0)).await;
    assert_eq!(state(&mut client).await, json!("DELETING"));
    service.clock().advance(600 * SECOND);
    assert_eq!(client.fails("DescribeStreamConsumer", register(0)).await.0, "ResourceNotFoundException");
    client.ok("RegisterStreamConsumer", register(0)).await;
}
