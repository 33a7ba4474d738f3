//! One shard as a stream of its own, whose program says itself how far it is.

use std::sync::Arc;

use millstream_kinesis::{Checkpoint, Position, ShardId};
use millstream_lease::Lease;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::buffer::{Epoch, LeaseKey, Next, Refused, ShardInput};
use crate::shared::Shared;

/// A shard whose lease this worker holds.
///
/// Dropping it says that the program is done with the shard: a lease that is being given up is not held for it any longer. One
/// that is dropped before its last event leaves the lease with this worker, and the shard unread, until the worker stops.
#[derive(Debug)]
pub struct ShardStream {
    held: Held,
    from: Checkpoint,
    arrived: Arc<Notify>,
    /// When the program got what it is processing.
    handed_out: Option<Instant>,
}

/// One time of holding a lease.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) shared: Arc<Shared>,
    pub(crate) key: LeaseKey,
    pub(crate) stream: Arc<str>,
    pub(crate) shard: ShardId,
    pub(crate) epoch: Epoch,
    /// What is stored; its end is that of the lease.
    pub(crate) stored: watch::Receiver<Stored>,
}

/// What is stored of a lease.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    checkpoint: Checkpoint,
    pending: Option<Checkpoint>,
    pending_state: Option<Vec<u8>>,
}

impl Stored {
    pub(crate) fn at(checkpoint: Checkpoint) -> Self {
        Self { checkpoint, pending: None, pending_state: None }
    }

    pub(crate) fn of(lease: &Lease) -> Self {
        Self {
            checkpoint: lease.checkpoint.clone(),
            pending: lease.pending_checkpoint.clone(),
            pending_state: lease.pending_state.clone(),
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("lease", &self.key).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// What happens to a shard.
#[derive(Debug)]
pub enum ShardEvent {
    /// Records, in order.
    Records {
        /// The records and their range.
        input: ShardInput,
        /// Age of the last answer's newest record against the tip of the shard, in milliseconds (`MillisBehindLatest`).
        millis_behind: i64,
    },
    /// The shard is closed and all of it was handed out. Its children are read after a checkpoint.
    Ended,
    /// The lease is to be given up, to another worker or at the end of this one: what is processed may be checkpointed, and
    /// then the stream is to be dropped.
    ShutdownRequested,
    /// The lease is gone: nothing of the shard can be checkpointed any more.
    LeaseLost,
}

/// Why a checkpoint was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The KCL's `ShutdownException`.
    #[error(
        "the lease of shard {shard} of stream {stream} is not this worker's any more: the checkpoint was not written, and what lies behind the last \
         one is processed again by the shard's next reader"
    )]
    LeaseLost {
        /// The stream's name.
        stream: Arc<str>,
        /// The shard.
        shard: ShardId,
    },
    /// The KCL's `IllegalArgumentException`.
    #[error(
        "a checkpoint of shard {shard} of stream {stream} at {at} is out of range: it must lie between the last checkpoint, {from}, and the last \
         record delivered, {to}"
    )]
    OutOfRange {
        /// The stream's name.
        stream: Arc<str>,
        /// The shard.
        shard: ShardId,
        /// The end that was asked for.
        at: Checkpoint,
        /// The last checkpoint.
        from: Checkpoint,
        /// The end of what was delivered.
        to: Checkpoint,
    },
}

impl ShardStream {
    pub(crate) fn new(held: Held, from: Checkpoint, arrived: Arc<Notify>) -> Self {
        Self { held, from, arrived, handed_out: None }
    }

    /// The shard's id.
    pub fn shard(&self) -> &ShardId {
        &self.held.shard
    }

    /// The stream's name.
    pub fn stream(&self) -> &Arc<str> {
        &self.held.stream
    }

    /// The checkpoint that reading began behind.
    pub fn from(&self) -> &Checkpoint {
        &self.from
    }

    /// The checkpoint that was prepared and not written, by this worker or by an earlier reader of the shard, and what it was
    /// prepared with.
    pub fn pending(&self) -> Option<(Checkpoint, Option<Vec<u8>>)> {
        let stored = self.held.stored.borrow();
        stored.pending.clone().map(|pending| (pending, stored.pending_state.clone()))
    }

    /// Writes checkpoints of this shard, also from elsewhere in the program.
    pub fn checkpointer(&self) -> Checkpointer {
        Checkpointer(self.held.clone())
    }

    /// Waits for records, at most so many, or for one of the events that end the stream. The memory of the records that were
    /// handed out before is free for others then. Cancelling it loses nothing.
    pub async fn next(&mut self, records: u64) -> ShardEvent {
        if let Some(handed_out) = self.handed_out.take()
            && let Some(times) = self.held.shared.buffer().times_of(&self.held.key)
        {
            times.process_records.add(handed_out.elapsed(), false);
        }
        loop {
            let (next, millis_behind) = {
                let mut buffer = self.held.shared.buffer();
                let next = buffer.next_of(&self.held.key, self.held.epoch, records);
                (next, buffer.millis_behind(&self.held.key))
            };
            match next {
                Next::Records(input) => {
                    self.handed_out = Some(Instant::now());
                    return ShardEvent::Records { input, millis_behind };
                }
                Next::Ended => return ShardEvent::Ended,
                Next::ShutdownRequested => return ShardEvent::ShutdownRequested,
                Next::Lost => return ShardEvent::LeaseLost,
                Next::Nothing => {}
            }
            tokio::select! {
                () = self.arrived.notified() => {}
                is_held = self.held.stored.changed() => if is_held.is_err() {
                    return ShardEvent::LeaseLost;
                },
            }
        }
    }

