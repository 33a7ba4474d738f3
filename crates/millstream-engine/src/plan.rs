//! The graph made ready to run: which streams a batch needs, and how often each is used.

use crate::graph::{Node, OutputNode};
use crate::protect::protect;
use crate::source::Sources;
use crate::{BatchTime, BoxError, Dataset, GraphBuilder, JobError, StartError, Step, StreamId};

/// Operators and outputs, without the sources.
pub(crate) struct Plan<D> {
    nodes: Vec<Node<D>>,
    /// Per stream, by how many needed streams and outputs it is used in a batch; 0: it leads to no output, and is not computed.
    uses: Vec<usize>,
    pub(crate) outputs: Vec<OutputNode<D>>,
}

impl<D: Dataset> Plan<D> {
    /// Checks the graph and parts the sources from the rest, as they live on different threads.
    pub(crate) fn new(graph: GraphBuilder<D>) -> Result<(Sources<D>, Self), StartError> {
        let GraphBuilder { sources, nodes, outputs, unknown, recovery: _ } = graph;
        if let Some(stream) = unknown {
            return Err(StartError::UnknownStream(stream));
        }
        if outputs.is_empty() {
            return Err(StartError::NoOutputs);
        }
        let mut uses = vec![0; nodes.len()];
        for output in &outputs {
            uses[output.parent.0] += 1;
        }
        // Children come after their parents, so backwards every use of a stream is known before its parents are counted.
        for (index, node) in nodes.iter().enumerate().rev() {
            if let Node::Derived { parents, .. } = node
                && uses[index] > 0
            {
                for parent in parents {
                    uses[parent.0] += 1;
                }
            }
        }
        Ok((sources, Self { nodes, uses, outputs }))
    }

    /// Computes every stream that leads to an output, each once, from the inputs' datasets.
    pub(crate) fn compute(&mut self, time: BatchTime, inputs: Vec<D>) -> Result<Computed<D>, JobError> {
        let mut inputs: Vec<Option<D>> = inputs.into_iter().map(Some).collect();
        let mut computed = Computed(Vec::with_capacity(self.nodes.len()));
        for (index, node) in self.nodes.iter_mut().enumerate() {
            let uses = self.uses[index];
            let dataset = match node {
                _ if uses == 0 => None,
                Node::Input(number) => inputs.get_mut(*number).and_then(Option::take),
                Node::Derived { parents, operator } => {
                    let result =
                        computed.take_all(parents).and_then(|datasets| protect(|| operator.compute(time, datasets)));
                    Some(result.map_err(|cause| JobError { time, step: Step::Stream(StreamId(index)), cause })?)
                }
            };
            computed.0.push(dataset.map(|dataset| (uses, dataset)));
        }
        Ok(computed)
    }
}

/// The datasets of one batch, each with the uses it still has. The last use takes the dataset out, so that it is freed early.
pub(crate) struct Computed<D>(Vec<Option<(usize, D)>>);

impl<D: Dataset> Computed<D> {
    /// A stream's dataset, for one use.
    pub(crate) fn take(&mut self, stream: StreamId) -> Result<D, BoxError> {
        let slot = self.0.get_mut(stream.0).ok_or("the graph has no such stream")?;
        match slot {
            Some((uses, dataset)) if *uses > 1 => {
                *uses -= 1;
                Ok(dataset.clone())
            }
            _ => {
                slot.take().map(|(_, dataset)| dataset).ok_or_else(|| "the stream has no dataset in this batch".into())
            }
        }
    }

    fn take_all(&mut self, streams: &[StreamId]) -> Result<Vec<D>, BoxError> {
        streams.iter().map(|stream| self.take(*stream)).collect()
    }
}
