use std::collections::BTreeSet;
use std::time::Duration;

use millstream_lease::{Lease, LeaseStore, Sessions};
use tokio::time::{Instant, sleep};

use crate::error::CliError;

const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The workers that have shown a sign of life: a lease of theirs was written to, or their session. Waits until one does, at most
/// for `patience`; not at all where nobody has a lease or a session.
pub(super) async fn living(store: &dyn LeaseStore, patience: Duration) -> Result<BTreeSet<String>, CliError> {
    let (leases, sessions) = (store.scan().await?, store.sessions().await?);
    let is_quiet = sessions.versions.is_empty() && leases.iter().all(|lease| lease.actual_owner().is_none());
    let deadline = Instant::now() + patience;
    while !is_quiet && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
        let living = moved(&leases, &sessions, &store.scan().await?, &store.sessions().await?);
        if !living.is_empty() {
            return Ok(living);
        }
    }
    Ok(BTreeSet::new())
}

fn moved(leases: &[Lease], sessions: &Sessions, now: &[Lease], sessions_now: &Sessions) -> BTreeSet<String> {
    let is_new = |lease: &&Lease| !leases.iter().any(|seen| seen.key == lease.key && seen.counter == lease.counter);
    let owners = now.iter().filter(is_new).filter_map(|lease| lease.actual_owner().map(str::to_owned));
    let beating =
        sessions_now.versions.iter().filter(|(worker, version)| sessions.versions.get(*worker) != Some(version));
    owners.chain(beating.map(|(worker, _)| worker.clone())).collect()
}
