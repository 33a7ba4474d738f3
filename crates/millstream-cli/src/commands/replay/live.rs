use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use millstream_kinesis::{AwsKinesis, PutEntry};
use tokio::sync::mpsc::{self, Receiver, UnboundedReceiver};
use tokio::task::JoinHandle;

use super::{ReplayArgs, Timed};
use crate::error::CliError;
use crate::stream_reader::{ShardBlock, StreamReader, since};

/// The records of another stream, in the order in which they arrived; those of one shard in its order.
pub(super) struct Live {
    /// The shards that are begun.
    begun: UnboundedReceiver<Receiver<ShardBlock>>,
    shards: Vec<OneShard>,
    reading: JoinHandle<Result<(), CliError>>,
}

struct OneShard {
    blocks: Receiver<ShardBlock>,
    waiting: VecDeque<Timed>,
}

impl Live {
    pub(super) async fn start(args: &ReplayArgs, stream: &str) -> Result<Self, CliError> {
        let reader = StreamReader {
            kinesis: Arc::new(AwsKinesis::connect(&args.source_settings()).await?),
            stream: stream.to_owned(),
            shard: None,
            from: args.since.map_or(millstream_kinesis::InitialPosition::TrimHorizon, since),
            follow: false,
        };
        let (announce, begun) = mpsc::unbounded_channel();
        let sender = move |_: &_| {
            // One block waits for each shard, and one is being put: a slow replay does not fill the memory.
            let (sender, blocks) = mpsc::channel(1);
            // Whoever has stopped putting wants no more shards.
            let _ = announce.send(blocks);
            sender
        };
        let reading = tokio::spawn(async move { reader.run(sender).await });
        Ok(Self { begun, shards: Vec::new(), reading })
    }

    pub(super) async fn next(&mut self) -> Result<Option<Timed>, CliError> {
        loop {
            while let Ok(blocks) = self.begun.try_recv() {
                self.shards.push(OneShard { blocks, waiting: VecDeque::new() });
            }
            self.fill().await;
            let first_ms = |shard: &OneShard| shard.waiting.front().map_or(i64::MAX, |record| record.at_ms);
            if let Some(shard) = self.shards.iter_mut().min_by_key(|shard| first_ms(shard)) {
                return Ok(shard.waiting.pop_front());
            }
            match self.begun.recv().await {
                Some(blocks) => self.shards.push(OneShard { blocks, waiting: VecDeque::new() }),
                None => {
                    return match (&mut self.reading).await {
                        Ok(read) => read.map(|()| None),
                        Err(failure) => Err(CliError::Runtime(failure.into())),
                    };
                }
            }
        }
    }

    /// Waits for the next records of each shard; one that has no more is left out from then on.
    async fn fill(&mut self) {
        let mut index = 0;
        while let Some(shard) = self.shards.get_mut(index) {
            if shard.waiting.is_empty() {
                match shard.blocks.recv().await {
                    Some(block) => shard.waiting = records(&block),
                    None => {
                        self.shards.remove(index);
                        continue;
                    }
                }
            }
            index += 1;
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

fn records(block: &ShardBlock) -> VecDeque<Timed> {
    let timed = |record: millstream_kinesis::RecordRef<'_>| Timed {
        at_ms: record.arrival_ms,
        entry: PutEntry {
            data: Bytes::copy_from_slice(record.data),
            partition_key: record.partition_key.to_owned(),
            explicit_hash_key: block.explicit_hash_key(&record),
        },
    };
    block.block.iter().map(timed).collect()
}
