//! How often each operation may be called: the call limits of the operations in the Kinesis API reference, and of
//! "Quotas and limits" in the Kinesis developer guide.

use super::bucket::Rate;

/// Whose calls are counted together. All of it is within a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Per {
    Account,
    Stream,
}

/// The limit of an operation, if it has one that is not about a shard.
pub(super) fn of(operation: &str) -> Option<(&'static str, Per, Rate)> {
    QUOTAS.iter().find(|(name, ..)| *name == operation).copied()
}

const QUOTAS: [(&str, Per, Rate); 30] = [
    ("AddTagsToStream", Per::Account, Rate::per_second(5)),
    ("CreateStream", Per::Account, Rate::per_second(5)),
    ("DecreaseStreamRetentionPeriod", Per::Stream, Rate::per_second(5)),
    ("DeleteResourcePolicy", Per::Account, Rate::per_second(5)),
    ("DeleteStream", Per::Account, Rate::per_second(5)),
    ("DeregisterStreamConsumer", Per::Stream, Rate::per_second(5)),
    ("DescribeAccountSettings", Per::Account, Rate::per_second(5)),
    ("DescribeLimits", Per::Account, Rate::per_second(1)),
    ("DescribeStream", Per::Account, Rate::per_second(10)),
    ("DescribeStreamConsumer", Per::Stream, Rate::per_second(20)),
    ("DescribeStreamSummary", Per::Account, Rate::per_second(20)),
    ("DisableEnhancedMonitoring", Per::Stream, Rate::per_second(5)),
    ("EnableEnhancedMonitoring", Per::Stream, Rate::per_second(5)),
    ("GetResourcePolicy", Per::Account, Rate::per_second(5)),
    ("IncreaseStreamRetentionPeriod", Per::Stream, Rate::per_second(5)),
    ("ListShards", Per::Stream, Rate::per_second(1000)),
    ("ListStreamConsumers", Per::Stream, Rate::per_second(5)),
    ("ListStreams", Per::Account, Rate::per_second(5)),
    ("ListTagsForStream", Per::Account, Rate::per_second(5)),
    ("MergeShards", Per::Account, Rate::per_second(5)),
    ("PutResourcePolicy", Per::Account, Rate::per_second(5)),
    ("RegisterStreamConsumer", Per::Account, Rate::per_second(5)),
    ("RemoveTagsFromStream", Per::Account, Rate::per_second(5)),
    ("SplitShard", Per::Account, Rate::per_second(5)),
    ("StartStreamEncryption", Per::Stream, Rate::per_day(25)),
    ("StopStreamEncryption", Per::Stream, Rate::per_day(25)),
    ("UpdateAccountSettings", Per::Account, Rate::per_second(5)),
    ("UpdateShardCount", Per::Stream, Rate::per_day(10)),
    ("UpdateStreamMode", Per::Stream, Rate::per_day(2)),
    ("UpdateStreamWarmThroughput", Per::Account, Rate::per_second(5)),
];
