//! PyO3 bindings: one file per class. The Python package in `python/millstream` is built on them.
//!
//! The engine is given Python objects as datasets and calls back into Python for operators and outputs, once a batch each.
//! Its threads attach to the interpreter only for such a call.

mod block;
mod buffer;
mod conf;
mod dashboard;
mod dataset;
mod engine;
mod error;
mod kcl_checkpointer;
mod kcl_processor;
mod kcl_worker;
mod kinesis_client;
mod kinesis_input;
mod kinesis_writer;
mod lease_table;
mod listener;
mod prefetcher;
mod python_source;
mod range_read;
mod record;
mod states;

use pyo3::prelude::*;

/// The native module `millstream._millstream`.
#[pymodule(gil_used = false)]
mod _millstream {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::block::Block;
    #[pymodule_export]
    use crate::buffer::Buffer;
    #[pymodule_export]
    use crate::dashboard::Dashboard;
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::kcl_checkpointer::{KclCheckpointer, KclPreparedCheckpoint};
    #[pymodule_export]
    use crate::kcl_worker::KclWorker;
    #[pymodule_export]
    use crate::kinesis_client::KinesisClient;
    #[pymodule_export]
    use crate::kinesis_input::KinesisInput;
    #[pymodule_export]
    use crate::kinesis_writer::KinesisWriter;
    #[pymodule_export]
    use crate::lease_table::LeaseTable;
    #[pymodule_export]
    use crate::prefetcher::Prefetcher;
    #[pymodule_export]
    use crate::range_read::RangeRead;
    #[pymodule_export]
    use crate::record::Record;

    /// Runs the `millstream` command with `argv` (the program's name first) and returns its exit code.
    #[pyfunction]
    fn main(py: Python<'_>, argv: Vec<String>) -> u8 {
        py.detach(|| millstream_cli::run(argv))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
