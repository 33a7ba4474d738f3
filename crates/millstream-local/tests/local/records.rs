//! Records and shards over HTTP: what is put is read, by every type of iterator, across splits and merges.

use std::collections::BTreeSet;

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{CBOR, Client, EAST, cbor, data_of, word};

const FIRST: &str = "shardId-000000000000";

async fn stream(shards: u32) -> (LocalService, Client) {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": shards})).await;
    (service, client)
}

fn texts(records: &[Value]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(data_of(record)).unwrap()).collect()
}

#[tokio::test]
async fn a_record_comes_back_with_its_key_data_place_and_time() {
    let (_service, mut client) = stream(1).await;
    let (shard, sequence) = client.put("s", "schlüssel \"1\"", &[0, 159, 146, 150]).await;
    assert_eq!(shard, FIRST);
    assert!(sequence.len() == 56 && sequence.starts_with("49"), "{sequence}");
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let (records, last) = client.drain(iterator, 10).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["PartitionKey"], json!("schlüssel \"1\""));
    assert_eq!(records[0]["SequenceNumber"], json!(sequence));
    assert_eq!(data_of(&records[0]), [0, 159, 146, 150]);
    let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
        - records[0]["ApproximateArrivalTimestamp"].as_f64().unwrap();
    assert!((-0.001..10.0).contains(&age), "{age}");
    assert_eq!(last["MillisBehindLatest"], json!(0));
    assert!(last.get("ChildShards").is_none());
}

#[tokio::test]
async fn keys_go_to_the_shard_of_their_hash_and_explicit_keys_to_their_own() {
    let (_service, mut client) = stream(3).await;
    // MD5("a") is 0cc1…, MD5("x") is 9dd4…, MD5("t") is e358….
    let half = "170141183460469231731687303715884105728";
    let records = json!([
        {"PartitionKey": "a", "Data": ""},
        {"PartitionKey": "x", "Data": ""},
        {"PartitionKey": "t", "Data": ""},
        {"PartitionKey": "a", "Data": "", "ExplicitHashKey": half},
        {"PartitionKey": "a", "Data": "", "ExplicitHashKey": "340282366920938463463374607431768211455"},
        {"PartitionKey": "t", "Data": "", "ExplicitHashKey": "0"},
    ]);
    let answer = client.ok("PutRecords", json!({"StreamName": "s", "Records": records})).await;
    assert_eq!(answer["FailedRecordCount"], json!(0));
    let shards: Vec<String> =
        answer["Records"].as_array().unwrap().iter().map(|record| word(&record["ShardId"])[19..].to_owned()).collect();
    assert_eq!(shards, ["0", "1", "2", "1", "2", "0"]);
}

#[tokio::test]
async fn every_iterator_type_starts_where_it_says() {
    let (_service, mut client) = stream(1).await;
    let mut sequences = Vec::new();
    let mut times = Vec::new();
    for text in ["a", "b", "c", "d"] {
        sequences.push(client.put("s", "k", text.as_bytes()).await.1);
        // Arrival times are in milliseconds: the next record gets a later one.
        let after = std::time::Instant::now();
        while after.elapsed().as_millis() < 2 {
            tokio::task::yield_now().await;
        }
    }
    let all = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let (records, _) = client.drain(all, 3).await;
    assert_eq!(texts(&records), ["a", "b", "c", "d"]);
    for record in &records {
        times.push(record["ApproximateArrivalTimestamp"].as_f64().unwrap());
    }
    let found: Vec<String> = records.iter().map(|record| word(&record["SequenceNumber"])).collect();
    assert_eq!(found, sequences);
    assert!(sequences.is_sorted() && times.is_sorted());

    let at = |kind: &str, sequence: &str| json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": kind, "StartingSequenceNumber": sequence});
    let from = |time: f64| json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": time});
    let start = word(
        &client.ok("ListShards", json!({"StreamName": "s"})).await["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"],
    );
    for (request, expected) in [
        (at("AT_SEQUENCE_NUMBER", &sequences[1]), "bcd"),
        (at("AFTER_SEQUENCE_NUMBER", &sequences[1]), "cd"),
        (at("AFTER_SEQUENCE_NUMBER", &sequences[3]), ""),
        (at("AT_SEQUENCE_NUMBER", &start), "abcd"),
        (at("AFTER_SEQUENCE_NUMBER", &start), "abcd"),
        (from(0.0), "abcd"),
        (from(times[2]), "cd"),
        (from(times[2] - 0.001), "cd"),
        (from(times[2] + 0.001), "d"),
        (from(times[3] + 0.001), ""),
    ] {
        let iterator = word(&client.ok("GetShardIterator", request.clone()).await["ShardIterator"]);
        let (records, _) = client.drain(iterator, 10).await;
        assert_eq!(texts(&records).concat(), expected, "{request}");
    }

    let latest = client.iterator("s", FIRST, "LATEST").await;
    client.put("s", "k", b"e").await;
    let (records, last) = client.drain(latest, 10).await;
    assert_eq!(texts(&records), ["e"]);
    // An iterator at the tip goes on from there.
    client.put("s", "k", b"f").await;
    let (records, _) = client.drain(word(&last["NextShardIterator"]), 10).await;
    assert_eq!(texts(&records), ["f"]);
}

