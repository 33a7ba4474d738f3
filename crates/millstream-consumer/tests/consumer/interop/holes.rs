//! Somebody deletes a lease: a part of the hash range is read by nobody, until a leader makes it again.

use millstream_kinesis::Kinesis;
use millstream_lease::LeaseStore;

use super::world::{SHARDS, STREAM, World, minutes};

/// Java finds the hole first; ours, when it has taken Java's place, the next one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn a_lease_that_was_deleted_is_made_again() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let java = world.java_of("KCL_CLASSPATH", "java", &["leasesRecoveryAuditorExecutionFrequencyMillis=2000"]);
    world.java_reads(SHARDS).await;
    delete(&world, "shardId-000000000001").await;
    world.has_all("java", None, minutes(4)).await;
    world.all_is_processed(None).await;

    let ours = world.ours("ours").await;
    world.share("ours has its share", ["java", "ours"], Some(&ours), minutes(4)).await;
    drop(java);
    world.has_all("ours", Some(&ours), minutes(1)).await;
    delete(&world, "shardId-000000000002").await;
    world.has_all("ours", Some(&ours), minutes(1)).await;
    world.all_is_processed(Some(&ours)).await;
    assert_eq!(world.out_of_order(), None);
}

/// Deletes the row of a lease that is read.
async fn delete(world: &World, key: &str) {
    while let Some(lease) = world.store.get(key).await.unwrap() {
        world.store.delete(&lease).await.unwrap();
    }
}
