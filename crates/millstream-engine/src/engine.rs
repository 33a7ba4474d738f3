//! The handle to a running graph.

use crate::clock::{Interval, now_ms};
use crate::driver::{Driver, Ended, Message, stop_all};
use crate::job::{Batch, Jobs};
use crate::lifecycle::{Lifecycle, State, lock};
use crate::listener::Listeners;
use crate::plan::Plan;
use crate::protect::protect;
use crate::rate::Rate;
use crate::recovery::{Checkpoints, History, RecoveryLog};
use crate::schedule::Schedule;
use crate::{
    BatchListener, Dataset, GraphBuilder, JobError, RateConfig, Recovery, Source, SourceStopError, StartError,
};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

/// How an engine runs its batches.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The distance of two batches; at least a millisecond, finer parts are cut off.
    pub batch_interval: Duration,
    /// How many batches may wait behind the running one, at least 1. When so many wait, the next is cut later: the sources hold
    /// their data, and every batch time still gets its batch.
    pub max_waiting: usize,
    /// The longest a stop waits for outputs (Spark's `spark.streaming.gracefulStopTimeout`); what has not run by then is given up
    /// uncommitted. An output that runs longer is left to itself.
    pub stop_timeout: Duration,
    /// How fast the inputs are taken from.
    pub rate: RateConfig,
}

impl EngineConfig {
    /// Two waiting batches, and ten intervals to stop (as Spark), but at least ten seconds.
    pub fn new(batch_interval: Duration) -> Self {
        let stop_timeout = batch_interval.saturating_mul(10).max(Duration::from_secs(10));
        Self { batch_interval, max_waiting: 2, stop_timeout, rate: RateConfig::default() }
    }
}

/// Runs one graph, once. Shared by reference between threads.
pub struct Engine {
    config: EngineConfig,
    listeners: Listeners,
    lifecycle: Arc<Lifecycle>,
    running: Mutex<Option<Threads>>,
}

/// What the handle knows of the engine's threads.
#[derive(Clone)]
struct Threads {
    driver: Sender<Message>,
    abandon: Arc<AtomicBool>,
    ids: [ThreadId; 2],
}

impl Engine {
    /// An engine that has not started.
    pub fn new(config: EngineConfig) -> Self {
        let lifecycle = Arc::new(Lifecycle::new());
        Self { config, listeners: Listeners::default(), lifecycle, running: Mutex::new(None) }
    }

    /// Adds a listener; it hears of what happens from now on.
    pub fn add_listener(&self, listener: Arc<dyn BatchListener>) {
        self.listeners.add(listener);
    }

    /// Whether the engine has started or ended.
    pub fn state(&self) -> State {
        self.lifecycle.state()
    }

    /// Starts the sources, in order, then the batches: the first at the next multiple of the interval. After an error the engine is
    /// stopped.
    pub fn start<D: Dataset>(&self, graph: GraphBuilder<D>) -> Result<(), StartError> {
        let mut running = lock(&self.running);
        match self.state() {
            State::Initialized => {}
            State::Active => return Err(StartError::AlreadyStarted),
            State::Stopped => return Err(StartError::Stopped),
        }
        let threads = self.start_threads(graph).inspect_err(|_| self.lifecycle.stopped(Ok(())))?;
        *running = Some(threads);
        Ok(())
    }

    fn start_threads<D: Dataset>(&self, graph: GraphBuilder<D>) -> Result<Threads, StartError> {
        let interval = self.config.batch_interval;
        let interval = Interval::new(interval).ok_or(StartError::Interval(interval))?;
        let mut graph = graph;
        let recovery = graph.recovery.take();
        let (mut sources, plan) = Plan::new(graph)?;
        let (checkpoints, history) = match recovery {
            Some(recovery) => recover(recovery, &mut sources)?,
            None => (None, History::default()),
        };
        let output_names = plan.outputs.iter().map(|output| output.name.clone()).collect();
        let abandon = Arc::new(AtomicBool::new(false));

        let (driver_sender, messages) = channel();
        let (job_sender, batches) = channel();
        let log = checkpoints.as_ref().map(|checkpoints| checkpoints.log.clone());
        let jobs = Jobs { plan, listeners: self.listeners.clone(), abandon: abandon.clone(), checkpoints };
        let reply = driver_sender.clone();
        let job_thread = named_thread("millstream-jobs").spawn(move || run_jobs(jobs, &batches, &reply))?;
        let job_thread_id = job_thread.thread().id();

        start_all(&mut sources)?;
        let stop_timeout_ms = u64::try_from(self.config.stop_timeout.as_millis()).unwrap_or(u64::MAX);
        let open = history.open.iter().map(|(time, _)| *time);
        let schedule = Schedule::new(interval, self.config.max_waiting, stop_timeout_ms, now_ms());
        let driver = Driver {
            schedule: schedule.behind(open, history.last),
            rates: sources.iter().map(|_| Rate::new(self.config.rate.clone(), interval.millis())).collect(),
            sources,
            log,
            recovered: history.open,
            output_names,
            waiting: VecDeque::new(),
            running: None,
            messages,
            jobs: job_sender,
            abandon: abandon.clone(),
            lifecycle: self.lifecycle.clone(),
            listeners: self.listeners.clone(),
        };
        self.lifecycle.activate();
        let lifecycle = self.lifecycle.clone();
        let driver_thread = named_thread("millstream-driver").spawn(move || drive(driver, job_thread, &lifecycle))?;
        Ok(Threads { driver: driver_sender, abandon, ids: [driver_thread.thread().id(), job_thread_id] })
    }

