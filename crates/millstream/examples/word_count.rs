//! Counts words of a Kinesis stream, batch by batch.
//!
//! ```text
//! cargo run --example word_count -- APP STREAM ENDPOINT REGION
//! cargo run --example word_count -- --local
//! ```
//!
//! With `--local` it starts the local service, puts some lines, and ends when they are counted. Otherwise it runs until it is
//! killed; started again with the same application name it goes on where it was.

use millstream::kinesis::KinesisInputDStreamBuilder;
use millstream::{
    BatchTime, CredentialsSource, DStream, InitialPosition, KinesisInputDStream, Partitions, StreamingContext,
};
use millstream_kinesis::{AwsKinesis, AwsSettings, Kinesis, Producer, PutEntry};
use millstream_local::{LocalConfig, LocalService};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error>>;

const LINES: [&str; 4] =
    ["to be or not to be", "that is the question", "whether it is nobler", "to suffer or to take arms"];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--local"] => local(),
        [application, stream, endpoint, region] => {
            let ssc = StreamingContext::new(Duration::from_secs(1));
            let input = KinesisInputDStream::builder().checkpoint_app_name(application).stream_name(stream);
            word_count(&ssc, input.endpoint_url(endpoint).region_name(region))?.pprint(10);
            ssc.start()?;
            Ok(ssc.await_termination()?)
        }
        _ => Err("usage: word_count APP STREAM ENDPOINT REGION | --local".into()),
    }
}

/// The words of each batch, with how often they come.
fn word_count(ssc: &StreamingContext, input: KinesisInputDStreamBuilder) -> Outcome<DStream<(String, u64)>> {
    let records = input.streaming_context(ssc).initial_position(InitialPosition::TrimHorizon).build()?;
    let words = records.flat_map(|record| {
        let line = String::from_utf8_lossy(record.data());
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    });
    Ok(words.map(|word| (word.clone(), 1)).reduce_by_key(|a, b| a + b))
}

fn local() -> Outcome<()> {
    let runtime = Runtime::new()?;
    let service = runtime.block_on(LocalService::start(LocalConfig::default()))?;
    let credentials =
        CredentialsSource::Static { access_key: "local".into(), secret_key: "local".into(), session_token: None };
    let aws = AwsSettings {
        region: "us-east-1".into(),
        kinesis_endpoint: Some(service.endpoint()),
        credentials: credentials.clone(),
        ..AwsSettings::default()
    };
    runtime.block_on(put_lines(&aws))?;

    let ssc = StreamingContext::new(Duration::from_millis(200));
    let input = KinesisInputDStream::builder().checkpoint_app_name("word-count").stream_name("lines");
    let input = input.endpoint_url(service.endpoint()).region_name("us-east-1").kinesis_credentials(credentials);
    let counts = word_count(&ssc, input)?;
    counts.pprint(10);

    let mut missing: u64 = LINES.iter().map(|line| line.split_whitespace().count() as u64).sum();
    let stopper = ssc.clone();
    counts.foreach_rdd(move |_: BatchTime, counts: &Partitions<(String, u64)>| {
        missing = missing.saturating_sub(counts.iter().map(|(_, count)| count).sum());
        if missing == 0 {
            println!("all words counted");
            stopper.stop(true)?;
        }
        Ok(())
    });
    ssc.start()?;
    ssc.await_termination()?;
    runtime.block_on(service.shutdown());
    Ok(())
}

async fn put_lines(aws: &AwsSettings) -> Outcome<()> {
    let kinesis = Arc::new(AwsKinesis::connect(aws).await?);
    kinesis.create_stream("lines", 2).await?;
    while !kinesis.stream_active("lines").await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let entries = LINES.iter().map(|line| PutEntry::new(line.chars().take(3).collect::<String>(), *line)).collect();
    Producer::new(kinesis, "lines").put_all(entries).await?;
    Ok(())
}
