//! `put`: what becomes a record, of which key, and how fast.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{Local, end, failed, following, next_line, printed, run};

/// `put` into the stream `words`.
fn put(local: &Local, options: &[&str]) -> Command {
    let mut command = local.command(&["put", "words", "-"]);
    command.args(options);
    command
}

/// What the stream has, by key and data, in the order of the one shard.
fn records(local: &Local) -> Vec<(String, String)> {
    let lines = printed(local.command(&["tail", "words", "--output", "json"]));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |line| serde_json::from_str::<Value>(line).unwrap();
    lines.lines().map(row).map(|row| (text(&row["partition_key"]), text(&row["data"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, data)| ((*key).to_owned(), (*data).to_owned())).collect()
}

#[test]
fn a_row_of_csv_is_a_record_whose_key_is_a_column() {
    let local = Local::with("words:1");
    let rows = "customer,text\nada,one\nbob,\"two, and\nthree\"\n\"o'neil\",four\n";
    let output = run(put(&local, &["--format", "csv", "--key-field", "customer"]), rows);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "3 records put into words\n");
    let expected = [("ada", "ada,one"), ("bob", "bob,\"two, and\nthree\""), ("o'neil", "\"o'neil\",four")];
    assert_eq!(records(&local), pairs(&expected));

    let (code, said) = failed(put(&local, &["--format", "csv", "--key-field", "custmer"]), rows);
    assert_eq!(
        (code, said.as_str()),
        (Some(1), "millstream: - has no column 'custmer'; its first row names customer, text\n")
    );
    let (_, said) = failed(put(&local, &["--format", "csv", "--key-field", "customer"]), "customer,text\n,one\n");
    assert!(said.contains("line 2 of - has no field 'customer'"), "{said}");
    let (_, said) = failed(put(&local, &["--format", "csv"]), "a,b\n1,2,3\n");
    assert!(said.contains("line 2 of - is no row of CSV: it has 3 fields, the first row 2"), "{said}");
    let (_, said) = failed(put(&local, &["--format", "csv"]), "a,b\n1,\"2\n");
    assert!(said.contains("a quote is not closed"), "{said}");
}

#[test]
fn a_field_of_json_is_the_key() {
    let local = Local::with("words:1");
    let lines = "{\"id\":7,\"a\":1}\n\n{\"id\":\"x\"}\n";
    assert_eq!(run(put(&local, &["--key-field", "id"]), lines).status.code(), Some(0));
    assert_eq!(records(&local), pairs(&[("7", "{\"id\":7,\"a\":1}"), ("x", "{\"id\":\"x\"}")]));
}

#[test]
fn what_comes_before_a_bad_line_is_put() {
    let local = Local::with("words:1");
    let (code, _) = failed(put(&local, &["--format", "json"]), "{\"a\":1}\nnothing\n{\"a\":2}\n");
    assert_eq!(code, Some(1));
    assert_eq!(records(&local), pairs(&[("1", "{\"a\":1}")]));
}

#[test]
fn aggregated_records_are_the_same_to_their_readers() {
    let local = Local::with("words:2");
    let lines: String = (0..500).map(|word| format!("{word}\n")).collect();
    let output = run(put(&local, &["--aggregate"]), &lines);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "500 records put into words\n");
    let rows = printed(local.command(&["tail", "words", "--output", "json"]));
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sequences: std::collections::BTreeSet<&str> =
        rows.iter().map(|row| row["sequence_number"].as_str().unwrap()).collect();
    assert_eq!(rows.len(), 500);
    // An aggregate a shard of what is read ahead at once; how much that is, is up to the pipe.
    assert!(sequences.len() < 50, "{}", sequences.len());
}

#[test]
fn a_line_is_put_while_the_next_one_is_waited_for() {
    let local = Local::with("words:1");
    let (tail, mut out) = following(local.command(&["tail", "words", "--follow", "--from", "horizon"]));
    let mut child = put(&local, &[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"first\n").unwrap();
    assert_eq!(next_line(&mut out), "first\n");
    input.write_all(b"second\n").unwrap();
    assert_eq!(next_line(&mut out), "second\n");
    drop(input);
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), "2 records put into words\n"));
    super::support::interrupt(&tail);
    end(tail);
}

#[test]
fn records_come_no_faster_than_the_rate() {
    let local = Local::with("words:1");
    let started = Instant::now();
    assert_eq!(run(put(&local, &["--rate", "20"]), "1\n2\n3\n4\n5\n6\n7\n8\n9\n").status.code(), Some(0));
    // The ninth is due when eight intervals are over; two are put at a time.
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
    assert_eq!(failed(put(&local, &["--rate", "0"]), "").0, Some(2));
}

#[test]
fn ctrl_c_tells_how_many_were_put() {
    let local = Local::with("words:1");
    let (tail, mut out) = following(local.command(&["tail", "words", "--follow", "--from", "horizon"]));
    // The second is due in a hundred seconds.
    let mut child = put(&local, &["--rate", "0.01"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"first\nsecond\n").unwrap();
    assert_eq!(next_line(&mut out), "first\n");
    super::support::interrupt(&child);
    assert_eq!(end(child), (Some(1), "millstream: interrupted: 1 records put into words\n".to_owned()));
    super::support::interrupt(&tail);
    end(tail);
}

#[test]
fn a_dry_run_reads_the_input_and_puts_nothing() {
    let local = Local::with("words:1");
    let output = run(put(&local, &["--dry-run"]), "one\ntwo\n");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "2 records (8 bytes with their keys) would be put into words\n");
    assert_eq!(records(&local), []);
    assert_eq!(failed(put(&local, &["--dry-run", "--format", "json"]), "no\n").0, Some(1));
}

#[test]
fn records_that_are_not_accepted_are_put_again_and_told() {
    let local = Local::with("words:1");
    local.fault(r#"{"kind": "throttle", "operation": "PutRecords", "times": 4}"#);
    let output = run(put(&local, &[]), "one\ntwo\n");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("2 records put into words (2 were put again)"), "{said}");
    assert_eq!(records(&local), pairs(&[("1", "one"), ("2", "two")]));

    local.fault(r#"{"kind": "error", "operation": "PutRecords", "code": "AccessDeniedException",
        "message": "User: arn:aws:iam::123456789012:user/me is not authorized to perform: kinesis:PutRecords on resource: x"}"#);
    let (code, said) = failed(put(&local, &[]), "three\n");
    assert_eq!(code, Some(4));
    assert!(said.contains("after 0 were accepted") && said.contains("allow kinesis:PutRecords;"), "{said}");
}
