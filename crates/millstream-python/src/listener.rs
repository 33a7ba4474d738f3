//! Batches as a Python listener hears of them.

use millstream_engine::{BatchInfo, BatchListener, OutputInfo};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList};

/// Calls an object with `streaming_started(time_ms)`, `batch_submitted(info)`, `batch_started(info)`,
/// `batch_completed(info)`, `output_started(info)` and `output_completed(info)`; an info is a dict with the fields of the
/// engine's [`BatchInfo`] and [`OutputInfo`].
pub(crate) struct PythonListener {
    object: Py<PyAny>,
}

impl PythonListener {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self { object }
    }

    fn tell<'py>(&self, py: Python<'py>, method: &str, info: PyResult<Bound<'py, PyAny>>) {
        let told = info.and_then(|info| self.object.bind(py).call_method1(method, (info,)));
        if let Err(error) = told {
            tracing::warn!(%error, method, "a streaming listener failed");
        }
    }

    fn batch(&self, method: &str, batch: &BatchInfo) {
        Python::attach(|py| self.tell(py, method, batch_dict(py, batch).map(Bound::into_any)));
    }

    fn output(&self, method: &str, output: &OutputInfo) {
        Python::attach(|py| self.tell(py, method, output_dict(py, output).map(Bound::into_any)));
    }
}

impl BatchListener for PythonListener {
    fn streaming_started(&self, time_ms: u64) {
        Python::attach(|py| self.tell(py, "streaming_started", Ok(PyInt::new(py, time_ms).into_any())));
    }

    fn batch_submitted(&self, batch: &BatchInfo) {
        self.batch("batch_submitted", batch);
    }

    fn batch_started(&self, batch: &BatchInfo) {
        self.batch("batch_started", batch);
    }

    fn output_started(&self, output: &OutputInfo) {
        self.output("output_started", output);
    }

    fn output_completed(&self, output: &OutputInfo) {
        self.output("output_completed", output);
    }

    fn batch_completed(&self, batch: &BatchInfo) {
        self.batch("batch_completed", batch);
    }
}

fn batch_dict<'py>(py: Python<'py>, batch: &BatchInfo) -> PyResult<Bound<'py, PyDict>> {
    let inputs = PyList::empty(py);
    for input in &batch.inputs {
        let dict = PyDict::new(py);
        dict.set_item("id", input.id)?;
        dict.set_item("records", input.records)?;
        dict.set_item("metadata", &input.metadata)?;
        inputs.append(dict)?;
    }
    let outputs = PyList::empty(py);
    for output in &batch.outputs {
        outputs.append(output_dict(py, output)?)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("time_ms", batch.time.millis())?;
    dict.set_item("inputs", inputs)?;
    dict.set_item("submission_ms", batch.submission_ms)?;
    dict.set_item("processing_start_ms", batch.processing_start_ms)?;
    dict.set_item("processing_end_ms", batch.processing_end_ms)?;
    dict.set_item("outputs", outputs)?;
    dict.set_item("failure", batch.failure.as_deref())?;
    Ok(dict)
}

fn output_dict<'py>(py: Python<'py>, output: &OutputInfo) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("time_ms", output.time.millis())?;
    dict.set_item("id", output.id)?;
    dict.set_item("name", &output.name)?;
    dict.set_item("start_ms", output.start_ms)?;
    dict.set_item("end_ms", output.end_ms)?;
    dict.set_item("failure", output.failure.as_deref())?;
    Ok(dict)
}
