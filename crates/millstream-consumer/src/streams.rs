//! The streams of a worker: what is read of each is asked for once before it starts, and where several are read, each change
//! is told to the driver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{Kinesis, KinesisError, Shard, now_ms};
use millstream_lease::{StreamIdentifier, StreamStart};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::config::{StreamConfig, Streams};
use crate::error::ConsumerError;

/// A stream that can't be read, of several, is looked for again after so long.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Streams by identifier, as the coordinator knows them.
pub(crate) type Starts = BTreeMap<String, StreamStart>;

/// The name in `account:name:epoch`.
pub(crate) fn stream_name(identifier: &str) -> &str {
    identifier.split(':').nth(1).unwrap_or(identifier)
}

/// What was found before the start.
pub(crate) struct Found {
    /// The shards of each stream, which spares the first listing.
    pub(crate) shards: BTreeMap<String, Vec<Shard>>,
    /// Where several streams are read.
    pub(crate) several: Option<Several>,
}

/// Several streams, and what tells of changes.
pub(crate) struct Several {
    pub(crate) starts: Starts,
    pub(crate) changes: mpsc::Receiver<Starts>,
}

impl Found {
    /// Looks for all streams. `latest_since_ms`: the moment that `LATEST` means for those of the start.
    ///
    /// # Errors
    /// One of them can't be read.
    pub(crate) async fn find(
        kinesis: Arc<dyn Kinesis>,
        streams: &Streams,
        latest_since_ms: Option<i64>,
    ) -> Result<Self, ConsumerError> {
        let receiver = match streams {
            Streams::One(stream) => {
                let shards = kinesis.list_shards(stream).await?;
                return Ok(Found { shards: [(String::new(), shards)].into(), several: None });
            }
            Streams::Several(receiver) => receiver,
        };
        let mut receiver = receiver.clone();
        let wanted = receiver.borrow_and_update().clone();
        let began = (latest_since_ms.unwrap_or_else(now_ms), Instant::now());
        let mut names = Names { kinesis: kinesis.clone(), began, known: BTreeMap::new() };
        for config in &wanted {
            names.find(config, began.0).await?;
        }
        let starts = names.starts();
        let mut listings = JoinSet::new();
        for stream in starts.keys() {
            let (kinesis, stream) = (kinesis.clone(), stream.clone());
            listings.spawn(async move {
                let shards = kinesis.list_shards(stream_name(&stream)).await?;
                Ok((stream, shards))
            });
        }
        let mut shards = BTreeMap::new();
        while let Some(listed) = listings.join_next().await {
            let (stream, listed) =
                listed.unwrap_or_else(|_| Err(ConsumerError::Stopped { stream: streams.name().into() }))?;
            shards.insert(stream, listed);
        }
        // The driver takes one change after the other.
        let (sender, changes) = mpsc::channel(1);
        tokio::spawn(names.follow(receiver, sender));
        Ok(Found { shards, several: Some(Several { starts, changes }) })
    }
}

/// The streams that were found, as they were asked for, with their identifiers.
struct Names {
    kinesis: Arc<dyn Kinesis>,
    /// What `LATEST` means for the streams of the start, in milliseconds since the epoch; and when that was.
    began: (i64, Instant),
    known: BTreeMap<String, (String, StreamStart)>,
}

impl Names {
    fn starts(&self) -> Starts {
        self.known.values().cloned().collect()
    }

    /// What `LATEST` means for a stream that comes now.
    fn latest_since_ms(&self) -> i64 {
        let (start_ms, began) = self.began;
        start_ms.saturating_add(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    async fn find(&mut self, config: &StreamConfig, latest_since_ms: i64) -> Result<(), ConsumerError> {
        if self.known.contains_key(&config.stream) {
            return Ok(());
        }
        let identifier: StreamIdentifier = if config.stream.contains(':') {
            config.stream.parse()?
        } else {
            let origin = self.kinesis.stream_origin(&config.stream).await?;
            let epoch = u64::try_from(origin.created_s).unwrap_or(0);
            StreamIdentifier { account: origin.account, name: config.stream.clone(), epoch }
        };
        let start = StreamStart { initial: config.initial, latest_since_ms: Some(latest_since_ms) };
        self.known.insert(config.stream.clone(), (identifier.to_string(), start));
        Ok(())
    }

    /// Tells of each change, until nobody can change or hear anything any more.
    async fn follow(mut self, mut wanted: watch::Receiver<Vec<StreamConfig>>, changes: mpsc::Sender<Starts>) {
        let (mut told, mut are_missing) = (self.starts(), false);
        loop {
            let changed = async {
                let is_final = wanted.changed().await.is_err();
                if is_final && are_missing {
                    sleep(LOOK_AGAIN).await;
                }
                !is_final || are_missing
            };
            let goes_on = tokio::select! {
                goes_on = changed => goes_on,
                () = sleep(LOOK_AGAIN), if are_missing => true,
                () = changes.closed() => false,
            };
            if !goes_on {
                return;
            }
            let streams = wanted.borrow_and_update().clone();
            self.known.retain(|name, _| streams.iter().any(|config| config.stream == *name));
            are_missing = false;
            for config in &streams {
                if let Err(error) = self.find(config, self.latest_since_ms()).await {
                    are_missing |= !matches!(error, ConsumerError::Stream(_));
                    let stream = &config.stream;
                    tracing::error!(stream, %error, "a stream can't be read; the others go on, and it is looked for again");
                }
            }
            let starts = self.starts();
            if starts != told {
                told.clone_from(&starts);
                if changes.send(starts).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Lists a stream's shards. Of several streams, one that can't be listed is tried again later.
pub(crate) async fn list(kinesis: &dyn Kinesis, name: &str, is_only: bool) -> Result<Vec<Shard>, KinesisError> {
    let listed = kinesis.list_shards(name).await;
    if let Err(error) = &listed {
        tracing::warn!(stream = name, %error, "the shards can't be listed");
        if !is_only && !error.is_retryable() {
            sleep(LOOK_AGAIN).await;
        }
    }
    listed
}
