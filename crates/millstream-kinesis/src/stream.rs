/// A stream as `DescribeStreamSummary` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSummary {
    /// The stream's name.
    pub name: String,
    /// `CREATING`, `ACTIVE`, `UPDATING` or `DELETING`.
    pub status: String,
    /// Who decides the number of shards: `PROVISIONED` (its owner) or `ON_DEMAND` (the service).
    pub mode: String,
    /// Shards that take records.
    pub open_shards: u32,
    /// How long a record is kept, in hours.
    pub retention_hours: u32,
}

/// What tells a stream from all others, also from those that had its name before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOrigin {
    /// The number of the AWS account it belongs to.
    pub account: String,
    /// When it was made, in seconds since the epoch.
    pub created_s: i64,
}
