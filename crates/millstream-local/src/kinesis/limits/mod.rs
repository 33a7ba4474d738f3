//! The quotas of the service, enforced on demand: the throughput of shards, the rate of calls, the number of shards.

mod bucket;
mod pace;
mod quotas;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use self::pace::Pace;

use self::bucket::{Bucket, Rate};
use self::quotas::Per;
use super::region::{ACCOUNT, Region};
use super::stream::shard_id;
use crate::api_error::ApiError;

const MIB: u32 = 1024 * 1024;
/// What a shard takes and gives (CreateStream and GetRecords in the Kinesis API reference).
const RECORDS_IN: Rate = Rate::per_second(1000);
const BYTES_IN: Rate = Rate::per_second(MIB);
const BYTES_OUT: Rate = Rate::per_second(2 * MIB);
const READS: Rate = Rate::per_second(5);
const ITERATORS: Rate = Rate::per_second(5);
/// Buckets that are kept before the full ones are dropped.
const MANY_BUCKETS: usize = 10_000;

/// What has been used of the quotas; nothing is refused unless they are enforced.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    enforced: Option<Mutex<HashMap<Counted, (Rate, Bucket)>>>,
}

/// A shard, by the id of its stream and its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardName<'a> {
    pub(crate) stream: &'a str,
    pub(crate) stream_id: &'a str,
    pub(crate) number: u32,
}

/// What a bucket is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Calls(&'static str, Region, Option<String>),
    Shard(Use, String, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Use {
    RecordsIn,
    BytesIn,
    BytesOut,
    Reads,
    Iterators,
}

impl Limits {
    pub(crate) fn new(enforced: bool) -> Self {
        Self { enforced: enforced.then(Mutex::default) }
    }

    pub(crate) fn are_enforced(&self) -> bool {
        self.enforced.is_some()
    }

    /// Counts a call; `stream` is asked for the stream that it names if its limit is one of a stream.
    pub(crate) fn call(
        &self,
        operation: &str,
        region: &Region,
        stream: impl FnOnce() -> Option<String>,
        now_ms: u64,
    ) -> Result<(), ApiError> {
        let Some(mut buckets) = self.buckets(now_ms) else { return Ok(()) };
        let Some((operation, per, rate)) = quotas::of(operation) else { return Ok(()) };
        let stream = stream();
        let counted = Counted::Calls(operation, region.clone(), stream.clone().filter(|_| per == Per::Stream));
        if bucket(&mut buckets, counted, rate, now_ms).take(rate, 1, now_ms) {
            return Ok(());
        }
        Err(ApiError::limit_exceeded(match stream {
            Some(stream) => format!("Rate exceeded for stream {stream} under account {ACCOUNT}."),
            None => format!("Rate exceeded for account {ACCOUNT}."),
        }))
    }

    /// Whether a shard takes a record of so many bytes, its key included; counts it if so.
    pub(crate) fn take_record(&self, shard: ShardName<'_>, bytes: usize, now_ms: u64) -> bool {
        let Some(mut buckets) = self.buckets(now_ms) else { return true };
        let (records, size) = (shard.counted(Use::RecordsIn), shard.counted(Use::BytesIn));
        bucket(&mut buckets, records.clone(), RECORDS_IN, now_ms).has(RECORDS_IN, 1, now_ms)
            && bucket(&mut buckets, size, BYTES_IN, now_ms).take(BYTES_IN, bytes, now_ms)
            && bucket(&mut buckets, records, RECORDS_IN, now_ms).take(RECORDS_IN, 1, now_ms)
    }

    /// Counts a read of a shard, unless there were too many or they gave too much.
    pub(crate) fn read(&self, shard: ShardName<'_>, now_ms: u64) -> Result<(), ApiError> {
        let Some(mut buckets) = self.buckets(now_ms) else { return Ok(()) };
        let open = bucket(&mut buckets, shard.counted(Use::BytesOut), BYTES_OUT, now_ms).is_open(BYTES_OUT, now_ms);
        let read = open && bucket(&mut buckets, shard.counted(Use::Reads), READS, now_ms).take(READS, 1, now_ms);
        read.then_some(()).ok_or_else(|| shard.exceeded())
    }

    /// Counts the bytes that a read gave.
    pub(crate) fn gave(&self, shard: ShardName<'_>, bytes: usize, now_ms: u64) {
        let Some(mut buckets) = self.buckets(now_ms) else { return };
        bucket(&mut buckets, shard.counted(Use::BytesOut), BYTES_OUT, now_ms).charge(BYTES_OUT, bytes, now_ms);
    }

    /// The pace of a subscription.
    pub(crate) fn pace(&self) -> Option<Pace> {
        self.are_enforced().then(Pace::default)
    }

    /// Counts an iterator of a shard.
    pub(crate) fn iterator(&self, shard: ShardName<'_>, now_ms: u64) -> Result<(), ApiError> {
        let Some(mut buckets) = self.buckets(now_ms) else { return Ok(()) };
        let counted = shard.counted(Use::Iterators);
        let taken = bucket(&mut buckets, counted, ITERATORS, now_ms).take(ITERATORS, 1, now_ms);
        taken.then_some(()).ok_or_else(|| shard.exceeded())
    }

    /// The buckets, if there are any to look at.
    fn buckets(&self, now_ms: u64) -> Option<MutexGuard<'_, HashMap<Counted, (Rate, Bucket)>>> {
        let mut buckets = self.enforced.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > MANY_BUCKETS {
            buckets.retain(|_, (rate, bucket)| !bucket.is_full(*rate, now_ms));
        }
        Some(buckets)
    }
}

