//! `tail`: what it prints, from where on, and how it ends.

use millstream_kinesis::kpl::Aggregator;
use millstream_kinesis::{AwsKinesis, Kinesis, PutEntry};
use serde_json::{Value, json};

use super::support::{Local, end, following, interrupt, next_line, printed, run};

#[test]
fn what_is_there_is_printed_and_then_it_ends() {
    let local = Local::with("words:2");
    local.put("words", "to\nbe\nor\nnot\n");
    let lines = printed(local.command(&["tail", "words"]));
    let mut words: Vec<&str> = lines.lines().collect();
    words.sort_unstable();
    assert_eq!(words, ["be", "not", "or", "to"]);
    assert_eq!(printed(local.command(&["tail", "words", "--since", "1h"])).lines().count(), 4);
    assert_eq!(printed(local.command(&["tail", "words", "--from", "latest"])), "");
}

#[test]
fn one_shard_as_json() {
    let local = Local::with("words:2");
    local.put("words", &(0..40).map(|number| format!("{number}\n")).collect::<String>());
    let of_shard = |id: &str| {
        let lines = printed(local.command(&["tail", "words", "--shard", id, "--output", "json"]));
        let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row["shard"] == id), "{rows:?}");
        assert!(rows.iter().all(|row| row["arrival_ms"].as_i64().unwrap() > 0 && row["sequence_number"].is_string()));
        // `put` counts its lines from 1 and makes that the key.
        let number = |text: &Value| text.as_str().unwrap().parse::<u32>().unwrap();
        assert!(rows.iter().all(|row| number(&row["partition_key"]) == number(&row["data"]) + 1));
        rows.len()
    };
    assert_eq!(of_shard("shardId-000000000000") + of_shard("shardId-000000000001"), 40);

    let output = run(local.command(&["tail", "words", "--shard", "shardId-7"]), "");
    let said = String::from_utf8(output.stderr).unwrap();
    let expected =
        "millstream: stream `words` has no shard `shardId-7`; `millstream shards words` lists those it has\n";
    assert_eq!((output.status.code(), said.as_str()), (Some(1), expected));
}

#[tokio::test]
async fn aggregated_records_are_taken_apart() {
    let local = Local::with("words:1");
    let mut aggregator = Aggregator::new(10_000);
    for word in ["to", "be"] {
        assert_eq!(aggregator.add(PutEntry::new(format!("key of {word}"), word)), None);
    }
    let aggregate = aggregator.finish().unwrap();
    AwsKinesis::connect(&local.settings()).await.unwrap().put_records("words", &[aggregate]).await.unwrap();
    let lines = printed(local.command(&["tail", "words", "--output", "json"]));
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        rows.iter().map(|row| (&row["data"], &row["partition_key"], &row["sub_sequence_number"])).collect();
    assert_eq!(told, [(&json!("to"), &json!("key of to"), &json!(0)), (&json!("be"), &json!("key of be"), &json!(1))]);
    assert_eq!(rows[0]["sequence_number"], rows[1]["sequence_number"]);
}

#[test]
fn what_arrives_is_followed_until_ctrl_c() {
    let local = Local::with("words:1");
    local.put("words", "first\n");
    let (child, mut out) = following(local.command(&["tail", "words", "--follow", "--from", "horizon"]));
    assert_eq!(next_line(&mut out), "first\n");
    local.put("words", "second\n");
    assert_eq!(next_line(&mut out), "second\n");
    interrupt(&child);
    assert_eq!(end(child), (Some(0), String::new()));
}

#[test]
fn a_closed_pipe_ends_it() {
    let local = Local::with("words:1");
    local.put("words", "first\n");
    let (child, mut out) = following(local.command(&["tail", "words", "-f", "--from", "horizon"]));
    assert_eq!(next_line(&mut out), "first\n");
    drop(out);
    local.put("words", "second\n");
    assert_eq!(end(child), (Some(0), String::new()));
}

#[test]
fn ctrl_c_is_heard_also_while_nobody_empties_the_pipe() {
    let local = Local::with("words:1");
    // More than a pipe holds.
    local.put("words", &format!("{}\n", "x".repeat(1_000)).repeat(300));
    for options in [&["-f", "--from", "horizon"][..], &[]] {
        let mut command = local.command(&["tail", "words"]);
        command.args(options);
        let (child, mut out) = following(command);
        next_line(&mut out);
        interrupt(&child);
        assert_eq!(end(child), (Some(0), String::new()));
    }
}
