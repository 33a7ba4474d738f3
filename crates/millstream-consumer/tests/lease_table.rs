//! The lease table in a real DynamoDB service, the local one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use millstream_kinesis::{Checkpoint, HashKeyRange, Position, Shard};
use millstream_lease::fleet::{Fleet, Layout, Metric};
use millstream_lease::store::conformance;
use millstream_lease::{DynamoDbLeaseStore, Lease, LeaseStore, RenewOutcome, StoreError};
use millstream_local::{LocalConfig, LocalService};

const TABLE: &str = "application";

struct Table {
    service: LocalService,
    store: DynamoDbLeaseStore,
    client: Client,
}

impl Table {
    async fn new() -> Self {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        let settings = support::settings(&service);
        let store = DynamoDbLeaseStore::connect(&settings, TABLE).await;
        let config = settings.load().await.into_builder().endpoint_url(service.endpoint()).build();
        Self { service, store, client: Client::new(&config) }
    }

    async fn item(&self, key: &str) -> HashMap<String, AttributeValue> {
        let key = AttributeValue::S(key.to_owned());
        let answer = self.client.get_item().table_name(TABLE).key("leaseKey", key).send().await.unwrap();
        answer.item.expect("an item")
    }
}

#[tokio::test]
async fn it_keeps_every_promise_of_a_lease_store() {
    let table = Table::new().await;
    conformance::run(&table.store).await;
    table.service.shutdown().await;
}

/// A row as Java KCL 3.1.3 wrote it, with attributes that this store does not know.
#[tokio::test]
async fn a_row_of_the_java_library_is_taken_over_and_keeps_what_is_not_ours() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: &str| AttributeValue::N(value.to_owned());
    let sequence = "49680485150637352251675723497566702559855099864716148738";
    let put = table.client.put_item().table_name(TABLE);
    put.item("leaseKey", text("shardId-000000000000"))
        .item("leaseOwner", text("java-1"))
        .item("leaseCounter", number("40"))
        .item("checkpoint", text(sequence))
        .item("checkpointSubSequenceNumber", number("3"))
        .item("ownerSwitchesSinceCheckpoint", number("0"))
        .item("startingHashKey", text("0"))
        .item("endingHashKey", text("113427455640312821154458202477256070484"))
        .item("throughputKBps", number("4.6E-5"))
        .item("pendingCheckpoint", text(sequence))
        .item("pendingCheckpointSubSequenceNumber", number("9"))
        .item("pendingCheckpointState", AttributeValue::B(Blob::new(*b"prepared")))
        .item("childShardIds", AttributeValue::Ss(vec!["shardId-000000000004".to_owned()]))
        .item("somethingNew", text("kept"))
        .send()
        .await
        .unwrap();

    let seen = table.store.scan().await.unwrap().pop().expect("the lease");
    let at = Position { sequence: sequence.parse().unwrap(), sub: 3 };
    assert_eq!((seen.owner.as_deref(), seen.counter, &seen.checkpoint), (Some("java-1"), 40, &Checkpoint::At(at)));
    let prepared = Position { sequence: sequence.parse().unwrap(), sub: 9 };
    assert_eq!(seen.pending_checkpoint, Some(Checkpoint::At(prepared)));
    assert_eq!(seen.pending_state.as_deref(), Some(&b"prepared"[..]));
    assert_eq!(seen.children, ["shardId-000000000004".into()]);
    let taken = table.store.take(&seen, "ours").await.unwrap().expect("taken");
    let end = Position { sequence: sequence.parse().unwrap(), sub: 4 };
    let counter = table.store.checkpoint(&taken, &Checkpoint::At(end), &[]).await.unwrap();
    assert_eq!(counter, Some(taken.counter + 1));

    let item = table.item("shardId-000000000000").await;
    assert_eq!(item["leaseOwner"], text("ours"));
    assert_eq!(item["leaseCounter"], number("42"));
    assert_eq!(item["checkpointSubSequenceNumber"], number("4"));
    assert_eq!(item["ownerSwitchesSinceCheckpoint"], number("0"), "a checkpoint resets it");
    assert_eq!(item["somethingNew"], text("kept"));
    assert!(item["throughputKBps"].as_n().unwrap().parse::<f64>().unwrap() > 0.0);
    assert_eq!(item["childShardIds"], AttributeValue::Ss(vec!["shardId-000000000004".to_owned()]));
    assert!(!item.keys().any(|name| name.starts_with("pending")), "removed by a checkpoint: {item:?}");
    assert!(table.store.take(&seen, "late").await.unwrap().is_none(), "who saw an old counter does not get it");
    table.service.shutdown().await;
}

