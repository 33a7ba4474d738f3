//! A log that panics on every line, as one does whose standard error is a closed pipe. A binary of its own: the subscriber is
//! global, for the engine logs on its own threads.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use millstream_engine::{BatchListener, BatchTime, BoxError, Cut, Engine, EngineConfig, GraphBuilder, Source, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const LONG: Duration = Duration::from_secs(20);

static LINES: AtomicUsize = AtomicUsize::new(0);

struct BrokenLog;

impl Subscriber for BrokenLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("millstream_engine")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        LINES.fetch_add(1, Ordering::SeqCst);
        panic!("failed printing to stderr: broken pipe");
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Counts its cuts, fails the first, and does not stop cleanly.
struct Counter(u64);

impl Source<u64> for Counter {
    fn cut(&mut self, _: BatchTime) -> Result<Cut<u64>, BoxError> {
        self.0 += 1;
        if self.0 == 1 {
            return Err("no first".into());
        }
        Ok(Cut::once(self.0, 1))
    }
    fn committed(&mut self, _: BatchTime) {
        panic!("as badly as a source can");
    }
    fn stop(&mut self, _: bool) -> Result<(), BoxError> {
        Err("no stop".into())
    }
}

struct Clumsy;

impl BatchListener for Clumsy {
    fn batch_submitted(&self, _: &millstream_engine::BatchInfo) {
        panic!("dropped my notes");
    }
}

#[test]
fn a_log_that_panics_costs_no_error_no_batch_and_no_stop() {
    tracing::subscriber::set_global_default(BrokenLog).unwrap();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Counter(0)));
    let ((sender, seen), (go_on, told)) = (channel(), channel());
    graph.output(
        numbers,
        "send",
        Box::new(move |_, number| {
            sender.send(number)?;
            if number == 2 {
                told.recv()?;
                return Err("no second".into());
            }
            Ok(())
        }),
    );
    let engine = Arc::new(Engine::new(EngineConfig::new(Duration::from_millis(20))));
    engine.add_listener(Arc::new(Clumsy));
    engine.start(graph).unwrap();

    let error = engine.await_termination(Some(LONG)).expect_err("the cut's error");
    assert_eq!(error.step, Step::Input(0));
    go_on.send(()).unwrap();
    let error = engine.await_termination(Some(LONG)).expect_err("the output's error");
    assert_eq!(error.step, Step::Output { id: 0, name: "send".into() });
    for number in [2, 3, 4] {
        assert_eq!(seen.recv_timeout(LONG), Ok(number), "later batches run");
    }
    let (sender, ended) = channel();
    let stopping = engine.clone();
    std::thread::spawn(move || sender.send(stopping.stop(true)));
    let error = ended.recv_timeout(LONG).expect("stop() returns").expect_err("the source's error");
    assert_eq!(error.to_string(), "input 0 could not stop cleanly: no stop");
    assert!(engine.await_termination(Some(LONG)).unwrap());
    assert!(LINES.load(Ordering::SeqCst) >= 5, "the log was asked to write");
}
