//! Measurements of what a worker has done between two looks at it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use millstream_kinesis::Datum;
use millstream_lease::LeaseStatus;

use super::MetricsLevel;
use super::data::{Data, GET_ITERATOR, GET_RECORDS, PROCESS_RECORDS, RENEW_LEASE, UPDATE_LEASE};
use crate::overview::Overview;

const OPERATION: &str = "Operation";

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// By stream and shard: records and bytes handed out.
    handed_out: BTreeMap<(String, String), (u64, u64)>,
    lost: u64,
}

/// What is wanted of a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) level: MetricsLevel,
    pub(super) dimensions: Option<&'a BTreeSet<String>>,
    /// Whether the application reads several streams: shards are told apart by them then.
    pub(super) several: bool,
    pub(super) time_ms: i64,
}

impl Points {
    /// What has happened since the last look.
    pub(super) fn since(&mut self, now: &Overview, wanted: Wanted<'_>) -> Vec<Datum> {
        let mut data = Data::new(wanted);
        let mut handed_out = BTreeMap::new();
        for shard in &now.reading {
            let (stream, id) = (shard.stream.to_string(), shard.shard.to_string());
            let mut dimensions = vec![(OPERATION, "ProcessTask".to_owned()), ("ShardId", id.clone())];
            if wanted.several {
                dimensions.push(("StreamId", stream.clone()));
            }
            let counts = (shard.counts.records_handed_out, shard.counts.bytes_handed_out);
            let before = self.handed_out.get(&(stream.clone(), id.clone())).copied().unwrap_or_default();
            // A shard that was given up and taken again counts anew.
            let before = if before.0 > counts.0 { (0, 0) } else { before };
            data.add("RecordsProcessed", "Count", &dimensions, (counts.0 - before.0) as f64);
            data.add("DataBytesProcessed", "Bytes", &dimensions, counts.1.saturating_sub(before.1) as f64);
            data.add("MillisBehindLatest", "Milliseconds", &dimensions, shard.millis_behind.max(0) as f64);
            let times = &shard.times;
            data.add_times(&PROCESS_RECORDS, &dimensions, &times.process_records);
            data.add_times(&GET_RECORDS, &dimensions, times.reader.get_records());
            data.add_times(&GET_ITERATOR, &dimensions, times.reader.get_iterator());
            data.add_times(&UPDATE_LEASE, &dimensions, &times.update_lease);
            handed_out.insert((stream, id), counts);
        }
        let worker = ("WorkerIdentifier", now.worker.clone());
        let renewing = [(OPERATION, "RenewAllLeases".to_owned()), worker.clone()];
        let is_held = |status: LeaseStatus| !matches!(status, LeaseStatus::Creating | LeaseStatus::Elsewhere);
        let held = now.leases.iter().filter(|lease| is_held(lease.status)).count();
        data.add("CurrentLeases", "Count", &renewing, held as f64);
        data.add("LostLeases", "Count", &renewing, now.lost_leases.saturating_sub(self.lost) as f64);
        data.add_times(&RENEW_LEASE, &renewing, &now.renewals);
        let taking = [(OPERATION, "TakeLeases".to_owned()), worker];
        let active = || now.leases.iter().filter(|lease| !lease.lease.is_ended());
        let owners: BTreeSet<&str> = active().filter_map(|lease| lease.lease.actual_owner()).collect();
        data.add("NumWorkers", "Count", &taking, owners.len() as f64);
        if wanted.level >= MetricsLevel::Detailed {
            data.add("TotalLeases", "Count", &taking, active().count() as f64);
        }
        *self = Points { handed_out, lost: now.lost_leases };
        data.into_data()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use millstream_kinesis::{Checkpoint, ChildShard, HashKeyRange};
    use millstream_lease::Lease;

    use super::*;
    use crate::overview::LeaseOverview;
    use crate::status::{ShardCounts, ShardStatus, ShardTimes};

    fn overview(shards: &[(&str, u64, i64)], lost_leases: u64) -> Overview {
        let status = |&(shard, records, millis_behind): &(&str, u64, i64)| ShardStatus {
            stream: "orders".into(),
            shard: shard.into(),
            cut: Checkpoint::TrimHorizon,
            millis_behind,
            tips: 0,
            is_past: false,
            queued: 0,
            ended: false,
            counts: ShardCounts {
                records_handed_out: records,
                bytes_handed_out: 10 * records,
                ..ShardCounts::default()
            },
            times: ShardTimes::default(),
        };
        let lease = |(number, &(shard, ..)): (usize, &(&str, u64, i64))| {
            let shard = ChildShard { id: shard.into(), parents: Vec::new(), hash_range: HashKeyRange::ALL };
            LeaseOverview {
                lease: Lease {
                    owner: Some(if number == 0 { "w1".to_owned() } else { "w2".to_owned() }),
                    ..Lease::of_child(&shard, Checkpoint::TrimHorizon)
                },
                status: if number == 0 { LeaseStatus::Reading } else { LeaseStatus::Elsewhere },
                processed: None,
                failures: 0,
                last_error: None,
            }
        };
        Overview {
            worker: "w1".to_owned(),
            leases: shards.iter().enumerate().map(lease).collect(),
            listed: Vec::new(),
            reading: shards.iter().map(status).collect(),
            error: None,
            lost_leases,
            renewals: Arc::default(),
        }
    }

    fn told(data: &[Datum]) -> Vec<String> {
        let dimensions = |datum: &Datum| {
            let named = datum.dimensions.iter().map(|(name, value)| format!("{name}={value}"));
            named.collect::<Vec<_>>().join(",")
        };
        let line = |datum: &Datum| {
            let Datum { name, count, sum, minimum, maximum, .. } = datum;
            format!("{name} {} n={count} sum={sum} {minimum}..{maximum}", dimensions(datum))
        };
        data.iter().map(line).collect()
    }

    #[test]
    fn what_has_happened_between_two_looks_is_told_under_the_kcls_names() {
        let mut points = Points::default();
        let wanted = Wanted { level: MetricsLevel::Summary, dimensions: None, several: false, time_ms: 7 };
        points.since(&overview(&[("s0", 100, 0)], 1), wanted);
        let data = points.since(&overview(&[("s0", 130, 2_000), ("s1", 5, -1)], 3), wanted);
        let s0 = "Operation=ProcessTask,ShardId=s0";
        let s1 = "Operation=ProcessTask,ShardId=s1";
        let expected = [
            "CurrentLeases Operation=RenewAllLeases,WorkerIdentifier=w1 n=1 sum=1 1..1".to_owned(),
            format!("DataBytesProcessed {s0} n=1 sum=300 300..300"),
            format!("DataBytesProcessed {s1} n=1 sum=50 50..50"),
            "LostLeases Operation=RenewAllLeases,WorkerIdentifier=w1 n=1 sum=2 2..2".to_owned(),
            format!("MillisBehindLatest {s0} n=1 sum=2000 2000..2000"),
            format!("MillisBehindLatest {s1} n=1 sum=0 0..0"),
            "NumWorkers Operation=TakeLeases,WorkerIdentifier=w1 n=1 sum=2 2..2".to_owned(),
            format!("RecordsProcessed {s0} n=1 sum=30 30..30"),
            format!("RecordsProcessed {s1} n=1 sum=5 5..5"),
        ];
        assert_eq!(told(&data), expected);
        assert!(data.iter().all(|datum| datum.time_ms == 7));
        // s0 was given up and taken again.
        let data = points.since(&overview(&[("s0", 4, 0)], 3), wanted);
        assert!(told(&data).contains(&format!("RecordsProcessed {s0} n=1 sum=4 4..4")), "{data:?}");
    }

    #[test]
    fn metrics_that_differ_in_an_unwanted_dimension_are_one() {
        let dimensions = BTreeSet::from([OPERATION.to_owned()]);
        let (level, dimensions) = (MetricsLevel::Detailed, Some(&dimensions));
        let wanted = Wanted { level, dimensions, several: true, time_ms: 7 };
        let data = Points::default().since(&overview(&[("s0", 30, 50), ("s1", 5, 10)], 0), wanted);
        let told = told(&data);
        assert!(told.contains(&"RecordsProcessed Operation=ProcessTask n=2 sum=35 5..30".to_owned()), "{told:?}");
        assert!(told.contains(&"MillisBehindLatest Operation=ProcessTask n=2 sum=60 10..50".to_owned()), "{told:?}");
        assert!(told.contains(&"TotalLeases Operation=TakeLeases n=1 sum=2 2..2".to_owned()), "{told:?}");
        assert_eq!(told.len(), 7);
    }

    #[test]
    fn the_times_of_calls_are_told_once_and_of_each_kind_as_its_level_says() {
        let overview = overview(&[("s0", 1, 0)], 0);
        let ms = Duration::from_millis;
        for level in [MetricsLevel::Summary, MetricsLevel::Detailed] {
            let times = &overview.reading[0].times;
            times.process_records.add(ms(40), false);
            for (took, has_failed) in [(2, false), (6, true), (4, false)] {
                times.reader.get_records().add(ms(took), has_failed);
            }
            times.reader.get_iterator().add(ms(1), false);
            times.update_lease.add(ms(3), false);
            overview.renewals.add(ms(5), true);
            let wanted = Wanted { level, dimensions: None, several: false, time_ms: 7 };
            let mut points = Points::default();
            let is_of_calls = |line: &String| line.contains(".Time ") || line.contains(".Success ");
            let lines = |data: &[Datum]| told(data).into_iter().filter(is_of_calls).collect::<Vec<_>>();
            let first = lines(&points.since(&overview, wanted));
            assert_eq!(lines(&points.since(&overview, wanted)), [""; 0]);
            let (shard, worker) = ("Operation=ProcessTask,ShardId=s0", "Operation=RenewAllLeases,WorkerIdentifier=w1");
            let summary = [format!("RecordProcessor.processRecords.Time {shard} n=1 sum=40 40..40")];
            let detailed = [
                format!("KinesisDataFetcher.getRecords.Success {shard} n=3 sum=2 0..1"),
                format!("KinesisDataFetcher.getRecords.Time {shard} n=3 sum=12 2..6"),
                format!("KinesisDataFetcher.getShardIterator.Success {shard} n=1 sum=1 1..1"),
                format!("KinesisDataFetcher.getShardIterator.Time {shard} n=1 sum=1 1..1"),
                summary[0].clone(),
                format!("RenewLease.Success {worker} n=1 sum=0 0..0"),
                format!("RenewLease.Time {worker} n=1 sum=5 5..5"),
                format!("UpdateLease.Success {shard} n=1 sum=1 1..1"),
                format!("UpdateLease.Time {shard} n=1 sum=3 3..3"),
            ];
            let expected = if level == MetricsLevel::Summary { &summary[..] } else { &detailed };
            assert_eq!(first, expected, "{level:?}");
        }
    }
}
