//! A source that is fed by the test, a log of all that happens, and shorthands.

use millstream_engine::{BatchTime, BoxError, Cut, Engine, EngineConfig, Source};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const INTERVAL: Duration = Duration::from_millis(20);
/// No wait of a test that passes comes near it.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn engine() -> Engine {
    Engine::new(EngineConfig::new(INTERVAL))
}

/// What happened, in order, with the batch's time.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(String, u64)>>>);

impl Log {
    pub(crate) fn add(&self, what: &str, time: BatchTime) {
        self.0.lock().unwrap().push((what.to_owned(), time.millis()));
    }

    pub(crate) fn all(&self) -> Vec<(String, u64)> {
        self.0.lock().unwrap().clone()
    }

    /// The times at which `what` happened.
    pub(crate) fn times(&self, what: &str) -> Vec<u64> {
        self.all().into_iter().filter(|(event, _)| event == what).map(|(_, time)| time).collect()
    }

    /// What happened in this batch.
    pub(crate) fn of(&self, time: u64) -> Vec<String> {
        self.all().into_iter().filter(|(_, at)| *at == time).map(|(event, _)| event).collect()
    }
}

/// Gives one queued number per cut, else 0. Logs every call.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) name: &'static str,
    pub(crate) queue: Arc<Mutex<VecDeque<u64>>>,
    pub(crate) log: Log,
    /// Fails the next cut.
    pub(crate) bad_cut: Arc<Mutex<Option<BoxError>>>,
    pub(crate) bad_start: bool,
}

impl Feed {
    pub(crate) fn new(name: &'static str, numbers: impl IntoIterator<Item = u64>, log: &Log) -> Self {
        let queue = Arc::new(Mutex::new(numbers.into_iter().collect()));
        Self { name, queue, log: log.clone(), bad_cut: Arc::default(), bad_start: false }
    }

    fn note(&self, what: &str, time: BatchTime) {
        self.log.add(&format!("{} {what}", self.name), time);
    }
}

impl Source<u64> for Feed {
    fn start(&mut self) -> Result<(), BoxError> {
        self.note("start", BatchTime::from_millis(0));
        if self.bad_start { Err("no such stream".into()) } else { Ok(()) }
    }

    fn cut(&mut self, time: BatchTime) -> Result<Cut<u64>, BoxError> {
        self.note("cut", time);
        if let Some(error) = self.bad_cut.lock().unwrap().take() {
            return Err(error);
        }
        let number = self.queue.lock().unwrap().pop_front();
        let metadata = self.name.to_owned();
        Ok(Cut { metadata, ..Cut::once(number.unwrap_or(0), number.iter().count() as u64) })
    }

    fn committed(&mut self, time: BatchTime) {
        self.note("committed", time);
    }

    fn failed(&mut self, time: BatchTime) {
        self.note("failed", time);
    }

    fn drain(&mut self) {
        self.note("drain", BatchTime::from_millis(0));
    }

    fn is_drained(&self) -> bool {
        self.queue.lock().unwrap().is_empty()
    }

    fn stop(&mut self, graceful: bool) -> Result<(), BoxError> {
        self.note(if graceful { "stop gracefully" } else { "stop" }, BatchTime::from_millis(0));
        Ok(())
    }
}
