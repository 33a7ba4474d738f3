use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{STREAM, cursor, put, put_aggregate, shard, shown};
use crate::testing::{FakeKinesis, Operation};
use crate::{FanOutConsumer, FanOutReader, KinesisError, PollOptions, ReadFrom, ShardReader};

fn consumer() -> Arc<FanOutConsumer> {
    Arc::new(FanOutConsumer::new(STREAM.into(), "application"))
}

fn reader(fake: &Arc<FakeKinesis>, from: &str) -> FanOutReader {
    FanOutReader::new(cursor(fake, from), consumer())
}

/// The words of the next event that has some, or the end.
async fn read(reader: &mut FanOutReader) -> String {
    loop {
        let read = shown(reader.next().await.unwrap());
        if !read.is_empty() {
            return read;
        }
    }
}

/// Where subscriptions began, and when: in milliseconds since the first one.
fn subscribed(fake: &FakeKinesis) -> Vec<(u128, ReadFrom)> {
    let calls = fake.calls().into_iter().filter(|call| call.operation == Operation::Subscribe).collect::<Vec<_>>();
    calls.iter().map(|call| ((call.when - calls[0].when).as_millis(), call.at.clone().unwrap())).collect()
}

fn after(sequence: &str) -> ReadFrom {
    ReadFrom::After(sequence.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn records_come_as_they_are_put_and_a_consumer_is_registered_once() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_activation(3);
    put_aggregate(&fake, "a b");
    let consumer = consumer();
    let mut first = FanOutReader::new(cursor(&fake, "TRIM_HORIZON"), consumer.clone());
    assert_eq!(read(&mut first).await, "a b");
    let began = Instant::now();
    put(&fake, "c");
    assert_eq!(read(&mut first).await, "c");
    assert!(began.elapsed().is_zero(), "{:?}", began.elapsed());
    sleep(Duration::from_secs(5)).await;
    drop(first);
    let mut second = FanOutReader::new(cursor(&fake, "TRIM_HORIZON"), consumer);
    assert_eq!(read(&mut second).await, "a b c");
    let counts = [Operation::RegisterConsumer, Operation::FindConsumer, Operation::GetRecords].map(|o| fake.count(o));
    assert_eq!(counts, [1, 5, 0], "looked up, then four times until it is active");
}

#[tokio::test(start_paused = true)]
async fn after_five_minutes_it_goes_on_at_once_where_it_was() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let last = put(&fake, "a");
    let mut reader = reader(&fake, "TRIM_HORIZON");
    assert_eq!(read(&mut reader).await, "a");
    let _ = timeout(Duration::from_secs(310), read(&mut reader)).await;
    put(&fake, "b");
    assert_eq!(read(&mut reader).await, "b");
    let subscribed = subscribed(&fake);
    assert_eq!(subscribed, [(0, ReadFrom::TrimHorizon), (300_000, after(&last))]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_neither_loses_nor_repeats_a_record() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let aggregate = put_aggregate(&fake, "a b");
    let mut reader = reader(&fake, "TRIM_HORIZON");
    assert_eq!(read(&mut reader).await, "a b");
    put(&fake, "c");
    fake.break_subscriptions();
    assert_eq!(read(&mut reader).await, "c");
    // The service takes no second subscription within five seconds.
    let after = after(&aggregate);
    let expected = [0, 1_000, 3_000, 7_000].map(|at| (at, after.clone()));
    assert_eq!(subscribed(&fake)[1..], expected[1..]);
}

#[tokio::test(start_paused = true)]
async fn latest_is_the_first_moment_also_when_nothing_came_before_the_connection_was_lost() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "old");
    let mut reader = reader(&fake, "LATEST");
    let _ = timeout(Duration::from_secs(1), read(&mut reader)).await;
    fake.break_subscriptions();
    put(&fake, "new");
    assert_eq!(read(&mut reader).await, "new");
    assert_eq!(subscribed(&fake)[0].1, ReadFrom::Latest);
    assert!(matches!(subscribed(&fake)[1].1, ReadFrom::After(_)), "{:?}", subscribed(&fake));
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_in_the_middle_of_an_aggregate_also_after_events_without_records() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "before");
    let aggregate = put_aggregate(&fake, "a b c d");
    let mut middle = reader(&fake, &format!("{aggregate}:1"));
    assert_eq!(read(&mut middle).await, "c d");
    sleep(Duration::from_secs(5)).await;
    let mut end = reader(&fake, &format!("{aggregate}:3"));
    assert!(timeout(Duration::from_secs(60), read(&mut end)).await.is_err());
    put_aggregate(&fake, "e f");
    assert_eq!(read(&mut end).await, "e f");
}

