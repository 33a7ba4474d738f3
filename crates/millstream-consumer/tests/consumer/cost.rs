//! What an idle fleet costs in DynamoDB: requests counted by the local service, with all clocks five times as fast.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_consumer::{Consumer, ConsumerConfig};
use millstream_kinesis::{AwsKinesis, InitialPosition, PollOptions};
use millstream_lease::{CoordinatorConfig, DynamoDbLeaseStore, Heartbeat, LeaseStore};
use millstream_local::{Fault, FaultKind, LocalConfig, LocalService};
use tokio::time::{Instant, sleep};

use crate::support;

const STREAM: &str = "orders";
const APPLICATION: &str = "application";
const SHARDS: usize = 100;
const WORKERS: usize = 4;
/// Clocks run so many times as fast as those of the defaults.
const PACE: u64 = 5;
/// As long as the longest interval of an idle worker.
const WINDOW: Duration = Duration::from_secs(60 / PACE);
/// Renewals of 100 leases a day by the KCL, each 3,308 ms (`DynamoDBLeaseRenewer`).
const RENEWALS_OF_KCL: u64 = 100 * 86_400_000 / 3_308;

/// Requests by operation since the counting began.
fn requests(service: &LocalService) -> BTreeMap<String, u64> {
    let counted = service.faults().list().into_iter();
    counted.filter_map(|counted| Some((counted.fault.operation?, counted.used))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_fleet_with_one_sign_of_life_a_worker_costs_a_twentieth_of_the_renewals() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    service.create_stream("us-east-1", STREAM, SHARDS as u32).await.unwrap();
    // A fault that does nothing counts.
    for operation in ["UpdateItem", "Scan", "GetItem", "PutItem", "DeleteItem", "Query", "BatchGetItem"] {
        let counter = Fault::new(FaultKind::Latency(Duration::ZERO));
        service.faults().inject(Fault { operation: Some(operation.to_owned()), ..counter });
    }
    let aws = support::settings(&service);
    let kinesis = Arc::new(AwsKinesis::connect(&aws).await.unwrap());
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let mut lease =
            CoordinatorConfig::new(format!("host-{number}:1b4e28ba-2fa1-11d2"), InitialPosition::TrimHorizon);
        lease.heartbeat = Heartbeat::Worker;
        lease.failover_ms /= PACE;
        lease.scan_interval_ms /= PACE;
        lease.shard_sync_ms /= PACE;
        let poll = PollOptions { idle_interval: Duration::from_secs(5), ..PollOptions::default() };
        let config = ConsumerConfig { poll, ..ConsumerConfig::new(STREAM, lease, number as u64) };
        let store = Arc::new(DynamoDbLeaseStore::connect(&aws, APPLICATION).await);
        workers.push(Consumer::start(kinesis.clone(), store, config).await.unwrap());
    }
    let store = DynamoDbLeaseStore::connect(&aws, APPLICATION).await;
    let began = Instant::now();
    loop {
        let mut shares: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for lease in store.scan().await.unwrap().into_iter().filter(|lease| lease.checkpoint_owner.is_none()) {
            *shares.entry(lease.owner).or_default() += 1;
        }
        if shares.len() == WORKERS && shares.values().all(|share| *share == SHARDS / WORKERS) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "never even: {shares:?}");
        sleep(Duration::from_millis(200)).await;
    }
    // What was told of the last changes is looked at.
    sleep(Duration::from_secs(2)).await;
    let before = requests(&service);
    sleep(WINDOW).await;
    let counted: BTreeMap<String, u64> = requests(&service)
        .into_iter()
        .map(|(operation, count)| (operation.clone(), count - before[&operation]))
        .collect();
    let a_day = counted.values().sum::<u64>() * 86_400 / (WINDOW.as_secs() * PACE);
    println!("{SHARDS} idle leases, {WORKERS} workers, {} s: {counted:?}; {a_day} requests a day", WINDOW.as_secs());
    assert!(a_day * 20 <= RENEWALS_OF_KCL, "{a_day} a day; {counted:?}");
    for mut worker in workers {
        worker.shutdown().await;
    }
    assert!(store.sessions().await.unwrap().versions.is_empty(), "sessions end in order");
    service.shutdown().await;
}
