//! A fleet of the KCL 3: with a leader, graceful handoffs, and one stream or two.

use std::collections::BTreeSet;

use millstream_kinesis::Kinesis;
use millstream_lease::LeaseStore;

use crate::world::{OTHER_STREAM, Owners, SHARDS, STREAM, World, minutes};

/// A worker of ours joins a fleet led by Java, is assigned its share by graceful handoffs, gives it back at its stop, joins again,
/// and takes over all when Java is killed. Then it leads: another Java worker is given its share by ours, and leads when ours
/// has stopped.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_and_ours_share_a_stream() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let java = world.java("java");
    world
        .run("Java reads all shards", None, minutes(4), |world, owners| {
            owners.get("java") == Some(&SHARDS) && world.missing(world.put) < 100
        })
        .await;

    let mut ours = world.ours("ours").await;
    let half = |owners: &Owners| owners.get("java") == Some(&(SHARDS / 2)) && owners.get("ours") == Some(&(SHARDS / 2));
    world.run("ours is assigned its share", Some(&ours), minutes(4), |_, owners| half(owners)).await;
    assert_eq!(world.repeated(), 0, "a handoff from Java to ours repeats nothing");

    ours.consumer.shutdown().await;
    ours.work();
    drop(ours);
    world.run("Java has all again", None, minutes(4), |_, owners| owners.get("java") == Some(&SHARDS)).await;
    println!("repeated after a stop of ours: {}", world.repeated());

    let mut ours = world.ours("ours-2").await;
    world
        .run("a second worker of ours is assigned something", Some(&ours), minutes(4), |_, owners| {
            owners.contains_key("ours-2")
        })
        .await;
    drop(java);
    world
        .run("ours has all after Java was killed", Some(&ours), minutes(2), |_, owners| {
            owners.get("ours-2") == Some(&SHARDS)
        })
        .await;
    let put = world.put;
    world.run("all is processed", Some(&ours), minutes(1), |world, _| world.missing(put) == 0).await;
    let repeated = world.repeated();
    println!("{} records, {repeated} repeated after a kill", world.put);

    let _java = world.java("java-2");
    let even =
        |owners: &Owners| owners.get("java-2") == Some(&(SHARDS / 2)) && owners.get("ours-2") == Some(&(SHARDS / 2));
    world.run("ours gives Java its share", Some(&ours), minutes(5), |_, owners| even(owners)).await;
    assert_eq!(world.leads.as_deref(), Some("ours-2"));
    assert_eq!(world.repeated(), repeated, "a handoff from ours to Java repeats nothing");

    ours.consumer.shutdown().await;
    ours.work();
    drop(ours);
    let lock = world.store.fleet().unwrap().look().await.unwrap().lock;
    assert!(lock.is_none_or(|lock| lock.is_released), "the lock is given back");
    world.run("Java has all", None, minutes(2), |_, owners| owners.get("java-2") == Some(&SHARDS)).await;
    assert_eq!(world.leads.as_deref(), Some("java-2"));
    world.service.shutdown().await;
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
    world
        .run("Java reads all shards", None, minutes(4), |world, owners| {
            owners.get("java") == Some(&SHARDS) && world.missing(world.put) < 100
        })
        .await;
    let before: BTreeSet<String> = world.store.scan().await.unwrap().into_iter().map(|lease| lease.key).collect();
    assert!(before.contains("000000000000:clicks:12345:shardId-000000000000"), "{before:?}");

    let mut ours = world.ours("ours").await;
    let half = |owners: &Owners| owners.get("java") == Some(&(SHARDS / 2)) && owners.get("ours") == Some(&(SHARDS / 2));
    world.run("ours is assigned its share", Some(&ours), minutes(4), |_, owners| half(owners)).await;
    assert_eq!(world.repeated(), 0, "a handoff from Java to ours repeats nothing");
    drop(java);
    world
        .run("ours has all after Java was killed", Some(&ours), minutes(2), |_, owners| {
            owners.get("ours") == Some(&SHARDS)
        })
        .await;
    let put = world.put;
    world.run("all is processed", Some(&ours), minutes(1), |world, _| world.missing(put) == 0).await;
    println!("{} records, {} repeated after a kill", world.put, world.repeated());
    let after: BTreeSet<String> = world.store.scan().await.unwrap().into_iter().map(|lease| lease.key).collect();
    assert_eq!(before, after, "the same leases");
    ours.consumer.shutdown().await;
    world.service.shutdown().await;
}
