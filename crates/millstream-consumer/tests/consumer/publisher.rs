//! Progress of an engine with offsets of its own in a lease table, under tokio's paused clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_consumer::{PublishError, Published, Publisher, published};
use millstream_kinesis::testing::FakeKinesis;
use millstream_kinesis::{Checkpoint, Kinesis, Position, ShardId};
use millstream_lease::{Lease, LeaseStore, MemoryLeaseStore};
use tokio::time::sleep;

const STREAM: &str = "orders";
const FAILOVER: Duration = Duration::from_secs(10);

fn shard(number: u32) -> ShardId {
    ShardId::from(format!("shardId-{number:012}"))
}

fn at(sequence: u128, sub: u64) -> Checkpoint {
    Checkpoint::At(Position { sequence: sequence.into(), sub })
}

fn places(places: impl IntoIterator<Item = (u32, Checkpoint)>) -> BTreeMap<ShardId, Checkpoint> {
    places.into_iter().map(|(number, at)| (shard(number), at)).collect()
}

struct World {
    fake: Arc<FakeKinesis>,
    store: MemoryLeaseStore,
    publisher: Publisher,
}

impl World {
    fn new(shards: u32) -> Self {
        let (fake, store) = (FakeKinesis::with_stream(STREAM, shards), MemoryLeaseStore::new());
        let publisher = start(&fake, &store);
        World { fake, store, publisher }
    }

    async fn lease(&self, number: u32) -> Lease {
        self.store.get(shard(number).as_str()).await.unwrap().expect("a lease")
    }

    async fn listed_lease(&self, number: u32, checkpoint: Checkpoint) -> Lease {
        let listed = self.fake.list_shards(STREAM).await.unwrap();
        let lease = Lease::of_shard(listed.iter().find(|listed| listed.id == shard(number)).unwrap(), checkpoint);
        assert!(self.store.create(&lease).await.unwrap());
        lease
    }
}

fn start(fake: &Arc<FakeKinesis>, store: &MemoryLeaseStore) -> Publisher {
    Publisher::start(fake.clone(), Arc::new(store.clone()), STREAM.to_owned(), "spark".to_owned(), FAILOVER)
}

