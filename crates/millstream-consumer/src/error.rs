//! Why a consumer could not start or go on.

use millstream_kinesis::KinesisError;
use millstream_lease::{InvalidStreamIdentifier, StoreError};

/// A consumer that can't start, or one that stopped because trying again would not help.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConsumerError {
    /// Kinesis refused or could not be reached.
    #[error(transparent)]
    Kinesis(#[from] KinesisError),
    /// Records are lost, and the consumer was told to fail then.
    #[error(
        "{0}. To go on without it, set `fail_on_data_loss` to false (spark.millstream.failOnDataLoss), or move the application's \
         checkpoints with `millstream leases`"
    )]
    DataLoss(KinesisError),
    /// The lease table refused or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The worker's task is gone.
    #[error("the consumer of {stream} has stopped; start a new one")]
    Stopped {
        /// What was read.
        stream: String,
    },
    /// The lease table is that of an application that reads several streams, and this one reads one, or the reverse.
    #[error(
        "lease `{lease}` belongs to an application that reads {found}, and this worker was told to read {wanted}; give it \
         another application name, or tell all its workers the same"
    )]
    OtherLayout {
        /// A lease of the table.
        lease: String,
        /// What it says.
        found: &'static str,
        /// What the worker was told.
        wanted: &'static str,
    },
    /// A stream that was named by an identifier is none.
    #[error(transparent)]
    Stream(#[from] InvalidStreamIdentifier),
}
