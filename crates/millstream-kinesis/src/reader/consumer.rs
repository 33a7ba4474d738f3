use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::sleep;

use crate::{Kinesis, KinesisError, StreamConsumer};

/// Between two calls.
const WAIT: Duration = Duration::from_secs(1);
/// How often one call may fail in a row. A stream that has its 20 consumers answers as one that is asked too often.
const MAX_FAILURES: u32 = 5;
/// A consumer is active after some seconds.
const MAX_WAITS: u32 = 60;

/// A stream's consumer for enhanced fan-out. It is looked up, or made, once, when the first shard is subscribed to; whoever
/// reads another shard waits for it. It stays registered when the program ends, for the next one.
pub struct FanOutConsumer {
    stream: Arc<str>,
    name: String,
    /// Written by whoever asks first; another cell takes its place when the consumer is gone.
    found: Mutex<Arc<Found>>,
}

type Found = OnceCell<Result<Arc<str>, KinesisError>>;

impl FanOutConsumer {
    /// Makes no call yet.
    pub fn new(stream: Arc<str>, name: impl Into<String>) -> Self {
        FanOutConsumer { stream, name: name.into(), found: Mutex::default() }
    }

    /// The ARN to subscribe with, once the consumer is active.
    ///
    /// # Errors
    /// The same one at every call: the stream has all the consumers it may have, or none may be made.
    pub(super) async fn arn(&self, kinesis: &dyn Kinesis) -> Result<Arc<str>, KinesisError> {
        self.found().get_or_init(|| self.register(kinesis)).await.clone()
    }

    /// There is no consumer of this ARN any more: its stream was made anew, or it was deregistered. Who asks next looks it up,
    /// or makes it.
    pub(super) fn forget(&self, arn: &Arc<str>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.get().is_some_and(|known| known.as_ref() == Ok(arn)) {
            *found = Arc::default();
        }
    }

    fn found(&self) -> Arc<Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is known that there is no consumer to subscribe with.
    pub(super) fn is_refused(&self) -> bool {
        self.found().get().is_some_and(Result::is_err)
    }

    async fn register(&self, kinesis: &dyn Kinesis) -> Result<Arc<str>, KinesisError> {
        let (mut failures, mut waits) = (0, 0);
        loop {
            match self.found_or_made(kinesis).await {
                Ok(consumer) if consumer.is_active => {
                    tracing::info!(stream = %self.stream, consumer = self.name, "registered for fan-out");
                    return Ok(consumer.arn.into());
                }
                Ok(_) if waits < MAX_WAITS => waits += 1,
                Ok(_) => {
                    let message = format!("the consumer `{}` does not become active", self.name);
                    return Err(KinesisError::InUse { message });
                }
                // Another worker makes it in this moment.
                Err(error) if failures < MAX_FAILURES && (error.is_retryable() || is_in_use(&error)) => {
                    failures += 1;
                    tracing::warn!(stream = %self.stream, consumer = self.name, %error, "not registered for fan-out yet");
                }
                Err(error) => return Err(error),
            }
            sleep(WAIT).await;
        }
    }

    async fn found_or_made(&self, kinesis: &dyn Kinesis) -> Result<StreamConsumer, KinesisError> {
        match kinesis.find_consumer(&self.stream, &self.name).await? {
            Some(found) => Ok(found),
            None => kinesis.register_consumer(&self.stream, &self.name).await,
        }
    }
}

fn is_in_use(error: &KinesisError) -> bool {
    matches!(error, KinesisError::InUse { .. })
}
