//! The one runtime on which all Kinesis inputs of the process do their reading.

use millstream_engine::BoxError;
use std::io;
use std::sync::{OnceLock, mpsc};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();

/// The runtime, started at the first use.
///
/// # Errors
/// The system has no threads for it.
pub fn runtime() -> Result<&'static Runtime, BoxError> {
    let build = || Builder::new_multi_thread().thread_name("millstream-io").enable_all().build();
    RUNTIME.get_or_init(build).as_ref().map_err(|error| format!("no threads for reading: {error}").into())
}

/// Runs `future` on the runtime and waits for it. The calling thread may be one of another runtime, as in a `#[tokio::main]`
/// program, where `Runtime::block_on` would panic.
///
/// # Errors
/// There is no runtime, or the future panicked.
pub fn wait_for<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Result<T, BoxError> {
    let (sender, result) = mpsc::sync_channel(1);
    runtime()?.spawn(async move {
        // The receiver waits below.
        let _ = sender.send(future.await);
    });
    result.recv().map_err(|_| "reading broke off: a task panicked".into())
}
