//! The status page, and the JSON that it is made of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};
use support::{Client, EAST};

async fn get(client: &mut Client, path: &str) -> Value {
    let answer = client.send("GET", &format!("/_millstream/{path}"), "", "").await.unwrap();
    assert_eq!(answer.status, 200, "{path}");
    assert!(answer.headers.contains("content-type: application/json"), "{}", answer.headers);
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_takes_data_as_text() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let page = client.send("GET", "/", "Accept: text/html,*/*;q=0.8\r\n", "").await.unwrap();
    assert_eq!(page.status, 200);
    assert_eq!(client.send("GET", "/", "Accept: */*\r\n", "").await.unwrap().status, 403);
    assert!(page.headers.contains("content-type: text/html; charset=utf-8"), "{}", page.headers);
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("millstream local"));
    for wrong in ["src=", "href=", "url(", "innerHTML", "insertAdjacentHTML", "document.write"] {
        assert!(!html.contains(wrong), "{wrong}");
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
    let missing = client.send("GET", "/_millstream/records/us-east-1/clicks", "", "").await.unwrap();
    assert_eq!(missing.status, 404);
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
