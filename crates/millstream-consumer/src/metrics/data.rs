//! Measurements as CloudWatch takes them: by name and dimensions, several values in one. Pure.

use std::collections::BTreeMap;

use millstream_kinesis::{CallTimes, Datum, Times};

use super::MetricsLevel;
use super::points::Wanted;

/// Calls whose times are told, under the KCL's names.
pub(super) struct Calls {
    time: &'static str,
    success: Option<&'static str>,
    level: MetricsLevel,
}

impl Calls {
    const fn detailed(time: &'static str, success: &'static str) -> Self {
        Self { time, success: Some(success), level: MetricsLevel::Detailed }
    }
}

pub(super) const PROCESS_RECORDS: Calls =
    Calls { time: "RecordProcessor.processRecords.Time", success: None, level: MetricsLevel::Summary };
pub(super) const GET_RECORDS: Calls =
    Calls::detailed("KinesisDataFetcher.getRecords.Time", "KinesisDataFetcher.getRecords.Success");
pub(super) const GET_ITERATOR: Calls =
    Calls::detailed("KinesisDataFetcher.getShardIterator.Time", "KinesisDataFetcher.getShardIterator.Success");
pub(super) const UPDATE_LEASE: Calls = Calls::detailed("UpdateLease.Time", "UpdateLease.Success");
pub(super) const RENEW_LEASE: Calls = Calls::detailed("RenewLease.Time", "RenewLease.Success");

/// Names and values.
type Dimensions = Vec<(&'static str, String)>;

/// By name and dimensions: metrics that differ only in a dimension that is not wanted are one.
pub(super) struct Data<'a> {
    wanted: Wanted<'a>,
    data: BTreeMap<(&'static str, Dimensions), Datum>,
}

impl<'a> Data<'a> {
    pub(super) fn new(wanted: Wanted<'a>) -> Self {
        Self { wanted, data: BTreeMap::new() }
    }

    /// In the order of their names and dimensions.
    pub(super) fn into_data(self) -> Vec<Datum> {
        self.data.into_values().collect()
    }

    /// One value.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        unit: &'static str,
        dimensions: &[(&'static str, String)],
        value: f64,
    ) {
        self.add_several(name, unit, dimensions, (1.0, value), (value, value));
    }

    /// The times of calls; nothing where there was none.
    pub(super) fn add_times(&mut self, calls: &Calls, dimensions: &[(&'static str, String)], times: &CallTimes) {
        let Times { calls: count, failures, sum_ms, shortest_ms, longest_ms } = times.take();
        if count == 0 || self.wanted.level < calls.level {
            return;
        }
        let number = count as f64;
        self.add_several(calls.time, "Milliseconds", dimensions, (number, sum_ms), (shortest_ms, longest_ms));
        if let Some(success) = calls.success {
            let extremes = (f64::from(u8::from(failures == 0)), f64::from(u8::from(failures < count)));
            self.add_several(success, "Count", dimensions, (number, (count - failures) as f64), extremes);
        }
    }

    fn add_several(
        &mut self,
        name: &'static str,
        unit: &'static str,
        dimensions: &[(&'static str, String)],
        (count, sum): (f64, f64),
        (minimum, maximum): (f64, f64),
    ) {
        let is_wanted = |name: &str| self.wanted.dimensions.is_none_or(|wanted| wanted.contains(name));
        let dimensions: Dimensions = dimensions.iter().filter(|(name, _)| is_wanted(name)).cloned().collect();
        let time_ms = self.wanted.time_ms;
        let new = Datum { name, dimensions: dimensions.clone(), unit, time_ms, count: 0.0, sum: 0.0, minimum, maximum };
        let datum = self.data.entry((name, dimensions)).or_insert(new);
        (datum.count, datum.sum) = (datum.count + count, datum.sum + sum);
        (datum.minimum, datum.maximum) = (datum.minimum.min(minimum), datum.maximum.max(maximum));
    }
}
