//! `Engine`: the graph of streams while it is built, and its batches while it runs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use millstream::kinesis::KinesisWatch;
use millstream_engine::{
    Backpressure, BatchListener, BatchTime, BoxError, EngineConfig, GraphBuilder, Recovery, StreamId,
};
use pyo3::exceptions::{PyIndexError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::dataset::PyDataset;
use crate::error::{self, Raised};
use crate::kinesis_input::KinesisInput;
use crate::listener::PythonListener;
use crate::python_source::PythonSource;
use crate::states::PythonStates;

/// The longest wait before signals (Ctrl-C) are looked at.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// Micro-batches over Python objects. Streams are named by numbers, counted from 0 in the order of their creation.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct Engine {
    engine: millstream_engine::Engine,
    graph: Mutex<Option<Graph>>,
}

struct Graph {
    builder: GraphBuilder<PyDataset>,
    streams: Vec<StreamId>,
    /// Of its Kinesis inputs.
    watches: Vec<KinesisWatch>,
}

impl Graph {
    fn add(&mut self, stream: StreamId) -> usize {
        self.streams.push(stream);
        self.streams.len() - 1
    }

    fn stream(&self, number: usize) -> PyResult<StreamId> {
        self.streams.get(number).copied().ok_or_else(|| PyIndexError::new_err(format!("there is no stream {number}")))
    }
}

impl Engine {
    fn build<T>(&self, change: impl FnOnce(&mut Graph) -> PyResult<T>) -> PyResult<T> {
        let mut graph = self.graph.lock().unwrap_or_else(PoisonError::into_inner);
        let started = || PyRuntimeError::new_err("streams and outputs can't be added to a context that was started");
        change(graph.as_mut().ok_or_else(started)?)
    }

    /// Sees the shards of its Kinesis inputs.
    pub(crate) fn watches(&self) -> PyResult<Vec<KinesisWatch>> {
        self.build(|graph| Ok(graph.watches.clone()))
    }

    pub(crate) fn listen(&self, listener: Arc<dyn BatchListener>) {
        self.engine.add_listener(listener);
    }
}

#[pymethods]
impl Engine {
    /// `max_rate` and the five settings of back-pressure, in their order in `RateConfig`, are in records a second.
    #[new]
    #[pyo3(signature = (batch_ms, stop_timeout_ms = None, max_rate = None, backpressure = None))]
    fn new(
        batch_ms: u64,
        stop_timeout_ms: Option<u64>,
        max_rate: Option<f64>,
        backpressure: Option<(Option<f64>, f64, f64, f64, f64)>,
    ) -> Self {
        millstream_cli::init_logging(0);
        let mut config = EngineConfig::new(Duration::from_millis(batch_ms));
        if let Some(stop_timeout_ms) = stop_timeout_ms {
            config.stop_timeout = Duration::from_millis(stop_timeout_ms);
        }
        config.rate.max_rate = max_rate;
        config.rate.backpressure = backpressure.map(|(initial_rate, proportional, integral, derived, min_rate)| {
            Backpressure { initial_rate, proportional, integral, derived, min_rate }
        });
        let graph = Graph { builder: GraphBuilder::new(), streams: Vec::new(), watches: Vec::new() };
        Self { engine: millstream_engine::Engine::new(config), graph: Mutex::new(Some(graph)) }
    }

    /// Adds a Kinesis stream and returns its number.
    fn input_kinesis(&self, py: Python<'_>, input: &KinesisInput) -> PyResult<usize> {
        self.build(|graph| {
            let source = input.source(py);
            graph.watches.push(source.watch());
            let stream = graph.builder.input(Box::new(source));
            Ok(graph.add(stream))
        })
    }

    /// Adds an input written in Python and returns its number.
    fn input_python(&self, source: Py<PyAny>) -> PyResult<usize> {
        self.build(|graph| {
            let stream = graph.builder.input(Box::new(PythonSource::new(source)));
            Ok(graph.add(stream))
        })
    }

    /// Adds the stream that `function(time_ms, *datasets)` computes from the streams `parents`, and returns its number.
    fn derive(&self, parents: Vec<usize>, function: Py<PyAny>) -> PyResult<usize> {
        let operator = move |time: BatchTime, parents: Vec<PyDataset>| {
            Python::attach(|py| {
                let time = time.millis().into_pyobject(py)?.into_any();
                let arguments = std::iter::once(time).chain(parents.iter().map(|parent| parent.bind(py)));
                let arguments = PyTuple::new(py, arguments.collect::<Vec<_>>())?;
                Ok(PyDataset::new(function.bind(py).call1(arguments)?))
            })
            .map_err(|error| BoxError::from(Raised(error)))
        };
        self.build(|graph| {
            let parents = parents.iter().map(|&number| graph.stream(number)).collect::<PyResult<Vec<_>>>()?;
            let stream = graph.builder.derive(&parents, Box::new(operator));
            Ok(graph.add(stream))
        })
    }

    /// Adds the output operation `function(time_ms, dataset)` on the stream `parent`.
    fn output(&self, parent: usize, function: Py<PyAny>, name: String) -> PyResult<()> {
        let output = move |time: BatchTime, dataset: PyDataset| {
            Python::attach(|py| function.bind(py).call1((time.millis(), dataset.bind(py))).map(drop))
                .map_err(|error| BoxError::from(Raised(error)))
        };
        self.build(|graph| {
            let parent = graph.stream(parent)?;
            graph.builder.output(parent, name, Box::new(output));
            Ok(())
        })
    }

    /// Writes down batches and `states` (see `states.rs`) in a directory, and goes on from what an earlier run has written there,
    /// unless `anew`.
    fn recover(&self, directory: PathBuf, anew: bool, states: Py<PyAny>) -> PyResult<()> {
        self.build(|graph| {
            graph.builder.recover(Recovery { directory, anew, states: Box::new(PythonStates::new(states)) });
            Ok(())
        })
    }

    /// Adds a listener (see `listener.rs` for its methods).
    fn add_listener(&self, listener: Py<PyAny>) {
        self.listen(Arc::new(PythonListener::new(listener)));
    }

    /// Starts the inputs, then the batches.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let graph = self.graph.lock().unwrap_or_else(PoisonError::into_inner).take();
        let graph = graph.ok_or_else(|| PyRuntimeError::new_err("this context was started before"))?;
        py.detach(|| self.engine.start(graph.builder)).map_err(|error| error::of_start(py, &error))
    }

    /// Waits for the end. True: it ended; False: `timeout_s` seconds passed. Raises what a batch raised, and
    /// KeyboardInterrupt.
    #[pyo3(signature = (timeout_s = None))]
    fn await_termination(&self, py: Python<'_>, timeout_s: Option<f64>) -> PyResult<bool> {
        // A time that is too long for the clock is no limit.
        let limit = timeout_s.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let left = deadline.map_or(SIGNALS_EVERY, |deadline| deadline.saturating_duration_since(Instant::now()));
            let ended = py
                .detach(|| self.engine.await_termination(Some(left.min(SIGNALS_EVERY))))
                .map_err(|error| error::of_job(py, &error))?;
            py.check_signals()?;
            if ended || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(ended);
            }
        }
    }

    /// Stops; see the engine's `stop`.
    fn stop(&self, py: Python<'_>, graceful: bool) -> PyResult<()> {
        py.detach(|| self.engine.stop(graceful)).map_err(|error| error::of_stop(py, &error))
    }
}
