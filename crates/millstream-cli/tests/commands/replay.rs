//! `replay`: of a file, of standard input, and of another stream.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use millstream_kinesis::{AwsKinesis, HashKey, Kinesis, PutEntry};
use serde_json::{Value, json};

use super::support::{Local, end, failed, following, interrupt, next_line, printed, run};

/// What a stream has, as `tail` prints it.
fn rows(local: &Local, stream: &str) -> Vec<Value> {
    let lines = printed(local.command(&["tail", stream, "--output", "json"]));
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn data(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["data"].as_str().unwrap()).collect()
}

/// A captured record of a shard, that arrived so many milliseconds after the first one.
fn line(shard: &str, after_ms: i64, data: &str) -> String {
    let arrival_ms = 1_795_000_000_000 + after_ms;
    let row =
        json!({"shard": shard, "partition_key": format!("key of {data}"), "arrival_ms": arrival_ms, "data": data});
    format!("{row}\n")
}

fn replay(local: &Local, options: &[&str]) -> Command {
    let mut command = local.command(&["replay", "words"]);
    command.args(options);
    command
}

#[test]
fn a_file_is_put_in_the_order_of_arrival_at_its_speed() {
    let local = Local::with("words:1");
    let file = tempfile::NamedTempFile::new().unwrap();
    // Of one shard in order, though the service's clock went back once.
    let lines = line("a", 0, "1")
        + &line("a", 4_000, "4")
        + &line("a", 3_900, "5")
        + &line("b", 1_000, "2")
        + &line("b", 3_000, "3");
    std::fs::write(file.path(), lines).unwrap();
    let started = Instant::now();
    let file = file.path().to_str().unwrap();
    assert_eq!(printed(replay(&local, &[file, "--speed", "10"])), "5 records put into words\n");
    assert!(started.elapsed() >= Duration::from_millis(390), "{:?}", started.elapsed());
    let rows = rows(&local, "words");
    assert_eq!(data(&rows), ["1", "2", "3", "4", "5"]);
    assert_eq!(rows[2]["partition_key"], "key of 3");
    let arrived = |index: usize| rows[index]["arrival_ms"].as_i64().unwrap();
    assert!(arrived(1) - arrived(0) >= 80 && arrived(3) - arrived(2) >= 80, "{rows:?}");
}

#[test]
fn standard_input_is_put_as_it_stands_at_a_rate() {
    let local = Local::with("words:1");
    let started = Instant::now();
    let output = run(
        replay(&local, &["--rate", "10"]),
        &(line("a", 9_000_000, "1") + "\n" + &line("b", 0, "2") + &line("b", 0, "3")),
    );
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_eq!(data(&rows(&local, "words")), ["1", "2", "3"]);
}

#[test]
fn what_comes_through_a_pipe_is_put_while_more_is_waited_for() {
    let local = Local::with("words:1");
    let mut child = replay(&local, &[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(line("a", 0, "1").as_bytes()).unwrap();
    let (tail, mut out) = following(local.command(&["tail", "words", "--follow", "--from", "horizon"]));
    assert_eq!(next_line(&mut out), "1\n");
    interrupt(&tail);
    end(tail);
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_is_no_record_is_told_with_its_line() {
    let local = Local::with("words:1");
    let good = line("a", 0, "1");
    for (bad, problem) in [
        ("{\"partition_key\":\"k\",\"data\":\"d\"}", "no number `arrival_ms`"),
        ("{\"arrival_ms\":1,\"data\":\"d\"}", "no text `partition_key`"),
        ("{\"arrival_ms\":1,\"partition_key\":\"k\"}", "no text `data`"),
        ("{\"arrival_ms\":1,\"partition_key\":\"k\",\"data_base64\":\"!\"}", "no Base64"),
        ("{\"arrival_ms\":1,\"partition_key\":\"k\",\"data\":\"d\",\"explicit_hash_key\":\"x\"}", "not a hash key"),
        ("word", "expected value"),
    ] {
        let (code, said) = failed(replay(&local, &["--dry-run"]), &format!("{good}{bad}\n"));
        assert_eq!(code, Some(1));
        assert!(said.contains("line 2 of -") && said.contains(problem), "{said}");
    }
    let output = run(replay(&local, &["--dry-run"]), &(good + &line("a", 5_000, "2")));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2 records that came in 5 s would be put into words\n");
    assert_eq!(rows(&local, "words"), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_put_into_another_with_its_keys_and_hash_keys() {
    let local = Local::with("words:2");
    let kinesis = AwsKinesis::connect(&local.settings()).await.unwrap();
    kinesis.create_stream("copy", 2).await.unwrap();
    let highest = PutEntry { explicit_hash_key: Some(HashKey::MAX), ..PutEntry::new("key", "\u{0}high") };
    let lowest = PutEntry { explicit_hash_key: Some(HashKey::MIN), ..PutEntry::new("key", vec![0xff]) };
    kinesis.put_records("words", &[highest, lowest]).await.unwrap();
    printed(local.command(&["reshard", "words", "--to", "1"]));
    local.put("words", "after\n");

    let copy = local.command(&["replay", "copy", "--from-stream", "words", "--speed", "max"]);
    assert_eq!(printed(copy), "3 records put into copy\n");
    let found = |rows: &[Value], shard: &str| {
        let of_shard = rows.iter().filter(|row| row["shard"] == shard);
        of_shard
            .map(|row| (row["partition_key"].clone(), row["data"].clone(), row["data_base64"].clone()))
            .collect::<Vec<_>>()
    };
    let (original, copied) = (rows(&local, "words"), rows(&local, "copy"));
    let (low, high) = ("shardId-000000000000", "shardId-000000000001");
    assert_eq!(found(&copied, low)[0], found(&original, low)[0]);
    assert_eq!(found(&copied, high)[0], found(&original, high)[0]);
    assert_eq!(copied.iter().filter(|row| row["data"] == "after").count(), 1);
    // One of the two has a key that does not belong to its shard.
    assert_eq!(original.iter().filter(|row| row["explicit_hash_key"].is_string()).count(), 1, "{original:?}");

    let (code, said) = failed(local.command(&["replay", "copy", "--from-stream", "wrods"]), "");
    assert_eq!(code, Some(1));
    assert!(said.contains("`wrods`"), "{said}");
}
