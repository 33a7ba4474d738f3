use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{STREAM, cursor, put, put_aggregate, shard, shown};
use crate::now_ms;
use crate::reader::place::Place;
use crate::testing::{FakeKinesis, Operation};
use crate::{
    Checkpoint, HashKeyRange, InitialPosition, Kinesis, KinesisError, PollOptions, PollingReader, Position, RangeRead,
    RangeReader, Read, ReadFrom, RecordBlock, ShardCursor, ShardRange, read_range,
};

fn reader(fake: &Arc<FakeKinesis>, from: &str, options: PollOptions) -> PollingReader {
    PollingReader::new(cursor(fake, from), &options)
}

async fn read(reader: &mut PollingReader) -> String {
    shown(reader.next().await.unwrap())
}

/// When the reads were made, in milliseconds since the first one.
fn read_times(fake: &FakeKinesis) -> Vec<u128> {
    let calls = fake.calls();
    let mut reads = calls.iter().filter(|call| call.operation == Operation::GetRecords);
    let first = reads.next().unwrap().when;
    std::iter::once(0).chain(reads.map(|call| (call.when - first).as_millis())).collect()
}

fn opened_at(fake: &FakeKinesis) -> Vec<ReadFrom> {
    fake.calls().into_iter().filter_map(|call| call.at).collect()
}

#[tokio::test(start_paused = true)]
async fn behind_it_reads_five_times_a_second_and_no_more() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    for word in 0..20 {
        put(&fake, &word.to_string());
    }
    fake.set_page(2);
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    for first in (0..20).step_by(2) {
        assert_eq!(read(&mut reader).await, format!("{first} {}", first + 1));
    }
    let expected: Vec<u128> = (0..10).map(|read| read * 200).collect();
    assert_eq!(read_times(&fake), expected);
}

#[tokio::test(start_paused = true)]
async fn the_pace_counts_from_the_start_of_the_read_before() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_page(1);
    for word in ["a", "b", "c"] {
        put(&fake, word);
    }
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "a");
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(read(&mut reader).await, "b");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(read(&mut reader).await, "c");
    assert_eq!(read_times(&fake), [0, 200, 1_200]);
}

#[tokio::test(start_paused = true)]
async fn caught_up_it_waits_the_idle_interval() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let options =
        PollOptions { min_interval: Duration::ZERO, idle_interval: Duration::from_secs(1), ..PollOptions::default() };
    let mut reader = reader(&fake, "TRIM_HORIZON", options);
    assert_eq!(read(&mut reader).await, "");
    put(&fake, "a");
    put(&fake, "b");
    fake.set_page(1);
    assert_eq!(read(&mut reader).await, "a");
    assert_eq!(read(&mut reader).await, "b");
    assert_eq!(read(&mut reader).await, "");
    assert_eq!(read_times(&fake), [0, 1_000, 1_000, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn an_expired_iterator_neither_loses_nor_repeats_a_record() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put_aggregate(&fake, "a b");
    let last = put(&fake, "c");
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "a b c");
    put(&fake, "d");
    fake.expire_iterators();
    assert_eq!(read(&mut reader).await, "d");
    let expected = [ReadFrom::TrimHorizon, ReadFrom::After(last.parse().unwrap())];
    assert_eq!(opened_at(&fake), expected);
}

#[tokio::test(start_paused = true)]
async fn latest_with_an_expired_iterator_goes_back_to_its_first_moment() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_clock_ms(now_ms() - 60_000);
    put(&fake, "old");
    let mut reader = reader(&fake, "LATEST", PollOptions::default());
    reader.open().await.unwrap();
    fake.set_clock_ms(now_ms() + 1);
    put(&fake, "new");
    fake.expire_iterators();
    assert_eq!(read(&mut reader).await, "new");
    let opened = opened_at(&fake);
    assert_eq!(opened[0], ReadFrom::Latest);
    assert!(matches!(opened[1], ReadFrom::AtTimestamp(_)), "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_in_the_middle_of_an_aggregate() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "before");
    let aggregate = put_aggregate(&fake, "a b c d");
    put_aggregate(&fake, "e f");
    let mut middle = reader(&fake, &format!("{aggregate}:1"), PollOptions::default());
    assert_eq!(read(&mut middle).await, "c d e f");
    let mut end = reader(&fake, &format!("{aggregate}:3"), PollOptions::default());
    assert_eq!(read(&mut end).await, "e f");
}

