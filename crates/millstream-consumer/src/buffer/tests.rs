#![allow(clippy::unwrap_used)]
use millstream_kinesis::BlockBuilder;

use super::*;
use limits::shares;

const SHARD: &str = "shardId-000000000000";

fn shard() -> LeaseKey {
    SHARD.into()
}

pub(super) fn block(sequences: std::ops::RangeInclusive<u32>) -> RecordBlock {
    let mut builder = BlockBuilder::new("s".into(), SHARD.into());
    for sequence in sequences {
        builder.push(b"x", "key", &sequence.to_string(), 0, 0);
    }
    builder.finish()
}

pub(super) fn at(sequence: u32) -> Checkpoint {
    Checkpoint::At(Position { sequence: sequence.to_string().parse().unwrap(), sub: 0 })
}

/// A buffer with one shard, and records 1 to 10, 11 to 20, … in a cut each.
fn with_cuts(cuts: u32) -> (Buffer<Arc<()>>, Epoch, Arc<()>) {
    let held = Arc::new(());
    let mut buffer = Buffer::new();
    let (epoch, _) = buffer.open(&shard(), "s".into(), SHARD.into(), Checkpoint::TrimHorizon);
    for cut in 0..cuts {
        assert!(buffer.push(&shard(), epoch, block(cut * 10 + 1..=cut * 10 + 10), 5, held.clone()));
        assert_eq!(buffer.cut().id, u64::from(cut));
    }
    (buffer, epoch, held)
}

#[test]
fn a_cut_takes_all_that_is_queued_and_continues_where_the_last_one_ended() {
    let (mut buffer, epoch, held) = with_cuts(1);
    buffer.push(&shard(), epoch, block(11..=12), 0, held.clone());
    buffer.push(&shard(), epoch, block(13..=13), 0, held);
    assert!(!buffer.is_empty());
    let cut = buffer.cut();
    let range = &cut.inputs[0].range;
    assert_eq!((&range.from, Checkpoint::At(range.to.clone()), range.records), (&at(10), at(13), 3));
    assert!(buffer.is_empty());
    assert!(buffer.cut().inputs.is_empty());
}

#[test]
fn a_limited_cut_takes_the_first_records_and_leaves_the_rest_for_the_next() {
    let (mut buffer, epoch, held) = with_cuts(0);
    buffer.push(&shard(), epoch, block(1..=4), 0, held.clone());
    buffer.push(&shard(), epoch, block(5..=9), 0, held.clone());
    let mut ranges = Vec::new();
    for _ in 0..4 {
        let cut = buffer.cut_at_most(3);
        ranges.extend(cut.inputs.into_iter().map(|input| (input.range.from, input.range.to, input.range.records)));
        buffer.processed(cut.id);
    }
    let to = |sequence| Position { sequence: u128::into(sequence), sub: 0 };
    let expected = [(Checkpoint::TrimHorizon, to(3), 3), (at(3), to(6), 3), (at(6), to(9), 3)];
    assert_eq!(ranges, expected);
    assert_eq!(Arc::strong_count(&held), 1, "all memory is given back");
}

#[test]
fn records_are_dealt_out_fairly() {
    assert_eq!(shares(10, &[3, 0, 100]), [3, 0, 7]);
    assert_eq!(shares(u64::MAX, &[3, 0, 100]), [3, 0, 100]);
    assert_eq!(shares(9, &[50, 50, 50]), [3, 3, 3]);
    assert_eq!(shares(2, &[5, 4, 6]), [1, 0, 1], "the longest queues first");
    assert_eq!(shares(2, &[]), [0; 0]);
}

#[test]
fn progress_waits_for_the_oldest_cut() {
    let (mut buffer, _, _) = with_cuts(3);
    buffer.processed(1);
    assert_eq!(buffer.take_news(), []);
    buffer.processed(0);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(20))]);
    buffer.processed(2);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(30))]);
}

#[test]
fn bytes_count_once_they_are_processed() {
    let (mut buffer, _, _) = with_cuts(3);
    assert_eq!(buffer.take_bytes(), []);
    buffer.processed(1);
    buffer.failed(2);
    assert_eq!(buffer.take_bytes(), [(shard(), 10)]);
    assert_eq!(buffer.take_bytes(), []);
}

