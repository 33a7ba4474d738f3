use crate::world::{Feed, LONG, Log, engine};
use millstream_engine::{Engine, EngineConfig, GraphBuilder, StartError, State, StreamId};
use std::time::Duration;

fn graph(log: &Log) -> GraphBuilder<u64> {
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", [], log)));
    graph.output(numbers, "ignore", Box::new(|_, _| Ok(())));
    graph
}

#[test]
fn a_graph_without_outputs_is_refused_in_sparks_words() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    graph.input(Box::new(Feed::new("in", [], &log)));
    let engine = engine();
    let error = engine.start(graph).unwrap_err();
    assert!(matches!(error, StartError::NoOutputs));
    assert_eq!(error.to_string(), "No output operations registered, so nothing to execute");
    assert_eq!(log.all(), [], "nothing was started");
    assert_eq!(engine.state(), State::Stopped);
    assert!(engine.await_termination(None).unwrap(), "there is nothing to wait for");
}

#[test]
fn unknown_streams_and_empty_intervals_are_refused() {
    let mut with_stranger = graph(&Log::default());
    with_stranger.output(StreamId(17), "lost", Box::new(|_, _| Ok(())));
    assert!(matches!(engine().start(with_stranger), Err(StartError::UnknownStream(StreamId(17)))));

    let engine = Engine::new(EngineConfig::new(Duration::from_micros(999)));
    assert!(matches!(engine.start(graph(&Log::default())), Err(StartError::Interval(_))));
}

#[test]
fn an_engine_starts_once() {
    let log = Log::default();
    let engine = engine();
    assert_eq!(engine.state(), State::Initialized);
    engine.start(graph(&log)).unwrap();
    assert_eq!(engine.state(), State::Active);
    assert!(matches!(engine.start(graph(&log)), Err(StartError::AlreadyStarted)));
    engine.stop(false).unwrap();
    assert!(matches!(engine.start(graph(&log)), Err(StartError::Stopped)));
    assert_eq!(log.times("in start").len(), 1);
}

#[test]
fn an_engine_stopped_before_its_start_does_not_start() {
    let engine = engine();
    engine.stop(true).unwrap();
    assert!(matches!(engine.start(graph(&Log::default())), Err(StartError::Stopped)));
}

#[test]
fn when_a_source_cannot_start_those_before_it_are_stopped() {
    let log = Log::default();
    let mut graph = graph(&log);
    graph.input(Box::new(Feed { bad_start: true, ..Feed::new("bad", [], &log) }));
    graph.input(Box::new(Feed::new("later", [], &log)));
    let engine = engine();
    let error = engine.start(graph).unwrap_err();
    assert_eq!(error.to_string(), "input 1 could not start: no such stream");
    let events: Vec<String> = log.all().into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, ["in start", "bad start", "in stop"]);
    assert!(engine.await_termination(Some(LONG)).unwrap());
}
