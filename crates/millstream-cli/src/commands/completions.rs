//! `millstream completions`: what a shell needs to complete the command.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliError;
use crate::output::written;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  millstream completions bash > ~/.local/share/bash-completion/completions/millstream\n  \
    millstream completions fish > ~/.config/fish/completions/millstream.fish"
)]
pub(crate) struct CompletionsArgs {
    /// Shell to write the script for.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<u8, CliError> {
    // Not straight to standard output: it would panic where that is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "millstream", &mut script);
    written(io::stdout().write_all(&script).and_then(|()| io::stdout().flush()))?;
    Ok(0)
}
