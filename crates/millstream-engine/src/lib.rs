//! Micro-batches over datasets it does not look into: batch clock, graph of streams, outputs, listeners.
//!
//! A program describes its streams as a [`GraphBuilder`]: inputs ([`Source`]), streams derived from others ([`Operator`]) and
//! output operations ([`Output`]). An [`Engine`] then runs it: at every batch time (a multiple of the interval) each source is cut,
//! and the batch that comes of it runs through the graph, one batch at a time, in order. Only when all outputs of a batch have
//! succeeded is it committed to the sources.
//!
//! With a [`Recovery`], batches and states are written down, so that a program that was killed goes on where it was.
//!
//! Two threads do the work. The *driver* owns the sources and decides by a pure core (`schedule.rs`) what comes next: cut, run,
//! discard, end. The *job thread* owns operators and outputs and runs one batch at a time. So a long batch never delays a cut, and
//! a source is only ever called from one thread.
//!
//! ```
//! use millstream_engine::{BatchTime, BoxError, Cut, Engine, EngineConfig, GraphBuilder, Source};
//! use std::time::Duration;
//!
//! struct Ones;
//! impl Source<u64> for Ones {
//!     fn cut(&mut self, _: BatchTime) -> Result<Cut<u64>, BoxError> {
//!         Ok(Cut::once(1, 1))
//!     }
//! }
//!
//! let mut graph = GraphBuilder::new();
//! let ones = graph.input(Box::new(Ones));
//! let twos = graph.derive(&[ones], Box::new(|_: BatchTime, parents: Vec<u64>| Ok(parents.iter().sum::<u64>() * 2)));
//! let (sender, sums) = std::sync::mpsc::channel();
//! graph.output(twos, "send", Box::new(move |_: BatchTime, sum: u64| Ok(sender.send(sum)?)));
//!
//! let engine = Engine::new(EngineConfig::new(Duration::from_millis(10)));
//! engine.start(graph)?;
//! assert_eq!(sums.recv(), Ok(2));
//! engine.stop(true)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod driver;
mod engine;
mod error;
mod graph;
mod info;
mod job;
mod lifecycle;
mod listener;
mod plan;
mod protect;
mod rate;
mod recovery;
mod schedule;
mod source;

pub use clock::{BatchTime, now_ms};
pub use engine::{Engine, EngineConfig};
pub use error::{BoxError, EngineFailed, JobError, Panicked, SourceStopError, StartError, Step};
pub use graph::{GraphBuilder, Operator, Output, StreamId};
pub use info::{BatchInfo, InputInfo, OutputInfo};
pub use lifecycle::State;
pub use listener::BatchListener;
pub use rate::{Backpressure, RateConfig};
pub use recovery::{LoggedInput, Part, PastInput, Recovery, RecoveryError, SavedState, States};
pub use source::{Cut, Dataset, Source};
