//! `millstream submit`: the Python package does the work; this finds the interpreter.

use std::env;
use std::process::Command;

use crate::args::SubmitArgs;
use crate::error::CliError;

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
