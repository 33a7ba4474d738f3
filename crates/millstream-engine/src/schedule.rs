//! What to do next: the pure core of the driver. No clock, no thread; `testdata/schedule` tells its rules as tables.

use crate::clock::{BatchTime, Interval};
use std::collections::VecDeque;

/// The driver's next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Cut every source; the batch waits from now on, unless [`Event::CutFailed`] says otherwise.
    Cut(BatchTime),
    /// Run this batch; nothing else is running.
    Run(BatchTime),
    /// This waiting batch will not run.
    Discard(BatchTime),
    /// Tell the sources to read no more.
    Drain,
    /// Nothing to do before the time (ms since the epoch; `None`: without limit) or the next event.
    Wait(Option<u64>),
    /// All is done (`graceful`), or given up; stop the sources.
    End {
        /// Every batch that was cut has run.
        graceful: bool,
    },
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The running batch has ended, well or badly.
    Finished,
    /// A source could not be cut, so there is no batch.
    CutFailed(BatchTime),
    /// The program asks for the end: after all that was read, or at once.
    Stop { graceful: bool },
    /// After [`Next::Drain`]: no source holds data any more.
    Drained,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Cut and run.
    Running,
    /// A graceful stop: cut and run until the sources are drained.
    Draining { told: bool },
    /// Drained: run what waits.
    Finishing,
    /// Discard what waits, let the running output end.
    Abandoning,
}

/// Which batch is cut, waits and runs.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: Interval,
    max_waiting: usize,
    stop_timeout_ms: u64,
    next_cut: BatchTime,
    /// Batches of an earlier run that are cut once more, at once.
    recovered: VecDeque<BatchTime>,
    waiting: VecDeque<BatchTime>,
    running: Option<BatchTime>,
    mode: Mode,
    deadline_ms: Option<u64>,
}

impl Schedule {
    /// A schedule that starts at `now_ms`. At most `max_waiting` (at least one) batches wait: a batch time that comes while as many
    /// wait is cut later, for windows need every batch time. After a stop is asked for, all ends within `stop_timeout_ms`.
    pub(crate) fn new(interval: Interval, max_waiting: usize, stop_timeout_ms: u64, now_ms: u64) -> Self {
        Self {
            interval,
            max_waiting: max_waiting.max(1),
            stop_timeout_ms,
            next_cut: interval.first_after(now_ms),
            recovered: VecDeque::new(),
            waiting: VecDeque::new(),
            running: None,
            mode: Mode::Running,
            deadline_ms: None,
        }
    }

    /// The same, going on behind an earlier run whose last batch was `last`: its `open` batches are cut once more, and then
    /// every batch time since.
    pub(crate) fn behind(self, open: impl IntoIterator<Item = BatchTime>, last: Option<BatchTime>) -> Self {
        let next_cut = last.map_or(self.next_cut, |last| self.interval.first_after(last.millis()));
        Self { next_cut, recovered: open.into_iter().collect(), ..self }
    }

    /// Whether the driver should look if its sources are drained.
    pub(crate) fn is_draining(&self) -> bool {
        self.mode == Mode::Draining { told: true }
    }

    /// Takes note of what happened.
    pub(crate) fn on(&mut self, event: Event, now_ms: u64) {
        match event {
            Event::Finished => self.running = None,
            Event::CutFailed(time) => self.waiting.retain(|waiting| *waiting != time),
            Event::Drained => {
                if self.is_draining() {
                    self.mode = Mode::Finishing;
                }
            }
            Event::Stop { graceful } => {
                self.mode = match (graceful, self.mode) {
                    (true, Mode::Running) => Mode::Draining { told: false },
                    (true, mode) => mode,
                    (false, _) => Mode::Abandoning,
                };
                let deadline = now_ms.saturating_add(self.stop_timeout_ms);
                self.deadline_ms.get_or_insert(deadline);
            }
        }
    }

    /// The next step at `now_ms`; to be asked again after each step, until it is to wait or to end.
    pub(crate) fn next(&mut self, now_ms: u64) -> Next {
        let too_late = self.deadline_ms.is_some_and(|deadline| now_ms >= deadline);
        if too_late {
            self.mode = Mode::Abandoning;
        }
        if self.mode == Mode::Abandoning {
            return match (self.waiting.pop_front(), self.running) {
                (Some(time), _) => Next::Discard(time),
                (None, Some(_)) if !too_late => Next::Wait(self.deadline_ms),
                (None, _) => Next::End { graceful: false },
            };
        }
        if self.mode == (Mode::Draining { told: false }) {
            self.mode = Mode::Draining { told: true };
            return Next::Drain;
        }
        if self.running.is_none()
            && let Some(time) = self.waiting.pop_front()
        {
            self.running = Some(time);
            return Next::Run(time);
        }
        if self.mode == Mode::Finishing {
            return match self.running {
                None => Next::End { graceful: true },
                Some(_) => Next::Wait(self.deadline_ms),
            };
        }
        if self.waiting.len() >= self.max_waiting {
            return Next::Wait(self.deadline_ms);
        }
        if let Some(time) = self.recovered.pop_front() {
            self.waiting.push_back(time);
            return Next::Cut(time);
        }
        let due = self.next_cut;
        if now_ms < due.millis() {
            let deadline = self.deadline_ms.unwrap_or(u64::MAX);
            return Next::Wait(Some(due.millis().min(deadline)));
        }
        self.next_cut = self.interval.next(due);
        self.waiting.push_back(due);
        Next::Cut(due)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
