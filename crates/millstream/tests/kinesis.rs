//! Programs that read a Kinesis stream of the local service.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use millstream::kinesis::KinesisInputDStreamBuilder;
use millstream::{ContextError, CredentialsSource, InitialPosition, KinesisInputDStream, StreamingContext};
use millstream_kinesis::{AwsKinesis, AwsSettings, Kinesis, Producer, PutEntry};
use millstream_local::{LocalConfig, LocalService};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tokio::runtime::Runtime;

const INTERVAL: Duration = Duration::from_millis(50);
/// No wait of a test that passes comes near it.
const LONG: Duration = Duration::from_secs(30);

/// The local service with a stream `numbers`.
struct World {
    runtime: Runtime,
    service: LocalService,
    kinesis: Arc<AwsKinesis>,
}

fn credentials() -> CredentialsSource {
    CredentialsSource::Static { access_key: "key".into(), secret_key: "secret".into(), session_token: None }
}

impl World {
    fn new(shards: u32) -> Self {
        let runtime = Runtime::new().unwrap();
        let service = runtime.block_on(LocalService::start(LocalConfig::default())).unwrap();
        let settings = AwsSettings {
            region: "us-east-1".into(),
            kinesis_endpoint: Some(service.endpoint()),
            credentials: credentials(),
            ..AwsSettings::default()
        };
        let kinesis = runtime.block_on(async {
            let kinesis = AwsKinesis::connect(&settings).await.unwrap();
            kinesis.create_stream("numbers", shards).await.unwrap();
            while !kinesis.stream_active("numbers").await.unwrap() {
                tokio::task::yield_now().await;
            }
            Arc::new(kinesis)
        });
        Self { runtime, service, kinesis }
    }

    fn put(&self, numbers: Range<u32>) {
        let entries = numbers.map(|number| PutEntry::new(format!("key {number}"), number.to_string())).collect();
        let producer = Producer::new(self.kinesis.clone(), "numbers");
        self.runtime.block_on(producer.put_all(entries)).unwrap();
    }

    fn builder(&self, ssc: &StreamingContext) -> KinesisInputDStreamBuilder {
        KinesisInputDStream::builder()
            .streaming_context(ssc)
            .checkpoint_app_name("application")
            .stream_name("numbers")
            .endpoint_url(self.service.endpoint())
            .region_name("us-east-1")
            .kinesis_credentials(credentials())
            .initial_position(InitialPosition::TrimHorizon)
    }

    /// A program that sends the numbers of each batch, and fails a batch that holds a `bad` one.
    fn program(&self, bad: Option<u32>) -> (StreamingContext, Receiver<Vec<u32>>) {
        let ssc = StreamingContext::new(INTERVAL);
        let records = self.builder(&ssc).build().unwrap();
        let numbers = records.map(|record| String::from_utf8_lossy(record.data()).parse::<u32>().unwrap());
        let (sender, batches) = channel();
        numbers.foreach_rdd(move |_, data| {
            let numbers: Vec<u32> = data.iter().copied().collect();
            let is_bad = numbers.iter().any(|number| Some(*number) == bad);
            sender.send(numbers)?;
            if is_bad { Err("a bad number".into()) } else { Ok(()) }
        });
        (ssc, batches)
    }
}

/// Waits for `count` numbers; sorted.
fn receive(batches: &Receiver<Vec<u32>>, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.extend(batches.recv_timeout(LONG).expect("more numbers"));
    }
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_program_goes_on_where_the_last_one_stopped() {
    let world = World::new(4);
    world.put(0..1000);
    let (ssc, batches) = world.program(None);
    ssc.start().unwrap();
    assert_eq!(receive(&batches, 1000), (0..1000).collect::<Vec<_>>());
    world.put(1000..1500);
    assert_eq!(receive(&batches, 500), (1000..1500).collect::<Vec<_>>());
    ssc.stop(true).unwrap();

    world.put(1500..1600);
    let (ssc, batches) = world.program(None);
    ssc.start().unwrap();
    assert_eq!(receive(&batches, 100), (1500..1600).collect::<Vec<_>>(), "only what is new, at once");
    ssc.stop(false).unwrap();
    assert_eq!(batches.iter().flatten().count(), 0);
}

#[test]
fn what_a_failed_batch_held_comes_again() {
    let world = World::new(1);
    world.put(0..10);
    let (ssc, batches) = world.program(Some(15));
    ssc.start().unwrap();
    assert_eq!(receive(&batches, 10), (0..10).collect::<Vec<_>>());
    world.put(10..20);
    let error = ssc.await_termination_or_timeout(LONG).unwrap_err();
    assert!(error.to_string().contains("a bad number"), "{error}");
    world.put(20..30);
    receive(&batches, 20);
    ssc.stop(true).unwrap();

    let (ssc, batches) = world.program(None);
    ssc.start().unwrap();
    let again = receive(&batches, 15);
    // The batch with 15 may have begun with any number from 10 on; nothing of it, and nothing after it, may be missing.
    assert_eq!(again.last(), Some(&29));
    assert!(again[0] <= 15 && again[0] >= 10, "{again:?}");
    assert_eq!(again, (again[0]..30).collect::<Vec<_>>());
    ssc.stop(true).unwrap();
}

#[test]
fn a_missing_stream_is_an_error_of_start_that_names_it() {
    let world = World::new(1);
    let ssc = StreamingContext::new(INTERVAL);
    world.builder(&ssc).stream_name("letters").build().unwrap().pprint(1);
    let error = ssc.start().unwrap_err();
    assert!(matches!(error, ContextError::Start(_)));
    assert!(error.to_string().contains("letters"), "{error}");
}

#[test]
fn required_parameters_are_asked_for_in_sparks_words() {
    let ssc = StreamingContext::new(INTERVAL);
    let complete = || KinesisInputDStream::builder().streaming_context(&ssc).stream_name("s").checkpoint_app_name("a");
    assert!(complete().build().is_ok());
    let without = [
        ("streaming_context", KinesisInputDStream::builder().stream_name("s").checkpoint_app_name("a")),
        ("stream_name", KinesisInputDStream::builder().streaming_context(&ssc).checkpoint_app_name("a")),
        ("checkpoint_app_name", KinesisInputDStream::builder().streaming_context(&ssc).stream_name("s")),
    ];
    for (parameter, builder) in without {
        let error = builder.build().err().expect("an error");
        assert_eq!(error.to_string(), format!("No value provided for required parameter {parameter}"));
    }
}
