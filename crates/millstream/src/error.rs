//! What a streaming context reports.

use millstream_dashboard::DashboardError;
use millstream_engine::{JobError, SourceStopError, StartError};
use thiserror::Error;

/// A context could not start, run or stop.
#[derive(Debug, Error)]
pub enum ContextError {
    /// Nothing was started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A batch failed; later batches run nevertheless.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A source did not stop cleanly; the context has stopped.
    #[error(transparent)]
    Stop(#[from] SourceStopError),
    /// The program was changed while it ran; the addition has no effect.
    #[error("a stream or an output operation was added after the context had started; add all of them before start()")]
    AddedAfterStart,
    /// There is a state, and nowhere to save it. The words are Spark's.
    #[error("The checkpoint directory has not been set. Please set it by StreamingContext.checkpoint().")]
    NoCheckpointDirectory,
    /// The settings of the dashboard don't go together.
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    /// Streams of two contexts were put together.
    #[error("streams of different contexts can't be put together; create them from one context")]
    OtherContext,
}
