//! A fleet of the KCL 3.4, with its three tables, and its move to the one table of 3.5.

use millstream_kinesis::Kinesis;
use millstream_lease::LeaseStore;
use millstream_lease::migration::{MigrationConfig, TableStatus};

use super::world::{Owners, SHARDS, STREAM, World, halved, minutes};

/// A worker of ours joins a fleet of the KCL 3.4. Java is deployed anew with 3.5; ours leads, and says that all know the one table.
/// Then both are deployed to write to it, and ours ends the move: Java, which is left alone, leads by the one table.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn three_tables_become_one() {
    let mut world = World::new().await;
    let quick = MigrationConfig { deployed_after_s: 5, complete_after_s: 20, ..MigrationConfig::default() };
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let java = world.java_of("KCL34_CLASSPATH", "java-34", &[]);
    world.has_all("java-34", None, minutes(4)).await;
    let ours = world.ours_in_a_move("ours", quick).await;
    world.share("ours has its share of a fleet of 3.4", ["java-34", "ours"], Some(&ours), minutes(4)).await;
    let fleet = world.store.fleet().unwrap().look().await.unwrap();
    assert!(fleet.has_legacy_tables && fleet.workers.iter().all(|worker| worker.is_in_legacy_table), "{fleet:?}");
    drop(java);
    world.has_all("ours", Some(&ours), minutes(3)).await;

    let java = world.java_of("KCL_CLASSPATH", "java-35", &[]);
    world.share("Java 3.5 has its share", ["java-35", "ours"], Some(&ours), minutes(5)).await;
    world
        .run("all know the one table", Some(&ours), minutes(5), |world, _| world.tables == Some(TableStatus::Deployed))
        .await;
    drop(java);
    ours.stop().await;

    let ours = world.ours_in_a_move("moving", MigrationConfig { moves_to_lease_table: Some(true), ..quick }).await;
    world
        .run("ours, deployed to write to it, leads", Some(&ours), minutes(3), |world, owners| {
            world.leads.as_deref() == Some("moving") && owners.get("moving") == Some(&SHARDS)
        })
        .await;
    let java = world.java_of("KCL_CLASSPATH", "java-moving", &["migrateAllEntitiesToLeaseTable=true"]);
    for (what, status) in [("the state is moved", TableStatus::Pending), ("the move has ended", TableStatus::Complete)]
    {
        world.run(what, Some(&ours), minutes(5), |world, _| world.tables == Some(status)).await;
    }
    let is_shared = |world: &World, owners: &Owners| world.leads.is_some() && halved(owners, ["java-moving", "moving"]);
    world.run("a leader of the one table shares the shards out", Some(&ours), minutes(4), is_shared).await;
    let fleet = world.store.fleet().unwrap().look().await.unwrap();
    assert!(fleet.workers.iter().all(|worker| !worker.is_in_legacy_table || worker.age_s > 30), "{fleet:?}");
    world.all_is_processed(Some(&ours)).await;

    ours.stop().await;
    world.has_all("java-moving", None, minutes(3)).await;
    world.run("Java leads", None, minutes(1), |world, _| world.leads.as_deref() == Some("java-moving")).await;
    world.all_is_processed(None).await;
    assert_eq!(world.out_of_order(), None);
    drop(java);
}
