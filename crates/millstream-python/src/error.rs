//! Errors of the Rust side as the exceptions that PySpark has for them.

use millstream_consumer::ConsumerError;
use millstream_engine::{BoxError, JobError, SourceStopError, StartError};
use millstream_kinesis::KinesisError;
use millstream_lease::StoreError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The exception of `millstream.errors` with this name.
fn exception(py: Python<'_>, name: &str, message: String) -> PyErr {
    let made = py
        .import("millstream.errors")
        .and_then(|module| module.getattr(name))
        .and_then(|class| class.call1((&message,)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(_) => PyRuntimeError::new_err(message),
    }
}

pub(crate) fn illegal_argument(py: Python<'_>, message: String) -> PyErr {
    exception(py, "IllegalArgumentException", message)
}

/// An exception raised in Python comes back as it is; what is wrong with the arguments of a stream is an
/// IllegalArgumentException, all else a PySparkRuntimeError.
fn of_cause(py: Python<'_>, cause: &BoxError) -> PyErr {
    if let Some(raised) = cause.downcast_ref::<PyErr>() {
        return raised.clone_ref(py);
    }
    let is_argument = match cause.downcast_ref::<ConsumerError>() {
        Some(ConsumerError::Kinesis(error)) => {
            matches!(error, KinesisError::StreamNotFound { .. } | KinesisError::InvalidArgument { .. })
        }
        Some(ConsumerError::Store(error)) => matches!(error, StoreError::WrongTable { .. }),
        _ => false,
    };
    let name = if is_argument { "IllegalArgumentException" } else { "PySparkRuntimeError" };
    exception(py, name, cause.to_string())
}

pub(crate) fn of_start(py: Python<'_>, error: &StartError) -> PyErr {
    match error {
        StartError::Source { cause, .. } | StartError::States(cause) => of_cause(py, cause),
        StartError::NoOutputs | StartError::Interval(_) => illegal_argument(py, error.to_string()),
        _ => exception(py, "PySparkRuntimeError", error.to_string()),
    }
}

pub(crate) fn of_job(py: Python<'_>, error: &JobError) -> PyErr {
    of_cause(py, &error.cause)
}

pub(crate) fn of_stop(py: Python<'_>, error: &SourceStopError) -> PyErr {
    of_cause(py, &error.cause)
}
