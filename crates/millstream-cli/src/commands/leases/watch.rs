use std::io::{self, IsTerminal, Write};

use millstream_lease::{LeaseStore, StoreError};
use tokio::time::sleep;

use super::LeasesArgs;
use super::listing::{Line, client, look, row, table};
use crate::error::CliError;
use crate::output::Output;
use crate::stop::Stop;

/// Prints the leases whenever they have changed, until a signal or until nobody reads.
pub(super) async fn run(args: &LeasesArgs, store: &dyn LeaseStore) -> Result<(), CliError> {
    let stop = Stop::listen().map_err(CliError::Runtime)?;
    tokio::select! {
        ended = redraw(args, store) => ended,
        () = stop.asked_for() => Ok(()),
    }
}

async fn redraw(args: &LeasesArgs, store: &dyn LeaseStore) -> Result<(), CliError> {
    let is_terminal = io::stdout().is_terminal();
    let kinesis = client(args).await?;
    let mut shown = Vec::new();
    loop {
        match look(args, store, kinesis.as_ref()).await {
            Ok(lines) => {
                let drawn = draw(args.output, &lines)?;
                if drawn != shown {
                    if !print(&drawn, is_terminal, shown.is_empty(), args.output)? {
                        return Ok(());
                    }
                    shown = drawn;
                }
            }
            // Before the first look it is more likely a mistake than a failure that passes.
            Err(error) if !shown.is_empty() && passes(&error) => {
                tracing::warn!(%error, "the leases can't be read now; they are read again");
            }
            Err(error) => return Err(error),
        }
        sleep(args.every).await;
    }
}

fn passes(error: &CliError) -> bool {
    match error {
        CliError::Store(error) => StoreError::is_retryable(error),
        CliError::Kinesis(error) => error.is_retryable(),
        _ => false,
    }
}

fn draw(output: Output, lines: &[Line]) -> Result<Vec<u8>, CliError> {
    let mut drawn = Vec::new();
    output.write(lines, row, table, &mut drawn).map_err(CliError::Write)?;
    Ok(drawn)
}

/// `false`: nobody reads any more.
fn print(drawn: &[u8], is_terminal: bool, is_first: bool, output: Output) -> Result<bool, CliError> {
    let before: &[u8] = match output {
        // Home, and clear all below.
        Output::Table if is_terminal => b"\x1b[H\x1b[J",
        Output::Table if !is_first => b"\n",
        _ => b"",
    };
    let mut out = io::stdout().lock();
    match out.write_all(before).and_then(|()| out.write_all(drawn)).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::Write(error)),
    }
}
