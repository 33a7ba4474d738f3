//! Workers of this library beside workers of the Java KCL, on one lease table (`make interop`).
//!
//! Needs Java, and `KCL_CLASSPATH` with the jars of `tests/conformance/kcl/pom.xml`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millstream_consumer::{Consumer, ConsumerConfig, StreamConfig};
use millstream_kinesis::{AwsKinesis, AwsSettings, InitialPosition, Kinesis, PutEntry};
use millstream_lease::{CoordinatorConfig, DynamoDbLeaseStore, LeaseStore};
use millstream_local::{LocalConfig, LocalService};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const STREAM: &str = "orders";
const OTHER_STREAM: &str = "clicks";
const APPLICATION: &str = "application";
const SHARDS: usize = 4;
const FAILOVER: Duration = Duration::from_secs(3);

/// Who has processed which record, in order.
type Seen = Arc<Mutex<Vec<(String, u32)>>>;

struct World {
    service: LocalService,
    aws: AwsSettings,
    kinesis: Arc<AwsKinesis>,
    store: DynamoDbLeaseStore,
    /// What Java reads: a stream's name, or identifiers with commas.
    streams: String,
    seen: Seen,
    put: u32,
}

/// A Java worker that is killed with this value.
struct Java(Child);

impl Drop for Java {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl World {
    async fn new() -> Self {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        let aws = support::settings(&service);
        let kinesis = Arc::new(AwsKinesis::connect(&aws).await.unwrap());
        let store = DynamoDbLeaseStore::connect(&aws, APPLICATION).await;
        World { service, aws, kinesis, store, streams: STREAM.to_owned(), seen: Seen::default(), put: 0 }
    }

    fn java(&self, name: &'static str) -> Java {
        let classpath = std::env::var("KCL_CLASSPATH").expect("KCL_CLASSPATH; run this by `make interop`");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/Worker.java");
        let failover = FAILOVER.as_millis().to_string();
        let mut process = Command::new("java")
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", &classpath])
            .arg(source)
            .args([&self.service.endpoint(), APPLICATION, &self.streams, name, &failover])
            .stdout(Stdio::piped())
            .spawn()
            .expect("java");
        let output = process.stdout.take().unwrap();
        let seen = self.seen.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                println!("{name}: {line}");
                if let ["record", _, number] = line.split(' ').collect::<Vec<_>>()[..] {
                    seen.lock().unwrap().push((name.to_owned(), number.parse().unwrap()));
                }
            }
        });
        Java(process)
    }

    async fn ours(&self, name: &'static str) -> Ours {
        let mut lease = CoordinatorConfig::new(name, InitialPosition::TrimHorizon);
        lease.failover_ms = u64::try_from(FAILOVER.as_millis()).unwrap();
        lease.checkpoint_interval_ms = 500;
        let several = |stream: &str| StreamConfig { stream: stream.to_owned(), initial: InitialPosition::TrimHorizon };
        let config = match self.streams.contains(':') {
            false => ConsumerConfig::new(STREAM, lease, 7),
            true => ConsumerConfig::several(watch::channel(self.streams.split(',').map(several).collect()).1, lease, 7),
        };
        let store = Arc::new(DynamoDbLeaseStore::connect(&self.aws, APPLICATION).await);
        let consumer = Consumer::start(self.kinesis.clone(), store, config).await.unwrap();
        Ours { consumer, name, seen: self.seen.clone() }
    }

    /// Puts a record into every shard, again and again, and works on what `ours` has read, until `done`.
    async fn run(&mut self, what: &str, ours: Option<&Ours>, limit: Duration, done: impl Fn(&Self, &Owners) -> bool) {
        let began = Instant::now();
        loop {
            let entries = (0..4 * SHARDS as u32).map(|at| {
                let number = (self.put + at).to_string();
                PutEntry::new(number.clone(), number)
            });
            let entries: Vec<_> = entries.collect();
            self.put += u32::try_from(entries.len()).unwrap();
            let stream = if self.streams.contains(':') && self.put.is_multiple_of(32) { OTHER_STREAM } else { STREAM };
            self.kinesis.put_records(stream, &entries).await.unwrap();
            if let Some(ours) = ours {
                ours.work();
            }
            let owners = self.owners().await;
            if done(self, &owners) {
                println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
                return;
            }
            assert!(began.elapsed() < limit, "{what}: not within {limit:?}; {owners:?}, {} put", self.put);
            sleep(Duration::from_millis(250)).await;
        }
    }

    async fn owners(&self) -> Owners {
        let mut owners = Owners::new();
        // Before the first worker has made it there is no table.
        for lease in self.store.scan().await.unwrap_or_default() {
            let settled = lease.owner.filter(|_| lease.checkpoint_owner.is_none());
            *owners.entry(settled.unwrap_or_default()).or_default() += 1;
        }
        owners
    }

    /// Who holds the leader's lock.
    async fn leader(&self) -> Option<String> {
        let lock = self.store.fleet().unwrap().look().await.unwrap().lock;
        lock.filter(|lock| !lock.is_released).map(|lock| lock.owner)
    }

    /// How many of the first records that were put have not been processed.
    fn missing(&self, put: u32) -> usize {
        let seen: BTreeSet<u32> = self.seen.lock().unwrap().iter().map(|(_, number)| *number).collect();
        (0..put).filter(|number| !seen.contains(number)).count()
    }

    fn repeated(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.len() - seen.iter().map(|(_, number)| *number).collect::<BTreeSet<u32>>().len()
    }
}

type Owners = BTreeMap<String, usize>;

struct Ours {
    consumer: Consumer,
    name: &'static str,
    seen: Seen,
}

impl Ours {
    fn work(&self) {
        let cut = self.consumer.cut().unwrap();
        let blocks = cut.inputs.iter().flat_map(|input| &input.blocks);
        let numbers = blocks
            .flat_map(|block| block.iter().map(|record| std::str::from_utf8(record.data).unwrap().parse().unwrap()));
        self.seen.lock().unwrap().extend(numbers.map(|number| (self.name.to_owned(), number)));
        self.consumer.processed(cut.id);
    }
}

/// A worker of ours joins a fleet led by Java, is assigned its share by graceful handoffs, gives it back at its stop, joins again,
/// and takes over all when Java is killed. Then it leads: another Java worker is given its share by ours, and leads when ours
/// has stopped.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and the jars of the KCL: make interop"]
async fn java_and_ours_share_a_stream() {
    let mut world = World::new().await;
    world.kinesis.create_stream(STREAM, SHARDS as u32).await.unwrap();
    let java = world.java("java");
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
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
    assert_eq!(world.leader().await.as_deref(), Some("ours-2"));
    assert_eq!(world.repeated(), repeated, "a handoff from ours to Java repeats nothing");

    ours.consumer.shutdown().await;
    ours.work();
    drop(ours);
    assert_eq!(world.leader().await, None, "the lock is given back");
    world.run("Java has all, and leads", None, minutes(2), |_, owners| owners.get("java-2") == Some(&SHARDS)).await;
    assert_eq!(world.leader().await.as_deref(), Some("java-2"));
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
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
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
