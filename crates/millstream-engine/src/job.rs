//! The job thread: runs one batch at a time through the graph.

use crate::clock::now_ms;
use crate::listener::Listeners;
use crate::plan::Plan;
use crate::protect::protect;
use crate::recovery::Checkpoints;
use crate::{BatchInfo, BatchTime, Dataset, JobError, OutputInfo, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A batch that was cut.
pub(crate) struct Batch<D> {
    pub(crate) info: BatchInfo,
    /// The inputs' datasets, by the inputs' numbers.
    pub(crate) inputs: Vec<D>,
}

/// How a batch ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Succeeded,
    Failed(JobError),
    /// All outputs have succeeded, but a batch before it has failed, behind which nothing is saved.
    Unsaved,
    /// A stop came before its last output.
    Abandoned,
}

/// Operators, outputs, and all that is needed to run them.
pub(crate) struct Jobs<D> {
    pub(crate) plan: Plan<D>,
    pub(crate) listeners: Listeners,
    /// Set by a stop that is not graceful: no further output is begun.
    pub(crate) abandon: Arc<AtomicBool>,
    pub(crate) checkpoints: Option<Checkpoints>,
}

impl<D: Dataset> Jobs<D> {
    /// Runs a batch to its end.
    pub(crate) fn run(&mut self, batch: Batch<D>) -> (BatchInfo, Outcome) {
        let Batch { mut info, inputs } = batch;
        info.processing_start_ms = Some(now_ms());
        self.listeners.tell(|listener| listener.batch_started(&info));
        let outcome = self.run_outputs(&mut info, inputs);
        let outcome = self.commit(info.time, outcome);
        info.processing_end_ms = Some(now_ms());
        info.failure = match &outcome {
            Outcome::Succeeded | Outcome::Unsaved => None,
            // The long form, where an error has one: with the traceback of user code.
            Outcome::Failed(error) => Some(format!("{error:#}")),
            Outcome::Abandoned => Some("the program was stopped".to_owned()),
        };
        (info, outcome)
    }

    /// Saves what a batch that has succeeded has changed. Behind one that has not, nothing is saved.
    fn commit(&mut self, time: BatchTime, outcome: Outcome) -> Outcome {
        let Some(checkpoints) = &mut self.checkpoints else { return outcome };
        let saved = match &outcome {
            Outcome::Succeeded if checkpoints.log.has_given_up() => return Outcome::Unsaved,
            Outcome::Succeeded => protect(|| checkpoints.commit(time)),
            Outcome::Failed(_) | Outcome::Abandoned | Outcome::Unsaved => {
                checkpoints.log.give_up();
                return outcome;
            }
        };
        match saved {
            Ok(()) => outcome,
            Err(cause) => {
                checkpoints.log.give_up();
                Outcome::Failed(JobError { time, step: Step::Checkpoint, cause })
            }
        }
    }

    fn run_outputs(&mut self, info: &mut BatchInfo, inputs: Vec<D>) -> Outcome {
        let time = info.time;
        let mut computed = match self.plan.compute(time, inputs) {
            Ok(computed) => computed,
            Err(error) => return Outcome::Failed(error),
        };
        let mut first_error = None;
        for (node, info) in self.plan.outputs.iter_mut().zip(&mut info.outputs) {
            if self.abandon.load(Ordering::Relaxed) {
                return first_error.map_or(Outcome::Abandoned, Outcome::Failed);
            }
            info.start_ms = Some(now_ms());
            self.listeners.tell(|listener| listener.output_started(info));
            let result = computed.take(node.parent).and_then(|dataset| protect(|| node.output.run(time, dataset)));
            info.end_ms = Some(now_ms());
            if let Err(cause) = result {
                info.failure = Some(format!("{cause:#}"));
                let step = Step::Output { id: info.id, name: info.name.clone() };
                first_error.get_or_insert(JobError { time, step, cause });
            }
            self.listeners.tell(|listener| listener.output_completed(info));
        }
        first_error.map_or(Outcome::Succeeded, Outcome::Failed)
    }
}

/// Output infos of a batch that has not run.
pub(crate) fn pending_outputs(time: BatchTime, names: &[String]) -> Vec<OutputInfo> {
    let pending = |(id, name): (usize, &String)| OutputInfo {
        time,
        id,
        name: name.clone(),
        start_ms: None,
        end_ms: None,
        failure: None,
    };
    names.iter().enumerate().map(pending).collect()
}
