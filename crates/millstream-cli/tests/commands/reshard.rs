//! `reshard` at the local service, and `tail` across it; `completions`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use super::support::{Local, millstream, printed, run};

/// How many of the stream's shards are open, and how many there are.
fn shards(local: &Local) -> (usize, usize) {
    let rows: Value = serde_json::from_str(&printed(local.command(&["shards", "words", "--output", "json"]))).unwrap();
    let rows = rows.as_array().unwrap();
    (rows.iter().filter(|row| row["state"] == "open").count(), rows.len())
}

#[test]
fn a_dry_run_changes_nothing() {
    let local = Local::with("words:1");
    let plan = printed(local.command(&["reshard", "words", "--to", "3", "--dry-run"]));
    let calls: Vec<Vec<&str>> = plan.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(calls, [["1", "UpdateShardCount", "1", "2"], ["2", "UpdateShardCount", "2", "3"]]);
    assert_eq!(shards(&local), (1, 1));
}

#[test]
fn a_stream_is_brought_to_the_number_in_as_many_calls_as_it_takes() {
    let local = Local::with("words:1");
    let done = printed(local.command(&["reshard", "words", "--to", "4", "--output", "json"]));
    let calls = json!([{"from": 1, "to": 2}, {"from": 2, "to": 4}]);
    let expected = json!({"stream": "words", "dry_run": false, "calls": calls});
    assert_eq!(serde_json::from_str::<Value>(&done).unwrap(), expected);
    assert_eq!(shards(&local).0, 4);
    let nothing = printed(local.command(&["reshard", "words", "--to", "4"]));
    assert_eq!(nothing.lines().count(), 1, "{nothing}");
}

/// The exit code and standard error of `reshard` to two shards.
fn refused(local: &Local, options: &[&str]) -> (Option<i32>, String) {
    let mut command = local.command(&["reshard", "words", "--to", "2"]);
    command.args(options);
    let output = run(command, "");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_stream_that_is_being_created_is_not_resharded() {
    let (code, said) = refused(&Local::slow("words:1", "1h"), &[]);
    assert_eq!(code, Some(3));
    assert!(said.contains("`words` is CREATING; it can be resharded when it is ACTIVE"), "{said}");
}

#[test]
fn a_change_that_takes_longer_than_the_timeout_is_told() {
    let local = Local::slow("words:1", "2s");
    while !printed(local.command(&["streams"])).contains("ACTIVE") {}
    let (code, said) = refused(&local, &["--timeout", "0s"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("`words` is UPDATING with"), "{said}");
}

#[test]
fn all_generations_are_read_parents_first() {
    let local = Local::with("words:1");
    let mut command = local.command(&["tail", "words", "-f", "--from", "horizon"]);
    let mut follower = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut followed = BufReader::new(follower.stdout.take().unwrap()).lines();
    local.put("words", "before");
    printed(local.command(&["reshard", "words", "--to", "2"]));
    local.put("words", "between");
    printed(local.command(&["reshard", "words", "--to", "1"]));
    local.put("words", "after");
    let lines = printed(local.command(&["tail", "words"]));
    assert_eq!(lines.lines().collect::<Vec<_>>(), ["before", "between", "after"]);
    let lines: Vec<String> = followed.by_ref().take(3).map(Result::unwrap).collect();
    assert_eq!(lines, ["before", "between", "after"]);
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(millstream(&["completions", shell]));
        assert!(script.contains("reshard") && script.contains("dry-run"), "{shell}");
    }
}
