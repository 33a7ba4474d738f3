//! A panic of user code becomes an error of its batch, instead of the end of an engine's thread.

use crate::{BoxError, Panicked};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `f`; its panic is a [`Panicked`] error.
pub(crate) fn protect<T>(f: impl FnOnce() -> Result<T, BoxError>) -> Result<T, BoxError> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| Err(Panicked { message: message_of(&*payload) }.into()))
}

/// Calls a callback that can't fail, whose panic is only worth a line in the log.
pub(crate) fn protect_callback(what: &str, f: impl FnOnce()) {
    if let Err(error) = protect(|| {
        f();
        Ok(())
    }) {
        log(|| tracing::error!(%error, "{what} failed"));
    }
}

/// Writes a line to the log. A subscriber, or an error's `Display`, that panics costs the line and nothing else.
pub(crate) fn log(write: impl FnOnce()) {
    let _ = protect(|| {
        write();
        Ok(())
    });
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| "no message".to_owned())
}