#[tokio::test(start_paused = true)]
async fn an_aggregate_resumed_in_a_page_of_its_own_is_not_repeated_after_expiry() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let aggregate = put_aggregate(&fake, "a b c");
    put(&fake, "d");
    fake.set_page(1);
    let mut reader = reader(&fake, &format!("{aggregate}:0"), PollOptions::default());
    assert_eq!(read(&mut reader).await, "b c");
    fake.expire_iterators();
    assert_eq!(read(&mut reader).await, "d");
}

#[tokio::test(start_paused = true)]
async fn a_closed_shard_ends_with_its_children_after_its_last_record() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "last");
    fake.split(STREAM, &shard());
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "last");
    let end = "end: shardId-000000000001 shardId-000000000002";
    assert_eq!(read(&mut reader).await, end);
    assert_eq!(read(&mut reader).await, end);
    assert_eq!(fake.count(Operation::GetRecords), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shard_closed_while_idle_ends_without_an_empty_read() {
    let fake = FakeKinesis::with_stream(STREAM, 2);
    let mut reader = reader(&fake, "LATEST", PollOptions::default());
    assert_eq!(read(&mut reader).await, "");
    fake.merge(STREAM, &shard(), &"shardId-000000000001".into());
    assert_eq!(read(&mut reader).await, "end: shardId-000000000002");
}

#[tokio::test(start_paused = true)]
async fn a_truncated_answer_does_not_pass_for_the_end_of_an_open_shard() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "a");
    fake.truncate_next(1);
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "a");
    put(&fake, "b");
    assert_eq!(read(&mut reader).await, "b");
    assert_eq!(fake.count(Operation::ListShards), 0, "what has records is not the last answer");

    fake.truncate_next(1);
    assert_eq!(read(&mut reader).await, "");
    assert_eq!(fake.count(Operation::ListShards), 1);
}

#[tokio::test(start_paused = true)]
async fn a_truncated_answer_does_not_pass_for_the_end_of_a_closed_shard_either() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "a");
    put(&fake, "b");
    fake.split(STREAM, &shard());
    fake.set_page(1);
    fake.truncate_next(1);
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "a");
    assert_eq!(read(&mut reader).await, "b");
    assert_eq!(read(&mut reader).await, "end: shardId-000000000001 shardId-000000000002");
}

#[tokio::test]
async fn what_came_between_a_truncated_answer_and_the_listing_is_read() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let (mut cursor, empty) = (cursor(&fake, "TRIM_HORIZON"), RecordBlock::empty(STREAM.into(), shard()));
    put(&fake, "a");
    fake.split(STREAM, &shard());
    assert_eq!(cursor.end_of(Vec::new(), &empty).await, Ok(None), "the answer is from before");
    assert_eq!(cursor.end_of(Vec::new(), &empty).await.unwrap().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn children_that_the_last_answer_does_not_name_are_looked_up() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.split(STREAM, &shard());
    fake.truncate_next(2);
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "", "it may have been closed after this answer");
    assert_eq!(read(&mut reader).await, "end: shardId-000000000001 shardId-000000000002");
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_it_down_and_is_forgotten_after_a_success() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "a");
    fake.fail_next(Operation::GetRecords, &KinesisError::Throttled, 7);
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "a");
    assert_eq!(read_times(&fake), [0, 250, 750, 1_750, 3_750, 7_750, 12_750, 17_750]);
    fake.fail_next(Operation::GetRecords, &KinesisError::Throttled, 9);
    assert_eq!(read(&mut reader).await, "");
}

