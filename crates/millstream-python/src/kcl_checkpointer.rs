//! `KclCheckpointer`: writes checkpoints of one shard, and prepares them.

use millstream::kinesis::wait_for;
use millstream_consumer::{CheckpointError, Checkpointer, PreparedCheckpoint};
use millstream_kinesis::{InvalidSequenceNumber, Position};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::error;

/// Writes checkpoints of one shard, as long as this worker holds its lease.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct KclCheckpointer(Checkpointer);

impl KclCheckpointer {
    pub(crate) fn new(checkpointer: Checkpointer) -> Self {
        Self(checkpointer)
    }
}

#[pymethods]
impl KclCheckpointer {
    /// Writes a checkpoint at a record, or at the end of what was delivered, and returns when it is stored. Raises
    /// millstream.kcl's LeaseLostError or CheckpointOutOfRangeError.
    #[pyo3(signature = (sequence_number = None, sub_sequence_number = 0))]
    fn checkpoint(&self, py: Python<'_>, sequence_number: Option<&str>, sub_sequence_number: u64) -> PyResult<()> {
        let position = position(sequence_number, sub_sequence_number)?;
        let checkpointer = self.0.clone();
        wait(py, async move {
            match position {
                Some(position) => checkpointer.checkpoint_at(position).await,
                None => checkpointer.checkpoint().await,
            }
        })
    }

    /// Notes in the lease that this checkpoint is about to be written, with bytes for the next reader, and returns when that is
    /// stored. Raises as `checkpoint`.
    #[pyo3(signature = (sequence_number = None, sub_sequence_number = 0, state = None))]
    fn prepare(
        &self,
        py: Python<'_>,
        sequence_number: Option<&str>,
        sub_sequence_number: u64,
        state: Option<Vec<u8>>,
    ) -> PyResult<KclPreparedCheckpoint> {
        let position = position(sequence_number, sub_sequence_number)?;
        let checkpointer = self.0.clone();
        wait(py, async move { checkpointer.prepare(position, state).await }).map(KclPreparedCheckpoint)
    }
}

/// A checkpoint that is noted and still to be written.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct KclPreparedCheckpoint(PreparedCheckpoint);

#[pymethods]
impl KclPreparedCheckpoint {
    /// Its sequence number or word, and its sub-sequence number.
    fn at(&self) -> (&str, u64) {
        (self.0.at().word(), self.0.at().sub())
    }

    /// Writes it, and returns when it is stored. Raises as `KclCheckpointer.checkpoint`.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<()> {
        let prepared = self.0.clone();
        wait(py, async move { prepared.checkpoint().await })
    }
}

fn position(sequence: Option<&str>, sub: u64) -> PyResult<Option<Position>> {
    let sequence = sequence.map(str::parse).transpose();
    let sequence = sequence.map_err(|error: InvalidSequenceNumber| PyValueError::new_err(error.to_string()))?;
    Ok(sequence.map(|sequence| Position { sequence, sub }))
}

/// Waits for a write, while other Python threads go on.
fn wait<T: Send + 'static>(
    py: Python<'_>,
    write: impl Future<Output = Result<T, CheckpointError>> + Send + 'static,
) -> PyResult<T> {
    let written = py.detach(|| wait_for(write)).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    written.map_err(|refused| error::of_checkpoint(py, &refused))
}
