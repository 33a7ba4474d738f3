use std::sync::Arc;

use super::consumer::FanOutConsumer;
use super::counts::ReadCounts;
use super::cursor::ShardCursor;
use super::fan_out::FanOutReader;
use super::polling::{PollOptions, PollingReader};
use super::read::Read;
use crate::KinesisError;

/// Reads one shard by polling, or by fan-out as long as that can be had.
pub struct ShardReader {
    poll: PollOptions,
    way: Way,
}

enum Way {
    Polling(PollingReader),
    FanOut(FanOutReader),
}

impl ShardReader {
    /// A reader of what follows: by fan-out as `consumer`, or by polling without one. Makes no call yet.
    pub fn new(cursor: ShardCursor, consumer: Option<Arc<FanOutConsumer>>, poll: PollOptions) -> Self {
        let way = match consumer {
            Some(consumer) => Way::FanOut(FanOutReader::new(cursor, consumer)),
            None => Way::Polling(PollingReader::new(cursor, &poll)),
        };
        ShardReader { poll, way }
    }

    /// Whether the shard is polled: then each [`next`](Self::next) is one read, and an empty block where nothing has come.
    pub fn is_polled(&self) -> bool {
        matches!(self.way, Way::Polling(_))
    }

    /// What comes next. Where fan-out is refused, the shard is polled from there on. May be cancelled and called again: no
    /// record is lost. At the shard's end, every further call returns [`Read::End`].
    ///
    /// # Errors
    /// What is not retryable at once; the last error after too many failures in a row.
    pub async fn next(&mut self) -> Result<Read, KinesisError> {
        loop {
            match &mut self.way {
                Way::Polling(reader) => return reader.next().await,
                Way::FanOut(reader) => match reader.next().await {
                    Err(error) if reader.is_refused(&error) => {
                        let cursor = reader.cursor().clone();
                        let (stream, shard) = (&cursor.stream, &cursor.shard);
                        tracing::warn!(%stream, %shard, %error, "no fan-out; the shard is polled");
                        self.way = Way::Polling(PollingReader::new(cursor, &self.poll));
                    }
                    read => return read,
                },
            }
        }
    }

    /// Goes on behind what is lost, after an error that [is one of lost records](KinesisError::is_data_loss): at the shard's
    /// beginning; or at its end, where the stream has forgotten it.
    pub fn skip_lost(&mut self) {
        match &mut self.way {
            Way::Polling(reader) => reader.skip_lost(),
            Way::FanOut(reader) => reader.skip_lost(),
        }
    }

    /// What it has met beside new records; goes on to count while it reads, whichever way.
    pub fn counts(&self) -> Arc<ReadCounts> {
        match &self.way {
            Way::Polling(reader) => reader.cursor().counts.clone(),
            Way::FanOut(reader) => reader.cursor().counts.clone(),
        }
    }
}