/// Until a write was due, and more.
async fn a_while() {
    sleep(Duration::from_millis(2_500)).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_processed_is_written_held_renewed_and_given_back() {
    let world = World::new(2);
    world.publisher.processed(places([(0, at(7, 3)), (1, Checkpoint::TrimHorizon)])).await.unwrap();
    a_while().await;
    let lease = world.lease(0).await;
    assert_eq!((lease.checkpoint, lease.owner.as_deref()), (at(7, 3), Some("spark")));
    sleep(FAILOVER).await;
    assert!(world.lease(0).await.counter > lease.counter, "it shows that it lives");
    world.publisher.processed(places([(0, at(9, 0)), (1, at(2, 0))])).await.unwrap();
    // Not yet due: what is left is written at the end.
    world.publisher.release().await;
    for (number, checkpoint) in [(0, at(9, 0)), (1, at(2, 0))] {
        let lease = world.lease(number).await;
        assert_eq!((lease.checkpoint, lease.owner), (checkpoint, None));
    }
    let expected = Published { shards: places([(0, at(9, 0)), (1, at(2, 0))]), latest_since_ms: None };
    assert_eq!(published(&world.store).await.unwrap(), expected);
}

/// An engine that is killed after any call leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn what_is_settled_is_written_and_given_back_before_it_goes_on() {
    let world = World::new(2);
    for number in 1..=3 {
        world.publisher.processed(places([(0, at(number, 1)), (1, at(7, 0))])).await.unwrap();
        world.publisher.settle().await.unwrap();
        for (shard, checkpoint) in [(0, at(number, 1)), (1, at(7, 0))] {
            let lease = world.lease(shard).await;
            assert_eq!((lease.checkpoint, lease.owner), (checkpoint, None));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn to_settle_waits_for_a_dead_owner_and_fails_on_a_living_one() {
    let world = World::new(1);
    let lease = world.listed_lease(0, at(1, 0)).await;
    let held = world.store.take(&lease, "java").await.unwrap().unwrap();
    world.publisher.processed(places([(0, at(2, 0))])).await.unwrap();
    world.publisher.settle().await.unwrap();
    let lease = world.lease(0).await;
    assert_eq!((&lease.checkpoint, lease.owner.as_deref()), (&at(2, 0), None), "it was dead");
    assert_eq!(world.store.checkpoint(&held, &at(1, 5), &[]).await.unwrap(), None);

    let held = world.store.take(&lease, "java").await.unwrap().unwrap();
    world.publisher.processed(places([(0, at(3, 0))])).await.unwrap();
    let (settled, _) = tokio::join!(world.publisher.settle(), async {
        a_while().await;
        world.store.renew(&held).await.unwrap()
    });
    assert!(matches!(&settled, Err(PublishError::Held { owner, .. }) if owner == "java"), "{settled:?}");
}

#[tokio::test(start_paused = true)]
async fn a_parent_ends_after_its_children_have_leases() {
    let world = World::new(1);
    world.publisher.processed(places([(0, at(1, 0))])).await.unwrap();
    a_while().await;
    world.fake.split(STREAM, &shard(0));
    world.publisher.processed(places([(0, Checkpoint::ShardEnd), (1, at(5, 0))])).await.unwrap();
    a_while().await;
    let parent = world.lease(0).await;
    assert_eq!((parent.checkpoint, parent.children), (Checkpoint::ShardEnd, vec![shard(1), shard(2)]));
    assert_eq!(world.lease(1).await.checkpoint, at(5, 0));
    assert_eq!(world.lease(2).await.checkpoint, Checkpoint::TrimHorizon);
}

#[tokio::test(start_paused = true)]
async fn a_table_never_goes_back() {
    let world = World::new(1);
    world.listed_lease(0, at(9, 0)).await;
    world.publisher.processed(places([(0, at(7, 0))])).await.unwrap();
    a_while().await;
    assert_eq!(world.lease(0).await.checkpoint, at(9, 0));
    world.publisher.processed(places([(0, at(10, 0))])).await.unwrap();
    a_while().await;
    assert_eq!(world.lease(0).await.checkpoint, at(10, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_a_dead_worker_is_taken_after_the_failover_time_and_one_of_a_living_never() {
    let world = World::new(2);
    for number in [0, 1] {
        let lease = world.listed_lease(number, at(1, 0)).await;
        world.store.take(&lease, "java").await.unwrap().unwrap();
    }
    world.publisher.processed(places([(0, at(2, 0))])).await.unwrap();
    a_while().await;
    assert_eq!(world.lease(0).await.owner.as_deref(), Some("java"), "it may live");
    sleep(FAILOVER).await;
    let lease = world.lease(0).await;
    assert_eq!((lease.owner.as_deref(), lease.checkpoint), (Some("spark"), at(2, 0)));

    world.publisher.processed(places([(1, at(2, 0))])).await.unwrap();
    a_while().await;
    let held = world.lease(1).await;
    world.store.renew(&held).await.unwrap();
    a_while().await;
    let refused = world.publisher.processed(places([(1, at(3, 0))])).await.unwrap_err();
    assert!(matches!(&refused, PublishError::Held { owner, .. } if owner == "java"), "{refused}");
    assert_eq!(world.lease(1).await.checkpoint, at(1, 0));
    assert_eq!(world.lease(0).await.owner, None, "what it held is given back");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_taken_away_ends_it() {
    let world = World::new(1);
    world.publisher.processed(places([(0, at(1, 0))])).await.unwrap();
    a_while().await;
    let held = world.lease(0).await;
    world.store.take(&held, "java").await.unwrap().unwrap();
    world.publisher.processed(places([(0, at(2, 0))])).await.unwrap();
    a_while().await;
    let refused = world.publisher.processed(places([(0, at(3, 0))])).await.unwrap_err();
    assert!(matches!(&refused, PublishError::Wanted { owner, .. } if owner == "java"), "{refused}");
    assert_eq!(world.lease(0).await.checkpoint, at(1, 0));
}
