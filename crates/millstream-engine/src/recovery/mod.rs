//! What a program that was killed goes on from: the batches it had cut and not committed, and the states of its operators.
//!
//! One file, `checkpoint-<number>`, holds a full snapshot of all states, and behind it what came since: each batch as it was cut,
//! written down before it runs, and what it changed in the states, written down when all its outputs have succeeded. When that has
//! grown larger than the snapshot, the next file begins with a new one, and the last file is deleted. So writing costs in
//! proportion to what changes, and a start reads about twice what the states hold.
//!
//! `frame.rs` and `entry.rs` are the format, pure; `history.rs` is what the entries of a file come to, pure; `log.rs` does the IO.

mod entry;
mod error;
mod frame;
mod history;
mod log;

pub(crate) use history::History;
pub(crate) use log::RecoveryLog;

pub use entry::{LoggedInput, SavedState};
pub use error::RecoveryError;
pub use history::PastInput;

use crate::{BatchTime, BoxError};
use std::path::PathBuf;
use std::sync::Arc;

/// What a source has cut of one part of it (a shard), in the source's own words: enough to read the same once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The part's name.
    pub name: String,
    /// What was cut.
    pub range: String,
}

/// The states that the operators of a graph keep from batch to batch. Called on the job thread, but for
/// [`restore`](States::restore), which comes first, from [`Engine::start`](crate::Engine::start).
pub trait States: Send {
    /// Goes on from what was saved: of each state what [`all`](States::all) gave, if anything, and all that
    /// [`changes`](States::changes) gave after it, in order.
    fn restore(&mut self, saved: Vec<SavedState>) -> Result<(), BoxError>;

    /// What the last batch has changed. Called once after each batch whose outputs have all succeeded.
    fn changes(&mut self) -> Result<Vec<SavedState>, BoxError>;

    /// Everything.
    fn all(&mut self) -> Result<Vec<SavedState>, BoxError>;
}

/// Where a graph's batches and states are written down.
pub struct Recovery {
    /// The directory, of this program alone; made if it is not there.
    pub directory: PathBuf,
    /// Begin anew: what an earlier run has left there is deleted.
    pub anew: bool,
    /// The states.
    pub states: Box<dyn States>,
}

/// The job thread's end of the log.
pub(crate) struct Checkpoints {
    pub(crate) log: Arc<RecoveryLog>,
    pub(crate) states: Box<dyn States>,
}

impl Checkpoints {
    /// All outputs of the batch have succeeded: writes down what it has changed.
    pub(crate) fn commit(&mut self, time: BatchTime) -> Result<(), BoxError> {
        let changes = self.states.changes()?;
        if self.log.commit(time, changes)? {
            let all = self.states.all()?;
            self.log.begin_file(&all)?;
        }
        Ok(())
    }
}
