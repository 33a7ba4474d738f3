//! What has been acknowledged is there after a crash.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use millstream_local::{LocalConfig, LocalService};
use serde_json::json;
use support::{Client, EAST, data_of, word};

const FIRST: &str = "shardId-000000000000";
const DATA_DIR: &str = "MILLSTREAM_TEST_DATA_DIR";

fn config(home: &Path) -> LocalConfig {
    LocalConfig { data_dir: Some(home.to_owned()), ..LocalConfig::default() }
}

/// Not a test: the server process that the next test kills.
#[tokio::test]
#[ignore = "run by kill_9_loses_nothing_that_was_acknowledged"]
async fn server_process() {
    let Some(home) = std::env::var_os(DATA_DIR) else { return };
    let service = LocalService::start(config(Path::new(&home))).await.unwrap();
    println!("\nendpoint {}", service.endpoint());
    std::future::pending::<()>().await;
}

fn start_process(home: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "server_process", "--nocapture"])
        .env(DATA_DIR, home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let endpoint = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("endpoint ").map(str::to_owned));
    (child, endpoint.expect("the server says where it listens"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_nothing_that_was_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for round in 0..3 {
        let (mut child, endpoint) = start_process(home.path());
        let mut admin = Client::connect(&endpoint, EAST).await;
        if round == 0 {
            admin.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
        }
        // Four writers run until their server is gone; the process is killed while they write.
        let (sender, mut progress) = tokio::sync::mpsc::unbounded_channel();
        for writer in 0..4 {
            let (endpoint, sender) = (endpoint.clone(), sender.clone());
            tokio::spawn(async move {
                let mut client = Client::connect(&endpoint, EAST).await;
                for nth in 0.. {
                    let text = format!("{round}-{writer}-{nth}");
                    let data = base64_simd::STANDARD.encode_to_string(&text);
                    let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": data}).to_string();
                    let Some(answer) = client.try_kinesis("PutRecord", &put).await else { return };
                    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                    sender.send((word(&answer["SequenceNumber"]), text)).unwrap();
                }
            });
        }
        drop(sender);
        for _ in 0..200 {
            acknowledged.push(progress.recv().await.unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(record) = progress.recv().await {
            acknowledged.push(record);
        }
    }
    let service = LocalService::start(config(home.path())).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    let (records, _) = client.drain(iterator, 1000).await;
    let found: Vec<(String, String)> = records
        .iter()
        .map(|record| (word(&record["SequenceNumber"]), String::from_utf8(data_of(record)).unwrap()))
        .collect();
    assert!(found.is_sorted_by(|one, next| one.0 < next.0), "sequence numbers grow over restarts");
    acknowledged.sort();
    assert!(acknowledged.len() >= 600);
    for record in &acknowledged {
        assert!(found.binary_search(record).is_ok(), "lost {record:?}");
    }
    assert!(found.len() <= acknowledged.len() + 12, "at most one unanswered record for each writer and round");
}

#[tokio::test]
async fn a_torn_record_is_cut_and_the_shard_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let service = LocalService::start(config(home.path())).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
    let (_, first) = client.put("s", "k", b"first").await;
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    service.shutdown().await;

    let log = find_log(home.path());
    let whole = std::fs::metadata(&log).unwrap().len();
    OpenOptions::new().append(true).open(&log).unwrap().write_all(&[60, 0, 0, 0, 1, 2, 3]).unwrap();
    let service = LocalService::start(config(home.path())).await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), whole);
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let (_, second) = client.put("s", "k", b"second").await;
    assert!(first < second);
    // The iterator is older than this server.
    let (records, _) = client.drain(iterator, 10).await;
    assert_eq!(records.iter().map(data_of).collect::<Vec<_>>(), [b"first".to_vec(), b"second".to_vec()]);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_fails_its_shard_alone() {
    let home = tempfile::tempdir().unwrap();
    let service = LocalService::start(config(home.path())).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 2})).await;
    let log = find_log(home.path());
    let away = log.with_extension("away");
    std::fs::rename(&log, &away).unwrap();
    let entry = |key: &str| json!({"PartitionKey": "k", "Data": "", "ExplicitHashKey": key});
    let both = json!({"StreamName": "s", "Records": [entry("0"), entry("340282366920938463463374607431768211455")]});
    let answer = client.ok("PutRecords", both.clone()).await;
    assert_eq!(answer["FailedRecordCount"], json!(1));
    assert_eq!(answer["Records"][0]["ErrorCode"], json!("InternalFailure"));
    assert_eq!(answer["Records"][1]["ShardId"], json!("shardId-000000000001"));
    std::fs::rename(&away, &log).unwrap();
    assert_eq!(client.ok("PutRecords", both).await["FailedRecordCount"], json!(0));
    let iterator = client.iterator("s", FIRST, "TRIM_HORIZON").await;
    assert_eq!(client.drain(iterator, 10).await.0.len(), 1);
}

#[tokio::test]
async fn a_deleted_stream_leaves_no_files() {
    let home = tempfile::tempdir().unwrap();
    let service = LocalService::start(config(home.path())).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", json!({"StreamName": "s", "ShardCount": 3})).await;
    client.ok("DeleteStream", json!({"StreamName": "s"})).await;
    let left: Vec<_> =
        std::fs::read_dir(home.path().join("kinesis")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["streams.json"]);
}

/// The log of shard 0 of the only stream.
fn find_log(home: &Path) -> std::path::PathBuf {
    let kinesis = std::fs::read_dir(home.join("kinesis")).unwrap();
    let directory = kinesis.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    directory.join("0.log")
}
