use crate::{SequenceNumber, ShardId};

/// Why a call to Kinesis failed. No message holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KinesisError {
    /// There is no such stream, or no such shard in it.
    #[error(
        "stream `{stream}` (or the shard asked for) does not exist in region `{region}`; check the stream's name, the region and the endpoint"
    )]
    StreamNotFound {
        /// The stream's name.
        stream: String,
        /// The region asked.
        region: String,
    },
    /// The iterator was not used for 5 minutes: get a new one.
    #[error("the shard iterator has expired; get a new one after the last record read")]
    ExpiredIterator,
    /// The shard's or the account's limit is reached: call again later.
    #[error("kinesis throttles the calls; call less often, or add shards to the stream")]
    Throttled,
    /// The credentials are missing, wrong, expired or not allowed to do this.
    #[error("kinesis refuses access: {message}; check the credentials, their region and the permissions of their role")]
    AccessDenied {
        /// What the service or the credentials provider said.
        message: String,
    },
    /// No answer came: refused, not resolved, timed out.
    #[error("cannot reach kinesis at {endpoint}: {message}")]
    Unreachable {
        /// The endpoint asked.
        endpoint: String,
        /// What went wrong and what to check.
        message: String,
    },
    /// The service refuses the request as it is.
    #[error("kinesis refuses the request: {message}")]
    InvalidArgument {
        /// What the service said.
        message: String,
    },
    /// What is asked for is being used, changed or made: by somebody else, or by a call before.
    #[error("kinesis answers ResourceInUseException: {message}")]
    InUse {
        /// What the service said.
        message: String,
    },
    /// What follows a place in a shard is lost: the stream was deleted and made again under its name.
    #[error(
        "record {at} is none of shard {shard} of stream `{stream}` as it is now: the stream was deleted and made again, and what it \
         held after that record is lost"
    )]
    StreamRemade {
        /// The stream's name.
        stream: String,
        /// The shard.
        shard: ShardId,
        /// Where the shard was to be read on.
        at: SequenceNumber,
    },
    /// What follows a place in a shard is lost: the stream has forgotten the shard.
    #[error(
        "shard {shard} is not in stream `{stream}` any more: its retention has passed, or the stream was made anew with fewer shards, \
         and what was not read of it is lost"
    )]
    ShardGone {
        /// The stream's name.
        stream: String,
        /// The shard.
        shard: ShardId,
    },
    /// Any other answer of the service.
    #[error("kinesis answers {code}: {message}")]
    Service {
        /// The AWS error code.
        code: String,
        /// What the service said.
        message: String,
        /// The service's own failure (HTTP 5xx): the same call can succeed later.
        transient: bool,
    },
}

impl KinesisError {
    /// Whether the same call can succeed later, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            KinesisError::Throttled | KinesisError::Unreachable { .. } | KinesisError::ExpiredIterator => true,
            KinesisError::Service { transient, .. } => *transient,
            KinesisError::StreamNotFound { .. }
            | KinesisError::AccessDenied { .. }
            | KinesisError::InUse { .. }
            | KinesisError::InvalidArgument { .. }
            | KinesisError::StreamRemade { .. }
            | KinesisError::ShardGone { .. } => false,
        }
    }

    /// Whether records that were to be read are lost for good.
    pub fn is_data_loss(&self) -> bool {
        matches!(self, KinesisError::StreamRemade { .. } | KinesisError::ShardGone { .. })
    }
}
