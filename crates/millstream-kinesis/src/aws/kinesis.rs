use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::Builder;
use aws_sdk_kinesis::error::SdkError;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, ShardIteratorType, StartingPosition, StreamStatus};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::{Blob, DateTime};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::errors::Call;
use super::in_columns::InColumns;
use super::records::Written;
use super::subscription::{self, AwsSubscription};
use super::{AwsSettings, decode};
use crate::{
    GetRecords, Kinesis, KinesisError, PutEntry, PutOutcome, ReadFrom, SequenceNumber, Shard, ShardId, StreamConsumer,
    StreamOrigin, Subscription,
};

/// Kinesis through the AWS SDK. Connections are made when they are needed.
#[derive(Clone)]
pub struct AwsKinesis {
    pub(super) client: Client,
    region: String,
    endpoint: String,
    /// Whether records are asked for in CBOR. Written once at most: when the service knows none.
    speaks_cbor: Arc<AtomicBool>,
    /// Who reads shards at this moment.
    readers: Arc<Semaphore>,
}

/// Iterators and records are asked for by so many calls at a time. Each keeps a connection where the service speaks HTTP/1.1,
/// and each connection buffers. Enough for five reads a second of a thousand shards if an answer takes 50 ms.
pub(super) const MAX_READERS: usize = 256;

impl AwsKinesis {
    /// A client for these settings. Makes no call to Kinesis yet.
    ///
    /// # Errors
    /// [`KinesisError::InvalidArgument`]: no region, or an endpoint that is no URL.
    pub async fn connect(settings: &AwsSettings) -> Result<Self, KinesisError> {
        let invalid = |message: &str| KinesisError::InvalidArgument { message: message.to_owned() };
        if let Some(endpoint) = &settings.kinesis_endpoint
            && !endpoint.starts_with("http://")
            && !endpoint.starts_with("https://")
        {
            return Err(invalid(&format!(
                "the endpoint `{endpoint}` is no URL: it must start with https:// or http://"
            )));
        }
        let sdk = settings.load().await;
        let region = match sdk.region() {
            Some(region) => region.to_string(),
            None => return Err(invalid("no region is set: name one, or set AWS_REGION")),
        };
        let mut config = Builder::from(&sdk);
        if let Some(endpoint) = &settings.kinesis_endpoint {
            config = config.endpoint_url(endpoint);
        }
        let endpoint = (settings.kinesis_endpoint.clone())
            .or_else(|| sdk.endpoint_url().map(str::to_owned))
            .unwrap_or_else(|| format!("the endpoint of region {region}"));
        let speaks_cbor = Arc::new(AtomicBool::new(may_speak_cbor(|name| std::env::var(name).ok())));
        let readers = Arc::new(Semaphore::new(MAX_READERS));
        Ok(AwsKinesis { client: Client::from_conf(config.build()), region, endpoint, speaks_cbor, readers })
    }

    /// A consumer is found by the ARN of its stream, not by the stream's name.
    async fn stream_arn(&self, stream: &str) -> Result<String, KinesisError> {
        let call = self.client.describe_stream_summary().stream_name(stream);
        let summary = call.send().await.map_err(self.failed(stream))?.stream_description_summary;
        summary.map(|summary| summary.stream_arn).ok_or_else(|| decode::malformed("`StreamARN` is missing"))
    }

    /// Waits until it is this call's turn; over when the permit is dropped. There is one always: nobody closes the semaphore.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.readers.acquire().await.ok()
    }

    pub(super) fn failed<E>(&self, stream: &str) -> impl FnOnce(SdkError<E, HttpResponse>) -> KinesisError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        move |error| {
            let call = Call { stream, region: &self.region, endpoint: &self.endpoint };
            call.error(&error)
        }
    }
}

/// Whether nothing is said against CBOR, by the variables of the AWS SDKs for Java.
fn may_speak_cbor(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_disabled = variable("AWS_CBOR_DISABLE").is_some_and(|value| !matches!(value.trim(), "" | "0" | "false"));
    let is_enabled = variable("CBOR_ENABLED").is_none_or(|value| !value.trim().eq_ignore_ascii_case("false"));
    is_enabled && !is_disabled
}

