use std::process;

use millstream_lease::{LeaseStore, SessionWrite, Sessions};

use crate::error::CliError;

/// Lets workers know that leases have changed. Those that live by sessions scan the table only when somebody tells of a change, as
/// a session does that begins and ends; the others scan it anyway.
pub(super) async fn tell(store: &dyn LeaseStore, sessions: &Sessions) -> Result<(), CliError> {
    if sessions.versions.is_empty() {
        return Ok(());
    }
    let worker = format!("millstream-command-{}", process::id());
    let version = worker.clone();
    store.write_session(&SessionWrite::Begin { worker: worker.clone(), version: version.clone() }).await?;
    store.write_session(&SessionWrite::End { worker, seen: version }).await?;
    Ok(())
}