#[test]
fn nothing_passes_a_failed_cut() {
    let (mut buffer, epoch, held) = with_cuts(3);
    buffer.processed(0);
    buffer.failed(1);
    buffer.processed(2);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(10))]);
    buffer.push(&shard(), epoch, block(31..=40), 0, held);
    let cut = buffer.cut().id;
    buffer.processed(cut);
    buffer.read_to_end(&shard(), epoch, vec![]);
    assert_eq!(buffer.take_news(), [News::ReadToEnd(shard(), vec![])]);
}

#[test]
fn memory_is_given_back_when_a_cut_is_reported_either_way() {
    let (mut buffer, _, held) = with_cuts(2);
    assert_eq!(Arc::strong_count(&held), 3);
    buffer.failed(0);
    buffer.processed(1);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_shard_ends_only_when_its_last_cut_is_processed() {
    let (mut buffer, epoch, _) = with_cuts(2);
    buffer.read_to_end(&shard(), epoch, vec![]);
    assert_eq!(buffer.take_news(), [News::ReadToEnd(shard(), vec![])]);
    buffer.processed(0);
    buffer.processed(1);
    let end = News::Processed(shard(), Checkpoint::ShardEnd);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(20)), end], "the end may have to wait");
}

#[test]
fn an_empty_shard_ends_at_once() {
    let (mut buffer, epoch, _) = with_cuts(0);
    buffer.read_to_end(&shard(), epoch, vec![]);
    let news = [News::ReadToEnd(shard(), vec![]), News::Processed(shard(), Checkpoint::ShardEnd)];
    assert_eq!(buffer.take_news(), news);
}

#[test]
fn draining_drops_the_queue_and_waits_for_what_is_in_flight() {
    let (mut buffer, epoch, held) = with_cuts(2);
    buffer.push(&shard(), epoch, block(21..=30), 0, held.clone());
    buffer.processed(0);
    buffer.drain(&shard());
    assert_eq!(Arc::strong_count(&held), 2, "the queue and the first cut are let go");
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(10))]);
    assert!(!buffer.push(&shard(), epoch, block(21..=30), 0, held), "a late read is refused");
    buffer.processed(1);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(20)), News::Drained(shard())]);
}

#[test]
fn reports_on_a_lost_or_reopened_shard_are_passed_over() {
    let (mut buffer, old, held) = with_cuts(1);
    buffer.close(&shard());
    buffer.processed(0);
    assert_eq!(buffer.take_news(), []);
    let (new, _) = buffer.open(&shard(), "s".into(), SHARD.into(), at(5));
    buffer.processed(0);
    assert_eq!(buffer.take_news(), []);
    assert!(!buffer.push(&shard(), old, block(6..=7), 0, held.clone()), "the old reader is told to stop");
    assert!(buffer.push(&shard(), new, block(6..=7), 0, held));
    assert_eq!(buffer.cut().inputs[0].range.from, at(5));
}

/// Records up to 10 processed, and two open cuts, of 11 to 20 and of 21 to 30.
fn behind_a_history() -> Buffer<Arc<()>> {
    let range = |from: u32| {
        let position = |sequence: u32| Position { sequence: sequence.to_string().parse().unwrap(), sub: 0 };
        let (first, to) = (position(from + 1), position(from + 10));
        vec![ShardRange { stream: "s".into(), shard: SHARD.into(), from: at(from), first, to, records: 10 }]
    };
    let Checkpoint::At(processed) = at(10) else { unreachable!() };
    let history = History { processed: [(SHARD.into(), processed)].into(), open: vec![range(10), range(20)] };
    Buffer::behind(&history)
}

#[test]
fn reading_goes_on_behind_the_history_and_progress_waits_for_its_open_cuts() {
    let mut buffer = behind_a_history();
    let (_, from) = buffer.open(&shard(), "s".into(), SHARD.into(), at(5));
    assert_eq!(from, at(30));
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(10))]);
    buffer.processed(1);
    assert_eq!(buffer.take_news(), []);
    buffer.processed(0);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(30))]);
    assert_eq!(buffer.cut().id, 2);
}

#[test]
fn open_cuts_may_be_processed_before_their_shard_is_read() {
    let mut buffer = behind_a_history();
    buffer.processed(0);
    let (epoch, _) = buffer.open(&shard(), "s".into(), SHARD.into(), Checkpoint::TrimHorizon);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(20))]);
    buffer.read_to_end(&shard(), epoch, vec![]);
    assert_eq!(buffer.take_news(), [News::ReadToEnd(shard(), vec![])]);
    buffer.processed(1);
    let end = News::Processed(shard(), Checkpoint::ShardEnd);
    assert_eq!(buffer.take_news(), [News::Processed(shard(), at(30)), end]);
}

