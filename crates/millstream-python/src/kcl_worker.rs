//! `KclWorker`: runs record processors written in Python.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use millstream::kinesis::{KinesisInput as Input, runtime};
use millstream_consumer::processor::{Scheduler, SchedulerError};
use millstream_consumer::{ShardConsumer, StreamConfig, Streams};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::error;
use crate::kcl_processor::PythonProcessor;
use crate::kinesis_input::{KinesisInput, initial_position};

/// The longest wait before signals (Ctrl-C) are looked at.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// One worker of an application, with a processor for each shard it reads. It runs once.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct KclWorker {
    input: Input,
    /// What it reads, where that may change.
    streams: Option<watch::Sender<Vec<StreamConfig>>>,
    factory: Arc<Py<PyAny>>,
    max_records: u64,
    max_threads: usize,
    shutdown: CancellationToken,
    was_run: AtomicBool,
}

#[pymethods]
impl KclWorker {
    /// `factory()` makes the processor of a shard (see `kcl_processor.rs` for its methods), of which `max_threads` are called at
    /// a time. `streams`: several, in place of the input's, each with its initial position.
    #[new]
    #[pyo3(signature = (input, factory, max_records, max_threads, streams = None))]
    fn new(
        py: Python<'_>,
        input: &KinesisInput,
        factory: Py<PyAny>,
        max_records: u64,
        max_threads: usize,
        streams: Option<Vec<(String, String)>>,
    ) -> PyResult<Self> {
        millstream_cli::init_logging(0);
        let mut input = input.input().clone();
        let streams = match streams {
            None => None,
            Some(streams) => {
                let (sender, receiver) = watch::channel(stream_configs(py, streams)?);
                input.consumer.streams = Streams::Several(receiver);
                Some(sender)
            }
        };
        let (shutdown, was_run) = (CancellationToken::new(), AtomicBool::new(false));
        Ok(Self { input, streams, factory: Arc::new(factory), max_records, max_threads, shutdown, was_run })
    }

    /// From now on these streams are read, in place of those before.
    fn set_streams(&self, py: Python<'_>, streams: Vec<(String, String)>) -> PyResult<()> {
        let configs = stream_configs(py, streams)?;
        let sender = self.streams.as_ref();
        let sender = sender.ok_or_else(|| {
            error::illegal_argument(py, "this worker reads one stream: give `streams` in its settings".to_owned())
        })?;
        sender.send_replace(configs);
        Ok(())
    }

    /// Runs until `stop`, or until something fails: what a processor raised is raised here. A signal's exception, such as
    /// KeyboardInterrupt, is raised after the shutdown; a second one at once.
    fn run(&self, py: Python<'_>) -> PyResult<()> {
        if self.was_run.swap(true, Ordering::AcqRel) {
            return Err(PyRuntimeError::new_err("this worker was run before; make a new one"));
        }
        let (mut input, factory, shutdown) = (self.input.clone(), self.factory.clone(), self.shutdown.clone());
        let (max_records, threads) = (self.max_records, Arc::new(Semaphore::new(self.max_threads)));
        let (sender, mut ended) = sync_channel(1);
        let run = async move {
            let (kinesis, store) = input.connect().await?;
            input.consumer.metrics = input.connect_metrics().await;
            let consumer = ShardConsumer::start(kinesis, store, input.consumer).await?;
            let processor = move || PythonProcessor::new(factory.clone(), threads.clone());
            Scheduler::new(consumer, processor).max_records(max_records).run(shutdown).await
        };
        let runtime = runtime().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        runtime.spawn(async move {
            let result: Result<(), SchedulerError> = run.await;
            // Nobody waits after a second signal.
            let _ = sender.send(result);
        });
        let mut interrupted = None;
        loop {
            let received;
            (received, ended) = py.detach(move || (ended.recv_timeout(SIGNALS_EVERY), ended));
            match received {
                Ok(result) => {
                    let result = result.map_err(|failed| error::of_scheduler(py, failed));
                    return interrupted.map_or(result, Err);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("the worker broke off: a task panicked"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(signal) = py.check_signals() {
                self.shutdown.cancel();
                if interrupted.is_some() {
                    return Err(signal);
                }
                interrupted = Some(signal);
            }
        }
    }

    /// Asks the worker to end: each processor finishes its call, and is told by `shutdown_requested`. Returns at once.
    fn stop(&self) {
        self.shutdown.cancel();
    }
}

fn stream_configs(py: Python<'_>, streams: Vec<(String, String)>) -> PyResult<Vec<StreamConfig>> {
    let config = |(stream, text): (String, String)| {
        let invalid = || error::illegal_argument(py, format!("'{text}' is not an initial position"));
        Ok(StreamConfig { stream, initial: initial_position(&text).ok_or_else(invalid)? })
    };
    streams.into_iter().map(config).collect()
}
