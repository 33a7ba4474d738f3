//! The driver thread: owns the sources, does what the schedule says.

use crate::clock::{BatchTime, now_ms};
use crate::job::{Batch, Outcome, pending_outputs};
use crate::lifecycle::Lifecycle;
use crate::listener::Listeners;
use crate::protect::{log, protect, protect_callback};
use crate::rate::{Done, Rate};
use crate::recovery::RecoveryLog;
use crate::schedule::{Event, Next, Schedule};
use crate::source::Sources;
use crate::{BatchInfo, BoxError, Cut, Dataset, InputInfo, JobError, LoggedInput, Part, Source, SourceStopError, Step};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// What the driver is woken for.
pub(crate) enum Message {
    Finished(BatchInfo, Outcome),
    Stop {
        graceful: bool,
    },
    /// The job thread has panicked; its last message.
    JobsFailed(BoxError),
}

/// How the driver has ended.
pub(crate) struct Ended {
    /// The job thread has nothing to do.
    pub(crate) idle: bool,
    /// How the sources took it.
    pub(crate) result: Result<(), SourceStopError>,
}

/// The driver's belongings.
pub(crate) struct Driver<D> {
    pub(crate) schedule: Schedule,
    pub(crate) sources: Sources<D>,
    /// By the sources' numbers.
    pub(crate) rates: Vec<Rate>,
    pub(crate) log: Option<Arc<RecoveryLog>>,
    /// Batches of an earlier run that are still to be cut once more.
    pub(crate) recovered: VecDeque<(BatchTime, Vec<LoggedInput>)>,
    pub(crate) output_names: Vec<String>,
    pub(crate) waiting: VecDeque<Batch<D>>,
    pub(crate) running: Option<BatchTime>,
    pub(crate) messages: Receiver<Message>,
    pub(crate) jobs: Sender<Batch<D>>,
    pub(crate) abandon: Arc<AtomicBool>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) listeners: Listeners,
}

impl<D: Dataset> Driver<D> {
    /// Runs until the schedule ends, and stops the sources.
    pub(crate) fn run(&mut self) -> Ended {
        self.listeners.tell(|listener| listener.streaming_started(now_ms()));
        loop {
            if self.schedule.is_draining() && self.sources.iter().all(|source| is_drained(&**source)) {
                self.schedule.on(Event::Drained, now_ms());
            }
            match self.schedule.next(now_ms()) {
                Next::Cut(time) => self.cut(time),
                Next::Run(_) => self.run_first(),
                Next::Discard(time) => {
                    self.waiting.pop_front();
                    self.each_source("failed", |source| source.failed(time));
                }
                Next::Drain => self.each_source("drain", |source| source.drain()),
                Next::Wait(until) => self.wait(until),
                Next::End { graceful } => {
                    if let Some(time) = self.running {
                        log(|| tracing::warn!(%time, "stopped while the batch was still running; it is not committed"));
                        self.abandon.store(true, Ordering::Relaxed);
                        self.each_source("failed", |source| source.failed(time));
                    }
                    return Ended { idle: self.running.is_none(), result: stop_all(&mut self.sources, graceful) };
                }
            }
        }
    }

    fn cut(&mut self, time: BatchTime) {
        let mut inputs = Vec::with_capacity(self.sources.len());
        let mut infos = Vec::with_capacity(self.sources.len());
        let mut logged = Vec::new();
        let recovered = self.recovered.pop_front_if(|(open, _)| *open == time).map(|(_, inputs)| inputs);
        let draining = self.schedule.is_draining();
        for ((id, source), rate) in self.sources.iter_mut().enumerate().zip(&mut self.rates) {
            let cut = protect(|| match &recovered {
                Some(inputs) => source.recut(time, parts_of(source.name(), inputs)),
                None => {
                    source.limit(rate.allowance().filter(|_| !draining));
                    source.cut(time)
                }
            });
            match cut {
                Ok(Cut { dataset, records, metadata, parts }) => {
                    inputs.push(dataset);
                    infos.push(InputInfo { id, records, metadata });
                    logged.extend(source.name().map(|name| LoggedInput { name, parts }));
                }
                Err(cause) => return self.cut_failed(time, id, Step::Input(id), cause),
            }
        }
        if let (Some(log), None) = (&self.log, &recovered)
            && let Err(error) = log.cut(time, logged)
        {
            return self.cut_failed(time, self.sources.len(), Step::Checkpoint, error.into());
        }
        let info = BatchInfo {
            time,
            inputs: infos,
            submission_ms: now_ms(),
            processing_start_ms: None,
            processing_end_ms: None,
            outputs: pending_outputs(time, &self.output_names),
            failure: None,
        };
        self.listeners.tell(|listener| listener.batch_submitted(&info));
        self.waiting.push_back(Batch { info, inputs });
    }

