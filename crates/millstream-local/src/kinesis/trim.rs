//! Giving back the room of expired records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Kinesis;
use super::stream::Stream;

/// How often it is looked for records that have expired.
const INTERVAL: Duration = Duration::from_secs(1);

/// Trims until `stopped` changes or its sender is gone.
pub(crate) async fn trim_regularly(kinesis: Arc<Kinesis>, mut stopped: watch::Receiver<()>) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = stopped.changed() => return,
        }
        if kinesis.has_expired_records() {
            let kinesis = Arc::clone(&kinesis);
            if let Err(error) = tokio::task::spawn_blocking(move || kinesis.trim()).await {
                tracing::error!(%error, "expired records could not be dropped");
            }
        }
    }
}

impl Kinesis {
    fn has_expired_records(&self) -> bool {
        self.streams().values().flat_map(BTreeMap::values).any(|stream| stream.has_expired_records())
    }

    fn trim(&self) {
        let streams: Vec<Arc<Stream>> = self.streams().values().flat_map(BTreeMap::values).cloned().collect();
        streams.iter().for_each(|stream| stream.trim());
    }
}

impl Stream {
    fn has_expired_records(&self) -> bool {
        let horizon_ms = self.horizon_ms();
        self.topology().shards().iter().any(|shard| shard.has_expired_records(horizon_ms))
    }

    fn trim(&self) {
        let horizon_ms = self.horizon_ms();
        let shards = self.topology().shards().to_vec();
        shards.iter().filter(|shard| shard.has_expired_records(horizon_ms)).for_each(|shard| shard.trim(horizon_ms));
    }
}
