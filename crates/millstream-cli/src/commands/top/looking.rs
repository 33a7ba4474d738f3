use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use millstream_kinesis::{AwsKinesis, InitialPosition, Kinesis};
use millstream_lease::{DynamoDbLeaseStore, LeaseStore, StreamIdentifier};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::TopArgs;
use super::board::Look;
use crate::commands::leases::lags;
use crate::error::CliError;
use crate::stream_reader::{ShardBlock, StreamReader};

/// Blocks that wait to be counted.
const WAITING: usize = 8;

/// Records and bytes of each shard since the last look.
type Counts = Arc<Mutex<BTreeMap<String, (u64, u64)>>>;

/// Looks at a stream and at its application.
pub(super) struct Looking {
    stream: String,
    kinesis: Arc<dyn Kinesis>,
    store: Option<DynamoDbLeaseStore>,
    counts: Option<Counts>,
    last: Instant,
}

impl Looking {
    pub(super) async fn at(args: &TopArgs) -> Result<Self, CliError> {
        let settings = args.aws.settings();
        let store = match &args.application {
            Some(application) => Some(DynamoDbLeaseStore::connect(&settings, application).await),
            None => None,
        };
        let kinesis: Arc<dyn Kinesis> = Arc::new(AwsKinesis::connect(&settings).await?);
        let counts = args.rates.then(Counts::default);
        if let Some(counts) = &counts {
            tokio::spawn(count(Arc::clone(&kinesis), args.stream.clone(), Arc::clone(counts)));
        }
        Ok(Self { stream: args.stream.clone(), kinesis, store, counts, last: Instant::now() })
    }

    pub(super) async fn look(&mut self) -> Result<Look, CliError> {
        let shards = self.kinesis.list_shards(&self.stream).await?;
        let mut leases = match &self.store {
            Some(store) => store.scan().await?,
            None => Vec::new(),
        };
        let name = |identifier: &str| match identifier.parse::<StreamIdentifier>() {
            Ok(known) => known.name,
            Err(_) => self.stream.clone(),
        };
        leases.retain(|lease| name(lease.stream()) == self.stream);
        let streams = leases.iter().map(|lease| (lease.stream().to_owned(), self.stream.clone())).collect();
        let lags = lags(&self.kinesis, &streams, &leases).await?;
        let counts = self
            .counts
            .as_ref()
            .map(|counts| std::mem::take(&mut *counts.lock().unwrap_or_else(PoisonError::into_inner)));
        let seconds = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        Ok(Look { shards, leases, lags, counts, seconds })
    }
}

/// Reads what arrives and counts it, until the program ends.
async fn count(kinesis: Arc<dyn Kinesis>, stream: String, counts: Counts) {
    let (sender, mut blocks) = mpsc::channel::<ShardBlock>(WAITING);
    let reader = StreamReader { kinesis, stream, shard: None, from: InitialPosition::Latest, follow: true };
    let counting = async {
        while let Some(ShardBlock { block, .. }) = blocks.recv().await {
            let bytes: u64 = block.iter().map(|record| (record.data.len() + record.partition_key.len()) as u64).sum();
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            let (records, sum) = counts.entry(block.shard().to_string()).or_default();
            *records += block.len() as u64;
            *sum += bytes;
        }
    };
    let reading = async {
        let read = reader.run(|_| sender.clone()).await;
        if let Err(error) = read {
            tracing::warn!(%error, "records are not counted any more");
        }
    };
    tokio::join!(counting, reading);
}
