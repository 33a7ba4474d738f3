//! The lease table in a real DynamoDB service, the local one.

mod fleet;
mod migration;
mod table;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use millstream_kinesis::{Checkpoint, HashKeyRange, Position, Shard};
use millstream_lease::store::conformance;
use millstream_lease::{Lease, LeaseStore, RenewOutcome, StoreError};
use table::{TABLE, Table};

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
