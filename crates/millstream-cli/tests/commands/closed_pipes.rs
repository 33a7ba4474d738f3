//! Nobody reads what the command writes: it does its work all the same, and its exit code is the right one.

use std::io::{self, Read, Write};
use std::process::{ExitStatus, Stdio};

use super::support::{Local, millstream};

/// The writing end of a pipe whose reader has gone.
fn closed() -> io::PipeWriter {
    io::pipe().unwrap().1
}

#[test]
fn an_error_without_a_reader_keeps_its_exit_code() {
    // Wrong usage, which clap prints; work that fails, after lines in the log. Nothing listens on port 1.
    for (endpoint, code) in [("nonsense", 2), ("http://127.0.0.1:1", 5)] {
        for verbose in ["-v", "-vv"] {
            let mut command = millstream(&["leases", "app", "--endpoint-url", endpoint, verbose]);
            let status = command.stdout(closed()).stderr(closed()).status().unwrap();
            assert_eq!(status.code(), Some(code), "{endpoint} {verbose}: a panic would be 101");
        }
    }
}

/// Runs `put` with a line of input, and standard output closed; the exit code and standard error.
fn put(local: &Local, options: &[&str], line: &str) -> (ExitStatus, String) {
    let mut command = local.command(&["put", "words", "-"]);
    let mut child =
        command.args(options).stdin(Stdio::piped()).stdout(closed()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap(), said)
}

#[test]
fn records_are_put_also_when_nobody_reads_how_many() {
    let local = Local::with("words:1");
    let (status, said) = put(&local, &[], "a word\n");
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_line_that_is_no_record_is_told_with_its_cause() {
    let local = Local::with("words:1");
    let table = [
        (&["--format", "json"][..], "[1]", "line 1 of - is not a JSON object: [1]"),
        (&["--key-field", "k"], "\n{", "line 2 of - is not a JSON object: {"),
        (
            &["--key-field", "k"],
            "{\"j\":1}",
            "line 1 of - has no field 'k' that is a number or text that is not empty: {\"j\":1}",
        ),
        (
            &["--key-field", "k"],
            "{\"k\":\"\"}",
            "line 1 of - has no field 'k' that is a number or text that is not empty: {\"k\":\"\"}",
        ),
    ];
    for (options, line, message) in table {
        let (status, said) = put(&local, options, line);
        assert_eq!((status.code(), said), (Some(1), format!("millstream: {message}\n")));
    }
}
