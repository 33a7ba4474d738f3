//! A record processor written in Python.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use millstream_consumer::processor::{InitializationInput, ProcessRecordsInput, ProcessorResult, ShardRecordProcessor};
use millstream_consumer::{CheckpointError, Checkpointer};
use millstream_kinesis::ShardId;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCFunction, PyDict, PyList, PyTuple};
use tokio::sync::{Semaphore, oneshot};

use crate::block::Block;
use crate::kcl_checkpointer::KclCheckpointer;

/// Calls an object, made by `factory()` at the start, with `initialize(stream, shard, sequence_number, sub_sequence_number,
/// pending)`, where `pending` is none or a prepared checkpoint's numbers and state, `process_records(blocks, millis_behind_latest, checkpointer)`, `lease_lost()`, `shard_ended(checkpointer)` and
/// `shutdown_requested(checkpointer)`; each call in a thread for blocking work. What returns a `concurrent.futures.Future` is done
/// when that is, and no thread waits for it.
pub(crate) struct PythonProcessor {
    factory: Arc<Py<PyAny>>,
    /// Calls of all processors that may be in threads at a time.
    threads: Arc<Semaphore>,
    object: Arc<OnceLock<Py<PyAny>>>,
    /// The stream's name, and the shard.
    place: Option<(Arc<str>, ShardId)>,
}

impl PythonProcessor {
    pub(crate) fn new(factory: Arc<Py<PyAny>>, threads: Arc<Semaphore>) -> Self {
        Self { factory, threads, object: Arc::default(), place: None }
    }

    async fn call(
        &self,
        method: &'static str,
        arguments: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyTuple>> + Send + 'static,
    ) -> ProcessorResult {
        let (factory, object, place) = (self.factory.clone(), self.object.clone(), self.place.clone());
        let call = move || {
            Python::attach(|py| {
                let object = match object.get() {
                    Some(object) => object,
                    None => {
                        let made = factory.bind(py).call0()?.unbind();
                        object.get_or_init(|| made)
                    }
                };
                let returned = object.bind(py).call_method1(method, arguments(py)?);
                let returned = returned.map_err(|raised| of_raised(py, raised, place.clone()))?;
                if returned.is_none() { Ok(None) } else { done(&returned, place).map(Some) }
            })
        };
        let permit = self.threads.acquire().await?;
        let waits: Result<_, Failure> = tokio::task::spawn_blocking(call).await?;
        drop(permit);
        match waits? {
            None => Ok(()),
            Some(outcome) => outcome.await.map_err(|_| "a coroutine of the processor was given up")?,
        }
    }

    /// Calls a method that takes the checkpointer and nothing else.
    async fn call_with(&self, method: &'static str, checkpointer: &Checkpointer) -> ProcessorResult {
        let checkpointer = checkpointer.clone();
        self.call(method, move |py| (KclCheckpointer::new(checkpointer),).into_pyobject(py)).await
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What comes of a `concurrent.futures.Future`.
fn done(
    future: &Bound<'_, PyAny>,
    place: Option<(Arc<str>, ShardId)>,
) -> Result<oneshot::Receiver<ProcessorResult>, Failure> {
    let (sender, outcome) = oneshot::channel();
    let sender = Mutex::new(Some(sender));
    let tell = move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<()> {
        let result = arguments.get_item(0)?.call_method0("result").map(drop);
        let result = result.map_err(|raised| of_raised(arguments.py(), raised, place.clone()));
        if let Some(sender) = sender.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Nobody waits after a second signal.
            let _ = sender.send(result);
        }
        Ok(())
    };
    let tell = PyCFunction::new_closure(future.py(), None, None, tell)?;
    future.call_method1("add_done_callback", (tell,))?;
    Ok(outcome)
}

/// A refused checkpoint that the program did not catch is the loss of its lease, and no failure.
fn of_raised(py: Python<'_>, raised: PyErr, place: Option<(Arc<str>, ShardId)>) -> Failure {
    let lost = py.import("millstream.kcl.errors").and_then(|module| module.getattr("LeaseLostError"));
    match (lost, place) {
        (Ok(lost), Some((stream, shard))) if raised.is_instance(py, &lost) => {
            CheckpointError::LeaseLost { stream, shard }.into()
        }
        _ => raised.into(),
    }
}

#[async_trait]
impl ShardRecordProcessor for PythonProcessor {
    async fn initialize(&mut self, input: InitializationInput) -> ProcessorResult {
        self.place = Some((input.stream.as_str().into(), input.shard.clone()));
        self.call("initialize", move |py| {
            let InitializationInput { stream, shard, checkpoint, pending, .. } = &input;
            let pending = pending
                .as_ref()
                .map(|(at, state)| (at.word(), at.sub(), state.as_ref().map(|state| PyBytes::new(py, state))));
            (stream, shard.as_str(), checkpoint.word(), checkpoint.sub(), pending).into_pyobject(py)
        })
        .await
    }

    async fn process_records(&mut self, input: ProcessRecordsInput, checkpointer: &Checkpointer) -> ProcessorResult {
        let checkpointer = checkpointer.clone();
        self.call("process_records", move |py| {
            let blocks = PyList::new(py, input.input.blocks.into_iter().map(Block::new))?;
            (blocks, input.millis_behind_latest, KclCheckpointer::new(checkpointer)).into_pyobject(py)
        })
        .await
    }

    async fn lease_lost(&mut self) -> ProcessorResult {
        self.call("lease_lost", |py| Ok(PyTuple::empty(py))).await
    }

    async fn shard_ended(&mut self, checkpointer: &Checkpointer) -> ProcessorResult {
        self.call_with("shard_ended", checkpointer).await
    }

    async fn shutdown_requested(&mut self, checkpointer: &Checkpointer) -> ProcessorResult {
        self.call_with("shutdown_requested", checkpointer).await
    }
}
