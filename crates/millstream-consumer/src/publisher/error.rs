use millstream_kinesis::KinesisError;
use millstream_lease::StoreError;

/// Why progress can't be written to a lease table.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The table refused or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream's shards can't be listed.
    #[error(transparent)]
    Kinesis(#[from] KinesisError),
    /// Another worker holds a lease, and lives.
    #[error(
        "lease `{lease}` is held by worker `{owner}`, which runs: stop that application first, or use a lease table of \
         another name"
    )]
    Held {
        /// The lease.
        lease: String,
        /// Who has it.
        owner: String,
    },
    /// Another worker has taken a lease, or asks for it.
    #[error(
        "worker `{owner}` wants lease `{lease}`, whose shard is being read here: stop one of the two, or use a lease table \
         of another name"
    )]
    Wanted {
        /// The lease.
        lease: String,
        /// Who has it now.
        owner: String,
    },
    /// The table is that of an application that reads several streams.
    #[error("lease `{lease}` belongs to an application that reads several streams; use a lease table of another name")]
    SeveralStreams {
        /// The lease.
        lease: String,
    },
    /// Its task is gone.
    #[error("progress is not written any more; start the query again")]
    Ended,
}

impl PublishError {
    /// Whether the same may succeed a little later.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            PublishError::Store(error) => error.is_retryable(),
            PublishError::Kinesis(error) => error.is_retryable(),
            _ => false,
        }
    }
}
