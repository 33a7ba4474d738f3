//! Panics where the engine does not expect any: it ends, and says so, rather than let anybody wait.

use crate::world::{Feed, LONG, Log, engine};
use millstream_engine::{BatchTime, BoxError, Cut, Engine, EngineFailed, GraphBuilder, JobError, Source, State, Step};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// Waits for the end on a thread of its own, so that a hang fails the test.
fn stopped(engine: &Arc<Engine>) {
    let (sender, ended) = channel();
    let engine = engine.clone();
    std::thread::spawn(move || sender.send(engine.stop(false).is_ok()));
    assert_eq!(ended.recv_timeout(LONG), Ok(true), "stop() returns");
}

fn assert_failed(error: &JobError, thread: &str, message: &str) {
    assert_eq!(error.step, Step::Engine, "{error}");
    let failed = error.cause.downcast_ref::<EngineFailed>().expect("the engine's own failure");
    assert_eq!(failed.thread, thread);
    assert!(failed.message.contains(message), "{failed}");
    assert!(error.to_string().starts_with("the engine failed and has stopped"), "{error}");
}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("words fail me")
    }
}

impl std::error::Error for Unspeakable {}

#[test]
fn the_end_of_the_job_thread_is_the_end_of_the_engine() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", [1], &log)));
    graph.output(numbers, "bad", Box::new(|_, _| Err(Unspeakable.into())));
    let engine = Arc::new(engine());
    engine.start(graph).unwrap();
    for _ in 0..2 {
        let error = engine.await_termination(Some(LONG)).expect_err("told to all who ask");
        assert_failed(&error, "job", "words fail me");
    }
    assert_eq!(engine.state(), State::Stopped);
    stopped(&engine);
    assert_eq!(log.times("in committed"), [0; 0]);
    let mut failed = log.times("in failed");
    failed.sort_unstable();
    assert_eq!(failed, log.times("in cut"));
    assert_eq!(log.all().last().unwrap().0, "in stop");
}

/// Data that panics when it goes before its time.
#[derive(Clone)]
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "broken");
    }
}

struct Glazier(Log);

impl Source<Arc<Fragile>> for Glazier {
    fn cut(&mut self, _: BatchTime) -> Result<Cut<Arc<Fragile>>, BoxError> {
        Ok(Cut::once(Arc::new(Fragile), 1))
    }
    fn stop(&mut self, _: bool) -> Result<(), BoxError> {
        self.0.add("stop", BatchTime::from_millis(0));
        Ok(())
    }
}

struct Unable;

impl Source<Arc<Fragile>> for Unable {
    fn cut(&mut self, _: BatchTime) -> Result<Cut<Arc<Fragile>>, BoxError> {
        Err("not today".into())
    }
}

#[test]
fn a_driver_that_panics_tells_the_batchs_error_and_its_own_and_stops_the_sources() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let panes = graph.input(Box::new(Glazier(log.clone())));
    graph.input(Box::new(Unable));
    graph.output(panes, "look", Box::new(|_, _| Ok(())));
    let engine = Arc::new(engine());
    engine.start(graph).unwrap();
    let error = engine.await_termination(Some(LONG)).expect_err("the batch's error");
    assert_eq!(error.step, Step::Input(1));
    let error = engine.await_termination(Some(LONG)).expect_err("the engine's error");
    assert_failed(&error, "driver", "broken");
    stopped(&engine);
    assert_eq!(log.times("stop").len(), 1);
}

struct Clinging;

impl Source<u64> for Clinging {
    fn cut(&mut self, _: BatchTime) -> Result<Cut<u64>, BoxError> {
        Ok(Cut::once(1, 1))
    }
}

impl Drop for Clinging {
    fn drop(&mut self) {
        panic!("I would rather stay");
    }
}

#[test]
fn a_panic_behind_the_last_batch_is_told_as_well() {
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Clinging));
    let (sender, seen) = channel();
    graph.output(numbers, "send", Box::new(move |_, number| Ok(sender.send(number)?)));
    let engine = Arc::new(engine());
    engine.start(graph).unwrap();
    seen.recv_timeout(LONG).unwrap();
    stopped(&engine);
    let error = engine.await_termination(Some(LONG)).expect_err("the engine's error");
    assert_failed(&error, "driver", "at its end");
}