#[tokio::test(start_paused = true)]
async fn too_many_failures_in_a_row_are_an_error_also_when_iterators_can_be_had() {
    for error in [KinesisError::Throttled, KinesisError::ExpiredIterator] {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        fake.fail_next(Operation::GetRecords, &error, 100);
        let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
        assert_eq!(reader.next().await.unwrap_err(), error);
        assert_eq!(fake.count(Operation::GetRecords), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_retry_can_mend_is_returned_at_once() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let denied = KinesisError::AccessDenied { message: "no".into() };
    fake.fail_next(Operation::GetIterator, &denied, 1);
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(reader.next().await.unwrap_err(), denied);
    assert_eq!(fake.count(Operation::GetIterator), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_read_loses_nothing() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_page(1);
    put(&fake, "a");
    put(&fake, "b");
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    assert_eq!(read(&mut reader).await, "a");
    let cancelled = tokio::time::timeout(Duration::from_millis(50), reader.next()).await;
    assert!(cancelled.is_err());
    assert_eq!(read(&mut reader).await, "b");
}

#[tokio::test(start_paused = true)]
async fn cancelled_reads_keep_the_pace_too() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_latency(Duration::from_millis(50));
    let mut reader = reader(&fake, "TRIM_HORIZON", PollOptions::default());
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        let _ = tokio::time::timeout(Duration::from_millis(30), reader.next()).await;
    }
    assert!(read_times(&fake).len() <= 6, "{:?}", read_times(&fake));
}

/// The machine's clock is 2.5 s ahead of Kinesis'.
#[tokio::test(start_paused = true)]
async fn a_moment_of_latest_ahead_of_kinesis_is_moved_back_and_loses_nothing() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_clock_ms(50_000);
    put(&fake, "old");
    fake.set_clock_ms(100_000);
    let moment = InitialPosition::AtTimestamp(102_500);
    let cursor = ShardCursor::new(fake.clone(), STREAM.into(), shard(), None, &Checkpoint::Latest, moment);
    let mut reader = PollingReader::new(cursor, &PollOptions::default());
    put(&fake, "new");
    assert_eq!(read(&mut reader).await, "new");
    assert_eq!(opened_at(&fake), [102_500, 101_500, 99_500].map(ReadFrom::AtTimestamp));
}

#[test]
fn a_checkpoint_at_a_timestamp_takes_its_time_from_the_initial_position() {
    let place = |initial| Place::new(&Checkpoint::AtTimestamp, initial).from().clone();
    assert_eq!(place(InitialPosition::AtTimestamp(7)), ReadFrom::AtTimestamp(7));
    assert_eq!(place(InitialPosition::Latest), ReadFrom::TrimHorizon);
}

#[tokio::test(start_paused = true)]
async fn an_ended_shard_is_not_read_again() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let mut reader = reader(&fake, "SHARD_END", PollOptions::default());
    assert_eq!(read(&mut reader).await, "end: ");
    assert!(fake.calls().is_empty());
}

/// Reads all words, and of these the range from one word to another again.
async fn range_again(fake: &Arc<FakeKinesis>, first: usize, last: usize, records: u64) -> (String, u64) {
    let range = range_of(fake, first, last, records).await;
    let kinesis: Arc<dyn Kinesis> = fake.clone();
    let shards = kinesis.list_shards(STREAM).await.unwrap();
    let RangeRead { blocks, missing } = read_range(kinesis, &range, &shards, PollOptions::default()).await.unwrap();
    let words = blocks.iter().flat_map(|block| block.data().iter()).map(|word| str::from_utf8(word).unwrap());
    (words.collect::<Vec<_>>().join(" "), missing)
}

async fn range_of(fake: &Arc<FakeKinesis>, first: usize, last: usize, records: u64) -> ShardRange {
    let mut reader = reader(fake, "TRIM_HORIZON", PollOptions::default());
    let mut positions = Vec::new();
    while positions.len() <= last {
        let Read::Records { block, .. } = reader.next().await.unwrap() else { break };
        positions.extend((0..block.len()).map(|index| block.position(index)));
    }
    ShardRange {
        stream: STREAM.into(),
        shard: shard(),
        from: Checkpoint::TrimHorizon,
        first: positions[first].clone(),
        to: positions[last].clone(),
        records,
    }
}

