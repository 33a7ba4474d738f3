//! One goes on where the other stopped: in the middle of an aggregated record, and over splits and merges.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use millstream_consumer::{ShardConsumer, ShardEvent};
use millstream_kinesis::kpl::Aggregator;
use millstream_kinesis::{Checkpoint, Kinesis, PutEntry};
use millstream_lease::migration::MigrationConfig;
use millstream_lease::{Lease, LeaseStore};
use tokio::time::sleep;

use super::world::{Ours, STREAM, World, minutes};

/// Ten user records in one: ours processes four of them, Java the next four, ours the rest. None is processed twice.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn the_other_goes_on_behind_the_last_record_of_an_aggregate_that_was_processed() {
    let world = World::new().await;
    world.kinesis.create_stream(STREAM, 1).await.unwrap();
    let mut aggregator = Aggregator::new(10_000);
    for number in 0..10 {
        assert!(aggregator.add(PutEntry::new("key", number.to_string())).is_none(), "all fit");
    }
    world.kinesis.put_records(STREAM, &[aggregator.finish().unwrap()]).await.unwrap();

    let mut ours = world.ours("ours").await;
    let mut left = 4;
    while left > 0 {
        left -= ours.work_on(left);
        sleep(Duration::from_millis(10)).await;
    }
    // What it has read beyond these is not processed.
    ours.consumer.shutdown().await;
    let lease = world.store.scan().await.unwrap().remove(0);
    assert!(matches!(&lease.checkpoint, Checkpoint::At(position) if position.sub == 3), "{lease:?}");

    let java = world.java_of("KCL_CLASSPATH", "java", &["until=7"]);
    assert!(java.ended().await.success());

    let ours = world.ours("ours-2").await;
    while world.processed().len() < 10 {
        ours.work();
        sleep(Duration::from_millis(10)).await;
    }
    let expected = [("ours", 0..4), ("java", 4..8), ("ours-2", 8..10)];
    assert_eq!(world.processed(), each(expected));
}

/// Java prepares a checkpoint, with a note for its successor, and is gone before it writes it; ours is told of both, prepares
/// another one, and is gone too; Java is told of that. Nothing is left out, since nothing was checkpointed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn a_checkpoint_that_one_has_prepared_is_known_to_the_other() {
    let world = World::new().await;
    world.kinesis.create_stream(STREAM, 1).await.unwrap();
    let entries: Vec<_> = (0..10).map(|number| PutEntry::new("key", number.to_string())).collect();
    world.kinesis.put_records(STREAM, &entries).await.unwrap();
    assert!(world.java_of("KCL_CLASSPATH", "java", &["prepare=4"]).ended().await.success());
    let lease = world.store.scan().await.unwrap().remove(0);
    assert_eq!(lease.checkpoint, Checkpoint::TrimHorizon);

    let store = world.another_store().await;
    let config = world.config("ours", MigrationConfig::default());
    let mut ours = ShardConsumer::start(world.kinesis.clone(), store, config).await.unwrap();
    let mut stream = ours.next().await.unwrap().unwrap();
    let (pending, note) = stream.pending().unwrap();
    assert_eq!((Some(&pending), &note), (lease.pending_checkpoint.as_ref(), &lease.pending_state));
    assert_eq!(note.as_deref(), Some(&b"prepared at 4"[..]));
    let ShardEvent::Records { input, .. } = stream.next(7).await else { panic!("no records") };
    let data = |record: millstream_kinesis::RecordRef<'_>| String::from_utf8(record.data.to_vec()).unwrap();
    let numbers: Vec<String> = input.blocks.iter().flat_map(|block| block.iter().map(data)).collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6"]);
    let prepared = stream.checkpointer().prepare(None, Some(b"of ours".to_vec())).await.unwrap().at().clone();
    assert!(matches!(pending, Checkpoint::At(_)) && prepared > pending, "{prepared}");
    drop((stream, ours));

    assert!(world.java_of("KCL_CLASSPATH", "java-2", &["until=9"]).ended().await.success());
    assert_eq!(*world.told.lock().unwrap(), [format!("pending {} of ours", prepared.word())]);
    let expected = [("java", 0..5), ("java-2", 0..10)];
    assert_eq!(world.processed(), each(expected));
    let lease = world.store.scan().await.unwrap().remove(0);
    assert_eq!((lease.pending_checkpoint, lease.pending_state), (None, None));
    assert!(lease.checkpoint > prepared);
}

/// Who processed which number, from who did which of them in a row.
fn each<const N: usize>(runs: [(&str, Range<u32>); N]) -> Vec<(String, u32)> {
    runs.into_iter().flat_map(|(name, numbers)| numbers.map(move |number| (name.to_owned(), number))).collect()
}

/// A shard of Java's and one of ours are split, then two children of different owners are merged. Records of each key stay in
/// order, and every parent is read to its end.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn children_are_read_after_parents_of_the_other() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, 2).await.unwrap();
    let _java = world.java("java");
    world.java_reads(2).await;
    let ours = world.ours("ours").await;
    world
        .run("each has a shard", Some(&ours), minutes(4), |_, owners| {
            owners.get("java") == Some(&1) && owners.get("ours") == Some(&1)
        })
        .await;

    let client = world.client().await;
    for (shard, quarter) in [("shardId-000000000000", 1u128), ("shardId-000000000001", 3)] {
        let split = client.split_shard().stream_name(STREAM).shard_to_split(shard);
        split.new_starting_hash_key((quarter << 126).to_string()).send().await.unwrap();
    }
    settled(&mut world, &ours, "both are split", &[2, 3, 4, 5]).await;

    let leases = by_number(&world);
    let differ = |at: &u32| leases[at].owner != leases[&(at + 1)].owner;
    let left = (2..5).find(differ).expect("both have children");
    let merge =
        client.merge_shards().stream_name(STREAM).shard_to_merge(id(left)).adjacent_shard_to_merge(id(left + 1));
    merge.send().await.unwrap();
    let open: Vec<u32> = (2..=6).filter(|at| *at != left && *at != left + 1).collect();
    settled(&mut world, &ours, "children of different owners are merged", &open).await;
    assert_eq!(world.out_of_order(), None);
}

/// Puts and works until both workers have some of the open shards, all others are read to their end, and all that was put until
/// then is processed.
async fn settled(world: &mut World, ours: &Ours, what: &str, open: &[u32]) {
    world
        .run(what, Some(ours), minutes(4), |world, owners| {
            let leases = by_number(world);
            let are_there = open.iter().all(|at| leases.contains_key(at));
            let others_ended = leases.iter().all(|(at, lease)| open.contains(at) != lease.is_ended());
            are_there && others_ended && owners.len() == 2 && !owners.contains_key("")
        })
        .await;
    world.all_is_processed(Some(ours)).await;
}

/// The leases by the numbers of their shards.
fn by_number(world: &World) -> BTreeMap<u32, Lease> {
    let number = |lease: &Lease| lease.key.rsplit('-').next().unwrap().parse().unwrap();
    world.leases.iter().map(|lease| (number(lease), lease.clone())).collect()
}

fn id(number: u32) -> String {
    format!("shardId-{number:012}")
}
