//! A fleet of the KCL 2: no leader, no handoffs; who has too little takes what others have. And its move to version 3.

use millstream_kinesis::Kinesis;
use millstream_lease::LeaseStore;
use millstream_lease::migration::{ClientVersion, ClientVersionConfig, MigrationConfig};

use crate::world::{SHARDS, STREAM, World, minutes};

/// Of this name and Java's, the rule of version 2 elects this one.
const OURS: &str = "ELECTED";

/// A worker of ours gets its share of Java's shards, has all when Java is killed, loses a share to another Java worker, and leaves
/// all to it at its stop. The table stays one of the KCL 2.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_2_and_ours_share_a_stream() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let java = world.java_of("KCL2_CLASSPATH", "java", &[]);
    world
        .run("Java reads all shards", None, minutes(4), |world, owners| {
            owners.get("java") == Some(&SHARDS) && world.missing(world.put) < 100
        })
        .await;
    let mut ours = world.ours("ours").await;
    let half = Some(&(SHARDS / 2));
    world
        .run("ours has its share", Some(&ours), minutes(4), |_, owners| {
            owners.get("java") == half && owners.get("ours") == half
        })
        .await;
    drop(java);
    world
        .run("ours has all after Java was killed", Some(&ours), minutes(1), |_, owners| {
            owners.get("ours") == Some(&SHARDS)
        })
        .await;
    let _java = world.java_of("KCL2_CLASSPATH", "java-2", &[]);
    world
        .run("another Java worker has its share", Some(&ours), minutes(4), |_, owners| {
            owners.get("java-2") == half && owners.get("ours") == half
        })
        .await;
    ours.consumer.shutdown().await;
    ours.work();
    drop(ours);
    world.run("Java has all", None, minutes(1), |_, owners| owners.get("java-2") == Some(&SHARDS)).await;
    let put = world.put;
    world.run("all is processed", None, minutes(1), |world, _| world.missing(put) == 0).await;
    assert_eq!(world.out_of_order(), None);
    println!("{} records, {} repeated", world.put, world.repeated());
    let keys: Vec<String> = world.store.scan().await.unwrap().into_iter().map(|lease| lease.key).collect();
    assert_eq!(keys.len(), SHARDS, "{keys:?}");
    assert_eq!(world.leads, None);
}

/// As the KCL's documentation has it. A worker of ours that lets rows be that are no leases takes the place of the one of the KCL 2;
/// then workers that are deployed for the move take its place, one of ours and a Java one. Ours, which the rule of version 2 elects,
/// changes the fleet to version 3; Java follows, and the leader shares the shards out.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn a_fleet_moves_from_2_to_3() {
    let mut world = World::new().await;
    let deployed =
        |version| MigrationConfig { client_version: Some(version), flip_after_ms: 5_000, ..MigrationConfig::default() };
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let old = world.java_of("KCL2_CLASSPATH", "java-2", &[]);
    world.run("Java 2 reads all shards", None, minutes(4), |_, owners| owners.get("java-2") == Some(&SHARDS)).await;
    let mut between = world.ours_in_a_move("between", deployed(ClientVersionConfig::CompatibleWith2xPhase1)).await;
    world.run("ours has some", Some(&between), minutes(2), |_, owners| owners.contains_key("between")).await;
    drop(old);
    let all = Some(&SHARDS);
    world.run("ours has all", Some(&between), minutes(1), |_, owners| owners.get("between") == all).await;
    assert_eq!(world.version, None);

    let ours = world.ours_in_a_move(OURS, deployed(ClientVersionConfig::CompatibleWith2x)).await;
    between.consumer.shutdown().await;
    between.work();
    drop(between);
    let _java = world.java_of("KCL_CLASSPATH", "java-3", &["-", "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X"]);
    world.run("Java 3 has some", Some(&ours), minutes(4), |_, owners| owners.contains_key("java-3")).await;
    world
        .run("ours changes the fleet to version 3", Some(&ours), minutes(4), |world, _| {
            world.version == Some(ClientVersion::V3xWithRollback)
        })
        .await;
    let half = Some(&(SHARDS / 2));
    world
        .run("a leader has shared the shards out", Some(&ours), minutes(4), |world, owners| {
            world.leads.is_some() && owners.get("java-3") == half && owners.get(OURS) == half
        })
        .await;
    let put = world.put;
    world.run("all is processed", Some(&ours), minutes(1), |world, _| world.missing(put) == 0).await;
    assert_eq!(world.out_of_order(), None);
    println!("{} records, {} repeated", world.put, world.repeated());
}