#[tokio::test]
async fn a_read_says_how_far_it_is_behind() {
    let (_service, mut client) = stream(1).await;
    client.put("s", "k", b"old").await;
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    client.put("s", "k", b"new").await;
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let read = client.ok("GetRecords", json!({"ShardIterator": iterator, "Limit": 1})).await;
    assert!(read["MillisBehindLatest"].as_u64().unwrap() >= 30, "{read}");
    let read = client.ok("GetRecords", json!({"ShardIterator": read["NextShardIterator"], "Limit": 1})).await;
    assert_eq!(
        (texts(read["Records"].as_array().unwrap()), &read["MillisBehindLatest"]),
        (vec!["new".to_owned()], &json!(0))
    );
}

#[tokio::test]
async fn a_split_and_a_merge_end_their_parents_and_begin_above_them() {
    let (_service, mut client) = stream(1).await;
    let tip = client.iterator("s", FIRST, "LATEST").await;
    let (_, before) = client.put("s", "k", b"before").await;
    let half = "170141183460469231731687303715884105728";
    client.ok("SplitShard", json!({"StreamName": "s", "ShardToSplit": FIRST, "NewStartingHashKey": half})).await;

    let (records, last) = client.drain(tip, 10).await;
    assert_eq!(texts(&records), ["before"]);
    assert!(last.get("NextShardIterator").is_none());
    assert_eq!(
        last["ChildShards"],
        json!([
            {
                "ShardId": "shardId-000000000001",
                "ParentShards": [FIRST],
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "170141183460469231731687303715884105727"},
            },
            {
                "ShardId": "shardId-000000000002",
                "ParentShards": [FIRST],
                "HashKeyRange": {"StartingHashKey": half, "EndingHashKey": "340282366920938463463374607431768211455"},
            },
        ])
    );
    let (shard, after) = client.put("s", "a", b"after").await;
    assert_eq!(shard, "shardId-000000000001");
    let merge = json!({"StreamName": "s", "ShardToMerge": "shardId-000000000001", "AdjacentShardToMerge": "shardId-000000000002"});
    client.ok("MergeShards", merge).await;
    let (shard, merged) = client.put("s", "a", b"merged").await;
    assert_eq!(shard, "shardId-000000000003");
    assert!(before < after && after < merged);

    let shards = client.ok("ListShards", json!({"StreamName": "s"})).await["Shards"].as_array().unwrap().clone();
    let range = |at: usize, end: &str| shards[at]["SequenceNumberRange"][end].as_str().map(str::to_owned);
    for (parent, child) in [(0, 1), (0, 2), (1, 3), (2, 3)] {
        assert!(range(parent, "EndingSequenceNumber") < range(child, "StartingSequenceNumber"), "{parent} {child}");
    }
    assert!(
        Some(before.clone()) < range(0, "EndingSequenceNumber") && Some(merged) > range(3, "StartingSequenceNumber")
    );
    assert_eq!(range(3, "EndingSequenceNumber"), None);
    assert_eq!(shards[3]["ParentShardId"], json!("shardId-000000000001"));
    assert_eq!(shards[3]["AdjacentParentShardId"], json!("shardId-000000000002"));
    // A closed shard is read from anywhere, to its end.
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    assert_eq!(texts(&client.drain(iterator, 10).await.0), ["before"]);
    let latest = client.iterator("s", FIRST, "LATEST").await;
    let read = client.ok("GetRecords", json!({"ShardIterator": latest})).await;
    assert_eq!((read["Records"].as_array().unwrap().len(), read.get("NextShardIterator")), (0, None));
    assert_eq!(read["ChildShards"].as_array().unwrap().len(), 2);

    let listed = |filter: Value| json!({"StreamName": "s", "ShardFilter": filter});
    for (filter, expected) in [
        (json!({"Type": "AT_LATEST"}), "3"),
        (json!({"Type": "AT_TRIM_HORIZON"}), "0"),
        (json!({"Type": "FROM_TRIM_HORIZON"}), "0123"),
        (json!({"Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000001"}), "23"),
        (json!({"Type": "AT_TIMESTAMP", "Timestamp": 9_999_999_999u64}), "3"),
        (json!({"Type": "FROM_TIMESTAMP", "Timestamp": 9_999_999_999u64}), "3"),
        (json!({"Type": "FROM_TIMESTAMP", "Timestamp": 1}), "0123"),
    ] {
        let answer = client.ok("ListShards", listed(filter.clone())).await;
        let shards = answer["Shards"].as_array().unwrap();
        let numbers: String = shards.iter().map(|shard| word(&shard["ShardId"])[19..].to_owned()).collect();
        assert_eq!(numbers, expected, "{filter}");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (_service, mut client) = stream(7).await;
    let mut request = json!({"StreamName": "s", "MaxResults": 3});
    let mut pages = Vec::new();
    loop {
        let answer = client.ok("ListShards", request).await;
        let shards = answer["Shards"].as_array().unwrap();
        pages.push(shards.iter().map(|shard| word(&shard["ShardId"])).collect::<Vec<_>>());
        let Some(token) = answer.get("NextToken") else { break };
        request = json!({"NextToken": token, "MaxResults": 3});
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>().len(), 7);

    let described = client.ok("DescribeStream", json!({"StreamName": "s", "Limit": 5})).await;
    assert_eq!(described["StreamDescription"]["HasMoreShards"], json!(true));
    let rest = json!({"StreamName": "s", "ExclusiveStartShardId": "shardId-000000000004"});
    let described = client.ok("DescribeStream", rest).await["StreamDescription"].clone();
    assert_eq!((described["Shards"].as_array().unwrap().len(), &described["HasMoreShards"]), (2, &json!(false)));
    assert_eq!(described["StreamStatus"], json!("ACTIVE"));

    for name in ["a", "b", "z"] {
        client.ok("CreateStream", json!({"StreamName": name, "ShardCount": 1})).await;
    }
    let first = client.ok("ListStreams", json!({"Limit": 3})).await;
    assert_eq!((&first["StreamNames"], &first["HasMoreStreams"]), (&json!(["a", "b", "s"]), &json!(true)));
    let rest = client.ok("ListStreams", json!({"NextToken": first["NextToken"]})).await;
    assert_eq!((&rest["StreamNames"], &rest["HasMoreStreams"]), (&json!(["z"]), &json!(false)));
    let after = client.ok("ListStreams", json!({"ExclusiveStartStreamName": "b"})).await;
    assert_eq!(after["StreamNames"], json!(["s", "z"]));
}

