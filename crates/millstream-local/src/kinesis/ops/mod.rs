//! The operations, one file each.

mod add_tags_to_stream;
mod create_stream;
mod decrease_stream_retention_period;
mod delete_resource_policy;
mod delete_stream;
mod deregister_stream_consumer;
mod describe_account_settings;
mod describe_limits;
mod describe_stream;
mod describe_stream_consumer;
mod describe_stream_summary;
mod disable_enhanced_monitoring;
mod enable_enhanced_monitoring;
mod get_records;
mod get_resource_policy;
mod get_shard_iterator;
mod increase_stream_retention_period;
mod list_shards;
mod list_stream_consumers;
mod list_streams;
mod list_tags_for_resource;
mod list_tags_for_stream;
mod merge_shards;
mod named;
mod put_record;
mod put_records;
mod put_resource_policy;
mod putting;
mod register_stream_consumer;
mod remove_tags_from_stream;
mod split_shard;
mod start_stream_encryption;
mod stop_stream_encryption;
mod subscribe_to_shard;
mod tag_resource;
mod untag_resource;
mod update_account_settings;
mod update_max_record_size;
mod update_shard_count;
mod update_stream_mode;
mod update_stream_record_distribution_strategy;
mod update_stream_warm_throughput;

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::input::{self, Flag, Word};
use super::iterator::ShardIterator;
use super::region::{ACCOUNT, Region};
use super::stream::{Stream, shard_id};
use super::{Kinesis, sealed};
use crate::api_error::ApiError;
use crate::event_stream;
use crate::faults::Target;
use crate::format::Format;
use crate::http::Reply;

/// All of them.
pub(crate) const OPERATIONS: [&str; 40] = [
    "AddTagsToStream",
    "CreateStream",
    "DecreaseStreamRetentionPeriod",
    "DeleteResourcePolicy",
    "DeleteStream",
    "DeregisterStreamConsumer",
    "DescribeAccountSettings",
    "DescribeLimits",
    "DescribeStream",
    "DescribeStreamConsumer",
    "DescribeStreamSummary",
    "DisableEnhancedMonitoring",
    "EnableEnhancedMonitoring",
    "GetRecords",
    "GetResourcePolicy",
    "GetShardIterator",
    "IncreaseStreamRetentionPeriod",
    "ListShards",
    "ListStreamConsumers",
    "ListStreams",
    "ListTagsForResource",
    "ListTagsForStream",
    "MergeShards",
    "PutRecord",
    "PutRecords",
    "PutResourcePolicy",
    "RegisterStreamConsumer",
    "RemoveTagsFromStream",
    "SplitShard",
    "StartStreamEncryption",
    "StopStreamEncryption",
    "SubscribeToShard",
    "TagResource",
    "UntagResource",
    "UpdateAccountSettings",
    "UpdateMaxRecordSize",
    "UpdateShardCount",
    "UpdateStreamMode",
    "UpdateStreamRecordDistributionStrategy",
    "UpdateStreamWarmThroughput",
];

/// What an operation is run with.
pub(crate) struct Call {
    pub(crate) kinesis: Arc<Kinesis>,
    pub(crate) region: Region,
    pub(crate) format: Format,
}

/// Runs an operation on a request.
pub(crate) async fn run(call: Call, operation: &str, body: Bytes) -> Result<Reply, ApiError> {
    if operation == "SubscribeToShard" {
        let events = subscribe_to_shard::run(call, body).await?;
        return Ok(Reply::pieces(event_stream::CONTENT_TYPE, events));
    }
    let content_type = call.format.content_type();
    let body = match operation {
        "GetRecords" => get_records::run(call, body).await?,
        _ => answer(call, operation, body).await?.into(),
    };
    Ok(Reply { status: 200, content_type, body })
}

