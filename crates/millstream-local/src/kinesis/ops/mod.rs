//! The operations, one file each.

mod create_stream;
mod delete_stream;
mod describe_stream;
mod describe_stream_summary;
mod get_records;
mod get_shard_iterator;
mod list_shards;
mod list_streams;
mod merge_shards;
mod put_record;
mod put_records;
mod putting;
mod split_shard;

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::input::{self, Word};
use super::iterator::ShardIterator;
use super::region::{ACCOUNT, Region};
use super::stream::Stream;
use super::{Kinesis, sealed};
use crate::api_error::ApiError;

/// What an operation is run with.
pub(crate) struct Call {
    pub(crate) kinesis: Arc<Kinesis>,
    pub(crate) region: Region,
}

/// Runs an operation on a request in JSON; the answer is JSON or empty.
pub(crate) async fn run(call: Call, operation: &str, body: Bytes) -> Result<Vec<u8>, ApiError> {
    match operation {
        "CreateStream" => call.change(body, create_stream::run).await,
        "DeleteStream" => call.change(body, delete_stream::run).await,
        "DescribeStream" => call.look(&body, describe_stream::run),
        "DescribeStreamSummary" => call.look(&body, describe_stream_summary::run),
        "GetRecords" => get_records::run(call, body).await,
        "GetShardIterator" => get_shard_iterator::run(call, body).await,
        "ListShards" => call.look(&body, list_shards::run),
        "ListStreams" => call.look(&body, list_streams::run),
        "MergeShards" => call.change(body, merge_shards::run).await,
        "PutRecord" => put_record::run(call, body).await,
        "PutRecords" => put_records::run(call, body).await,
        "SplitShard" => call.change(body, split_shard::run).await,
        other => Err(ApiError::unknown_operation(format!("{other} is not supported by this service"))),
    }
}

impl Call {
    /// An operation that reads what is in memory.
    fn look<I: DeserializeOwned, O: Serialize>(
        &self,
        body: &[u8],
        operation: fn(&Self, I) -> Result<O, ApiError>,
    ) -> Result<Vec<u8>, ApiError> {
        json(&operation(self, input::read(body)?)?)
    }

    /// An operation that changes streams, and so waits for the disk. Its answer is empty.
    async fn change<I: DeserializeOwned + 'static>(
        self,
        body: Bytes,
        operation: fn(&Self, I) -> Result<(), ApiError>,
    ) -> Result<Vec<u8>, ApiError> {
        blocking(move || operation(&self, input::read(&body)?)).await?;
        Ok(Vec::new())
    }

    /// The stream that a request names, by either way or both; the constraints have been checked.
    fn stream(&self, name: Option<&str>, arn: Option<&str>) -> Result<Arc<Stream>, ApiError> {
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
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "an operation did not finish");
        Err(ApiError::internal())
    })
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer does not serialise");
        ApiError::internal()
    })
}

/// The name of the stream that a request is about, whichever way it says so.
pub(crate) fn stream_named_in(body: &[u8]) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Named {
        stream_name: Option<Word>,
        #[serde(rename = "StreamARN")]
        stream_arn: Option<Word>,
        shard_iterator: Option<Word>,
    }
    let named: Named = input::read(body).ok()?;
    let by_arn = || named.stream_arn.and_then(|arn| Some(arn.0.split_once(":stream/")?.1.to_owned()));
    let by_iterator = || Some(sealed::open::<ShardIterator>(&named.shard_iterator?.0)?.stream);
    named.stream_name.map(|name| name.0).or_else(by_arn).or_else(by_iterator)
}

fn text(word: Option<&Word>) -> Option<&str> {
    word.map(|word| word.0.as_str())
}
