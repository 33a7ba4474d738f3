//! `Record`: one record of a block, as Python sees it.

use std::hash::{Hash, Hasher};

use millstream_kinesis::{BlockBuilder, RecordBlock, RecordRef, SequenceNumber, ShardId};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime, PyList, PyString, PyTuple, PyTzInfo};

use crate::block::Block;

const FIELDS: usize = 5;
/// As they are given to the constructor.
const NAMES: [&str; FIELDS] =
    ["data", "partition_key", "sequence_number", "sub_sequence_number", "approximate_arrival_timestamp"];

/// One user record; the user records of an aggregated (KPL) record differ in `sub_sequence_number`.
///
/// It is a place in the block of records that it came in: its values are made when they are asked for, and a record that is kept
/// keeps the whole block.
#[pyclass(frozen, eq, hash, module = "millstream.kcl")]
pub(crate) struct Record {
    block: Py<Block>,
    index: usize,
}

impl Record {
    /// All records of a block.
    pub(crate) fn all<'py>(block: &Bound<'py, Block>) -> PyResult<Bound<'py, PyList>> {
        let py = block.py();
        let mut records = Vec::with_capacity(block.get().columns().len());
        for index in 0..block.get().columns().len() {
            let record = Bound::new(py, Self { block: block.clone().unbind(), index })?;
            untrack(&record);
            records.push(record);
        }
        PyList::new(py, records)
    }

    fn columns(&self) -> &RecordBlock {
        self.block.get().columns()
    }

    fn get(&self) -> RecordRef<'_> {
        self.columns().get(self.index)
    }

    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let mut values = Vec::with_capacity(FIELDS);
        for name in NAMES {
            values.push(slf.getattr(name)?);
        }
        PyTuple::new(slf.py(), values)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let RecordRef { sequence, sub, .. } = self.get();
        (sequence, sub).hash(state);
    }
}

#[pymethods]
impl Record {
    /// A record by itself, as a test of a processor wants it. The time is kept in milliseconds.
    #[new]
    fn from_values(
        py: Python<'_>,
        data: &[u8],
        partition_key: &str,
        sequence_number: &str,
        sub_sequence_number: u64,
        approximate_arrival_timestamp: &Bound<'_, PyDateTime>,
    ) -> PyResult<Self> {
        let sequence: SequenceNumber =
            sequence_number.parse().map_err(|error| PyValueError::new_err(format!("{error}")))?;
        let seconds: f64 = approximate_arrival_timestamp.call_method0("timestamp")?.extract()?;
        let mut block = BlockBuilder::new("".into(), ShardId::from(""));
        block.push(data, partition_key, sequence.as_str(), sub_sequence_number, (seconds * 1e3).round() as i64);
        Ok(Self { block: Py::new(py, Block::new(block.finish()))?, index: 0 })
    }

    /// The data as it was put.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.columns().data().get(self.index))
    }

    /// The data, under the name that `amazon_kclpy` has for it.
    #[getter]
    fn binary_data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.data(py)
    }

    /// The partition key.
    #[getter]
    fn partition_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, self.columns().partition_keys().get(self.index))
    }

    /// The sequence number's digits.
    #[getter]
    fn sequence_number<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, self.columns().sequences().get(self.index))
    }

    /// The place in the aggregated record, 0 of a plain one.
    #[getter]
    fn sub_sequence_number(&self) -> u64 {
        self.columns().sub_sequences()[self.index]
    }

    /// When Kinesis took the record, in UTC.
    #[getter]
    fn approximate_arrival_timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        let utc = PyTzInfo::utc(py)?.to_owned();
        PyDateTime::from_timestamp(py, self.columns().arrivals()[self.index] as f64 / 1e3, Some(&utc))
    }

    #[classattr]
    #[pyo3(name = "__match_args__")]
    fn match_args(py: Python<'_>) -> PyResult<Py<PyTuple>> {
        PyTuple::new(py, NAMES).map(Bound::unbind)
    }

    /// Pickled by value: what lies beside it in the block stays.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type().into_any(), Self::values(slf)?))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let values = Self::values(slf)?;
        let mut fields = Vec::with_capacity(FIELDS);
        for (name, value) in NAMES.into_iter().zip(values) {
            fields.push(format!("{name}={}", value.repr()?));
        }
        Ok(format!("Record({})", fields.join(", ")))
    }
}

/// Spares Python's collector of cycles a look at each record, which is a tenth of what a record takes.
#[allow(unsafe_code)]
fn untrack(record: &Bound<'_, Record>) {
    // SAFETY: it is a whole object of a class with a collector's header, as all of PyO3's are, and this thread is attached.
    // It refers to a block alone, and that to no object: it can't be part of a cycle.
    unsafe { pyo3::ffi::PyObject_GC_UnTrack(record.as_ptr().cast()) }
}