    /// The first `cut` sources have a batch that will not run.
    fn cut_failed(&mut self, time: BatchTime, cut: usize, step: Step, cause: BoxError) {
        if let Some(log) = &self.log {
            // What is cut from now on does not follow on what was written down.
            log.give_up();
        }
        for source in self.sources.iter_mut().take(cut) {
            protect_callback("a source's failed()", || source.failed(time));
        }
        self.schedule.on(Event::CutFailed(time), now_ms());
        self.lifecycle.report(JobError { time, step, cause });
    }

    fn run_first(&mut self) {
        let Some(batch) = self.waiting.pop_front() else { return };
        self.running = Some(batch.info.time);
        // A job thread that can't take it has failed, and has said so before.
        let _ = self.jobs.send(batch);
    }

    fn wait(&mut self, until_ms: Option<u64>) {
        let message = match until_ms {
            None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => self.messages.recv_timeout(Duration::from_millis(until.saturating_sub(now_ms()))),
        };
        match message {
            Ok(Message::Stop { graceful }) => self.schedule.on(Event::Stop { graceful }, now_ms()),
            Ok(Message::Finished(info, outcome)) => {
                self.finished(&info, outcome);
                self.schedule.on(Event::Finished, now_ms());
            }
            Ok(Message::JobsFailed(cause)) => self.jobs_failed(&cause),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.jobs_failed(&"it is gone".into()),
        }
    }

    /// No batch can run any more.
    fn jobs_failed(&mut self, cause: &BoxError) {
        self.lifecycle.failed("job", cause);
        if let Some(time) = self.running.take() {
            self.each_source("failed", |source| source.failed(time));
            self.schedule.on(Event::Finished, now_ms());
        }
        self.schedule.on(Event::Stop { graceful: false }, now_ms());
    }

    fn finished(&mut self, info: &BatchInfo, outcome: Outcome) {
        self.running = None;
        let time = info.time;
        self.learn(info);
        match outcome {
            Outcome::Succeeded => self.each_source("committed", |source| source.committed(time)),
            Outcome::Abandoned | Outcome::Unsaved => self.each_source("failed", |source| source.failed(time)),
            Outcome::Failed(error) => {
                self.each_source("failed", |source| source.failed(time));
                self.lifecycle.report(error);
            }
        }
        self.listeners.tell(|listener| listener.batch_completed(info));
    }

    /// What the batch says of the rates at which the inputs can be taken from.
    fn learn(&mut self, info: &BatchInfo) {
        let delays = (info.processing_end_ms, info.processing_delay_ms(), info.scheduling_delay_ms());
        let (Some(at_ms), Some(processing_ms), Some(scheduling_ms)) = delays else { return };
        for (rate, input) in self.rates.iter_mut().zip(&info.inputs) {
            rate.done(Done { at_ms, records: input.records, processing_ms, scheduling_ms });
        }
    }

    fn each_source(&mut self, what: &str, call: impl Fn(&mut dyn Source<D>)) {
        for source in &mut self.sources {
            protect_callback(what, || call(&mut **source));
        }
    }
}

/// What an earlier run has cut of the input with this name.
fn parts_of(name: Option<String>, inputs: &[LoggedInput]) -> &[Part] {
    let found = name.and_then(|name| inputs.iter().find(|input| input.name == name));
    found.map_or(&[], |input| &input.parts)
}

fn is_drained<D>(source: &dyn Source<D>) -> bool {
    // A source that panics here has nothing more to give.
    protect(|| Ok(source.is_drained())).unwrap_or(true)
}

/// Stops all, also when one fails; the first error.
pub(crate) fn stop_all<D>(sources: &mut [Box<dyn Source<D>>], graceful: bool) -> Result<(), SourceStopError> {
    let mut result = Ok(());
    for (input, source) in sources.iter_mut().enumerate() {
        if let Err(cause) = protect(|| source.stop(graceful)) {
            let error = SourceStopError { input, cause };
            log(|| tracing::warn!(%error, "a source did not stop cleanly"));
            result = result.and(Err(error));
        }
    }
    result
}
