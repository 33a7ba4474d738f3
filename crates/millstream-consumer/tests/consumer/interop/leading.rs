//! A fleet of the KCL 3: with a leader, graceful handoffs, and one stream or two.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use millstream_kinesis::Kinesis;
use millstream_lease::LeaseStore;

use super::world::{APPLICATION, OTHER_STREAM, SHARDS, STREAM, World, minutes};

/// A worker of ours joins a fleet led by Java, is assigned its share by graceful handoffs, gives it back at its stop, joins again,
/// and takes over all when Java is killed. Then it leads: another Java worker is given its share by ours, and leads when ours
/// has stopped.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_and_ours_share_a_stream() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let java = world.java("java");
    world.java_reads(SHARDS).await;
    mark(&world).await;

    let ours = world.ours("ours").await;
    world.share("ours is assigned its share", ["java", "ours"], Some(&ours), minutes(4)).await;
    assert_eq!(world.repeated(), 0, "a handoff from Java to ours repeats nothing");

    ours.stop().await;
    world.has_all("java", None, minutes(4)).await;
    println!("repeated after a stop of ours: {}", world.repeated());

    let ours = world.ours("ours-2").await;
    world
        .run("a second worker of ours is assigned something", Some(&ours), minutes(4), |_, owners| {
            owners.contains_key("ours-2")
        })
        .await;
    drop(java);
    world.has_all("ours-2", Some(&ours), minutes(2)).await;
    world.all_is_processed(Some(&ours)).await;
    let repeated = world.repeated();

    let _java = world.java("java-2");
    world.share("ours gives Java its share", ["java-2", "ours-2"], Some(&ours), minutes(5)).await;
    assert_eq!(world.leads.as_deref(), Some("ours-2"));
    assert_eq!(world.repeated(), repeated, "a handoff from ours to Java repeats nothing");

    ours.stop().await;
    let lock = world.store.fleet().unwrap().look().await.unwrap().lock;
    assert!(lock.is_none_or(|lock| lock.is_released), "the lock is given back");
    world.has_all("java-2", None, minutes(2)).await;
    assert_eq!(world.leads.as_deref(), Some("java-2"));
    assert_eq!(marked(&world).await, SHARDS, "what neither knows stays in the leases");
    world.service.shutdown().await;
}

/// Writes an attribute that nobody knows into each lease.
async fn mark(world: &World) {
    for lease in &world.leases {
        let update = world.table().await.update_item().table_name(APPLICATION);
        let update = update.key("leaseKey", AttributeValue::S(lease.key.clone())).update_expression("SET mark = :mark");
        update.expression_attribute_values(":mark", AttributeValue::N("7".to_owned())).send().await.unwrap();
    }
}

/// How many leases have it.
async fn marked(world: &World) -> usize {
    let scan = world.table().await.scan().table_name(APPLICATION).filter_expression("mark = :mark");
    let found = scan.expression_attribute_values(":mark", AttributeValue::N("7".to_owned())).send().await.unwrap();
    usize::try_from(found.count()).unwrap()
}

/// Java reads two streams; a worker of ours that reads the same ones is assigned its share by graceful handoffs, and takes over all
/// when Java is killed. Both call the leases alike.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_and_ours_share_two_streams() {
    let mut world = World::new().await;
    // Any epoch will do: it is Java's program that says it.
    world.streams = [STREAM, OTHER_STREAM].map(|stream| format!("000000000000:{stream}:12345")).join(",");
    for stream in [STREAM, OTHER_STREAM] {
        world.kinesis.create_stream(stream, SHARDS as u32 / 2).await.unwrap();
    }
    let java = world.java("java");
    world.java_reads(SHARDS).await;
    let before: BTreeSet<String> = world.store.scan().await.unwrap().into_iter().map(|lease| lease.key).collect();
    assert!(before.contains("000000000000:clicks:12345:shardId-000000000000"), "{before:?}");

    let mut ours = world.ours("ours").await;
    world.share("ours is assigned its share", ["java", "ours"], Some(&ours), minutes(4)).await;
    assert_eq!(world.repeated(), 0, "a handoff from Java to ours repeats nothing");
    drop(java);
    world.has_all("ours", Some(&ours), minutes(2)).await;
    world.all_is_processed(Some(&ours)).await;
    let after: BTreeSet<String> = world.store.scan().await.unwrap().into_iter().map(|lease| lease.key).collect();
    assert_eq!(before, after, "the same leases");
    ours.consumer.shutdown().await;
    world.service.shutdown().await;
}
