//! `KclCheckpointer`: writes checkpoints of one shard.

use millstream::kinesis::wait_for;
use millstream_consumer::Checkpointer;
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
        let sequence = sequence_number.map(str::parse).transpose();
        let sequence = sequence.map_err(|error: InvalidSequenceNumber| PyValueError::new_err(error.to_string()))?;
        let position = sequence.map(|sequence| Position { sequence, sub: sub_sequence_number });
        let checkpointer = self.0.clone();
        let write = async move {
            match position {
                Some(position) => checkpointer.checkpoint_at(position).await,
                None => checkpointer.checkpoint().await,
            }
        };
        let written = py.detach(|| wait_for(write)).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        written.map_err(|refused| error::of_checkpoint(py, &refused))
    }
}
