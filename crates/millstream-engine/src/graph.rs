//! The graph of streams, as the program describes it.

use crate::source::{Source, Sources};
use crate::{BatchTime, BoxError, Dataset, Recovery};

/// A stream of a [`GraphBuilder`], by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId(pub usize);

/// Computes a stream's dataset of one batch from its parents'. Called at most once per batch, and for every batch that gets so far:
/// an operator may keep state. Any `FnMut(BatchTime, Vec<D>) -> Result<D, BoxError>` is one.
pub trait Operator<D>: Send {
    /// `parents` are in the order of [`GraphBuilder::derive`]. An error fails the batch.
    fn compute(&mut self, time: BatchTime, parents: Vec<D>) -> Result<D, BoxError>;
}

impl<D, F: FnMut(BatchTime, Vec<D>) -> Result<D, BoxError> + Send> Operator<D> for F {
    fn compute(&mut self, time: BatchTime, parents: Vec<D>) -> Result<D, BoxError> {
        self(time, parents)
    }
}

/// An output operation. Any `FnMut(BatchTime, D) -> Result<(), BoxError>` is one.
pub trait Output<D>: Send {
    /// Does the output for one batch. After an error the batch is not committed, but its other outputs run.
    fn run(&mut self, time: BatchTime, dataset: D) -> Result<(), BoxError>;
}

impl<D, F: FnMut(BatchTime, D) -> Result<(), BoxError> + Send> Output<D> for F {
    fn run(&mut self, time: BatchTime, dataset: D) -> Result<(), BoxError> {
        self(time, dataset)
    }
}

/// How a stream comes about.
pub(crate) enum Node<D> {
    /// The input with this number.
    Input(usize),
    /// Computed.
    Derived { parents: Vec<StreamId>, operator: Box<dyn Operator<D>> },
}

/// An output operation of the graph.
pub(crate) struct OutputNode<D> {
    pub(crate) parent: StreamId,
    pub(crate) name: String,
    pub(crate) output: Box<dyn Output<D>>,
}

/// Streams, where they come from, and what is done with them. Parents come before children, so there is no cycle.
pub struct GraphBuilder<D> {
    pub(crate) sources: Sources<D>,
    pub(crate) nodes: Vec<Node<D>>,
    pub(crate) outputs: Vec<OutputNode<D>>,
    pub(crate) unknown: Option<StreamId>,
    pub(crate) recovery: Option<Recovery>,
}

impl<D: Dataset> GraphBuilder<D> {
    /// An empty graph.
    pub fn new() -> Self {
        Self { sources: Vec::new(), nodes: Vec::new(), outputs: Vec::new(), unknown: None, recovery: None }
    }

    /// Adds an input. Inputs are numbered from 0 in this order.
    pub fn input(&mut self, source: Box<dyn Source<D>>) -> StreamId {
        let number = self.sources.len();
        self.sources.push(source);
        self.add(Node::Input(number))
    }

    /// Adds a stream that `operator` computes from `parents`. A parent of another graph is found at the start at the latest
    /// ([`StartError::UnknownStream`](crate::StartError::UnknownStream)), if its number is not in use here.
    pub fn derive(&mut self, parents: &[StreamId], operator: Box<dyn Operator<D>>) -> StreamId {
        for parent in parents {
            self.check(*parent);
        }
        self.add(Node::Derived { parents: parents.to_vec(), operator })
    }

    /// Adds an output operation on `parent` and returns its number, counted from 0. Outputs run in this order.
    pub fn output(&mut self, parent: StreamId, name: impl Into<String>, output: Box<dyn Output<D>>) -> usize {
        self.check(parent);
        self.outputs.push(OutputNode { parent, name: name.into(), output });
        self.outputs.len() - 1
    }

    /// Writes down batches and states, and goes on from what an earlier run has written.
    pub fn recover(&mut self, recovery: Recovery) {
        self.recovery = Some(recovery);
    }

    fn add(&mut self, node: Node<D>) -> StreamId {
        self.nodes.push(node);
        StreamId(self.nodes.len() - 1)
    }

    fn check(&mut self, stream: StreamId) {
        if stream.0 >= self.nodes.len() {
            self.unknown.get_or_insert(stream);
        }
    }
}

impl<D: Dataset> Default for GraphBuilder<D> {
    fn default() -> Self {
        Self::new()
    }
}