#[tokio::test(start_paused = true)]
async fn a_closed_shard_ends_with_its_children_after_its_last_record() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "last");
    fake.split(STREAM, &shard());
    let mut reader = reader(&fake, "TRIM_HORIZON");
    assert_eq!(read(&mut reader).await, "last");
    let end = "end: shardId-000000000001 shardId-000000000002";
    assert_eq!(read(&mut reader).await, end);
    assert_eq!(read(&mut reader).await, end);
    assert_eq!(fake.count(Operation::Subscribe), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_closes_while_it_is_read_ends_at_once() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let mut reader = reader(&fake, "TRIM_HORIZON");
    let _ = timeout(Duration::from_millis(1), read(&mut reader)).await;
    fake.split(STREAM, &shard());
    let end = timeout(Duration::from_millis(1), read(&mut reader)).await.unwrap();
    assert_eq!(end, "end: shardId-000000000001 shardId-000000000002");
}

#[tokio::test(start_paused = true)]
async fn a_truncated_event_does_not_pass_for_the_end_of_an_open_shard() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "a");
    fake.truncate_next(1);
    let mut reader = reader(&fake, "TRIM_HORIZON");
    assert_eq!(read(&mut reader).await, "a");
    put(&fake, "b");
    assert_eq!(read(&mut reader).await, "b");
    assert_eq!(fake.count(Operation::Subscribe), 5, "taken anew");
}

#[tokio::test(start_paused = true)]
async fn where_another_worker_takes_over_it_waits_long_enough_to_learn_that_its_lease_is_gone() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "a");
    let (mut before, mut after) = (reader(&fake, "TRIM_HORIZON"), reader(&fake, "TRIM_HORIZON"));
    assert_eq!(read(&mut before).await, "a");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(read(&mut after).await, "a");
    assert!(timeout(Duration::from_millis(4_900), read(&mut before)).await.is_err());
    put(&fake, "b");
    assert_eq!(read(&mut after).await, "b");
    assert_eq!(fake.count(Operation::Subscribe), 2);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_without_a_sign_of_life_is_given_up() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let last = put(&fake, "a");
    let mut reader = reader(&fake, "TRIM_HORIZON");
    assert_eq!(read(&mut reader).await, "a");
    fake.silence_subscriptions(true);
    put(&fake, "b");
    assert!(timeout(Duration::from_secs(30), read(&mut reader)).await.is_err());
    fake.silence_subscriptions(false);
    assert_eq!(read(&mut reader).await, "b");
    assert_eq!(subscribed(&fake)[1].1, after(&last));
}

#[tokio::test(start_paused = true)]
async fn too_many_failures_in_a_row_are_an_error() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.fail_next(Operation::Subscribe, &KinesisError::Throttled, 100);
    assert_eq!(reader(&fake, "TRIM_HORIZON").next().await.unwrap_err(), KinesisError::Throttled);
    assert_eq!(fake.count(Operation::Subscribe), 10);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_waits_nothing_is_read() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_page(1);
    put(&fake, "a");
    let mut reader = reader(&fake, "TRIM_HORIZON");
    assert_eq!(read(&mut reader).await, "a");
    for word in ["b", "c"] {
        put(&fake, word);
    }
    // The service ends what is not read for so long.
    sleep(Duration::from_secs(400)).await;
    assert_eq!(read(&mut reader).await, "b");
    assert_eq!(read(&mut reader).await, "c");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_made_again_is_told_of_and_then_pushed_to_a_consumer_of_its_own() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, "old");
    let mut reader = ShardReader::new(cursor(&fake, "TRIM_HORIZON"), Some(consumer()), PollOptions::default());
    assert_eq!(shown(reader.next().await.unwrap()), "old");
    fake.remake(STREAM, 1);
    put(&fake, "new");
    let error = reader.next().await.unwrap_err();
    assert!(matches!(error, KinesisError::StreamRemade { .. }), "{error}");
    reader.skip_lost();
    assert_eq!(shown(reader.next().await.unwrap()), "new");
    assert_eq!(fake.count(Operation::RegisterConsumer), 2);
    assert!(!reader.is_polled());
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_gone_is_told_of_and_then_left_for_its_children() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let last = put(&fake, "a");
    put(&fake, "lost");
    fake.split(STREAM, &shard());
    fake.forget(STREAM, &shard());
    let mut reader = ShardReader::new(cursor(&fake, &last), Some(consumer()), PollOptions::default());
    let error = reader.next().await.unwrap_err();
    assert!(matches!(error, KinesisError::ShardGone { .. }), "{error}");
    reader.skip_lost();
    assert_eq!(shown(reader.next().await.unwrap()), "end: shardId-000000000001 shardId-000000000002");
    assert!(!reader.is_polled());
}

