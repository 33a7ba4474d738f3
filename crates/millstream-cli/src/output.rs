//! How a command prints what it found.

use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;
use serde_json::Value;

use crate::error::CliError;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Columns for people.
    Table,
    /// One JSON array for programs.
    Json,
}

impl Output {
    /// Prints what was found to standard output: as rows, or by `table`.
    pub(crate) fn print<T>(
        self,
        found: &[T],
        row: fn(&T) -> Value,
        table: fn(&[T], &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        let printed = self.write(found, row, table, &mut out);
        written(printed.and_then(|()| out.flush()))
    }

    /// The same, to anywhere.
    pub(crate) fn write<T>(
        self,
        found: &[T],
        row: fn(&T) -> Value,
        table: fn(&[T], &mut dyn Write) -> io::Result<()>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Self::Json => writeln!(out, "{}", Value::from(found.iter().map(row).collect::<Vec<_>>())),
            Self::Table => table(found, out),
        }
    }
}

/// What came of writing to standard output. Whoever closes the pipe has read enough, which is no failure.
pub(crate) fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Write(error)),
        _ => Ok(()),
    }
}
