#![allow(clippy::unwrap_used)]
use super::*;
use crate::testing::{application, batch, output};

fn history(retained: usize) -> History {
    History::new(application(), retained)
}

/// A batch from its cut to its end.
fn run(history: &mut History, time_ms: u64, records: [u64; 2], failure: Option<&str>) {
    let mut info = batch(time_ms, records);
    history.batch_submitted(&info);
    info.processing_start_ms = Some(time_ms + 30);
    history.batch_started(&info);
    info.outputs[0] = output(time_ms, Some(time_ms + 30), Some(time_ms + 70), failure);
    history.output_changed(&info.outputs[0]);
    info.processing_end_ms = Some(time_ms + 80);
    info.failure = failure.map(str::to_owned);
    history.batch_completed(&info);
}

#[test]
fn a_batch_is_followed_from_its_cut_to_its_end() {
    let mut history = history(10);
    let mut info = batch(1000, [3, 4]);
    history.batch_submitted(&info);
    let queued = history.batch(1000).unwrap();
    assert_eq!((queued.status(), queued.scheduling_delay_ms(), queued.total_records()), (BatchStatus::Queued, None, 7));
    assert_eq!(history.totals().received_records, 0, "Spark counts them when the batch begins");
    assert_eq!((history.statistics().waiting, history.statistics().running), (1, 0));

    info.processing_start_ms = Some(1030);
    history.batch_started(&info);
    history.output_changed(&output(1000, Some(1030), None, None));
    let running = history.batch(1000).unwrap();
    let counts = OutputCounts { active: 1, total: 1, ..OutputCounts::default() };
    assert_eq!((running.status(), running.output_counts()), (BatchStatus::Processing, counts));
    assert_eq!((history.statistics().waiting, history.statistics().running), (0, 1));

    info.outputs[0] = output(1000, Some(1030), Some(1070), None);
    info.processing_end_ms = Some(1080);
    history.batch_completed(&info);
    let done = history.batch(1000).unwrap();
    let delays = (done.scheduling_delay_ms(), done.processing_ms(), done.total_delay_ms());
    assert_eq!((done.status(), delays), (BatchStatus::Completed, (Some(20), Some(50), Some(70))));
    assert_eq!((done.output_counts().completed, done.outputs[0].duration_ms()), (1, Some(40)));
    assert_eq!(history.open().count(), 0);
    let totals =
        Totals { completed: 1, failed: 0, received_records: 7, processed_records: 7, input_records: vec![3, 4] };
    assert_eq!(*history.totals(), totals);
}

#[test]
fn means_are_of_the_batches_that_are_kept() {
    let mut history = history(2);
    assert_eq!(history.statistics().input_rate, None);
    assert_eq!(history.statistics().processing_ms, None);
    for (number, records) in [[100, 0], [3, 4], [0, 1]].into_iter().enumerate() {
        run(&mut history, 1000 + 500 * number as u64, records, None);
    }
    assert_eq!(history.completed().map(|batch| batch.time_ms).collect::<Vec<_>>(), [1500, 2000]);
    assert!(history.batch(1000).is_none());
    // Batches are of 500 ms: 7 and 1 records make 14 and 2 a second.
    assert_eq!(history.statistics().input_rate, Some(8.0));
    assert_eq!((history.mean_input_rate(0), history.mean_input_rate(1)), (Some(3.0), Some(5.0)));
    assert_eq!(history.statistics().processing_ms, Some(50));
    assert_eq!(history.totals().input_records, [103, 5], "totals are of all");
}

#[test]
fn a_failure_is_that_of_the_output_or_else_of_the_batch() {
    let mut history = history(10);
    run(&mut history, 1000, [1, 0], Some("Traceback: no threes"));
    assert_eq!(history.batch(1000).unwrap().first_failure(), Some("Traceback: no threes"));
    assert_eq!(history.batch(1000).unwrap().output_counts().failed, 1);

    let mut info = batch(1500, [1, 0]);
    history.batch_submitted(&info);
    (info.processing_start_ms, info.processing_end_ms) = (Some(1510), Some(1520));
    info.failure = Some("computing stream 1 failed".to_owned());
    history.batch_completed(&info);
    let stopped = history.batch(1500).unwrap();
    assert_eq!(stopped.first_failure(), Some("computing stream 1 failed"));
    assert_eq!((stopped.output_counts().failed, stopped.output_counts().active), (0, 0));
    assert_eq!((history.totals().completed, history.totals().failed), (2, 2));
}

#[test]
fn changes_are_told_once() {
    let mut history = history(10);
    run(&mut history, 1000, [1, 0], None);
    run(&mut history, 1500, [1, 0], None);
    let seen = history.version();
    assert_eq!(history.changed_since(seen).count(), 0);
    let mut info = batch(2000, [1, 0]);
    history.batch_submitted(&info);
    let changed =
        |history: &History, since| history.changed_since(since).map(|batch| batch.time_ms).collect::<Vec<_>>();
    assert_eq!(changed(&history, seen), [2000]);
    let seen = history.version();
    info.processing_end_ms = Some(2100);
    history.batch_completed(&info);
    assert_eq!(changed(&history, seen), [2000]);
    assert_eq!(changed(&history, 0), [1000, 1500, 2000]);
}

#[test]
fn details_are_kept_of_the_newest_batches_within_a_bound() {
    let mut history = history(100);
    let mut info = batch(0, [1, 0]);
    info.inputs[0].metadata = "x".repeat(DETAIL_BYTES / 4);
    for number in 0..10 {
        info.time = millstream_engine::BatchTime::from_millis(number * 500);
        history.batch_submitted(&info);
        history.batch_completed(&info);
    }
    let kept: Vec<u64> =
        history.completed().filter(|batch| batch.origins.is_some()).map(|batch| batch.time_ms / 500).collect();
    assert_eq!(kept, [6, 7, 8, 9]);
    assert_eq!(history.detail_bytes, history.completed().map(Batch::detail_bytes).sum::<usize>());
    for number in 10..300 {
        info.time = millstream_engine::BatchTime::from_millis(number * 500);
        info.inputs[0].metadata = "y".to_owned();
        history.batch_submitted(&info);
        history.batch_completed(&info);
    }
    assert_eq!((history.completed().len(), history.detail_bytes), (100, 100));
}

#[test]
fn a_flood_of_an_error_is_cut_to_its_beginning_and_its_end() {
    let mut history = history(10);
    let flood = format!("Traceback{}ValueError: é", "é\n".repeat(100_000));
    run(&mut history, 1000, [1, 0], Some(&flood));
    let kept = history.batch(1000).unwrap().first_failure().unwrap();
    assert!(kept.len() < 20 << 10 && kept.starts_with("Traceback") && kept.ends_with("ValueError: é"));
    assert!(kept.contains("bytes left out"));
}

#[test]
fn a_receiver_that_has_stopped_is_not_counted() {
    let mut history = history(10);
    assert_eq!((history.statistics().receivers, history.statistics().active_receivers), (1, 0));
    history.streaming_started(900);
    assert_eq!(history.statistics().active_receivers, 1);
    history.receiver_changed(0, Receiver { is_active: false, ..Receiver::default() });
    assert_eq!(history.statistics().active_receivers, 0);
}
