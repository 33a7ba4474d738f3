//! `leases`: as they change, and set back or forward.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use millstream_kinesis::{AwsKinesis, Checkpoint, InitialPosition, Kinesis, StreamOrigin};
use millstream_lease::{Lease, LeaseStore, RenewOutcome};
use serde_json::{Value, json};

use super::support::{Local, end, failed, following, interrupt, json, next_line, printed};
use super::worker::{APPLICATION, Worker, leases, store};

/// `leases APP reset` of the stream `words`.
fn reset(local: &Local, to: &str, options: &[&str]) -> std::process::Command {
    let mut command = local.command(&["leases", APPLICATION, "reset", "--to", to, "--stream", "words"]);
    command.args(options);
    if !options.contains(&"--failover") {
        command.args(["--failover", "1s"]);
    }
    command
}

/// A stream whose one shard was split, with a word before and two after; all of it is processed.
async fn split_and_processed() -> Local {
    let local = Local::with("words:1");
    local.put("words", "before");
    let worker = Worker::start(&local, "w", InitialPosition::TrimHorizon).await;
    assert_eq!(worker.read(1).await, ["before"]);
    printed(local.command(&["reshard", "words", "--to", "2"]));
    // Keys that put gives to lines 1 to 8 go to both shards.
    local.put("words", "1\n2\n3\n4\n5\n6\n7\n8\n");
    worker.read(8).await;
    let is_processed = |lease: &Lease| matches!(lease.checkpoint, Checkpoint::At(_) | Checkpoint::ShardEnd);
    worker.until(&local, |leases| leases.len() >= 2 && leases.iter().all(is_processed)).await;
    worker.stop().await;
    local
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_printed_again() {
    let local = split_and_processed().await;
    let (child, mut out) = following(local.command(&["leases", APPLICATION, "--watch", "--every", "20ms"]));
    assert!(next_line(&mut out).starts_with("LEASE"));
    let shown = leases(&local).await;
    for lease in &shown {
        assert!(next_line(&mut out).starts_with(&lease.key));
    }
    store(&local).await.take(shown.last().unwrap(), "somebody").await.unwrap().unwrap();
    assert_eq!(next_line(&mut out), "\n");
    assert!(next_line(&mut out).starts_with("LEASE"));
    let again: Vec<String> = shown.iter().map(|_| next_line(&mut out)).collect();
    assert!(again.last().unwrap().contains("somebody"), "{again:?}");
    interrupt(&child);
    assert_eq!(end(child), (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lag_is_the_age_of_the_oldest_record_not_processed() {
    let local = split_and_processed().await;
    let lags = |rows: &Value| rows.as_array().unwrap().iter().map(|row| row["lag_ms"].clone()).collect::<Vec<_>>();
    let look = || json(local.command(&["leases", APPLICATION, "--lag", "--stream", "words", "--output", "json"]));
    assert!(lags(&look()).iter().all(|lag| *lag == 0), "{}", look());
    local.put("words", "1\n2\n3\n4\n5\n6\n7\n8\n");
    let behind = look();
    assert!(lags(&behind).iter().any(|lag| lag.as_i64().is_some_and(|ms| (1..60_000).contains(&ms))), "{behind}");
    let (code, said) = failed(local.command(&["leases", APPLICATION, "--lag"]), "");
    assert_eq!(code, Some(1));
    assert!(said.contains("--stream NAME"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_to_the_horizon_parents_are_read_first_again() {
    let local = split_and_processed().await;
    let before = leases(&local).await;
    let plan = json(reset(&local, "horizon", &["--dry-run", "--output", "json"]));
    let first = &plan[0];
    assert_eq!((&first["lease"], &first["to"]), (&json!("shardId-000000000000"), &json!("TRIM_HORIZON")));
    let deleted = plan.as_array().unwrap().iter().filter(|row| row["action"] == "delete").count();
    assert_eq!(deleted, 2, "{plan}");
    assert_eq!(leases(&local).await, before, "a dry run writes nothing");

    let (code, said) = failed(reset(&local, "horizon", &[]), "no\n");
    assert_eq!(code, Some(3));
    assert!(said.contains("Type app to go on") && said.contains("nothing was changed"), "{said}");
    assert_eq!(leases(&local).await, before);

    let output = super::support::run(reset(&local, "horizon", &[]), "app\n");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let after = leases(&local).await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].checkpoint.word(), &after[0].owner), ("TRIM_HORIZON", &None));

    // A worker that would begin at LATEST reads all the same.
    let worker = Worker::start(&local, "w", InitialPosition::Latest).await;
    let words = worker.read(9).await;
    assert_eq!((words.len(), words[0].as_str()), (9, "before"), "{words:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_is_the_first_record_from_then_on() {
    let local = split_and_processed().await;
    local.put("words", "late\n");
    let lines = printed(local.command(&["tail", "words", "--output", "json"]));
    let late = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).find(|row| row["data"] == "late");
    let time = DateTime::from_millis(late.unwrap()["arrival_ms"].as_i64().unwrap());
    let time = time.fmt(Format::DateTime).unwrap();
    printed(reset(&local, &time, &["--yes"]));
    assert!(leases(&local).await.iter().any(|lease| matches!(lease.checkpoint, Checkpoint::At(_))));
    let worker = Worker::start(&local, "w", InitialPosition::TrimHorizon).await;
    assert_eq!(worker.read(1).await, ["late"]);
    local.put("words", "later\n");
    assert_eq!(worker.read(1).await, ["later"]);
    worker.stop().await;
    let (code, said) = failed(reset(&local, "2999-01-01T00:00:00Z", &["--yes"]), "");
    assert_eq!(code, Some(2));
    assert!(said.contains("still to come"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_latest_on_what_came_before_is_passed_over() {
    let local = split_and_processed().await;
    local.put("words", "passed over\n");
    printed(reset(&local, "latest", &["--yes"]));
    local.put("words", "new\n");
    let worker = Worker::start(&local, "w", InitialPosition::TrimHorizon).await;
    assert_eq!(worker.read(1).await, ["new"]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_changed_under_workers_that_live() {
    let local = Local::with("words:1");
    let worker = Worker::start(&local, "alive", InitialPosition::TrimHorizon).await;
    worker.until(&local, |leases| leases.iter().any(|lease| lease.owner.is_some())).await;
    let (code, said) = failed(reset(&local, "latest", &["--yes", "--failover", "30s"]), "");
    assert_eq!(code, Some(3));
    assert!(said.contains("workers of `app` live: alive;"), "{said}");
    let held = leases(&local).await.remove(0);
    printed(reset(&local, "latest", &["--yes", "--force"]));
    assert!(matches!(store(&local).await.renew(&held).await.unwrap(), RenewOutcome::Lost { .. }));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leases_of_another_stream_are_left_alone() {
    let local = split_and_processed().await;
    let before = leases(&local).await;
    let mut other = local.command(&["leases", APPLICATION, "reset", "--to", "horizon", "--yes", "--stream", "nowords"]);
    other.args(["--failover", "1s"]);
    let (code, said) = failed(other, "");
    assert_eq!(code, Some(1));
    assert!(said.contains("nowords"), "{said}");
    assert_eq!(leases(&local).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_several_streams_is_reset_by_its_own_shards() {
    let local = Local::with("words:1");
    let kinesis = AwsKinesis::connect(&local.settings()).await.unwrap();
    kinesis.create_stream("letters", 2).await.unwrap();
    let store = store(&local).await;
    store.ensure().await.unwrap();
    for stream in ["words", "letters"] {
        let StreamOrigin { account, created_s } = kinesis.stream_origin(stream).await.unwrap();
        for shard in kinesis.list_shards(stream).await.unwrap() {
            let key = format!("{account}:{stream}:{created_s}:{}", shard.id);
            store.create(&Lease { key, ..Lease::of_shard(&shard, Checkpoint::TrimHorizon) }).await.unwrap();
        }
    }
    let latest = |options: &[&str]| {
        let mut command = local.command(&["leases", APPLICATION, "reset", "--to", "latest", "--yes"]);
        command.args(options);
        command
    };
    let words = json(latest(&["--stream", "words", "--output", "json"]));
    assert_eq!(words.as_array().unwrap().len(), 1, "{words}");
    printed(latest(&[]));
    let after = leases(&local).await;
    assert_eq!(after.len(), 3);
    assert!(after.iter().all(|lease| lease.checkpoint == Checkpoint::Latest && lease.latest_since_ms.is_some()));

    // The leases of a stream that had the name before are not those of the one that has it now.
    let StreamOrigin { account, created_s } = kinesis.stream_origin("words").await.unwrap();
    let key = format!("{account}:words:{}:shardId-000000000000", created_s - 1);
    store.create(&Lease { key, ..after[0].clone() }).await.unwrap();
    let (code, said) = failed(latest(&["--stream", "words"]), "");
    assert_eq!(code, Some(1));
    assert!(said.contains("are not those of stream `words` (as it is now)"), "{said}");
}
