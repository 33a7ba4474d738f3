//! The status page, and the JSON that it is made of.

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST};

async fn get(client: &mut Client, path: &str) -> Value {
    let answer = client.send("GET", &format!("/_millstream/{path}"), "", "").await.unwrap();
    assert_eq!(answer.status, 200, "{path}");
    assert!(answer.headers.contains("content-type: application/json"), "{}", answer.headers);
    serde_json::from_slice(&answer.body).unwrap()
}

/// The texts behind each `attribute="` of a page.
fn links(html: &str) -> impl Iterator<Item = &str> {
    let of = |attribute: &'static str| html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
    of(" src=\"").chain(of(" href=\""))
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_take_data_as_text() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    assert_eq!(client.send("GET", "/", "Accept: */*\r\n", "").await.unwrap().status, 403);
    let mut loaded = std::collections::BTreeSet::new();
    for page in ["/", "/_millstream/pages/stream", "/_millstream/pages/faults"] {
        let answer = client.send("GET", page, "Accept: text/html,*/*;q=0.8\r\n", "").await.unwrap();
        assert_eq!(answer.status, 200, "{page}");
        assert!(answer.headers.contains("content-type: text/html; charset=utf-8"), "{}", answer.headers);
        let html = String::from_utf8(answer.body).unwrap();
        assert!(html.contains("millstream local"));
        let statics = links(&html).filter(|link| link.starts_with("/_millstream/static/"));
        loaded.extend(statics.map(str::to_owned));
        assert!(links(&html).all(|link| link.starts_with('/') || link == "#main"), "{page}");
    }
    assert!(loaded.len() > 7, "{loaded:?}");
    for file in loaded {
        let answer = client.send("GET", &file, "", "").await.unwrap();
        assert_eq!(answer.status, 200, "{file}");
        let text = String::from_utf8(answer.body).unwrap();
        for wrong in ["url(", "innerHTML", "insertAdjacentHTML", "document.write", "http://", "https://"] {
            let allowed = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!allowed.contains(wrong), "{wrong} in {file}");
        }
    }
}

#[tokio::test]
async fn streams_and_their_newest_records_are_shown() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 2})).await;
    for number in 0..30 {
        client.put("orders", &format!("key{number}"), format!("<script>{number}</script>").as_bytes()).await;
    }
    client.put("orders", "large", &vec![b'x'; 100_000]).await;
    let iterator = client.iterator("orders", "shardId-000000000000", "TRIM_HORIZON").await;
    let (read, _) = client.drain(iterator, 100).await;

    let status = get(&mut client, "status").await;
    let stream = &status["streams"][0];
    let shown = [&stream["name"], &stream["region"], &stream["status"], &stream["open_shards"], &stream["records_in"]];
    assert_eq!(shown, [&json!("orders"), &json!(EAST), &json!("ACTIVE"), &json!(2), &json!(31)]);
    assert_eq!(stream["records_out"], json!(read.len()));
    assert!(stream["bytes_in"].as_u64().unwrap() > 100_000);
    assert_eq!(status["subscriptions"], json!(0));

    client
        .ok(
            "MergeShards",
            json!({
                "StreamName": "orders",
                "ShardToMerge": "shardId-000000000000",
                "AdjacentShardToMerge": "shardId-000000000001",
            }),
        )
        .await;
    let shards = get(&mut client, "shards/us-east-1/orders").await["shards"].clone();
    assert_eq!(shards, {
        let mut listed = client.ok("ListShards", json!({"StreamName": "orders"})).await["Shards"].clone();
        listed.as_array_mut().unwrap().reverse();
        listed
    });

    let records = get(&mut client, "records/us-east-1/orders").await["records"].clone();
    let records = records.as_array().unwrap();
    assert_eq!(records.len(), 20);
    assert!(records.iter().any(|record| record["data"] == json!("<script>29</script>")));
    let large = records.iter().find(|record| record["partition_key"] == json!("large")).unwrap();
    assert_eq!((large["bytes"].clone(), large["data"].as_str().unwrap().len()), (json!(100_000), 256));
    assert_eq!((&large["kind"], &records[0]["kind"]), (&json!("text"), &json!("text")));
    for part in ["shards", "consumers", "records"] {
        let missing = client.send("GET", &format!("/_millstream/{part}/us-east-1/clicks"), "", "").await.unwrap();
        assert_eq!(missing.status, 404);
    }
}

