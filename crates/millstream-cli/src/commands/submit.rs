//! `millstream submit`: the Python package does the work; this finds the interpreter.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use clap::Args;

use crate::error::CliError;

#[derive(Args)]
pub(crate) struct SubmitArgs {
    /// spark-submit's flags, the program, and the program's own arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}

/// Runs `python3 -m millstream submit …` and returns its exit code. `PYSPARK_PYTHON` names another interpreter, as for
/// spark-submit.
pub(crate) fn run(args: &SubmitArgs) -> Result<u8, CliError> {
    let interpreter = env::var("PYSPARK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let status = Command::new(&interpreter)
        .args(["-m", "millstream", "submit"])
        .args(&args.arguments)
        .status()
        .map_err(|source| CliError::Python { interpreter, source })?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
