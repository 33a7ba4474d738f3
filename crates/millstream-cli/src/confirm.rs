//! What can't be undone is asked for first.

use std::io::{self, Write};

use crate::error::CliError;

/// Asks on standard error, and goes on only if `word` is typed.
pub(crate) fn typed(word: &str, what: &str) -> Result<(), CliError> {
    // Without a reader of the question there is none to answer it.
    let _ = write!(io::stderr(), "{what}\nType {word} to go on: ");
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    if read.is_ok() && line.trim() == word { Ok(()) } else { Err(CliError::NotConfirmed) }
}
