//! What has been acknowledged is there after a crash.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use millstream_local::{LocalConfig, LocalService};
use serde_json::json;

use crate::support::{Client, EAST, data_of, word};

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
        .args(["--ignored", "--exact", "durability::server_process", "--nocapture"])
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

#[tokio::test]
async fn a_data_directory_of_version_1_is_read_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/version-1"), home.path());
    for round in 0..2 {
        let service = LocalService::start(config(home.path())).await.unwrap();
        let mut client = Client::connect(&service.endpoint(), EAST).await;
        for (shard, texts, last) in [
            (
                FIRST,
                &["record 2", "record 3", "record 5"][..],
                "49680530831127004998627676649060187205487540293941067778",
            ),
            (
                "shardId-000000000001",
                &["record 1", "record 4"],
                "49680530831149305743826207272200513997940574026272342034",
            ),
        ] {
            let iterator = client.iterator("words", shard, "TRIM_HORIZON").await;
            let (records, _) = client.drain(iterator, 10).await;
            let found: Vec<_> = records.iter().map(|record| String::from_utf8(data_of(record)).unwrap()).collect();
            assert_eq!(found[..texts.len()], *texts);
            assert_eq!(records[texts.len() - 1]["SequenceNumber"], json!(last));
            assert_eq!(found.len(), texts.len() + round * usize::from(shard == FIRST));
        }
        let put = json!({"StreamName": "words", "PartitionKey": "k", "ExplicitHashKey": "0", "Data": ""});
        client.ok("PutRecord", put).await;
        service.shutdown().await;
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
