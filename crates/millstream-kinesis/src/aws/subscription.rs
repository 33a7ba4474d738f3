use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_kinesis::config::{Builder, Config, StalledStreamProtectionConfig};
use aws_sdk_kinesis::primitives::event_stream::EventReceiver;
use aws_sdk_kinesis::types::SubscribeToShardEventStream;
use aws_sdk_kinesis::types::error::SubscribeToShardEventStreamError;

use super::errors::Call;
use super::{decode, http};
use crate::{KinesisError, Pushed, ShardId, Subscription};

/// The event stream of one `SubscribeToShard`.
pub(super) struct AwsSubscription {
    pub(super) events: EventReceiver<SubscribeToShardEventStream, SubscribeToShardEventStreamError>,
    pub(super) stream: Arc<str>,
    pub(super) shard: ShardId,
    pub(super) region: String,
    pub(super) endpoint: String,
}

/// What is different for this call: connections of its own, and nobody who takes a stream for dead because its reader
/// waits for room. The reader itself watches for silence.
pub(super) fn config() -> Builder {
    let protection = StalledStreamProtectionConfig::disabled();
    Config::builder().http_client(http::for_subscription()).stalled_stream_protection(protection)
}

#[async_trait]
impl Subscription for AwsSubscription {
    async fn next(&mut self) -> Result<Option<Pushed>, KinesisError> {
        loop {
            match self.events.recv().await {
                Ok(Some(SubscribeToShardEventStream::SubscribeToShardEvent(event))) => {
                    return decode::event(event, &self.stream, &self.shard).map(Some);
                }
                // A kind of event that this SDK does not know.
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(error) => {
                    let Self { stream, region, endpoint, .. } = self;
                    return Err(Call { stream, region, endpoint }.error(&error));
                }
            }
        }
    }
}
