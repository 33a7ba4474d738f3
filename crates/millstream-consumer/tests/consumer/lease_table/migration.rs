//! The moves of a fleet of KCL workers, made by a worker of ours that leads.

use std::collections::VecDeque;

use aws_sdk_dynamodb::types::AttributeValue;
use millstream_kinesis::{HashKeyRange, InitialPosition, Shard};
use millstream_lease::fleet::{Index, Layout};
use millstream_lease::migration::{ClientVersion, ClientVersionConfig, MigrationStep, TableStatus};
use millstream_lease::{Action, Coordinator, CoordinatorConfig, Event, LeaseStore, execute};

use super::table::{TABLE, Table, now_s};

const STATE: &str = "application-CoordinatorState";
const WORKERS: &str = "application-WorkerMetricStats";

/// A worker's coordinator on the store, with a clock of its own: a second of it is over at once.
struct Worker {
    coordinator: Coordinator,
    name: String,
    now_ms: u64,
}

impl Worker {
    fn new(name: &str, change: impl FnOnce(&mut CoordinatorConfig)) -> Self {
        let mut config = CoordinatorConfig::new(name, InitialPosition::TrimHorizon);
        change(&mut config);
        Worker { coordinator: Coordinator::new(config, 1), name: name.to_owned(), now_ms: 0 }
    }

    async fn run_for(&mut self, table: &Table, seconds: u64) {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let mut events = VecDeque::from([Event::Tick]);
            while let Some(event) = events.pop_front() {
                for action in self.coordinator.step(event, self.now_ms) {
                    match action {
                        Action::ListShards { stream } => {
                            events.push_back(Event::ShardsListed { stream, shards: vec![shard()] });
                        }
                        Action::StopReading { key, drain: true } => events.push_back(Event::Drained { key }),
                        action => {
                            events.extend(execute(&table.store, &self.name, &action).await.map(|answer| answer.event));
                        }
                    }
                }
            }
        }
    }
}

fn shard() -> Shard {
    let id = "shardId-000000000000".into();
    Shard { id, parents: Vec::new(), hash_range: HashKeyRange::ALL, first: 1u128.into(), last: None }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// The words of a row and of its history, the latest first.
fn words(item: &std::collections::HashMap<String, AttributeValue>, word: &str) -> Vec<String> {
    let before = item["h"].as_l().unwrap().iter().map(|entry| entry.as_m().unwrap()[word].as_s().unwrap().clone());
    std::iter::once(item[word].as_s().unwrap().clone()).chain(before).collect()
}

#[tokio::test]
async fn a_worker_takes_its_fleet_from_version_2_to_3_and_back() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let mut worker = Worker::new("ours", |config| {
        config.migration.client_version = Some(ClientVersionConfig::CompatibleWith2x);
    });
    worker.run_for(&table, 120).await;
    let row = table.item("Migration3.0").await;
    assert_eq!(words(&row, "cv"), ["CLIENT_VERSION_UPGRADE_FROM_2X", "CLIENT_VERSION_INIT"]);
    assert_eq!((&row["entityType"], &row["mb"]), (&text("CLIENT_VERSION_MIGRATION"), &text("ours")));
    assert!(row["mts"].as_n().unwrap().parse::<u64>().unwrap() / 1_000 + 60 > now_s());
    let seen = table.store.fleet().unwrap().look().await.unwrap();
    assert_eq!((seen.index, seen.workers.len()), (Index::Active, 1), "{seen:?}");
    worker.run_for(&table, 600).await;
    let flipped = ["CLIENT_VERSION_3X_WITH_ROLLBACK", "CLIENT_VERSION_UPGRADE_FROM_2X", "CLIENT_VERSION_INIT"];
    assert_eq!(words(&table.item("Migration3.0").await, "cv"), flipped);

    // As the KCL's migration tool rolls back.
    let update = table.client.update_item().table_name(TABLE).key("leaseKey", text("Migration3.0"));
    let update = update.update_expression("SET cv = :to").expression_attribute_values(":to", text("CLIENT_VERSION_2X"));
    update.send().await.unwrap();
    worker.run_for(&table, 130).await;
    assert!(table.find(TABLE, "leaseKey", "ours").await.is_none(), "nobody reports in version 2");
    assert_eq!(table.store.scan().await.unwrap()[0].owner.as_deref(), Some("ours"), "the lease stays");
    table.service.shutdown().await;
}

#[tokio::test]
async fn of_two_workers_that_take_a_step_one_is_refused() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let fleet = table.store.fleet().unwrap();
    for (from, to) in [(None, ClientVersion::UpgradeFrom2x), (Some(ClientVersion::UpgradeFrom2x), ClientVersion::V3x)] {
        let step = MigrationStep::Version { from, to };
        assert!(fleet.migrate("a", step, Layout::OneTable).await.unwrap());
        assert!(!fleet.migrate("b", step, Layout::OneTable).await.unwrap());
    }
    assert_eq!(table.item("Migration3.0").await["mb"], text("a"));
    assert!(fleet.migrate("a", MigrationStep::MakeIndex, Layout::OneTable).await.unwrap());
    assert!(!fleet.migrate("b", MigrationStep::MakeIndex, Layout::OneTable).await.unwrap());
    table.service.shutdown().await;
}