/// A place in the service's words: its type, sequence number and timestamp.
fn starting(at: &ReadFrom) -> (ShardIteratorType, Option<String>, Option<DateTime>) {
    let sequence = |number: &SequenceNumber| Some(number.as_str().to_owned());
    match at {
        ReadFrom::TrimHorizon => (ShardIteratorType::TrimHorizon, None, None),
        ReadFrom::Latest => (ShardIteratorType::Latest, None, None),
        ReadFrom::AtTimestamp(ms) => (ShardIteratorType::AtTimestamp, None, Some(DateTime::from_millis(*ms))),
        ReadFrom::At(number) => (ShardIteratorType::AtSequenceNumber, sequence(number), None),
        ReadFrom::After(number) => (ShardIteratorType::AfterSequenceNumber, sequence(number), None),
    }
}

impl fmt::Debug for AwsKinesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKinesis")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Kinesis for AwsKinesis {
    async fn list_shards(&self, stream: &str) -> Result<Vec<Shard>, KinesisError> {
        let mut shards = Vec::new();
        let mut next = None;
        loop {
            // A next token names the stream; to give both is refused.
            let name = next.is_none().then(|| stream.to_owned());
            let call = self.client.list_shards().set_stream_name(name).set_next_token(next);
            let page = call.send().await.map_err(self.failed(stream))?;
            for shard in page.shards.unwrap_or_default() {
                shards.push(decode::shard(shard)?);
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn get_iterator(&self, stream: &str, shard: &ShardId, at: &ReadFrom) -> Result<String, KinesisError> {
        let _turn = self.turn().await;
        let (kind, sequence, timestamp) = starting(at);
        let call = self.client.get_shard_iterator().stream_name(stream).shard_id(shard.as_str());
        let call = call.shard_iterator_type(kind).set_starting_sequence_number(sequence).set_timestamp(timestamp);
        let answer = call.send().await.map_err(self.failed(stream))?;
        answer.shard_iterator.ok_or_else(|| decode::malformed("`ShardIterator` is missing"))
    }

    async fn get_records(
        &self,
        stream: &str,
        shard: &ShardId,
        iterator: &str,
        limit: u32,
    ) -> Result<GetRecords, KinesisError> {
        let _turn = self.turn().await;
        let limit = limit.clamp(1, 10_000) as i32;
        // Twice at most: what is asked in JSON is never misunderstood.
        loop {
            let asked = if self.speaks_cbor.load(Relaxed) { Written::Cbor } else { Written::Json };
            let answer = InColumns::new(stream, shard, asked);
            let call = self.client.get_records().shard_iterator(iterator).limit(limit);
            let sent = call.customize().interceptor(answer.clone()).send().await;
            if sent.is_err() && answer.is_misunderstood() {
                tracing::info!(endpoint = %self.endpoint, "the service refuses CBOR in another form: it is asked in JSON from now on");
                self.speaks_cbor.store(false, Relaxed);
                continue;
            }
            sent.map_err(self.failed(stream))?;
            return answer.take();
        }
    }

    async fn find_consumer(&self, stream: &str, name: &str) -> Result<Option<StreamConsumer>, KinesisError> {
        let arn = self.stream_arn(stream).await?;
        match self.client.describe_stream_consumer().stream_arn(arn).consumer_name(name).send().await {
            Ok(answer) => {
                let found = answer.consumer_description.ok_or_else(|| decode::malformed("the consumer is missing"))?;
                Ok(Some(decode::consumer(found.consumer_arn, &found.consumer_status)))
            }
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                Ok(None)
            }
            Err(error) => Err(self.failed(stream)(error)),
        }
    }

    async fn register_consumer(&self, stream: &str, name: &str) -> Result<StreamConsumer, KinesisError> {
        let arn = self.stream_arn(stream).await?;
        let call = self.client.register_stream_consumer().stream_arn(arn).consumer_name(name);
        let made = call.send().await.map_err(self.failed(stream))?.consumer;
        let made = made.ok_or_else(|| decode::malformed("the consumer is missing"))?;
        Ok(decode::consumer(made.consumer_arn, &made.consumer_status))
    }

    async fn subscribe(
        &self,
        stream: &str,
        consumer_arn: &str,
        shard: &ShardId,
        at: &ReadFrom,
    ) -> Result<Box<dyn Subscription>, KinesisError> {
        let (kind, sequence, timestamp) = starting(at);
        let position = StartingPosition::builder().r#type(kind).set_sequence_number(sequence).set_timestamp(timestamp);
        let position = position.build().map_err(decode::malformed)?;
        let call = self.client.subscribe_to_shard().consumer_arn(consumer_arn).shard_id(shard.as_str());
        let call = call.starting_position(position).customize().config_override(subscription::config());
        let answer = call.send().await.map_err(self.failed(stream))?;
        Ok(Box::new(AwsSubscription {
            events: answer.event_stream,
            stream: stream.into(),
            shard: shard.clone(),
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
        }))
    }

    async fn put_records(&self, stream: &str, entries: &[PutEntry]) -> Result<Vec<PutOutcome>, KinesisError> {
        let mut call = self.client.put_records().stream_name(stream);
        for entry in entries {
            let record = PutRecordsRequestEntry::builder()
                .data(Blob::new(entry.data.as_ref()))
                .partition_key(&entry.partition_key)
                .set_explicit_hash_key(entry.explicit_hash_key.map(|key| key.to_string()))
                .build()
                .map_err(decode::malformed)?;
            call = call.records(record);
        }
        let answer = call.send().await.map_err(self.failed(stream))?;
        if answer.records.len() != entries.len() {
            return Err(decode::malformed("not one outcome for each record put"));
        }
        answer.records.into_iter().map(decode::outcome).collect()
    }

    async fn create_stream(&self, stream: &str, shards: u32) -> Result<(), KinesisError> {
        let shards = i32::try_from(shards).unwrap_or(i32::MAX);
        let call = self.client.create_stream().stream_name(stream).shard_count(shards);
        call.send().await.map_err(self.failed(stream))?;
        Ok(())
    }

    async fn stream_origin(&self, stream: &str) -> Result<StreamOrigin, KinesisError> {
        let call = self.client.describe_stream_summary().stream_name(stream);
        let summary = call.send().await.map_err(self.failed(stream))?.stream_description_summary;
        let summary = summary.ok_or_else(|| decode::malformed("`StreamDescriptionSummary` is missing"))?;
        // arn:aws:kinesis:region:account:stream/name
        let account = summary.stream_arn.split(':').nth(4).filter(|account| !account.is_empty());
        let account = account.ok_or_else(|| decode::malformed("`StreamARN` has no account"))?.to_owned();
        Ok(StreamOrigin { account, created_s: summary.stream_creation_timestamp.secs() })
    }

    async fn stream_active(&self, stream: &str) -> Result<bool, KinesisError> {
        let call = self.client.describe_stream_summary().stream_name(stream);
        let answer = call.send().await.map_err(self.failed(stream))?;
        // A stream that is being resharded can be read and written too.
        Ok(answer
            .stream_description_summary
            .is_some_and(|summary| matches!(summary.stream_status, StreamStatus::Active | StreamStatus::Updating)))
    }
}

#[cfg(test)]
mod tests {
    use super::may_speak_cbor;

    #[test]
    fn cbor_is_spoken_unless_a_variable_of_the_java_sdks_is_against_it() {
        let may =
            |name: &'static str, value: &'static str| may_speak_cbor(|asked| (asked == name).then(|| value.to_owned()));
        assert!(may("", ""));
        assert!(!may("AWS_CBOR_DISABLE", "true") && !may("AWS_CBOR_DISABLE", "1") && may("AWS_CBOR_DISABLE", "false"));
        assert!(!may("CBOR_ENABLED", "false") && may("CBOR_ENABLED", "true"));
    }
}
