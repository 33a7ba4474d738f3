//! States that are kept in Python.

use millstream_engine::{BoxError, SavedState, States};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Calls an object with `restore(saved)`, `changes() -> saved` and `all() -> saved`, where `saved` is a list of pairs of a
/// state's name and bytes.
pub(crate) struct PythonStates {
    object: Py<PyAny>,
}

impl PythonStates {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self { object }
    }

    fn ask(&self, method: &str) -> Result<Vec<SavedState>, BoxError> {
        Python::attach(|py| {
            let saved: Vec<(String, Bound<'_, PyBytes>)> = self.object.bind(py).call_method0(method)?.extract()?;
            let state =
                |(name, bytes): (String, Bound<'_, PyBytes>)| SavedState { name, bytes: bytes.as_bytes().to_vec() };
            Ok(saved.into_iter().map(state).collect())
        })
        .map_err(|error: PyErr| BoxError::from(error))
    }
}

impl States for PythonStates {
    fn restore(&mut self, saved: Vec<SavedState>) -> Result<(), BoxError> {
        Python::attach(|py| {
            let saved: Vec<_> = saved.iter().map(|state| (&state.name, PyBytes::new(py, &state.bytes))).collect();
            self.object.call_method1(py, "restore", (saved,)).map(drop)
        })
        .map_err(BoxError::from)
    }

    fn changes(&mut self) -> Result<Vec<SavedState>, BoxError> {
        self.ask("changes")
    }

    fn all(&mut self) -> Result<Vec<SavedState>, BoxError> {
        self.ask("all")
    }
}
