use std::io::{self, BufWriter, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::record_line::RecordFormat;
use crate::error::CliError;
use crate::output::written;
use crate::stream_reader::ShardBlock;

/// Blocks that wait for a slow reader of the output; shards are not read meanwhile.
const WAITING: usize = 8;
/// How long a signal waits for a reader that may have stopped reading.
const PATIENCE: Duration = Duration::from_millis(500);

/// Writes records to standard output on a thread of its own: a pipe that is full must not keep Ctrl-C from being heard.
pub(super) struct Printer {
    end: oneshot::Receiver<io::Result<()>>,
}

impl Printer {
    /// The printer, and where records go; it ends when that is dropped.
    pub(super) fn start(format: RecordFormat) -> io::Result<(Self, mpsc::Sender<ShardBlock>)> {
        let (blocks, mut waiting) = mpsc::channel::<ShardBlock>(WAITING);
        let (ended, end) = oneshot::channel();
        let mut print = move || {
            let to_terminal = io::stdout().is_terminal();
            let mut out = BufWriter::new(io::stdout());
            while let Some(block) = waiting.blocking_recv() {
                for record in block.block.iter() {
                    format.write(&mut out, &block, &record, to_terminal)?;
                }
                out.flush()?;
            }
            Ok(())
        };
        let thread = thread::Builder::new().name("tail-printer".to_owned());
        // Who has stopped waiting does not want to know.
        thread.spawn(move || drop(ended.send(print())))?;
        Ok((Printer { end }, blocks))
    }

    /// Waits until all is printed, or the output is closed or fails.
    pub(super) async fn ended(&mut self) -> Result<(), CliError> {
        (&mut self.end).await.map_or_else(|_| Err(CliError::Write(io::Error::other("the printer has died"))), written)
    }

    /// The same, but not for long.
    pub(super) async fn ended_soon(&mut self) -> Result<(), CliError> {
        timeout(PATIENCE, self.ended()).await.unwrap_or(Ok(()))
    }
}