fn bucket(buckets: &mut HashMap<Counted, (Rate, Bucket)>, counted: Counted, rate: Rate, now_ms: u64) -> &mut Bucket {
    &mut buckets.entry(counted).or_insert_with(|| (rate, Bucket::new(rate, now_ms))).1
}

impl ShardName<'_> {
    fn counted(&self, used: Use) -> Counted {
        Counted::Shard(used, self.stream_id.to_owned(), self.number)
    }

    /// AWS's answer to what is too much for a shard.
    pub(crate) fn exceeded(&self) -> ApiError {
        let (shard, stream) = (shard_id(self.number), self.stream);
        let message = format!("Rate exceeded for shard {shard} in stream {stream} under account {ACCOUNT}.");
        ApiError::new("ProvisionedThroughputExceededException", 400, message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SHARD: ShardName<'_> = ShardName { stream: "orders", stream_id: "id", number: 3 };

    #[test]
    fn a_shard_takes_a_thousand_records_or_a_mebibyte_a_second() {
        let limits = Limits::new(true);
        let taken = |bytes, now_ms| (0..5000).filter(|_| limits.take_record(SHARD, bytes, now_ms)).count();
        assert_eq!(taken(100, 0), 1000);
        assert_eq!(taken(100, 500), 500);
        // A refused record uses nothing of either limit.
        assert_eq!(taken(1024, 10_000), 1000);
        assert_eq!(taken(64 * 1024, 20_000), 16);
        assert_eq!(taken(64 * 1024, 20_500), 8);
        let other = ShardName { number: 4, ..SHARD };
        assert!(limits.take_record(other, 1024, 20_500));
        // A large record is taken from a shard at rest, which is closed for as long as it lasts.
        assert!(limits.take_record(other, 10 * 1024 * 1024, 30_000));
        assert!(!limits.take_record(other, 1, 39_000));
        assert!(limits.take_record(other, 1, 39_001));
    }

    #[test]
    fn a_shard_is_read_five_times_a_second_and_rests_after_a_full_answer() {
        let limits = Limits::new(true);
        let reads = |now_ms| (0..10).filter(|_| limits.read(SHARD, now_ms).is_ok()).count();
        assert_eq!([reads(0), reads(199), reads(200)], [5, 0, 1]);
        limits.gave(SHARD, 10 * 1024 * 1024, 10_000);
        assert_eq!([reads(14_999), reads(15_000)], [0, 5]);
        let error = limits.read(SHARD, 15_000).unwrap_err();
        assert_eq!(error.code(), "ProvisionedThroughputExceededException");
        assert_eq!(
            error.message(),
            "Rate exceeded for shard shardId-000000000003 in stream orders under account 000000000000."
        );
    }

    #[test]
    fn calls_are_counted_by_account_or_by_stream() {
        let limits = Limits::new(true);
        let (east, west) = (Region::from("us-east-1"), Region::from("us-west-2"));
        let named = |stream: &str| Some(stream.to_owned());
        let calls = |operation: &str, region: &Region, stream: &str| {
            (0..50).filter(|_| limits.call(operation, region, || named(stream), 0).is_ok()).count()
        };
        assert_eq!(calls("DescribeStream", &east, "orders"), 10);
        assert_eq!(calls("DescribeStream", &east, "clicks"), 0);
        assert_eq!(calls("DescribeStream", &west, "orders"), 10);
        assert_eq!(calls("ListStreamConsumers", &east, "orders"), 5);
        assert_eq!(calls("ListStreamConsumers", &east, "clicks"), 5);
        assert_eq!(calls("UpdateShardCount", &east, "orders"), 10);
        assert_eq!(calls("PutRecord", &east, "orders"), 50);
        let error = limits.call("DescribeStream", &east, || named("clicks"), 0).unwrap_err();
        assert_eq!(error.code(), "LimitExceededException");
        assert_eq!(error.message(), "Rate exceeded for stream clicks under account 000000000000.");
        assert_eq!(Limits::default().call("DescribeLimits", &east, || None, 0), Ok(()));
    }

    #[test]
    fn full_buckets_are_dropped_when_there_are_many() {
        let limits = Limits::new(true);
        for number in 0..=u32::try_from(MANY_BUCKETS).unwrap() {
            limits.iterator(ShardName { number, ..SHARD }, 0).unwrap();
        }
        limits.iterator(SHARD, 10_000).unwrap();
        assert_eq!(limits.buckets(10_000).unwrap().len(), 1);
    }
}