/// The answer of an operation in the format of its request, or empty.
async fn answer(call: Call, operation: &str, body: Bytes) -> Result<Vec<u8>, ApiError> {
    match operation {
        "AddTagsToStream" => call.change(body, add_tags_to_stream::run).await,
        "CreateStream" => call.change(body, create_stream::run).await,
        "DecreaseStreamRetentionPeriod" => call.change(body, decrease_stream_retention_period::run).await,
        "DeleteResourcePolicy" => call.change(body, delete_resource_policy::run).await,
        "DeleteStream" => call.change(body, delete_stream::run).await,
        "DeregisterStreamConsumer" => call.change(body, deregister_stream_consumer::run).await,
        "DescribeAccountSettings" => call.look(&body, describe_account_settings::run),
        "DescribeLimits" => call.look(&body, describe_limits::run),
        "DescribeStream" => call.look(&body, describe_stream::run),
        "DescribeStreamConsumer" => call.look(&body, describe_stream_consumer::run),
        "DescribeStreamSummary" => call.look(&body, describe_stream_summary::run),
        "DisableEnhancedMonitoring" => call.exchange(body, disable_enhanced_monitoring::run).await,
        "EnableEnhancedMonitoring" => call.exchange(body, enable_enhanced_monitoring::run).await,
        "GetResourcePolicy" => call.look(&body, get_resource_policy::run),
        "GetShardIterator" => get_shard_iterator::run(call, body).await,
        "IncreaseStreamRetentionPeriod" => call.change(body, increase_stream_retention_period::run).await,
        "ListShards" => call.look(&body, list_shards::run),
        "ListStreamConsumers" => call.look(&body, list_stream_consumers::run),
        "ListStreams" => call.look(&body, list_streams::run),
        "ListTagsForResource" => call.look(&body, list_tags_for_resource::run),
        "ListTagsForStream" => call.look(&body, list_tags_for_stream::run),
        "MergeShards" => call.change(body, merge_shards::run).await,
        "PutRecord" => put_record::run(call, body).await,
        "PutRecords" => put_records::run(call, body).await,
        "PutResourcePolicy" => call.change(body, put_resource_policy::run).await,
        "RegisterStreamConsumer" => call.exchange(body, register_stream_consumer::run).await,
        "RemoveTagsFromStream" => call.change(body, remove_tags_from_stream::run).await,
        "SplitShard" => call.change(body, split_shard::run).await,
        "StartStreamEncryption" => call.change(body, start_stream_encryption::run).await,
        "StopStreamEncryption" => call.change(body, stop_stream_encryption::run).await,
        "TagResource" => call.change(body, tag_resource::run).await,
        "UntagResource" => call.change(body, untag_resource::run).await,
        "UpdateAccountSettings" => call.exchange(body, update_account_settings::run).await,
        "UpdateMaxRecordSize" => call.change(body, update_max_record_size::run).await,
        "UpdateShardCount" => call.exchange(body, update_shard_count::run).await,
        "UpdateStreamMode" => call.change(body, update_stream_mode::run).await,
        "UpdateStreamRecordDistributionStrategy" => {
            call.change(body, update_stream_record_distribution_strategy::run).await
        }
        "UpdateStreamWarmThroughput" => call.exchange(body, update_stream_warm_throughput::run).await,
        other => Err(unknown(other)),
    }
}

/// Whether there is an operation of this name.
pub(crate) fn knows(operation: &str) -> bool {
    OPERATIONS.contains(&operation)
}

/// What is said of an operation that is not there.
pub(crate) fn unknown(operation: &str) -> ApiError {
    let has = |word| operation.contains(word);
    ApiError::unknown_operation(if has("Queue") || has("Channel") {
        format!("{operation} is not supported by this service: it has streams, not queues or channels")
    } else {
        // AWS says no more, either.
        String::new()
    })
}

impl Call {
    fn read<'de, T: Deserialize<'de>>(&self, body: &'de [u8]) -> Result<T, ApiError> {
        input::read(self.format, body)
    }

    /// An operation that reads what is in memory.
    fn look<I: DeserializeOwned, O: Serialize>(
        &self,
        body: &[u8],
        operation: fn(&Self, I) -> Result<O, ApiError>,
    ) -> Result<Vec<u8>, ApiError> {
        self.format.write(&operation(self, self.read(body)?)?)
    }

    /// An operation that changes streams, and so waits for the disk.
    async fn exchange<I: DeserializeOwned + 'static, O: Serialize + Send + 'static>(
        self,
        body: Bytes,
        operation: fn(&Self, I) -> Result<O, ApiError>,
    ) -> Result<Vec<u8>, ApiError> {
        let format = self.format;
        format.write(&blocking(move || operation(&self, self.read(&body)?)).await?)
    }

