//! Logging to standard error.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

/// Logs to standard error: warnings at verbosity 0, information at 1, all at 2; `RUST_LOG` wins. Called again, it changes
/// nothing.
pub fn init(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // Fails only where a host program has set up logging before us: then its choice stands.
    // Of a line that can't be written the subscriber would tell by `eprintln!`, which panics where the line was logged.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Lossy(io::stderr()))
        .log_internal_errors(false)
        .try_init();
}

/// A writer that loses what it can't write: whoever has closed standard error reads no log, and the program goes on.
struct Lossy<W>(W);

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}
