//! Logging to standard error.

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
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
