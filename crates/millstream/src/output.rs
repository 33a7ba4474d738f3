//! Output operations: what a program does with its streams.

use crate::{DStream, Partitions, print, text_files};
use millstream_engine::{BatchTime, BoxError};
use std::fmt::{Debug, Display};
use std::io;

impl<T: Send + Sync + 'static> DStream<T> {
    /// Calls `function` with each batch's time and data. After an error the batch is not committed, so that its records come again
    /// when the program is started again; later batches run, and `await_termination` returns the error.
    pub fn foreach_rdd(
        &self,
        function: impl FnMut(BatchTime, &Partitions<T>) -> Result<(), BoxError> + Send + 'static,
    ) {
        self.output("foreach_rdd", function);
    }

    /// Prints each batch's time and its first `num` elements to the standard output, as Spark's `print` does.
    pub fn pprint(&self, num: usize)
    where
        T: Debug,
    {
        self.output("pprint", move |time, data| Ok(print::batch(&mut io::stdout().lock(), time, data, num)?));
    }

    /// Writes each batch to a new folder `<prefix>-<batch time in ms>[.<suffix>]`, a file `part-<number>` for each partition, a
    /// line for each element. The folder appears when it is complete; one that exists fails the batch.
    pub fn save_as_text_files(&self, prefix: impl Into<String>, suffix: Option<&str>)
    where
        T: Display,
    {
        let prefix = prefix.into();
        let suffix = suffix.map_or_else(String::new, |suffix| format!(".{suffix}"));
        self.output("save_as_text_files", move |time, data| {
            let folder = format!("{prefix}-{}{suffix}", time.millis());
            Ok(text_files::write(folder.as_ref(), data)?)
        });
    }

    fn output(
        &self,
        name: &str,
        mut function: impl FnMut(BatchTime, &Partitions<T>) -> Result<(), BoxError> + Send + 'static,
    ) {
        self.context().build(|graph| {
            graph.output(
                self.id(),
                name,
                Box::new(move |time, data: crate::dataset::AnyPartitions| function(time, data.of()?)),
            )
        });
    }
}