    /// An operation that changes streams. Its answer is empty.
    async fn change<I: DeserializeOwned + 'static>(
        self,
        body: Bytes,
        operation: fn(&Self, I) -> Result<(), ApiError>,
    ) -> Result<Vec<u8>, ApiError> {
        blocking(move || operation(&self, self.read(&body)?)).await?;
        Ok(Vec::new())
    }

    /// The stream that a request names, in one way or several; the constraints have been checked.
    fn stream(&self, name: Option<&str>, arn: Option<&str>, id: Option<&str>) -> Result<Arc<Stream>, ApiError> {
        let Some(id) = id else { return self.stream_by_name(name, arn) };
        let stream = self.kinesis.stream_by_id(&self.region, id)?;
        if (name.is_some() || arn.is_some()) && self.stream_by_name(name, arn)?.settings().id != id {
            let other = name.map(|name| format!("StreamName {name}"));
            let other = other.unwrap_or_else(|| format!("StreamARN {}", arn.unwrap_or_default()));
            return Err(ApiError::invalid_argument(format!("StreamId {id} and {other} do not match.")));
        }
        Ok(stream)
    }

    fn stream_by_name(&self, name: Option<&str>, arn: Option<&str>) -> Result<Arc<Stream>, ApiError> {
        let Some(arn) = arn else { return self.kinesis.stream(&self.region, name.unwrap_or_default()) };
        let (_, named) = arn.split_once(":stream/").unwrap_or_default();
        if name.is_some_and(|name| name != named) {
            let message = format!("StreamARN {arn} and StreamName {} do not match.", name.unwrap_or_default());
            return Err(ApiError::invalid_argument(message));
        }
        let stream = self.kinesis.stream(&self.region, named)?;
        if stream.arn() != arn {
            return Err(ApiError::not_found(format!("Stream {arn} under account {ACCOUNT} not found.")));
        }
        Ok(stream)
    }
}

/// Runs what takes the time of a disk, or a good part of a millisecond, beside the connections.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "an operation did not finish");
        Err(ApiError::internal())
    })
}

/// The stream and the shard that a request is about, whichever way it says so.
pub(crate) fn target_of(format: Format, body: &[u8]) -> Target {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Named {
        stream_name: Option<Word>,
        #[serde(rename = "StreamARN")]
        stream_arn: Option<Word>,
        #[serde(rename = "ResourceARN")]
        resource_arn: Option<Word>,
        #[serde(rename = "ConsumerARN")]
        consumer_arn: Option<Word>,
        shard_iterator: Option<Word>,
        shard_id: Option<Word>,
        shard_to_split: Option<Word>,
        shard_to_merge: Option<Word>,
    }
    let Ok(named) = input::read::<Named>(format, body) else { return Target::default() };
    let iterator = named.shard_iterator.and_then(|iterator| sealed::open::<ShardIterator>(&iterator.0));
    let arn = named.stream_arn.or(named.resource_arn).or(named.consumer_arn);
    let by_arn = || arn.and_then(|arn| Some(arn.0.split_once(":stream/")?.1.split('/').next()?.to_owned()));
    let by_iterator = || iterator.as_ref().map(|iterator| iterator.stream.clone());
    let stream = named.stream_name.map(|name| name.0).or_else(by_arn).or_else(by_iterator);
    let shard = named.shard_id.or(named.shard_to_split).or(named.shard_to_merge).map(|shard| shard.0);
    let shard = shard.or_else(|| iterator.as_ref().map(|iterator| shard_id(iterator.shard)));
    Target { stream, shard }
}

/// How a request calls its stream, for messages about streams that may not be there.
fn stream_word([name, arn, id]: [Option<&str>; 3]) -> &str {
    name.or(arn.and_then(|arn| Some(arn.split_once(":stream/")?.1))).or(id).unwrap_or_default()
}

/// Nothing is done for a request that only asks whether it would be; AWS says so by an error.
fn wet(dry_run: Option<Flag>) -> Result<(), ApiError> {
    if dry_run.is_some_and(|dry| dry.0) {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(ApiError::new("DryRunOperationException", 400, message));
    }
    Ok(())
}

fn text(word: Option<&Word>) -> Option<&str> {
    word.map(|word| word.0.as_str())
}
