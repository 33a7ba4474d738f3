//! `Block`: records of one shard, in columns, as Python sees them.

use millstream_kinesis::{RecordBlock, TextColumn};
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyUnicodeDecodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::buffer::Buffer;
use crate::record::Record;

/// Records of one shard, in order. Nothing is decoded until it is asked for.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct Block(RecordBlock);

impl Block {
    pub(crate) fn new(block: RecordBlock) -> Self {
        Self(block)
    }

    /// The records in Rust.
    pub(crate) fn columns(&self) -> &RecordBlock {
        &self.0
    }

    fn range(&self, start: usize, stop: Option<usize>) -> PyResult<RecordBlock> {
        let stop = stop.unwrap_or(self.0.len()).min(self.0.len());
        if start > stop {
            return Err(PyIndexError::new_err(format!("records {start} to {stop} of a block of {}", self.0.len())));
        }
        Ok(self.0.slice(start..stop))
    }
}

#[pymethods]
impl Block {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Name of the stream.
    #[getter]
    fn stream(&self) -> &str {
        self.0.stream()
    }

    /// Id of the shard.
    #[getter]
    fn shard(&self) -> &str {
        self.0.shard().as_str()
    }

    /// Bytes of the records' data.
    #[getter]
    fn byte_len(&self) -> usize {
        self.0.byte_len()
    }

    /// The place of the first record, written `sequence:sub`; none of an empty block.
    #[getter]
    fn first(&self) -> Option<String> {
        self.0.first().map(|position| position.to_string())
    }

    /// The place of the last record, as `first`.
    #[getter]
    fn last(&self) -> Option<String> {
        self.0.last().map(|position| position.to_string())
    }

    /// All records as objects.
    fn records<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        Record::all(slf)
    }

    /// The data of records `start` to `stop` (exclusive) as bytes.
    #[pyo3(signature = (start = 0, stop = None))]
    fn data_list<'py>(&self, py: Python<'py>, start: usize, stop: Option<usize>) -> PyResult<Bound<'py, PyList>> {
        let range = self.range(start, stop)?;
        PyList::new(py, range.data().iter().map(|data| PyBytes::new(py, data)))
    }

    /// The data of records `start` to `stop` (exclusive) as text. Raises UnicodeDecodeError, as `bytes.decode` does, at the
    /// first record that is not UTF-8.
    #[pyo3(signature = (start = 0, stop = None))]
    fn utf8_list<'py>(&self, py: Python<'py>, start: usize, stop: Option<usize>) -> PyResult<Bound<'py, PyList>> {
        let range = self.range(start, stop)?;
        let mut texts = Vec::with_capacity(range.len());
        for data in range.data().iter() {
            match std::str::from_utf8(data) {
                Ok(text) => texts.push(PyString::new(py, text)),
                Err(error) => {
                    return Err(PyErr::from_value(PyUnicodeDecodeError::new_utf8(py, data, error)?.into_any()));
                }
            }
        }
        PyList::new(py, texts)
    }

    /// The partition keys of all records.
    fn partition_keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.partition_keys().iter())
    }

    /// The sequence numbers of all records.
    fn sequence_numbers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.sequences().iter())
    }

    /// The sub-sequence numbers of all records: the place inside an aggregated record, 0 elsewhere.
    fn sub_sequence_numbers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.sub_sequences())
    }

    /// The approximate arrival times of all records, in milliseconds since the epoch.
    fn arrival_times<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.arrivals())
    }

    /// The data of all records in Arrow's `binary` layout: 32-bit offsets and the buffer they mean, which is not copied.
    fn data_buffers<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Buffer)> {
        let (data, len) = (self.0.data(), self.0.byte_len());
        check_len(len)?;
        let first = data.offsets()[0];
        let offsets: Vec<u8> = data.offsets().iter().flat_map(|end| ((end - first) as i32).to_le_bytes()).collect();
        let bytes = data.bytes().slice(first as usize..first as usize + len);
        Ok((PyBytes::new(py, &offsets), Buffer::new(bytes)))
    }

    /// The partition keys of all records in Arrow's `utf8` layout, as `data_buffers`.
    fn partition_key_buffers<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        text_buffers(py, self.0.partition_keys())
    }

    /// The sequence numbers of all records in Arrow's `utf8` layout, as `data_buffers`.
    fn sequence_number_buffers<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        text_buffers(py, self.0.sequences())
    }

    /// The sub-sequence numbers of all records as an array of 64-bit numbers.
    fn sub_sequence_number_buffer<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes: Vec<u8> = self.0.sub_sequences().iter().flat_map(|sub| sub.to_le_bytes()).collect();
        PyBytes::new(py, &bytes)
    }

    /// The approximate arrival times of all records as an array of 64-bit numbers, in microseconds since the epoch.
    fn arrival_buffer<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let micros = self.0.arrivals().iter().map(|ms| ms.saturating_mul(1_000));
        let bytes: Vec<u8> = micros.flat_map(i64::to_le_bytes).collect();
        PyBytes::new(py, &bytes)
    }

    fn __repr__(&self) -> String {
        format!("Block(stream='{}', shard='{}', records={})", self.0.stream(), self.0.shard(), self.0.len())
    }
}

/// Texts as Arrow keeps them. Its numbers are those of the machine, which is little-endian wherever there is a wheel.
fn text_buffers<'py>(py: Python<'py>, texts: &TextColumn) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let len = texts.iter().map(str::len).sum();
    check_len(len)?;
    let mut offsets = Vec::with_capacity(4 * (texts.len() + 1));
    offsets.extend_from_slice(&0_i32.to_le_bytes());
    let bytes = PyBytes::new_with(py, len, |buffer| {
        let mut end = 0;
        for text in texts.iter() {
            buffer[end..end + text.len()].copy_from_slice(text.as_bytes());
            end += text.len();
            offsets.extend_from_slice(&(end as i32).to_le_bytes());
        }
        Ok(())
    })?;
    Ok((PyBytes::new(py, &offsets), bytes))
}

/// Whether 32-bit offsets reach the end of so many bytes.
fn check_len(len: usize) -> PyResult<()> {
    if i32::try_from(len).is_err() {
        return Err(PyOverflowError::new_err(format!("a block with {len} bytes in one column is too large for Arrow")));
    }
    Ok(())
}
