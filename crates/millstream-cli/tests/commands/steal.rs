//! `leases APP steal`, between two workers that live.

use millstream_kinesis::InitialPosition;
use millstream_lease::{Heartbeat, Lease};
use serde_json::json;

use super::support::{Local, failed, json, printed};
use super::worker::{APPLICATION, Worker, leases};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_goes_to_another_worker_and_no_record_is_read_twice() {
    steal_between(Heartbeat::Lease).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_live_by_sessions_hear_of_it_at_once() {
    // By themselves they look at the table each minute, and the handoff would take longer than the command waits.
    steal_between(Heartbeat::Worker).await;
}

async fn steal_between(heartbeat: Heartbeat) {
    let local = Local::with("words:3");
    let one = Worker::with(&local, "one", InitialPosition::TrimHorizon, heartbeat).await;
    let two = Worker::with(&local, "two", InitialPosition::TrimHorizon, heartbeat).await;
    let owned = |leases: &[Lease], worker: &str| {
        let is_owned = |lease: &&Lease| lease.owner.as_deref() == Some(worker) && lease.checkpoint_owner.is_none();
        leases.iter().filter(is_owned).count()
    };
    one.until(&local, |leases| owned(leases, "one") > 0 && owned(leases, "two") > 0 && leases.len() == 3).await;
    // From the one that has two: so the other one's share stays as even.
    let (from, to) = if owned(&leases(&local).await, "one") == 2 { ("one", "two") } else { ("two", "one") };
    local.put("words", &(0..30).map(|word| format!("{word}\n")).collect::<String>());
    let mut words = one.read(1).await;
    words.extend(two.read(1).await);
    let lease = leases(&local).await.into_iter().find(|lease| lease.owner.as_deref() == Some(from)).unwrap().key;

    let steal = |to: &str, options: &[&str]| {
        let mut command = local.command(&["leases", APPLICATION, "steal", &lease, "--to", to]);
        command.args(options);
        command
    };
    let plan = json(steal(to, &["--dry-run", "--output", "json"]));
    assert_eq!(plan, json!([{"lease": lease, "from": from, "to": to, "state": "would be asked for"}]));
    let (code, said) = failed(steal("nobody", &[]), "");
    assert_eq!(code, Some(1));
    assert!(said.contains("nothing is known of a worker `nobody`"), "{said}");

    assert_eq!(printed(steal(to, &["--timeout", "20s"])), format!("{lease}: from {from} to {to}: given over\n"));
    one.until(&local, |leases| owned(leases, to) == 2).await;
    while words.len() < 30 {
        words.extend(one.cut());
        words.extend(two.cut());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut numbers: Vec<u32> = words.iter().map(|word| word.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..30).collect::<Vec<_>>());
    one.stop().await;
    two.stop().await;
}
