//! What is asked of streams as a whole, and only by the command line.

use aws_sdk_kinesis::operation::update_shard_count::UpdateShardCountError;
use aws_sdk_kinesis::types::{ScalingType, StreamMode};

use super::{AwsKinesis, decode};
use crate::{KinesisError, StreamSummary};

impl AwsKinesis {
    /// The names of all streams of the region, in their order, over all pages (`ListStreams`).
    ///
    /// # Errors
    /// Why the call failed.
    pub async fn list_streams(&self) -> Result<Vec<String>, KinesisError> {
        let mut names: Vec<String> = Vec::new();
        let mut next = None;
        loop {
            let call = self.client.list_streams().set_next_token(next);
            let page = call.send().await.map_err(self.failed(""))?;
            names.extend(page.stream_names);
            next = page.next_token;
            if next.is_none() {
                return Ok(names);
            }
        }
    }

    /// The stream's state (`DescribeStreamSummary`).
    ///
    /// # Errors
    /// Why the call failed.
    pub async fn describe_stream(&self, stream: &str) -> Result<StreamSummary, KinesisError> {
        let call = self.client.describe_stream_summary().stream_name(stream);
        let summary = call.send().await.map_err(self.failed(stream))?.stream_description_summary;
        let summary = summary.ok_or_else(|| decode::malformed("`StreamDescriptionSummary` is missing"))?;
        // Answers from before there were modes have none.
        let mode = summary.stream_mode_details.map_or(StreamMode::Provisioned, |details| details.stream_mode);
        Ok(StreamSummary {
            name: summary.stream_name,
            status: summary.stream_status.as_str().to_owned(),
            mode: mode.as_str().to_owned(),
            open_shards: u32::try_from(summary.open_shard_count).unwrap_or(0),
            retention_hours: u32::try_from(summary.retention_period_hours).unwrap_or(0),
        })
    }

    /// Begins to split and merge until the stream has `shards` open shards; does not wait until it has them
    /// (`UpdateShardCount`).
    ///
    /// # Errors
    /// Why the call failed; [`KinesisError::InvalidArgument`] where it is over a limit, which does not pass by waiting a while.
    pub async fn update_shard_count(&self, stream: &str, shards: u32) -> Result<(), KinesisError> {
        let target = i32::try_from(shards).unwrap_or(i32::MAX);
        let call = self.client.update_shard_count().stream_name(stream).target_shard_count(target);
        match call.scaling_type(ScalingType::UniformScaling).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(UpdateShardCountError::LimitExceededException(limit)) => {
                    KinesisError::InvalidArgument { message: limit.message().unwrap_or("over a limit").to_owned() }
                }
                _ => self.failed(stream)(error),
            }),
        }
    }
}
