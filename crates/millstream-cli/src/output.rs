//! How a command prints what it found.

use std::io::{self, ErrorKind};

use clap::ValueEnum;

use crate::error::CliError;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Columns for people.
    Table,
    /// One JSON array for programs.
    Json,
}

/// What came of writing to standard output. Whoever closes the pipe has read enough, which is no failure.
pub(crate) fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Write(error)),
        _ => Ok(()),
    }
}
