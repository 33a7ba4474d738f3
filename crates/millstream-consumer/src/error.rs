//! Why a consumer could not start or go on.

use millstream_kinesis::KinesisError;
use millstream_lease::StoreError;

/// A consumer that can't start, or one that stopped because trying again would not help.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConsumerError {
    /// Kinesis refused or could not be reached.
    #[error(transparent)]
    Kinesis(#[from] KinesisError),
    /// The lease table refused or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The worker's task is gone.
    #[error("the consumer of stream {stream} has stopped; start a new one")]
    Stopped {
        /// Stream that was read.
        stream: String,
    },
}
