//! `doctor`: what it finds at a service that is well, and at others.

use std::io::Write;
use std::process::Command;

use serde_json::Value;

use super::support::{Local, millstream, printed, run};
use super::worker::{APPLICATION, Worker};
use millstream_kinesis::InitialPosition;

/// The exit code and the findings.
fn findings(mut command: Command) -> (Option<i32>, Vec<Value>) {
    command.args(["--output", "json"]).env("AWS_EC2_METADATA_DISABLED", "true");
    let output = run(command, "");
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), rows.as_array().unwrap().clone())
}

fn state<'a>(findings: &'a [Value], check: &str) -> (&'a str, &'a str) {
    let finding = findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{findings:?}"));
    (finding["state"].as_str().unwrap(), finding["found"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_well_at_the_local_service() {
    let local = Local::with("words:2");
    let worker = Worker::start(&local, "w", InitialPosition::TrimHorizon).await;
    worker.until(&local, |leases| leases.len() == 2 && leases.iter().all(|lease| lease.owner.is_some())).await;
    let command = || local.command(&["doctor", "--stream", "words", "--application", APPLICATION]);
    let (code, found) = findings(command());
    let states: Vec<(&str, &str)> =
        found.iter().map(|row| (row["check"].as_str().unwrap(), row["state"].as_str().unwrap())).collect();
    assert!(states.iter().all(|(_, state)| *state == "ok"), "{found:?}");
    assert_eq!(code, Some(0));
    for check in ["region", "credentials", "identity", "clock", "kinesis", "dynamodb", "stream", "leases", "limits"] {
        assert!(states.iter().any(|(name, _)| *name == check), "{check} is missing: {found:?}");
    }
    assert_eq!(states.iter().filter(|(name, _)| *name == "permission").count(), 9, "{found:?}");
    let before = super::worker::leases(&local).await.len();
    assert!(printed(command()).contains("ok    permission   dynamodb:UpdateItem"));
    assert_eq!(super::worker::leases(&local).await.len(), before, "nothing was changed");
    worker.stop().await;
}

#[test]
fn a_missing_permission_is_named() {
    let local = Local::with("words:1");
    local.fault(
        r#"{"kind": "error", "operation": "GetRecords", "code": "AccessDeniedException", "message": "not allowed"}"#,
    );
    let (code, found) = findings(local.command(&["doctor", "--stream", "words"]));
    assert_eq!(code, Some(1));
    let wrong: Vec<&Value> = found.iter().filter(|row| row["state"] == "fail").collect();
    assert_eq!(wrong.len(), 1, "{found:?}");
    assert_eq!(wrong[0]["mend"], "allow kinesis:GetRecords in the role's policy");
}

#[test]
fn a_stream_that_is_not_there_is_told_with_those_that_are() {
    let local = Local::with("words:1");
    let (code, found) = findings(local.command(&["doctor", "--stream", "wrods"]));
    assert_eq!((code, state(&found, "stream").0), (Some(1), "fail"));
    let stream = found.iter().find(|row| row["check"] == "stream").unwrap();
    assert!(stream["mend"].as_str().unwrap().contains("words"), "{stream}");
}

#[test]
fn a_service_that_is_not_there_is_told_with_how_to_start_it() {
    // Nothing listens on port 1.
    let (code, found) = findings(millstream(&["doctor", "--endpoint-url", "http://127.0.0.1:1"]));
    assert_eq!(code, Some(1));
    assert_eq!((state(&found, "kinesis").0, state(&found, "dynamodb").0), ("fail", "fail"));
    assert!(
        found.iter().any(|row| row["mend"].as_str().is_some_and(|mend| mend.contains("millstream local --port 1")))
    );
}

#[test]
fn no_keys_and_wrong_keys_are_told_apart() {
    let local = Local::with("words:1");
    let mut none = local.command(&["doctor"]);
    let home = tempfile::tempdir().unwrap();
    none.env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env_remove("AWS_PROFILE")
        .env("HOME", home.path());
    let (code, found) = findings(none);
    assert_eq!((code, state(&found, "credentials").0), (Some(1), "fail"));

    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "[default]\naws_access_key_id = known\naws_secret_access_key = right").unwrap();
    let strict = Local::taking_keys_of(file.path().to_str().unwrap());
    let (code, found) = findings(strict.command(&["doctor"]));
    assert_eq!((code, state(&found, "identity").0), (Some(1), "fail"));
    let mut wrong = strict.command(&["doctor"]);
    wrong.env("AWS_ACCESS_KEY_ID", "known").env("AWS_SECRET_ACCESS_KEY", "wrong");
    let (_, found) = findings(wrong);
    let identity = found.iter().find(|row| row["check"] == "identity").unwrap();
    assert!(identity["mend"].as_str().unwrap().contains("AWS_SECRET_ACCESS_KEY"), "{identity}");
}
