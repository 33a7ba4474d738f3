//! `RangeRead`: the records of a range, block by block.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use millstream_kinesis::RangeReader;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::block::Block;
use crate::kinesis_client::wait;

/// An iterator of blocks, each with at least one record, for one thread at a time.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct RangeRead(Mutex<State>);

enum State {
    Ready(Box<RangeReader>),
    /// A block is being read, or that has failed: an end must not be made of it.
    Broken,
    /// All is read, except for so many records that are not in the stream any more.
    Ended(u64),
}

impl RangeRead {
    pub(crate) fn new(reader: RangeReader) -> Self {
        Self(Mutex::new(State::Ready(Box::new(reader))))
    }

    /// Of a shard that is there no more.
    pub(crate) fn gone(records: u64) -> Self {
        Self(Mutex::new(State::Ended(records)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn broken() -> PyErr {
    PyRuntimeError::new_err("this range is being read by another thread, or reading it has failed: read it anew")
}

#[pymethods]
impl RangeRead {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Block>> {
        let taken = mem::replace(&mut *self.state(), State::Broken);
        let mut reader = match taken {
            State::Ready(reader) => reader,
            State::Broken => return Err(broken()),
            State::Ended(missing) => {
                *self.state() = State::Ended(missing);
                return Ok(None);
            }
        };
        let (block, reader) = wait(py, async move { Ok((reader.next().await?, reader)) })?;
        *self.state() = if block.is_some() { State::Ready(reader) } else { State::Ended(reader.missing()) };
        Ok(block.map(Block::new))
    }

    /// How many of the range's records are left; after the last block: are not in the stream any more.
    #[getter]
    fn missing(&self) -> PyResult<u64> {
        match &*self.state() {
            State::Ready(reader) => Ok(reader.missing()),
            State::Broken => Err(broken()),
            State::Ended(missing) => Ok(*missing),
        }
    }
}
