//! Reads the shards of a stream, children after their parents, for `tail`, `replay` and `top`.

mod family;
mod shard_task;

use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{
    ChildShard, HashKey, HashKeyRange, InitialPosition, Kinesis, KinesisError, RecordBlock, RecordRef, Shard, ShardId,
    now_ms,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::family::Family;
use self::shard_task::ShardTask;
use crate::error::CliError;

/// What is read, from where to where.
pub(crate) struct StreamReader {
    pub(crate) kinesis: Arc<dyn Kinesis>,
    pub(crate) stream: String,
    /// This shard only; else all.
    pub(crate) shard: Option<String>,
    pub(crate) from: InitialPosition,
    /// Go on with what arrives; else it ends when all is read that was there at its start.
    pub(crate) follow: bool,
}

/// Records of a shard.
pub(crate) struct ShardBlock {
    pub(crate) block: RecordBlock,
    /// The hash keys that the shard takes.
    pub(crate) hash_range: HashKeyRange,
}

impl ShardBlock {
    /// A hash key that brings the record where it was: the lowest of its shard, where its partition key does not belong there. It
    /// was put with one then, which Kinesis does not tell.
    pub(crate) fn explicit_hash_key(&self, record: &RecordRef<'_>) -> Option<HashKey> {
        let own = HashKey::of_partition_key(record.partition_key);
        (!self.hash_range.contains(own)).then_some(self.hash_range.start)
    }
}

/// What a shard's reader came back with: at the shard's end, the shards that follow it.
type Outcome = (ShardId, Result<Option<Vec<ChildShard>>, KinesisError>);

impl StreamReader {
    /// Reads all that is asked for. `sender` gives, for each shard that is begun, where its records go. Cancelled, it stops.
    pub(crate) async fn run(&self, sender: impl Fn(&ShardId) -> mpsc::Sender<ShardBlock>) -> Result<(), CliError> {
        let now_ms = now_ms();
        let shards = self.chosen(self.kinesis.list_shards(&self.stream).await?)?;
        let is_latest = self.from == InitialPosition::Latest;
        let mut family = if is_latest { Family::of_open(shards) } else { Family::of_all(shards) };
        let mut tasks: JoinSet<Outcome> = JoinSet::new();
        loop {
            for member in family.ready() {
                // A child that follows what was read from LATEST is read from its beginning.
                let from = if member.is_first || !is_latest { self.from } else { InitialPosition::TrimHorizon };
                let task = ShardTask {
                    kinesis: Arc::clone(&self.kinesis),
                    stream: self.stream.as_str().into(),
                    shard: member.id.clone(),
                    hash_range: member.hash_range,
                    from,
                    until_ms: (!self.follow && !member.is_closed).then_some(now_ms),
                    blocks: sender(&member.id),
                };
                tasks.spawn(async move { (member.id, task.run().await) });
            }
            match tasks.join_next().await {
                None => return Ok(()),
                Some(Ok((shard, read))) => match read? {
                    Some(children) if self.shard.is_none() => family.ended(&shard, children),
                    _ => {}
                },
                Some(Err(failure)) => return Err(CliError::Runtime(failure.into())),
            }
        }
    }

    fn chosen(&self, mut shards: Vec<Shard>) -> Result<Vec<Shard>, CliError> {
        if let Some(id) = &self.shard {
            shards.retain(|shard| shard.id.as_str() == id);
            if shards.is_empty() {
                return Err(CliError::NoShard { stream: self.stream.clone(), shard: id.clone() });
            }
        }
        Ok(shards)
    }
}

/// What arrived this long ago or later.
pub(crate) fn since(ago: Duration) -> InitialPosition {
    let ago_ms = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
    InitialPosition::AtTimestamp(now_ms().saturating_sub(ago_ms).max(0))
}
