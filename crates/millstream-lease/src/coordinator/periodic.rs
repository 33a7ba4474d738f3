//! Calls that are made again: after a failure, or every now and then.

/// The first pause after a failed call; it doubles with each further failure.
const FIRST_PAUSE_MS: u64 = 100;
/// The longest pause: well within the three seconds between two renewals.
const LONGEST_PAUSE_MS: u64 = 1_600;

/// Failures in a row of one kind of call, and when it may be tried again.
#[derive(Debug, Default)]
pub(super) struct Retry {
    pub(super) failures: u32,
    pub(super) not_before_ms: u64,
    pub(super) reason: Option<String>,
}

impl Retry {
    pub(super) fn failed(&mut self, now: u64, reason: String) {
        let pause = FIRST_PAUSE_MS << self.failures.min(8);
        self.failures += 1;
        self.not_before_ms = now + pause.min(LONGEST_PAUSE_MS);
        self.reason = Some(reason);
    }

    pub(super) fn succeeded(&mut self) {
        *self = Retry::default();
    }
}

/// A look at something, done again and again: at most one at a time.
#[derive(Debug, Default)]
pub(super) struct Periodic {
    pub(super) due_ms: u64,
    /// Whether the next look was asked for since the last one was started.
    is_hurried: bool,
    /// The step in which the look under way was started.
    pub(super) started_step: Option<u64>,
    /// When the last look was started.
    pub(super) started_ms: u64,
    retry: Retry,
}

impl Periodic {
    /// Starts a look where one is due.
    pub(super) fn start(&mut self, now: u64, step: u64, interval_ms: u64) -> bool {
        let is_due = self.started_step.is_none() && now >= self.due_ms;
        if is_due {
            (self.started_step, self.started_ms, self.is_hurried) = (Some(step), now, false);
            self.due_ms = now + interval_ms;
        }
        is_due
    }

    /// Makes the next look due, unless the last one failed just now.
    pub(super) fn hurry(&mut self, now: u64) {
        self.bring_forward(now);
    }

    /// Makes the next look due then, or when it is due already.
    pub(super) fn bring_forward(&mut self, then: u64) {
        self.due_ms = self.due_ms.min(then.max(self.retry.not_before_ms));
        self.is_hurried = true;
    }

    /// Makes the next look due so long after the last one, unless it was asked for.
    pub(super) fn put_off(&mut self, interval_ms: u64) {
        if !self.is_hurried {
            self.due_ms = self.started_ms + interval_ms;
        }
    }

    /// The look under way succeeded: the step in which it was started.
    pub(super) fn answered(&mut self) -> Option<u64> {
        self.retry.succeeded();
        self.started_step.take()
    }

    pub(super) fn last_error(&self) -> Option<&str> {
        self.retry.reason.as_deref()
    }

    pub(super) fn failed(&mut self, now: u64, reason: String) {
        self.started_step = None;
        self.retry.failed(now, reason);
        self.due_ms = self.retry.not_before_ms;
    }
}