#[test]
fn a_lease_that_is_further_than_the_history_counts() {
    let mut buffer = behind_a_history();
    let (_, from) = buffer.open(&shard(), "s".into(), SHARD.into(), at(45));
    assert_eq!((from, buffer.take_news()), (at(45), vec![]));
}

#[test]
fn with_a_history_a_lease_that_comes_back_brings_nothing_once_more() {
    let mut buffer = behind_a_history();
    let (epoch, _) = buffer.open(&shard(), "s".into(), SHARD.into(), at(30));
    buffer.push(&shard(), epoch, block(31..=40), 0, Arc::default());
    let cut = buffer.cut().id;
    buffer.close(&shard());
    buffer.processed(cut);
    let (_, from) = buffer.open(&shard(), "s".into(), SHARD.into(), at(30));
    assert_eq!((from, buffer.take_news()), (at(40), vec![News::Processed(shard(), at(40))]));
}

/// Records of `size` bytes, each arriving a second after the last one.
fn timed(sequences: std::ops::RangeInclusive<u32>, size: usize) -> RecordBlock {
    let mut builder = BlockBuilder::new("s".into(), SHARD.into());
    for sequence in sequences {
        builder.push(&vec![0; size], "key", &sequence.to_string(), 0, i64::from(sequence) * 1_000);
    }
    builder.finish()
}

/// The last record of each shard's part, and how many there are.
fn ends(cut: Cut) -> Vec<(String, u64)> {
    cut.inputs.into_iter().map(|input| (input.range.to.sequence.to_string(), input.range.records)).collect()
}

#[test]
fn a_cut_takes_no_more_bytes_than_it_may_but_one_record_in_any_case() {
    let (mut buffer, held) = (Buffer::new(), Arc::new(()));
    let other = LeaseKey::from("shardId-000000000001");
    for id in [shard(), other] {
        let (epoch, _) = buffer.open(&id, "s".into(), SHARD.into(), Checkpoint::TrimHorizon);
        buffer.push(&id, epoch, timed(1..=4, 100), 0, held.clone());
        buffer.push(&id, epoch, timed(5..=8, 100), 0, held.clone());
    }
    let bytes = |bytes| CutLimits { bytes, ..CutLimits::default() };
    let to = |sequence: u32, records| (sequence.to_string(), records);
    assert_eq!(ends(buffer.cut_within(bytes(1_198))), [to(5, 5), to(5, 5)]);
    assert_eq!(ends(buffer.cut_within(bytes(99))), [to(6, 1)], "smaller than any record");
    assert_eq!(ends(buffer.cut_within(bytes(u64::MAX))), [to(8, 2), to(8, 3)]);
    assert_eq!(ends(buffer.cut_within(bytes(1))), []);
}

#[test]
fn what_arrived_after_the_stop_and_what_follows_it_is_not_taken() {
    let (mut buffer, epoch, held) = with_cuts(0);
    let later = LeaseKey::from("shardId-000000000001");
    buffer.push(&shard(), epoch, timed(1..=3, 1), 0, held.clone());
    buffer.push(&shard(), epoch, timed(4..=6, 1), 0, held.clone());
    // The service's clock went back.
    buffer.push(&shard(), epoch, timed(2..=2, 1), 0, held.clone());
    buffer.stop_at(4_999);
    assert_eq!(ends(buffer.cut()), [("4".to_owned(), 4)]);
    assert!(buffer.status()[0].is_past);
    assert!(!buffer.push(&shard(), epoch, timed(3..=3, 1), 0, held.clone()), "its reader is told to stop");
    let (epoch, _) = buffer.open(&later, "s".into(), SHARD.into(), Checkpoint::TrimHorizon);
    assert!(buffer.push(&later, epoch, timed(1..=4, 1), 0, held.clone()));
    assert!(!buffer.push(&later, epoch, timed(5..=5, 1), 0, held.clone()));
    assert_eq!(ends(buffer.cut()), [("4".to_owned(), 4)]);
    drop(buffer);
    assert_eq!(Arc::strong_count(&held), 1);
}
