use crate::world::{Feed, INTERVAL, LONG, Log, engine};
use millstream_engine::{Engine, EngineConfig, GraphBuilder, State};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Two outputs: the first sends its number and waits until the test opens the gate, the second is logged.
fn gated(log: &Log, numbers: impl IntoIterator<Item = u64>) -> (GraphBuilder<u64>, Receiver<u64>, Sender<()>) {
    let mut graph = GraphBuilder::new();
    let input = graph.input(Box::new(Feed::new("in", numbers, log)));
    let ((arrived, arrivals), (open, gate)) = (channel(), channel());
    let (before, after) = (log.clone(), log.clone());
    graph.output(
        input,
        "first",
        Box::new(move |time, number| {
            before.add("first", time);
            arrived.send(number)?;
            Ok(gate.recv()?)
        }),
    );
    graph.output(
        input,
        "last",
        Box::new(move |time, _| {
            after.add("last", time);
            Ok(())
        }),
    );
    (graph, arrivals, open)
}

#[test]
fn a_graceful_stop_runs_and_commits_all_that_was_read() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", 1..=5, &log)));
    let (sender, seen) = channel();
    graph.output(numbers, "send", Box::new(move |_, number| Ok(sender.send(number)?)));
    let engine = engine();
    engine.start(graph).unwrap();
    engine.stop(true).unwrap();

    assert_eq!(engine.state(), State::Stopped);
    assert_eq!(seen.iter().filter(|number| *number > 0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(log.times("in committed"), log.times("in cut"));
    assert_eq!(log.times("in drain").len(), 1);
    assert_eq!(log.all().last().unwrap().0, "in stop gracefully");
    assert!(engine.await_termination(None).unwrap());
    engine.stop(true).unwrap();
    engine.stop(false).unwrap();
    assert_eq!(log.times("in stop gracefully").len() + log.times("in stop").len(), 1, "stopped once");
}

#[test]
fn a_stop_lets_the_running_output_end_and_gives_up_the_rest() {
    let log = Log::default();
    let (graph, arrivals, open) = gated(&log, 1..=100);
    let engine = Arc::new(Engine::new(EngineConfig::new(INTERVAL)));
    engine.start(graph).unwrap();
    assert_eq!(arrivals.recv_timeout(LONG), Ok(1));
    while log.times("in cut").len() < 3 {
        std::thread::yield_now();
    }
    let stopper = std::thread::spawn({
        let engine = engine.clone();
        move || engine.stop(false)
    });
    while log.times("in failed").len() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(engine.state(), State::Active, "the running output is waited for");
    open.send(()).unwrap();
    stopper.join().unwrap().unwrap();

    assert_eq!(log.times("first").len(), 1, "no later batch ran");
    assert_eq!(log.times("last"), [0; 0], "nor a later output of the running batch");
    assert_eq!(log.times("in committed"), [0; 0]);
    let mut failed = log.times("in failed");
    failed.sort_unstable();
    assert_eq!(failed, log.times("in cut"), "every batch that was cut is told to the source as failed");
    assert_eq!(log.all().last().unwrap().0, "in stop");
    assert!(engine.await_termination(None).unwrap(), "giving up is no error");
}

#[test]
fn a_stop_does_not_wait_longer_than_its_limit_for_an_output() {
    for graceful in [false, true] {
        let log = Log::default();
        let (graph, arrivals, open) = gated(&log, [1]);
        let engine =
            Engine::new(EngineConfig { stop_timeout: Duration::from_millis(200), ..EngineConfig::new(INTERVAL) });
        engine.start(graph).unwrap();
        arrivals.recv_timeout(LONG).unwrap();
        let began = Instant::now();
        engine.stop(graceful).unwrap();
        assert!(began.elapsed() >= Duration::from_millis(199), "the limit counts whole milliseconds of the clock");
        assert_eq!(log.times("in committed"), [0; 0]);
        assert_eq!(log.times("in failed"), log.times("in cut"));
        drop(open);
    }
}

#[test]
fn stopping_from_within_an_output_does_not_deadlock() {
    for graceful in [false, true] {
        let log = Log::default();
        let mut graph = GraphBuilder::new();
        let numbers = graph.input(Box::new(Feed::new("in", [1, 2], &log)));
        let engine = Arc::new(engine());
        let stopped = Arc::new(OnceLock::new());
        let (handle, result) = (Arc::downgrade(&engine), stopped.clone());
        graph.output(
            numbers,
            "stop",
            Box::new(move |_, number| {
                if number == 2 {
                    let engine = handle.upgrade().ok_or("no engine")?;
                    let _ = result.set(engine.stop(graceful).is_ok());
                }
                Ok(())
            }),
        );
        engine.start(graph).unwrap();
        assert!(engine.await_termination(Some(LONG)).unwrap(), "graceful: {graceful}");
        assert_eq!(stopped.get(), Some(&true));
        // The batch whose last output asked for the stop has succeeded.
        assert_eq!(log.times("in committed")[..2], log.times("in cut")[..2]);
    }
}

#[test]
fn an_engine_that_is_dropped_ends_its_threads() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let feed = Feed::new("in", [], &log);
    let alive = Arc::downgrade(&feed.queue);
    let numbers = graph.input(Box::new(feed));
    let (sender, seen) = channel();
    graph.output(numbers, "send", Box::new(move |_, number| Ok(sender.send(number)?)));
    let engine = engine();
    engine.start(graph).unwrap();
    seen.recv_timeout(LONG).unwrap();
    drop(engine);
    // The channel closes when the job thread drops the output; the source goes before it.
    while seen.recv_timeout(LONG).is_ok() {}
    let began = Instant::now();
    while alive.upgrade().is_some() && began.elapsed() < LONG {
        std::thread::yield_now();
    }
    assert_eq!(log.times("in stop").len(), 1);
}
