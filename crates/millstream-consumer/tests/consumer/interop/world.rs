//! A stream of the local service with workers of both kinds, and what they have processed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millstream_consumer::{Consumer, ConsumerConfig, StreamConfig};
use millstream_kinesis::{AwsKinesis, AwsSettings, InitialPosition, Kinesis, PutEntry};
use millstream_lease::migration::{ClientVersion, MigrationConfig, TableStatus};
use millstream_lease::{CoordinatorConfig, DynamoDbLeaseStore, Lease, LeaseStore};
use millstream_local::{LocalConfig, LocalService};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

pub(crate) const STREAM: &str = "orders";
pub(crate) const OTHER_STREAM: &str = "clicks";
pub(crate) const APPLICATION: &str = "application";
pub(crate) const SHARDS: usize = 4;
const FAILOVER: Duration = Duration::from_secs(3);
/// What a worker may take to give a lease up.
pub(crate) const HANDOFF: Duration = Duration::from_secs(5);

/// So many keys are put, each with its numbers in a row.
const KEYS: u32 = 16;

/// Who has processed which record, in order.
type Seen = Arc<Mutex<Vec<(String, u32)>>>;

pub(crate) struct World {
    pub(crate) service: LocalService,
    aws: AwsSettings,
    pub(crate) kinesis: Arc<AwsKinesis>,
    pub(crate) store: DynamoDbLeaseStore,
    /// What Java reads: a stream's name, or identifiers with commas.
    pub(crate) streams: String,
    /// The leases as last seen, and who held the leader's lock, and how far the move from version 2 was.
    pub(crate) leases: Vec<Lease>,
    pub(crate) leads: Option<String>,
    pub(crate) version: Option<ClientVersion>,
    /// How far the move to one table was.
    pub(crate) tables: Option<TableStatus>,
    seen: Seen,
    /// What Java workers say else: what they were told of prepared checkpoints, and where they stand still.
    pub(crate) told: Arc<Mutex<Vec<String>>>,
    pub(crate) put: u32,
}

/// A Java worker that is killed with this value.
pub(crate) struct Java(Child);

impl Drop for Java {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Java {
    /// Waits until it has ended by itself.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < minutes(4), "Java does not end");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        let aws = crate::support::settings(&service);
        let kinesis = Arc::new(AwsKinesis::connect(&aws).await.unwrap());
        let store = DynamoDbLeaseStore::connect(&aws, APPLICATION).await;
        World {
            service,
            aws,
            kinesis,
            store,
            streams: STREAM.to_owned(),
            leases: Vec::new(),
            leads: None,
            version: None,
            tables: None,
            seen: Seen::default(),
            told: Arc::default(),
            put: 0,
        }
    }

    /// A worker of the KCL 3.
    pub(crate) fn java(&self, name: &'static str) -> Java {
        self.java_of("KCL_CLASSPATH", name, &[])
    }

    /// One of the KCL 1, whose programs are written in another way.
    pub(crate) fn java_1(&self, name: &'static str) -> Java {
        self.run_java("OldWorker.java", "KCL1_CLASSPATH", name, &[])
    }

    /// One of the version whose jars a variable names, with settings of `tests/interop/Worker.java`.
    pub(crate) fn java_of(&self, classpath: &str, name: &'static str, settings: &[&str]) -> Java {
        self.run_java("Worker.java", classpath, name, settings)
    }