/// Rows of the single table of KCL 3.5 that are no leases, and one of nobody knows whom.
#[tokio::test]
async fn rows_of_other_kinds_are_left_alone() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    let rows = [("Leader", Some("LEADER")), ("worker-1", Some("WORKER_METRIC_STATS")), ("somebody's", None)];
    for (key, kind) in rows {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let mut put = table.client.put_item().table_name(TABLE).item("leaseKey", text(key)).item("value", text("kept"));
        if let Some(kind) = kind {
            put = put.item("entityType", text(kind));
        }
        put.send().await.unwrap();
    }
    assert!(table.store.scan().await.unwrap().is_empty());
    for (key, _) in rows {
        let before = table.item(key).await;
        let shard = Shard {
            id: key.into(),
            parents: Vec::new(),
            hash_range: HashKeyRange::ALL,
            first: 1u128.into(),
            last: None,
        };
        let lease = Lease { owner: Some("a".to_owned()), ..Lease::of_shard(&shard, Checkpoint::TrimHorizon) };
        assert!(table.store.get(key).await.unwrap().is_none());
        assert!(!table.store.create(&lease).await.unwrap());
        assert!(table.store.take(&lease, "b").await.unwrap().is_none());
        assert!(matches!(table.store.renew(&lease).await.unwrap(), RenewOutcome::Lost { .. }));
        assert!(!table.store.request_handoff(&lease, "b").await.unwrap());
        assert!(table.store.checkpoint(&lease, &Checkpoint::ShardEnd, &[]).await.unwrap().is_none());
        assert_eq!(table.item(key).await, before);
    }
    table.service.shutdown().await;
}

impl Table {
    async fn put(&self, table: &str, texts: &[(&str, &str)], numbers: &[(&str, u64)]) {
        let texts = texts.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())));
        let numbers = numbers.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::N(value.to_string())));
        let item = texts.chain(numbers).collect();
        self.client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    async fn create(&self, table: &str, key: &str) {
        let attribute = AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(key).key_type(KeyType::Hash).build().unwrap();
        let create = self.client.create_table().table_name(table).key_schema(key);
        let create = create.attribute_definitions(attribute.build().unwrap());
        create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

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
    assert_eq!((seen.client_version.as_deref(), seen.layout), (Some(version), Layout::OneTable));
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
    table.create("application-CoordinatorState", "key").await;
    let fleet = table.store.fleet().unwrap();
    for layout in [Layout::OneTable, Layout::ThreeTables] {
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
    assert_eq!(seen.layout, Layout::ThreeTables);
    assert_eq!(seen.client_version.as_deref(), Some("CLIENT_VERSION_UPGRADE_FROM_2X"));
    assert_eq!(seen.workers.len(), 1);
    fleet.report("ours", seen.layout).await.unwrap();
    assert_eq!(fleet.look().await.unwrap().workers.iter().filter(|worker| worker.is_ours).count(), 1);
    assert!(table.store.scan().await.unwrap().is_empty());
    fleet.retire("ours", seen.layout).await.unwrap();

    table.put(state, &[("key", "TableMigration3.5"), ("tm", "TABLE_MIGRATION_STATUS_COMPLETE")], &[]).await;
    assert_eq!(fleet.look().await.unwrap().layout, Layout::OneTable);
    table.service.shutdown().await;
}

#[tokio::test]
async fn a_table_of_another_kind_is_refused_by_name() {
    let table = Table::new().await;
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::N);
    let create = table.client.create_table().table_name(TABLE).key_schema(key);
    create.attribute_definitions(id.build().unwrap()).billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    let error = table.store.ensure().await.unwrap_err();
    assert!(matches!(&error, StoreError::WrongTable { table, .. } if table == TABLE), "{error}");
    table.service.shutdown().await;
}
