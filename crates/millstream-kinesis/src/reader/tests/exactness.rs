//! Whatever happens to the connection, and wherever a reader is replaced by another one: each record once, in order.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{STREAM, cursor, put, put_aggregate, shard};
use crate::testing::{FakeKinesis, Operation};
use crate::{Checkpoint, FanOutConsumer, KinesisError, PollOptions, Read, ShardReader};

#[derive(Debug, Clone)]
enum Deed {
    Put,
    PutAggregate(usize),
    /// One read of up to so many records as stored.
    Read(usize),
    /// The connection is lost, or the iterator too old.
    Break,
    Truncate,
    Fail(Operation),
    /// The reader dies; another one goes on after the last but so many user records.
    Replace(usize),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => Just(Deed::Put),
        3 => (1..6usize).prop_map(Deed::PutAggregate),
        6 => (1..4usize).prop_map(Deed::Read),
        2 => Just(Deed::Break),
        1 => Just(Deed::Truncate),
        2 => prop::sample::select(vec![
            Operation::GetIterator, Operation::GetRecords, Operation::Subscribe, Operation::ListShards,
        ]).prop_map(Deed::Fail),
        3 => (0..4usize).prop_map(Deed::Replace),
        1 => (1..400u64).prop_map(Deed::Wait),
    ]
}

/// What one reader after the other got: the numbers and where they were.
#[derive(Default)]
struct Got {
    numbers: Vec<u64>,
    places: Vec<Checkpoint>,
}

impl Got {
    /// False at the end of the shard.
    fn add(&mut self, read: Result<Read, KinesisError>) -> bool {
        let block = match read {
            Ok(Read::Records { block, .. }) => block,
            Ok(Read::End { .. }) => return false,
            // After many in a row; the next call goes on.
            Err(error) => return error.is_retryable(),
        };
        for (index, record) in block.iter().enumerate() {
            self.numbers.push(str::from_utf8(record.data).unwrap().parse().unwrap());
            self.places.push(Checkpoint::At(block.position(index)));
        }
        true
    }
}

async fn play(deeds: Vec<Deed>, fan_out: bool) {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let consumer = fan_out.then(|| Arc::new(FanOutConsumer::new(STREAM.into(), "application")));
    let begin = |from: &str| ShardReader::new(cursor(&fake, from), consumer.clone(), PollOptions::default());
    let mut reader = begin("TRIM_HORIZON");
    let mut got = Got::default();
    let mut next = 0;
    for deed in deeds {
        match deed {
            Deed::Put => {
                put(&fake, &next.to_string());
                next += 1;
            }
            Deed::PutAggregate(users) => {
                let numbers: Vec<_> = (next..next + users as u64).map(|number| number.to_string()).collect();
                put_aggregate(&fake, &numbers.join(" "));
                next += users as u64;
            }
            Deed::Read(page) => {
                fake.set_page(page);
                // It may be cancelled anywhere.
                if let Ok(read) = tokio::time::timeout(Duration::from_millis(300), reader.next()).await {
                    assert!(got.add(read), "the shard is open");
                }
            }
            Deed::Break => {
                fake.break_subscriptions();
                fake.expire_iterators();
            }
            Deed::Truncate => fake.truncate_next(1),
            Deed::Fail(operation) => fake.fail_next(operation, &KinesisError::Throttled, 1),
            Deed::Replace(back) => {
                got.numbers.truncate(got.numbers.len().saturating_sub(back));
                got.places.truncate(got.numbers.len());
                reader = begin(&got.places.last().unwrap_or(&Checkpoint::TrimHorizon).to_string());
            }
            Deed::Wait(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
        }
    }
    fake.split(STREAM, &shard());
    while got.add(reader.next().await) {}
    assert_eq!(got.numbers, (0..next).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn each_record_once_and_in_order(deeds in prop::collection::vec(deed(), 1..60), fan_out: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(deeds, fan_out));
    }
}