    /// Whether a checkpoint was asked for at the shard's end.
    pub(crate) fn is_committed_to_end(&self) -> bool {
        self.held.stored.borrow().checkpoint == Checkpoint::ShardEnd
            || self.held.shared.buffer().is_committed_to_end(&self.held.key, self.held.epoch)
    }
}

impl Drop for ShardStream {
    fn drop(&mut self) {
        self.held.shared.buffer().done_with(&self.held.key, self.held.epoch);
        self.held.shared.changed.notify_one();
    }
}

/// Writes checkpoints of one shard, as long as this worker holds its lease (KCL `RecordProcessorCheckpointer`).
#[derive(Clone, Debug)]
pub struct Checkpointer(Held);

impl Checkpointer {
    /// The shard.
    pub fn shard(&self) -> &ShardId {
        &self.0.shard
    }

    /// Everything delivered is processed; at a shard's end, all of the shard. The checkpoint is stored when this returns.
    ///
    /// # Errors
    /// The lease is gone.
    pub async fn checkpoint(&self) -> Result<(), CheckpointError> {
        self.write(None).await
    }

    /// Everything up to this record, itself included, is processed. The checkpoint is stored when this returns; one that is
    /// stored already is not written again. `position` need not be that of a record.
    ///
    /// # Errors
    /// The lease is gone, or the place is before the last checkpoint or behind what was delivered.
    pub async fn checkpoint_at(&self, position: Position) -> Result<(), CheckpointError> {
        self.write(Some(position)).await
    }

    /// Notes in the lease that this checkpoint is about to be written, with `state` for the program itself: the shard's next reader
    /// is told of both if it is not ([`ShardStream::pending`]). `None`: the end of what was delivered. The note is stored when
    /// this returns; the next checkpoint removes it (KCL `prepareCheckpoint`).
    ///
    /// # Errors
    /// As [`Checkpointer::checkpoint_at`].
    pub async fn prepare(
        &self,
        position: Option<Position>,
        state: Option<Vec<u8>>,
    ) -> Result<PreparedCheckpoint, CheckpointError> {
        let Held { shared, key, epoch, stored, .. } = &self.0;
        let mut stored = stored.clone();
        let asked = position.clone();
        let prepared = shared.buffer().prepare(key, *epoch, position, state.clone());
        let at = prepared.map_err(|refused| self.error(refused, asked))?;
        shared.changed.notify_one();
        // A later checkpoint has removed it already.
        let is_noted = |stored: &Stored| {
            (stored.pending.as_ref() == Some(&at) && stored.pending_state == state) || stored.checkpoint > at
        };
        let noted = stored.wait_for(is_noted).await.map(drop);
        noted.map_err(|_| self.error(Refused::Lost, None))?;
        Ok(PreparedCheckpoint { checkpointer: self.clone(), at })
    }

    async fn write(&self, to: Option<Position>) -> Result<(), CheckpointError> {
        let Held { shared, key, epoch, stored, .. } = &self.0;
        let mut stored = stored.clone();
        if to.is_none() && stored.borrow().checkpoint == Checkpoint::ShardEnd {
            return Ok(());
        }
        let asked = to.clone();
        let wanted = shared.buffer().commit(key, *epoch, to).map_err(|refused| self.error(refused, asked))?;
        shared.changed.notify_one();
        // Also told of where the lease has gone meanwhile: what was stored before counts.
        let written = stored.wait_for(|stored| stored.checkpoint >= wanted).await.map(drop);
        written.map_err(|_| self.error(Refused::Lost, None))
    }

    fn error(&self, refused: Refused, asked: Option<Position>) -> CheckpointError {
        let (stream, shard) = (self.0.stream.clone(), self.0.shard.clone());
        match refused {
            Refused::Lost => CheckpointError::LeaseLost { stream, shard },
            Refused::OutOfRange { from, to } => {
                let at = asked.map_or_else(|| to.clone(), Checkpoint::At);
                CheckpointError::OutOfRange { stream, shard, at, from, to }
            }
        }
    }
}

/// A checkpoint that is noted in the lease, and still to be written (KCL `PreparedCheckpointer`).
#[derive(Clone, Debug)]
pub struct PreparedCheckpoint {
    checkpointer: Checkpointer,
    at: Checkpoint,
}

impl PreparedCheckpoint {
    /// Up to where it reaches.
    pub fn at(&self) -> &Checkpoint {
        &self.at
    }

    /// Writes it. It is stored when this returns.
    ///
    /// # Errors
    /// As [`Checkpointer::checkpoint_at`].
    pub async fn checkpoint(&self) -> Result<(), CheckpointError> {
        match &self.at {
            Checkpoint::At(position) => self.checkpointer.checkpoint_at(position.clone()).await,
            Checkpoint::ShardEnd => self.checkpointer.checkpoint().await,
            // Nothing was delivered: nothing is to be written.
            _ => Ok(()),
        }
    }
}