    /// Waits until the engine has ended (`true`), a batch has failed (its error), or the timeout has passed (`false`). Each error is
    /// told once; of several that nobody has waited for, the first. Later batches run nevertheless.
    pub fn await_termination(&self, timeout: Option<Duration>) -> Result<bool, JobError> {
        self.lifecycle.wait(timeout)
    }

    /// Stops, and waits for the end.
    ///
    /// Graceful: the sources read no more, batches are cut (at batch times) until the sources are drained, all of them run and are
    /// committed. Otherwise the running output may end, and all else is given up uncommitted. Both within
    /// [`EngineConfig::stop_timeout`]. A stop that is not graceful cuts a graceful one short. Called from within an output, an
    /// operator, a source or a listener, it returns at once, and the stop is completed behind it.
    pub fn stop(&self, graceful: bool) -> Result<(), SourceStopError> {
        let running = lock(&self.running);
        let Some(threads) = running.clone() else {
            self.lifecycle.stopped(Ok(()));
            return Ok(());
        };
        drop(running);
        threads.ask_to_stop(graceful);
        if threads.ids.contains(&thread::current().id()) {
            return Ok(());
        }
        self.lifecycle.wait_stopped()
    }
}

impl Drop for Engine {
    /// Nobody can stop the engine any more, so it stops, without being waited for.
    fn drop(&mut self) {
        if let Some(threads) = &*lock(&self.running) {
            threads.ask_to_stop(false);
        }
    }
}

impl Threads {
    fn ask_to_stop(&self, graceful: bool) {
        if !graceful {
            self.abandon.store(true, Ordering::Relaxed);
        }
        // A driver that has ended needs no asking.
        let _ = self.driver.send(Message::Stop { graceful });
    }
}

fn named_thread(name: &str) -> thread::Builder {
    thread::Builder::new().name(name.to_owned())
}

/// Takes up what an earlier run has left.
fn recover<D>(
    recovery: Recovery,
    sources: &mut [Box<dyn Source<D>>],
) -> Result<(Option<Checkpoints>, History), StartError> {
    let Recovery { directory, anew, mut states } = recovery;
    let (log, mut history) = RecoveryLog::open(&directory, anew)?;
    let saved = std::mem::take(&mut history.states);
    protect(|| states.restore(saved)).map_err(StartError::States)?;
    for source in sources {
        if let Some(name) = source.name() {
            source.recover(history.of_input(&name));
        }
    }
    Ok((Some(Checkpoints { log: Arc::new(log), states }), history))
}

/// Starts the sources in order; when one fails, those before it are stopped.
fn start_all<D>(sources: &mut [Box<dyn Source<D>>]) -> Result<(), StartError> {
    for input in 0..sources.len() {
        if let Err(cause) = protect(|| sources[input].start()) {
            // What goes wrong here is logged; the caller is told of the cause.
            let _ = stop_all(&mut sources[..input], false);
            return Err(StartError::Source { input, cause });
        }
    }
    Ok(())
}

/// The driver thread.
fn drive<D: Dataset>(mut driver: Driver<D>, job_thread: JoinHandle<()>, lifecycle: &Lifecycle) {
    let mut end = End { lifecycle, result: Ok(()) };
    let idle = match protect(|| Ok(driver.run())) {
        Ok(Ended { idle, result }) => {
            end.result = result;
            idle
        }
        Err(cause) => {
            lifecycle.failed("driver", &cause);
            driver.abandon.store(true, Ordering::Relaxed);
            end.result = stop_all(&mut driver.sources, false);
            false
        }
    };
    // With the driver its end of the job thread's channel is gone. Operators and outputs are dropped before the end is told.
    drop(driver);
    if idle {
        // How it has ended it has told by itself.
        let _ = job_thread.join();
    }
}

/// Tells the end when it is dropped: nobody waits for a driver that has panicked, wherever it did.
struct End<'a> {
    lifecycle: &'a Lifecycle,
    result: Result<(), SourceStopError>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.lifecycle.failed("driver", &"panicked at its end".into());
        }
        self.lifecycle.stopped(std::mem::replace(&mut self.result, Ok(())));
    }
}

/// The job thread.
fn run_jobs<D: Dataset>(mut jobs: Jobs<D>, batches: &Receiver<Batch<D>>, driver: &Sender<Message>) {
    let result = protect(move || {
        for batch in batches {
            let (info, outcome) = jobs.run(batch);
            if driver.send(Message::Finished(info, outcome)).is_err() {
                break;
            }
        }
        Ok(())
    });
    if let Err(cause) = result {
        // While `batches` lives: a driver that finds it closed has been told why. A driver that has ended needs no telling.
        let _ = driver.send(Message::JobsFailed(cause));
    }
}
