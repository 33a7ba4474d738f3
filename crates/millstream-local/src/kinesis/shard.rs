//! One shard: its place in the stream, its records.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::iterator::Place;
use super::sequence::Sequence;
use crate::storage::frame::Frame;
use crate::storage::{Appended, NotWritten, ShardLog, Submission, Take, Wanted};

/// What is written down about a shard, in the metadata file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardInfo {
    pub(crate) number: u32,
    /// None for a first shard, one after a split, two after a merge: the one to merge, then the adjacent one.
    pub(crate) parents: Vec<u32>,
    #[serde(with = "super::hash_key::decimal")]
    pub(crate) start_hash: u128,
    #[serde(with = "super::hash_key::decimal")]
    pub(crate) end_hash: u128,
    /// The second in its sequence numbers: when it was opened, or later to stand above its parents.
    pub(crate) opened_secs: u64,
    pub(crate) opened_ms: u64,
    pub(crate) closed_ms: Option<u64>,
}

/// A shard that is open, or closed by a split or merge and still readable.
#[derive(Debug)]
pub(crate) struct Shard {
    info: ShardInfo,
    closed_ms: OnceLock<u64>,
    log: Arc<ShardLog>,
}

/// Where a read ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadEnd {
    pub(crate) next: Place,
    /// There was nothing more to read.
    pub(crate) caught_up: bool,
    /// Nor will there ever be: the shard is closed.
    pub(crate) ended: bool,
}

impl Shard {
    pub(crate) fn new(info: ShardInfo, log: Arc<ShardLog>) -> Self {
        let closed_ms = info.closed_ms.map_or_else(OnceLock::new, OnceLock::from);
        Self { info, closed_ms, log }
    }

    pub(crate) fn info(&self) -> ShardInfo {
        ShardInfo { closed_ms: self.closed_ms(), ..self.info.clone() }
    }

    pub(crate) fn number(&self) -> u32 {
        self.info.number
    }

    pub(crate) fn closed_ms(&self) -> Option<u64> {
        self.closed_ms.get().copied()
    }

    /// Ends the shard. No append may be under way: the caller holds the stream's topology for writing.
    pub(crate) fn close(&self, now_ms: u64) {
        self.closed_ms.get_or_init(|| now_ms);
        self.changed().notify_waiters();
    }

    /// The sequence number of one of its records.
    pub(crate) fn sequence(&self, index: u64, arrival_ms: u64) -> Sequence {
        let ShardInfo { opened_secs, number, .. } = self.info;
        // As at AWS, the first records of a child are dated to its opening, a second after its parents' end.
        Sequence { opened_secs, shard: number, index, arrival_secs: (arrival_ms / 1000).max(opened_secs) }
    }

    /// Gives records the next sequence numbers; they are stored once `submission` is. The caller holds the stream's
    /// topology for reading, so that the shard is not closed meanwhile.
    pub(crate) fn append<'a>(
        &self,
        records: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
        now_ms: u64,
        submission: &mut Submission,
    ) -> Result<Appended, NotWritten> {
        self.log.append(records, now_ms, submission)
    }

    /// Shows the records from a place on to `take`, until there are no more or it refuses one.
    ///
    /// Reads from the disk: not for an asynchronous task, unless [`Shard::is_near`] says so.
    pub(crate) fn read(&self, place: Place, take: &mut impl Take) -> io::Result<ReadEnd> {
        // Asked before the log: after the close nothing is appended that the log would not show.
        let closed = self.closed_ms().is_some();
        let stop = self.log.read(Wanted { index: place.index, arrival_ms: place.arrival_ms }, take)?;
        let next = Place { index: stop.next.index, arrival_ms: stop.next.arrival_ms };
        Ok(ReadEnd { next, caught_up: stop.caught_up, ended: closed && stop.caught_up && stop.settled })
    }

    /// Shows the newest records, so many at most, the oldest of them first. Reads from the disk.
    pub(crate) fn newest(&self, most: usize, mut show: impl FnMut(&Frame<'_>)) -> io::Result<()> {
        let first = self.latest().index.saturating_sub(most as u64);
        let mut left = most;
        self.read(Place { index: first, arrival_ms: 0 }, &mut |record: &Frame<'_>| {
            // Records may have come since.
            let shown = left > 0;
            if shown {
                show(record);
                left -= 1;
            }
            shown
        })
        .map(drop)
    }

    /// Whether [`Shard::read`] from here has nothing to read.
    pub(crate) fn is_caught_up(&self, place: Place) -> bool {
        place.index > self.log.last_index()
    }

    /// Whether [`Shard::read`] from here has little to read and does not wait for a disk.
    pub(crate) fn is_near(&self, place: Place) -> bool {
        self.log.is_near(place.index)
    }

    /// What says that [`Shard::read`] may have more to show: records have been stored, or the shard has closed.
    pub(crate) fn changed(&self) -> &Notify {
        self.log.changed()
    }

    /// The place after the newest record.
    pub(crate) fn latest(&self) -> Place {
        Place { index: self.log.last_index() + 1, arrival_ms: 0 }
    }

    /// The place of the first record that arrived at a time or later. Reads from the disk.
    pub(crate) fn at_time(&self, arrival_ms: u64) -> io::Result<Place> {
        // A record on its way to the disk may have arrived earlier: without a record found, the time stays.
        Ok(self.read(Place { index: 0, arrival_ms }, &mut |_: &Frame<'_>| false)?.next)
    }

    /// Whether [`Shard::trim`] has something to do.
    pub(crate) fn has_expired_records(&self, horizon_ms: u64) -> bool {
        self.log.has_expired(horizon_ms)
    }

    /// Gives back the room of records that arrived before a time. Writes to the disk.
    pub(crate) fn trim(&self, horizon_ms: u64) {
        self.log.trim(horizon_ms);
    }

    /// The file that is appended to.
    pub(crate) fn active_path(&self) -> Option<PathBuf> {
        self.log.active_path()
    }

    /// Takes no more records: the stream goes away.
    pub(crate) fn give_up(&self) {
        self.log.give_up();
    }
}
