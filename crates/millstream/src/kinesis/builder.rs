//! `KinesisInputDStream::builder()`, as Spark has it.

use crate::dataset::AnyPartitions;
use crate::kinesis::{KinesisInput, KinesisRecord, KinesisSource};
use crate::{DStream, StreamingContext};
use millstream_dashboard::Input;
use millstream_kinesis::{AwsSettings, CredentialsSource, InitialPosition};
use millstream_lease::StoreUrl;
use std::time::Duration;
use thiserror::Error;

/// Streams of Kinesis records, by [`KinesisInputDStream::builder`].
pub struct KinesisInputDStream;

impl KinesisInputDStream {
    /// A builder with nothing set. Context, stream and application name must be.
    pub fn builder() -> KinesisInputDStreamBuilder {
        KinesisInputDStreamBuilder::default()
    }
}

/// A parameter of [`KinesisInputDStreamBuilder`] that has no default was not set. The words are Spark's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("No value provided for required parameter {parameter}")]
pub struct BuildError {
    /// The setter's name.
    pub parameter: &'static str,
}

/// Says which stream is read, as which application, from where.
#[derive(Clone, Default)]
pub struct KinesisInputDStreamBuilder {
    context: Option<StreamingContext>,
    stream: Option<String>,
    application: Option<String>,
    initial: Option<InitialPosition>,
    checkpoint_interval: Option<Duration>,
    lease_store: Option<StoreUrl>,
    fan_out: bool,
    consumer_name: Option<String>,
    aws: AwsSettings,
}

impl KinesisInputDStreamBuilder {
    /// The context that will run the stream. Required.
    #[must_use]
    pub fn streaming_context(mut self, context: &StreamingContext) -> Self {
        self.context = Some(context.clone());
        self
    }

    /// The Kinesis stream. Required.
    #[must_use]
    pub fn stream_name(mut self, stream: impl Into<String>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// The application's name, which is also that of its lease table in DynamoDB. Processes of one name share the shards; another
    /// name reads everything for itself. Required.
    #[must_use]
    pub fn checkpoint_app_name(mut self, application: impl Into<String>) -> Self {
        self.application = Some(application.into());
        self
    }

    /// Where Kinesis is asked. Default: the region's public endpoint.
    #[must_use]
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.aws.kinesis_endpoint = Some(url.into());
        self
    }

    /// Where DynamoDB is asked. Default: a Kinesis endpoint that is not AWS's is asked for DynamoDB too, else the region's.
    #[must_use]
    pub fn dynamo_db_endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.aws.dynamodb_endpoint = Some(url.into());
        self
    }

    /// Where the leases are kept. Default: in DynamoDB.
    #[must_use]
    pub fn lease_store(mut self, url: StoreUrl) -> Self {
        self.lease_store = Some(url);
        self
    }

    /// The AWS region. Default: that of the environment or the profile, as everywhere in AWS's tools.
    #[must_use]
    pub fn region_name(mut self, region: impl Into<String>) -> Self {
        self.aws.region = region.into();
        self
    }

    /// Where a shard is read from that has no checkpoint yet. Default: [`InitialPosition::Latest`].
    #[must_use]
    pub fn initial_position(mut self, position: InitialPosition) -> Self {
        self.initial = Some(position);
        self
    }

    /// At most one checkpoint of a shard is written in this time. Default: the batch interval.
    #[must_use]
    pub fn checkpoint_interval(mut self, interval: Duration) -> Self {
        self.checkpoint_interval = Some(interval);
        self
    }

    /// Lets Kinesis push the records as they arrive (enhanced fan-out), which AWS charges for. Default: shards are polled.
    #[must_use]
    pub fn fan_out(mut self) -> Self {
        self.fan_out = true;
        self
    }

    /// The consumer that is registered for fan-out. Default: named as the application.
    #[must_use]
    pub fn consumer_name(mut self, name: impl Into<String>) -> Self {
        self.consumer_name = Some(name.into());
        self
    }

    /// For Kinesis and DynamoDB. Default: [`CredentialsSource::Default`].
    #[must_use]
    pub fn kinesis_credentials(mut self, credentials: CredentialsSource) -> Self {
        self.aws.credentials = credentials;
        self
    }

    /// Adds the stream to its context. Nothing is asked of AWS before the context starts.
    pub fn build(self) -> Result<DStream<KinesisRecord>, BuildError> {
        let missing = |parameter| BuildError { parameter };
        let context = self.context.ok_or(missing("streaming_context"))?;
        let stream = self.stream.ok_or(missing("stream_name"))?;
        let application = self.application.ok_or(missing("checkpoint_app_name"))?;
        let initial = self.initial.unwrap_or(InitialPosition::Latest);
        let checkpoint_interval = self.checkpoint_interval.unwrap_or(context.batch_interval());

        let shown = Input { name: format!("Kinesis stream {stream}"), has_receiver: true };
        let mut input = KinesisInput::new(application, stream, self.aws, initial);
        input.consumer.lease.checkpoint_interval_ms =
            u64::try_from(checkpoint_interval.as_millis()).unwrap_or(u64::MAX);
        input.consumer.poll.cut_every = Some(context.batch_interval());
        input.lease_store = self.lease_store;
        if self.fan_out {
            input.use_fan_out(self.consumer_name);
        }
        let source = KinesisSource::new(input, |blocks| {
            let partitions = blocks.into_iter().map(KinesisRecord::all_of).collect();
            Ok(AnyPartitions::new::<KinesisRecord>(partitions))
        });
        context.watch(source.watch());
        Ok(context.input(Box::new(source), shown))
    }
}
