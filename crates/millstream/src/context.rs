//! The entry point: one program of streams, its start and its end.

use crate::dataset::AnyPartitions;
use crate::kinesis::KinesisWatch;
use crate::lock::lock;
use crate::queue::QueueSource;
use crate::saved::{Saved, SavedStates};
use crate::serving::Serving;
use crate::{ContextError, DStream, Queue};
use millstream_dashboard::{DashboardConfig, Input, Shown};
use millstream_engine::{BatchListener, Engine, EngineConfig, GraphBuilder, Recovery, Source, State, StreamId};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Streams are created from it and run by it, in batches of one interval. Clones are handles to the same context.
///
/// ```
/// # use millstream::{Queue, StreamingContext};
/// # use std::time::Duration;
/// let ssc = StreamingContext::new(Duration::from_millis(20));
/// let lines = ssc.queue_stream(&Queue::from_iter([vec!["to be", "or not", "to be"]]), true);
/// let counts = lines.flat_map(|line| line.split(' ').map(|word| (word, 1)).collect::<Vec<_>>()).reduce_by_key(|a, b| a + b);
/// counts.pprint(10);
/// ssc.start()?;
/// ssc.await_termination_or_timeout(Duration::from_millis(50))?;
/// ssc.stop(true)?;
/// # Ok::<(), millstream::ContextError>(())
/// ```
#[derive(Clone)]
pub struct StreamingContext {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    batch: Duration,
    program: Mutex<Program>,
    states: SavedStates,
    /// While the context runs, if it is to have one.
    shown: Mutex<Option<Shown>>,
}

/// What the program has said so far.
struct Program {
    /// `None` once started.
    graph: Option<GraphBuilder<AnyPartitions>>,
    /// Streams are built by chained calls that return no error; the first misuse is told by `start` or `await_termination`.
    misuse: Option<ContextError>,
    /// There is a state that does not go without a checkpoint directory.
    stateful: bool,
    directory: Option<PathBuf>,
    /// What an earlier run has saved in the directory is of interest.
    goes_on: bool,
    serving: Serving,
}

impl StreamingContext {
    /// A context with batches of `batch`, at least a millisecond.
    pub fn new(batch: Duration) -> Self {
        Self::with_config(EngineConfig::new(batch))
    }

    /// A context with all settings of the engine.
    pub fn with_config(config: EngineConfig) -> Self {
        let graph = Some(GraphBuilder::new());
        let (misuse, directory, serving) = (None, None, Serving::default());
        let program = Program { graph, misuse, stateful: false, directory, goes_on: false, serving };
        let (program, states, shown) = (Mutex::new(program), SavedStates::default(), Mutex::default());
        let batch = config.batch_interval;
        Self { inner: Arc::new(Inner { batch, engine: Engine::new(config), program, states, shown }) }
    }

    /// What `setup` returns; at its start it goes on from what an earlier run has saved in `directory`. `setup` is always called,
    /// since what is saved holds no code: it may be a new version of the program.
    pub fn get_or_create<E>(
        directory: impl Into<PathBuf>,
        setup: impl FnOnce() -> Result<StreamingContext, E>,
    ) -> Result<StreamingContext, E> {
        let context = setup()?;
        context.checkpoint(directory);
        context.program().goes_on = true;
        Ok(context)
    }

    /// Where the states of the streams are saved with every batch; it is made if it is not there. What an earlier run has left there
    /// is deleted at the start, unless the context comes from [`get_or_create`](StreamingContext::get_or_create).
    pub fn checkpoint(&self, directory: impl Into<PathBuf>) {
        self.program().directory = Some(directory.into());
    }

    /// The batch interval.
    pub fn batch_interval(&self) -> Duration {
        self.inner.batch
    }

    /// Shows the program, under this name, at web pages while it runs; to be called before the start. Where no port is free the program
    /// runs without, and a log line says so. Where the environment names a collector of OpenTelemetry
    /// (`OTEL_EXPORTER_OTLP_ENDPOINT`), its metrics are pushed there too.
    pub fn serve_dashboard(&self, name: impl Into<String>, config: DashboardConfig) {
        self.program().serving.wanted = Some((name.into(), config));
    }

    /// The address of the web pages, while there are some.
    pub fn dashboard_url(&self) -> Option<String> {
        lock(&self.inner.shown).as_ref()?.url()
    }