#[tokio::test(start_paused = true)]
async fn refused_calls_and_records_before_a_checkpoint_are_counted_whichever_way() {
    for way in [None, Some(consumer())] {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        let aggregate = put_aggregate(&fake, "a b c d");
        let mut reader = ShardReader::new(cursor(&fake, &format!("{aggregate}:1")), way, PollOptions::default());
        let counts = reader.counts();
        fake.fail_next(Operation::GetRecords, &KinesisError::Throttled, 3);
        fake.fail_next(Operation::Subscribe, &KinesisError::Throttled, 3);
        assert_eq!(shown(reader.next().await.unwrap()), "c d");
        assert_eq!((counts.throttles(), counts.records_again()), (3, 2));
    }
}

/// Reads by fan-out where that can be had.
async fn polled_instead(fake: &Arc<FakeKinesis>, fan_out: Arc<FanOutConsumer>) {
    let last = put(fake, "a");
    let mut reader = ShardReader::new(cursor(fake, "TRIM_HORIZON"), Some(fan_out), PollOptions::default());
    assert_eq!(shown(reader.next().await.unwrap()), "a");
    put(fake, "b");
    fake.expire_iterators();
    assert_eq!(shown(reader.next().await.unwrap()), "b");
    assert_eq!(fake.calls().last().unwrap().operation, Operation::GetRecords);
    assert_eq!(fake.calls().into_iter().filter_map(|call| call.at).next_back().unwrap(), after(&last));
}

#[tokio::test(start_paused = true)]
async fn a_stream_with_all_its_consumers_is_polled() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    fake.set_consumer_limit(0);
    let consumer = consumer();
    polled_instead(&fake, consumer.clone()).await;
    let registrations = fake.count(Operation::RegisterConsumer);
    let mut other = ShardReader::new(cursor(&fake, "TRIM_HORIZON"), Some(consumer), PollOptions::default());
    assert_eq!(shown(other.next().await.unwrap()), "a b");
    assert_eq!(fake.count(Operation::RegisterConsumer), registrations, "all readers share the answer");
}

#[tokio::test(start_paused = true)]
async fn where_fan_out_is_refused_the_shard_is_polled() {
    let denied = KinesisError::AccessDenied { message: "no fan-out".to_owned() };
    for operation in [Operation::FindConsumer, Operation::RegisterConsumer, Operation::Subscribe] {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        fake.fail_next(operation, &denied, 1);
        polled_instead(&fake, consumer()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_another_worker_makes_in_this_moment_is_used() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let exists = KinesisError::InUse { message: "it exists".to_owned() };
    fake.fail_next(Operation::RegisterConsumer, &exists, 1);
    put(&fake, "a");
    assert_eq!(read(&mut reader(&fake, "TRIM_HORIZON")).await, "a");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_polled_in_the_middle_of_a_shard_is_exact() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let aggregate = put_aggregate(&fake, "a b c");
    let mut reader =
        ShardReader::new(cursor(&fake, &format!("{aggregate}:1")), Some(consumer()), PollOptions::default());
    let refused = KinesisError::InvalidArgument { message: "no fan-out".to_owned() };
    fake.fail_next(Operation::Subscribe, &refused, 1);
    assert_eq!(shown(reader.next().await.unwrap()), "c");
}
