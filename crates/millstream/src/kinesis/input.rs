//! What a process reads, and as whom.

use millstream_consumer::{ConsumerConfig, ConsumerError, Retrieval};
use millstream_kinesis::{AwsKinesis, AwsSettings, InitialPosition, Kinesis};
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
    /// A batch of an earlier run whose records are not all in the stream any more is an error; otherwise it runs without them.
    pub fail_on_data_loss: bool,
    /// The stream, the worker's name, and all clocks and limits.
    pub consumer: ConsumerConfig,
}

impl KinesisInput {
    /// The defaults, for a new worker whose name is `<host>:<uuid>`, as the KCL's.
    pub fn new(application: String, stream: String, aws: AwsSettings, initial: InitialPosition) -> Self {
        let id = Uuid::new_v4();
        let lease = CoordinatorConfig::new(format!("{}:{id}", host_name()), initial);
        let consumer = ConsumerConfig::new(stream, lease, id.as_u64_pair().0);
        Self { application, aws, lease_store: None, fail_on_data_loss: true, consumer }
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

    /// Lets the service push the records (enhanced fan-out), to a consumer of this name: else that of the application.
    pub fn use_fan_out(&mut self, consumer: Option<String>) {
        let consumer = consumer.unwrap_or_else(|| self.application.clone());
        self.consumer.retrieval = Retrieval::FanOut { consumer };
    }
}

/// Only to tell workers apart in the lease table: any name will do where the system does not say its own.
fn host_name() -> String {
    let from_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    from_kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "localhost".to_owned())
}
