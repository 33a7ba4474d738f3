//! Handoffs of workers that do not come back from what they process: the lease goes after the timeout, and what was in flight is
//! processed again.

use millstream_kinesis::Kinesis;

use super::world::{HANDOFF, SHARDS, STREAM, World, minutes};

/// Leases are balanced by their number. By load there is less and less to move from a worker that stands still: what it
/// measures halves at each renewal.
const BY_COUNT: &str = "leaseAssignmentStrategy=LEASE_COUNT_BASED";

/// Java, whose processors stand still from some record on, leads and gives ours its share all the same.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_that_stands_still_gives_its_shards_up() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let timeout = format!("gracefulLeaseHandoffTimeoutMillis={}", HANDOFF.as_millis());
    let java = world.java_of("KCL_CLASSPATH", "java", &["stuck=64", &timeout, BY_COUNT]);
    world.run("Java stands still", None, minutes(4), |world, _| world.told.lock().unwrap().len() == SHARDS).await;
    assert_eq!(world.repeated(), 0);

    let ours = world.ours("ours").await;
    world.share("ours has its share", ["java", "ours"], Some(&ours), minutes(4)).await;
    drop(java);
    world.has_all("ours", Some(&ours), minutes(1)).await;
    world.all_is_processed(Some(&ours)).await;
    assert!(world.repeated() >= SHARDS, "what Java was at is processed again");
    assert_eq!(world.out_of_order(), None);
}

/// Ours does not finish what it was given; Java has its share all the same, and all of it is processed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn ours_that_stands_still_gives_its_shards_up() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let ours = world.ours("ours").await;
    world.has_all("ours", Some(&ours), minutes(1)).await;
    // In flight for good: neither processed nor failed.
    world
        .run("ours was given something of each shard", None, minutes(1), |world, _| {
            world.put > 200 && ours.consumer.cut().unwrap().inputs.len() == SHARDS
        })
        .await;

    let _java = world.java_of("KCL_CLASSPATH", "java", &[BY_COUNT]);
    world.share("Java has its share", ["java", "ours"], None, minutes(4)).await;
    drop(ours);
    world.has_all("java", None, minutes(3)).await;
    world.all_is_processed(None).await;
    assert_eq!(world.out_of_order(), None);
}