/// A row of Java's, as the KCL 3.4 leaves it, and one of a stream.
#[tokio::test]
async fn a_worker_takes_its_fleet_from_three_tables_to_one() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    table.create(STATE, "key").await;
    table.create(WORKERS, "wid").await;
    table.put(STATE, &[("key", "Migration3.0"), ("cv", "CLIENT_VERSION_3X"), ("mb", "java-1")], &[("mts", 7)]).await;
    table.put(STATE, &[("key", "1:s:1"), ("entityType", "STREAM"), ("streamId", "id")], &[]).await;
    table.put(WORKERS, &[("wid", "java-1")], &[("lut", now_s()), ("sup", 1)]).await;
    let mut worker = Worker::new("ours", |config| {
        config.migration.moves_to_lease_table = Some(true);
        (config.migration.deployed_after_s, config.migration.complete_after_s) = (0, 0);
    });
    worker.run_for(&table, 60).await;
    let row = table.find(STATE, "key", "TableMigration3.5").await.expect("the row of the move");
    assert_eq!(words(&row, "tm")[0], "TABLE_MIGRATION_STATUS_DEPLOYED", "java-1 writes to three tables");
    assert!(table.find(WORKERS, "wid", "ours").await.is_none(), "this worker's row has moved");
    assert_eq!(table.item("ours").await["entityType"], text("WORKER_METRIC_STATS"));
    assert!(table.find(STATE, "key", "Leader").await.is_some(), "the lock has not");

    // A program with the setting is deployed in its place.
    let java = [("leaseKey", "java-1"), ("entityType", "WORKER_METRIC_STATS")];
    table.put(TABLE, &java, &[("lut", now_s()), ("sup", 1)]).await;
    table.put(WORKERS, &[("wid", "java-1")], &[("lut", now_s() - 100), ("sup", 1)]).await;
    worker.run_for(&table, 60).await;
    let beside = table.find(STATE, "key", "TableMigration3.5").await.expect("the row of the move");
    let names = ["COMPLETE", "PENDING", "DEPLOYED", "INIT", "INIT"];
    let names: Vec<String> = names.iter().map(|name| format!("TABLE_MIGRATION_STATUS_{name}")).collect();
    assert_eq!(words(&beside, "tm"), names);
    let here = table.item("TableMigration3.5").await;
    assert_eq!((words(&here, "tm"), &here["entityType"]), (names, &text("TABLE_MIGRATION")));
    let version = table.item("Migration3.0").await;
    assert_eq!((&version["entityType"], &version["mb"]), (&text("CLIENT_VERSION_MIGRATION"), &text("java-1")));
    assert_eq!(table.item("1:s:1").await["streamId"], text("id"));
    for moved in ["Migration3.0", "1:s:1"] {
        assert!(table.find(STATE, "key", moved).await.is_none(), "{moved}");
    }
    let old = table.find(STATE, "key", "Leader").await.expect("the old lock");
    assert_eq!(old["isReleased"], text("1"));
    let lock = table.item("Leader").await;
    assert_eq!((&lock["ownerName"], &lock["entityType"]), (&text("ours"), &text("LEADER")));
    table.service.shutdown().await;
}

#[tokio::test]
async fn rows_move_while_this_worker_leads_and_not_otherwise() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    table.create(STATE, "key").await;
    table.put(STATE, &[("key", "Migration3.0"), ("cv", "CLIENT_VERSION_3X"), ("mb", "java-1")], &[("mts", 7)]).await;
    table.put(STATE, &[("key", "Leader"), ("ownerName", "java-1")], &[]).await;
    let fleet = table.store.fleet().unwrap();
    let status = |from, to| MigrationStep::Table { from, to };
    assert!(!fleet.migrate("ours", MigrationStep::MoveState, Layout::Moving).await.unwrap());
    assert!(table.find(STATE, "key", "Migration3.0").await.is_some());
    assert!(fleet.migrate("ours", status(None, TableStatus::Init), Layout::Moving).await.unwrap());
    let pending = status(Some(TableStatus::Init), TableStatus::Pending);
    assert!(fleet.migrate("ours", pending, Layout::Moving).await.unwrap());
    assert!(!fleet.migrate("ours", MigrationStep::ForgetTable, Layout::Moving).await.unwrap(), "it has gone on");
    let complete = status(Some(TableStatus::Pending), TableStatus::Complete);
    assert!(!fleet.migrate("ours", complete, Layout::Moving).await.unwrap());
    assert!(fleet.migrate("java-1", MigrationStep::MoveState, Layout::Moving).await.unwrap());
    // The version's row is found where it is.
    let next = MigrationStep::Version { from: Some(ClientVersion::V3x), to: ClientVersion::V2x };
    assert!(fleet.migrate("ours", next, Layout::Moving).await.unwrap());
    assert!(fleet.migrate("java-1", complete, Layout::Moving).await.unwrap());
    assert_eq!(words(&table.item("TableMigration3.5").await, "tm")[0], "TABLE_MIGRATION_STATUS_COMPLETE");
    table.service.shutdown().await;
}
