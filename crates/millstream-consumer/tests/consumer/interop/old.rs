//! A fleet of the KCL 1 or 2: no leader, no handoffs; who has too little takes what others have. And the move to version 3.

use millstream_kinesis::Kinesis;
use millstream_lease::LeaseStore;
use millstream_lease::migration::{ClientVersion, ClientVersionConfig, MigrationConfig};

use super::world::{Java, SHARDS, STREAM, World, halved, minutes};

/// Of this name and Java's, the rule of version 2 elects this one.
const OURS: &str = "ELECTED";

/// The version that Spark's connector has.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_1_and_ours_share_a_stream() {
    shares_a_stream(World::java_1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_2_and_ours_share_a_stream() {
    shares_a_stream(|world, name| world.java_of("KCL2_CLASSPATH", name, &[])).await;
}

/// A worker of ours gets its share of Java's shards, has all when Java is killed, loses a share to another Java worker, and leaves
/// all to it at its stop. The table stays one of the old KCL.
async fn shares_a_stream(start_java: fn(&World, &'static str) -> Java) {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let java = start_java(&world, "java");
    world.java_reads(SHARDS).await;
    let ours = world.ours("ours").await;
    world.share("ours has its share", ["java", "ours"], Some(&ours), minutes(4)).await;
    drop(java);
    world.has_all("ours", Some(&ours), minutes(1)).await;
    let _java = start_java(&world, "java-2");
    world.share("another Java worker has its share", ["java-2", "ours"], Some(&ours), minutes(4)).await;
    ours.stop().await;
    world.has_all("java-2", None, minutes(1)).await;
    world.all_is_processed(None).await;
    assert_eq!(world.out_of_order(), None);
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
    world.has_all("java-2", None, minutes(4)).await;
    let between = world.ours_in_a_move("between", deployed(ClientVersionConfig::CompatibleWith2xPhase1)).await;
    world.run("ours has some", Some(&between), minutes(2), |_, owners| owners.contains_key("between")).await;
    drop(old);
    world.has_all("between", Some(&between), minutes(1)).await;
    assert_eq!(world.version, None);

    let ours = world.ours_in_a_move(OURS, deployed(ClientVersionConfig::CompatibleWith2x)).await;
    between.stop().await;
    let _java =
        world.java_of("KCL_CLASSPATH", "java-3", &["clientVersionConfig=CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X"]);
    world.run("Java 3 has some", Some(&ours), minutes(4), |_, owners| owners.contains_key("java-3")).await;
    world
        .run("ours changes the fleet to version 3", Some(&ours), minutes(4), |world, _| {
            world.version == Some(ClientVersion::V3xWithRollback)
        })
        .await;
    world
        .run("a leader has shared the shards out", Some(&ours), minutes(4), |world, owners| {
            world.leads.is_some() && halved(owners, ["java-3", OURS])
        })
        .await;
    world.all_is_processed(Some(&ours)).await;
    assert_eq!(world.out_of_order(), None);
}
