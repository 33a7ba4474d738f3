//! Rows of a fleet of KCL 3 workers.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use millstream_lease::LeaseStore;
use millstream_lease::fleet::{Fleet, Layout, Metric};
use millstream_lease::migration::{ClientVersion, TableStatus};

use super::table::{TABLE, Table, now_s};

/// Rows as Java KCL 3.5.1 writes them, all in the lease table.
#[tokio::test]
async fn a_fleet_with_one_table_is_seen_and_joined() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let fleet = table.store.fleet().unwrap();
    assert_eq!(fleet.look().await.unwrap(), Fleet::default());

    table
        .put(TABLE, &[("leaseKey", "s0"), ("entityType", "LEASE"), ("checkpoint", "LATEST")], &[("leaseCounter", 1)])
        .await;
    table.put(TABLE, &[("leaseKey", "Leader"), ("entityType", "LEADER"), ("ownerName", "java-1")], &[]).await;
    let version = "CLIENT_VERSION_3X";
    let migration = [("leaseKey", "Migration3.0"), ("entityType", "CLIENT_VERSION_MIGRATION"), ("cv", version)];
    table.put(TABLE, &migration, &[]).await;
    let row = [("leaseKey", "java-1"), ("entityType", "WORKER_METRIC_STATS")];
    table.put(TABLE, &row, &[("lut", now_s() - 100), ("sup", 1)]).await;
    fleet.report("ours:1", Layout::OneTable).await.unwrap();

    let mut seen = fleet.look().await.unwrap();
    seen.workers.sort_by(|left, right| left.id.cmp(&right.id));
    assert_eq!((seen.client_version, seen.has_legacy_tables), (Some(ClientVersion::V3x), false));
    let [java, ours] = &seen.workers[..] else { panic!("{seen:?}") };
    assert!(java.id == "java-1" && !java.is_ours && (100..160).contains(&java.age_s), "{java:?}");
    assert!(ours.id == "ours:1" && ours.is_ours && ours.age_s < 60, "{ours:?}");
    let item = table.item("ours:1").await;
    assert_eq!(item["entityType"], AttributeValue::S("WORKER_METRIC_STATS".to_owned()));
    for name in ["sts", "opr"] {
        assert_eq!(item[name], AttributeValue::M(HashMap::new()), "no metric: the leader balances by throughput");
    }
    assert_eq!(item["sup"], AttributeValue::N("1".to_owned()));
    assert!(item["lut"].as_n().unwrap().parse::<u64>().unwrap() + 60 > now_s());
    assert_eq!(table.store.scan().await.unwrap().len(), 1, "only the lease is one");

    // A worker that is called as a lease or as a Java worker does not write over either.
    assert!(fleet.report("s0", Layout::OneTable).await.is_err());
    assert!(fleet.retire("java-1", Layout::OneTable).await.is_err());
    fleet.retire("ours:1", Layout::OneTable).await.unwrap();
    assert_eq!(fleet.look().await.unwrap().workers.len(), 1);
    table.service.shutdown().await;
}

/// The lock as `AmazonDynamoDBLockClient` writes it, in both layouts.
#[tokio::test]
async fn one_worker_leads() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let fleet = table.store.fleet().unwrap();
    for layout in [Layout::OneTable, Layout::ThreeTables] {
        if layout == Layout::ThreeTables {
            table.create("application-CoordinatorState", "key").await;
        }
        let seen = async || fleet.look().await.unwrap().lock;
        let first = fleet.take_lead("a", None, layout).await.unwrap().expect("the lock");
        assert_eq!(fleet.take_lead("b", None, layout).await.unwrap(), None, "there is one");
        let lock = seen().await.unwrap();
        assert_eq!((lock.owner.as_str(), &lock.version, lock.duration_ms), ("a", &first, 120_000));
        let second = fleet.keep_lead("a", &first, layout).await.unwrap().expect("still the lock");
        assert_ne!(first, second);
        assert_eq!(fleet.take_lead("b", Some(&lock), layout).await.unwrap(), None, "it was renewed since it was seen");
        assert_eq!(fleet.keep_lead("b", &second, layout).await.unwrap(), None, "it is another worker's");

        // Of a leader that is gone, and of one that has given it back.
        let lock = seen().await.unwrap();
        let third = fleet.take_lead("b", Some(&lock), layout).await.unwrap().expect("the lock");
        assert_eq!(fleet.keep_lead("a", &second, layout).await.unwrap(), None);
        fleet.resign("a", &second, layout).await.unwrap();
        assert!(!seen().await.unwrap().is_released, "only its holder gives it back");
        fleet.resign("b", &third, layout).await.unwrap();
        let lock = seen().await.unwrap();
        assert!(lock.is_released);
        fleet.take_lead("a", Some(&lock), layout).await.unwrap().expect("the lock");
        assert!(!seen().await.unwrap().is_released);
        if layout == Layout::OneTable {
            assert_eq!(table.item("Leader").await["entityType"], AttributeValue::S("LEADER".to_owned()));
            let key = AttributeValue::S("Leader".to_owned());
            table.client.delete_item().table_name(TABLE).key("leaseKey", key).send().await.unwrap();
        }
    }
    assert!(table.store.scan().await.unwrap().is_empty(), "no lease");
    table.service.shutdown().await;
}

