//! A worker whose shards are each a stream of their own.

use std::sync::Arc;

use millstream_kinesis::Kinesis;
use millstream_lease::LeaseStore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::buffer::Buffer;
use crate::config::ConsumerConfig;
use crate::consumer::Consumer;
use crate::error::ConsumerError;
use crate::shard_stream::ShardStream;
use crate::status::ShardStatus;

/// A worker that shares the shards of its streams with the other workers of its application, and hands out each shard that it
/// reads as a [`ShardStream`], with a checkpointer of its own.
///
/// Delivery is at least once: a record comes again, here or at another worker, unless a checkpoint at or behind it was
/// written, and that happens only when the program asks for it.
pub struct ShardConsumer {
    consumer: Consumer,
    streams: UnboundedReceiver<ShardStream>,
}

impl ShardConsumer {
    /// Makes sure that the streams and the lease table are there, then starts to take leases and to read. What an earlier run
    /// has cut (`config.history`) is left out of account: checkpoints are all there is.
    ///
    /// # Errors
    /// As [`Consumer::start`].
    pub async fn start(
        kinesis: Arc<dyn Kinesis>,
        store: Arc<dyn LeaseStore>,
        config: ConsumerConfig,
    ) -> Result<Self, ConsumerError> {
        // As many as leases at most: a queue that no record goes through.
        let (sender, streams) = unbounded_channel();
        let consumer = Consumer::launch(kinesis, store, config, Buffer::by_shard(), Some(sender)).await?;
        Ok(Self { consumer, streams })
    }

    /// Waits for the next shard that this worker begins to read. `None`: it has shut down. Cancelling it loses nothing.
    ///
    /// # Errors
    /// The consumer stopped by itself: the error says why.
    pub async fn next(&mut self) -> Result<Option<ShardStream>, ConsumerError> {
        match self.streams.recv().await {
            Some(stream) => Ok(Some(stream)),
            None => self.consumer.health().map(|()| None),
        }
    }

    /// A line for each shard that this worker reads.
    pub fn status(&self) -> Vec<ShardStatus> {
        self.consumer.status()
    }

    /// Tells each shard's stream of the shutdown, and gives its lease back when the stream is dropped. After the configured
    /// timeout the leases are left to expire.
    pub async fn shutdown(&mut self) {
        self.consumer.shutdown().await;
    }
}
