use crate::world::{Feed, INTERVAL, LONG, Log, engine};
use millstream_engine::{
    BatchInfo, BatchListener, BatchTime, BoxError, GraphBuilder, JobError, Panicked, Step, StreamId,
};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

#[derive(Debug, thiserror::Error)]
#[error("seven is not welcome")]
struct Seven;

fn refuse_seven(number: u64) -> Result<u64, BoxError> {
    if number == 7 { Err(Seven.into()) } else { Ok(number) }
}

/// Runs `graph` until `seen` has given `count` numbers; the error, and what was seen.
fn run(graph: GraphBuilder<u64>, seen: &Receiver<u64>, count: usize) -> (JobError, Vec<u64>) {
    let engine = engine();
    engine.start(graph).unwrap();
    let seen = (0..count).map(|_| seen.recv_timeout(LONG).unwrap()).collect();
    let error = engine.await_termination(Some(LONG)).expect_err("the failed batch's error");
    assert!(!engine.await_termination(Some(INTERVAL)).unwrap(), "an error is told once, and the engine goes on");
    engine.stop(false).unwrap();
    (error, seen)
}

fn recorder(graph: &mut GraphBuilder<u64>, stream: StreamId) -> Receiver<u64> {
    let (sender, seen) = channel();
    graph.output(stream, "record", Box::new(move |_, number| Ok(sender.send(number)?)));
    seen
}

#[test]
fn a_failed_output_fails_its_batch_alone() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", [6, 7, 8], &log)));
    let output_log = log.clone();
    graph.output(
        numbers,
        "refuse",
        Box::new(move |time, number| {
            output_log.add(&format!("number {number}"), time);
            refuse_seven(number).map(drop)
        }),
    );
    let seen = recorder(&mut graph, numbers);
    let (error, seen) = run(graph, &seen, 4);

    assert_eq!(seen, [6, 7, 8, 0], "the batch's other output and the later batches run");
    assert!(error.cause.is::<Seven>(), "the program gets its own error back");
    assert_eq!(error.step, Step::Output { id: 0, name: "refuse".into() });
    assert_eq!(error.to_string(), format!("batch {}: output 0 (refuse) failed: seven is not welcome", error.time));
    let time_of = |number: u64| log.times(&format!("number {number}"))[0];
    assert_eq!(error.time, BatchTime::from_millis(time_of(7)));
    assert_eq!(log.of(time_of(6)), ["in cut", "number 6", "in committed"]);
    assert_eq!(log.of(time_of(7)), ["in cut", "number 7", "in failed"]);
    assert_eq!(log.of(time_of(8)), ["in cut", "number 8", "in committed"]);
}

#[test]
fn a_failed_operator_fails_its_batch_before_any_output() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", [6, 7, 8], &log)));
    let seen = recorder(&mut graph, numbers);
    let picky = graph.derive(&[numbers], Box::new(|_, parents: Vec<u64>| refuse_seven(parents[0])));
    let seen_picky = recorder(&mut graph, picky);
    let (error, seen) = run(graph, &seen, 3);

    assert_eq!(seen, [6, 8, 0]);
    assert_eq!(seen_picky.iter().take(3).collect::<Vec<_>>(), [6, 8, 0]);
    assert_eq!(error.step, Step::Stream(picky));
    assert_eq!(log.times("in failed")[0], error.time.millis());
}

#[test]
fn a_panic_of_user_code_is_an_error_of_its_batch() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", [6, 7, 8], &log)));
    let divided = graph.derive(&[numbers], Box::new(|_, parents: Vec<u64>| Ok(10 / parents[0].abs_diff(7))));
    let seen = recorder(&mut graph, divided);
    let (error, seen) = run(graph, &seen, 2);

    assert_eq!(seen, [10, 10]);
    let panic = error.cause.downcast_ref::<Panicked>().expect("a panic");
    assert!(panic.message.contains("divide by zero"), "{panic}");
}

#[test]
fn a_failed_cut_leaves_no_batch_and_fails_the_sources_that_were_cut() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    graph.input(Box::new(Feed::new("first", [], &log)));
    let second = Feed::new("second", [1, 2], &log);
    *second.bad_cut.lock().unwrap() = Some(Seven.into());
    let numbers = graph.input(Box::new(second));
    let seen = recorder(&mut graph, numbers);
    let (error, seen) = run(graph, &seen, 2);

    assert_eq!(seen, [1, 2]);
    assert_eq!(error.step, Step::Input(1));
    assert_eq!(log.of(error.time.millis()), ["first cut", "second cut", "first failed"]);
}

/// Has more to say in its alternate form, as the errors of Python functions have.
#[derive(Debug)]
struct Traced;

impl std::error::Error for Traced {}

impl std::fmt::Display for Traced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if f.alternate() { "Traceback: line 7: no" } else { "no" })
    }
}

#[test]
fn listeners_hear_the_long_form_of_an_error() {
    struct Ear(Mutex<Sender<BatchInfo>>);

    impl BatchListener for Ear {
        fn batch_completed(&self, batch: &BatchInfo) {
            let _ = self.0.lock().unwrap().send(batch.clone());
        }
    }

    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", [1], &Log::default())));
    graph.output(numbers, "refuse", Box::new(|_, _| Err(Traced.into())));
    let (sender, completed) = channel();
    let engine = engine();
    engine.add_listener(Arc::new(Ear(Mutex::new(sender))));
    engine.start(graph).unwrap();
    let batch = completed.recv_timeout(LONG).unwrap();
    assert_eq!(batch.outputs[0].failure.as_deref(), Some("Traceback: line 7: no"));
    assert!(batch.failure.unwrap().ends_with("output 0 (refuse) failed: Traceback: line 7: no"));
    let error = engine.await_termination(Some(LONG)).expect_err("the batch's error");
    assert!(error.to_string().ends_with("output 0 (refuse) failed: no"));
    engine.stop(false).unwrap();
}
