//! `top`, without a terminal.

use millstream_kinesis::InitialPosition;

use super::support::{Local, failed, json, printed};
use super::worker::{APPLICATION, Worker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_are_shown_with_owner_and_lag() {
    let local = Local::with("words:2");
    let worker = Worker::start(&local, "one", InitialPosition::TrimHorizon).await;
    worker.until(&local, |leases| leases.len() == 2 && leases.iter().all(|lease| lease.owner.is_some())).await;
    let top = |options: &[&str]| {
        let mut command = local.command(&["top", "words", "--application", APPLICATION, "--once"]);
        command.args(options);
        command
    };
    let rows = json(top(&["--output", "json", "--sort", "shard"]));
    assert_eq!((&rows[0]["shard"], &rows[0]["owner"]), (&"shardId-000000000000".into(), &"one".into()));
    assert_eq!((&rows[1]["lag_ms"], &rows[1]["records_per_s"]), (&0.into(), &serde_json::Value::Null));
    let text = printed(top(&[]));
    assert!(text.contains("1 workers · lag at most 0ms · 0 shards without owner"), "{text}");
    worker.stop().await;
    let text = printed(local.command(&["top", "words"]));
    assert!(text.contains("2 open shards"), "no terminal is as --once: {text}");
    let (code, said) = failed(local.command(&["top", "wrods", "--once"]), "");
    assert_eq!(code, Some(1));
    assert!(said.contains("`wrods`"), "{said}");
}

#[test]
fn what_arrives_is_counted() {
    let local = Local::with("words:1");
    let mut command = local.command(&["top", "words", "--rates", "--once", "--every", "3s", "--output", "json"]);
    let top = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // It counts from its first look on, which can't be awaited: something arrives all the time.
    let mut top = Some(top);
    while top.as_mut().is_some_and(|top| top.try_wait().unwrap().is_none()) {
        local.put("words", "1\n2\n");
    }
    let output = top.take().unwrap().wait_with_output().unwrap();
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(rows[0]["records_per_s"].as_f64().unwrap() > 0.0, "{rows}");
}
