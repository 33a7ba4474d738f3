//! Whether an engine runs, and the error nobody has been told yet: what `await_termination` waits for.

use crate::protect::{log, protect};
use crate::{BoxError, EngineFailed, JobError, SourceStopError};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The life of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started.
    Initialized,
    /// Started, and not yet at its end.
    Active,
    /// Ended: no batch will run any more, and the sources are stopped.
    Stopped,
}

/// Shared by the engine's handle and its threads.
pub(crate) struct Lifecycle {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    state: State,
    error: Option<JobError>,
    failure: Option<EngineFailed>,
    stop_error: Option<SourceStopError>,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        let inner = Inner { state: State::Initialized, error: None, failure: None, stop_error: None };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    pub(crate) fn state(&self) -> State {
        lock(&self.inner).state
    }

    pub(crate) fn activate(&self) {
        lock(&self.inner).state = State::Active;
    }

    /// Keeps a batch's error, unless an earlier one still waits to be told.
    pub(crate) fn report(&self, error: JobError) {
        let text = protect(|| Ok(error.to_string())).unwrap_or_else(|panicked| format!("its error {panicked}"));
        // Kept first: nothing that goes wrong with the log may lose it.
        lock(&self.inner).error.get_or_insert(error);
        self.changed.notify_all();
        log(|| tracing::error!(error = text, "a batch failed"));
    }

    /// Keeps why the engine ends by itself; the first cause. To be followed by [`Lifecycle::stopped`].
    pub(crate) fn failed(&self, thread: &'static str, cause: &BoxError) {
        let failure = EngineFailed { thread, message: cause.to_string() };
        lock(&self.inner).failure.get_or_insert_with(|| failure.clone());
        log(|| tracing::error!(%failure, "stopping"));
    }

    pub(crate) fn stopped(&self, result: Result<(), SourceStopError>) {
        let mut inner = lock(&self.inner);
        inner.state = State::Stopped;
        inner.stop_error = result.err();
        self.changed.notify_all();
    }

    /// Waits for the end (`true`), an error, or the timeout (`false`). That the engine failed is told every time.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Result<bool, JobError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut inner = lock(&self.inner);
        loop {
            if let Some(error) = inner.error.take() {
                return Err(error);
            }
            if inner.state == State::Stopped {
                return inner.failure.clone().map_or(Ok(true), |failure| Err(failure.into()));
            }
            inner = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Ok(false),
                Some(left) => self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Waits for the end, leaving a batch's error for [`Lifecycle::wait`].
    pub(crate) fn wait_stopped(&self) -> Result<(), SourceStopError> {
        let inner = lock(&self.inner);
        let mut inner = self
            .changed
            .wait_while(inner, |inner| inner.state != State::Stopped)
            .unwrap_or_else(PoisonError::into_inner);
        inner.stop_error.take().map_or(Ok(()), Err)
    }
}

/// Locks, also after a panic of another thread: every critical section here leaves its data whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