/// As `range_again`, without a count of the records.
async fn through_again(fake: &Arc<FakeKinesis>, range: &ShardRange) -> (String, u64) {
    let mut reader = RangeReader::through(fake.clone(), range, Some(HashKeyRange::ALL), PollOptions::default());
    let mut words = Vec::new();
    while let Some(block) = reader.next().await.unwrap() {
        words.extend(block.data().iter().map(|word| String::from_utf8_lossy(word).into_owned()));
    }
    (words.join(" "), reader.missing())
}

#[tokio::test(start_paused = true)]
async fn a_range_that_nobody_has_counted_is_whole_where_its_first_and_its_last_record_are_there() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_page(1);
    put(&fake, "a");
    put_aggregate(&fake, "b c d e");
    put(&fake, "f");
    put(&fake, "g");
    let range = range_of(&fake, 2, 5, 0).await;
    assert_eq!(through_again(&fake, &range).await, ("c d e f".into(), 0));
    let inside = range_of(&fake, 2, 3, 0).await;
    assert_eq!(through_again(&fake, &inside).await, ("c d".into(), 0));
    // The oldest go first, and so does the first of the range.
    let before = Position { sub: 0, sequence: range_of(&fake, 0, 0, 0).await.first.sequence };
    let trimmed = ShardRange { first: Position { sub: 1, ..before }, ..range.clone() };
    assert_eq!(through_again(&fake, &trimmed).await, ("b c d e f".into(), 1));
    let cut_off = ShardRange { to: Position { sub: 9, ..range_of(&fake, 6, 6, 0).await.to }, ..range };
    assert_eq!(through_again(&fake, &cut_off).await, ("c d e f g".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_range_is_read_again_exactly_over_pages_and_inside_aggregates() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_page(1);
    put(&fake, "a");
    put_aggregate(&fake, "b c d e");
    put(&fake, "f");
    put_aggregate(&fake, "g h");
    put(&fake, "i");
    assert_eq!(range_again(&fake, 2, 6, 5).await, ("c d e f g".into(), 0));
    assert_eq!(range_again(&fake, 0, 0, 1).await, ("a".into(), 0));
    assert_eq!(range_again(&fake, 5, 8, 4).await, ("f g h i".into(), 0));
}

#[tokio::test(start_paused = true)]
async fn records_that_are_not_there_any_more_are_counted() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "a");
    put(&fake, "b");
    assert_eq!(range_again(&fake, 0, 1, 5).await, ("a b".into(), 3));
}

#[tokio::test(start_paused = true)]
async fn what_lies_behind_a_range_is_not_asked_for() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    for word in ["a", "b", "c", "d", "e"] {
        put(&fake, word);
    }
    let before = fake.count(Operation::GetRecords);
    assert_eq!(range_again(&fake, 1, 2, 2).await, ("b c".into(), 0));
    // One read of all words, and one of the two.
    assert_eq!(fake.count(Operation::GetRecords) - before, 2);
    assert_eq!(range_again(&fake, 1, 2, 0).await, (String::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_range_of_time_ends_before_the_first_record_that_arrived_later() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_page(2);
    for (word, arrived_ms) in [("a", 1_000), ("b", 2_000), ("c", 3_000), ("d", 3_000), ("e", 4_000)] {
        fake.set_clock_ms(arrived_ms);
        put(&fake, word);
    }
    for (from, until_ms, expected) in [
        (InitialPosition::TrimHorizon, 3_000, "a b c d"),
        (InitialPosition::TrimHorizon, 999, ""),
        (InitialPosition::AtTimestamp(2_000), 2_500, "b"),
        (InitialPosition::AtTimestamp(2_500), 9_000, "c d e"),
    ] {
        let kinesis: Arc<dyn Kinesis> = fake.clone();
        let cursor = ShardCursor::new(kinesis, STREAM.into(), shard(), None, &from.checkpoint(), from);
        let mut reader = RangeReader::until(cursor, until_ms, PollOptions::default());
        let mut words = Vec::new();
        while let Some(block) = reader.next().await.unwrap() {
            words.extend(block.data().iter().map(|word| String::from_utf8_lossy(word).into_owned()));
        }
        assert_eq!(words.join(" "), expected, "{from:?} until {until_ms}");
        assert!(reader.next().await.unwrap().is_none());
    }
}
