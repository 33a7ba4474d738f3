//! An input written in Python, such as a queue of RDDs.

use millstream_engine::{BatchTime, BoxError, Cut, Source};
use pyo3::prelude::*;

use crate::dataset::PyDataset;

/// Calls an object with `start()`, `limit(records)`, `cut(time_ms) -> (dataset, records)`, `committed(time_ms)`,
/// `failed(time_ms)`, `drain()`, `is_drained()` and `stop(graceful)`.
pub(crate) struct PythonSource {
    object: Py<PyAny>,
}

impl PythonSource {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self { object }
    }

    /// Tells the object of something that it can't refuse; what it raises is logged.
    fn tell(&self, method: &str, time: BatchTime) {
        Python::attach(|py| {
            if let Err(error) = self.object.call_method1(py, method, (time.millis(),)) {
                tracing::warn!(%error, method, "an input failed to take notice of a batch");
            }
        });
    }
}

impl Source<PyDataset> for PythonSource {
    fn start(&mut self) -> Result<(), BoxError> {
        Python::attach(|py| self.object.call_method0(py, "start").map(drop)).map_err(BoxError::from)
    }

    fn limit(&mut self, records: Option<u64>) {
        Python::attach(|py| {
            if let Err(error) = self.object.call_method1(py, "limit", (records,)) {
                tracing::warn!(%error, "an input failed to take notice of its rate");
            }
        });
    }

    fn cut(&mut self, time: BatchTime) -> Result<Cut<PyDataset>, BoxError> {
        Python::attach(|py| {
            let cut = self.object.bind(py).call_method1("cut", (time.millis(),))?;
            let (dataset, records): (Bound<'_, PyAny>, u64) = cut.extract()?;
            Ok(Cut::once(PyDataset::new(dataset), records))
        })
        .map_err(|error: PyErr| BoxError::from(error))
    }

    fn committed(&mut self, time: BatchTime) {
        self.tell("committed", time);
    }

    fn failed(&mut self, time: BatchTime) {
        self.tell("failed", time);
    }

    fn drain(&mut self) {
        Python::attach(|py| {
            if let Err(error) = self.object.call_method0(py, "drain") {
                tracing::warn!(%error, "an input failed to stop reading");
            }
        });
    }

    fn is_drained(&self) -> bool {
        // An input that can't say is not waited for.
        Python::attach(|py| self.object.call_method0(py, "is_drained").and_then(|answer| answer.is_truthy(py)))
            .unwrap_or(true)
    }

    fn stop(&mut self, graceful: bool) -> Result<(), BoxError> {
        Python::attach(|py| self.object.call_method1(py, "stop", (graceful,)).map(drop)).map_err(BoxError::from)
    }
}