/// What Java workers measure of themselves.
#[tokio::test]
async fn metrics_are_read_and_those_that_cannot_be_relied_on_are_not() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let numbers = |values: &[&str]| {
        AttributeValue::L(values.iter().map(|value| AttributeValue::N((*value).to_owned())).collect())
    };
    let rows: [(&str, &[&str], Option<&str>); 4] = [
        ("good", &["40.0", "60.0"], Some("80")),
        ("failing", &["40.0", "-1.0"], Some("80")),
        ("no-limit", &["40.0"], Some("0")),
        ("no-range", &["40.0"], None),
    ];
    for (worker, measured, limit) in rows {
        let map = |values: Option<AttributeValue>| {
            AttributeValue::M(values.into_iter().map(|values| ("C".to_owned(), values)).collect())
        };
        let put = table.client.put_item().table_name(TABLE).item("leaseKey", AttributeValue::S(worker.to_owned()));
        let put = put.item("entityType", AttributeValue::S("WORKER_METRIC_STATS".to_owned()));
        let put = put.item("lut", AttributeValue::N(now_s().to_string())).item("sts", map(Some(numbers(measured))));
        put.item("opr", map(limit.map(|limit| numbers(&[limit])))).send().await.unwrap();
    }
    let seen = table.store.fleet().unwrap().look().await.unwrap().workers;
    for worker in seen {
        let expected = (worker.id == "good").then(|| [("C".to_owned(), Metric { value: 50.0, limit: 80.0 })].into());
        assert_eq!(worker.utilisation, expected, "{}", worker.id);
    }
    table.service.shutdown().await;
}

/// The tables of KCL 3.0 to 3.4, and those of a fleet that has moved them into one.
#[tokio::test]
async fn a_fleet_with_three_tables_is_seen_and_joined() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let (state, workers) = ("application-CoordinatorState", "application-WorkerMetricStats");
    table.create(state, "key").await;
    table.create(workers, "wid").await;
    table.put(state, &[("key", "Migration3.0"), ("cv", "CLIENT_VERSION_UPGRADE_FROM_2X")], &[]).await;
    table.put(workers, &[("wid", "java-1")], &[("lut", now_s())]).await;

    let fleet = table.store.fleet().unwrap();
    let seen = fleet.look().await.unwrap();
    assert!(seen.has_legacy_tables);
    assert_eq!(seen.client_version, Some(ClientVersion::UpgradeFrom2x));
    assert_eq!(seen.workers.len(), 1);
    fleet.report("ours", Layout::ThreeTables).await.unwrap();
    assert_eq!(fleet.look().await.unwrap().workers.iter().filter(|worker| worker.is_ours).count(), 1);
    assert!(table.store.scan().await.unwrap().is_empty());
    fleet.retire("ours", Layout::ThreeTables).await.unwrap();

    table.put(state, &[("key", "TableMigration3.5"), ("tm", "TABLE_MIGRATION_STATUS_COMPLETE")], &[]).await;
    let migration = fleet.look().await.unwrap().table_migration.unwrap();
    assert_eq!(migration.status, TableStatus::Complete);
    table.service.shutdown().await;
}
