use std::sync::Arc;

use super::counts::ReadCounts;
use super::place::Place;
use crate::kpl::deaggregate;
use crate::{
    Checkpoint, ChildShard, HashKeyRange, InitialPosition, Kinesis, KinesisError, RecordBlock, SequenceNumber, Shard,
    ShardId, ShardRange,
};

/// How far a shard is read, whichever way, and what becomes of the records that the service sends: aggregated ones are taken
/// apart, and what a checkpoint says is processed is left out, exact to the sub-sequence number.
#[derive(Clone)]
pub struct ShardCursor {
    pub(super) kinesis: Arc<dyn Kinesis>,
    pub(super) stream: Arc<str>,
    pub(super) shard: ShardId,
    hash_range: Option<HashKeyRange>,
    pub(super) place: Place,
    pub(super) counts: Arc<ReadCounts>,
    /// The shard was listed as closed, or is gone, and these follow it.
    followed_by: Option<Vec<ChildShard>>,
    end: Option<Vec<ChildShard>>,
}

impl ShardCursor {
    /// Before what follows `from`.
    ///
    /// `initial` gives the time that a checkpoint `AtTimestamp` means, or the moment of a `Latest`. With `hash_range`, the shard's own, aggregates that
    /// hold records of other shards are left out, with a log line (see [`deaggregate`]).
    pub fn new(
        kinesis: Arc<dyn Kinesis>,
        stream: Arc<str>,
        shard: ShardId,
        hash_range: Option<HashKeyRange>,
        from: &Checkpoint,
        initial: InitialPosition,
    ) -> Self {
        ShardCursor {
            kinesis,
            stream,
            shard,
            hash_range,
            place: Place::new(from, initial),
            counts: Arc::default(),
            followed_by: None,
            end: (*from == Checkpoint::ShardEnd).then(Vec::new),
        }
    }

    /// Before the first record of `range`; it knows nothing of the range's end.
    pub(super) fn again(kinesis: Arc<dyn Kinesis>, range: &ShardRange, hash_range: Option<HashKeyRange>) -> Self {
        ShardCursor {
            kinesis,
            stream: range.stream.clone(),
            shard: range.shard.clone(),
            hash_range,
            place: Place::again(&range.first),
            counts: Arc::default(),
            followed_by: None,
            end: None,
        }
    }

    /// At the shard's end, the shards that follow it.
    pub(super) fn end(&self) -> Option<&[ChildShard]> {
        self.end.as_deref()
    }

    /// The user records of what the service sent next; the cursor is behind them then.
    pub(super) fn take(&mut self, raw: &RecordBlock) -> RecordBlock {
        let users = deaggregate(raw, self.hash_range.as_ref());
        if users.dropped > 0 {
            tracing::warn!(
                stream = %self.stream, shard = %self.shard, records = users.dropped,
                "left out aggregated records that belong to another shard"
            );
        }
        let sent = users.block.len();
        let block = self.place.unknown(users.block);
        self.counts.repeated(sent - block.len());
        self.place.advance(raw);
        block
    }

    /// There are no records up to `sequence`.
    pub(super) fn pass(&mut self, sequence: SequenceNumber) {
        self.place.pass(sequence);
    }

    /// The shard is closed, and all of it was taken: `children` follow it.
    pub(super) fn ended(&mut self, children: Option<Vec<ChildShard>>) {
        self.end = children;
    }

    /// Why the service refuses to read here: `error`, or what the stream's shards tell of it.
    pub(super) async fn cause_of(&mut self, error: KinesisError) -> KinesisError {
        let may_be_lost = match &error {
            KinesisError::StreamNotFound { .. } => true,
            KinesisError::InvalidArgument { .. } => self.place.sequence().is_some(),
            _ => false,
        };
        if !may_be_lost {
            return error;
        }
        let Ok(shards) = self.kinesis.list_shards(&self.stream).await else { return error };
        let (stream, id) = (self.stream.to_string(), self.shard.clone());
        match (shards.iter().find(|shard| shard.id == self.shard), self.place.sequence()) {
            (None, _) => {
                self.followed_by = Some(self.children_in(shards));
                KinesisError::ShardGone { stream, shard: id }
            }
            (Some(shard), Some(at)) if *at < shard.first => {
                let at = at.clone();
                // That was a shard of the old stream.
                self.followed_by = None;
                KinesisError::StreamRemade { stream, shard: id, at }
            }
            _ => error,
        }
    }

    /// Leaves out what is lost, as [`Self::cause_of`] has found: goes on at the shard's beginning; or at its end, where the
    /// stream has forgotten it.
    pub(super) fn skip_lost(&mut self) {
        match self.followed_by.take() {
            Some(children) => self.end = Some(children),
            None => self.place = Place::new(&Checkpoint::TrimHorizon, InitialPosition::TrimHorizon),
        }
    }

    /// The shards that follow this one.
    fn children_in(&self, shards: Vec<Shard>) -> Vec<ChildShard> {
        let children = shards.into_iter().filter(|shard| shard.parents.contains(&self.shard));
        children.map(|Shard { id, parents, hash_range, .. }| ChildShard { id, parents, hash_range }).collect()
    }

    /// What an answer means that tells nothing to go on with: the shard's end, with the shards that follow it; or none, to go
    /// on by a new call.
    ///
    /// The last answer should name the children (KCL's `DataRetrievalUtil` insists). A truncated one must never pass for the
    /// end: where no child is named, there must be no record either, in a shard that was listed as closed before the answer
    /// was asked for. Records may have come between an answer and the listing after it.
    pub(super) async fn end_of(
        &mut self,
        named: Vec<ChildShard>,
        records: &RecordBlock,
    ) -> Result<Option<Vec<ChildShard>>, KinesisError> {
        if !named.is_empty() {
            return Ok(Some(named));
        }
        if !records.is_empty() {
            return Ok(None);
        }
        if let Some(children) = &self.followed_by {
            return Ok(Some(children.clone()));
        }
        let shards = self.kinesis.list_shards(&self.stream).await?;
        let closed = |shard: &Shard| shard.id == self.shard && shard.is_closed();
        if !shards.iter().any(closed) {
            return Err(KinesisError::Service {
                code: "a malformed response".to_owned(),
                message: format!("the end of shard {}, which is open", self.shard),
                transient: true,
            });
        }
        self.followed_by = Some(self.children_in(shards));
        Ok(None)
    }
}
