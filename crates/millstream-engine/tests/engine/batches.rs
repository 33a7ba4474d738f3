use crate::world::{Feed, INTERVAL, LONG, Log, engine};
use millstream_engine::{BatchTime, Engine, EngineConfig, GraphBuilder};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

#[test]
fn every_batch_time_has_its_batch_in_order_and_is_committed_after_its_output() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", 1..=10, &log)));
    let (sender, seen) = channel();
    let output_log = log.clone();
    graph.output(
        numbers,
        "out",
        Box::new(move |time, number| {
            output_log.add("out", time);
            // Slower than the interval every third time: later batches wait, none is skipped.
            std::thread::sleep(if number % 3 == 0 { INTERVAL * 2 } else { Duration::ZERO });
            Ok(sender.send(number)?)
        }),
    );
    let engine = engine();
    engine.start(graph).unwrap();
    let first_ten: Vec<u64> = (0..10).map(|_| seen.recv_timeout(LONG).unwrap()).collect();
    engine.stop(true).unwrap();

    assert_eq!(first_ten, (1..=10).collect::<Vec<_>>());
    let interval = u64::try_from(INTERVAL.as_millis()).unwrap();
    let times = log.times("out");
    for pair in times.windows(2) {
        assert_eq!(pair[1] - pair[0], interval, "a batch time was skipped or came twice: {times:?}");
    }
    assert_eq!(times[0] % interval, 0, "batch times are multiples of the interval");
    assert_eq!(log.times("in committed"), times, "committed once each, in order");
    for time in times {
        assert_eq!(log.of(time), ["in cut", "out", "in committed"]);
    }
}

#[test]
fn a_stream_is_computed_once_per_batch_however_many_children_it_has() {
    let log = Log::default();
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Feed::new("in", [7], &log)));
    let computed = |name: &'static str, add: u64| {
        let log = log.clone();
        Box::new(move |time: BatchTime, parents: Vec<u64>| {
            log.add(name, time);
            Ok(parents.iter().sum::<u64>() + add)
        })
    };
    let shared = graph.derive(&[numbers], computed("shared", 100));
    let left = graph.derive(&[shared], computed("left", 1000));
    let both = graph.derive(&[shared, left, shared], computed("both", 0));
    graph.derive(&[shared], computed("leads nowhere", 0));
    graph.input(Box::new(Feed::new("unused", [], &log)));
    let (sender, seen) = channel();
    for (name, stream) in [("both", both), ("shared", shared), ("numbers", numbers)] {
        let sender = sender.clone();
        graph.output(stream, name, Box::new(move |time, number| Ok(sender.send((time, number))?)));
    }
    let engine = engine();
    engine.start(graph).unwrap();
    let results: Vec<(BatchTime, u64)> = (0..3).map(|_| seen.recv_timeout(LONG).unwrap()).collect();
    engine.stop(true).unwrap();

    let time = results[0].0;
    assert_eq!(results, [(time, 107 + 1107 + 107), (time, 107), (time, 7)]);
    let mut events = log.of(time.millis());
    events.sort();
    // The input that leads to no output is cut and committed all the same.
    assert_eq!(events, ["both", "in committed", "in cut", "left", "shared", "unused committed", "unused cut"]);
}

/// Prints what the engine itself costs; asserts nothing, for the machine may be busy.
#[test]
fn cost_of_an_empty_batch() {
    struct Clock;
    impl millstream_engine::Source<Instant> for Clock {
        fn cut(&mut self, _: BatchTime) -> Result<millstream_engine::Cut<Instant>, millstream_engine::BoxError> {
            Ok(millstream_engine::Cut::once(Instant::now(), 0))
        }
    }
    let mut graph = GraphBuilder::new();
    let clock = graph.input(Box::new(Clock));
    let (sender, costs) = channel();
    graph.output(clock, "cost", Box::new(move |_, cut: Instant| Ok(sender.send(cut.elapsed())?)));
    let engine = Engine::new(EngineConfig::new(Duration::from_millis(1)));
    engine.start(graph).unwrap();
    let mut costs: Vec<Duration> = (0..500).map(|_| costs.recv_timeout(LONG).unwrap()).collect();
    engine.stop(false).unwrap();
    costs.sort();
    println!("from cut to output done: p50 {:?}, p99 {:?}", costs[250], costs[495]);
}
