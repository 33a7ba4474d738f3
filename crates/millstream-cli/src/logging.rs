//! Logging to standard error.

use std::io::{self, Write};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::json_lines::JsonLines;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line for programs.
    Json,
}

/// Logs to standard error: warnings at verbosity 0, information at 1, all at 2; `RUST_LOG` wins. Called again, it changes
/// nothing.
pub fn init(verbose: u8) {
    init_as(verbose, LogFormat::Text);
}

/// [`init`] in a format.
pub(crate) fn init_as(verbose: u8, format: LogFormat) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // Fails only where a host program has set up logging before us: then its choice stands.
    // Of a line that can't be written the subscriber would tell by `eprintln!`, which panics where the line was logged.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Lossy(io::stderr()))
        .log_internal_errors(false);
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.event_format(JsonLines).try_init(),
    };
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