#[tokio::test]
async fn a_deleted_stream_is_gone_with_its_iterators() {
    let (_service, mut client) = stream(1).await;
    client.put("s", "k", b"x").await;
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    client.ok("DeleteStream", json!({"StreamName": "s"})).await;
    assert_eq!(client.fails("DescribeStream", json!({"StreamName": "s"})).await.0, "ResourceNotFoundException");
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    let (exception, _) = client.fails("GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(exception, "ResourceNotFoundException");
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    assert!(client.drain(iterator, 10).await.0.is_empty());
}

#[tokio::test]
async fn large_records_and_large_answers_keep_to_the_limits() {
    let (_service, mut client) = stream(1).await;
    let mebibyte = vec![7u8; 1024 * 1024];
    let data = base64_simd::STANDARD.encode_to_string(&mebibyte);
    let entry = json!({"PartitionKey": "k", "Data": data});
    let put = |count: usize| json!({"StreamName": "s", "Records": vec![entry.clone(); count]});
    let (exception, message) = client.fails("PutRecords", put(10)).await;
    assert_eq!(
        (exception.as_str(), message.as_str()),
        ("InvalidArgumentException", "Records size exceeds 10 MB limit")
    );
    for _ in 0..2 {
        client.ok("PutRecords", put(8)).await;
    }
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let read = client.ok("GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(read["Records"].as_array().unwrap().len(), 9);
    let (rest, _) = client.drain(word(&read["NextShardIterator"]), 10_000).await;
    assert_eq!(rest.len(), 7);
    assert!(rest.iter().all(|record| data_of(record) == mebibyte));
}

#[tokio::test]
async fn what_is_read_again_is_what_was_read_first_in_either_format() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let service = LocalService::start(config).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    let data = base64_simd::STANDARD.encode_to_string(vec![7u8; 1000]);
    let mut places = Vec::new();
    // Enough in one request to be kept as it is sent, and a record that is copied between them.
    for request in 0..3 {
        let entry = |nth: usize| json!({"PartitionKey": format!("{request}-\"{nth}\""), "Data": data});
        let entries: Vec<Value> = (0..50).map(entry).collect();
        let answer = client.ok("PutRecords", json!({"StreamName": "s", "Records": entries})).await;
        places.extend(answer["Records"].as_array().unwrap().iter().map(|place| word(&place["SequenceNumber"])));
        places.push(client.put("s", "one", b"one").await.1);
    }
    // From the start, and from the middle of a request; as many as there are, and to the middle of one.
    let cases = [(0, 10_000), (10, 10_000), (0, 70), (10, 100), (51, 50), (51, 51), (50, 103)];
    let mut first = Vec::new();
    for round in 0..4 {
        for (nth, (from, limit)) in cases.into_iter().enumerate() {
            let place = json!({"StreamName": "s", "ShardId": FIRST, "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "StartingSequenceNumber": places[from]});
            let iterator = word(&client.ok("GetShardIterator", place).await["ShardIterator"]);
            let request = json!({"ShardIterator": iterator, "Limit": limit});
            let json = client.ok("GetRecords", request.clone()).await["Records"].clone();
            let answer = client.send_as(CBOR, "Kinesis_20131202.GetRecords", &cbor::encode(&request)).await;
            let from_cbor = cbor::in_json(cbor::decode(&mut &answer.body[..]))["Records"].clone();
            let numbers = json.as_array().unwrap().iter().map(|record| word(&record["SequenceNumber"]));
            let expected = &places[from..places.len().min(from + limit)];
            assert_eq!(numbers.collect::<Vec<_>>(), expected, "case {nth}, round {round}");
            assert!(from_cbor == json, "case {nth}, round {round}");
            if round == 0 {
                first.push(json);
            } else {
                assert!(first[nth] == json, "case {nth}, round {round}");
            }
        }
    }
    // Only what arrives from now on is encrypted, whatever has been kept.
    client.ok("StartStreamEncryption", json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "k"})).await;
    client.put("s", "secret", b"x").await;
    for _ in 0..3 {
        let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
        let records = client.ok("GetRecords", json!({"ShardIterator": iterator})).await["Records"].clone();
        let encrypted = records.as_array().unwrap().iter().map(|record| record.get("EncryptionType").is_some());
        assert_eq!(encrypted.collect::<Vec<_>>(), [vec![false; 153], vec![true]].concat());
    }
}
