//! `streams` and `shards` at the local service, as a person and as a program read them.

use super::support::{Local, millstream, printed, run};
use serde_json::{Value, json};

#[test]
fn a_stream_is_listed_with_its_state() {
    let local = Local::with("orders:4");
    let table = printed(local.command(&["streams"]));
    let words: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(words, ["orders", "ACTIVE", "PROVISIONED", "4", "24", "h"]);
    let rows: Value = serde_json::from_str(&printed(local.command(&["streams", "--output", "json"]))).unwrap();
    let orders = json!({"stream": "orders", "status": "ACTIVE", "mode": "PROVISIONED",
        "open_shards": 4, "retention_hours": 24});
    assert_eq!(rows, json!([orders]));
}

#[test]
fn the_shards_of_a_stream_divide_the_hash_keys() {
    let local = Local::with("orders:2");
    let table = printed(local.command(&["shards", "orders"]));
    let second: Vec<&str> = table.lines().nth(2).unwrap().split_whitespace().collect();
    let (half, all) = ("170141183460469231731687303715884105728", "340282366920938463463374607431768211455");
    assert_eq!(second[..4], ["shardId-000000000001", "open", half, all]);
    let rows: Value = serde_json::from_str(&printed(local.command(&["shards", "orders", "--output", "json"]))).unwrap();
    assert_eq!(rows[0]["first_hash_key"], "0");
    assert_eq!(rows[1]["last_hash_key"], all);
    assert_eq!(rows[0]["last_sequence_number"], Value::Null);
    assert_eq!(rows[1]["parents"], json!([]));
}

#[test]
fn a_stream_that_is_not_there_is_named() {
    let local = Local::with("orders:1");
    let output = run(local.command(&["shards", "odrers"]), "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("millstream: stream `odrers`") && said.contains("us-east-1"), "{said}");
}

#[test]
fn the_help_has_an_example() {
    for command in [
        "streams",
        "shards",
        "tail",
        "put",
        "replay",
        "leases",
        "reshard",
        "top",
        "doctor",
        "cost",
        "local",
        "completions",
    ] {
        let help = printed(millstream(&[command, "--help"]));
        assert!(help.contains("Example") && help.contains(&format!("\n  millstream {command}")), "{help}");
    }
}
