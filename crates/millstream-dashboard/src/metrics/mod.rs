//! What there is to measure: Spark's gauges of streams, what the KCL reports to CloudWatch as far as it is known here, and ours.

mod batches;
mod family;
mod shards;
mod text;

use crate::History;
use crate::board::Snapshot;
pub(crate) use family::{Family, Kind};

/// All metrics now.
pub(crate) fn families(history: &History, snapshot: &Snapshot) -> Vec<Family> {
    let mut families = batches::families(history);
    families.extend(shards::families(snapshot));
    families
}

/// All metrics now, for Prometheus.
pub(crate) fn answer(history: &History, snapshot: &Snapshot) -> String {
    text::text(&families(history, snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Board;
    use crate::status::{StatusSource, StreamStatus};
    use crate::testing::{application, batch, stream};
    use std::sync::Arc;

    struct Fixed;

    #[async_trait::async_trait]
    impl StatusSource for Fixed {
        async fn status(&self) -> Option<StreamStatus> {
            Some(stream(100))
        }
    }

    #[tokio::test]
    async fn all_is_told_in_prometheus_format() {
        let mut history = History::new(application(), 10);
        let mut info = batch(1000, [3, 4]);
        history.batch_submitted(&info);
        (info.processing_start_ms, info.processing_end_ms) = (Some(1030), Some(1080));
        history.batch_started(&info);
        history.batch_completed(&info);
        let board = Board::new(vec![Arc::new(Fixed)]);
        let text = answer(&history, &*board.look().await);
        let app = "app_id=\"local-1\",app_name=\"counts \\\"words\\\"\"";
        for line in [
            format!("spark_streaming_driver_totalCompletedBatches{{{app}}} 1"),
            format!("spark_streaming_driver_lastCompletedBatch_processingDelay{{{app}}} 50"),
            format!("spark_streaming_driver_lastReceivedBatch_records{{{app}}} 7"),
            "millstream_batches_total{outcome=\"succeeded\"} 1".to_owned(),
            "millstream_input_records_total{input=\"0\",name=\"Kinesis words\"} 3".to_owned(),
            "kcl_MillisBehindLatest{application=\"word-count\",stream=\"words\",Operation=\"ProcessTask\",\
             ShardId=\"shardId-000000000001\"} 1500"
                .to_owned(),
            "kcl_NumWorkers{application=\"word-count\",stream=\"words\",Operation=\"TakeLeases\"} 2".to_owned(),
            "millstream_leases{application=\"word-count\",stream=\"words\",worker=\"there:2\"} 1".to_owned(),
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let gauges = names.filter(|name| name.starts_with("spark_streaming_driver_")).count();
        assert_eq!(gauges, 18, "as many as Spark has");
    }

    #[tokio::test]
    async fn before_the_first_batch_sparks_gauges_are_minus_one() {
        let board = Board::new(Vec::new());
        let text = answer(&History::new(application(), 10), &*board.look().await);
        let line = text.lines().find(|line| line.starts_with("spark_streaming_driver_lastCompletedBatch_totalDelay{"));
        assert!(line.is_some_and(|line| line.ends_with(" -1")), "{text}");
        assert!(text.ends_with('\n'));
    }
}