    /// A stream of what is pushed to `queue`: one vector per batch, or (`one_at_a_time` false) all there are, a partition each.
    pub fn queue_stream<T: Send + Sync + 'static>(&self, queue: &Queue<T>, one_at_a_time: bool) -> DStream<T> {
        let shown = Input { name: "queue".to_owned(), has_receiver: false };
        self.input(Box::new(QueueSource::new(queue.clone(), one_at_a_time)), shown)
    }

    /// Adds a listener; it hears of what happens from now on.
    pub fn add_streaming_listener(&self, listener: Arc<dyn BatchListener>) {
        self.inner.engine.add_listener(listener);
    }

    /// Whether the context has started or ended.
    pub fn state(&self) -> State {
        self.inner.engine.state()
    }

    /// Starts reading, and then the batches, the first at the next multiple of the interval.
    pub fn start(&self) -> Result<(), ContextError> {
        let mut program = self.program();
        if let Some(misuse) = program.misuse.take() {
            return Err(misuse);
        }
        if program.stateful && program.directory.is_none() {
            return Err(ContextError::NoCheckpointDirectory);
        }
        // An empty graph will do for the engine to say that it has been started before.
        let mut graph = program.graph.take().unwrap_or_default();
        if let Some(directory) = program.directory.clone() {
            graph.recover(Recovery { directory, anew: !program.goes_on, states: Box::new(self.inner.states.clone()) });
        }
        let shown = program.serving.start(self.inner.batch, |feed| self.inner.engine.add_listener(feed))?;
        drop(program);
        *lock(&self.inner.shown) = shown;
        let started = self.inner.engine.start(graph);
        Ok(started.inspect_err(|_| self.hide())?)
    }

    /// Waits until the context has been stopped, or a batch has failed.
    pub fn await_termination(&self) -> Result<(), ContextError> {
        self.await_end(None).map(drop)
    }

    /// Waits at most `timeout`; `true`: the context has stopped.
    pub fn await_termination_or_timeout(&self, timeout: Duration) -> Result<bool, ContextError> {
        self.await_end(Some(timeout))
    }

    fn await_end(&self, timeout: Option<Duration>) -> Result<bool, ContextError> {
        let misuse = self.program().misuse.take();
        misuse.map_or(Ok(()), Err)?;
        Ok(self.inner.engine.await_termination(timeout)?)
    }

    /// Stops. Graceful: what was read is processed and committed first; otherwise only the running output may end. May be called
    /// from within an output operation, and returns at once then.
    pub fn stop(&self, graceful: bool) -> Result<(), ContextError> {
        let stopped = self.inner.engine.stop(graceful);
        self.hide();
        Ok(stopped?)
    }

    fn hide(&self) {
        let shown = lock(&self.inner.shown).take();
        // Without the lock: it waits for its threads.
        drop(shown);
    }

    /// Lets the dashboard see a Kinesis input's shards.
    pub(crate) fn watch(&self, watch: KinesisWatch) {
        self.program().serving.sources.push(Arc::new(watch));
    }

    /// Adds an input, whose datasets must be partitions of `T`. `shown`: what it is on the dashboard.
    pub(crate) fn input<T>(&self, source: Box<dyn Source<AnyPartitions>>, shown: Input) -> DStream<T> {
        let stream = self.build(|graph| graph.input(source));
        self.program().serving.inputs.push(shown);
        DStream::new(self.clone(), stream.unwrap_or(StreamId(usize::MAX)))
    }

    /// Changes the graph, which a started context does not allow.
    pub(crate) fn build<R>(&self, change: impl FnOnce(&mut GraphBuilder<AnyPartitions>) -> R) -> Option<R> {
        let mut program = self.program();
        let result = program.graph.as_mut().map(change);
        if result.is_none() {
            note(&mut program, ContextError::AddedAfterStart);
        }
        result
    }

    /// Saves a state with every batch where there is a checkpoint directory.
    pub(crate) fn save(&self, kind: &str, state: Arc<Mutex<dyn Saved>>) {
        self.inner.states.add(kind, state);
    }

    /// The same for a state that needs the directory.
    pub(crate) fn keep(&self, kind: &str, state: Arc<Mutex<dyn Saved>>) {
        self.save(kind, state);
        self.program().stateful = true;
    }

    /// Notes it when a stream of `other` is put together with one of this context.
    pub(crate) fn expect_same(&self, other: &StreamingContext) {
        if !Arc::ptr_eq(&self.inner, &other.inner) {
            note(&mut self.program(), ContextError::OtherContext);
        }
    }

    fn program(&self) -> MutexGuard<'_, Program> {
        lock(&self.inner.program)
    }
}

fn note(program: &mut Program, misuse: ContextError) {
    tracing::error!(error = %misuse, "a streaming program is wrong");
    program.misuse.get_or_insert(misuse);
}
