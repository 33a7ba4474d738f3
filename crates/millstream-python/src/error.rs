//! Errors of the Rust side as the exceptions that PySpark has for them.

use std::fmt;

use millstream_consumer::processor::SchedulerError;
use millstream_consumer::{CheckpointError, ConsumerError, PublishError};
use millstream_engine::{BoxError, JobError, SourceStopError, StartError};
use millstream_kinesis::KinesisError;
use millstream_lease::StoreError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The exception of `millstream.errors` with this name.
fn exception(py: Python<'_>, name: &str, message: String) -> PyErr {
    exception_of(py, "millstream.errors", name, message)
}

fn exception_of(py: Python<'_>, module: &str, name: &str, message: String) -> PyErr {
    let made = py.import(module).and_then(|module| module.getattr(name)).and_then(|class| class.call1((&message,)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(_) => PyRuntimeError::new_err(message),
    }
}

/// What a function of the program raised. Displays as the last line of its traceback, and in the alternate form as all of it.
#[derive(Debug)]
pub(crate) struct Raised(pub(crate) PyErr);

impl std::error::Error for Raised {}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let traceback = || {
            Python::attach(|py| {
                let tracebacks = py.import("millstream.streaming.tracebacks")?;
                // The value's own traceback may lack frames that it passed later.
                let raised = (self.0.get_type(py), self.0.value(py), self.0.traceback(py));
                tracebacks.call_method1("of_program", raised)?.extract::<String>()
            })
        };
        match f.alternate().then(traceback) {
            Some(Ok(text)) => f.write_str(&text),
            _ => self.0.fmt(f),
        }
    }
}

pub(crate) fn illegal_argument(py: Python<'_>, message: String) -> PyErr {
    exception(py, "IllegalArgumentException", message)
}

/// An exception raised in Python comes back as it is; what is wrong with the arguments of a stream is an
/// IllegalArgumentException, all else a PySparkRuntimeError.
pub(crate) fn of_cause(py: Python<'_>, cause: &BoxError) -> PyErr {
    if let Some(Raised(raised)) = cause.downcast_ref() {
        return raised.clone_ref(py);
    }
    if let Some(raised) = cause.downcast_ref::<PyErr>() {
        return raised.clone_ref(py);
    }
    if let Some(PublishError::Store(error)) = cause.downcast_ref() {
        return of_cause(py, &ConsumerError::Store(error.clone()).into());
    }
    let is_argument = match cause.downcast_ref::<ConsumerError>() {
        Some(ConsumerError::Kinesis(error)) => {
            matches!(error, KinesisError::StreamNotFound { .. } | KinesisError::InvalidArgument { .. })
        }
        Some(ConsumerError::Store(error)) => matches!(error, StoreError::WrongTable { .. }),
        Some(ConsumerError::OtherLayout { .. } | ConsumerError::Stream(_)) => true,
        _ => false,
    };
    let name = if is_argument { "IllegalArgumentException" } else { "PySparkRuntimeError" };
    exception(py, name, cause.to_string())
}

/// A call to Kinesis that failed.
pub(crate) fn of_kinesis(py: Python<'_>, error: &KinesisError) -> PyErr {
    of_cause(py, &ConsumerError::Kinesis(error.clone()).into())
}

pub(crate) fn of_start(py: Python<'_>, error: &StartError) -> PyErr {
    match error {
        StartError::Source { cause, .. } | StartError::States(cause) => of_cause(py, cause),
        StartError::NoOutputs | StartError::Interval(_) => illegal_argument(py, error.to_string()),
        _ => exception(py, "PySparkRuntimeError", error.to_string()),
    }
}

/// What a processor raised comes back as it is.
pub(crate) fn of_scheduler(py: Python<'_>, error: SchedulerError) -> PyErr {
    match error {
        SchedulerError::Processor { cause, .. } if cause.is::<PyErr>() => of_cause(py, &cause),
        SchedulerError::Consumer(error) => of_cause(py, &error.into()),
        error => exception(py, "PySparkRuntimeError", error.to_string()),
    }
}

/// The exception of `millstream.kcl` for a checkpoint that was not written.
pub(crate) fn of_checkpoint(py: Python<'_>, error: &CheckpointError) -> PyErr {
    let name = match error {
        CheckpointError::LeaseLost { .. } => "LeaseLostError",
        CheckpointError::OutOfRange { .. } => "CheckpointOutOfRangeError",
    };
    exception_of(py, "millstream.kcl.errors", name, error.to_string())
}

pub(crate) fn of_job(py: Python<'_>, error: &JobError) -> PyErr {
    of_cause(py, &error.cause)
}

pub(crate) fn of_stop(py: Python<'_>, error: &SourceStopError) -> PyErr {
    of_cause(py, &error.cause)
}
