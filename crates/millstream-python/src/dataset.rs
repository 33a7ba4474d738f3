//! The engine's dataset: whatever Python object a stream carries, such as an RDD.

use std::sync::Arc;

use pyo3::prelude::*;

/// A Python object that can be cloned and dropped without being attached to the interpreter.
#[derive(Clone)]
pub(crate) struct PyDataset(Arc<Py<PyAny>>);

impl PyDataset {
    pub(crate) fn new(object: Bound<'_, PyAny>) -> Self {
        Self(Arc::new(object.unbind()))
    }

    pub(crate) fn bind<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.0.bind(py).clone()
    }
}
