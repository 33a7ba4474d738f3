//! What can go wrong, one type per moment: starting, running a batch, stopping.

use crate::clock::now_ms;
use crate::{BatchTime, RecoveryError, StreamId};
use std::error::Error;
use std::fmt;
use thiserror::Error;

/// An error of user code or of a source, whatever its type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// [`Engine::start`](crate::Engine::start) has not started anything.
#[derive(Debug, Error)]
pub enum StartError {
    /// Nothing would come of running the graph. The words are Spark's.
    #[error("No output operations registered, so nothing to execute")]
    NoOutputs,
    /// A stream or an output names a parent that is not in this graph.
    #[error("stream {} is not in this graph; derive it from streams of the same graph", .0.0)]
    UnknownStream(StreamId),
    /// The batch interval is below a millisecond, or beyond all measure.
    #[error("the batch interval must be at least one millisecond, not {0:?}")]
    Interval(std::time::Duration),
    /// An engine runs one graph in its life.
    #[error("the engine has been started before; create a new one")]
    AlreadyStarted,
    /// An engine that was stopped does not start again.
    #[error("the engine has been stopped; create a new one")]
    Stopped,
    /// A source could not start; those before it were stopped again.
    #[error("input {input} could not start: {cause}")]
    Source {
        /// The input's number, counted from 0 in the order of [`GraphBuilder::input`](crate::GraphBuilder::input).
        input: usize,
        /// The source's error.
        cause: BoxError,
    },
    /// The checkpoint directory can't be used.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// What was saved can't be taken up again.
    #[error("the saved states can't be restored: {0}")]
    States(BoxError),
    /// The system gave no thread.
    #[error("no thread for the engine: {0}")]
    Thread(#[from] std::io::Error),
}

/// Where in a batch an error came up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Cutting the input with this number.
    Input(usize),
    /// Computing a stream.
    Stream(StreamId),
    /// An output operation.
    Output {
        /// Its number, counted from 0.
        id: usize,
        /// Its name.
        name: String,
    },
    /// Writing down what the batch is made of, or what it has changed.
    Checkpoint,
    /// None: the engine itself failed, see [`EngineFailed`].
    Engine,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Input(id) => write!(f, "cutting input {id}"),
            Step::Stream(id) => write!(f, "computing stream {}", id.0),
            Step::Output { id, name } => write!(f, "output {id} ({name})"),
            Step::Checkpoint => f.write_str("saving"),
            Step::Engine => f.write_str("the engine"),
        }
    }
}

/// A batch failed: it was not committed. Later batches run nevertheless, but for [`Step::Engine`]. Displays in the alternate form
/// (`{:#}`) with the cause's alternate form.
#[derive(Debug, Error)]
pub struct JobError {
    /// The batch; for [`Step::Engine`] the time at which it was told.
    pub time: BatchTime,
    /// Where in the batch.
    pub step: Step,
    /// The error itself; [`Panicked`] if user code panicked.
    pub cause: BoxError,
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, step, cause } = self;
        match step {
            Step::Engine => write!(f, "{cause}"),
            _ if f.alternate() => write!(f, "batch {time}: {step} failed: {cause:#}"),
            _ => write!(f, "batch {time}: {step} failed: {cause}"),
        }
    }
}

/// One of the engine's threads panicked outside all that it guards against. No batch runs any more.
#[derive(Clone, Debug, Error)]
#[error(
    "the engine failed and has stopped: its {thread} thread: {message}; start the program again, it goes on behind \
     what was committed"
)]
pub struct EngineFailed {
    /// The thread.
    pub thread: &'static str,
    /// What happened to it.
    pub message: String,
}

impl From<EngineFailed> for JobError {
    fn from(failure: EngineFailed) -> Self {
        Self { time: BatchTime::from_millis(now_ms()), step: Step::Engine, cause: failure.into() }
    }
}

/// User code panicked.
#[derive(Debug, Error)]
#[error("panicked: {message}")]
pub struct Panicked {
    /// The panic's message.
    pub message: String,
}

/// A source failed to stop. All others were stopped too, and the engine has ended.
#[derive(Debug, Error)]
#[error("input {input} could not stop cleanly: {cause}")]
pub struct SourceStopError {
    /// The input's number, counted from 0.
    pub input: usize,
    /// The source's error.
    pub cause: BoxError,
}
