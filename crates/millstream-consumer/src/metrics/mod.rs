//! Reports to CloudWatch, under the KCL's names, where they are asked for: CloudWatch charges for each metric.
//!
//! Every interval the worker is looked at; [`points`] makes measurements of what has changed, and the reporter sends them. It stops
//! nothing: what can't be sent waits in a bounded queue, and then is lost.

mod data;
mod points;
mod reporter;

use std::collections::BTreeSet;
use std::time::Duration;

use millstream_kinesis::CloudWatch;

pub(crate) use reporter::Reporter;

/// What is reported, and where.
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// The client.
    pub client: CloudWatch,
    /// The namespace: the application's name, as the KCL does.
    pub namespace: String,
    /// How much.
    pub level: MetricsLevel,
    /// Dimensions that metrics have, of `Operation`, `ShardId`, `StreamId` and `WorkerIdentifier`; `None`: all. Each value of a
    /// dimension is a metric of its own, which is charged for.
    pub dimensions: Option<BTreeSet<String>>,
    /// Between two reports.
    pub interval: Duration,
}

/// How much is reported (KCL `MetricsLevel`, whose `NONE` is no configuration at all).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricsLevel {
    /// What dashboards show.
    Summary,
    /// All.
    Detailed,
}

impl MetricsConfig {
    /// All dimensions, each ten seconds, as the KCL does.
    pub fn new(client: CloudWatch, namespace: impl Into<String>, level: MetricsLevel) -> Self {
        Self { client, namespace: namespace.into(), level, dimensions: None, interval: Duration::from_secs(10) }
    }
}
