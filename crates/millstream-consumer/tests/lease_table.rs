//! The lease table in a real DynamoDB service, the local one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use millstream_kinesis::{AwsSettings, Checkpoint, CredentialsSource, Position};
use millstream_lease::store::conformance;
use millstream_lease::{DynamoDbLeaseStore, LeaseStore, StoreError};
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
        let settings = AwsSettings {
            region: "us-east-1".to_owned(),
            kinesis_endpoint: Some(service.endpoint()),
            dynamodb_endpoint: None,
            credentials: CredentialsSource::Static {
                access_key: "test".to_owned(),
                secret_key: "test".to_owned(),
                session_token: None,
            },
        };
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
        .item("somethingNew", text("kept"))
        .send()
        .await
        .unwrap();

    let seen = table.store.scan().await.unwrap().pop().expect("the lease");
    let at = Position { sequence: sequence.parse().unwrap(), sub: 3 };
    assert_eq!((seen.owner.as_deref(), seen.counter, &seen.checkpoint), (Some("java-1"), 40, &Checkpoint::At(at)));
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
    assert!(!item.contains_key("pendingCheckpoint"), "removed by a checkpoint");
    assert!(table.store.take(&seen, "late").await.unwrap().is_none(), "who saw an old counter does not get it");
    table.service.shutdown().await;
}

/// Rows of the single table of KCL 3.5 that are no leases.
#[tokio::test]
async fn rows_of_other_kinds_are_left_alone() {
    let table = Table::new().await;
    table.store.ensure().await.unwrap();
    for (key, kind) in [("Leader", "LEADER"), ("worker-1", "WORKER_METRIC_STATS")] {
        let put = table.client.put_item().table_name(TABLE).item("leaseKey", AttributeValue::S(key.to_owned()));
        put.item("entityType", AttributeValue::S(kind.to_owned())).send().await.unwrap();
    }
    assert!(table.store.scan().await.unwrap().is_empty());
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
