//! Programs of streams, fed by a queue.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use millstream::{
    BatchTime, ContextError, DStream, DashboardConfig, JobError, Panicked, Partitions, Queue, StreamingContext,
};
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const INTERVAL: Duration = Duration::from_millis(10);
/// No wait of a test that passes comes near it.
const LONG: Duration = Duration::from_secs(20);

/// A context, and a stream of these vectors, one per batch.
fn stream<T: Send + Sync + 'static>(vectors: impl IntoIterator<Item = Vec<T>>) -> (StreamingContext, DStream<T>) {
    let ssc = StreamingContext::new(INTERVAL);
    let stream = ssc.queue_stream(&Queue::from_iter(vectors), true);
    (ssc, stream)
}

/// What each batch of `stream` holds, once the context runs.
fn collect<T: Clone + Send + Sync + 'static>(stream: &DStream<T>) -> Receiver<Vec<T>> {
    let (sender, batches) = channel();
    stream.foreach_rdd(move |_, data| Ok(sender.send(data.iter().cloned().collect())?));
    batches
}

/// Runs all that is queued, and gives what the batches hold that are not empty.
fn run<T>(ssc: &StreamingContext, batches: &Receiver<Vec<T>>) -> Vec<Vec<T>> {
    ssc.start().unwrap();
    ssc.stop(true).unwrap();
    batches.try_iter().filter(|batch| !batch.is_empty()).collect()
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn operators_keep_batches_and_their_order() {
    let (ssc, numbers) = stream([vec![1, 2, 3], vec![], vec![4, 5, 6, 7]]);
    let doubled = numbers.map(|number| number * 2);
    let big = doubled.filter(|number| *number > 4);
    let repeated = big.flat_map(|number| vec![*number; 2]);
    let batches = collect(&repeated);
    assert_eq!(run(&ssc, &batches), [vec![6, 6], vec![8, 8, 10, 10, 12, 12, 14, 14]]);
}

#[test]
fn count_gives_one_number_for_every_batch() {
    let (ssc, numbers) = stream([vec![1, 2, 3], vec![], vec![4]]);
    let batches = collect(&numbers.count());
    assert_eq!(run(&ssc, &batches)[..3], [[3], [0], [1]]);
}

#[test]
fn union_is_of_the_same_batch_and_keeps_partitions() {
    let ssc = StreamingContext::new(INTERVAL);
    let all_at_once = ssc.queue_stream(&Queue::from_iter([vec!["a", "b"], vec!["c"]]), false);
    let one = ssc.queue_stream(&Queue::from_iter([vec!["d"], vec!["e"]]), true);
    let (sender, shapes) = channel();
    all_at_once
        .union(&one)
        .union(&one)
        .foreach_rdd(move |_, data| Ok(sender.send(data.partitions().map(<[_]>::to_vec).collect::<Vec<_>>())?));
    let shapes = run(&ssc, &shapes);
    assert_eq!(shapes[0], [vec!["a", "b"], vec!["c"], vec!["d"], vec!["d"]]);
    assert_eq!(shapes[1], [["e"], ["e"]]);
}

#[test]
fn transform_may_keep_state_from_batch_to_batch() {
    let (ssc, numbers) = stream([vec![1, 2], vec![3], vec![4]]);
    let mut total = 0;
    let totals = numbers.transform(move |_, data| {
        total += data.iter().sum::<i32>();
        Ok(if data.is_empty() { Partitions::empty() } else { vec![total].into() })
    });
    let batches = collect(&totals);
    assert_eq!(run(&ssc, &batches), [[3], [6], [10]]);
}

#[test]
fn a_stream_with_several_children_is_computed_once() {
    let (ssc, numbers) = stream([vec![1, 2, 3]]);
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let counted = numbers.map(move |number| {
        counter.fetch_add(1, Ordering::Relaxed);
        *number
    });
    let left = collect(&counted.map(|number| number + 1));
    let right = collect(&counted.union(&counted));
    assert_eq!(run(&ssc, &left), [[2, 3, 4]]);
    assert_eq!(right.iter().next(), Some(vec![1, 2, 3, 1, 2, 3]));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[test]
fn map_values_keeps_keys_and_order() {
    let (ssc, pairs) = stream([vec![("b", 1), ("a", 2), ("b", 3)]]);
    let batches = collect(&pairs.reduce_by_key(|a, b| a * 10 + b).map_values(|value| format!("<{value}>")));
    assert_eq!(run(&ssc, &batches), [[("b", "<13>".to_owned()), ("a", "<2>".to_owned())]]);
}

#[test]
fn an_error_of_an_output_comes_back_as_it_was_and_later_batches_run() {
    #[derive(Debug, thiserror::Error)]
    #[error("no threes")]
    struct NoThrees;

    let (ssc, numbers) = stream([vec![2], vec![3], vec![4]]);
    numbers.foreach_rdd(|_, data| if data.iter().any(|number| *number == 3) { Err(NoThrees.into()) } else { Ok(()) });
    let batches = collect(&numbers);
    ssc.start().unwrap();
    let Err(ContextError::Job(JobError { cause, .. })) = ssc.await_termination_or_timeout(LONG) else {
        panic!("the batch's error");
    };
    assert!(cause.is::<NoThrees>());
    let seen: Vec<Vec<i32>> = (0..3).map(|_| batches.recv_timeout(LONG).unwrap()).collect();
    assert_eq!(seen, [[2], [3], [4]]);
    assert!(!ssc.await_termination_or_timeout(INTERVAL).unwrap(), "told once");
    ssc.stop(false).unwrap();
}

#[test]
fn a_panic_in_a_function_is_the_error_of_its_batch() {
    let (ssc, numbers) = stream([vec![1], vec![0]]);
    let batches = collect(&numbers.map(|number| 100 / number));
    ssc.start().unwrap();
    let Err(ContextError::Job(error)) = ssc.await_termination_or_timeout(LONG) else { panic!("the batch's error") };
    assert!(error.cause.is::<Panicked>(), "{error}");
    ssc.stop(true).unwrap();
    assert_eq!(batches.iter().next(), Some(vec![100]));
}

#[test]
fn a_program_may_stop_itself_from_within_an_output() {
    let queue = Queue::from_iter([vec![1], vec![2], vec![3]]);
    let ssc = StreamingContext::new(INTERVAL);
    let numbers = ssc.queue_stream(&queue, true);
    let stopper = ssc.clone();
    numbers.foreach_rdd(move |_, data| {
        if data.iter().any(|number| *number == 2) {
            stopper.stop(false)?;
        }
        Ok(())
    });
    ssc.start().unwrap();
    assert!(ssc.await_termination_or_timeout(LONG).unwrap());
}

#[test]
fn files_are_named_by_batch_time() {
    let home = tempfile::tempdir().unwrap();
    let (ssc, lines) = stream([vec!["one", "two"]]);
    lines.save_as_text_files(home.path().join("lines").to_str().unwrap(), Some("txt"));
    let (sender, times) = channel();
    lines.foreach_rdd(move |time: BatchTime, _| Ok(sender.send(time)?));
    ssc.start().unwrap();
    ssc.stop(true).unwrap();
    let file = home.path().join(format!("lines-{}.txt/part-00000", times.recv().unwrap().millis()));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "one\ntwo\n");
}

#[test]
fn a_program_without_outputs_is_refused() {
    let (ssc, numbers) = stream([vec![1]]);
    let _unused = numbers.map(|number| number + 1);
    let error = ssc.start().unwrap_err();
    assert_eq!(error.to_string(), "No output operations registered, so nothing to execute");
}

#[test]
fn a_program_is_not_changed_while_it_runs() {
    let (ssc, numbers) = stream([vec![1]]);
    let _batches = collect(&numbers);
    ssc.start().unwrap();
    numbers.map(|number| number + 1).pprint(10);
    assert!(matches!(ssc.await_termination(), Err(ContextError::AddedAfterStart)));
    ssc.stop(false).unwrap();
    assert!(matches!(ssc.start(), Err(ContextError::Start(_))));
}

#[test]
fn streams_of_two_contexts_do_not_mix() {
    let (ssc, numbers) = stream([vec![1]]);
    let (_other, others) = stream([vec![1]]);
    numbers.union(&others).pprint(10);
    assert!(matches!(ssc.start(), Err(ContextError::OtherContext)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn word_count_agrees_with_a_naive_one(
        vectors in prop::collection::vec(prop::collection::vec("[abé]{0,2}( [ab]{0,2}){0,5}", 0..6), 1..6),
        one_at_a_time: bool,
    ) {
        let ssc = StreamingContext::new(Duration::from_millis(1));
        let lines = ssc.queue_stream(&Queue::from_iter(vectors.clone()), one_at_a_time);
        let counts = lines.flat_map(|line| words(line)).map(|word| (word.clone(), 1u64)).reduce_by_key(|a, b| a + b);
        let batches = run(&ssc, &collect(&counts));

        let batches_of_lines = if one_at_a_time { vectors } else { vec![vectors.concat()] };
        let mut naive = Vec::new();
        for lines in batches_of_lines {
            let mut keys = Vec::new();
            let mut counts = HashMap::new();
            for word in lines.iter().flat_map(|line| words(line)) {
                *counts.entry(word.clone()).or_insert_with(|| { keys.push(word); 0u64 }) += 1;
            }
            naive.extend((!keys.is_empty()).then(|| keys.into_iter().map(|key| { let n = counts[&key]; (key, n) }).collect::<Vec<_>>()));
        }
        prop_assert_eq!(batches, naive);
    }
}

type Pairs = Vec<(String, i64)>;

/// Runs a program of totals by key and of a window over one directory; what its last batch with records holds, sorted.
fn totals(directory: &std::path::Path, batches: &[&[(&str, i64)]]) -> (Pairs, Pairs) {
    let owned = |batch: &&[(&str, i64)]| batch.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    let queue = Queue::from_iter(batches.iter().map(owned).collect::<Vec<Pairs>>());
    let setup = || {
        let ssc = StreamingContext::new(INTERVAL);
        let pairs = ssc.queue_stream(&queue, true);
        let totals = pairs.update_state_by_key(|values: &[i64], total: Option<&i64>| {
            Some(total.unwrap_or(&0) + values.iter().sum::<i64>()).filter(|total| *total != 0)
        });
        let windows = pairs.reduce_by_key_and_window(|a, b| a + b, Duration::from_secs(3600));
        let sorted = |data: &Partitions<(String, i64)>| {
            let mut pairs: Pairs = data.iter().cloned().collect();
            pairs.sort();
            pairs
        };
        let (sender, seen) = channel();
        let send = sender.clone();
        totals.foreach_rdd(move |_, data| Ok(send.send((true, sorted(data)))?));
        windows.foreach_rdd(move |_, data| Ok(sender.send((false, sorted(data)))?));
        Ok::<_, ContextError>((ssc, seen))
    };
    let mut seen = None;
    let ssc = StreamingContext::get_or_create(directory, || {
        let (ssc, receiver) = setup()?;
        seen = Some(receiver);
        Ok::<_, ContextError>(ssc)
    });
    let (ssc, seen) = (ssc.unwrap(), seen.unwrap());
    ssc.start().unwrap();
    ssc.stop(true).unwrap();
    let seen: Vec<_> = seen.try_iter().collect();
    let last = |is_total| seen.iter().rev().find(|(kind, _)| *kind == is_total).unwrap().1.clone();
    (last(true), last(false))
}

fn pairs(expected: &[(&str, i64)]) -> Pairs {
    expected.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

#[test]
fn states_and_windows_go_on_in_the_next_run() {
    let directory = tempfile::TempDir::new().unwrap();
    let (total, window) = totals(directory.path(), &[&[("a", 1), ("b", 2)], &[("a", 3)]]);
    assert_eq!((total, window), (pairs(&[("a", 4), ("b", 2)]), pairs(&[("a", 4), ("b", 2)])));
    let (total, window) = totals(directory.path(), &[&[("b", -2), ("c", 7)]]);
    assert_eq!((total, window), (pairs(&[("a", 4), ("c", 7)]), pairs(&[("a", 4), ("b", 0), ("c", 7)])));
}

#[test]
fn a_state_needs_a_checkpoint_directory() {
    let (ssc, stream) = stream([vec![("a".to_owned(), 1u64)]]);
    collect(&stream.update_state_by_key(|values: &[u64], _: Option<&u64>| values.first().copied()));
    let error = ssc.start().unwrap_err();
    assert!(matches!(error, ContextError::NoCheckpointDirectory), "{error}");
}

#[test]
fn a_window_has_the_batches_of_its_length() {
    let (ssc, stream) = stream([vec![1], vec![2], vec![3]]);
    let batches = collect(&stream.window(2 * INTERVAL));
    assert_eq!(run(&ssc, &batches)[..3], [vec![1], vec![1, 2], vec![2, 3]]);
}

#[test]
fn a_program_shows_itself_while_it_runs() {
    let queue = Queue::from_iter([vec![1, 2, 3]]);
    let ssc = StreamingContext::new(INTERVAL);
    let batches = collect(&ssc.queue_stream(&queue, true));
    assert_eq!(ssc.dashboard_url(), None);
    ssc.serve_dashboard("numbers", DashboardConfig { port: 0, ..DashboardConfig::default() });
    ssc.start().unwrap();
    let address = ssc.dashboard_url().unwrap().replace("http://", "");
    // The second begins when the first has been told of.
    for _ in 0..2 {
        batches.recv_timeout(LONG).unwrap();
    }
    let mut answer = String::new();
    let mut connection = TcpStream::connect(&address).unwrap();
    write!(connection, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("millstream_input_records_total{input=\"0\",name=\"queue\"} 3"), "{answer}");
    assert!(answer.contains("app_name=\"numbers\""), "{answer}");
    ssc.stop(false).unwrap();
    assert_eq!(ssc.dashboard_url(), None);
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn a_dashboard_for_all_the_world_needs_a_token() {
    let (ssc, numbers) = stream([vec![1]]);
    let _batches = collect(&numbers);
    ssc.serve_dashboard("numbers", DashboardConfig { host: [0, 0, 0, 0].into(), ..DashboardConfig::default() });
    assert!(matches!(ssc.start(), Err(ContextError::Dashboard(_))));
}
