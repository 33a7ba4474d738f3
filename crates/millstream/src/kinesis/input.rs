//! What a process reads, and as whom.

use std::collections::BTreeSet;

use millstream_consumer::{ConsumerConfig, ConsumerError, MetricsConfig, MetricsLevel, Retrieval};
use millstream_kinesis::{AwsKinesis, AwsSettings, CloudWatch, InitialPosition, Kinesis};
use millstream_lease::{CoordinatorConfig, DynamoDbLeaseStore, LeaseStore, StoreUrl};
use std::sync::Arc;
use uuid::Uuid;

/// A Kinesis stream to be read as one worker of an application.
#[derive(Clone, Debug)]
pub struct KinesisInput {
    /// The application's name, and that of its lease table.
    pub application: String,
    /// How AWS is reached.
    pub aws: AwsSettings,
    /// Where the leases are, if not in DynamoDB.
    pub lease_store: Option<StoreUrl>,
    /// What is reported to CloudWatch; `None`: nothing.
    pub metrics: Option<Metrics>,
    /// The stream, the worker's name, and all clocks and limits.
    pub consumer: ConsumerConfig,
}

impl KinesisInput {
    /// The defaults, for a new worker whose name is `<host>:<uuid>`, as the KCL's.
    pub fn new(application: String, stream: String, aws: AwsSettings, initial: InitialPosition) -> Self {
        let id = Uuid::new_v4();
        let lease = CoordinatorConfig::new(format!("{}:{id}", host_name()), initial);
        let consumer = ConsumerConfig::new(stream, lease, id.as_u64_pair().0);
        Self { application, aws, lease_store: None, metrics: None, consumer }
    }

    /// Clients of Kinesis and of the lease table; nothing is asked of either yet.
    ///
    /// # Errors
    /// The credentials, or the lease store, can't be had.
    pub async fn connect(&self) -> Result<(Arc<dyn Kinesis>, Arc<dyn LeaseStore>), ConsumerError> {
        let kinesis: Arc<dyn Kinesis> = Arc::new(AwsKinesis::connect(&self.aws).await?);
        let store: Arc<dyn LeaseStore> = match &self.lease_store {
            Some(url) => url.open(&self.application).await?,
            None => Arc::new(DynamoDbLeaseStore::connect(&self.aws, self.application.clone()).await),
        };
        Ok((kinesis, store))
    }

    /// Where metrics are reported to, and what; the consumer is to be given it. A client that can't be had is told of in the log: it
    /// is no reason not to read.
    pub async fn connect_metrics(&self) -> Option<MetricsConfig> {
        let metrics = self.metrics.as_ref()?;
        match CloudWatch::connect(&self.aws).await {
            Ok(client) => {
                let config = MetricsConfig::new(client, self.application.clone(), metrics.level);
                Some(MetricsConfig { dimensions: metrics.dimensions.clone(), ..config })
            }
            Err(error) => {
                tracing::warn!(%error, "no metrics are reported");
                None
            }
        }
    }

    /// Lets the service push the records (enhanced fan-out), to a consumer of this name: else that of the application.
    pub fn use_fan_out(&mut self, consumer: Option<String>) {
        let consumer = consumer.unwrap_or_else(|| self.application.clone());
        self.consumer.retrieval = Retrieval::FanOut { consumer };
    }
}

/// What is reported to CloudWatch, in a namespace of the application's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// How much.
    pub level: MetricsLevel,
    /// Dimensions that metrics have; `None`: all (see [`MetricsConfig::dimensions`]).
    pub dimensions: Option<BTreeSet<String>>,
}

/// Only to tell workers apart in the lease table: any name will do where the system does not say its own.
fn host_name() -> String {
    let from_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    from_kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "localhost".to_owned())
}
