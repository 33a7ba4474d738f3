//! A worker as the KCL has them: a processor for each shard, which prints what comes and checkpoints behind it.
//!
//! ```text
//! cargo run --example shard_worker -- APPLICATION STREAM
//! cargo run --example shard_worker -- --local
//! ```
//!
//! Region, endpoint and credentials are those of `AWS_*` variables and files. Workers of one application share the stream's
//! shards; Ctrl-C ends one in order, and its shards are read by the others at once. With `--local` it starts the local
//! service, puts some lines, and ends when they are processed.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use millstream_consumer::processor::{ProcessRecordsInput, ProcessorResult, Scheduler, ShardRecordProcessor};
use millstream_consumer::{Checkpointer, ConsumerConfig, ShardConsumer};
use millstream_kinesis::{AwsKinesis, AwsSettings, CredentialsSource, InitialPosition, Kinesis, PutEntry};
use millstream_lease::{CoordinatorConfig, DynamoDbLeaseStore};
use millstream_local::{LocalConfig, LocalService};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Outcome = Result<(), Box<dyn Error>>;

const LINES: [&str; 4] =
    ["to be or not to be", "that is the question", "whether it is nobler", "to suffer or to take arms"];

/// Prints the records of one shard.
struct Printer {
    /// Told how many records are behind a checkpoint.
    processed: mpsc::Sender<usize>,
}

#[async_trait]
impl ShardRecordProcessor for Printer {
    async fn process_records(&mut self, input: ProcessRecordsInput, checkpointer: &Checkpointer) -> ProcessorResult {
        for record in input.records() {
            println!("{} {}: {}", checkpointer.shard(), record.partition_key, String::from_utf8_lossy(record.data));
        }
        checkpointer.checkpoint().await?;
        // Nobody may want to know.
        let _ = self.processed.send(input.records().count()).await;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let shutdown = CancellationToken::new();
    let (processed, told) = mpsc::channel(16);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--local"] => {
            let service = LocalService::start(LocalConfig::default()).await?;
            let credentials = CredentialsSource::Static {
                access_key: "local".into(),
                secret_key: "local".into(),
                session_token: None,
            };
            let aws = AwsSettings {
                region: "us-east-1".into(),
                kinesis_endpoint: Some(service.endpoint()),
                credentials,
                ..AwsSettings::default()
            };
            put_lines(&aws).await?;
            tokio::spawn(stop_behind(LINES.len(), told, shutdown.clone()));
            work(&aws, "printer", "lines", processed, shutdown).await?;
            println!("all lines processed");
            Ok(())
        }
        [application, stream] => {
            let interrupted = shutdown.clone();
            tokio::spawn(async move {
                if tokio::signal::ctrl_c().await.is_ok() {
                    interrupted.cancel();
                }
            });
            drop(told);
            work(&AwsSettings::default(), application, stream, processed, shutdown).await
        }
        _ => Err("usage: shard_worker APPLICATION STREAM | --local".into()),
    }
}

/// One worker of an application, until `shutdown`.
async fn work(
    aws: &AwsSettings,
    application: &str,
    stream: &str,
    processed: mpsc::Sender<usize>,
    shutdown: CancellationToken,
) -> Outcome {
    let kinesis = Arc::new(AwsKinesis::connect(aws).await?);
    let store = Arc::new(DynamoDbLeaseStore::connect(aws, application).await);
    let id = Uuid::new_v4();
    let lease = CoordinatorConfig::new(id.to_string(), InitialPosition::TrimHorizon);
    let config = ConsumerConfig::new(stream, lease, id.as_u64_pair().0);
    let consumer = ShardConsumer::start(kinesis, store, config).await?;
    Ok(Scheduler::new(consumer, move || Printer { processed: processed.clone() }).run(shutdown).await?)
}

async fn put_lines(aws: &AwsSettings) -> Outcome {
    let kinesis = AwsKinesis::connect(aws).await?;
    kinesis.create_stream("lines", 2).await?;
    let entries: Vec<PutEntry> = LINES.iter().map(|line| PutEntry::new(*line, *line)).collect();
    kinesis.put_records("lines", &entries).await?;
    Ok(())
}

/// Stops the worker when so many records are processed.
async fn stop_behind(records: usize, mut processed: mpsc::Receiver<usize>, shutdown: CancellationToken) {
    let mut seen = 0;
    while seen < records
        && let Some(more) = processed.recv().await
    {
        seen += more;
    }
    shutdown.cancel();
}
