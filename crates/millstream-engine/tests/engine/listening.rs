use crate::world::{Feed, LONG, Log, engine};
use millstream_engine::{BatchInfo, BatchListener, GraphBuilder, OutputInfo};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

#[derive(Debug)]
enum Heard {
    Started,
    Submitted(BatchInfo),
    BatchStarted(BatchInfo),
    OutputStarted(OutputInfo),
    OutputCompleted(OutputInfo),
    Completed(BatchInfo),
}

struct Ear(Mutex<Sender<Heard>>);

impl Ear {
    fn hear(&self, heard: Heard) {
        let _ = self.0.lock().unwrap().send(heard);
    }
}

impl BatchListener for Ear {
    fn streaming_started(&self, _: u64) {
        self.hear(Heard::Started);
    }
    fn batch_submitted(&self, batch: &BatchInfo) {
        self.hear(Heard::Submitted(batch.clone()));
    }
    fn batch_started(&self, batch: &BatchInfo) {
        self.hear(Heard::BatchStarted(batch.clone()));
    }
    fn output_started(&self, output: &OutputInfo) {
        self.hear(Heard::OutputStarted(output.clone()));
    }
    fn output_completed(&self, output: &OutputInfo) {
        self.hear(Heard::OutputCompleted(output.clone()));
    }
    fn batch_completed(&self, batch: &BatchInfo) {
        self.hear(Heard::Completed(batch.clone()));
    }
}

struct Clumsy;

impl BatchListener for Clumsy {
    fn batch_completed(&self, _: &BatchInfo) {
        std::panic::panic_any("dropped my notes");
    }
}

#[test]
fn listeners_hear_of_a_batch_in_order_and_in_full() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("left", [3], &log)));
    graph.input(Box::new(Feed::new("right", [], &log)));
    graph.output(numbers, "good", Box::new(|_, _| Ok(())));
    graph.output(numbers, "bad", Box::new(|_, number| if number == 3 { Err("no threes".into()) } else { Ok(()) }));
    let (sender, heard) = channel();
    let engine = engine();
    engine.add_listener(Arc::new(Clumsy));
    engine.add_listener(Arc::new(Ear(Mutex::new(sender))));
    engine.start(graph).unwrap();
    let next = || heard.recv_timeout(LONG).unwrap();

    assert!(matches!(next(), Heard::Started));
    let Heard::Submitted(batch) = next() else { panic!("submitted comes first") };
    assert_eq!(batch.records(), 1);
    assert_eq!(batch.inputs[0].metadata, "left");
    assert_eq!((batch.inputs[1].id, batch.inputs[1].records), (1, 0));
    assert_eq!((batch.scheduling_delay_ms(), batch.total_delay_ms()), (None, None));
    let Heard::BatchStarted(started) = next() else { panic!("then it starts") };
    assert!(started.processing_start_ms >= Some(batch.submission_ms));
    for (id, name, failure) in [(0, "good", None), (1, "bad", Some("no threes"))] {
        let Heard::OutputStarted(output) = next() else { panic!("then output {id}") };
        assert_eq!((output.id, output.name.as_str(), output.end_ms), (id, name, None));
        let Heard::OutputCompleted(output) = next() else { panic!("which completes") };
        assert_eq!((output.id, output.failure.as_deref()), (id, failure));
        assert!(output.end_ms >= output.start_ms && output.start_ms >= started.processing_start_ms);
    }
    let Heard::Completed(completed) = next() else { panic!("and the batch is done") };
    assert_eq!(completed.time, batch.time);
    assert_eq!(completed.outputs[1].failure.as_deref(), Some("no threes"));
    assert_eq!(completed.failure, Some(format!("batch {}: output 1 (bad) failed: no threes", batch.time)));
    assert!(completed.total_delay_ms() >= completed.processing_delay_ms());
    assert!(engine.await_termination(Some(LONG)).is_err());

    let Heard::Submitted(second) = next() else { panic!("the next batch") };
    assert!(second.time > batch.time);
    engine.stop(true).unwrap();
}
