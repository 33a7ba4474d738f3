//! The `millstream` command. [`run`] is the whole of it, so that the same command is the binary of this crate and the
//! console script of the Python package.
//!
//! Exit codes: 0 done, 1 the work failed (standard error says why), 2 wrong usage, 3 refused: nothing was changed, 4 no access,
//! 5 a service can't be reached (`docs/commands.md`).

mod args;
mod aws;
mod commands;
mod confirm;
mod duration;
mod error;
mod hint;
mod json_lines;
mod logging;
mod output;
mod pace;
mod progress;
mod sink;
mod stop;
mod stream_reader;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;

use crate::args::{Cli, Command};
use crate::error::CliError;
pub use crate::logging::init as init_logging;

/// Runs `millstream` with `argv` (the program's name first) and returns the exit code. Help, the version and errors are
/// printed as clap prints them.
pub fn run<I, T>(argv: I) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(usage) => {
            // A closed pipe while printing help is no reason to fail differently.
            let _ = usage.print();
            return u8::try_from(usage.exit_code()).unwrap_or(2);
        }
    };
    logging::init_as(cli.verbose, cli.command.log_format());
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // With standard error closed the exit code says it alone; `eprintln!` would panic, and change it.
            let _ = writeln!(io::stderr(), "millstream: {error}");
            if let Some(hint) = hint::hint(&error) {
                let _ = writeln!(io::stderr(), "  {hint}");
            }
            error.exit_code()
        }
    }
}

fn execute(command: Command) -> Result<u8, CliError> {
    match command {
        Command::Local(args) => block_on(commands::local::run(args)),
        Command::Streams(args) => block_on(commands::streams::run(args)),
        Command::Shards(args) => block_on(commands::shards::run(args)),
        Command::Tail(args) => block_on(commands::tail::run(args)),
        Command::Put(args) => block_on(commands::put::run(args)),
        Command::Replay(args) => block_on(commands::replay::run(args)),
        Command::Doctor(args) => block_on(commands::doctor::run(args)),
        Command::Top(args) => block_on(commands::top::run(args)),
        Command::Leases(args) => block_on(commands::leases::run(args)),
        Command::Cost(args) => block_on(commands::cost::run(args)),
        Command::Reshard(args) => block_on(commands::reshard::run(args)),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Submit(args) => commands::submit::run(&args),
    }
}

fn block_on(work: impl Future<Output = Result<(), CliError>>) -> Result<u8, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)?;
    runtime.block_on(work).map(|()| 0)
}