#[tokio::test]
async fn consumers_are_shown_with_what_they_are_subscribed_to() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 2})).await;
    let described = client.ok("DescribeStreamSummary", json!({"StreamName": "orders"})).await;
    let stream = described["StreamDescriptionSummary"]["StreamARN"].clone();
    let registered = client.ok("RegisterStreamConsumer", json!({"StreamARN": stream, "ConsumerName": "counts"})).await;
    let arn = registered["Consumer"]["ConsumerARN"].clone();
    let shown = get(&mut client, "consumers/us-east-1/orders").await["consumers"][0].clone();
    assert_eq!((&shown["name"], &shown["status"], &shown["arn"]), (&json!("counts"), &json!("ACTIVE"), &arn));
    assert_eq!(shown["subscriptions"], json!([]));

    let mut subscriber = Client::connect(&service.endpoint(), EAST).await;
    let subscribe = json!({
        "ConsumerARN": arn, "ShardId": "shardId-000000000001", "StartingPosition": {"Type": "LATEST"},
    });
    // Its answer goes on for five minutes.
    let reading = tokio::spawn(async move { subscriber.kinesis("SubscribeToShard", &subscribe.to_string()).await });
    loop {
        let shown = get(&mut client, "consumers/us-east-1/orders").await["consumers"][0].clone();
        if shown["subscriptions"] == json!(["shardId-000000000001"]) {
            break;
        }
        assert!(!reading.is_finished() && shown["subscriptions"] == json!([]), "{shown}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_record_is_put_by_hand_as_put_record_takes_it() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 2})).await;
    let json_body = "Content-Type: application/json\r\n";
    let record = json!({"partition_key": "a", "explicit_hash_key": "0", "data": "{\"n\": 1}"}).to_string();
    let put = client.send("POST", "/_millstream/put/us-east-1/orders", json_body, &record).await.unwrap();
    assert_eq!(put.status, 200);
    assert_eq!(serde_json::from_slice::<Value>(&put.body).unwrap()["ShardId"], json!("shardId-000000000000"));
    let shown = get(&mut client, "records/us-east-1/orders").await["records"][0].clone();
    assert_eq!(
        (&shown["partition_key"], &shown["kind"], &shown["data"]),
        (&json!("a"), &json!("json"), &json!("{\"n\": 1}"))
    );

    let wrong = json!({"partition_key": "", "data": "x"}).to_string();
    let refused = client.send("POST", "/_millstream/put/us-east-1/orders", json_body, &wrong).await.unwrap();
    assert_eq!(refused.status, 400);
    assert!(String::from_utf8(refused.body).unwrap().contains("ValidationException"));
    for (path, headers, status) in [("orders", "", 415), ("clicks", json_body, 400)] {
        let refused =
            client.send("POST", &format!("/_millstream/put/us-east-1/{path}"), headers, &record).await.unwrap();
        assert_eq!(refused.status, status, "{path}");
    }
    assert_eq!(client.send("GET", "/_millstream/put/us-east-1/orders", "", "").await.unwrap().status, 405);
}

#[tokio::test]
async fn of_records_that_came_together_the_last_are_shown_first() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 1})).await;
    let entry = |number: u32| json!({"PartitionKey": format!("key{number}"), "Data": "AAAA"});
    let entries: Vec<_> = (0..30).map(entry).collect();
    client.ok("PutRecords", json!({"StreamName": "orders", "Records": entries})).await;
    let records = get(&mut client, "records/us-east-1/orders").await["records"].clone();
    let keys: Vec<_> = records.as_array().unwrap().iter().map(|record| record["partition_key"].clone()).collect();
    assert_eq!(keys, (10..30).rev().map(|number| json!(format!("key{number}"))).collect::<Vec<_>>());
}
