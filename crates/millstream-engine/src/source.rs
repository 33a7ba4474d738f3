//! Where a batch's data comes from.

use crate::{BatchTime, BoxError, Part, PastInput};

/// A handle to one stream's data in one batch. Cloned for every consumer of the stream, so it should be cheap to clone.
pub trait Dataset: Clone + Send + 'static {}

impl<T: Clone + Send + 'static> Dataset for T {}

/// What a source gives to one batch.
#[derive(Clone, Debug)]
pub struct Cut<D> {
    /// The data.
    pub dataset: D,
    /// How many records it holds, for listeners.
    pub records: u64,
    /// Where they come from, for people.
    pub metadata: String,
    /// Where they come from, for [`Source::recut`]; nothing for a source that can't give them once more.
    pub parts: Vec<Part>,
}

impl<D> Cut<D> {
    /// What a source gives that can't give it once more.
    pub fn once(dataset: D, records: u64) -> Self {
        Self { dataset, records, metadata: String::new(), parts: Vec::new() }
    }
}

/// An input. All calls come from one thread of the engine, but for [`start`](Source::start), which comes from [`Engine::start`].
///
/// Every cut that succeeded is followed by exactly one call of [`committed`](Source::committed), in the order of the batches, or of
/// [`failed`](Source::failed). A source bounds what it holds by itself: a cut may come late when the program is behind.
///
/// [`Engine::start`]: crate::Engine::start
pub trait Source<D>: Send {
    /// The name of the input in the recovery log, the same in every run of the program. `None`: it can't give anything once more.
    fn name(&self) -> Option<String> {
        None
    }

    /// An earlier run has cut this. Comes before [`start`](Source::start), and only to a source with a name: what is read goes on
    /// behind it, and the batches that are open will be cut again by [`recut`](Source::recut).
    fn recover(&mut self, _past: PastInput) {}

    /// Starts reading. On an error nothing of the graph is started.
    fn start(&mut self) -> Result<(), BoxError> {
        Ok(())
    }

    /// The next cut may take so many records; `None`: all there are. A source that can't count its records takes all.
    fn limit(&mut self, _records: Option<u64>) {}

    /// Takes what has been read until now, without waiting for more. An error fails the batch for all sources.
    fn cut(&mut self, time: BatchTime) -> Result<Cut<D>, BoxError>;

    /// Gives once more what an earlier run has cut for the batch. A source that can't gives what it has.
    fn recut(&mut self, time: BatchTime, _parts: &[Part]) -> Result<Cut<D>, BoxError> {
        self.cut(time)
    }

    /// All outputs of the batch have succeeded.
    fn committed(&mut self, _time: BatchTime) {}

    /// An output of the batch has failed, or the batch was given up by a stop.
    fn failed(&mut self, _time: BatchTime) {}

    /// A graceful stop has begun: read no more. Cuts go on until [`is_drained`](Source::is_drained).
    fn drain(&mut self) {}

    /// Whether nothing is left to cut. Asked only after [`drain`](Source::drain).
    fn is_drained(&self) -> bool {
        true
    }

    /// The end. `graceful`: every batch that was cut has run, and there is time to write down what was committed.
    fn stop(&mut self, _graceful: bool) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A graph's sources, by the inputs' numbers.
pub(crate) type Sources<D> = Vec<Box<dyn Source<D>>>;