    fn run_java(&self, program: &str, classpath: &str, name: &'static str, settings: &[&str]) -> Java {
        let classpath = std::env::var(classpath).expect("the jars of the KCL; run this by `make interop`");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop").join(program);
        let failover = FAILOVER.as_millis().to_string();
        let mut process = Command::new("java")
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", &classpath])
            .arg(source)
            .args([&self.service.endpoint(), APPLICATION, &self.streams, name, &failover])
            .args(settings)
            .stdout(Stdio::piped())
            .spawn()
            .expect("java");
        let output = process.stdout.take().unwrap();
        let (seen, told) = (self.seen.clone(), self.told.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                println!("{name}: {line}");
                match line.split(' ').collect::<Vec<_>>()[..] {
                    ["record", _, number] => seen.lock().unwrap().push((name.to_owned(), number.parse().unwrap())),
                    ["pending" | "stuck", ..] => told.lock().unwrap().push(line),
                    _ => {}
                }
            }
        });
        Java(process)
    }

    pub(crate) async fn ours(&self, name: &'static str) -> Ours {
        self.ours_in_a_move(name, MigrationConfig::default()).await
    }

    /// One of ours that is told what to do where the fleet moves from one version to the next.
    pub(crate) async fn ours_in_a_move(&self, name: &'static str, migration: MigrationConfig) -> Ours {
        let config = self.config(name, migration);
        let consumer = Consumer::start(self.kinesis.clone(), self.another_store().await, config).await.unwrap();
        Ours { consumer, name, seen: self.seen.clone() }
    }

    /// The store of a worker of its own.
    pub(crate) async fn another_store(&self) -> Arc<DynamoDbLeaseStore> {
        Arc::new(DynamoDbLeaseStore::connect(&self.aws, APPLICATION).await)
    }

    /// What a worker of ours is told.
    pub(crate) fn config(&self, name: &str, migration: MigrationConfig) -> ConsumerConfig {
        let mut lease = CoordinatorConfig::new(name, InitialPosition::TrimHorizon);
        lease.failover_ms = u64::try_from(FAILOVER.as_millis()).unwrap();
        lease.checkpoint_interval_ms = 500;
        lease.shard_sync_ms = 5_000;
        lease.handoff_timeout_ms = u64::try_from(HANDOFF.as_millis()).unwrap();
        lease.migration = migration;
        let several = |stream: &str| StreamConfig { stream: stream.to_owned(), initial: InitialPosition::TrimHorizon };
        match self.streams.contains(':') {
            false => ConsumerConfig::new(STREAM, lease, 7),
            true => ConsumerConfig::several(watch::channel(self.streams.split(',').map(several).collect()).1, lease, 7),
        }
    }

    /// Puts a record into every shard, again and again, and works on what `ours` has read, until `done`.
    pub(crate) async fn run(
        &mut self,
        what: &str,
        ours: Option<&Ours>,
        limit: Duration,
        done: impl Fn(&Self, &Owners) -> bool,
    ) {
        let began = Instant::now();
        loop {
            let numbers = self.put..self.put + KEYS;
            let entries: Vec<_> = numbers.map(|number| PutEntry::new(key_of(number), number.to_string())).collect();
            self.put += KEYS;
            let stream = if self.streams.contains(':') && self.put.is_multiple_of(32) { OTHER_STREAM } else { STREAM };
            self.kinesis.put_records(stream, &entries).await.unwrap();
            if let Some(ours) = ours {
                ours.work();
            }
            // Before the first worker has made it there is no table.
            self.leases = self.store.scan().await.unwrap_or_default();
            if let Ok(fleet) = self.store.fleet().unwrap().look().await {
                self.leads = fleet.lock.filter(|lock| !lock.is_released).map(|lock| lock.owner);
                self.version = fleet.client_version;
                self.tables = fleet.table_migration.map(|migration| migration.status);
            }
            let owners = self.owners();
            if done(self, &owners) {
                println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
                return;
            }
            if began.elapsed() > limit {
                let fleet = self.store.fleet().unwrap().look().await;
                panic!("{what}: not within {limit:?}; {owners:?}, {} put, {fleet:?}", self.put);
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Waits until Java alone reads, and has processed nearly all.
    pub(crate) async fn java_reads(&mut self, shards: usize) {
        self.run("Java reads all shards", None, minutes(4), |world, owners| {
            owners.get("java") == Some(&shards) && world.missing(world.put) < 100
        })
        .await;
    }

    /// Waits until each of two workers has half of the shards.
    pub(crate) async fn share(&mut self, what: &str, workers: [&str; 2], ours: Option<&Ours>, limit: Duration) {
        self.run(what, ours, limit, |_, owners| halved(owners, workers)).await;
    }

    /// Waits until one worker has all shards.
    pub(crate) async fn has_all(&mut self, worker: &str, ours: Option<&Ours>, limit: Duration) {
        let what = format!("{worker} has all");
        self.run(&what, ours, limit, |_, owners| owners.get(worker) == Some(&SHARDS)).await;
    }

    /// Waits until all that has been put is processed.
    pub(crate) async fn all_is_processed(&mut self, ours: Option<&Ours>) {
        let put = self.put;
        self.run("all is processed", ours, minutes(1), |world, _| world.missing(put) == 0).await;
        println!("{} records, {} repeated", self.put, self.repeated());
    }

    fn owners(&self) -> Owners {
        let mut owners = Owners::new();
        for lease in self.leases.iter().filter(|lease| !lease.is_ended()) {
            let settled = lease.owner.clone().filter(|_| lease.checkpoint_owner.is_none());
            *owners.entry(settled.unwrap_or_default()).or_default() += 1;
        }
        owners
    }

    /// How many of the first records that were put have not been processed.
    pub(crate) fn missing(&self, put: u32) -> usize {
        let seen: BTreeSet<u32> = self.seen.lock().unwrap().iter().map(|(_, number)| *number).collect();
        (0..put).filter(|number| !seen.contains(number)).count()
    }

    /// What has been processed, in order.
    pub(crate) fn processed(&self) -> Vec<(String, u32)> {
        self.seen.lock().unwrap().clone()
    }

    /// A record that was processed for the first time after a later one of its key.
    pub(crate) fn out_of_order(&self) -> Option<u32> {
        let mut newest: BTreeMap<String, u32> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for (_, number) in self.seen.lock().unwrap().iter().filter(|(_, number)| known.insert(*number)) {
            let newest = newest.entry(key_of(*number)).or_insert(*number);
            if number < newest {
                return Some(*number);
            }
            *newest = *number;
        }
        None
    }

    /// A client for what the library's own has no call for.
    pub(crate) async fn client(&self) -> aws_sdk_kinesis::Client {
        aws_sdk_kinesis::Client::new(&self.endpoint().await)
    }

    /// One for the lease table.
    pub(crate) async fn table(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.endpoint().await)
    }

    async fn endpoint(&self) -> aws_config::SdkConfig {
        self.aws.load().await.into_builder().endpoint_url(self.service.endpoint()).build()
    }

    pub(crate) fn repeated(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.len() - seen.iter().map(|(_, number)| *number).collect::<BTreeSet<u32>>().len()
    }
}

pub(crate) type Owners = BTreeMap<String, usize>;

pub(crate) struct Ours {
    pub(crate) consumer: Consumer,
    name: &'static str,
    seen: Seen,
}

/// Whether each of two workers has half of the shards.
pub(crate) fn halved(owners: &Owners, workers: [&str; 2]) -> bool {
    workers.iter().all(|worker| owners.get(*worker) == Some(&(SHARDS / 2)))
}

impl Ours {
    /// Stops in order.
    pub(crate) async fn stop(mut self) {
        self.consumer.shutdown().await;
        self.work();
    }

    /// Processes what there is.
    pub(crate) fn work(&self) {
        self.work_on(u64::MAX);
    }

    /// Processes so many records at most; how many.
    pub(crate) fn work_on(&self, records: u64) -> u64 {
        let cut = self.consumer.cut_at_most(records).unwrap();
        let blocks = cut.inputs.iter().flat_map(|input| &input.blocks);
        let numbers = blocks
            .flat_map(|block| block.iter().map(|record| std::str::from_utf8(record.data).unwrap().parse().unwrap()));
        let numbers: Vec<(String, u32)> = numbers.map(|number| (self.name.to_owned(), number)).collect();
        let count = numbers.len() as u64;
        self.seen.lock().unwrap().extend(numbers);
        self.consumer.processed(cut.id);
        count
    }
}

/// The partition key of a record.
fn key_of(number: u32) -> String {
    (number % KEYS).to_string()
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
